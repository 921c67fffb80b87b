using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Emu.Devices.Display;

namespace Emu.Machine.Display;

/// <summary>Writes a picture as PNG (ISO/IEC 15948), or as PPM where the file's name asks for that.</summary>
public static class PictureFile
{
    private const byte EightBits = 8;
    private const byte TrueColour = 2;
    private const byte FilterUp = 2;

    private static readonly byte[] Signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

    /// <summary>Writes <paramref name="surface"/> to <paramref name="path"/>: PPM for a name that ends in .ppm, else PNG.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public static void Save(DisplaySurface surface, string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        bool ppm = path.EndsWith(".ppm", StringComparison.OrdinalIgnoreCase);
        File.WriteAllBytes(path, ppm ? ToPpm(surface) : ToPng(surface));
    }

    /// <summary>The picture as PNG.</summary>
    public static byte[] ToPng(DisplaySurface surface)
    {
        ArgumentNullException.ThrowIfNull(surface);
        var file = new MemoryStream();
        file.Write(Signature);
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, surface.Width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), surface.Height);
        header[8] = EightBits;
        header[9] = TrueColour;
        WriteChunk(file, "IHDR", header);
        WriteChunk(file, "IDAT", Compress(surface));
        WriteChunk(file, "IEND", []);
        return file.ToArray();
    }

    /// <summary>The picture as binary PPM.</summary>
    public static byte[] ToPpm(DisplaySurface surface)
    {
        ArgumentNullException.ThrowIfNull(surface);
        byte[] header = Encoding.ASCII.GetBytes($"P6\n{surface.Width} {surface.Height}\n255\n");
        byte[] file = new byte[header.Length + (surface.Pixels.Length * 3)];
        header.CopyTo(file, 0);
        PutPixels(surface.Pixels, file.AsSpan(header.Length));
        return file;
    }

    // Each line less the one above: screens repeat themselves downwards.
    private static byte[] Compress(DisplaySurface surface)
    {
        int length = surface.Width * 3;
        byte[] above = new byte[length];
        byte[] line = new byte[length];
        byte[] filtered = new byte[length + 1];
        filtered[0] = FilterUp;
        var data = new MemoryStream();
        using (var zlib = new ZLibStream(data, CompressionLevel.Fastest, leaveOpen: true))
        {
            for (int y = 0; y < surface.Height; y++)
            {
                PutPixels(surface.Row(y), line);
                for (int i = 0; i < length; i++)
                {
                    filtered[i + 1] = (byte)(line[i] - above[i]);
                }

                zlib.Write(filtered);
                (line, above) = (above, line);
            }
        }

        return data.ToArray();
    }

    private static void PutPixels(ReadOnlySpan<uint> pixels, Span<byte> bytes)
    {
        for (int i = 0; i < pixels.Length; i++)
        {
            bytes[i * 3] = (byte)(pixels[i] >> 16);
            bytes[(i * 3) + 1] = (byte)(pixels[i] >> 8);
            bytes[(i * 3) + 2] = (byte)pixels[i];
        }
    }

    private static void WriteChunk(MemoryStream file, string type, ReadOnlySpan<byte> data)
    {
        Span<byte> word = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(word, data.Length);
        file.Write(word);
        byte[] name = Encoding.ASCII.GetBytes(type);
        file.Write(name);
        file.Write(data);
        BinaryPrimitives.WriteUInt32BigEndian(word, Crc32.Of(name, data));
        file.Write(word);
    }
}
