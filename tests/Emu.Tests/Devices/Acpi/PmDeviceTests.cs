using Emu.Core;
using Emu.Core.Memory;
using Emu.Core.Time;
using Emu.Devices.Acpi;

namespace Emu.Tests.Devices.Acpi;

public sealed class PmDeviceTests : IIrqSink
{
    private const ulong Status = PmDevice.DefaultPort;
    private const ulong Enable = Status + 2;
    private const ulong Control = Status + 4;
    private const ulong TimerPort = Status + 8;

    private readonly ManualClock _clock = new();
    private readonly TimerQueue _timers;
    private readonly PmDevice _pm;
    private readonly AddressSpace _ports;
    private bool _sci;
    private int _powerOffs;
    private int _resets;

    public PmDeviceTests()
    {
        _timers = new TimerQueue(_clock);
        _pm = new PmDevice("pm", _timers, new IrqLine(this, 9), () => _powerOffs++);
        MemoryRegion root = MemoryRegion.Container("ports", 0x10000);
        root.Add(PmDevice.DefaultPort, _pm.Region);
        root.Add(PmDevice.SmiCommandPort, _pm.SmiCommandRegion);
        root.Add(ResetRegister.Port, new ResetRegister("reset", () => _resets++).Region);
        _ports = new AddressSpace("ports", root, new MachineLock());
    }

    void IIrqSink.SetIrq(int number, bool level) => _sci = level;

    [Fact]
    public void PowerButton_InAcpiMode_RaisesTheSciUntilTheStatusIsCleared()
    {
        _ports.Write(PmDevice.SmiCommandPort, PmDevice.AcpiEnable, 1);
        _ports.Write(Enable, 0x100, 2);

        _pm.PressPowerButton();
        Assert.True(_sci);
        Assert.Equal(0x100UL, _ports.Read(Status, 2));
        _ports.Write(Status, 0x100, 2);

        Assert.False(_sci);
        Assert.Equal(0UL, _ports.Read(Status, 2));
    }

    [Fact]
    public void AcpiMode_FollowsTheSmiCommandOnly()
    {
        _ports.Write(Control, 1, 2);
        Assert.Equal(0UL, _ports.Read(Control, 2));

        _ports.Write(PmDevice.SmiCommandPort, PmDevice.AcpiEnable, 1);
        _ports.Write(Control, 0, 2);
        Assert.Equal(1UL, _ports.Read(Control, 2));

        _ports.Write(PmDevice.SmiCommandPort, PmDevice.AcpiDisable, 1);
        Assert.Equal(0UL, _ports.Read(Control, 2));
    }

    [Theory]
    [InlineData(0x3401u, 1)]
    [InlineData(0x1401u, 0)]
    [InlineData(0x2401u, 0)]
    public void Sleep_OnlyType5WithEnable_PowersOff(uint value, int expected)
    {
        _ports.Write(Control, value, 2);

        Assert.Equal(expected, _powerOffs);
    }

    [Fact]
    public void Timer_CountsAt3579545HzIn24Bits()
    {
        _clock.Advance(1_000_000_000);
        Assert.Equal(3_579_545UL, _ports.Read(TimerPort, 4));

        _clock.Advance(4_000_000_000);
        Assert.Equal((5UL * 3_579_545) & 0xFF_FFFF, _ports.Read(TimerPort, 4));
    }

    [Fact]
    public void Timer_TopBitChanges_SetsStatusAndInterrupts()
    {
        _ports.Write(PmDevice.SmiCommandPort, PmDevice.AcpiEnable, 1);
        _ports.Write(Enable, 1, 2);

        _clock.Advance(2_343_484_437, _timers);
        Assert.False(_sci);
        _clock.Advance(1_000, _timers);
        Assert.True(_sci);
        Assert.Equal(1UL, _ports.Read(Status, 2));

        _ports.Write(Status, 1, 2);
        Assert.False(_sci);
        Assert.InRange(_timers.NextDeadlineNs!.Value, 4_686_968_000, 4_686_971_000);
    }

    [Theory]
    [InlineData(0x02, 0)]
    [InlineData(0x06, 1)]
    [InlineData(0x0E, 1)]
    [InlineData(0x08, 0)]
    public void ResetRegister_BitTwo_Resets(int value, int expected)
    {
        _ports.Write(ResetRegister.Port, (ulong)value, 1);

        Assert.Equal(expected, _resets);
    }

    [Fact]
    public void SaveRestore_KeepsTheTimerAndRejectsHostileRecords()
    {
        _ports.Write(PmDevice.SmiCommandPort, PmDevice.AcpiEnable, 1);
        _ports.Write(Enable, 0x101, 2);
        _clock.Advance(1_000_000_000);
        PmState saved = _pm.Save();
        var other = new PmDeviceTests();

        other._pm.Restore(saved);

        Assert.Equal(3_579_545UL, other._ports.Read(TimerPort, 4));
        Assert.Equal(saved, other._pm.Save());
        Assert.Throws<InvalidDeviceStateException>(() => other._pm.Restore(saved with { NextCarryTick = long.MaxValue }));
        Assert.Throws<InvalidDeviceStateException>(() => other._pm.Restore(saved with { Control = 0xFFFF }));
    }
}
