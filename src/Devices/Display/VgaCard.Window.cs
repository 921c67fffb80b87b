using Emu.Core;
using Emu.Core.Memory;

namespace Emu.Devices.Display;

/// <content>The window at A0000H–BFFFFH: planes, latches, read and write modes (IBM VGA technical reference, "Graphics controller").</content>
public sealed partial class VgaCard
{
    private const ulong BankSize = 64 << 10;

    private MemoryRegion? _mapped;
    private ulong _mappedBank;

    private ulong BankOffset => (ulong)_r.Dispi[VbeDispi.Bank] << 16;

    private bool IsChain4 => (_r.Sequencer[4] & 0x08) != 0;

    // A chained window in which all planes may be written is plain memory.
    private void UpdateMapping()
    {
        bool plain = HasVga && IsChain4 && (_r.Sequencer[2] & 0x0f) == 0x0f && ((_r.Graphics[6] >> 2) & 3) <= 1 && BankOffset + BankSize <= _memory.Size;
        if (plain == _mapped is not null && (!plain || _mappedBank == BankOffset))
        {
            return;
        }

        if (_mapped is not null)
        {
            Window.Remove(_mapped);
            _mapped = null;
        }

        if (plain)
        {
            _mappedBank = BankOffset;
            _mapped = MemoryRegion.OfRam($"{Name}-bank", _memory, _mappedBank, BankSize);
            Window.Add(0, _mapped, 1);
        }
    }

    // The offset in the planes, or null outside the part of the window that is on.
    private ulong? Decode(ulong offset) => ((_r.Graphics[6] >> 2) & 3) switch
    {
        0 => offset,
        1 => offset < BankSize ? offset + BankOffset : null,
        2 => offset is >= 0x1_0000 and < 0x1_8000 ? offset - 0x1_0000 : null,
        _ => offset >= 0x1_8000 ? offset - 0x1_8000 : null,
    };

    private byte ReadWindow(ulong offset)
    {
        if (Decode(offset) is not ulong address)
        {
            return 0xff;
        }

        if (IsChain4)
        {
            return address < _memory.Size ? (byte)_memory.ReadValue(address, 1) : (byte)0xff;
        }

        if ((_r.Graphics[5] & 0x10) != 0)
        {
            ulong at = OddEven(address, out _);
            return at < _memory.Size ? (byte)_memory.ReadValue(at, 1) : (byte)0xff;
        }

        if ((address << 2) >= _memory.Size)
        {
            return 0xff;
        }

        _r.Latches = (uint)_memory.ReadValue(address << 2, 4);
        return (_r.Graphics[5] & 0x08) == 0
            ? (byte)(_r.Latches >> (8 * (_r.Graphics[4] & 3)))
            : CompareColour();
    }

    private void WriteWindow(ulong offset, byte value)
    {
        if (Decode(offset) is not ulong address)
        {
            return;
        }

        int plane = (int)(address & 3);
        if (IsChain4)
        {
            WritePlane(address, plane, value);
        }
        else if ((_r.Graphics[5] & 0x10) != 0)
        {
            ulong at = OddEven(address, out plane);
            WritePlane(at, plane, value);
        }
        else if ((address << 2) < _memory.Size)
        {
            uint result = Combine(value);
            uint mask = Spread(_r.Sequencer[2]);
            uint old = (uint)_memory.ReadValue(address << 2, 4);
            _memory.WriteValue(address << 2, (old & ~mask) | (result & mask), 4);
        }
    }

    // Even addresses go to planes 0 and 2, odd ones to 1 and 3.
    private ulong OddEven(ulong address, out int plane)
    {
        plane = (_r.Graphics[4] & 2) | (int)(address & 1);
        return ((address & ~1UL) << 1) | (uint)plane;
    }

    private void WritePlane(ulong at, int plane, byte value)
    {
        if ((_r.Sequencer[2] & (1 << plane)) != 0 && at < _memory.Size)
        {
            _memory.WriteValue(at, value, 1);
        }
    }

    // Read mode 1: a bit for each pixel whose colour is the one looked for, in the planes that count.
    private byte CompareColour()
    {
        uint differs = (_r.Latches ^ Spread(_r.Graphics[2])) & Spread(_r.Graphics[7]);
        differs |= differs >> 16;
        return (byte)~(differs | (differs >> 8));
    }

    private uint Combine(byte value)
    {
        int mode = _r.Graphics[5] & 3;
        byte rotated = (byte)((value >> (_r.Graphics[3] & 7)) | (value << (8 - (_r.Graphics[3] & 7))));
        byte bitMask = _r.Graphics[8];
        uint planes;
        switch (mode)
        {
            case 1:
                return _r.Latches;
            case 2:
                planes = Spread(value);
                break;
            case 3:
                bitMask &= rotated;
                planes = Spread(_r.Graphics[0]);
                return Select(planes, bitMask);
            default:
                uint setReset = Spread(_r.Graphics[1]);
                planes = (rotated * 0x01010101U & ~setReset) | (Spread(_r.Graphics[0]) & setReset);
                break;
        }

        planes = ((_r.Graphics[3] >> 3) & 3) switch
        {
            1 => planes & _r.Latches,
            2 => planes | _r.Latches,
            3 => planes ^ _r.Latches,
            _ => planes,
        };
        return Select(planes, bitMask);
    }

    private uint Select(uint planes, byte bitMask)
    {
        uint mask = bitMask * 0x01010101U;
        return (planes & mask) | (_r.Latches & ~mask);
    }

    // A bit for each plane becomes a byte of ones for it.
    private static uint Spread(int bits) => (uint)(((bits & 1) * 0xff) | (((bits >> 1) & 1) * 0xff00) | (((bits >> 2) & 1) * 0xff0000)) | ((uint)(bits >> 3) & 1) * 0xff000000;

    private sealed class WindowHandler(VgaCard card) : IIoHandler
    {
        public ulong Read(ulong offset, int size) => card.ReadWindow(offset);

        public void Write(ulong offset, ulong value, int size) => card.WriteWindow(offset, (byte)value);
    }
}
