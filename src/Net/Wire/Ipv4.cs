using System.Buffers.Binary;
using System.Net;
using Emu.Core.Net;

namespace Emu.Net.Wire;

/// <summary>Protocol numbers in an IPv4 header.</summary>
internal enum IpProtocol : byte
{
    Icmp = 1,
    Tcp = 6,
    Udp = 17,
}

/// <summary>IPv4 headers (RFC 791). Addresses are numbers, the first byte the most significant.</summary>
internal static class Ipv4
{
    /// <summary>Bytes of a header without options.</summary>
    public const int HeaderBytes = 20;

    /// <summary>Most bytes of a packet.</summary>
    public const int MaxPacketBytes = 65535;

    /// <summary>127.0.0.1.</summary>
    public const uint Loopback = 0x7f00_0001;

    /// <summary>Flag: more fragments follow.</summary>
    public const ushort MoreFragments = 0x2000;

    /// <summary>Flag: routers must not split the packet.</summary>
    public const ushort DontFragment = 0x4000;

    private const byte TimeToLive = 64;

    /// <summary>Writes a header with its checksum.</summary>
    /// <param name="packet">Where; the header is at its start.</param>
    /// <param name="totalBytes">Length of header and payload.</param>
    /// <param name="protocol">What the payload is.</param>
    /// <param name="source">Sender.</param>
    /// <param name="destination">Receiver.</param>
    /// <param name="id">Identification, which fragments of one packet share.</param>
    /// <param name="fragment">Fragment offset in units of 8 bytes, with flags.</param>
    public static void WriteHeader(
        Span<byte> packet, int totalBytes, IpProtocol protocol, uint source, uint destination, ushort id = 0, ushort fragment = DontFragment)
    {
        BinaryPrimitives.WriteUInt16BigEndian(packet, 0x4500);
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], (ushort)totalBytes);
        BinaryPrimitives.WriteUInt16BigEndian(packet[4..], id);
        BinaryPrimitives.WriteUInt16BigEndian(packet[6..], fragment);
        packet[8] = TimeToLive;
        packet[9] = (byte)protocol;
        BinaryPrimitives.WriteUInt16BigEndian(packet[10..], 0);
        BinaryPrimitives.WriteUInt32BigEndian(packet[12..], source);
        BinaryPrimitives.WriteUInt32BigEndian(packet[16..], destination);
        BinaryPrimitives.WriteUInt16BigEndian(packet[10..], InternetChecksum.Compute(packet[..HeaderBytes]));
    }

    /// <summary>The number of <paramref name="address"/>.</summary>
    public static uint ToNumber(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[4];
        return address.MapToIPv4().TryWriteBytes(bytes, out _) ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : 0;
    }

    /// <summary>The address with this number.</summary>
    public static IPAddress ToAddress(uint number)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
        return new IPAddress(bytes);
    }
}

/// <summary>One IPv4 packet whose header has been checked: all lengths lie inside the frame.</summary>
internal readonly ref struct Ipv4Packet
{
    private Ipv4Packet(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload)
    {
        Header = header;
        Payload = payload;
    }

    /// <summary>The header with its options.</summary>
    public ReadOnlySpan<byte> Header { get; }

    /// <summary>What comes after the header, without padding of the frame.</summary>
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>Sender.</summary>
    public uint Source => BinaryPrimitives.ReadUInt32BigEndian(Header[12..]);

    /// <summary>Receiver.</summary>
    public uint Destination => BinaryPrimitives.ReadUInt32BigEndian(Header[16..]);

    /// <summary>What the payload is.</summary>
    public IpProtocol Protocol => (IpProtocol)Header[9];

    /// <summary>Identification, which fragments of one packet share.</summary>
    public ushort Id => BinaryPrimitives.ReadUInt16BigEndian(Header[4..]);

    /// <summary>Hops that are left.</summary>
    public byte TimeToLive => Header[8];

    /// <summary>Where the payload lies in that of the whole packet, in bytes.</summary>
    public int FragmentOffset => (BinaryPrimitives.ReadUInt16BigEndian(Header[6..]) & 0x1fff) * 8;

    /// <summary>True when this is not the last fragment.</summary>
    public bool HasMoreFragments => (BinaryPrimitives.ReadUInt16BigEndian(Header[6..]) & Ipv4.MoreFragments) != 0;

    /// <summary>True when this is a part of a packet.</summary>
    public bool IsFragment => FragmentOffset != 0 || HasMoreFragments;

    /// <summary>Reads what follows an Ethernet header; false when it is malformed or its header's checksum is wrong.</summary>
    public static bool TryRead(ReadOnlySpan<byte> data, in FrameOffload offload, out Ipv4Packet packet)
    {
        packet = default;
        if (data.Length < Ipv4.HeaderBytes || data[0] >> 4 != 4)
        {
            return false;
        }

        int headerBytes = (data[0] & 15) * 4;
        int totalBytes = BinaryPrimitives.ReadUInt16BigEndian(data[2..]);
        if (offload.SegmentSize != 0)
        {
            // A packet that is still to be split: drivers disagree on what its length field says; there is no padding.
            totalBytes = data.Length;
        }

        if (headerBytes < Ipv4.HeaderBytes || totalBytes < headerBytes || totalBytes > data.Length
            || (offload.SegmentSize == 0 && !InternetChecksum.IsValid(data[..headerBytes])))
        {
            return false;
        }

        packet = new Ipv4Packet(data[..headerBytes], data[headerBytes..totalBytes]);
        return true;
    }
}
