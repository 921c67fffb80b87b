using System.Buffers.Binary;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Emu.Devices.Display;
using Emu.Machine.Display;

namespace Emu.Machine.Vnc;

/// <summary>One client of the server: a thread that reads what it says, and one that sends it the picture. Whatever breaks the protocol ends the connection.</summary>
internal sealed partial class VncClient : IDisposable
{
    private const byte SecurityNone = 1;
    private const byte SecurityVnc = 2;
    private const int VersionBytes = 12;

    // Whoever does not get through the handshake in this time is sent away.
    private static readonly TimeSpan HandshakeLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan SendLimit = TimeSpan.FromSeconds(30);

    private readonly Stream _stream;
    private readonly VncServer _server;
    private readonly string? _password;
    private readonly VncInput _input;
    private readonly object _gate = new();
    private readonly DirtyBands _dirty = new();
    private readonly VncEncoder _encoder = new();
    private int _width;
    private int _height;
    private bool _wanted;
    private bool _wantedWhole;
    private bool _takesResize;
    private bool _sendColourMap;
    private VncPixelFormat _format = VncPixelFormat.Native;
    private int _encoding = VncEncoding.Raw;
    private bool _closed;

    /// <summary>Starts to serve the client behind <paramref name="stream"/>.</summary>
    public VncClient(Stream stream, VncServer server, IGuestInput input, string? password)
    {
        _stream = stream;
        _server = server;
        _password = password;
        _input = new VncInput(input);
    }

    /// <summary>Starts the client's threads.</summary>
    public void Start() => new Thread(ReadLoop) { Name = "vnc reader", IsBackground = true }.Start();

    /// <summary>True while the client waits for a part of the picture.</summary>
    public bool Wants
    {
        get
        {
            lock (_gate)
            {
                return _wanted && !_closed;
            }
        }
    }

    /// <summary>The picture has changed.</summary>
    public void Note(DirtyBands changes)
    {
        lock (_gate)
        {
            _dirty.Add(changes);
            Monitor.PulseAll(_gate);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
            Monitor.PulseAll(_gate);
        }

        _stream.Dispose();
        _input.ReleaseAll();
        _server.Forget(this);
    }

    private void ReadLoop()
    {
        try
        {
            if (_stream.CanTimeout)
            {
                _stream.ReadTimeout = (int)HandshakeLimit.TotalMilliseconds;
                _stream.WriteTimeout = (int)SendLimit.TotalMilliseconds;
            }

            if (Greet())
            {
                if (_stream.CanTimeout)
                {
                    _stream.ReadTimeout = Timeout.Infinite;
                }

                new Thread(SendLoop) { Name = "vnc sender", IsBackground = true }.Start();
                while (HandleMessage())
                {
                }
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or SocketException or InvalidOperationException)
        {
            // The client has gone, or is too slow.
        }
        finally
        {
            Dispose();
        }
    }

    // RFC 6143, 7.1 to 7.3; versions 3.3 and 3.7 differ in how security is agreed on.
    private bool Greet()
    {
        _stream.Write("RFB 003.008\n"u8);
        string version = Encoding.ASCII.GetString(Read(VersionBytes));
        int minor = version switch { "RFB 003.003\n" or "RFB 003.005\n" => 3, "RFB 003.007\n" => 7, "RFB 003.008\n" => 8, _ => 0 };
        if (minor == 0)
        {
            return false;
        }

        byte security = _password is null ? SecurityNone : SecurityVnc;
        if (minor == 3)
        {
            Send(new VncBuffer().Word(security));
        }
        else
        {
            Send(new VncBuffer().Byte(1).Byte(security));
            if (Read(1)[0] != security)
            {
                return false;
            }
        }

        if (!Authenticate(minor))
        {
            return false;
        }

        Read(1); // whether others may watch too: they may
        SendServerInit();
        return true;
    }

    private bool Authenticate(int minor)
    {
        if (_password is null)
        {
            if (minor == 8)
            {
                Send(new VncBuffer().Word(0));
            }

            return true;
        }

        byte[] challenge = RandomNumberGenerator.GetBytes(VncAuthentication.ChallengeSize);
        _stream.Write(challenge);
        bool right = CryptographicOperations.FixedTimeEquals(Read(VncAuthentication.ChallengeSize), VncAuthentication.Respond(_password, challenge));
        var result = new VncBuffer().Word(right ? 0U : 1U);
        if (!right && minor == 8)
        {
            result.Text("wrong password");
        }

        Send(result);
        return right;
    }

    private void SendServerInit()
    {
        (_width, _height) = _server.Size;
        byte[] format = new byte[VncPixelFormat.Size];
        VncPixelFormat.Native.Write(format);
        Send(new VncBuffer().Short(_width).Short(_height).Bytes(format).Text(_server.Name));
    }

    private byte[] Read(int length)
    {
        byte[] data = new byte[length];
        _stream.ReadExactly(data);
        return data;
    }

    private void Send(VncBuffer buffer) => _stream.Write(buffer.Written);
}
