using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Emu.Devices.Display;
using Emu.Machine.Display;

namespace Emu.Tests.Display;

public sealed class PictureFileTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(37, 5)]
    [InlineData(720, 400)]
    public void Png_DecodesToTheSurface(int width, int height)
    {
        DisplaySurface surface = Random(width, height);
        uint[] decoded = Decode(PictureFile.ToPng(surface), out int decodedWidth, out int decodedHeight);

        Assert.Equal((width, height), (decodedWidth, decodedHeight));
        Assert.Equal(surface.Pixels, decoded);
    }

    [Fact]
    public void Ppm_HasHeaderAndPixels()
    {
        DisplaySurface surface = Random(2, 1);
        byte[] file = PictureFile.ToPpm(surface);

        Assert.Equal("P6\n2 1\n255\n", Encoding.ASCII.GetString(file[..^6]));
        Assert.Equal((byte)(surface.Pixels[1] >> 8), file[^2]);
    }

    /// <summary>A decoder for 8-bit RGB with filters 0 and 2, which checks every checksum against a plain computation.</summary>
    internal static uint[] Decode(byte[] file, out int width, out int height)
    {
        Assert.Equal("89504e470d0a1a0a", Convert.ToHexStringLower(file[..8]));
        var data = new MemoryStream();
        (width, height) = (0, 0);
        for (int at = 8; at < file.Length;)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at));
            string type = Encoding.ASCII.GetString(file, at + 4, 4);
            Assert.Equal(Checksum(file.AsSpan(at + 4, length + 4)), BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at + 8 + length)));
            if (type == "IHDR")
            {
                width = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at + 8));
                height = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at + 12));
                Assert.Equal("0802000000", Convert.ToHexStringLower(file.AsSpan(at + 16, 5)));
            }
            else if (type == "IDAT")
            {
                data.Write(file, at + 8, length);
            }

            at += length + 12;
        }

        data.Position = 0;
        using var zlib = new ZLibStream(data, CompressionMode.Decompress);
        uint[] pixels = new uint[width * height];
        byte[] above = new byte[width * 3];
        for (int y = 0; y < height; y++)
        {
            int filter = zlib.ReadByte();
            byte[] line = new byte[width * 3];
            zlib.ReadExactly(line);
            for (int i = 0; i < line.Length; i++)
            {
                line[i] += filter == 2 ? above[i] : (byte)0;
            }

            for (int x = 0; x < width; x++)
            {
                pixels[(y * width) + x] = (uint)((line[x * 3] << 16) | (line[(x * 3) + 1] << 8) | line[(x * 3) + 2]);
            }

            above = line;
        }

        Assert.Equal(-1, zlib.ReadByte());
        return pixels;
    }

    private static uint Checksum(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in data)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xedb88320 : crc >> 1;
            }
        }

        return ~crc;
    }

    private static DisplaySurface Random(int width, int height)
    {
        var random = new Random(width);
        var surface = new DisplaySurface();
        surface.Resize(width, height);
        for (int i = 0; i < surface.Pixels.Length; i++)
        {
            surface.Pixels[i] = (uint)random.Next(1 << 24);
        }

        return surface;
    }
}
