using System.Buffers.Binary;

namespace Emu.Devices.Display;

/// <content>Graphics: planes, packed pixels and Bochs' modes, line by line.</content>
public sealed partial class ScreenRenderer
{
    private byte[] _shadow = [];
    private byte[] _line = [];

    private enum PixelFormat
    {
        Planes,
        Cga,
        Packed8,
        Rgb555,
        Rgb565,
        Rgb888,
        Rgb32,
    }

    // How lines lie in memory: Address gives the first byte of line y.
    private sealed record LineLayout(int Width, int Height, PixelFormat Format, int Repeat, int PlaneMask, Func<int, int> Address)
    {
        public int Bytes => (Width / Repeat * BitsPerPixel(Format)) / 8;

        // The address function is another object each time; the layout is told by the rest.
        public bool Equals(LineLayout? other) =>
            other is not null && (Width, Height, Format, Repeat, PlaneMask) == (other.Width, other.Height, other.Format, other.Repeat, other.PlaneMask);

        public override int GetHashCode() => HashCode.Combine(Width, Height, Format, Repeat, PlaneMask);

        private static int BitsPerPixel(PixelFormat format) => format switch
        {
            PixelFormat.Planes or PixelFormat.Cga => 4,
            PixelFormat.Packed8 => 8,
            PixelFormat.Rgb555 or PixelFormat.Rgb565 => 16,
            PixelFormat.Rgb888 => 24,
            _ => 32,
        };
    }

    private static LineLayout DispiLines(DispiMode mode)
    {
        PixelFormat format = mode.BitsPerPixel switch
        {
            4 => PixelFormat.Planes,
            8 => PixelFormat.Packed8,
            15 => PixelFormat.Rgb555,
            16 => PixelFormat.Rgb565,
            24 => PixelFormat.Rgb888,
            _ => PixelFormat.Rgb32,
        };
        return new LineLayout(mode.Width, mode.Height, format, 1, 0x0f, y => mode.Start + (y * mode.Pitch));
    }

    private static LineLayout VgaLines(VgaRegisters r)
    {
        byte[] crtc = r.Crtc;
        int shift = (r.Graphics[5] >> 5) & 3;
        int width = (crtc[1] + 1) * 8;
        int height = VgaTiming.Vertical(crtc, crtc[0x12], 1, 6) + 1;
        PixelFormat format = shift switch { 0 => PixelFormat.Planes, 1 => PixelFormat.Cga, _ => PixelFormat.Packed8 };
        bool halfClock = shift < 2 && (r.Sequencer[1] & 8) != 0;
        int repeat = halfClock || shift >= 2 ? 2 : 1;
        int[] starts = LineStarts(crtc, height);
        return new LineLayout(halfClock ? width * 2 : width, height, format, repeat, r.Attribute[0x12] & 0x0f, y => starts[y]);
    }

    // Lines are repeated, interleaved as on a CGA, and start over at the split, as the CRTC says.
    private static int[] LineStarts(byte[] crtc, int height)
    {
        int compare = crtc[0x18] | ((crtc[7] & 0x10) << 4) | ((crtc[9] & 0x40) << 3);
        int repeats = (((crtc[9] & 0x1f) + 1) << (crtc[9] >> 7)) - 1;
        int interleave = (crtc[0x17] & 3) ^ 3;
        int next = ((crtc[0x0c] << 8) | crtc[0x0d]) * 4;
        int row = 0;
        int left = repeats;
        int[] starts = new int[height];
        for (int y = 0; y < height; y++)
        {
            int address = next;
            int bit = 14 + ((crtc[0x17] >> 6) & 1);
            address = (crtc[0x17] & 1) == 0 ? (address & ~(1 << bit)) | ((row & 1) << bit) : address;
            address = (crtc[0x17] & 2) == 0 ? (address & ~0x8000) | ((row & 2) << 14) : address;
            starts[y] = address;
            if (left-- == 0)
            {
                next += (row & interleave) == interleave ? crtc[0x13] * 8 : 0;
                row++;
                left = repeats;
            }

            next = y == compare ? 0 : next;
        }

        return starts;
    }

    private void DrawGraphics(LineLayout layout, bool redraw, DisplaySurface surface, DirtyBands dirty)
    {
        redraw |= Begin(layout, layout.Width, layout.Height, surface, dirty);
        int bytes = layout.Bytes;
        if (_shadow.Length != bytes * layout.Height)
        {
            _shadow = new byte[bytes * layout.Height];
            _line = new byte[bytes];
            redraw = true;
        }

        for (int y = 0; y < layout.Height; y++)
        {
            ReadOnlySpan<byte> source = ReadLine(layout.Address(y), bytes);
            Span<byte> shadow = _shadow.AsSpan(y * bytes, bytes);
            int first = redraw ? 0 : source.CommonPrefixLength(shadow);
            if (first < bytes || (redraw && bytes > 0))
            {
                int end = redraw ? bytes : bytes - CommonSuffix(source, shadow);
                source.CopyTo(shadow);
                DrawLine(layout, shadow, surface.Row(y));
                int left = (int)((long)first * layout.Width / bytes) & ~15;
                int right = Math.Min(layout.Width, ((int)((((long)end * layout.Width) + bytes - 1) / bytes) + 15) & ~15);
                dirty.Mark(left, y, right - left, 1);
            }
        }
    }

    // The guest may write at the same time: what is drawn is this copy, and what it writes later differs from it.
    private ReadOnlySpan<byte> ReadLine(int address, int bytes)
    {
        ulong start = (ulong)address % memory.Size;
        int whole = (int)Math.Min((ulong)bytes, memory.Size - start);
        memory.Read(start, _line.AsSpan(0, whole));
        memory.Read(0, _line.AsSpan(whole, bytes - whole));
        return _line;
    }

    private static int CommonSuffix(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        int count = 0;
        while (count < a.Length && a[^(count + 1)] == b[^(count + 1)])
        {
            count++;
        }

        return count;
    }

    private void DrawLine(LineLayout layout, ReadOnlySpan<byte> source, Span<uint> line)
    {
        if (layout.Format == PixelFormat.Rgb32)
        {
            for (int x = 0; x < line.Length; x++)
            {
                line[x] = BinaryPrimitives.ReadUInt32LittleEndian(source[(x * 4)..]) & 0xff_ffff;
            }

            return;
        }

        int repeat = layout.Repeat;
        for (int x = 0; x < line.Length; x++)
        {
            line[x] = Pixel(layout, source, x / repeat);
        }
    }

    private uint Pixel(LineLayout layout, ReadOnlySpan<byte> source, int x) => layout.Format switch
    {
        PixelFormat.Planes => _palette[Planar(source.Slice(x / 8 * 4, 4), 7 - (x & 7)) & layout.PlaneMask],
        PixelFormat.Cga => _palette[Cga(source.Slice(x / 8 * 4, 4), x & 7) & layout.PlaneMask],
        PixelFormat.Packed8 => _colours[source[x]],
        PixelFormat.Rgb555 => Rgb(BinaryPrimitives.ReadUInt16LittleEndian(source[(x * 2)..]), 10, 5, 5),
        PixelFormat.Rgb565 => Rgb(BinaryPrimitives.ReadUInt16LittleEndian(source[(x * 2)..]), 11, 5, 6),
        _ => (uint)(source[x * 3] | (source[(x * 3) + 1] << 8) | (source[(x * 3) + 2] << 16)),
    };

    private static int Planar(ReadOnlySpan<byte> planes, int bit) =>
        ((planes[0] >> bit) & 1) | (((planes[1] >> bit) & 1) << 1) | (((planes[2] >> bit) & 1) << 2) | (((planes[3] >> bit) & 1) << 3);

    // Four pixels of two bits in plane 0 with their upper bits in plane 2, then four in planes 1 and 3.
    private static int Cga(ReadOnlySpan<byte> planes, int x)
    {
        int shift = 6 - ((x & 3) * 2);
        return ((planes[x >> 2] >> shift) & 3) | (((planes[(x >> 2) + 2] >> shift) & 3) << 2);
    }

    private static uint Rgb(int value, int redShift, int greenShift, int greenBits)
    {
        int red = (value >> redShift) & 0x1f;
        int green = (value >> greenShift) & ((1 << greenBits) - 1);
        int blue = value & 0x1f;
        int wideGreen = (green << (8 - greenBits)) | (green >> ((2 * greenBits) - 8));
        return (uint)((((red << 3) | (red >> 2)) << 16) | (wideGreen << 8) | (blue << 3) | (blue >> 2));
    }
}
