namespace Emu.Net.User;

/// <summary>Something the network thread attends to: a connection, a flow, a listener. What is said here runs on that thread.</summary>
internal abstract class NetSource
{
    /// <summary>A <see cref="Deadline"/> that never comes.</summary>
    public const long Never = long.MaxValue;

    private int _queued;

    /// <summary>When it wants to be attended to without being woken, in <see cref="Environment.TickCount64"/>.</summary>
    public long Deadline { get; protected set; } = Never;

    /// <summary>True when it will never need attention again.</summary>
    public abstract bool IsFinished { get; }

    /// <summary>True while the thread looks at <see cref="Deadline"/>.</summary>
    public bool IsTracked { get; set; }

    /// <summary>Does what there is to do.</summary>
    /// <param name="now">The time, as in <see cref="Deadline"/>.</param>
    public abstract void Service(long now);

    /// <summary>Marks it as queued; false when it is already. Any thread.</summary>
    public bool TryQueue() => Interlocked.Exchange(ref _queued, 1) == 0;

    /// <summary>It has left the queue: whatever happens from now on queues it again.</summary>
    public void Unqueue() => Interlocked.Exchange(ref _queued, 0);
}
