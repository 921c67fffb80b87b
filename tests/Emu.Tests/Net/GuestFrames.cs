using System.Buffers.Binary;

namespace Emu.Tests.Net;

/// <summary>Frames by hand: written and checked without any code of the emulator.</summary>
internal static class GuestFrames
{
    public const int Tcp = 6;
    public const int Udp = 17;
    public const int Icmp = 1;

    /// <summary>Address of four numbers.</summary>
    public static uint Address(byte a, byte b, byte c, byte d) => ((uint)a << 24) | ((uint)b << 16) | ((uint)c << 8) | d;

    /// <summary>RFC 1071, word by word.</summary>
    public static ushort Checksum(ReadOnlySpan<byte> data, uint sum = 0)
    {
        for (int i = 0; i < data.Length; i += 2)
        {
            sum += (uint)(data[i] << 8) | (i + 1 < data.Length ? data[i + 1] : 0u);
            sum = (sum & 0xffff) + (sum >> 16);
        }

        return (ushort)~sum;
    }

    /// <summary>The sum of addresses, protocol and length.</summary>
    public static uint Pseudo(uint source, uint destination, int protocol, int length)
    {
        ulong sum = (source >> 16) + (source & 0xffff) + (destination >> 16) + (destination & 0xffff) + (uint)protocol + (uint)length;
        sum = (sum & 0xffff) + (sum >> 16);
        return (uint)((sum & 0xffff) + (sum >> 16));
    }

    /// <summary>An Ethernet frame.</summary>
    public static byte[] Ethernet(ulong destination, ulong source, ushort type, ReadOnlySpan<byte> payload)
    {
        byte[] frame = new byte[14 + payload.Length];
        WriteMac(frame, destination);
        WriteMac(frame.AsSpan(6), source);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), type);
        payload.CopyTo(frame.AsSpan(14));
        return frame;
    }

    /// <summary>An IPv4 packet.</summary>
    public static byte[] Ip(int protocol, uint source, uint destination, ReadOnlySpan<byte> payload, ushort id = 0, ushort fragment = 0)
    {
        byte[] packet = new byte[20 + payload.Length];
        packet[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), id);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(6), fragment);
        packet[8] = 64;
        packet[9] = (byte)protocol;
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(12), source);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(16), destination);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(10), Checksum(packet.AsSpan(0, 20)));
        payload.CopyTo(packet.AsSpan(20));
        return packet;
    }

    /// <summary>A UDP datagram.</summary>
    public static byte[] UdpDatagram(uint source, ushort sourcePort, uint destination, ushort destinationPort, ReadOnlySpan<byte> data)
    {
        byte[] datagram = new byte[8 + data.Length];
        BinaryPrimitives.WriteUInt16BigEndian(datagram, sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(datagram.AsSpan(2), destinationPort);
        BinaryPrimitives.WriteUInt16BigEndian(datagram.AsSpan(4), (ushort)datagram.Length);
        data.CopyTo(datagram.AsSpan(8));
        BinaryPrimitives.WriteUInt16BigEndian(datagram.AsSpan(6), Checksum(datagram, Pseudo(source, destination, Udp, datagram.Length)));
        return datagram;
    }

    public static void WriteMac(Span<byte> bytes, ulong mac)
    {
        for (int i = 0; i < 6; i++)
        {
            bytes[i] = (byte)(mac >> (40 - (8 * i)));
        }
    }

    public static ulong ReadMac(ReadOnlySpan<byte> bytes)
    {
        ulong mac = 0;
        for (int i = 0; i < 6; i++)
        {
            mac = (mac << 8) | bytes[i];
        }

        return mac;
    }
}

/// <summary>A frame that the guest has received, checked and taken apart.</summary>
internal sealed class GuestFrame
{
    public GuestFrame(ReadOnlySpan<byte> frame, Emu.Core.Net.FrameOffload offload)
    {
        Bytes = frame.ToArray();
        Offload = offload;
        Type = BinaryPrimitives.ReadUInt16BigEndian(frame[12..]);
        if (Type == 0x800)
        {
            Check();
        }
    }

    public byte[] Bytes { get; }

    public Emu.Core.Net.FrameOffload Offload { get; }

    public ushort Type { get; }

    public int Protocol => Type == 0x800 ? Bytes[23] : -1;

    public uint Source => BinaryPrimitives.ReadUInt32BigEndian(Bytes.AsSpan(26));

    public uint Destination => BinaryPrimitives.ReadUInt32BigEndian(Bytes.AsSpan(30));

    public ushort Fragment => BinaryPrimitives.ReadUInt16BigEndian(Bytes.AsSpan(20));

    /// <summary>What the IPv4 packet carries.</summary>
    public ReadOnlySpan<byte> Payload => Bytes.AsSpan(34);

    public ushort SourcePort => BinaryPrimitives.ReadUInt16BigEndian(Bytes.AsSpan(34));

    public ushort DestinationPort => BinaryPrimitives.ReadUInt16BigEndian(Bytes.AsSpan(36));

    public ReadOnlySpan<byte> UdpData => Bytes.AsSpan(42);

    public uint Sequence => BinaryPrimitives.ReadUInt32BigEndian(Bytes.AsSpan(38));

    public uint Acknowledgment => BinaryPrimitives.ReadUInt32BigEndian(Bytes.AsSpan(42));

    public byte Flags => Bytes[47];

    public ushort Window => BinaryPrimitives.ReadUInt16BigEndian(Bytes.AsSpan(48));

    public ReadOnlySpan<byte> TcpData => Bytes.AsSpan(34 + (Bytes[46] >> 4 << 2));

    public bool IsTcp => Protocol == GuestFrames.Tcp;

    private void Check()
    {
        Assert.Equal(Bytes.Length - 14, BinaryPrimitives.ReadUInt16BigEndian(Bytes.AsSpan(16)));
        Assert.Equal(0, GuestFrames.Checksum(Bytes.AsSpan(14, 20)));
        Assert.True(Bytes.Length <= 1514 || Offload.SegmentSize > 0, $"{Bytes.Length} bytes");
        if ((Fragment & 0x3fff) != 0 || Protocol == GuestFrames.Icmp)
        {
            return;
        }

        uint pseudo = GuestFrames.Pseudo(Source, Destination, Protocol, Payload.Length);
        if (Offload.NeedsChecksum)
        {
            Assert.Equal((34, 16), (Offload.ChecksumStart, Offload.ChecksumOffset));
            Assert.Equal((ushort)pseudo, BinaryPrimitives.ReadUInt16BigEndian(Bytes.AsSpan(50)));
        }
        else
        {
            Assert.Equal(0, GuestFrames.Checksum(Payload, pseudo));
        }
    }
}
