using System.Buffers.Binary;
using System.Net.Sockets;
using Emu.Core.Net;
using Emu.Net.Wire;

namespace Emu.Net.User.Tcp;

/// <summary>What goes to the guest. All of it on the network thread.</summary>
internal sealed partial class TcpConnection
{
    private const int HeaderBytes = Ethernet.HeaderBytes + Ipv4.HeaderBytes + TcpSegment.HeaderBytes;
    private const int SynOptionBytes = 8;
    private const int MaxUnread = 8;
    private const int MostAtOnce = 16;

    // A chunk with less room than this is left as it is, so that reads are large.
    private const int WorthReading = 4096;

    private readonly List<Chunk> _unread = [];
    private bool _hostFinished;
    private uint _finSequence;
    private bool _probe;
    private volatile bool _hasOutput;

    // Where the next byte of the host goes when no chunk is there to tell.
    private uint _highestData;
    private NetOffloads _offloads;
    private bool _isUnresolved;

    private uint DataEnd => _unread.Count > 0 ? _unread[^1].End : _highestData;

    private void Pump()
    {
        for (int i = 0; i < MostAtOnce; i++)
        {
            FreeAcknowledged();
            if (_hostFailed || _state != TcpState.Established)
            {
                _context.Thread.Queue(this);
                return;
            }

            if (!TryTransmit() && (_context.Thread.IsBlocked || HasUnsent() || !TryReadHost()))
            {
                if (_context.Thread.IsBlocked)
                {
                    _context.Thread.Queue(this);
                }

                return;
            }
        }

        _context.Thread.Queue(this);
    }

    private bool HasUnsent()
    {
        lock (_gate)
        {
            return DataEnd != _next || (_hostFinished && _next == _finSequence);
        }
    }

    private void FreeAcknowledged()
    {
        uint acknowledged;
        lock (_gate)
        {
            acknowledged = _unacknowledged;
        }

        while (_unread.Count > 0 && !IsAfter(_unread[0].End, acknowledged))
        {
            _highestData = _unread[^1].End;
            _stack.Return(_unread[0]);
            _unread.RemoveAt(0);
        }

        _hasOutput = _unread.Count > 0 || _hostFinished;
    }

    // Reads what the host has into chunks; true when there is something new to send.
    private bool TryReadHost()
    {
        if (_hostFinished || !_watch.IsReady || _unread.Count >= MaxUnread)
        {
            return false;
        }

        Chunk? last = _unread.Count > 0 ? _unread[^1] : null;
        bool fresh = last is null || last.Free.Length < WorthReading;
        Chunk? chunk = fresh ? _stack.TryRent() : last;
        if (chunk is null)
        {
            _stack.WaitForChunk(this);
            return false;
        }

        int length = 0;
        SocketError error = SocketError.OperationAborted;
        try
        {
            length = _socket.Receive(chunk.Free, SocketFlags.None, out error);
        }
        catch (ObjectDisposedException)
        {
            // Closed by another thread, which has queued this connection.
        }

        if (fresh && length > 0)
        {
            chunk.Sequence = DataEnd;
            _unread.Add(chunk);
        }
        else if (fresh)
        {
            _stack.Return(chunk);
        }

        chunk.Length += length;
        return length > 0 || AfterEmptyRead(error);
    }

    private bool AfterEmptyRead(SocketError error)
    {
        if (error == SocketError.WouldBlock)
        {
            try
            {
                _watch.Arm(_socket);
            }
            catch (ObjectDisposedException)
            {
                // As above.
            }

            return false;
        }

        lock (_gate)
        {
            if (error == SocketError.Success)
            {
                _finSequence = DataEnd;
                _hostFinished = true;
                _hasOutput = true;
                return true;
            }

            if (_state == TcpState.Established)
            {
                FailHost();
            }
        }

        return false;
    }

    // Sends one segment of data, or FIN; false when there is nothing to send now or the guest takes nothing.
    private bool TryTransmit()
    {
        bool large = _offloads.HasFlag(NetOffloads.Checksum | NetOffloads.Tso4);
        Chunk? chunk;
        int length;
        Outgoing segment;
        lock (_gate)
        {
            bool fin = _hostFinished && _next == _finSequence;
            chunk = fin ? null : FindChunk(_next);
            int offset = chunk is null ? 0 : (int)(_next - chunk.Sequence);
            length = chunk is null ? 0 : LengthToSend(chunk.Length - offset, large);
            if ((length == 0 && !fin) || _state != TcpState.Established)
            {
                return false;
            }

            _hasOutput = true;
            TcpFlags flags = TcpFlags.Ack | (fin ? TcpFlags.Fin : chunk!.End == _next + (uint)length ? TcpFlags.Psh : TcpFlags.None);
            segment = Begin(flags, (uint)length + (fin ? 1u : 0));
        }

        return Finish(segment, SendData(segment, chunk, length));
    }

    private Chunk? FindChunk(uint sequence)
    {
        foreach (Chunk chunk in _unread)
        {
            if (IsAfter(chunk.End, sequence))
            {
                return chunk;
            }
        }

        return null;
    }

    // With the gate held. How much of the rest of a chunk may go now (RFC 9293, 3.8.6.2.1: no small segments because of a small window).
    private int LengthToSend(int rest, bool large)
    {
        int window = (int)(_unacknowledged + _window - _next);
        if (_probe && window <= 0)
        {
            window = 1;
        }

        _probe = false;
        int length = Math.Min(rest, Math.Min(window, large ? Chunk.Capacity / _segmentBytes * _segmentBytes : _segmentBytes));
        if (length <= 0 || (length < rest && length < _segmentBytes && _next != _unacknowledged))
        {
            return 0;
        }

        return length < rest && length > _segmentBytes ? length - (length % _segmentBytes) : length;
    }

    // The headers go in front of the data where it lies; what they cover may not have been acknowledged and is put back.
    private bool SendData(in Outgoing segment, Chunk? chunk, int length)
    {
        if (chunk is null)
        {
            return SendBare(segment);
        }

        Span<byte> frame = chunk.Frame((int)(segment.Sequence - chunk.Sequence), length, HeaderBytes);
        Span<byte> covered = stackalloc byte[HeaderBytes];
        frame[..HeaderBytes].CopyTo(covered);
        bool sent = Deliver(frame, segment, TcpSegment.HeaderBytes);
        covered.CopyTo(frame);
        return sent;
    }

    private bool SendBare(in Outgoing segment)
    {
        Span<byte> frame = stackalloc byte[HeaderBytes];
        return Deliver(frame, segment, TcpSegment.HeaderBytes);
    }

    private void TransmitSyn(bool acknowledge)
    {
        Outgoing segment;
        lock (_gate)
        {
            segment = Begin(TcpFlags.Syn | (acknowledge ? TcpFlags.Ack : TcpFlags.None), 1);
        }

        Span<byte> frame = stackalloc byte[HeaderBytes + SynOptionBytes];
        Span<byte> options = frame[HeaderBytes..];
        BinaryPrimitives.WriteUInt32BigEndian(options, (2u << 24) | (4u << 16) | MaxSegmentBytes);

        // The scale option, after a byte of padding; in an answer only when the guest has sent one. Zeros end the list.
        bool scales = !acknowledge || _ownShift > 0;
        BinaryPrimitives.WriteUInt32BigEndian(options[4..], scales ? (1u << 24) | (3u << 16) | (3u << 8) | OwnWindowShift : 0);
        Finish(segment, Deliver(frame, segment, TcpSegment.HeaderBytes + SynOptionBytes));
    }

    private void TransmitAck()
    {
        Outgoing segment;
        lock (_gate)
        {
            if (_state is not (TcpState.Established or TcpState.TimeWait))
            {
                return;
            }

            segment = Begin(TcpFlags.Ack, 0);
            if (_keepAliveDue)
            {
                // Something that was acknowledged long ago: a guest that is there says so.
                segment = segment with { Sequence = segment.Sequence - 1 };
                _keepAliveDue = false;
            }
        }

        Finish(segment, SendBare(segment));
    }

    private void Reset()
    {
        Outgoing segment;
        lock (_gate)
        {
            if (_state == TcpState.Closed)
            {
                return;
            }

            segment = Begin(TcpFlags.Rst | TcpFlags.Ack, 0);
            Close(abortive: true);
        }

        // Queued rather than offered once: there is nobody left to offer it again.
        Span<byte> frame = stackalloc byte[HeaderBytes];
        if (_context.Arp.TryResolve(Key.GuestAddress, out ulong mac))
        {
            WriteHeaders(frame, segment, TcpSegment.HeaderBytes, mac);
            Span<byte> tcp = frame[PacketSender.Headroom..];
            uint pseudo = InternetChecksum.PseudoHeader(Key.RemoteAddress, Key.GuestAddress, IpProtocol.Tcp, tcp.Length);
            BinaryPrimitives.WriteUInt16BigEndian(tcp[TcpSegment.ChecksumOffset..], InternetChecksum.Compute(tcp, pseudo));
            _context.Thread.Post(frame);
        }
    }
}
