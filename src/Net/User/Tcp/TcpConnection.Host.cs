using System.Net;
using System.Net.Sockets;

namespace Emu.Net.User.Tcp;

/// <summary>The host's socket.</summary>
internal sealed partial class TcpConnection
{
    // Data of the guest that the socket did not take at once. Guarded by the gate; the first chunk belongs to the socket while sending.
    private readonly Queue<Chunk> _unsent = new();
    private readonly SocketAsyncEventArgs _sendToHost = new();
    private Chunk? _lastUnsent;
    private int _unsentBytes;
    private bool _sending;

    /// <summary>Connects the socket; the guest's SYN is answered when that is done.</summary>
    public void ConnectHost(EndPoint target)
    {
        _timerAt = Environment.TickCount64 + _context.Timings.Connect;
        var connect = new SocketAsyncEventArgs { RemoteEndPoint = target };
        connect.Completed += (_, arguments) => OnConnected(arguments);
        try
        {
            if (!_socket.ConnectAsync(connect))
            {
                OnConnected(connect);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or NotSupportedException)
        {
            connect.SocketError = SocketError.HostUnreachable;
            OnConnected(connect);
        }

        _context.Thread.Queue(this);
    }

    private void OnConnected(SocketAsyncEventArgs connect)
    {
        lock (_gate)
        {
            if (_state == TcpState.Connecting)
            {
                _hostFailed = connect.SocketError != SocketError.Success;
                _state = TcpState.SynReceived;
                _timerAt = Never;
                _context.Thread.Queue(this);
            }
        }

        connect.Dispose();
    }

    // With the gate held. Returns how many bytes were taken.
    private int SendToHost(ReadOnlySpan<byte> data)
    {
        int sent = 0;
        if (data.Length > 0 && _unsent.Count == 0)
        {
            try
            {
                sent = _socket.Send(data, SocketFlags.None, out SocketError error);
                if (error is not (SocketError.Success or SocketError.WouldBlock))
                {
                    FailHost();
                    return 0;
                }
            }
            catch (ObjectDisposedException)
            {
                FailHost();
                return 0;
            }
        }

        return sent == data.Length ? sent : sent + KeepUnsent(data[sent..]);
    }

    private int KeepUnsent(ReadOnlySpan<byte> data)
    {
        int kept = 0;
        while (kept < data.Length)
        {
            if (_lastUnsent is null || _lastUnsent.Free.Length == 0)
            {
                if (_stack.TryRent() is not Chunk chunk)
                {
                    _context.Drops.Count(NetDrop.NoBuffer);
                    break;
                }

                _unsent.Enqueue(chunk);
                _lastUnsent = chunk;
            }

            int length = Math.Min(data.Length - kept, _lastUnsent.Free.Length);
            data.Slice(kept, length).CopyTo(_lastUnsent.Free);
            _lastUnsent.Length += length;
            kept += length;
        }

        _unsentBytes += kept;
        ContinueSending();
        return kept;
    }

    // With the gate held: hands the socket the first chunk until it takes no more.
    private void ContinueSending()
    {
        while (!_sending && _unsent.TryPeek(out Chunk? chunk))
        {
            try
            {
                _sending = true;
                _sendToHost.SetBuffer(chunk.Content);
                if (_socket.SendAsync(_sendToHost))
                {
                    return;
                }
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                _sending = false;
                FailHost();
                return;
            }

            TakeSent();
        }
    }

    // With the gate held: a send has ended.
    private void TakeSent()
    {
        _sending = false;
        if (_state == TcpState.Closed || _hostFailed)
        {
            DropUnsent();
            return;
        }

        if (_sendToHost.SocketError != SocketError.Success)
        {
            FailHost();
            return;
        }

        Chunk chunk = _unsent.Peek();
        chunk.Start += _sendToHost.BytesTransferred;
        _unsentBytes -= _sendToHost.BytesTransferred;
        if (chunk.Content.Length == 0)
        {
            _unsent.Dequeue();
            _lastUnsent = chunk == _lastUnsent ? null : _lastUnsent;
            _stack.Return(chunk);
        }
    }

    private void OnSentToHost()
    {
        lock (_gate)
        {
            TakeSent();
            ContinueSending();
            if (_unsent.Count == 0 && _guestFinished)
            {
                FinishHost();
            }

            // The guest is told of room when there is enough of it to be worth a segment.
            if (_advertised - _expected < MaxOwnWindow / 2 && OwnRoom() >= MaxOwnWindow / 2)
            {
                _ackNow = true;
                _context.Thread.Queue(this);
            }
        }
    }

    // With the gate held: the guest has sent its last byte. The socket is told when it has taken all of them.
    private void FinishHost()
    {
        if (_unsent.Count > 0 || _state is not TcpState.Established)
        {
            return;
        }

        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The peer has gone already; reading will tell how.
        }

        AfterProgress();
    }

    // With the gate held.
    private void FailHost()
    {
        _hostFailed = true;
        DropUnsent();
        _context.Thread.Queue(this);
    }

    private int OwnRoom() => Math.Max(0, MaxOwnWindow - _unsentBytes);

    // A chunk that the socket still reads from is returned when it has ended.
    private void DropUnsent()
    {
        if (_sending)
        {
            return;
        }

        while (_unsent.TryDequeue(out Chunk? chunk))
        {
            _stack.Return(chunk);
        }

        _lastUnsent = null;
        _unsentBytes = 0;
        if (_state == TcpState.Closed)
        {
            _sendToHost.Dispose();
        }
    }

    private void CloseSocket(bool abortive)
    {
        try
        {
            if (abortive)
            {
                // RST to the peer, as the guest has done.
                _socket.LingerState = new LingerOption(true, 0);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Not connected, or closed already.
        }

        _socket.Dispose();
    }
}
