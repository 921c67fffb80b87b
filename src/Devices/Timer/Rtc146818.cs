using Emu.Core;
using Emu.Core.Memory;
using Emu.Core.Time;

namespace Emu.Devices.Timer;

/// <summary>
/// The MC146818 real-time clock with 128 bytes of battery-backed RAM. Time is the clock's wall time plus an offset that
/// changes when the guest sets the time; a board chooses UTC or local time by the clock's own offset. Flags are computed
/// when they are looked at; timers run only for interrupts that are enabled.
/// </summary>
public sealed partial class Rtc146818 : Device
{
    private const long TicksPerSecond = TimeSpan.TicksPerSecond;

    // An update takes 244 us of warning and 1984 us of work (MC146818 table 6, 32.768 kHz time base).
    private const long UpdateTicks = 22280;

    private static readonly TickRate Oscillator = new(32_768);

    private readonly IrqLine _irq;
    private readonly IClock _clock;
    private readonly GuestTimer _updateTimer;
    private readonly GuestTimer _periodicTimer;
    private readonly byte[] _cmos = new byte[CmosSize];

    private byte _index;
    private long _offsetTicks;
    private long _lastSecond;
    private long _lastPeriod;

    /// <summary>Creates the clock, showing the wall time; <paramref name="irq"/> is IRQ 8 on a PC.</summary>
    public Rtc146818(string name, IrqLine irq, TimerQueue timers)
        : base(name)
    {
        ArgumentNullException.ThrowIfNull(timers);
        _irq = irq;
        _clock = timers.Clock;
        _updateTimer = timers.CreateTimer(Refresh);
        _periodicTimer = timers.CreateTimer(Refresh);
        Registers = PortRegion.OfBytes(name, 2, Read, Write);
        _cmos[RegA] = DividerNormal | 6; // 1024 Hz, as firmware sets it
        _cmos[RegB] = B24Hour;
        _lastSecond = GuestTicks / TicksPerSecond;
        Reset();
    }

    /// <summary>Index and data, for port 70H.</summary>
    public MemoryRegion Registers { get; }

    /// <summary>True while bit 7 of port 70H keeps NMIs from the CPU.</summary>
    public bool NmiMasked { get; private set; }

    /// <summary>Called when <see cref="NmiMasked"/> changes.</summary>
    public Action<bool>? NmiMaskChanged { get; set; }

    private bool Set => (_cmos[RegB] & BSet) != 0;

    private bool DividerRuns => (_cmos[RegA] & DividerMask) < DividerReset;

    private bool Running => !Set && DividerRuns;

    private long GuestTicks => Math.Clamp(_clock.WallClock.DateTime.Ticks + _offsetTicks, 0, DateTime.MaxValue.Ticks);

    /// <summary>
    /// A reset of the machine: interrupts off and flags clear. Time, CMOS and the shutdown byte live on the battery.
    /// </summary>
    public override void Reset()
    {
        _index = 0;
        SetNmiMask(false);
        _cmos[RegB] &= unchecked((byte)~(BPeriodic | BAlarm | BUpdateEnded | BSquareWave));
        _cmos[RegC] = 0;
        Refresh();
    }

    private byte Read(int offset) => offset == 0 ? (byte)0xff : ReadRegister(_index);

    private void Write(int offset, byte value)
    {
        if (offset == 0)
        {
            _index = (byte)(value & (CmosSize - 1));
            SetNmiMask((value & NmiMaskBit) != 0);
        }
        else
        {
            WriteRegister(_index, value);
        }
    }

    private void SetNmiMask(bool masked)
    {
        if (NmiMasked != masked)
        {
            NmiMasked = masked;
            NmiMaskChanged?.Invoke(masked);
        }
    }

    private byte ReadRegister(int index)
    {
        switch (index)
        {
            case RegA:
                return (byte)(_cmos[RegA] | (UpdateInProgress ? AUpdateInProgress : 0));
            case RegC:
                CollectFlags();
                byte flags = _cmos[RegC];
                _cmos[RegC] = 0;
                Refresh();
                return flags;
            case RegD:
                return DValid;
            default:
                if (Running && IsTimeRegister(index))
                {
                    TimeToRegisters();
                }

                return _cmos[index];
        }
    }

    private bool UpdateInProgress => Running && GuestTicks % TicksPerSecond >= TicksPerSecond - UpdateTicks;

    private void WriteRegister(int index, byte value)
    {
        CollectFlags();
        switch (index)
        {
            case RegA: WriteA(value); break;
            case RegB: WriteB(value); break;
            case RegC or RegD: break;
            default:
                if (Running && IsTimeRegister(index))
                {
                    TimeToRegisters();
                    _cmos[index] = value;
                    RegistersToTime(GuestTicks % TicksPerSecond);
                }
                else
                {
                    _cmos[index] = value;
                }

                break;
        }

        Refresh();
    }

    private void WriteA(byte value)
    {
        bool ran = DividerRuns;
        if (Running)
        {
            TimeToRegisters();
        }

        _cmos[RegA] = (byte)(value & ~AUpdateInProgress);
        _lastPeriod = PeriodNumber;
        if (!ran && DividerRuns)
        {
            // The first update comes half a second after the divider is released (MC146818, "Divider Stages").
            RegistersToTime(TicksPerSecond / 2);
        }
    }

    private void WriteB(byte value)
    {
        bool wasSet = Set;
        if (Running)
        {
            TimeToRegisters();
        }

        if ((value & BSet) != 0)
        {
            value &= unchecked((byte)~BUpdateEnded); // SET clears UIE (MC146818, "Register B")
        }

        _cmos[RegB] = value;
        if (wasSet && Running)
        {
            RegistersToTime(GuestTicks % TicksPerSecond); // the divider chain ran on meanwhile
        }
    }

    /// <summary>Sets the flags that have come due since the last call (register C bits 6:4).</summary>
    private void CollectFlags()
    {
        long second = GuestTicks / TicksPerSecond;
        if (Running && second > _lastSecond)
        {
            _cmos[RegC] |= BUpdateEnded;
            if (NextAlarm(_lastSecond + 1) is long alarm && alarm <= second)
            {
                _cmos[RegC] |= BAlarm;
            }
        }

        _lastSecond = second;
        long period = PeriodNumber;
        if (period != _lastPeriod)
        {
            _cmos[RegC] |= BPeriodic;
            _lastPeriod = period;
        }

        bool request = (_cmos[RegC] & _cmos[RegB] & InterruptMask) != 0;
        _cmos[RegC] = (byte)((_cmos[RegC] & InterruptMask) | (request ? CInterrupt : 0));
    }

    /// <summary>Collects flags, drives the interrupt and arms the timers for what is enabled.</summary>
    private void Refresh()
    {
        CollectFlags();
        bool request = (_cmos[RegC] & CInterrupt) != 0;
        _irq.Set(request);

        // While the line is high nothing more can be signalled until register C is read.
        Arm(_updateTimer, request ? null : NextUpdateNs());
        Arm(_periodicTimer, request ? null : NextPeriodNs());
    }

    private static void Arm(GuestTimer timer, long? deadline)
    {
        if (deadline is long ns)
        {
            timer.Arm(ns);
        }
        else
        {
            timer.Cancel();
        }
    }

    private long? NextUpdateNs()
    {
        if (!Running)
        {
            return null;
        }

        long now = GuestTicks;
        long? second = (_cmos[RegB] & BUpdateEnded) != 0 ? _lastSecond + 1
            : (_cmos[RegB] & BAlarm) != 0 ? NextAlarm(_lastSecond + 1)
            : null;
        return second is long s && s <= DateTime.MaxValue.Ticks / TicksPerSecond
            ? ((_clock.NowNs / NsPerTick) + (s * TicksPerSecond) - now) * NsPerTick
            : null;
    }

    // Periods are numbered from virtual time zero; the rate select gives 2^(RS-1) oscillator ticks, with RS 1 and 2 as 8 and 9.
    private long PeriodTicks
    {
        get
        {
            int rate = _cmos[RegA] & ARateMask;
            return rate == 0 || !DividerRuns ? 0 : 1L << ((rate < 3 ? rate + 7 : rate) - 1);
        }
    }

    private long PeriodNumber => PeriodTicks == 0 ? 0 : Oscillator.TicksAt(_clock.NowNs) / PeriodTicks;

    private long? NextPeriodNs() => (_cmos[RegB] & BPeriodic) != 0 && PeriodTicks > 0
        ? Oscillator.NsOf((_lastPeriod + 1) * PeriodTicks)
        : null;
}
