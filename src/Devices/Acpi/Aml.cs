using System.Text;

namespace Emu.Devices.Acpi;

/// <summary>
/// Encodes ACPI machine language (ACPI 6.5, ch. 20): each method returns the bytes of one term, and terms nest as
/// arguments.
/// </summary>
internal static class Aml
{
    // Opcodes (20.2.2 to 20.2.5).
    private const byte ZeroOp = 0x00;
    private const byte OneOp = 0x01;
    private const byte NameOp = 0x08;
    private const byte BytePrefix = 0x0A;
    private const byte WordPrefix = 0x0B;
    private const byte DWordPrefix = 0x0C;
    private const byte StringPrefix = 0x0D;
    private const byte QWordPrefix = 0x0E;
    private const byte ScopeOp = 0x10;
    private const byte BufferOp = 0x11;
    private const byte PackageOp = 0x12;
    private const byte MethodOp = 0x14;
    private const byte DualNamePrefix = 0x2E;
    private const byte MultiNamePrefix = 0x2F;
    private const byte ExtOpPrefix = 0x5B;
    private const byte ReturnOp = 0xA4;
    private const byte DeviceOp = 0x82;

    private const int NameSegLength = 4;

    /// <summary>A constant in its shortest form.</summary>
    public static byte[] Integer(ulong value) => value switch
    {
        0 => [ZeroOp],
        1 => [OneOp],
        <= byte.MaxValue => [BytePrefix, (byte)value],
        <= ushort.MaxValue => new ByteWriter().U8(WordPrefix).U16((ushort)value).ToArray(),
        <= uint.MaxValue => new ByteWriter().U8(DWordPrefix).U32((uint)value).ToArray(),
        _ => new ByteWriter().U8(QWordPrefix).U64(value).ToArray(),
    };

    /// <summary>A string constant.</summary>
    public static byte[] String(string text) => [StringPrefix, .. Encoding.ASCII.GetBytes(text), 0];

    /// <summary>A compressed EISA id such as <c>PNP0A03</c>: three letters of 5 bits, four hex digits, big-endian (19.6.36).</summary>
    public static byte[] EisaId(string id)
    {
        uint letters = ((uint)(id[0] - '@') << 10) | ((uint)(id[1] - '@') << 5) | (uint)(id[2] - '@');
        uint packed = (letters << 16) | Convert.ToUInt32(id[3..], 16);
        return new ByteWriter().U8(DWordPrefix).U32(System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(packed)).ToArray();
    }

    /// <summary>Name(<paramref name="name"/>, <paramref name="value"/>).</summary>
    public static byte[] Name(string name, byte[] value) => [NameOp, .. NameString(name), .. value];

    /// <summary>Scope(<paramref name="name"/>) { … }.</summary>
    public static byte[] Scope(string name, params IEnumerable<byte[]> terms) => Packaged([ScopeOp], [.. NameString(name), .. Join(terms)]);

    /// <summary>Device(<paramref name="name"/>) { … }.</summary>
    public static byte[] Device(string name, params IEnumerable<byte[]> terms) =>
        Packaged([ExtOpPrefix, DeviceOp], [.. NameString(name), .. Join(terms)]);

    /// <summary>Method(<paramref name="name"/>, <paramref name="arguments"/>, NotSerialized) { … }.</summary>
    public static byte[] Method(string name, byte arguments, params IEnumerable<byte[]> terms) =>
        Packaged([MethodOp], [.. NameString(name), arguments, .. Join(terms)]);

    /// <summary>Return(<paramref name="value"/>).</summary>
    public static byte[] Return(byte[] value) => [ReturnOp, .. value];

    /// <summary>Package() { … }.</summary>
    public static byte[] Package(params byte[][] elements) => Packaged([PackageOp], [(byte)elements.Length, .. Join(elements)]);

    /// <summary>Buffer() { … }.</summary>
    public static byte[] Buffer(ReadOnlySpan<byte> bytes) => Packaged([BufferOp], [.. Integer((ulong)bytes.Length), .. bytes]);

    /// <summary>ResourceTemplate() { … }: a buffer of descriptors with the end tag; checksum 0 means "not given".</summary>
    public static byte[] ResourceTemplate(params IEnumerable<byte[]> descriptors) => Buffer([.. Join(descriptors), 0x79, 0]);

    /// <summary>A name path (20.2.2): segments of up to four characters, separated by dots, optionally from the root.</summary>
    public static byte[] NameString(string path)
    {
        var bytes = new List<byte>();
        if (path.StartsWith('\\'))
        {
            bytes.Add((byte)'\\');
            path = path[1..];
        }

        string[] segments = path.Split('.', StringSplitOptions.RemoveEmptyEntries);
        switch (segments.Length)
        {
            case 0:
                bytes.Add(0);
                break;
            case 1:
                break;
            case 2:
                bytes.Add(DualNamePrefix);
                break;
            default:
                bytes.AddRange([MultiNamePrefix, (byte)segments.Length]);
                break;
        }

        foreach (string segment in segments)
        {
            bytes.AddRange(Encoding.ASCII.GetBytes(segment.PadRight(NameSegLength, '_')));
        }

        return [.. bytes];
    }

    private static byte[] Join(IEnumerable<byte[]> terms) => [.. terms.SelectMany(term => term)];

    private static byte[] Packaged(byte[] opcode, byte[] body) => [.. opcode, .. PackageLength(body.Length), .. body];

    /// <summary>PkgLength (20.2.4): counts itself; 6 bits alone, or 4 bits and up to three more bytes.</summary>
    private static byte[] PackageLength(int bodyLength)
    {
        const int oneByteLimit = 63;
        if (bodyLength + 1 <= oneByteLimit)
        {
            return [(byte)(bodyLength + 1)];
        }

        int extra = bodyLength + 2 < 1 << 12 ? 1 : bodyLength + 3 < 1 << 20 ? 2 : 3;
        int length = bodyLength + 1 + extra;
        byte[] bytes = new byte[1 + extra];
        bytes[0] = (byte)((extra << 6) | (length & 0xF));
        for (int i = 0; i < extra; i++)
        {
            bytes[i + 1] = (byte)(length >> (4 + (8 * i)));
        }

        return bytes;
    }
}
