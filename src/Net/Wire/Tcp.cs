using System.Buffers.Binary;

namespace Emu.Net.Wire;

/// <summary>Control bits of a TCP header (RFC 9293, 3.1).</summary>
[Flags]
internal enum TcpFlags : byte
{
    None = 0,
    Fin = 1,
    Syn = 2,
    Rst = 4,
    Psh = 8,
    Ack = 16,
}

/// <summary>One TCP segment whose header has been checked; it may be larger than the MTU.</summary>
internal readonly ref struct TcpSegment
{
    /// <summary>Bytes of a header without options.</summary>
    public const int HeaderBytes = 20;

    /// <summary>Offset of the checksum in a header.</summary>
    public const int ChecksumOffset = 16;

    /// <summary>The largest shift of a window (RFC 7323, 2.3).</summary>
    public const int MaxWindowShift = 14;

    private readonly ReadOnlySpan<byte> _header;

    private TcpSegment(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload)
    {
        _header = header;
        Payload = payload;
    }

    /// <summary>The data.</summary>
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>The sender's port.</summary>
    public ushort SourcePort => BinaryPrimitives.ReadUInt16BigEndian(_header);

    /// <summary>The receiver's port.</summary>
    public ushort DestinationPort => BinaryPrimitives.ReadUInt16BigEndian(_header[2..]);

    /// <summary>Sequence number of the first byte, or of SYN.</summary>
    public uint Sequence => BinaryPrimitives.ReadUInt32BigEndian(_header[4..]);

    /// <summary>Next sequence number that the sender expects, with <see cref="TcpFlags.Ack"/>.</summary>
    public uint Acknowledgment => BinaryPrimitives.ReadUInt32BigEndian(_header[8..]);

    /// <summary>Control bits.</summary>
    public TcpFlags Flags => (TcpFlags)(_header[13] & 0x1f);

    /// <summary>Window, not scaled.</summary>
    public ushort Window => BinaryPrimitives.ReadUInt16BigEndian(_header[14..]);

    /// <summary>Length in sequence numbers: data, SYN and FIN.</summary>
    public uint SequenceLength => (uint)Payload.Length + (Has(TcpFlags.Syn) ? 1u : 0) + (Has(TcpFlags.Fin) ? 1u : 0);

    /// <summary>True when one of <paramref name="flags"/> is set.</summary>
    public bool Has(TcpFlags flags) => (Flags & flags) != 0;

    /// <summary>Reads the payload of a packet; false when it is malformed or damaged.</summary>
    public static bool TryRead(uint source, uint destination, ReadOnlySpan<byte> bytes, bool verify, out TcpSegment segment)
    {
        segment = default;
        if (bytes.Length < HeaderBytes)
        {
            return false;
        }

        int headerBytes = bytes[12] >> 4 << 2;
        if (headerBytes < HeaderBytes || headerBytes > bytes.Length
            || (verify && !InternetChecksum.IsValid(bytes, InternetChecksum.PseudoHeader(source, destination, IpProtocol.Tcp, bytes.Length))))
        {
            return false;
        }

        segment = new TcpSegment(bytes[..headerBytes], bytes[headerBytes..]);
        return true;
    }

    /// <summary>The options of a SYN: segment size (RFC 9293, 3.7.1), and shift of the windows, −1 when there is none (RFC 7323).</summary>
    public (int SegmentSize, int WindowShift) ReadSynOptions()
    {
        (int size, int shift) = (DefaultSegmentSize, -1);
        ReadOnlySpan<byte> options = _header[HeaderBytes..];
        while (options.Length > 0 && options[0] != 0)
        {
            if (options[0] == 1)
            {
                options = options[1..];
                continue;
            }

            if (options.Length < 2 || options[1] < 2 || options[1] > options.Length)
            {
                break;
            }

            if (options[0] == 2 && options[1] == 4)
            {
                size = BinaryPrimitives.ReadUInt16BigEndian(options[2..]);
            }
            else if (options[0] == 3 && options[1] == 3)
            {
                shift = Math.Min((int)options[2], MaxWindowShift);
            }

            options = options[options[1]..];
        }

        return (size, shift);
    }

    /// <summary>Writes a header without options and without checksum.</summary>
    public static void WriteHeader(
        Span<byte> bytes, ushort sourcePort, ushort destinationPort, uint sequence, uint acknowledgment, TcpFlags flags, ushort window,
        int headerBytes = HeaderBytes)
    {
        BinaryPrimitives.WriteUInt16BigEndian(bytes, sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], destinationPort);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[4..], sequence);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[8..], acknowledgment);
        bytes[12] = (byte)(headerBytes / 4 << 4);
        bytes[13] = (byte)flags;
        BinaryPrimitives.WriteUInt16BigEndian(bytes[14..], window);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[16..], 0);
    }

    /// <summary>What a SYN without the option means (RFC 9293, 3.7.1).</summary>
    public const int DefaultSegmentSize = 536;
}
