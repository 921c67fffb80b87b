using System.Net.Sockets;
using Emu.Net.Wire;

namespace Emu.Net.User.Tcp;

/// <summary>Both ends of a connection, as the guest sees them.</summary>
internal readonly record struct TcpKey(uint GuestAddress, ushort GuestPort, uint RemoteAddress, ushort RemotePort);

/// <summary>
/// One TCP connection of the guest (RFC 9293), whose other end is a socket of the host. This side speaks TCP to the guest and
/// hands bytes to and from the socket; nothing is acknowledged that the socket, or a buffer here, has not taken.
/// </summary>
/// <remarks>
/// The guest's segments arrive on the card's thread (<see cref="Handle"/>), everything to the guest leaves on the network thread
/// (<see cref="Service"/>), completions of the socket come on threads of the pool. What they share is guarded by one lock per
/// connection, which nobody holds while the guest takes a frame. Data for the guest is touched by the network thread only.
/// </remarks>
internal sealed partial class TcpConnection : NetSource, IDisposable
{
    // Windows of this side count in units of 16 bytes when the guest can scale: the buffer is half a MiB.
    private const int OwnWindowShift = 4;
    private const int MaxOwnWindow = 512 << 10;
    private const int MaxUnscaledWindow = 65535;
    private const int MaxSegmentBytes = Ethernet.Mtu - Ipv4.HeaderBytes - TcpSegment.HeaderBytes;
    private const int MinSegmentBytes = 88;
    private const int MaxKeepAliveProbes = 9;

    private readonly TcpStack _stack;
    private readonly UserContext _context;
    private readonly Socket _socket;
    private readonly ReadinessWatch _watch;
    private readonly Lock _gate = new();

    private TcpState _state;
    private bool _released;
    private bool _hostFailed;
    private bool _ackNow;
    private int _segmentBytes = TcpSegment.DefaultSegmentSize;

    // Sending, towards the guest (RFC 9293, 3.3.1). SND.MAX is the highest SND.NXT there was before something was sent again.
    private readonly uint _initialSequence = (uint)Random.Shared.NextInt64();
    private uint _unacknowledged;
    private uint _next;
    private uint _highest;
    private uint _window;
    private uint _windowSequence;
    private uint _windowAcknowledgment;
    private int _windowShift;
    private int _duplicates;
    private int _retries;
    private long _lastHeard;

    // Receiving, from the guest.
    private uint _expected;
    private uint _advertised;
    private int _ownShift;
    private bool _guestFinished;
    private bool _guestFinishedFirst;

    /// <summary>Creates a connection on <paramref name="socket"/>, which does not block.</summary>
    public TcpConnection(TcpStack stack, UserContext context, TcpKey key, Socket socket)
    {
        _stack = stack;
        _context = context;
        Key = key;
        _socket = socket;
        _watch = new ReadinessWatch(context.Thread, this, SocketType.Stream);
        _unacknowledged = _next = _highest = _initialSequence;
        _highestData = _initialSequence + 1;
        _lastHeard = Environment.TickCount64;
        _sendToHost.Completed += (_, _) => OnSentToHost();
    }

    private enum TcpState
    {
        /// <summary>The guest has sent SYN; the host's socket is connecting.</summary>
        Connecting,

        /// <summary>SYN has been sent to the guest.</summary>
        SynSent,

        /// <summary>SYN has been received from the guest and is answered.</summary>
        SynReceived,

        /// <summary>Data may flow; what has ended is in <see cref="_guestFinished"/> and <see cref="_hostFinished"/>.</summary>
        Established,

        /// <summary>All over; late segments are still answered.</summary>
        TimeWait,

        /// <summary>Not in the table any more.</summary>
        Closed,
    }

    /// <summary>Both ends.</summary>
    public TcpKey Key { get; }

    /// <inheritdoc/>
    public override bool IsFinished => _released;

    /// <summary>True when the connection only waits for late segments.</summary>
    public bool IsInTimeWait => _state == TcpState.TimeWait;

    /// <inheritdoc/>
    public override void Service(long now)
    {
        TcpState state;
        _offloads = _context.Thread.GuestOffloads;
        lock (_gate)
        {
            RunTimer(now);
            state = _state;
        }

        if (state == TcpState.Closed)
        {
            Dispose();
            return;
        }

        if (_hostFailed)
        {
            Reset();
            Dispose();
            return;
        }

        if (state == TcpState.Established)
        {
            Pump();
        }
        else if (state is TcpState.SynSent or TcpState.SynReceived && _next == _initialSequence)
        {
            TransmitSyn(state == TcpState.SynReceived);
        }

        if (_ackNow || _keepAliveDue)
        {
            TransmitAck();
        }

        lock (_gate)
        {
            ArmTimer(now);
        }
    }

    /// <summary>Ends the connection at once, without a word to the guest. Any thread.</summary>
    public void Abort()
    {
        lock (_gate)
        {
            Close(abortive: true);
        }
    }

    /// <summary>Gives back what the network thread uses; the connection must be closed. On that thread.</summary>
    public void Dispose()
    {
        if (!_released)
        {
            _released = true;
            Deadline = Never;
            foreach (Chunk chunk in _unread)
            {
                _stack.Return(chunk);
            }

            _unread.Clear();
            _watch.Dispose();
        }
    }

    // With the gate held. The rest is done by the network thread, which may be using the chunks.
    private void Close(bool abortive)
    {
        if (_state != TcpState.Closed)
        {
            _state = TcpState.Closed;
            _stack.Remove(this);
            CloseSocket(abortive);
            DropUnsent();
            _context.Thread.Queue(this);
        }
    }

    // With the gate held: everything is said and done on both sides.
    private void EndWell()
    {
        if (_guestFinishedFirst)
        {
            Close(abortive: false);
        }
        else if (_state != TcpState.TimeWait)
        {
            _state = TcpState.TimeWait;
            CloseSocket(abortive: false);
            _timerAt = Environment.TickCount64 + _context.Timings.TimeWait;
            _context.Thread.Queue(this);
        }
    }
}
