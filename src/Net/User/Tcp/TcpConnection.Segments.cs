using Emu.Net.Wire;

namespace Emu.Net.User.Tcp;

/// <summary>Segments of the guest (RFC 9293, 3.10.7).</summary>
internal sealed partial class TcpConnection
{
    /// <summary>Takes the SYN with which the guest opens the connection.</summary>
    public void Open(in TcpSegment syn)
    {
        lock (_gate)
        {
            _state = TcpState.Connecting;
            TakeSyn(syn);
        }
    }

    /// <summary>Opens a connection to the guest: the host's socket is there already.</summary>
    public void OpenToGuest()
    {
        _state = TcpState.SynSent;
        _context.Thread.Queue(this);
    }

    /// <summary>True while a SYN to the guest has not been answered.</summary>
    public bool IsCallingGuest => _state == TcpState.SynSent;

    /// <summary>Takes a segment; false when the connection is over and a SYN may open a new one. One thread at a time.</summary>
    public bool Handle(in TcpSegment segment)
    {
        lock (_gate)
        {
            switch (_state)
            {
                case TcpState.Closed:
                    return false;
                case TcpState.TimeWait when IsBareSyn(segment) && IsAfter(segment.Sequence, _expected):
                    Close(abortive: false);
                    return false;
                case TcpState.Connecting:
                    HandleConnecting(segment);
                    break;
                case TcpState.SynSent:
                    HandleSynSent(segment);
                    break;
                default:
                    HandleSynchronized(segment);
                    break;
            }

            if (_ackNow)
            {
                _context.Thread.Queue(this);
            }
        }

        return true;
    }

    private static bool IsBareSyn(in TcpSegment segment) => (segment.Flags & (TcpFlags.Syn | TcpFlags.Ack | TcpFlags.Rst)) == TcpFlags.Syn;

    /// <summary>True when <paramref name="a"/> comes after <paramref name="b"/> in the circle of sequence numbers.</summary>
    private static bool IsAfter(uint a, uint b) => (int)(a - b) > 0;

    // A repeated SYN waits for the host like the first; a guest may also give up.
    private void HandleConnecting(in TcpSegment segment)
    {
        if (segment.Has(TcpFlags.Rst) && segment.Sequence == _expected)
        {
            Close(abortive: true);
        }
    }

    private void HandleSynSent(in TcpSegment segment)
    {
        bool acknowledges = segment.Has(TcpFlags.Ack) && segment.Acknowledgment == _initialSequence + 1 && _highest == segment.Acknowledgment;
        if (segment.Has(TcpFlags.Ack) && !acknowledges)
        {
            _stack.PostReset(Key, segment);
        }
        else if (segment.Has(TcpFlags.Rst))
        {
            if (acknowledges)
            {
                Close(abortive: true);
            }
        }
        else if (segment.Has(TcpFlags.Syn))
        {
            TakeSyn(segment);
            _state = acknowledges ? TcpState.Established : TcpState.SynReceived;
            _unacknowledged = acknowledges ? segment.Acknowledgment : _unacknowledged;
            _next = acknowledges ? _next : _initialSequence;
            _retries = 0;
            _ackNow = true;
        }
    }

    private void TakeSyn(in TcpSegment syn)
    {
        (int size, int shift) = syn.ReadSynOptions();
        _segmentBytes = Math.Clamp(size, MinSegmentBytes, MaxSegmentBytes);
        _windowShift = Math.Max(0, shift);
        _ownShift = shift < 0 ? 0 : OwnWindowShift;
        _expected = _advertised = syn.Sequence + 1;
        _window = syn.Window;
        _windowSequence = syn.Sequence;
        _windowAcknowledgment = syn.Acknowledgment;
        _lastHeard = Environment.TickCount64;
    }

    private void HandleSynchronized(in TcpSegment segment)
    {
        if (!IsAcceptable(segment))
        {
            // Late, repeated, or a probe whether this side is there: it is told what is expected.
            _ackNow |= !segment.Has(TcpFlags.Rst);
            _next = _state == TcpState.SynReceived && segment.Has(TcpFlags.Syn) ? _initialSequence : _next;
            return;
        }

        if (segment.Has(TcpFlags.Rst))
        {
            HandleReset(segment);
            return;
        }

        if (segment.Has(TcpFlags.Syn))
        {
            // RFC 5961, 4.2: a guest that has forgotten the connection answers with RST.
            _ackNow = true;
            return;
        }

        if (segment.Has(TcpFlags.Ack) && TakeAcknowledgment(segment) && _state != TcpState.TimeWait)
        {
            TakeData(segment);
        }
    }

    private bool IsAcceptable(in TcpSegment segment)
    {
        uint window = _advertised - _expected;
        uint first = segment.Sequence - _expected;
        return window == 0
            ? first == 0
            : first < window || (segment.SequenceLength > 0 && first + segment.SequenceLength - 1 < window);
    }

    // RFC 5961, 3.2: only an exact one counts, others are asked to prove themselves.
    private void HandleReset(in TcpSegment segment)
    {
        if (segment.Sequence == _expected)
        {
            Close(abortive: true);
        }
        else
        {
            _ackNow = true;
        }
    }

    private bool TakeAcknowledgment(in TcpSegment segment)
    {
        uint acknowledged = segment.Acknowledgment;
        if (_state == TcpState.SynReceived)
        {
            if (acknowledged != _initialSequence + 1 || _highest != acknowledged)
            {
                _stack.PostReset(Key, segment);
                return false;
            }

            // From now on the host is listened to.
            _state = TcpState.Established;
            _context.Thread.Queue(this);
        }

        if (IsAfter(acknowledged, _highest))
        {
            _ackNow = true;
            return false;
        }

        _lastHeard = Environment.TickCount64;
        _keepAliveProbes = 0;
        bool moved = IsAfter(acknowledged, _unacknowledged);
        if (moved)
        {
            _unacknowledged = acknowledged;
            _next = IsAfter(acknowledged, _next) ? acknowledged : _next;
            _duplicates = 0;
            _retries = 0;
        }
        else
        {
            CountDuplicate(segment);
        }

        bool widened = TakeWindow(segment);
        if (moved || widened)
        {
            AfterProgress();
        }

        return _state != TcpState.Closed;
    }

    // RFC 5681, 3.2: three duplicates mean that a segment was lost inside the guest. What follows it is sent again too.
    private void CountDuplicate(in TcpSegment segment)
    {
        bool duplicate = segment.Acknowledgment == _unacknowledged && _highest != _unacknowledged && segment.SequenceLength == 0
            && (uint)segment.Window << _windowShift == _window;
        if (duplicate && ++_duplicates == 3)
        {
            _next = _unacknowledged;
            _context.Thread.Queue(this);
        }
    }

    private bool TakeWindow(in TcpSegment segment)
    {
        bool newer = IsAfter(segment.Sequence, _windowSequence)
            || (segment.Sequence == _windowSequence && !IsAfter(_windowAcknowledgment, segment.Acknowledgment));
        if (!newer)
        {
            return false;
        }

        uint before = _window;
        _window = (uint)segment.Window << _windowShift;
        _windowSequence = segment.Sequence;
        _windowAcknowledgment = segment.Acknowledgment;
        _retries = _window != before ? 0 : _retries;
        return _window > before;
    }

    private void AfterProgress()
    {
        if (_hostFinished && _unacknowledged == _finSequence + 1 && _guestFinished && _unsent.Count == 0)
        {
            EndWell();
        }
        else if (_hasOutput)
        {
            _context.Thread.Queue(this);
        }
    }

    private void TakeData(in TcpSegment segment)
    {
        if (segment.SequenceLength == 0 || _hostFailed)
        {
            return;
        }

        _ackNow = true;
        if (IsAfter(segment.Sequence, _expected) || _guestFinished)
        {
            // A gap: the guest is told, and sends what is missing with everything after it.
            return;
        }

        int skip = (int)(_expected - segment.Sequence);
        ReadOnlySpan<byte> data = skip < segment.Payload.Length ? segment.Payload[skip..] : [];
        data = data[..(int)Math.Min((uint)data.Length, _advertised - _expected)];
        _expected += (uint)SendToHost(data);
        if (segment.Has(TcpFlags.Fin) && _expected == segment.Sequence + (uint)segment.Payload.Length
            && !_hostFailed)
        {
            _expected++;
            _advertised = IsAfter(_expected, _advertised) ? _expected : _advertised;
            _guestFinished = true;
            _guestFinishedFirst = !(_hostFinished && IsAfter(_highest, _finSequence));
            FinishHost();
        }
    }
}
