using System.Buffers.Binary;

namespace Emu.Net.Wire;

/// <summary>One UDP datagram that has been checked (RFC 768).</summary>
internal readonly ref struct UdpDatagram
{
    /// <summary>Bytes of a header.</summary>
    public const int HeaderBytes = 8;

    private UdpDatagram(ReadOnlySpan<byte> bytes)
    {
        SourcePort = BinaryPrimitives.ReadUInt16BigEndian(bytes);
        DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        Payload = bytes[HeaderBytes..];
    }

    /// <summary>The sender's port.</summary>
    public ushort SourcePort { get; }

    /// <summary>The receiver's port.</summary>
    public ushort DestinationPort { get; }

    /// <summary>The data.</summary>
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>Reads the payload of a packet; false when it is malformed or damaged.</summary>
    public static bool TryRead(uint source, uint destination, ReadOnlySpan<byte> bytes, bool verify, out UdpDatagram datagram)
    {
        datagram = default;
        if (bytes.Length < HeaderBytes)
        {
            return false;
        }

        int length = BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]);
        if (length < HeaderBytes || length > bytes.Length)
        {
            return false;
        }

        bytes = bytes[..length];
        bool hasChecksum = BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]) != 0;
        if (verify && hasChecksum
            && !InternetChecksum.IsValid(bytes, InternetChecksum.PseudoHeader(source, destination, IpProtocol.Udp, length)))
        {
            return false;
        }

        datagram = new UdpDatagram(bytes);
        return true;
    }

    /// <summary>Writes the header in front of the payload that is already in <paramref name="bytes"/>, with the checksum.</summary>
    public static void WriteHeader(Span<byte> bytes, uint source, ushort sourcePort, uint destination, ushort destinationPort)
    {
        BinaryPrimitives.WriteUInt16BigEndian(bytes, sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], destinationPort);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[4..], (ushort)bytes.Length);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[6..], 0);
        ushort checksum = InternetChecksum.Compute(bytes, InternetChecksum.PseudoHeader(source, destination, IpProtocol.Udp, bytes.Length));

        // Zero would mean "none".
        BinaryPrimitives.WriteUInt16BigEndian(bytes[6..], checksum == 0 ? (ushort)0xffff : checksum);
    }
}
