using System.Net.Sockets;
using Emu.Core;

namespace Emu.Machine.Chardev;

/// <summary>
/// A Unix stream socket. As a server it serves one client at a time and waits for the next when that goes; output while
/// there is no client is dropped. As a client it connects once, at the start.
/// </summary>
public sealed class UnixSocketBackend : CharBackend
{
    private readonly string _path;
    private readonly Socket? _listener;
    private readonly Link _link;
    private readonly ManualResetEventSlim _connected = new();
    private readonly ManualResetEventSlim _deviceReady = new();
    private volatile bool _closing;

    private UnixSocketBackend(string name, MachineLock machineLock, string path, Socket? listener, Link link)
        : base(name, machineLock, link.Write)
    {
        _path = path;
        _listener = listener;
        _link = link;
        new Thread(ServeLoop) { Name = name + " socket", IsBackground = true }.Start();
    }

    /// <summary>Listens at <paramref name="path"/>, replacing a socket that is left over there.</summary>
    /// <exception cref="SocketException">The path cannot be used.</exception>
    public static UnixSocketBackend Listen(string name, MachineLock machineLock, string path)
    {
        RemoveLeftOver(path);
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            listener.Bind(new UnixDomainSocketEndPoint(path));
            listener.Listen(1);
            return new UnixSocketBackend(name, machineLock, path, listener, new Link());
        }
        catch
        {
            listener.Dispose();
            throw;
        }
    }

    /// <summary>Deletes a socket at <paramref name="path"/> that nobody serves any more.</summary>
    internal static void RemoveLeftOver(string path)
    {
        if (File.Exists(path) && IsLeftOverSocket(path))
        {
            File.Delete(path);
        }
    }

    /// <summary>Connects to <paramref name="path"/>.</summary>
    /// <exception cref="SocketException">Nobody listens there.</exception>
    public static UnixSocketBackend Connect(string name, MachineLock machineLock, string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return new UnixSocketBackend(name, machineLock, path, null, new Link { Peer = socket });
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Waits for the first client.</summary>
    public void WaitForClient(CancellationToken cancellation = default) => _connected.Wait(cancellation);

    /// <inheritdoc/>
    private protected override void OnConnected() => _deviceReady.Set();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _closing = true;
        _deviceReady.Set();
        _link.Peer?.Dispose();
        if (_listener is not null)
        {
            _listener.Dispose();
            File.Delete(_path);
        }
    }

    // Connecting is refused by a socket that nobody serves any more, and by a plain file: only the former may be deleted.
    private static bool IsLeftOverSocket(string path)
    {
        if (new FileInfo(path) is { Length: > 0 })
        {
            return false;
        }

        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
            return false;
        }
        catch (SocketException exception)
        {
            return exception.SocketErrorCode == SocketError.ConnectionRefused;
        }
    }

    private void ServeLoop()
    {
        try
        {
            do
            {
                _link.Peer ??= _listener?.Accept();
                _connected.Set();
                _deviceReady.Wait();
                ReadUntilGone();
            }
            while (_listener is not null && !_closing);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Closed from our side: the end.
        }
    }

    private void ReadUntilGone()
    {
        byte[] buffer = new byte[4096];
        Socket peer = _link.Peer!;
        try
        {
            for (int length = peer.Receive(buffer); length > 0; length = peer.Receive(buffer))
            {
                Send(buffer.AsSpan(0, length), wait: true);
            }
        }
        catch (SocketException)
        {
            // A client that goes away without a word is gone all the same.
        }

        _link.Peer = null;
        peer.Dispose();
    }

    /// <summary>The client of the moment, shared by the thread that reads and the one that writes.</summary>
    private sealed class Link
    {
        private volatile Socket? _peer;

        public Socket? Peer
        {
            get => _peer;
            set => _peer = value;
        }

        public void Write(ReadOnlySpan<byte> data)
        {
            try
            {
                while (data.Length > 0 && _peer is Socket peer)
                {
                    data = data[peer.Send(data)..];
                }
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                // The reading side notices too and waits for the next client.
            }
        }
    }
}
