using Emu.Core;
using Emu.Devices.Timer;

namespace Emu.Tests.Devices;

public sealed class PitTests
{
    private readonly PortBench _bench = new();
    private readonly Pit8254 _pit;

    public PitTests()
    {
        _pit = new Pit8254("pit", _bench.Irq(0), _bench.Timers);
        _bench.Place(0x40, _pit.Registers);
        _bench.Place(0x61, _pit.SystemControlPort);
    }

    [Fact]
    public void Pit_Mode2_InterruptsWithoutDrift()
    {
        Program(0, 0x34, 11932);
        int before = _bench.Edges(0);

        _bench.Advance(1_000_000_000_000);

        // (1000 s * 1193182 - 1) / 11932 periods, the first CLK only loads.
        Assert.Equal(99998, _bench.Edges(0) - before);
    }

    [Fact]
    public void Pit_LateCallback_CoalescesAndKeepsPhase()
    {
        Program(0, 0x34, 11932);
        int before = _bench.Edges(0);

        _bench.Clock.Advance(55_000_000);
        _bench.Timers.RunExpired();

        Assert.Equal(1, _bench.Edges(0) - before);
        Assert.Equal(TickNs(1 + (6 * 11932)), _bench.Timers.NextDeadlineNs);
    }

    [Fact]
    public void Pit_Mode0Channel2_CountsDownAndRaisesOut()
    {
        _bench.Out(0x61, 0x01);
        Program(2, 0xb0, 0xffff);
        Assert.Equal(0x00, _bench.In(0x61) & 0x20);

        AdvanceToTick(1 + 0x1234);
        Assert.Equal(0xffff - 0x1234, ReadCount(2));
        AdvanceToTick(0xffff);
        Assert.Equal(0x00, _bench.In(0x61) & 0x20);
        AdvanceToTick(1 + 0xffff);

        Assert.Equal(0x21, _bench.In(0x61) & 0x21);
        AdvanceToTick(1 + 0xffff + 5);
        Assert.Equal(0xfffb, ReadCount(2));
    }

    [Fact]
    public void Pit_GateLowInMode0_StopsTheCount()
    {
        _bench.Out(0x61, 0x01);
        Program(2, 0xb0, 1000);
        AdvanceToTick(101);
        _bench.Out(0x61, 0x00);
        AdvanceToTick(5000);
        Assert.Equal(900, ReadCount(2));

        _bench.Out(0x61, 0x01);
        AdvanceToTick(5100);

        Assert.Equal(800, ReadCount(2));
    }

    [Fact]
    public void Pit_LatchedCount_StaysUntilRead()
    {
        Program(0, 0x34, 1000);
        AdvanceToTick(11);
        _bench.Out(0x43, 0x00);
        AdvanceToTick(500);

        Assert.Equal(990, ReadCount(0));
        Assert.Equal(501, ReadCount(0));
    }

    [Fact]
    public void Pit_ReadBack_GivesStatusThenCount()
    {
        Program(0, 0x34, 1000);
        AdvanceToTick(11);
        _bench.Out(0x43, 0xc2);

        Assert.Equal(0xb4, _bench.In(0x40));
        Assert.Equal(990, ReadCount(0));
    }

    [Fact]
    public void Pit_ReadBackBeforeLoad_ShowsNullCount()
    {
        _bench.Out(0x43, 0x34);
        _bench.Out(0x43, 0xe2);

        Assert.Equal(0xf4, _bench.In(0x40));
    }

    [Theory]
    [InlineData(10, 4, 2, true)]
    [InlineData(10, 5, 10, false)]
    [InlineData(9, 4, 0, true)]
    [InlineData(9, 5, 8, false)]
    public void Pit_Mode3_CountsByTwoInEachHalf(ushort count, int ticks, int expected, bool output)
    {
        Program(0, 0x36, count);

        AdvanceToTick(1 + ticks);

        Assert.Equal(expected, ReadCount(0));
        _bench.Out(0x43, 0xe2);
        Assert.Equal(output, (_bench.In(0x40) & 0x80) != 0);
    }

    [Fact]
    public void Pit_CountWrittenDuringMode2Period_TakesOverAtItsEnd()
    {
        Program(0, 0x34, 1000);
        AdvanceToTick(501);
        _bench.Out(0x40, 0x64);
        _bench.Out(0x40, 0x00);
        Assert.Equal(500, ReadCount(0));

        AdvanceToTick(1001 + 10);

        Assert.Equal(90, ReadCount(0));
        Assert.Equal(TickNs(1101), _bench.Timers.NextDeadlineNs);
    }

    [Fact]
    public void Pit_BcdMode2_CountsInDecimal()
    {
        Program(0, 0x35, 0x1000);

        AdvanceToTick(1 + 1);

        Assert.Equal(0x0999, ReadCount(0));
    }

    [Fact]
    public void Pit_Mode1_StartsAtRisingGate()
    {
        Program(2, 0xb2, 100);
        AdvanceToTick(50);
        Assert.Equal(0x20, _bench.In(0x61) & 0x20);

        _bench.Out(0x61, 0x01);
        AdvanceToTick(51);
        Assert.Equal(0x00, _bench.In(0x61) & 0x20);

        AdvanceToTick(151);
        Assert.Equal(0x20, _bench.In(0x61) & 0x20);
    }

    [Fact]
    public void Pit_Mode4_StrobesOnce()
    {
        Program(0, 0x38, 100);
        int before = _bench.Edges(0);

        _bench.Advance(10_000_000);

        Assert.Equal(1, _bench.Edges(0) - before);
        Assert.Null(_bench.Timers.NextDeadlineNs);
    }

    [Fact]
    public void Pit_Mode0Channel0_InterruptsOnce()
    {
        Program(0, 0x30, 100);
        Assert.False(_bench.Level(0));

        _bench.Advance(TickNs(101));

        Assert.True(_bench.Level(0));
        Assert.Null(_bench.Timers.NextDeadlineNs);
    }

    [Fact]
    public void Pit_IllegalCountOne_DoesNotFloodTheQueue()
    {
        Program(0, 0x34, 1);
        _bench.Advance(1_000_000);
        Program(0, 0x36, 1);
        _bench.Advance(1_000_000);

        Assert.Null(_bench.Timers.NextDeadlineNs);
    }

    [Fact]
    public void Pit_RefreshToggle_FollowsTime()
    {
        byte first = _bench.In(0x61);

        _bench.Advance(TickNs(18));

        Assert.Equal(0x10, (first ^ _bench.In(0x61)) & 0x10);
    }

    [Fact]
    public void Pit_SaveRestore_KeepsPhase()
    {
        Program(0, 0x34, 1000);
        AdvanceToTick(301);
        DeviceState saved = _pit.Save();
        long? deadline = _bench.Timers.NextDeadlineNs;
        _pit.Reset();

        _pit.Restore(saved);

        Assert.Equal(700, ReadCount(0));
        Assert.Equal(deadline, _bench.Timers.NextDeadlineNs);
    }

    [Fact]
    public void Pit_RestoreHostileState_Throws()
    {
        PitChannelState good = new() { Gate = true };
        Assert.Throws<InvalidDeviceStateException>(() => _pit.Restore(new Pit8254State()));
        Assert.Throws<InvalidDeviceStateException>(() => _pit.Restore(new Pit8254State { Channels = [good, good, null!] }));
        Assert.Throws<InvalidDeviceStateException>(() => _pit.Restore(new Pit8254State { Channels = [good with { Period = -1 }, good, good] }));
        Assert.Throws<InvalidDeviceStateException>(() => _pit.Restore(new Pit8254State { Channels = [good with { LoadedAt = long.MinValue }, good, good] }));
    }

    private static long TickNs(long tick) => (long)((((Int128)tick * 1_000_000_000) + 1_193_181) / 1_193_182);

    private void AdvanceToTick(long tick) => _bench.Advance(TickNs(tick) - _bench.Clock.NowNs);

    private void Program(int channel, byte control, ushort count)
    {
        _bench.Out(0x43, control);
        _bench.Out((ushort)(0x40 + channel), (byte)count);
        _bench.Out((ushort)(0x40 + channel), (byte)(count >> 8));
    }

    private int ReadCount(int channel)
    {
        ushort port = (ushort)(0x40 + channel);
        return _bench.In(port) | (_bench.In(port) << 8);
    }
}
