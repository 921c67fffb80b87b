namespace Emu.Net.User.Tcp;

/// <summary>Time: retransmission, probes of a closed window, keep-alive, TIME-WAIT. On the network thread, with the gate held.</summary>
internal sealed partial class TcpConnection
{
    private long _timerAt = Never;
    private uint _timedSequence;
    private long _timedSince;
    private bool _isTimed;
    private int _silentTries;
    private int _keepAliveProbes;
    private bool _keepAliveDue;

    private void RunTimer(long now)
    {
        if (now < _timerAt || _state == TcpState.Closed)
        {
            return;
        }

        _timerAt = Never;
        switch (_state)
        {
            case TcpState.Connecting:
                _hostFailed = true;
                break;
            case TcpState.TimeWait:
                Close(abortive: false);
                break;
            default:
                if (_isTimed)
                {
                    OnUnanswered();
                }
                else if (now - _lastHeard >= _context.Timings.KeepAliveIdle)
                {
                    OnSilence();
                }

                break;
        }
    }

    private void OnUnanswered()
    {
        _isTimed = false;
        if (_unacknowledged != _timedSequence)
        {
            // There was progress since the timer was set.
            return;
        }

        // A guest that keeps its window closed, but answers, may do so for ever.
        _silentTries = _lastHeard >= _timedSince ? 0 : _silentTries + 1;
        if (_silentTries > _context.Timings.MaxRetries)
        {
            _hostFailed = true;
        }
        else
        {
            _retries++;
            _next = _unacknowledged;
            _probe = true;
        }
    }

    private void OnSilence()
    {
        if (++_keepAliveProbes > MaxKeepAliveProbes)
        {
            _hostFailed = true;
        }
        else if (_state == TcpState.Established)
        {
            _keepAliveDue = true;
        }
    }

    private void ArmTimer(long now)
    {
        if (_state is TcpState.Connecting or TcpState.TimeWait or TcpState.Closed)
        {
            Deadline = _timerAt;
            return;
        }

        // Something is on its way, or waits for the guest's window or for room in its card.
        bool waits = _next != _unacknowledged || _next != DataEndOrSyn();
        if (waits && (!_isTimed || _timedSequence != _unacknowledged))
        {
            _isTimed = true;
            _timedSequence = _unacknowledged;
            _timedSince = now;
            _timerAt = now + Math.Min(_context.Timings.Retransmit << Math.Min(_retries, 16), _context.Timings.MaxRetransmit);
        }
        else if (!waits)
        {
            _isTimed = false;
            _timerAt = _keepAliveProbes == 0 ? _lastHeard + _context.Timings.KeepAliveIdle : now + _context.Timings.KeepAliveInterval;
        }

        Deadline = _timerAt;
    }

    private uint DataEndOrSyn() => _state switch
    {
        TcpState.Established when _hostFinished => _finSequence + 1,
        TcpState.Established when _unread.Count > 0 => _unread[^1].End,
        TcpState.Established => _next,
        _ => _initialSequence + 1,
    };
}
