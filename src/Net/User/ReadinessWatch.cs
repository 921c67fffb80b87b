using System.Net.Sockets;

namespace Emu.Net.User;

/// <summary>
/// Tells the network thread when a socket has something to read. It looks at one byte and leaves it there, which works for
/// streams and datagrams on every host; the thread reads by itself, into the buffer that it then hands to the guest.
/// </summary>
internal sealed class ReadinessWatch : IDisposable
{
    private readonly SocketAsyncEventArgs _look = new() { SocketFlags = SocketFlags.Peek };
    private readonly NetworkThread _thread;
    private readonly NetSource _source;
    private volatile bool _isReady = true;

    /// <summary>Watches for <paramref name="source"/>.</summary>
    public ReadinessWatch(NetworkThread thread, NetSource source)
    {
        _thread = thread;
        _source = source;
        _look.SetBuffer(new byte[1], 0, 1);
        _look.Completed += (_, _) => OnReady();
    }

    /// <summary>True when reading is worth trying; true from the start.</summary>
    public bool IsReady => _isReady;

    /// <summary>There is nothing to read: the source is queued as soon as there is, or as the socket has failed.</summary>
    /// <exception cref="ObjectDisposedException">The socket has been closed.</exception>
    public void Arm(Socket socket)
    {
        _isReady = false;
        if (!socket.ReceiveAsync(_look))
        {
            OnReady();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _look.Dispose();

    private void OnReady()
    {
        _isReady = true;
        _thread.Queue(_source);
    }
}
