namespace Emu.Core.Time;

/// <summary>
/// The timers of one machine, ordered by virtual deadline. All members but <see cref="NextDeadlineNs"/> need the machine
/// lock; callbacks run under it, on the machine thread.
/// </summary>
public sealed class TimerQueue(IClock clock)
{
    private readonly PriorityQueue<(GuestTimer Timer, long Generation), long> _queue = new();
    private long _nextDeadline = long.MaxValue;

    /// <summary>The clock that the deadlines refer to.</summary>
    public IClock Clock { get; } = clock;

    /// <summary>The earliest deadline in nanoseconds of virtual time, or null. May be read from any thread.</summary>
    public long? NextDeadlineNs
    {
        get
        {
            long next = Volatile.Read(ref _nextDeadline);
            return next == long.MaxValue ? null : next;
        }
    }

    /// <summary>Raised when the earliest deadline moves forward in time, so that the machine thread waits less.</summary>
    public event Action? DeadlineMoved;

    /// <summary>Creates a timer, not armed, that calls <paramref name="callback"/> when it expires.</summary>
    public GuestTimer CreateTimer(Action callback) => new(this, callback);

    /// <summary>Runs every timer whose deadline has passed, in order of deadline; returns how many ran.</summary>
    public int RunExpired()
    {
        int fired = 0;
        long now = Clock.NowNs;
        while (DropStale() && _queue.TryPeek(out (GuestTimer Timer, long Generation) head, out long deadline) && deadline <= now)
        {
            _queue.Dequeue();
            head.Timer.Expire();
            fired++;
        }

        PublishNext();
        return fired;
    }

    internal void Enqueue(GuestTimer timer, long generation, long deadline)
    {
        _queue.Enqueue((timer, generation), deadline);
        if (deadline < Volatile.Read(ref _nextDeadline))
        {
            Volatile.Write(ref _nextDeadline, deadline);
            DeadlineMoved?.Invoke();
        }

        // A timer that is re-armed often leaves stale entries behind; keep the heap proportional to the live ones.
        if (_queue.Count > 1024)
        {
            Compact();
        }
    }

    internal void Cancelled() => PublishNext();

    private void PublishNext()
    {
        DropStale();
        Volatile.Write(ref _nextDeadline, _queue.TryPeek(out _, out long deadline) ? deadline : long.MaxValue);
    }

    private bool DropStale()
    {
        while (_queue.TryPeek(out (GuestTimer Timer, long Generation) head, out _))
        {
            if (head.Timer.IsCurrent(head.Generation))
            {
                return true;
            }

            _queue.Dequeue();
        }

        return false;
    }

    private void Compact()
    {
        var live = _queue.UnorderedItems.Where(item => item.Element.Timer.IsCurrent(item.Element.Generation)).ToArray();
        _queue.Clear();
        _queue.EnqueueRange(live);
    }
}

/// <summary>One timer of a device. All members need the machine lock.</summary>
public sealed class GuestTimer
{
    private readonly TimerQueue _queue;
    private readonly Action _callback;
    private long _generation;

    internal GuestTimer(TimerQueue queue, Action callback)
    {
        _queue = queue;
        _callback = callback;
    }

    /// <summary>The deadline in nanoseconds of virtual time, or null when not armed.</summary>
    public long? DeadlineNs { get; private set; }

    /// <summary>Arms the timer for <paramref name="deadlineNs"/>, replacing an earlier deadline. A past deadline fires at once.</summary>
    public void Arm(long deadlineNs)
    {
        DeadlineNs = deadlineNs;
        _queue.Enqueue(this, ++_generation, deadlineNs);
    }

    /// <summary>Disarms the timer.</summary>
    public void Cancel()
    {
        if (DeadlineNs is not null)
        {
            DeadlineNs = null;
            _generation++;
            _queue.Cancelled();
        }
    }

    internal bool IsCurrent(long generation) => DeadlineNs is not null && generation == _generation;

    internal void Expire()
    {
        DeadlineNs = null;
        _callback();
    }
}
