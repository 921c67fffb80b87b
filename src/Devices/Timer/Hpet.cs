using Emu.Core;
using Emu.Core.Memory;
using Emu.Core.Time;

namespace Emu.Devices.Timer;

/// <summary>State of one comparator of a <see cref="Hpet"/>.</summary>
/// <param name="Configuration">Low half of the configuration register.</param>
/// <param name="Comparator">Comparator register.</param>
/// <param name="Period">Period of periodic mode, in ticks.</param>
public readonly record struct HpetTimerState(uint Configuration, ulong Comparator, ulong Period);

/// <summary>State of a <see cref="Hpet"/>.</summary>
public sealed record HpetState : DeviceState
{
    /// <summary>General configuration register.</summary>
    public uint Configuration { get; init; }

    /// <summary>General interrupt status register.</summary>
    public uint Status { get; init; }

    /// <summary>Main counter.</summary>
    public ulong Counter { get; init; }

    /// <summary>The comparators.</summary>
    public HpetTimerState[] Timers { get; init; } = new HpetTimerState[Hpet.TimerCount];
}

/// <summary>
/// High precision event timer (IA-PC HPET specification 1.0a): a 64-bit counter at 100 MHz and three comparators, all
/// able to be periodic. No FSB (message) interrupts.
/// </summary>
public sealed class Hpet : Device, IIoHandler
{
    /// <summary>Number of comparators.</summary>
    public const int TimerCount = 3;

    /// <summary>Where <see cref="Region"/> belongs.</summary>
    public const ulong RegionAddress = 0xFED0_0000;

    /// <summary>Size of the register block in bytes.</summary>
    public const ulong RegionSize = 1024;

    /// <summary>Length of one tick of the main counter in nanoseconds.</summary>
    public const long TickNs = 10;

    // General capabilities (2.3.4): revision 1, three timers, 64-bit counter, legacy replacement, vendor, period in fs.
    internal const ulong CapabilitiesValue = 0x01 | ((TimerCount - 1) << 8) | (1 << 13) | (1 << 15) | (0x8086UL << 16) | ((ulong)TickNs * 1_000_000 << 32);

    private const ulong Capabilities = 0x000;
    private const ulong Configuration = 0x010;
    private const ulong InterruptStatus = 0x020;
    private const ulong MainCounter = 0x0F0;
    private const ulong FirstTimer = 0x100;
    private const ulong TimerStride = 0x20;

    // General configuration (2.3.5).
    private const uint Enable = 1 << 0;
    private const uint LegacyReplacement = 1 << 1;

    private readonly IClock _clock;
    private readonly IIrqSink _interrupts;
    private readonly Action<bool> _legacyReplacementChanged;
    private readonly HpetTimer[] _timers;
    private uint _configuration;
    private uint _status;
    private ulong _counterBase;
    private long _startedNs;

    /// <summary>Creates the HPET, reset.</summary>
    /// <param name="name">Unique name.</param>
    /// <param name="timers">Virtual time.</param>
    /// <param name="interrupts">Inputs numbered as global system interrupts; 0 and 8 in legacy replacement mode.</param>
    /// <param name="legacyReplacementChanged">Told when the HPET takes over the IRQs of PIT and RTC (true) and gives them back.</param>
    public Hpet(string name, TimerQueue timers, IIrqSink interrupts, Action<bool> legacyReplacementChanged)
        : base(name)
    {
        ArgumentNullException.ThrowIfNull(timers);
        _clock = timers.Clock;
        _interrupts = interrupts;
        _legacyReplacementChanged = legacyReplacementChanged;
        _timers = [.. Enumerable.Range(0, TimerCount).Select(index => new HpetTimer(this, index, timers))];
        Region = MemoryRegion.OfIo(name, RegionSize, this, new IoAccess(4, 8));
    }

    /// <summary>The registers, for <see cref="RegionAddress"/>.</summary>
    public MemoryRegion Region { get; }

    internal IClock Clock => _clock;

    internal bool IsEnabled => (_configuration & Enable) != 0;

    /// <summary>The main counter's value at a moment not before its last change.</summary>
    internal ulong CounterAt(long nowNs) => IsEnabled ? _counterBase + (ulong)((nowNs - _startedNs) / TickNs) : _counterBase;

    /// <summary>The moment at which the main counter shows its value at <paramref name="nowNs"/> plus <paramref name="ticks"/>, or null when that is out of reach.</summary>
    internal long? TimeAfter(long nowNs, ulong ticks)
    {
        Int128 elapsed = ((nowNs - _startedNs) / TickNs) + (Int128)ticks;
        Int128 due = _startedNs + (elapsed * TickNs);
        return due < long.MaxValue ? (long)due : null;
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        Reroute(() => _status = 0);
        SetConfiguration(0);
        _counterBase = 0;
        foreach (HpetTimer timer in _timers)
        {
            timer.Reset();
        }
    }

    /// <inheritdoc/>
    public override HpetState Save() => new()
    {
        Configuration = _configuration,
        Status = _status,
        Counter = CounterAt(_clock.NowNs),
        Timers = [.. _timers.Select(timer => timer.Save())],
    };

    /// <inheritdoc/>
    public override void Restore(DeviceState state)
    {
        if (state is not HpetState { Timers.Length: TimerCount } s
            || (s.Configuration & ~(Enable | LegacyReplacement)) != 0 || s.Status >> TimerCount != 0
            || !s.Timers.All(HpetTimer.IsValid))
        {
            throw new InvalidDeviceStateException(Name, "a field is out of range or the record is of another device");
        }

        Reset();
        _counterBase = s.Counter;
        for (int i = 0; i < TimerCount; i++)
        {
            _timers[i].Restore(s.Timers[i]);
        }

        _status = s.Status;
        SetConfiguration(s.Configuration);
        UpdateLines();
    }

    /// <inheritdoc/>
    public ulong Read(ulong offset, int size)
    {
        ulong value = ReadRegister(offset & ~7UL);
        return size == 8 ? value : (uint)(value >> (int)((offset & 4) * 8));
    }

    /// <inheritdoc/>
    public void Write(ulong offset, ulong value, int size)
    {
        int shift = size == 8 ? 0 : (int)((offset & 4) * 8);
        ulong mask = size == 8 ? ulong.MaxValue : 0xFFFF_FFFFUL << shift;
        WriteRegister(offset & ~7UL, value << shift, mask);
    }

    /// <summary>Comparator <paramref name="index"/> matched: signals one edge, or a level until the guest clears its status bit.</summary>
    internal void Signal(int index)
    {
        if (_timers[index].IsLevel)
        {
            _status |= 1u << index;
            UpdateLines();
        }
        else if (_timers[index].InterruptEnabled && LineOf(index) is int line)
        {
            _interrupts.SetIrq(line, true);
            _interrupts.SetIrq(line, false);
        }
    }

    /// <summary>Drops the lines, does <paramref name="change"/> to the routing, and raises what is then due.</summary>
    internal void Reroute(Action change)
    {
        DriveLines(levels: 0);
        change();
        UpdateLines();
    }

    // Comparators 0 and 1 stand in for PIT and RTC in legacy replacement mode (2.3.5).
    private int? LineOf(int index) => (_configuration & LegacyReplacement) != 0 && index < 2
        ? index * 8
        : _timers[index].Route;

    private void UpdateLines() => DriveLines(_status);

    private void DriveLines(uint levels)
    {
        // Comparators may share a line: it is high while any of them is.
        foreach (IGrouping<int?, int> line in Enumerable.Range(0, TimerCount).Where(i => _timers[i].IsLevel).GroupBy(LineOf))
        {
            if (line.Key is int number)
            {
                _interrupts.SetIrq(number, line.Any(i => (levels & (1u << i)) != 0 && _timers[i].InterruptEnabled));
            }
        }
    }

    private ulong ReadRegister(ulong register)
    {
        switch (register)
        {
            case Capabilities: return CapabilitiesValue;
            case Configuration: return _configuration;
            case InterruptStatus: return _status;
            case MainCounter: return CounterAt(_clock.NowNs);
            default: return FindTimer(register, out ulong field)?.Read(field) ?? 0;
        }
    }

    private void WriteRegister(ulong register, ulong value, ulong mask)
    {
        switch (register)
        {
            case Configuration:
                SetConfiguration((uint)((_configuration & ~mask) | value) & (Enable | LegacyReplacement));
                break;
            case InterruptStatus:
                _status &= ~(uint)value;
                UpdateLines();
                break;
            case MainCounter:
                long now = _clock.NowNs;
                _counterBase = (CounterAt(now) & ~mask) | value;
                _startedNs = now;
                ScheduleAll(now);
                break;
            default:
                FindTimer(register, out ulong field)?.Write(field, value, mask);
                break;
        }
    }

    private HpetTimer? FindTimer(ulong register, out ulong field)
    {
        ulong index = (register - FirstTimer) / TimerStride;
        field = (register - FirstTimer) % TimerStride;
        return register >= FirstTimer && index < TimerCount ? _timers[index] : null;
    }

    private void SetConfiguration(uint value)
    {
        uint changed = _configuration ^ value;
        long now = _clock.NowNs;
        if ((changed & Enable) != 0)
        {
            _counterBase = CounterAt(now);
            _startedNs = now;
        }

        if ((changed & LegacyReplacement) != 0)
        {
            Reroute(() =>
            {
                _configuration = value;
                _legacyReplacementChanged((value & LegacyReplacement) != 0);
            });
        }

        _configuration = value;
        ScheduleAll(now);
    }

    // All of a change happens at one moment: a comparator that the counter reaches meanwhile has matched, not been passed over.
    private void ScheduleAll(long nowNs)
    {
        foreach (HpetTimer timer in _timers)
        {
            timer.Schedule(nowNs);
        }
    }
}
