using Emu.Core.Time;

namespace Emu.Devices.IrqChip;

/// <summary>
/// The timer of a local APIC (SDM vol. 3, 11.5.4). Its input clock is 1 GHz, so a tick before division is one nanosecond
/// of virtual time; the TSC runs at the same rate, <see cref="TscOffset"/> ahead of virtual time.
/// </summary>
/// <remarks>
/// Nothing accumulates: counts and deadlines are always computed from the moment the count was loaded, so a late callback
/// does not make later ones late. A guest that programs a tiny period gets at most one interrupt per
/// <see cref="MinimumPeriodNs"/>, since every expiry costs the machine thread a wake-up.
/// </remarks>
internal sealed class LocalApicTimer
{
    /// <summary>The shortest period between interrupts in periodic mode, in nanoseconds.</summary>
    public const long MinimumPeriodNs = 100_000;

    private readonly GuestTimer _timer;
    private readonly IClock _clock;
    private readonly Action _fired;
    private Mode _mode;
    private uint _initial;
    private uint _divide;
    private long _loadedNs;
    private bool _ranOut; // one-shot mode: the count has ended and its interrupt was sent
    private long _tscOffset;
    private ulong _deadline;

    /// <summary>Creates the stopped timer; <paramref name="fired"/> is called at each expiry.</summary>
    public LocalApicTimer(TimerQueue timers, Action fired)
    {
        _clock = timers.Clock;
        _timer = timers.CreateTimer(Expire);
        _fired = fired;
    }

    private enum Mode
    {
        OneShot = 0,
        Periodic = 1,
        TscDeadline = 2,
    }

    /// <summary>TSC less virtual time, in nanoseconds (= TSC ticks).</summary>
    public long TscOffset
    {
        get => _tscOffset;
        set
        {
            _tscOffset = value;
            Schedule();
        }
    }

    /// <summary>IA32_TSC_DEADLINE: the TSC value to fire at, 0 when disarmed.</summary>
    public ulong Deadline
    {
        get => _deadline;
        set
        {
            if (_mode == Mode.TscDeadline)
            {
                _deadline = value;
                Schedule();
            }
        }
    }

    /// <summary>Initial-count register; writing starts the count, 0 stops it. Ignored in TSC-deadline mode.</summary>
    public uint InitialCount
    {
        get => _initial;
        set
        {
            if (_mode != Mode.TscDeadline)
            {
                _initial = value;
                _loadedNs = _clock.NowNs;
                _ranOut = false;
                Schedule();
            }
        }
    }

    /// <summary>Current-count register.</summary>
    public uint CurrentCount
    {
        get
        {
            long ticks = (_ranOut ? CountNs : RunningNs) >> DivideShift;
            return ticks >= _initial ? 0 : _initial - (uint)ticks;
        }
    }

    /// <summary>Divide-configuration register; a count in progress goes on from its present value at the new rate.</summary>
    public uint DivideConfiguration
    {
        get => _divide;
        set
        {
            long ticks = (long)_initial - CurrentCount;
            _divide = value;
            _loadedNs = _clock.NowNs - (ticks << DivideShift);
            Schedule();
        }
    }

    /// <summary>
    /// Nanoseconds since the count was loaded, or reloaded in periodic mode; 0 when stopped. The whole count only once its
    /// interrupt was sent: one that is late must still come.
    /// </summary>
    public long ElapsedNs => _initial == 0 ? 0 : _ranOut ? CountNs : Math.Min(RunningNs, CountNs - 1);

    private long RunningNs
    {
        get
        {
            long elapsed = Math.Max(0, _clock.NowNs - _loadedNs);
            return _mode == Mode.Periodic ? elapsed % PeriodNs : elapsed;
        }
    }

    // Values 0–7 of bits 3,1,0 divide by 2, 4, … 128, 1 (figure 11-10).
    private int DivideShift => (int)((((_divide >> 1) & 4) | (_divide & 3)) + 1) & 7;

    private long CountNs => (long)_initial << DivideShift;

    private long PeriodNs => Math.Max(CountNs, MinimumPeriodNs);

    /// <summary>Sets the mode from bits 18:17 of the LVT entry. Entering or leaving TSC-deadline mode disarms the timer.</summary>
    public void SetMode(uint bits)
    {
        Mode mode = bits > (uint)Mode.TscDeadline ? Mode.OneShot : (Mode)bits;
        if (mode == _mode)
        {
            return;
        }

        if (mode == Mode.TscDeadline || _mode == Mode.TscDeadline)
        {
            _initial = 0;
            _deadline = 0;
        }
        else
        {
            // The count in progress goes on; only what happens at its end changes.
            _loadedNs = _clock.NowNs - ElapsedNs;
            _ranOut = false;
        }

        _mode = mode;
        Schedule();
    }

    /// <summary>Stops the timer and clears its registers; the TSC goes on.</summary>
    public void Reset()
    {
        _mode = Mode.OneShot;
        _initial = 0;
        _divide = 0;
        _deadline = 0;
        _ranOut = false;
        _timer.Cancel();
    }

    /// <summary>Restores the registers, with <paramref name="elapsedNs"/> as <see cref="ElapsedNs"/> was.</summary>
    public void Restore(uint modeBits, uint initial, uint divide, long elapsedNs, ulong deadline, long tscOffset)
    {
        Reset();
        SetMode(modeBits);
        _initial = _mode == Mode.TscDeadline ? 0 : initial;
        _divide = divide;
        _loadedNs = _clock.NowNs - elapsedNs;
        _ranOut = _mode == Mode.OneShot && elapsedNs >= CountNs;
        _deadline = _mode == Mode.TscDeadline ? deadline : 0;
        _tscOffset = tscOffset;
        Schedule();
    }

    private void Schedule()
    {
        _timer.Cancel();
        long now = _clock.NowNs;
        if (_mode == Mode.TscDeadline)
        {
            ScheduleDeadline(now);
        }
        else if (_initial != 0 && _mode == Mode.Periodic)
        {
            long periods = Math.Max(0, now - _loadedNs) / PeriodNs;
            _timer.Arm(_loadedNs + ((periods + 1) * PeriodNs));
        }
        else if (_initial != 0 && !_ranOut)
        {
            // A short count may have ended on the way here; its interrupt then comes at once.
            _timer.Arm(_loadedNs + CountNs);
        }
    }

    private void ScheduleDeadline(long now)
    {
        if (_deadline == 0)
        {
            return;
        }

        // The TSC is unsigned and the guest may set any value, so the distance is taken on its own scale.
        ulong tsc = (ulong)(now + _tscOffset);
        if (_deadline <= tsc)
        {
            Expire();
        }
        else if (_deadline - tsc < (ulong)(long.MaxValue - now))
        {
            _timer.Arm(now + (long)(_deadline - tsc));
        }
    }

    private void Expire()
    {
        if (_mode == Mode.TscDeadline)
        {
            _deadline = 0;
        }
        else if (_mode == Mode.Periodic)
        {
            Schedule();
        }
        else
        {
            _ranOut = true;
        }

        _fired();
    }
}
