using System.Diagnostics;

namespace Emu.Diff.Engines;

/// <summary>Ends a batch that does not end by itself: a case may loop, or an engine lose its way.</summary>
internal sealed class EngineWatchdog : IDisposable
{
    private const int PeriodMilliseconds = 100;
    private const int LeastMilliseconds = 1000;
    private const int CaseMilliseconds = 200;

    private readonly Action _kick;
    private readonly Timer _timer;
    private long _deadline = long.MaxValue;
    private int _kicked;

    public EngineWatchdog(Action kick)
    {
        _kick = kick;
        _timer = new Timer(_ => Look(), null, PeriodMilliseconds, PeriodMilliseconds);
    }

    /// <summary>A run of <paramref name="cases"/> cases begins.</summary>
    public void Begin(int cases)
    {
        Volatile.Write(ref _kicked, 0);
        Volatile.Write(ref _deadline, Stopwatch.GetTimestamp() + ((LeastMilliseconds + ((long)cases * CaseMilliseconds)) * Stopwatch.Frequency / 1000));
    }

    /// <summary>A run has ended; true when it had to be made to.</summary>
    public bool End()
    {
        Volatile.Write(ref _deadline, long.MaxValue);
        return Volatile.Read(ref _kicked) != 0;
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        if (Stopwatch.GetTimestamp() > Volatile.Read(ref _deadline))
        {
            Volatile.Write(ref _kicked, 1);
            _kick();
        }
    }
}
