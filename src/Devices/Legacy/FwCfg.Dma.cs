using System.Buffers.Binary;
using Emu.Core.Memory;

namespace Emu.Devices.Legacy;

/// <content>The DMA interface (specification, "Guest-side DMA Interface").</content>
public sealed partial class FwCfg
{
    private const uint DmaError = 0x01;
    private const uint DmaRead = 0x02;
    private const uint DmaSkip = 0x04;
    private const uint DmaSelect = 0x08;
    private const uint DmaWrite = 0x10;

    // Control, length and address, all big-endian.
    private const int DescriptorBytes = 16;

    // "QEMU CFG", most significant byte at the lowest port.
    private static readonly byte[] DmaSignature = "QEMU CFG"u8.ToArray();
    private static readonly byte[] Zeros = new byte[4096];

    private static ulong ReadDmaSignature(int offset, int size)
    {
        ulong value = 0;
        for (int i = 0; i < size && offset + i < DmaSignature.Length; i++)
        {
            value |= (ulong)DmaSignature[offset + i] << (8 * i);
        }

        return value;
    }

    private void RunDma(ulong descriptorAddress)
    {
        Span<byte> descriptor = stackalloc byte[DescriptorBytes];
        if (!TryReadMemory(descriptorAddress, descriptor))
        {
            return; // there is no place to report the error
        }

        uint control = BinaryPrimitives.ReadUInt32BigEndian(descriptor);
        uint length = BinaryPrimitives.ReadUInt32BigEndian(descriptor[4..]);
        ulong address = BinaryPrimitives.ReadUInt64BigEndian(descriptor[8..]);
        if ((control & DmaSelect) != 0)
        {
            Select((ushort)(control >> 16));
        }

        bool done = (control & DmaRead) != 0 ? ReadToMemory(address, length)
            : (control & DmaWrite) != 0 ? WriteFromMemory(address, length)
            : (control & DmaSkip) == 0 || Skip(length);
        BinaryPrimitives.WriteUInt32BigEndian(descriptor, done ? 0 : DmaError);
        TryWriteMemory(descriptorAddress, descriptor[..sizeof(uint)]);
    }

    private bool Skip(uint length)
    {
        _offset += (uint)Math.Min(length, (ulong)Remaining().Length);
        return true;
    }

    // Beyond the end of the item the guest gets zeros.
    private bool ReadToMemory(ulong address, uint length)
    {
        ReadOnlySpan<byte> data = Remaining();
        data = data[..(int)Math.Min(length, (uint)data.Length)];
        _offset += (uint)data.Length;
        if (!TryWriteMemory(address, data))
        {
            return false;
        }

        address += (ulong)data.Length;
        for (uint left = length - (uint)data.Length; left > 0;)
        {
            int chunk = (int)Math.Min(left, (uint)Zeros.Length);
            if (!TryWriteMemory(address, Zeros.AsSpan(0, chunk)))
            {
                return false;
            }

            address += (ulong)chunk;
            left -= (uint)chunk;
        }

        return true;
    }

    // A write must fit what is left of a writable item; else nothing is written.
    private bool WriteFromMemory(ulong address, uint length)
    {
        Span<byte> target = Remaining();
        if (!_items.TryGetValue(_key, out FwCfgItem? item) || item.Written is null || length > (uint)target.Length)
        {
            return false;
        }

        byte[] data = new byte[length];
        if (!TryReadMemory(address, data))
        {
            return false;
        }

        data.CopyTo(target);
        int offset = (int)_offset;
        _offset += length;
        item.Written(offset, data.Length);
        return true;
    }

    private bool TryReadMemory(ulong address, Span<byte> buffer)
    {
        if (!IsMemory(address, buffer.Length, forWrite: false))
        {
            return false;
        }

        _memory.Read(address, buffer);
        return true;
    }

    private bool TryWriteMemory(ulong address, ReadOnlySpan<byte> data)
    {
        if (!IsMemory(address, data.Length, forWrite: true))
        {
            return false;
        }

        _memory.Write(address, data);
        return true;
    }

    /// <summary>True when RAM (or, for reading, ROM) backs all of the range.</summary>
    private bool IsMemory(ulong address, int length, bool forWrite)
    {
        FlatView view = _memory.View;
        ulong left = (ulong)length;
        while (left > 0)
        {
            if (!view.TryFind(address, out FlatRange? range) || !range.IsMemory || (forWrite && range.ReadOnly))
            {
                return false;
            }

            ulong here = range.Last - address + 1;
            if (here >= left)
            {
                return true;
            }

            left -= here;
            address += here;
        }

        return true;
    }
}
