using Emu.Core;

namespace Emu.Devices.Timer;

/// <summary>Saved state of a <see cref="Rtc146818"/>.</summary>
public sealed record Rtc146818State : DeviceState
{
    /// <summary>The 128 bytes, registers A–D included.</summary>
    public byte[] Cmos { get; init; } = [];

    /// <summary>Index register (port 70H bits 6:0).</summary>
    public byte Index { get; init; }

    /// <summary>NMI mask (port 70H bit 7).</summary>
    public bool NmiMasked { get; init; }

    /// <summary>Guest time less wall time, in units of 100 ns.</summary>
    public long OffsetTicks { get; init; }
}

/// <content>Conversion between time and registers, alarms, saving.</content>
public sealed partial class Rtc146818
{
    private const long NsPerTick = 100;
    private const int SecondsPerDay = 86_400;

    /// <inheritdoc/>
    public override DeviceState Save()
    {
        CollectFlags();
        if (Running)
        {
            TimeToRegisters();
        }

        return new Rtc146818State { Cmos = [.. _cmos], Index = _index, NmiMasked = NmiMasked, OffsetTicks = _offsetTicks };
    }

    /// <inheritdoc/>
    public override void Restore(DeviceState state)
    {
        Rtc146818State s = this.Expect<Rtc146818State>(state);
        this.Require(s.Cmos is not null && s.Cmos.Length == CmosSize);
        this.Require((s.Cmos[RegA] & AUpdateInProgress) == 0);
        this.Require((s.Cmos[RegC] & ~(InterruptMask | CInterrupt)) == 0);
        this.Require(s.Index < CmosSize);
        this.Require(s.OffsetTicks > -DateTime.MaxValue.Ticks && s.OffsetTicks < DateTime.MaxValue.Ticks);
        s.Cmos.CopyTo(_cmos, 0);
        _index = s.Index;
        _offsetTicks = s.OffsetTicks;
        _lastSecond = GuestTicks / TicksPerSecond;
        _lastPeriod = PeriodNumber;
        SetNmiMask(s.NmiMasked);
        Refresh();
    }

    private static bool IsTimeRegister(int index) =>
        index is RegSeconds or RegMinutes or RegHours or (>= RegDayOfWeek and <= RegYear) or RegCentury;

    private void TimeToRegisters()
    {
        var time = new DateTime(GuestTicks);
        _cmos[RegSeconds] = Encode(time.Second);
        _cmos[RegMinutes] = Encode(time.Minute);
        _cmos[RegHours] = EncodeHour(time.Hour);
        _cmos[RegDayOfWeek] = Encode((int)time.DayOfWeek + 1);
        _cmos[RegDayOfMonth] = Encode(time.Day);
        _cmos[RegMonth] = Encode(time.Month);
        _cmos[RegYear] = Encode(time.Year % 100);
        _cmos[RegCentury] = Encode(time.Year / 100);
    }

    /// <summary>Sets guest time to the registers plus <paramref name="fraction"/> of 100 ns; nonsense is brought into range.</summary>
    private void RegistersToTime(long fraction)
    {
        int year = Math.Clamp((Decode(_cmos[RegCentury]) * 100) + (Decode(_cmos[RegYear]) % 100), 1, 9998);
        int month = Math.Clamp(Decode(_cmos[RegMonth]), 1, 12);
        int day = Math.Clamp(Decode(_cmos[RegDayOfMonth]), 1, DateTime.DaysInMonth(year, month));
        var time = new DateTime(
            year, month, day, DecodeHour(_cmos[RegHours]) % 24, Decode(_cmos[RegMinutes]) % 60, Decode(_cmos[RegSeconds]) % 60);
        _offsetTicks = time.Ticks + fraction - _clock.WallClock.DateTime.Ticks;
        _lastSecond = GuestTicks / TicksPerSecond;
    }

    /// <summary>
    /// The first second, from <paramref name="from"/> on and within a day, that matches the alarm registers, or null. Seconds
    /// are counted from year 1. Skips whole hours and minutes, so it takes at most some 150 steps.
    /// </summary>
    private long? NextAlarm(long from)
    {
        long second = from;
        while (second < from + SecondsPerDay)
        {
            int ofDay = (int)(second % SecondsPerDay);
            if (!Matches(RegHoursAlarm, EncodeHour(ofDay / 3600)))
            {
                second += 3600 - (ofDay % 3600);
            }
            else if (!Matches(RegMinutesAlarm, Encode(ofDay / 60 % 60)))
            {
                second += 60 - (ofDay % 60);
            }
            else if (!Matches(RegSecondsAlarm, Encode(ofDay % 60)))
            {
                second++;
            }
            else
            {
                return second;
            }
        }

        return null;
    }

    private bool Matches(int alarmRegister, byte encoded) =>
        (_cmos[alarmRegister] & AlarmDontCare) == AlarmDontCare || _cmos[alarmRegister] == encoded;

    private byte Encode(int value) => (byte)((_cmos[RegB] & BBinary) != 0 ? value : (value / 10 << 4) | (value % 10));

    private int Decode(byte value) => (_cmos[RegB] & BBinary) != 0 ? value : ((value >> 4) * 10) + (value & 15);

    private byte EncodeHour(int hour)
    {
        if ((_cmos[RegB] & B24Hour) != 0)
        {
            return Encode(hour);
        }

        int twelve = hour % 12 == 0 ? 12 : hour % 12;
        return (byte)(Encode(twelve) | (hour >= 12 ? HourPm : 0));
    }

    private int DecodeHour(byte value)
    {
        if ((_cmos[RegB] & B24Hour) != 0)
        {
            return Decode(value);
        }

        return (Decode((byte)(value & ~HourPm)) % 12) + ((value & HourPm) != 0 ? 12 : 0);
    }
}
