namespace Emu.Machine.Host;

/// <summary>
/// Where the machine thread sleeps: until a time or until another thread wakes it. On Linux precise to some tens of
/// microseconds, elsewhere to about a millisecond.
/// </summary>
internal abstract class HostWaiter : IDisposable
{
    /// <summary>The time that never comes.</summary>
    public const long Forever = long.MaxValue;

    private int _signaled;
    private int _sleeping;

    /// <summary>The best waiter that this host has.</summary>
    public static HostWaiter Create() => OperatingSystem.IsLinux() ? new LinuxWaiter() : new PortableWaiter();

    /// <summary>
    /// Sleeps for <paramref name="nanoseconds"/>, or shorter when woken; returns at once when woken since the last call.
    /// It may also return early for no reason. Always the same thread.
    /// </summary>
    public void Wait(long nanoseconds)
    {
        // Either this thread sees the signal or the waker sees it asleep: both sides put a full fence between.
        Interlocked.Exchange(ref _sleeping, 1);
        if (Volatile.Read(ref _signaled) == 0 && nanoseconds > 0)
        {
            Sleep(nanoseconds);
        }

        Volatile.Write(ref _sleeping, 0);
        Interlocked.Exchange(ref _signaled, 0);
    }

    /// <summary>Ends the present or the next <see cref="Wait"/>. Any thread; costs a system call only when one sleeps.</summary>
    public void Wake()
    {
        if (Interlocked.Exchange(ref _signaled, 1) == 0 && Volatile.Read(ref _sleeping) != 0)
        {
            Rouse();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Sleeps, unless or until <see cref="Rouse"/> is called.</summary>
    protected abstract void Sleep(long nanoseconds);

    /// <summary>Ends a sleep, the next one if none is in progress.</summary>
    protected abstract void Rouse();

    /// <summary>Gives back what the host gave.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }
}
