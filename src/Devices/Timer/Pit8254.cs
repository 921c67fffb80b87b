using Emu.Core;
using Emu.Core.Memory;
using Emu.Core.Time;

namespace Emu.Devices.Timer;

/// <summary>Saved state of a <see cref="Pit8254"/>.</summary>
public sealed record Pit8254State : DeviceState
{
    /// <summary>The three counters.</summary>
    public PitChannelState[] Channels { get; init; } = [];

    /// <summary>Bits 3:1 of port 61H: speaker data and the two check enables.</summary>
    public byte Port61 { get; init; }
}

/// <summary>
/// The 8254 interval timer (Intel 231164) at 1.193182 MHz with the PC's port 61H. Tick numbers are exact functions of virtual
/// time, so periods do not drift. Only rising edges of OUT 0 wake the device; the low phase before one is folded into
/// it. When the callback comes late, the edges missed become a single one, which is all that the 8259 would have kept;
/// the following edge is on time again.
/// </summary>
public sealed class Pit8254 : Device
{
    /// <summary>Ticks per second.</summary>
    public const long FrequencyHz = 1_193_182;

    private const int ControlPort = 3;
    private const int ReadBack = 3;
    private const byte ReadBackNoCount = 0x20;
    private const byte ReadBackNoStatus = 0x10;

    private const byte Port61Gate2 = 0x01;
    private const byte Port61Writable = 0x0e;
    private const byte Port61Refresh = 0x10;
    private const byte Port61Out2 = 0x20;

    // Counter 1 asked for a DRAM refresh every 18 ticks, 15 us; software uses the toggle as a clock.
    private const long RefreshTicks = 18;

    private static readonly TickRate Rate = new(FrequencyHz);

    private readonly PitChannel[] _channels = [new(), new(), new()];
    private readonly IrqLine _irq;
    private readonly IClock _clock;
    private readonly GuestTimer _timer;
    private byte _port61;

    /// <summary>Creates the timer; <paramref name="irq"/> is OUT of counter 0.</summary>
    public Pit8254(string name, IrqLine irq, TimerQueue timers)
        : base(name)
    {
        ArgumentNullException.ThrowIfNull(timers);
        _irq = irq;
        _clock = timers.Clock;
        _timer = timers.CreateTimer(OnRise);
        Registers = PortRegion.OfBytes(name, 4, Read, Write);
        SystemControlPort = PortRegion.OfBytes($"{name}-port61", 1, _ => ReadPort61(), (_, value) => WritePort61(value));
        Reset();
    }

    /// <summary>The four registers, for port 40H.</summary>
    public MemoryRegion Registers { get; }

    /// <summary>Port 61H: gate and output of counter 2, speaker data, refresh toggle.</summary>
    public MemoryRegion SystemControlPort { get; }

    /// <summary>The level that reaches the speaker: OUT of counter 2 gated by the speaker data bit (port 61H bit 1).</summary>
    public bool SpeakerOutput => (_port61 & 0x02) != 0 && _channels[2].Output(Now);

    private long Now => Rate.TicksAt(_clock.NowNs);

    /// <inheritdoc/>
    public override void Reset()
    {
        for (int i = 0; i < _channels.Length; i++)
        {
            _channels[i].Reset(gate: i != 2); // gates 0 and 1 are tied high
        }

        _port61 = 0;
        UpdateOutput();
    }

    /// <inheritdoc/>
    public override DeviceState Save()
    {
        long now = Now;
        return new Pit8254State { Channels = [.. _channels.Select(channel => channel.Save(now))], Port61 = _port61 };
    }

    /// <inheritdoc/>
    public override void Restore(DeviceState state)
    {
        Pit8254State s = this.Expect<Pit8254State>(state);
        this.Require(s.Channels is not null && s.Channels.Length == _channels.Length);
        this.Require(Array.TrueForAll(s.Channels, channel => channel is not null && channel.IsValid));
        this.Require(s.Channels[0].Gate && s.Channels[1].Gate);
        this.Require((s.Port61 & ~Port61Writable) == 0);
        long now = Now;
        for (int i = 0; i < _channels.Length; i++)
        {
            _channels[i].Restore(now, s.Channels[i]);
        }

        _port61 = s.Port61;
        UpdateOutput();
    }

    private byte Read(int offset) => offset == ControlPort ? (byte)0xff : _channels[offset].Read(Now);

    private void Write(int offset, byte value)
    {
        if (offset == ControlPort)
        {
            WriteControl(value);
        }
        else
        {
            _channels[offset].Write(Now, value);
        }

        if (offset is 0 or ControlPort)
        {
            UpdateOutput();
        }
    }

    private void WriteControl(byte value)
    {
        int select = value >> 6;
        byte access = (byte)((value >> 4) & 3);
        if (select == ReadBack)
        {
            WriteReadBack(value);
        }
        else if (access == 0)
        {
            _channels[select].LatchCount(Now);
        }
        else
        {
            _channels[select].SetMode(access, (byte)((value >> 1) & 7), (value & 1) != 0);
        }
    }

    private void WriteReadBack(byte value)
    {
        long now = Now;
        for (int i = 0; i < _channels.Length; i++)
        {
            if ((value & (2 << i)) == 0)
            {
                continue;
            }

            if ((value & ReadBackNoCount) == 0)
            {
                _channels[i].LatchCount(now);
            }

            if ((value & ReadBackNoStatus) == 0)
            {
                _channels[i].LatchStatus(now);
            }
        }
    }

    private byte ReadPort61()
    {
        long now = Now;
        bool refresh = (now / RefreshTicks & 1) != 0;
        return (byte)(_port61
            | (_channels[2].Gate ? Port61Gate2 : 0)
            | (refresh ? Port61Refresh : 0)
            | (_channels[2].Output(now) ? Port61Out2 : 0));
    }

    private void WritePort61(byte value)
    {
        _channels[2].SetGate(Now, (value & Port61Gate2) != 0);
        _port61 = (byte)(value & Port61Writable);
    }

    private void OnRise()
    {
        _irq.Set(false);
        UpdateOutput();
    }

    /// <summary>Drives IRQ 0 to the level of OUT 0 and arms the timer for the next rising edge.</summary>
    private void UpdateOutput()
    {
        long now = Now;
        _irq.Set(_channels[0].Output(now));
        if (_channels[0].NextRise(now) is long tick)
        {
            _timer.Arm(Rate.NsOf(tick));
        }
        else
        {
            _timer.Cancel();
        }
    }
}
