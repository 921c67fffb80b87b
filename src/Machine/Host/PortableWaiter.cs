using System.Diagnostics;

namespace Emu.Machine.Host;

/// <summary>
/// Waits with what every host has: whole milliseconds asleep, then, if the end is near, a short spin. Where it is not that
/// near it sleeps one millisecond more, since a late timer costs less than a busy processor.
/// </summary>
internal sealed class PortableWaiter : HostWaiter
{
    private const long NsPerMs = 1_000_000;
    private const long LongestSpinNs = 200_000;

    private readonly object _gate = new();
    private bool _roused;

    /// <inheritdoc/>
    protected override void Sleep(long nanoseconds)
    {
        long start = Stopwatch.GetTimestamp();
        if (nanoseconds > LongestSpinNs)
        {
            lock (_gate)
            {
                if (!_roused)
                {
                    Monitor.Wait(_gate, ToMilliseconds(nanoseconds));
                }
            }
        }

        while (!Volatile.Read(ref _roused) && nanoseconds - ElapsedNs(start) is > 0 and <= LongestSpinNs)
        {
            Thread.Yield();
        }

        lock (_gate)
        {
            _roused = false;
        }
    }

    /// <inheritdoc/>
    protected override void Rouse()
    {
        lock (_gate)
        {
            _roused = true;
            Monitor.PulseAll(_gate);
        }
    }

    private static int ToMilliseconds(long nanoseconds) => nanoseconds == Forever
        ? Timeout.Infinite
        : (int)Math.Clamp(nanoseconds / NsPerMs, 1, int.MaxValue);

    private static long ElapsedNs(long start) => (long)Stopwatch.GetElapsedTime(start).TotalNanoseconds;
}
