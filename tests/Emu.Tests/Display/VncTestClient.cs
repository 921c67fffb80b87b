using System.Buffers.Binary;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Emu.Machine.Vnc;

namespace Emu.Tests.Display;

/// <summary>A client that says what a test wants and keeps the picture that it is sent (RFC 6143).</summary>
internal sealed class VncTestClient : IDisposable
{
    private readonly NetworkStream _stream;
    private readonly MemoryStream _compressed = new();
    private ZLibStream? _zlib;
    private VncPixelFormat _format = VncPixelFormat.Native;

    /// <summary>Connects to <paramref name="server"/> over loopback.</summary>
    public VncTestClient(VncServer server)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(listener.LocalEndPoint!);
        server.Serve(new NetworkStream(listener.Accept(), ownsSocket: true));
        _stream = new NetworkStream(socket, ownsSocket: true) { ReadTimeout = 20_000, WriteTimeout = 20_000 };
    }

    public int Width { get; private set; }

    public int Height { get; private set; }

    public string Name { get; private set; } = "";

    /// <summary>The picture, in the values of the client's pixel format.</summary>
    public uint[] Pixels { get; private set; } = [];

    public int Resizes { get; private set; }

    /// <summary>Up to the answer to the security handshake; null, or the reason why not.</summary>
    public string? Handshake(string? password = null, string version = "RFB 003.008\n")
    {
        Assert.Equal("RFB 003.008\n", Encoding.ASCII.GetString(Read(12)));
        Send(Encoding.ASCII.GetBytes(version));
        Assert.Equal(1, Read(1)[0]);
        byte security = Read(1)[0];
        Assert.Equal(password is null ? 1 : 2, security);
        Send([security]);
        if (password is not null)
        {
            Send(VncAuthentication.Respond(password, Read(16)));
        }

        if (Word() != 0)
        {
            return Encoding.UTF8.GetString(Read((int)Word()));
        }

        Send([1]);
        (Width, Height) = (Short(), Short());
        Read(16);
        Name = Encoding.UTF8.GetString(Read((int)Word()));
        Pixels = new uint[Width * Height];
        return null;
    }

    public void SetFormat(VncPixelFormat format)
    {
        byte[] message = new byte[20];
        format.Write(message.AsSpan(4));
        Send(message);
        _format = format;
    }

    public void SetEncodings(params int[] encodings) =>
        Send(new VncBuffer().Byte(2).Byte(0).Short(encodings.Length).Bytes([.. encodings.SelectMany(value => new[] { (byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value })]).Written);

    public void Request(bool incremental) =>
        Send(new VncBuffer().Byte(3).Byte(incremental ? 1 : 0).Short(0).Short(0).Short(Width).Short(Height).Written);

    public void Send(ReadOnlySpan<byte> data) => _stream.Write(data);

    public byte[] Read(int length)
    {
        byte[] data = new byte[length];
        _stream.ReadExactly(data);
        return data;
    }

    /// <summary>True when the server has hung up.</summary>
    public bool IsClosed()
    {
        try
        {
            byte[] rest = new byte[65536];
            while (_stream.Read(rest) > 0)
            {
            }

            return true;
        }
        catch (IOException exception)
        {
            return exception.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionReset };
        }
    }

    /// <summary>Reads one update into <see cref="Pixels"/>; returns the number of rectangles.</summary>
    public int ReadUpdate()
    {
        Assert.Equal(0, Read(2)[0]);
        int count = Short();
        for (int i = 0; i < count; i++)
        {
            (int x, int y, int width, int height) = (Short(), Short(), Short(), Short());
            ReadRectangle((int)Word(), x, y, width, height);
        }

        return count;
    }

    public void Dispose()
    {
        _zlib?.Dispose();
        _stream.Dispose();
    }

    private void ReadRectangle(int encoding, int x, int y, int width, int height)
    {
        switch (encoding)
        {
            case VncEncoding.DesktopSize:
                (Width, Height) = (width, height);
                Pixels = new uint[width * height];
                Resizes++;
                break;
            case VncEncoding.Raw:
                ForEach(x, y, width, height, () => Pixel(_stream, _format.Bytes, 0));
                break;
            case VncEncoding.Hextile:
                Tiles(x, y, width, height, 16, Hextile);
                break;
            default:
                Assert.Equal(VncEncoding.Zrle, encoding);
                byte[] data = Read((int)Word());
                long at = _compressed.Length;
                _compressed.Position = at;
                _compressed.Write(data);
                _compressed.Position = at;
                _zlib ??= new ZLibStream(_compressed, CompressionMode.Decompress);
                Tiles(x, y, width, height, 64, ZrleTile);
                break;
        }
    }

    private void Hextile(int x, int y, int width, int height)
    {
        int kind = Read(1)[0];
        if ((kind & 1) != 0)
        {
            ForEach(x, y, width, height, () => Pixel(_stream, _format.Bytes, 0));
            return;
        }

        Assert.Equal(2, kind & 2);
        uint background = Pixel(_stream, _format.Bytes, 0);
        ForEach(x, y, width, height, () => background);
        for (int left = (kind & 8) != 0 ? Read(1)[0] : 0; left > 0; left--)
        {
            uint colour = Pixel(_stream, _format.Bytes, 0);
            byte[] place = Read(2);
            ForEach(x + (place[0] >> 4), y + (place[0] & 15), (place[1] >> 4) + 1, (place[1] & 15) + 1, () => colour);
        }
    }

    private void ZrleTile(int x, int y, int width, int height)
    {
        (int skip, int count) = _format.Compact;
        int kind = _zlib!.ReadByte();
        uint Colour() => Pixel(_zlib, count, skip);
        if (kind == 128)
        {
            uint colour = 0;
            int left = 0;
            ForEach(x, y, width, height, () =>
            {
                if (left == 0)
                {
                    colour = Colour();
                    int part;
                    left = 1;
                    do
                    {
                        left += part = _zlib.ReadByte();
                    }
                    while (part == 255);
                }

                left--;
                return colour;
            });
            return;
        }

        uint[] palette = [.. Enumerable.Range(0, kind).Select(_ => Colour())];
        int bits = kind == 1 ? 0 : kind == 2 ? 1 : kind <= 4 ? 2 : 4;
        for (int row = 0; row < height; row++)
        {
            int filled = 0;
            int packed = 0;
            ForEach(x, y + row, width, 1, () =>
            {
                if (bits == 0)
                {
                    return palette[0];
                }

                if (filled == 0)
                {
                    (packed, filled) = (_zlib.ReadByte(), 8);
                }

                filled -= bits;
                return palette[(packed >> filled) & ((1 << bits) - 1)];
            });
        }
    }

    private static void Tiles(int x, int y, int width, int height, int size, Action<int, int, int, int> read)
    {
        for (int top = y; top < y + height; top += size)
        {
            for (int left = x; left < x + width; left += size)
            {
                read(left, top, Math.Min(size, x + width - left), Math.Min(size, y + height - top));
            }
        }
    }

    private void ForEach(int x, int y, int width, int height, Func<uint> pixel)
    {
        for (int i = 0; i < width * height; i++)
        {
            Pixels[((y + (i / width)) * Width) + x + (i % width)] = pixel();
        }
    }

    private uint Pixel(Stream stream, int count, int skip)
    {
        byte[] bytes = new byte[4];
        stream.ReadExactly(bytes, skip, count);
        return _format.Bytes switch
        {
            1 => bytes[0],
            2 => _format.BigEndian ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes),
            _ => _format.BigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes),
        };
    }

    private int Short() => BinaryPrimitives.ReadUInt16BigEndian(Read(2));

    private uint Word() => BinaryPrimitives.ReadUInt32BigEndian(Read(4));
}
