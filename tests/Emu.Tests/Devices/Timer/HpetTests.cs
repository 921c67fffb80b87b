using Emu.Core;
using Emu.Core.Memory;
using Emu.Core.Time;
using Emu.Devices.Timer;

namespace Emu.Tests.Devices.Timer;

public sealed class HpetTests : IIrqSink
{
    private const ulong Configuration = 0x10;
    private const ulong Status = 0x20;
    private const ulong Counter = 0xF0;

    private readonly ManualClock _clock = new();
    private readonly TimerQueue _timers;
    private readonly Hpet _hpet;
    private readonly AddressSpace _memory;
    private readonly List<string> _events = [];

    public HpetTests()
    {
        _timers = new TimerQueue(_clock);
        _hpet = new Hpet("hpet", _timers, this, legacy => _events.Add($"legacy {legacy}"));
        MemoryRegion root = MemoryRegion.Container("memory", 1UL << 32);
        root.Add(Hpet.RegionAddress, _hpet.Region);
        _memory = new AddressSpace("memory", root, new MachineLock());
        _hpet.Reset();
    }

    void IIrqSink.SetIrq(int number, bool level)
    {
        if (level || _events.Contains($"+{number}"))
        {
            _events.Add((level ? "+" : "-") + number);
        }
    }

    [Fact]
    public void Capabilities_SayThreeTimersAnd10Ns()
    {
        Assert.Equal(0x0098_9680_8086_A201UL, Read(0, 8));
        Assert.Equal(0x0098_9680UL, Read(4, 4));
        Assert.Equal(0x00FF_0000_0000_0030UL, Read(0x100, 8));
        Assert.Equal(0UL, Read(0x160, 8));
    }

    [Theory]
    [InlineData(0x4c)]
    [InlineData(0x04)]
    public void Comparator_ReachedWhileItIsBeingSet_StillInterrupts(int configuration)
    {
        var timers = new TimerQueue(new RestlessClock());
        var hpet = new Hpet("hpet", timers, this, _ => { });
        hpet.Reset();
        hpet.Write(0x100, (ulong)configuration | (16 << 9), 4);
        hpet.Write(0x108, 1, 8);
        hpet.Write(Configuration, 1, 4);

        timers.RunExpired();
        bool periodic = (configuration & 8) != 0;
        Assert.Equal(["+16", "-16"], _events);
        Assert.True(timers.NextDeadlineNs < 1_000_000 == periodic);
    }

    [Fact]
    public void Counter_RunsOnlyWhileEnabled()
    {
        _clock.Advance(1000);
        Assert.Equal(0UL, Read(Counter, 8));
        Write(Configuration, 1, 4);
        _clock.Advance(1000);
        Assert.Equal(100UL, Read(Counter, 8));
        Write(Configuration, 0, 4);
        _clock.Advance(1000);
        Assert.Equal(100UL, Read(Counter, 4));

        Write(Counter + 4, 5, 4);
        Assert.Equal(0x5_0000_0064UL, Read(Counter, 8));
    }

    [Fact]
    public void OneShot_Edge_PulsesItsRouteOnce()
    {
        Write(Configuration, 1, 8);
        Write(0x120, Timer(route: 20), 4);
        Write(0x128, 500, 8);

        _clock.Advance(4_999, _timers);
        Assert.Empty(_events);
        _clock.Advance(1_000_000, _timers);

        Assert.Equal(["+20", "-20"], _events);
    }

    [Fact]
    public void Periodic_LateCallback_KeepsThePhase()
    {
        Write(Configuration, 1, 8);
        Write(0x100, Timer(route: 16) | 0x8 | 0x40, 4);
        Write(0x108, 100_000, 8);
        Write(0x108, 50_000, 8);

        _clock.Advance(2_730_000);
        _timers.RunExpired();

        Assert.Equal(["+16", "-16"], _events);
        Assert.Equal(3_000_000, _timers.NextDeadlineNs);
        Assert.Equal(300_000UL, Read(0x108, 8));
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(1UL)]
    public void Periodic_TinyPeriod_DoesNotStormTheMachine(ulong period)
    {
        Write(Configuration, 1, 8);
        Write(0x100, Timer(route: 16) | 0x8 | 0x40, 4);
        Write(0x108, period, 8);

        _clock.Advance(1_000_000, _timers);

        Assert.InRange(_events.Count(e => e == "+16"), 0, 11);
    }

    [Fact]
    public void Level_StaysUntilTheStatusBitIsWritten()
    {
        Write(Configuration, 1, 8);
        Write(0x140, Timer(route: 17) | 0x2, 4);
        Write(0x148, 10, 8);
        _clock.Advance(1000, _timers);
        Assert.Equal(4UL, Read(Status, 4));
        Assert.Equal(["+17"], _events);

        Write(Status, 4, 4);

        Assert.Equal(["+17", "-17"], _events);
    }

    [Fact]
    public void LegacyReplacement_SendsTimers0And1ToIrq0And8()
    {
        Write(Configuration, 3, 8);
        Write(0x100, Timer(route: 0), 4);
        Write(0x120, Timer(route: 0), 4);
        Write(0x108, 10, 8);
        Write(0x128, 20, 8);

        _clock.Advance(1000, _timers);
        Write(Configuration, 0, 8);

        Assert.Equal(["legacy True", "+0", "-0", "+8", "-8", "legacy False"], _events);
    }

    [Fact]
    public void Mode32_ComparatorBehindTheCounter_MatchesAfterTheWrap()
    {
        Write(Counter, 0xFFFF_FFF0, 8);
        Write(Configuration, 1, 8);
        Write(0x100, Timer(route: 16) | 0x100, 4);
        Write(0x108, 0x10, 4);

        _clock.Advance(319, _timers);
        Assert.Empty(_events);
        _clock.Advance(1, _timers);
        Assert.Equal(["+16", "-16"], _events);
    }

    [Fact]
    public void SaveRestore_GoesOnWhereItWas()
    {
        Write(Configuration, 1, 8);
        Write(0x120, Timer(route: 20), 4);
        Write(0x128, 500, 8);
        _clock.Advance(2_000);
        HpetState saved = _hpet.Save();
        var other = new HpetTests();
        other._clock.Advance(70);

        other._hpet.Restore(saved);
        other._clock.Advance(2_999, other._timers);
        Assert.Empty(other._events);
        other._clock.Advance(1, other._timers);

        Assert.Equal(["+20", "-20"], other._events);
        Assert.Throws<InvalidDeviceStateException>(() => other._hpet.Restore(saved with { Timers = [] }));
        Assert.Throws<InvalidDeviceStateException>(() => other._hpet.Restore(saved with { Status = 8 }));
    }

    [Fact]
    public void Registers_EveryOffsetAndSize_NeverThrows()
    {
        foreach (ulong value in new[] { ulong.MaxValue, 0UL, 0x7FFF_FFFF_FFFF_FFFFUL })
        {
            for (ulong offset = 0; offset < Hpet.RegionSize; offset++)
            {
                Write(offset, value, 8);
                Write(offset, value, 4);
                Read(offset, 8);
            }

            _clock.Advance(1_000_000, _timers);
        }
    }

    private static ulong Timer(int route) => 0x4 | ((ulong)route << 9);

    private ulong Read(ulong offset, int size) => _memory.Read(Hpet.RegionAddress + offset, size);

    private void Write(ulong offset, ulong value, int size) => _memory.Write(Hpet.RegionAddress + offset, value, size);
}
