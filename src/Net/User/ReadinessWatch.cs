using System.Net.Sockets;

namespace Emu.Net.User;

/// <summary>
/// Tells the network thread when a socket has something to read; the thread reads by itself, into the buffer that it then hands to
/// the guest. A stream is asked for no bytes, which costs no read; a datagram, which that would take away, is looked at and left where it is.
/// </summary>
internal sealed class ReadinessWatch : IDisposable
{
    private readonly SocketAsyncEventArgs _look = new();
    private readonly NetworkThread _thread;
    private readonly NetSource _source;
    private readonly SocketFlags _flags;
    private volatile bool _isReady = true;
    private int _isLooking;

    /// <summary>Watches a socket of this type for <paramref name="source"/>.</summary>
    public ReadinessWatch(NetworkThread thread, NetSource source, SocketType type)
    {
        int length = type == SocketType.Stream ? 0 : 1;
        _flags = type == SocketType.Stream ? SocketFlags.None : SocketFlags.Peek;
        _thread = thread;
        _source = source;
        _look.SetBuffer(new byte[length], 0, length);
        _look.Completed += (_, _) => OnLooked();
    }

    /// <summary>True when reading is worth trying; true from the start.</summary>
    public bool IsReady => _isReady;

    /// <summary>There is nothing to read: the source is queued as soon as there is, or as the socket has failed.</summary>
    /// <exception cref="ObjectDisposedException">The socket has been closed.</exception>
    public void Arm(Socket socket)
    {
        _isReady = false;
        if (Interlocked.Exchange(ref _isLooking, 1) == 0)
        {
            // A completed read leaves the flags of what it got here: without this only the first would be a look.
            _look.SocketFlags = _flags;
            if (!socket.ReceiveAsync(_look))
            {
                OnLooked();
                return;
            }
        }

        // A reset that came between the last read and this one leaves no bytes to wait for, and has been told of already.
        if (socket.Poll(0, SelectMode.SelectRead))
        {
            OnReady();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _look.Dispose();

    private void OnLooked()
    {
        Volatile.Write(ref _isLooking, 0);
        OnReady();
    }

    private void OnReady()
    {
        _isReady = true;
        _thread.Queue(_source);
    }
}
