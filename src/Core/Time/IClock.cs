using System.Diagnostics;

namespace Emu.Core.Time;

/// <summary>The machine's virtual time: nanoseconds since power-on. The only clock a device may read.</summary>
public interface IClock
{
    /// <summary>Nanoseconds of virtual time; never goes back.</summary>
    long NowNs { get; }

    /// <summary>Wall-clock time that corresponds to <see cref="NowNs"/> (for the RTC).</summary>
    DateTimeOffset WallClock { get; }
}

/// <summary>Virtual time that follows the host's monotonic clock while the machine runs.</summary>
public sealed class HostClock : IClock
{
    private readonly DateTimeOffset _wallStart;
    private long _offset = -Stopwatch.GetTimestamp();
    private long _pausedAt = -1;

    /// <summary>Starts at zero, with <paramref name="wallStart"/> as the wall-clock time of zero.</summary>
    public HostClock(DateTimeOffset wallStart) => _wallStart = wallStart;

    /// <inheritdoc/>
    public long NowNs
    {
        get
        {
            long paused = Volatile.Read(ref _pausedAt);
            return ToNs(paused >= 0 ? paused : Stopwatch.GetTimestamp() + Volatile.Read(ref _offset));
        }
    }

    /// <inheritdoc/>
    public DateTimeOffset WallClock => _wallStart.AddTicks(NowNs / 100);

    /// <summary>Stops virtual time (monitor <c>stop</c>). Not to be called from two threads at once.</summary>
    public void Pause()
    {
        if (_pausedAt < 0)
        {
            Volatile.Write(ref _pausedAt, Stopwatch.GetTimestamp() + _offset);
        }
    }

    /// <summary>Lets virtual time run on from where it stopped.</summary>
    public void Resume()
    {
        if (_pausedAt >= 0)
        {
            Volatile.Write(ref _offset, _pausedAt - Stopwatch.GetTimestamp());
            Volatile.Write(ref _pausedAt, -1);
        }
    }

    // Stopwatch ticks are nanoseconds on Linux and macOS; elsewhere 128-bit arithmetic avoids overflow.
    private static long ToNs(long ticks) => Stopwatch.Frequency == 1_000_000_000
        ? ticks
        : (long)((Int128)ticks * 1_000_000_000 / Stopwatch.Frequency);
}

/// <summary>Virtual time moved by hand: for tests, and for machines driven by instruction count.</summary>
public sealed class ManualClock : IClock
{
    private static readonly DateTimeOffset Epoch = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <inheritdoc/>
    public long NowNs { get; private set; }

    /// <summary>Wall-clock time of virtual time zero.</summary>
    public DateTimeOffset WallStart { get; init; } = Epoch;

    /// <inheritdoc/>
    public DateTimeOffset WallClock => WallStart.AddTicks(NowNs / 100);

    /// <summary>Moves time forward by <paramref name="ns"/> nanoseconds.</summary>
    public void Advance(long ns)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(ns);
        NowNs += ns;
    }

    /// <summary>
    /// Moves time forward by <paramref name="ns"/> nanoseconds, stopping at each deadline of <paramref name="timers"/>
    /// on the way so that every timer fires at its own time.
    /// </summary>
    public void Advance(long ns, TimerQueue timers)
    {
        ArgumentNullException.ThrowIfNull(timers);
        long end = checked(NowNs + ns);
        while (timers.NextDeadlineNs is long deadline && deadline <= end)
        {
            NowNs = Math.Max(NowNs, deadline);
            timers.RunExpired();
        }

        NowNs = end;
    }
}
