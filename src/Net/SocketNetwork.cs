using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Emu.Core.Net;

namespace Emu.Net;

/// <summary>
/// A wire to another emulator over TCP (<c>-netdev socket,listen=</c> or <c>connect=</c>) in QEMU's format: each frame after its length
/// in four bytes, the most significant first. A listener serves one machine at a time and then waits for the next.
/// </summary>
public sealed class SocketNetwork : INetBackend
{
    private const int LengthBytes = 4;
    private const int MaxFrameBytes = 68 << 10;

    // A peer that takes nothing for so long loses frames, as a wire would.
    private const int SendTimeoutMilliseconds = 1000;

    private readonly Socket? _listener;
    private readonly Lock _sending = new();
    private readonly byte[] _sendBuffer = new byte[LengthBytes + MaxFrameBytes];
    private readonly ManualResetEventSlim _room = new();
    private INetReceiver? _receiver;
    private volatile Socket? _peer;
    private volatile bool _disposed;

    private SocketNetwork(Socket? listener, Socket? peer)
    {
        _listener = listener;
        _peer = peer;
    }

    /// <inheritdoc/>
    public NetOffloads Offloads => NetOffloads.None;

    /// <summary>Where it listens; null when it has connected.</summary>
    public IPEndPoint? LocalEndPoint => _listener?.LocalEndPoint as IPEndPoint;

    /// <summary>Listens or connects.</summary>
    /// <exception cref="NetworkException">The address cannot be used, or nobody listens there.</exception>
    public static SocketNetwork Create(SocketNetworkSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        bool listens = spec.Kind == SocketNetworkKind.Listen;
        var socket = new Socket(spec.Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (!listens)
            {
                socket.Connect(spec.Address);
                Prepare(socket);
                return new SocketNetwork(null, socket);
            }

            socket.Bind(spec.Address);
            socket.Listen(1);
            return new SocketNetwork(socket, null);
        }
        catch (SocketException exception)
        {
            socket.Dispose();
            throw new NetworkException(listens
                ? $"listen={spec.Address}: {exception.Message}; choose another port"
                : $"connect={spec.Address}: {exception.Message}; start the other machine, with listen=, first", exception);
        }
    }

    /// <inheritdoc/>
    public void Connect(INetReceiver receiver)
    {
        _receiver = receiver;
        new Thread(Serve) { Name = "net socket", IsBackground = true }.Start();
    }

    /// <inheritdoc/>
    public void Send(ReadOnlySpan<byte> frame, in FrameOffload offload)
    {
        if (_peer is not Socket peer || frame.Length > MaxFrameBytes)
        {
            return;
        }

        lock (_sending)
        {
            BinaryPrimitives.WriteInt32BigEndian(_sendBuffer, frame.Length);
            frame.CopyTo(_sendBuffer.AsSpan(LengthBytes));
            try
            {
                ReadOnlySpan<byte> rest = _sendBuffer.AsSpan(0, LengthBytes + frame.Length);
                while (rest.Length > 0)
                {
                    rest = rest[peer.Send(rest)..];
                }
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                // Part of a frame may be on its way: the stream is of no use any more. The thread that reads notices.
                peer.Dispose();
            }
        }
    }

    /// <inheritdoc/>
    public void ReceiverReady() => _room.Set();

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        _listener?.Dispose();
        _peer?.Dispose();
        _room.Set();
    }

    private static void Prepare(Socket peer)
    {
        peer.NoDelay = true;
        peer.SendTimeout = SendTimeoutMilliseconds;
    }

    private void Serve()
    {
        byte[] buffer = new byte[MaxFrameBytes];
        try
        {
            while (!_disposed)
            {
                if (_peer is null && _listener is not null)
                {
                    Socket peer = _listener.Accept();
                    Prepare(peer);
                    _peer = peer;
                }

                if (_peer is not Socket current)
                {
                    return;
                }

                ReadFrames(current, buffer);
                _peer = null;
                current.Dispose();
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The end of the listener.
        }
    }

    private void ReadFrames(Socket peer, byte[] buffer)
    {
        try
        {
            Span<byte> prefix = stackalloc byte[LengthBytes];
            while (ReadExactly(peer, prefix))
            {
                // A length that no frame has: not a peer of this kind, or one that is out of step.
                int length = BinaryPrimitives.ReadInt32BigEndian(prefix);
                if (length is < 0 or > MaxFrameBytes || !ReadExactly(peer, buffer.AsSpan(0, length)))
                {
                    return;
                }

                if (length >= Wire.Ethernet.HeaderBytes)
                {
                    Deliver(buffer.AsSpan(0, length));
                }
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Gone without a word.
        }
    }

    // A card without room lets the peer wait: the stream carries it.
    private void Deliver(ReadOnlySpan<byte> frame)
    {
        _room.Reset();
        while (!_disposed && !_receiver!.Receive(frame, default))
        {
            _room.Wait();
            _room.Reset();
        }
    }

    private static bool ReadExactly(Socket peer, Span<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            int length = peer.Receive(buffer);
            if (length == 0)
            {
                return false;
            }

            buffer = buffer[length..];
        }

        return true;
    }
}
