using Emu.Core;
using Emu.Devices.Timer;

namespace Emu.Tests.Devices;

public sealed class RtcTests
{
    private const int IrqNumber = 8;
    private const long Second = 1_000_000_000;

    private readonly PortBench _bench = new(); // the wall clock starts at 2000-01-01 00:00:00, a Saturday
    private readonly Rtc146818 _rtc;

    public RtcTests()
    {
        _rtc = new Rtc146818("rtc", _bench.Irq(IrqNumber), _bench.Timers);
        _bench.Place(0x70, _rtc.Registers);
    }

    [Fact]
    public void Rtc_Time_FollowsTheWallClockInBcd()
    {
        _bench.Advance(((23 * 3600) + (59 * 60) + 58) * Second);

        Assert.Equal("58 59 23 07 01 01 00 20", ReadTime());
        _bench.Advance(2 * Second);
        Assert.Equal("00 00 00 01 02 01 00 20", ReadTime());
    }

    [Fact]
    public void Rtc_BinaryTwelveHour_ShowsPm()
    {
        Write(0x0b, 0x04);
        _bench.Advance(((13 * 3600) + (45 * 60)) * Second);

        Assert.Equal(0x81, Read(0x04));
        Assert.Equal(45, Read(0x02));
        Assert.Equal(0x14, Read(0x32));
    }

    [Fact]
    public void Rtc_TwelveHourMidnight_IsTwelveAm()
    {
        Write(0x0b, 0x00);

        Assert.Equal(0x12, Read(0x04));
    }

    [Fact]
    public void Rtc_SetTimeWithSetBit_RunsOnFromThere()
    {
        Write(0x0b, 0x82);
        foreach ((byte index, byte value) in new (byte, byte)[] { (0, 0x30), (2, 0x59), (4, 0x11), (7, 0x29), (8, 0x02), (9, 0x24), (0x32, 0x20) })
        {
            Write(index, value);
        }

        _bench.Advance(10 * Second);
        Assert.Equal(0x30, Read(0));

        Write(0x0b, 0x02);
        _bench.Advance(40 * Second);

        Assert.Equal("10 00 12 05 29 02 24 20", ReadTime());
    }

    [Fact]
    public void Rtc_DividerReleased_UpdatesAfterHalfASecond()
    {
        Write(0x0b, 0x82);
        Write(0x0a, 0x76);
        Write(0x00, 0x10);
        Write(0x0b, 0x02);
        Write(0x0a, 0x26);

        _bench.Advance(Second / 2 - 1000);
        Assert.Equal(0x10, Read(0));
        _bench.Advance(2000);

        Assert.Equal(0x11, Read(0));
    }

    [Fact]
    public void Rtc_NonsenseTime_IsBroughtIntoRange()
    {
        Write(0x0b, 0x82);
        foreach (byte index in new byte[] { 0, 2, 4, 6, 7, 8, 9, 0x32 })
        {
            Write(index, 0xff);
        }

        Write(0x0b, 0x02);
        _bench.Advance(Second);

        Assert.Equal(0x12, Read(8));
        Assert.Equal(0x31, Read(7));
    }

    [Fact]
    public void Rtc_UpdateInProgress_ShowsBeforeTheSecondOnly()
    {
        _bench.Advance(Second / 2);
        Assert.Equal(0x26, Read(0x0a));

        _bench.Advance((Second / 2) - 200_000);
        Assert.Equal(0xa6, Read(0x0a));

        _bench.Advance(200_000);
        Assert.Equal(0x26, Read(0x0a));
    }

    [Fact]
    public void Rtc_UpdateEnded_InterruptsEverySecond()
    {
        Write(0x0b, 0x12);
        _bench.Advance(Second - 1000);
        Assert.False(_bench.Level(IrqNumber));

        _bench.Advance(2000);

        Assert.True(_bench.Level(IrqNumber));
        Assert.Equal(0x90, Read(0x0c) & 0xb0);
        Assert.False(_bench.Level(IrqNumber));
        _bench.Advance(Second);
        Assert.True(_bench.Level(IrqNumber));
    }

    [Fact]
    public void Rtc_FlagsWithoutInterrupt_CanBePolled()
    {
        Read(0x0c);
        _bench.Advance(Second);

        Assert.Equal(0x50, Read(0x0c));
        Assert.Equal(0x00, Read(0x0c));
        Assert.Null(_bench.Timers.NextDeadlineNs);
    }

    [Fact]
    public void Rtc_Alarm_InterruptsAtItsTime()
    {
        Write(0x01, 0x05);
        Write(0x03, 0x02);
        Write(0x05, 0xff);
        Write(0x0b, 0x22);

        _bench.Advance((124 * Second) + (Second / 2));
        Assert.False(_bench.Level(IrqNumber));
        _bench.Advance(Second);

        Assert.True(_bench.Level(IrqNumber));
        Assert.Equal(0xa0, Read(0x0c) & 0xa0);
        _bench.Advance(3600 * Second);
        Assert.True(_bench.Level(IrqNumber));
    }

    [Fact]
    public void Rtc_AlarmThatNeverMatches_ArmsNothing()
    {
        Write(0x01, 0x77);
        Write(0x0b, 0x22);

        Assert.Null(_bench.Timers.NextDeadlineNs);
    }

    [Fact]
    public void Rtc_PeriodicInterrupt_ComesAtItsRate()
    {
        Write(0x0a, 0x26);
        Write(0x0b, 0x42);
        int count = 0;
        for (int i = 0; i < 4000; i++)
        {
            _bench.Advance(250_000);
            if (_bench.Level(IrqNumber))
            {
                count++;
                Read(0x0c);
            }
        }

        Assert.Equal(1024, count);
    }

    [Fact]
    public void Rtc_MemorySize_IsWhereFirmwareLooks()
    {
        _rtc.SetMemorySize(0xc000_0000, 0x1_0000_0000);
        _rtc.SetBootOrder(CmosBootDevice.HardDisk, CmosBootDevice.CdRom, CmosBootDevice.Network, checkFloppySignature: false);

        Assert.Equal(0x0280, Read(0x15) | (Read(0x16) << 8));
        Assert.Equal(0xffff, Read(0x17) | (Read(0x18) << 8));
        Assert.Equal(0xffff, Read(0x30) | (Read(0x31) << 8));
        Assert.Equal(0xbf00, Read(0x34) | (Read(0x35) << 8));
        Assert.Equal(0x010000, Read(0x5b) | (Read(0x5c) << 8) | (Read(0x5d) << 16));
        Assert.Equal(0x32, Read(0x3d));
        Assert.Equal(0x41, Read(0x38));
    }

    [Fact]
    public void Rtc_Reset_KeepsCmosAndTime()
    {
        Write(0x0f, 0x0a);
        Write(0x0b, 0x72);

        _rtc.Reset();

        Assert.Equal(0x0a, Read(0x0f));
        Assert.Equal(0x02, Read(0x0b));
        Assert.Null(_bench.Timers.NextDeadlineNs);
    }

    [Fact]
    public void Rtc_IndexBit7_MasksNmi()
    {
        _bench.Out(0x70, 0x8f);
        Assert.True(_rtc.NmiMasked);

        _bench.Out(0x70, 0x0f);
        Assert.False(_rtc.NmiMasked);
    }

    [Fact]
    public void Rtc_SaveRestore_KeepsTheGuestsTime()
    {
        Write(0x09, 0x42);
        DeviceState saved = _rtc.Save();
        Write(0x09, 0x01);

        _rtc.Restore(saved);

        Assert.Equal(0x42, Read(0x09));
        Assert.Throws<InvalidDeviceStateException>(() => _rtc.Restore(new Rtc146818State()));
        Assert.Throws<InvalidDeviceStateException>(() => _rtc.Restore(new Rtc146818State { Cmos = new byte[128], Index = 128 }));
        Assert.Throws<InvalidDeviceStateException>(() => _rtc.Restore(new Rtc146818State { Cmos = new byte[128], OffsetTicks = long.MinValue }));
    }

    private string ReadTime() => string.Join(' ', new byte[] { 0, 2, 4, 6, 7, 8, 9, 0x32 }.Select(index => Read(index).ToString("x2")));

    private byte Read(byte index)
    {
        _bench.Out(0x70, index);
        return _bench.In(0x71);
    }

    private void Write(byte index, byte value)
    {
        _bench.Out(0x70, index);
        _bench.Out(0x71, value);
    }
}
