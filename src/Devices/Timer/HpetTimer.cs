using Emu.Core.Time;

namespace Emu.Devices.Timer;

/// <summary>One comparator of the HPET (IA-PC HPET specification 2.3.8 to 2.3.10).</summary>
/// <remarks>
/// Periods advance by whole multiples, so late callbacks cause no drift and missed ones collapse into one. The comparator
/// is looked at again no sooner than <see cref="MinimumPeriodNs"/> after it fired in periodic mode, whatever period the guest set.
/// </remarks>
internal sealed class HpetTimer
{
    /// <summary>The shortest time between two periodic interrupts, in nanoseconds.</summary>
    public const long MinimumPeriodNs = 100_000;

    private const ulong ConfigurationField = 0x00;
    private const ulong ComparatorField = 0x08;

    // Configuration and capability (2.3.8).
    private const uint LevelTriggered = 1 << 1;
    private const uint EnableInterrupt = 1 << 2;
    private const uint Periodic = 1 << 3;
    private const uint PeriodicCapable = 1 << 4;
    private const uint SizeCapable = 1 << 5;
    private const uint SetValue = 1 << 6;
    private const uint Mode32 = 1 << 8;
    private const int RouteShift = 9;
    private const uint RouteMask = 0x1F;
    private const uint Writable = LevelTriggered | EnableInterrupt | Periodic | SetValue | Mode32 | (RouteMask << RouteShift);
    private const uint Fixed = PeriodicCapable | SizeCapable;

    // IOAPIC inputs 16–23, which no ISA device uses.
    private const uint Routes = 0x00FF_0000;

    private readonly Hpet _hpet;
    private readonly int _index;
    private readonly GuestTimer _timer;
    private uint _configuration;
    private ulong _comparator;
    private ulong _period;

    /// <summary>Creates the comparator, reset.</summary>
    public HpetTimer(Hpet hpet, int index, TimerQueue timers)
    {
        _hpet = hpet;
        _index = index;
        _timer = timers.CreateTimer(Fire);
        Reset();
    }

    /// <summary>True when the interrupt is a level.</summary>
    public bool IsLevel => (_configuration & LevelTriggered) != 0;

    /// <summary>True when matches interrupt.</summary>
    public bool InterruptEnabled => (_configuration & EnableInterrupt) != 0;

    /// <summary>The IOAPIC input chosen, or null when it is not among those offered.</summary>
    public int? Route
    {
        get
        {
            int route = (int)((_configuration >> RouteShift) & RouteMask);
            return (Routes & (1u << route)) != 0 ? route : null;
        }
    }

    private bool IsPeriodic => (_configuration & Periodic) != 0;

    private ulong CounterMask => (_configuration & Mode32) != 0 ? uint.MaxValue : ulong.MaxValue;

    /// <summary>True when <paramref name="state"/> can be restored.</summary>
    public static bool IsValid(HpetTimerState state) => (state.Configuration & ~(Writable | Fixed)) == 0;

    /// <summary>Returns to the state after power-on.</summary>
    public void Reset()
    {
        _timer.Cancel();
        _configuration = Fixed;
        _comparator = ulong.MaxValue;
        _period = 0;
    }

    /// <summary>The state.</summary>
    public HpetTimerState Save() => new(_configuration, _comparator, _period);

    /// <summary>Takes over a valid state; the HPET schedules afterwards.</summary>
    public void Restore(HpetTimerState state)
    {
        _configuration = state.Configuration | Fixed;
        _comparator = state.Comparator;
        _period = state.Period;
    }

    /// <summary>Reads the register at <paramref name="field"/>.</summary>
    public ulong Read(ulong field) => field switch
    {
        ConfigurationField => ((ulong)Routes << 32) | _configuration,
        ComparatorField => _comparator,
        _ => 0,
    };

    /// <summary>Writes the bits of <paramref name="mask"/> of the register at <paramref name="field"/>.</summary>
    public void Write(ulong field, ulong value, ulong mask)
    {
        if (field == ConfigurationField)
        {
            uint bits = (uint)(((_configuration & ~mask) | value) & Writable) | Fixed;
            _hpet.Reroute(() => _configuration = bits);
            _comparator &= CounterMask;
            Schedule(_hpet.Clock.NowNs);
        }
        else if (field == ComparatorField)
        {
            WriteComparator(value, mask);
            Schedule(_hpet.Clock.NowNs);
        }
    }

    /// <summary>Arms the host timer for the next match from <paramref name="nowNs"/> on, counting a match at this very tick.</summary>
    public void Schedule(long nowNs) => ArmAfter(nowNs, (_comparator - _hpet.CounterAt(nowNs)) & CounterMask);

    // In periodic mode a write sets the period, and the comparator too if VAL_SET announced it; the bit then clears itself.
    private void WriteComparator(ulong value, ulong mask)
    {
        if (!IsPeriodic || (_configuration & SetValue) != 0)
        {
            _comparator = ((_comparator & ~mask) | value) & CounterMask;
        }

        if (IsPeriodic)
        {
            _period = ((_period & ~mask) | value) & CounterMask;
        }

        _configuration &= ~SetValue;
    }

    private void ArmAfter(long nowNs, ulong ticks, long notBeforeNs = 0)
    {
        if (_hpet.IsEnabled && _hpet.TimeAfter(nowNs, ticks) is long due)
        {
            _timer.Arm(Math.Max(due, notBeforeNs));
        }
        else
        {
            _timer.Cancel();
        }
    }

    private void Fire()
    {
        long now = _hpet.Clock.NowNs;
        ulong late = (_hpet.CounterAt(now) - _comparator) & CounterMask;
        if (IsPeriodic && _period != 0)
        {
            ulong advance = ((late / _period) + 1) * _period;
            _comparator = (_comparator + advance) & CounterMask;
            ArmAfter(now, (_comparator - _hpet.CounterAt(now)) & CounterMask, now + MinimumPeriodNs);
        }
        else
        {
            // The next match is a whole turn of the counter away.
            ulong turn = CounterMask - late;
            ArmAfter(now, turn == ulong.MaxValue ? turn : turn + 1);
        }

        _hpet.Signal(_index);
    }
}
