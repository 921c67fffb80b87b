using System.Buffers.Binary;

namespace Emu.Devices.Virtio;

/// <summary>
/// Which frames a network card passes to its driver: modes, address tables and VLANs, as set over the control queue (virtio 1.2,
/// 5.1.6.5). Changed by one thread while another asks: a table is replaced as a whole.
/// </summary>
internal sealed class NetFilter
{
    private const int AddressSize = 6;
    private const int VlanCount = 4096;
    private const int EtherTypeOffset = 12;
    private const ushort VlanEtherType = 0x8100;
    private const ulong Broadcast = 0xffff_ffff_ffff;
    private const ulong GroupBit = 1UL << 40;

    // A longer table is taken as "all", which is what a card with few registers does.
    private const int LargestTable = 64;

    // Modes, in the order of the receive commands; the last two are the tables' own.
    private const int Promiscuous = 0;
    private const int AllMulticast = 1;
    private const int AllUnicast = 2;
    private const int NoMulticast = 3;
    private const int NoUnicast = 4;
    private const int NoBroadcast = 5;
    private const int CommandCount = 6;
    private const int MulticastOverflow = 6;
    private const int UnicastOverflow = 7;
    private const int ModeCount = 8;

    private volatile int _modes = 1 << Promiscuous;
    private ulong[] _unicast = [];
    private ulong[] _multicast = [];
    private byte[]? _vlans;
    private ulong _address;

    /// <summary>The card's own address, its first byte in bits 47:40.</summary>
    public ulong Address
    {
        get => Volatile.Read(ref _address);
        set => Volatile.Write(ref _address, value);
    }

    /// <summary>Reads an address as it lies in a frame.</summary>
    public static ulong ReadAddress(ReadOnlySpan<byte> bytes) =>
        ((ulong)BinaryPrimitives.ReadUInt16BigEndian(bytes) << 32) | BinaryPrimitives.ReadUInt32BigEndian(bytes[2..]);

    /// <summary>Everything passes, as after a reset.</summary>
    public void Reset()
    {
        _modes = 1 << Promiscuous;
        Volatile.Write(ref _unicast, []);
        Volatile.Write(ref _multicast, []);
        Volatile.Write(ref _vlans, null);
    }

    /// <summary>From now on only frames without a tag, or of VLANs that are added, pass.</summary>
    public void FilterVlans() => Volatile.Write(ref _vlans, new byte[VlanCount / 8]);

    /// <summary>Turns a receive mode (the number of its command) on or off; false when there is no such mode.</summary>
    public bool TrySetMode(byte mode, bool on)
    {
        if (mode >= CommandCount)
        {
            return false;
        }

        _modes = on ? _modes | (1 << mode) : _modes & ~(1 << mode);
        return true;
    }

    /// <summary>Takes the two tables of a MAC_TABLE_SET command, each a count and that many addresses; false when they are cut short.</summary>
    public bool TrySetTables(ReadOnlySpan<byte> data)
    {
        if (!TryReadTable(ref data, out ulong[]? unicast) || !TryReadTable(ref data, out ulong[]? multicast))
        {
            return false;
        }

        int overflow = (unicast is null ? 1 << UnicastOverflow : 0) | (multicast is null ? 1 << MulticastOverflow : 0);
        Volatile.Write(ref _unicast, unicast ?? []);
        Volatile.Write(ref _multicast, multicast ?? []);
        _modes = (_modes & ~((1 << UnicastOverflow) | (1 << MulticastOverflow))) | overflow;
        return true;
    }

    /// <summary>Adds or removes a VLAN; false when there is no such number, or VLANs are not filtered.</summary>
    public bool TrySetVlan(int id, bool passes)
    {
        if (id >= VlanCount || Volatile.Read(ref _vlans) is not byte[] vlans)
        {
            return false;
        }

        byte bit = (byte)(1 << (id & 7));
        vlans[id >> 3] = (byte)(passes ? vlans[id >> 3] | bit : vlans[id >> 3] & ~bit);
        return true;
    }

    /// <summary>True when <paramref name="frame"/>, of at least 14 bytes, is for the driver. Any thread.</summary>
    public bool Passes(ReadOnlySpan<byte> frame)
    {
        int modes = _modes;
        if (!PassesVlan(frame))
        {
            return false;
        }

        if (Has(modes, Promiscuous))
        {
            return true;
        }

        ulong destination = ReadAddress(frame);
        if (destination == Broadcast)
        {
            return !Has(modes, NoBroadcast);
        }

        return (destination & GroupBit) != 0
            ? !Has(modes, NoMulticast) && (Has(modes, AllMulticast) || Has(modes, MulticastOverflow) || Volatile.Read(ref _multicast).Contains(destination))
            : !Has(modes, NoUnicast)
                && (Has(modes, AllUnicast) || Has(modes, UnicastOverflow) || destination == Address || Volatile.Read(ref _unicast).Contains(destination));
    }

    /// <summary>Everything, for a saved state.</summary>
    public byte[] Save()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(Address);
        writer.Write(_modes);
        foreach (ulong[] table in (ulong[][])[_unicast, _multicast])
        {
            writer.Write(table.Length);
            Array.ForEach(table, writer.Write);
        }

        writer.Write(_vlans is not null);
        writer.Write(_vlans ?? []);
        return stream.ToArray();
    }

    /// <summary>Takes what <see cref="Save"/> gave; false, with nothing changed, when it is something else.</summary>
    public bool TryRestore(byte[] saved)
    {
        try
        {
            using var reader = new BinaryReader(new MemoryStream(saved));
            ulong address = reader.ReadUInt64();
            int modes = reader.ReadInt32();
            ulong[] unicast = ReadSavedTable(reader);
            ulong[] multicast = ReadSavedTable(reader);
            byte[]? vlans = reader.ReadBoolean() ? reader.ReadBytes(VlanCount / 8) : null;
            if (address > Broadcast || modes >> ModeCount != 0 || vlans is { Length: not VlanCount / 8 })
            {
                return false;
            }

            (_unicast, _multicast, _vlans, _modes) = (unicast, multicast, vlans, modes);
            Address = address;
            return true;
        }
        catch (Exception exception) when (exception is EndOfStreamException or InvalidDataException)
        {
            return false;
        }
    }

    private static bool Has(int modes, int mode) => (modes & (1 << mode)) != 0;

    private static ulong[] ReadSavedTable(BinaryReader reader)
    {
        int count = reader.ReadInt32();
        return count is >= 0 and <= LargestTable ? [.. Enumerable.Range(0, count).Select(_ => reader.ReadUInt64())] : throw new InvalidDataException();
    }

    // Null for a table too long to be kept.
    private static bool TryReadTable(ref ReadOnlySpan<byte> data, out ulong[]? table)
    {
        table = null;
        if (data.Length < sizeof(uint))
        {
            return false;
        }

        uint count = BinaryPrimitives.ReadUInt32LittleEndian(data);
        data = data[sizeof(uint)..];
        if (count > (uint)data.Length / AddressSize)
        {
            return false;
        }

        if (count <= LargestTable)
        {
            table = new ulong[count];
            for (int i = 0; i < table.Length; i++)
            {
                table[i] = ReadAddress(data[(i * AddressSize)..]);
            }
        }

        data = data[((int)count * AddressSize)..];
        return true;
    }

    private bool PassesVlan(ReadOnlySpan<byte> frame)
    {
        if (Volatile.Read(ref _vlans) is not byte[] vlans || frame.Length < EtherTypeOffset + 4
            || BinaryPrimitives.ReadUInt16BigEndian(frame[EtherTypeOffset..]) != VlanEtherType)
        {
            return true;
        }

        int id = BinaryPrimitives.ReadUInt16BigEndian(frame[(EtherTypeOffset + 2)..]) & (VlanCount - 1);
        return (vlans[id >> 3] & (1 << (id & 7))) != 0;
    }
}
