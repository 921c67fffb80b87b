using System.Buffers.Binary;

namespace Emu.Machine.Vnc;

/// <summary>PIXEL_FORMAT of a client (RFC 6143, 7.4), and the conversion into it.</summary>
internal sealed record VncPixelFormat(
    int BitsPerPixel, int Depth, bool BigEndian, int RedMax, int GreenMax, int BlueMax, int RedShift, int GreenShift, int BlueShift)
{
    /// <summary>Bytes of a PIXEL_FORMAT.</summary>
    public const int Size = 16;

    /// <summary>What the server itself has: 00RRGGBBH, little-endian.</summary>
    public static readonly VncPixelFormat Native = new(32, 24, false, 255, 255, 255, 16, 8, 0);

    /// <summary>For clients with a colour map: three bits of red and green, two of blue.</summary>
    public static readonly VncPixelFormat Mapped = new(8, 8, false, 7, 7, 3, 5, 2, 0);

    /// <summary>Bytes of a pixel.</summary>
    public int Bytes => BitsPerPixel / 8;

    /// <summary>Bytes of a pixel in ZRLE (7.7.5): three where a fourth would be empty, from this one on.</summary>
    public (int Skip, int Count) Compact
    {
        get
        {
            uint used = ((uint)RedMax << RedShift) | ((uint)GreenMax << GreenShift) | ((uint)BlueMax << BlueShift);
            bool low = (used & 0xff00_0000) == 0;
            bool high = (used & 0xff) == 0;
            return BitsPerPixel != 32 || Depth > 24 || (!low && !high) ? (0, Bytes) : (low != BigEndian ? 0 : 1, 3);
        }
    }

    /// <summary>Reads a format; null when it cannot be served.</summary>
    public static VncPixelFormat? Read(ReadOnlySpan<byte> data)
    {
        bool trueColour = data[3] != 0;
        if (!trueColour)
        {
            return data[0] == 8 ? Mapped : null;
        }

        var format = new VncPixelFormat(
            data[0], data[1], data[2] != 0, BinaryPrimitives.ReadUInt16BigEndian(data[4..]), BinaryPrimitives.ReadUInt16BigEndian(data[6..]),
            BinaryPrimitives.ReadUInt16BigEndian(data[8..]), data[10], data[11], data[12]);
        return format.IsValid() ? format : null;
    }

    /// <summary>Writes the format.</summary>
    public void Write(Span<byte> data)
    {
        data[..Size].Clear();
        (data[0], data[1], data[2], data[3]) = ((byte)BitsPerPixel, (byte)Depth, (byte)(BigEndian ? 1 : 0), 1);
        BinaryPrimitives.WriteUInt16BigEndian(data[4..], (ushort)RedMax);
        BinaryPrimitives.WriteUInt16BigEndian(data[6..], (ushort)GreenMax);
        BinaryPrimitives.WriteUInt16BigEndian(data[8..], (ushort)BlueMax);
        (data[10], data[11], data[12]) = ((byte)RedShift, (byte)GreenShift, (byte)BlueShift);
    }

    /// <summary>The value of a pixel 00RRGGBBH.</summary>
    public uint Convert(uint pixel) =>
        (Scale((pixel >> 16) & 0xff, RedMax) << RedShift) | (Scale((pixel >> 8) & 0xff, GreenMax) << GreenShift) | (Scale(pixel & 0xff, BlueMax) << BlueShift);

    /// <summary>Appends <paramref name="pixel"/>, converted.</summary>
    public void Append(VncBuffer buffer, uint pixel)
    {
        Span<byte> bytes = stackalloc byte[4];
        buffer.Bytes(bytes[..Put(pixel, bytes)]);
    }

    /// <summary>Appends it in ZRLE's short form.</summary>
    public void AppendCompact(VncBuffer buffer, uint pixel)
    {
        Span<byte> bytes = stackalloc byte[4];
        Put(pixel, bytes);
        (int skip, int count) = Compact;
        buffer.Bytes(bytes.Slice(skip, count));
    }

    private int Put(uint pixel, Span<byte> bytes)
    {
        uint value = Convert(pixel);
        for (int i = 0; i < Bytes; i++)
        {
            bytes[BigEndian ? Bytes - 1 - i : i] = (byte)(value >> (8 * i));
        }

        return Bytes;
    }

    private static uint Scale(uint value, int max) => max == 255 ? value : ((value * (uint)max) + 127) / 255;

    private bool IsValid() =>
        BitsPerPixel is 8 or 16 or 32 && Fits(RedMax, RedShift) && Fits(GreenMax, GreenShift) && Fits(BlueMax, BlueShift);

    private bool Fits(int max, int shift) => (max & (max + 1)) == 0 && shift < BitsPerPixel && (ulong)max << shift < 1UL << BitsPerPixel;
}
