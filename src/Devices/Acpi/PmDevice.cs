using Emu.Core;
using Emu.Core.Memory;
using Emu.Core.Time;

namespace Emu.Devices.Acpi;

/// <summary>State of a <see cref="PmDevice"/>.</summary>
public sealed record PmState : DeviceState
{
    /// <summary>PM1 status register, the timer's bit as last seen.</summary>
    public ushort Status { get; init; }

    /// <summary>PM1 enable register.</summary>
    public ushort Enable { get; init; }

    /// <summary>PM1 control register.</summary>
    public ushort Control { get; init; }

    /// <summary>APM control and status bytes (ports B2H and B3H).</summary>
    public ushort SmiCommand { get; init; }

    /// <summary>The PM timer's ticks at saving.</summary>
    public long TimerTicks { get; init; }

    /// <summary>The tick at which the timer's status bit is set next.</summary>
    public long NextCarryTick { get; init; }
}

/// <summary>
/// ACPI's fixed hardware (ACPI 6.5, 4.8): the PM1a event and control blocks, the PM timer, and the SMI command port,
/// which switches ACPI mode at once as there is no SMM. The SCI line is a level.
/// </summary>
public sealed class PmDevice : Device
{
    /// <summary>Usual port of <see cref="Region"/>.</summary>
    public const ushort DefaultPort = 0x600;

    /// <summary>Port of <see cref="SmiCommandRegion"/>.</summary>
    public const ushort SmiCommandPort = 0xB2;

    /// <summary>Command that turns ACPI mode on.</summary>
    public const byte AcpiEnable = 0xF1;

    /// <summary>Command that turns ACPI mode off.</summary>
    public const byte AcpiDisable = 0xF0;

    /// <summary>IRQ of the SCI.</summary>
    public const int SciIrq = 9;

    /// <summary>The sleep type that means soft-off.</summary>
    public const int SoftOffType = 5;

    internal const ushort ControlOffset = 4;
    internal const ushort TimerOffset = 8;

    private const long TimerHz = 3_579_545;
    private const long NsPerSecond = 1_000_000_000;

    // PM1 status and enable (4.8.3.1). WAK_STS has no enable bit.
    private const ushort TimerEvent = 1 << 0;
    private const ushort GlobalEvent = 1 << 5;
    private const ushort PowerButtonEvent = 1 << 8;
    private const ushort SleepButtonEvent = 1 << 9;
    private const ushort RtcEvent = 1 << 10;
    private const ushort WakeStatus = 1 << 15;
    private const ushort Events = TimerEvent | GlobalEvent | PowerButtonEvent | SleepButtonEvent | RtcEvent;

    // PM1 control (4.8.3.2). SLP_EN reads as zero.
    private const ushort SciEnable = 1 << 0;
    private const ushort BusMasterReload = 1 << 1;
    private const int SleepTypeShift = 10;
    private const ushort SleepType = 7 << SleepTypeShift;
    private const ushort SleepEnable = 1 << 13;

    private readonly IClock _clock;
    private readonly IrqLine _sci;
    private readonly Action _powerOff;
    private readonly GuestTimer _carryTimer;
    private readonly uint _timerMask;
    private readonly byte[] _smiCommand = new byte[2];
    private ushort _status;
    private ushort _enable;
    private ushort _control;
    private long _originTicks;
    private long _nextCarryTick;

    /// <summary>Creates the device, reset.</summary>
    /// <param name="name">Unique name.</param>
    /// <param name="timers">Virtual time.</param>
    /// <param name="sci">The system control interrupt.</param>
    /// <param name="powerOff">Called when the guest enters S5.</param>
    /// <param name="timer32Bit">True for a 32-bit PM timer, else 24-bit.</param>
    public PmDevice(string name, TimerQueue timers, IrqLine sci, Action powerOff, bool timer32Bit = false)
        : base(name)
    {
        ArgumentNullException.ThrowIfNull(timers);
        _clock = timers.Clock;
        _sci = sci;
        _powerOff = powerOff;
        _timerMask = timer32Bit ? uint.MaxValue : 0xFF_FFFF;
        _carryTimer = timers.CreateTimer(Update);
        Region = MemoryRegion.Container(name, 16);
        Region.Add(0, MemoryRegion.OfIo($"{name}-pm1", 6, new Registers(ReadPm1, WritePm1), IoAccess.Bytes));
        Region.Add(TimerOffset, MemoryRegion.OfIo($"{name}-timer", 4, new Registers(_ => TimerValue, (_, _) => { }), IoAccess.Dwords));
        SmiCommandRegion = MemoryRegion.OfIo($"{name}-smi", 2, new Registers(offset => _smiCommand[offset], WriteSmiCommand), IoAccess.Bytes);
        Reset();
    }

    /// <summary>PM1a event block at 0, PM1a control at 4, PM timer at 8. For <see cref="DefaultPort"/>.</summary>
    public MemoryRegion Region { get; }

    /// <summary>The SMI command and status ports, for <see cref="SmiCommandPort"/>.</summary>
    public MemoryRegion SmiCommandRegion { get; }

    private long Ticks => (long)((Int128)_clock.NowNs * TimerHz / NsPerSecond) - _originTicks;

    private uint TimerValue => (uint)Ticks & _timerMask;

    // The status bit is set whenever the timer's top bit changes (4.8.2.1).
    private long CarryInterval => ((long)_timerMask + 1) / 2;

    /// <summary>Presses the power button: an event that an ACPI guest answers by shutting down.</summary>
    public void PressPowerButton()
    {
        _status |= PowerButtonEvent;
        Update();
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        _status = 0;
        _enable = 0;
        _control = 0;
        Array.Clear(_smiCommand);
        _originTicks += Ticks;
        _nextCarryTick = CarryInterval;
        Update();
    }

    /// <inheritdoc/>
    public override PmState Save() => new()
    {
        Status = _status,
        Enable = _enable,
        Control = _control,
        SmiCommand = (ushort)(_smiCommand[0] | (_smiCommand[1] << 8)),
        TimerTicks = Ticks,
        NextCarryTick = _nextCarryTick,
    };

    /// <inheritdoc/>
    public override void Restore(DeviceState state)
    {
        const long farthest = 1L << 50;
        if (state is not PmState s
            || (s.Status & ~(Events | WakeStatus)) != 0 || (s.Enable & ~Events) != 0
            || (s.Control & ~(SciEnable | BusMasterReload | SleepType)) != 0
            || s.TimerTicks is < 0 or > farthest || s.NextCarryTick is < 0 or > farthest)
        {
            throw new InvalidDeviceStateException(Name, "a field is out of range or the record is of another device");
        }

        _status = s.Status;
        _enable = s.Enable;
        _control = s.Control;
        _smiCommand[0] = (byte)s.SmiCommand;
        _smiCommand[1] = (byte)(s.SmiCommand >> 8);
        _originTicks += Ticks - s.TimerTicks;
        _nextCarryTick = s.NextCarryTick;
        Update();
    }

    private ulong ReadPm1(ulong offset)
    {
        NoteCarry();
        ushort register = (offset >> 1) switch
        {
            0 => _status,
            1 => _enable,
            _ => _control,
        };
        return (byte)(register >> (int)((offset & 1) * 8));
    }

    // Byte by byte, as a wider access arrives; sleep type and enable share a byte, so nothing is seen half-written.
    private void WritePm1(ulong offset, byte value)
    {
        int shift = (int)((offset & 1) * 8);
        ushort bits = (ushort)(value << shift);
        ushort keep = (ushort)~(0xFF << shift);
        switch (offset >> 1)
        {
            case 0:
                ClearStatus(bits);
                break;
            case 1:
                _enable = (ushort)(((_enable & keep) | bits) & Events);
                break;
            default:
                // SCI_EN follows the SMI command only.
                const ushort writable = BusMasterReload | SleepType;
                _control = (ushort)((_control & (keep | ~writable)) | (bits & writable));
                if ((bits & SleepEnable) != 0)
                {
                    EnterSleep();
                }

                break;
        }

        Update();
    }

    private void ClearStatus(ushort bits)
    {
        NoteCarry();
        _status &= (ushort)~bits;
    }

    private void EnterSleep()
    {
        if ((_control & SleepType) >> SleepTypeShift == SoftOffType)
        {
            _powerOff();
        }
    }

    private void WriteSmiCommand(ulong offset, byte value)
    {
        _smiCommand[offset] = value;
        if (offset != 0)
        {
            return;
        }

        _control = value switch
        {
            AcpiEnable => (ushort)(_control | SciEnable),
            AcpiDisable => (ushort)(_control & ~SciEnable),
            _ => _control,
        };
        Update();
    }

    private void NoteCarry()
    {
        long ticks = Ticks;
        if (ticks >= _nextCarryTick)
        {
            _status |= TimerEvent;
            _nextCarryTick = ((ticks / CarryInterval) + 1) * CarryInterval;
        }
    }

    // The host is woken for the carry only while the guest would see an interrupt from it.
    private void Update()
    {
        NoteCarry();
        bool sciOn = (_control & SciEnable) != 0;
        _sci.Set(sciOn && (_status & _enable & Events) != 0);
        if (sciOn && (_enable & ~_status & TimerEvent) != 0)
        {
            Int128 tick = (Int128)_nextCarryTick + _originTicks;
            _carryTimer.Arm((long)(((tick * NsPerSecond) + TimerHz - 1) / TimerHz));
        }
        else
        {
            _carryTimer.Cancel();
        }
    }

    /// <summary>Registers as a pair of functions; every register block here takes one access size.</summary>
    private sealed class Registers(Func<ulong, ulong> read, Action<ulong, byte> write) : IIoHandler
    {
        public ulong Read(ulong offset, int size) => read(offset);

        public void Write(ulong offset, ulong value, int size) => write(offset, (byte)value);
    }
}
