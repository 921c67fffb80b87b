using System.IO.Compression;
using Emu.Devices.Display;

namespace Emu.Machine.Vnc;

/// <summary>Encodings of rectangles (RFC 6143, 7.7).</summary>
internal static class VncEncoding
{
    public const int Raw = 0;
    public const int Hextile = 5;
    public const int Zrle = 16;
    public const int DesktopSize = -223;
}

/// <summary>Encodes parts of a picture for one client. ZRLE's stream goes on from one rectangle to the next.</summary>
internal sealed class VncEncoder : IDisposable
{
    private const int HextileSize = 16;
    private const int ZrleSize = 64;

    // Subencoding bits of hextile (7.7.4).
    private const int HextileRaw = 1;
    private const int HextileBackground = 2;
    private const int HextileSubrectangles = 8;
    private const int HextileColoured = 16;

    // Subencodings of ZRLE (7.7.6).
    private const int ZrleSolid = 1;
    private const int ZrleLongestPalette = 16;
    private const int ZrlePlainRle = 128;

    private readonly MemoryStream _compressed = new();
    private readonly ZLibStream _zlib;
    private readonly VncBuffer _plain = new();
    private readonly uint[] _tile = new uint[ZrleSize * ZrleSize];

    public VncEncoder() => _zlib = new ZLibStream(_compressed, CompressionLevel.Fastest, leaveOpen: true);

    /// <summary>How the next rectangles are encoded.</summary>
    public int Encoding { get; set; } = VncEncoding.Raw;

    /// <summary>How pixels are written.</summary>
    public VncPixelFormat Format { get; set; } = VncPixelFormat.Native;

    /// <inheritdoc/>
    public void Dispose() => _zlib.Dispose();

    /// <summary>Appends a rectangle with its header. What lies outside the picture is black.</summary>
    public void Encode(DisplaySurface surface, int x, int y, int width, int height, VncBuffer output)
    {
        output.Rectangle(x, y, width, height, Encoding);
        switch (Encoding)
        {
            case VncEncoding.Zrle:
                EncodeZrle(surface, x, y, width, height, output);
                break;
            case VncEncoding.Hextile:
                ForEachTile(x, y, width, height, HextileSize, (left, top, w, h) => EncodeHextile(Tile(surface, left, top, w, h), w, h, output));
                break;
            default:
                for (int row = y; row < y + height; row++)
                {
                    for (int column = x; column < x + width; column++)
                    {
                        Format.Append(output, PixelAt(surface, column, row));
                    }
                }

                break;
        }
    }

    private static uint PixelAt(DisplaySurface surface, int x, int y) =>
        x < surface.Width && y < surface.Height ? surface.Pixels[(y * surface.Width) + x] : 0;

    private static void ForEachTile(int x, int y, int width, int height, int size, Action<int, int, int, int> encode)
    {
        for (int top = y; top < y + height; top += size)
        {
            for (int left = x; left < x + width; left += size)
            {
                encode(left, top, Math.Min(size, x + width - left), Math.Min(size, y + height - top));
            }
        }
    }

    private ReadOnlySpan<uint> Tile(DisplaySurface surface, int x, int y, int width, int height)
    {
        for (int i = 0; i < width * height; i++)
        {
            _tile[i] = PixelAt(surface, x + (i % width), y + (i / width));
        }

        return _tile.AsSpan(0, width * height);
    }

    // A background, and a subrectangle for each run of another colour; raw where that is shorter.
    private void EncodeHextile(ReadOnlySpan<uint> tile, int width, int height, VncBuffer output)
    {
        uint background = tile[0];
        _plain.Clear();
        int runs = 0;
        for (int y = 0; y < height; y++)
        {
            for (int x = 0, end; x < width; x = end)
            {
                uint colour = tile[(y * width) + x];
                for (end = x + 1; end < width && tile[(y * width) + end] == colour; end++)
                {
                }

                if (colour != background)
                {
                    runs++;
                    Format.Append(_plain, colour);
                    _plain.Byte((x << 4) | y).Byte((end - x - 1) << 4);
                }
            }
        }

        if (runs > 255 || _plain.Length > width * height * Format.Bytes)
        {
            output.Byte(HextileRaw);
            foreach (uint pixel in tile)
            {
                Format.Append(output, pixel);
            }

            return;
        }

        output.Byte(HextileBackground | (runs > 0 ? HextileSubrectangles | HextileColoured : 0));
        Format.Append(output, background);
        if (runs > 0)
        {
            output.Byte(runs).Bytes(_plain.Written);
        }
    }

    private void EncodeZrle(DisplaySurface surface, int x, int y, int width, int height, VncBuffer output)
    {
        _plain.Clear();
        ForEachTile(x, y, width, height, ZrleSize, (left, top, w, h) => EncodeZrleTile(Tile(surface, left, top, w, h), w, _plain));
        _compressed.SetLength(0);
        _zlib.Write(_plain.Written);
        _zlib.Flush();
        output.Word((uint)_compressed.Length).Bytes(_compressed.GetBuffer().AsSpan(0, (int)_compressed.Length));
    }

    private void EncodeZrleTile(ReadOnlySpan<uint> tile, int width, VncBuffer output)
    {
        Span<uint> palette = stackalloc uint[ZrleLongestPalette];
        int colours = FindPalette(tile, palette);
        if (colours == 1)
        {
            output.Byte(ZrleSolid);
            Format.AppendCompact(output, tile[0]);
        }
        else if (colours > 1)
        {
            output.Byte(colours);
            foreach (uint colour in palette[..colours])
            {
                Format.AppendCompact(output, colour);
            }

            PackIndices(tile, width, palette[..colours], output);
        }
        else
        {
            EncodeRuns(tile, output);
        }
    }

    // The number of colours, or 0 when there are too many.
    private static int FindPalette(ReadOnlySpan<uint> tile, Span<uint> palette)
    {
        int count = 0;
        foreach (uint pixel in tile)
        {
            if (!palette[..count].Contains(pixel))
            {
                if (count == palette.Length)
                {
                    return 0;
                }

                palette[count++] = pixel;
            }
        }

        return count;
    }

    private static void PackIndices(ReadOnlySpan<uint> tile, int width, ReadOnlySpan<uint> palette, VncBuffer output)
    {
        int bits = palette.Length <= 2 ? 1 : palette.Length <= 4 ? 2 : 4;
        for (int start = 0; start < tile.Length; start += width)
        {
            int packed = 0;
            int filled = 0;
            for (int i = start; i < start + width; i++)
            {
                packed = (packed << bits) | palette.IndexOf(tile[i]);
                filled += bits;
                if (filled == 8)
                {
                    output.Byte(packed);
                    (packed, filled) = (0, 0);
                }
            }

            if (filled > 0)
            {
                output.Byte(packed << (8 - filled));
            }
        }
    }

    private void EncodeRuns(ReadOnlySpan<uint> tile, VncBuffer output)
    {
        output.Byte(ZrlePlainRle);
        for (int start = 0, end; start < tile.Length; start = end)
        {
            for (end = start + 1; end < tile.Length && tile[end] == tile[start]; end++)
            {
            }

            Format.AppendCompact(output, tile[start]);
            int left = end - start - 1;
            for (; left >= 255; left -= 255)
            {
                output.Byte(255);
            }

            output.Byte(left);
        }
    }
}
