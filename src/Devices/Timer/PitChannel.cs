namespace Emu.Devices.Timer;

/// <summary>Saved state of one counter of a <see cref="Pit8254"/>. Tick numbers are relative to the moment of saving.</summary>
public sealed record PitChannelState
{
    /// <summary>Mode, 0–5.</summary>
    public byte Mode { get; init; }

    /// <summary>True when the counter counts in BCD.</summary>
    public bool Bcd { get; init; }

    /// <summary>Read/write mode: 1 low byte, 2 high byte, 3 low then high.</summary>
    public byte Access { get; init; } = 3;

    /// <summary>Level of the gate input.</summary>
    public bool Gate { get; init; }

    /// <summary>The count being counted, 1–65536; 0 before a count is loaded.</summary>
    public int Period { get; init; }

    /// <summary>The count register (CR), 1–65536, which a trigger or the next period loads; 0 when none was written.</summary>
    public int NextPeriod { get; init; }

    /// <summary>Ticks from now to the CLK pulse that loaded <see cref="Period"/>; at most 1.</summary>
    public long LoadedAt { get; init; }

    /// <summary>Ticks counted when the gate stopped the counter, or -1 while it counts.</summary>
    public long HeldAt { get; init; } = -1;

    /// <summary>Ticks from now to the period boundary at which <see cref="NextPeriod"/> is loaded, or null.</summary>
    public long? SwitchAt { get; init; }

    /// <summary>First byte of a two-byte count, or -1.</summary>
    public int WriteLow { get; init; } = -1;

    /// <summary>True when the next read of a two-byte count gives the high byte.</summary>
    public bool ReadHigh { get; init; }

    /// <summary>Latched count, or -1.</summary>
    public int LatchedCount { get; init; } = -1;

    /// <summary>Latched status byte, or -1.</summary>
    public int LatchedStatus { get; init; } = -1;

    internal bool IsValid => Mode <= 5 && Access is >= 1 and <= 3
        && Period is >= 0 and <= PitChannel.LargestCount && NextPeriod is >= 0 and <= PitChannel.LargestCount
        && LoadedAt is <= 1 and >= -PitChannel.LargestAge && HeldAt is >= -1 and <= PitChannel.LargestAge
        && (SwitchAt is null || (SwitchAt is >= -PitChannel.LargestAge and <= PitChannel.LargestCount + 1 && NextPeriod > 0 && Period > 0))
        && WriteLow is >= -1 and <= 0xff && LatchedCount is >= -1 and <= 0xffff && LatchedStatus is >= -1 and <= 0xff;
}

/// <summary>
/// One counter of an 8254 (Intel 231164) as a function of the tick number: nothing runs, everything is computed when
/// asked. A count written takes effect at the next CLK pulse, which does not decrement it.
/// </summary>
internal sealed class PitChannel
{
    /// <summary>The largest count (written as 0).</summary>
    public const int LargestCount = 0x10000;

    /// <summary>Bound on saved ages: a thousand years of ticks.</summary>
    public const long LargestAge = 1L << 55;

    private const int LargestBcdCount = 10000;
    private const byte StatusOut = 0x80;
    private const byte StatusNullCount = 0x40;

    private PitChannelState _s = new();

    /// <summary>Level of the gate input.</summary>
    public bool Gate => _s.Gate;

    private int Modulus => _s.Bcd ? LargestBcdCount : LargestCount;

    private bool IsPeriodic => _s.Mode is 2 or 3;

    // Modes 1 and 5 start at a rising gate, the others at the write of a count.
    private bool IsTriggered => _s.Mode is 1 or 5;

    private bool HasCount => _s.Period > 0;

    /// <summary>Power-on: no mode is defined; mode 3 without a count is as good as any.</summary>
    public void Reset(bool gate) => _s = new PitChannelState { Mode = 3, Gate = gate };

    /// <summary>A control word: sets mode and format, and waits for a count (231164, "Control Word Format").</summary>
    public void SetMode(byte access, byte mode, bool bcd) =>
        _s = new PitChannelState { Mode = (byte)(mode > 5 ? mode - 4 : mode), Access = access, Bcd = bcd, Gate = _s.Gate };

    /// <summary>Latches the count, unless one is latched already.</summary>
    public void LatchCount(long now)
    {
        if (_s.LatchedCount < 0)
        {
            _s = _s with { LatchedCount = ReadCounter(now) };
        }
    }

    /// <summary>Latches the status, unless it is latched already.</summary>
    public void LatchStatus(long now)
    {
        if (_s.LatchedStatus < 0)
        {
            _s = _s with { LatchedStatus = Status(now) };
        }
    }

    /// <summary>Reads the counter's port: latched status first, then the latched or the current count.</summary>
    public byte Read(long now)
    {
        if (_s.LatchedStatus >= 0)
        {
            byte status = (byte)_s.LatchedStatus;
            _s = _s with { LatchedStatus = -1 };
            return status;
        }

        int count = _s.LatchedCount >= 0 ? _s.LatchedCount : ReadCounter(now);
        bool high = _s.Access == 2 || (_s.Access == 3 && _s.ReadHigh);
        bool last = _s.Access != 3 || high;
        _s = _s with { ReadHigh = !last, LatchedCount = last ? -1 : _s.LatchedCount };
        return (byte)(high ? count >> 8 : count);
    }

    /// <summary>Writes the counter's port: one byte of a count.</summary>
    public void Write(long now, byte value)
    {
        switch (_s.Access)
        {
            case 1:
                LoadCount(now, value);
                break;
            case 2:
                LoadCount(now, value << 8);
                break;
            default:
                if (_s.WriteLow < 0)
                {
                    // In mode 0 the first byte stops the counter and lowers OUT at once (231164, "Mode 0").
                    _s = _s with { WriteLow = value, Period = _s.Mode == 0 ? 0 : _s.Period };
                }
                else
                {
                    int count = (value << 8) | _s.WriteLow;
                    _s = _s with { WriteLow = -1 };
                    LoadCount(now, count);
                }

                break;
        }
    }

    /// <summary>Drives the gate input (231164, "Gate Pin Operations Summary").</summary>
    public void SetGate(long now, bool level)
    {
        if (level == _s.Gate)
        {
            return;
        }

        Sync(now);
        bool hadCount = HasCount;
        long elapsed = Elapsed(now);
        _s = _s with { Gate = level };
        if (IsTriggered || IsPeriodic)
        {
            if (level && _s.NextPeriod > 0)
            {
                Start(now, _s.NextPeriod);
            }
            else if (!level && IsPeriodic && hadCount)
            {
                _s = _s with { HeldAt = elapsed };
            }
        }
        else if (hadCount)
        {
            _s = level ? _s with { LoadedAt = now - _s.HeldAt, HeldAt = -1 } : _s with { HeldAt = elapsed };
        }
    }

    /// <summary>Level of OUT.</summary>
    public bool Output(long now)
    {
        Sync(now);
        if (!HasCount)
        {
            return _s.Mode != 0;
        }

        long elapsed = Elapsed(now);
        int period = _s.Period;
        return _s.Mode switch
        {
            0 => elapsed >= period,
            1 => elapsed >= period,
            2 => _s.HeldAt >= 0 || elapsed % period != period - 1,
            3 => _s.HeldAt >= 0 || elapsed % period < HighTicks(period),
            _ => elapsed != period,
        };
    }

    /// <summary>The first tick after <paramref name="now"/> at which OUT rises, or null when it will not by itself.</summary>
    public long? NextRise(long now)
    {
        Sync(now);
        if (!HasCount || _s.HeldAt >= 0)
        {
            return null;
        }

        int period = _s.Period;
        if (IsPeriodic)
        {
            // A new count takes over at the boundary, which is a rise all the same. A period of 1 has no edges.
            return period < 2 ? null : _s.LoadedAt + (((Elapsed(now) / period) + 1) * period);
        }

        long rise = _s.LoadedAt + period + (_s.Mode >= 4 ? 1 : 0);
        return rise > now ? rise : null;
    }

    /// <summary>The state with tick numbers relative to <paramref name="now"/>.</summary>
    public PitChannelState Save(long now)
    {
        Sync(now);
        return _s with { LoadedAt = HasCount ? _s.LoadedAt - now : 0, SwitchAt = _s.SwitchAt - now };
    }

    /// <summary>Takes a validated state.</summary>
    public void Restore(long now, PitChannelState state) => _s = state with { LoadedAt = state.LoadedAt + now, SwitchAt = state.SwitchAt + now };

    private static int HighTicks(int period) => (period + 1) / 2;

    private static int ToBcd(int value) => (value / 1000 % 10 << 12) | (value / 100 % 10 << 8) | (value / 10 % 10 << 4) | (value % 10);

    // A digit above 9 counts for what it is, as a decrementing BCD counter would treat it.
    private static int FromBcd(int value) => ((value >> 12) * 1000) + ((value >> 8 & 15) * 100) + ((value >> 4 & 15) * 10) + (value & 15);

    private void LoadCount(long now, int value)
    {
        Sync(now);
        int count = _s.Bcd ? Math.Min(FromBcd(value), LargestBcdCount) : value;
        count = count == 0 ? Modulus : count;
        bool counting = HasCount && _s.HeldAt < 0;
        _s = _s with { NextPeriod = count };
        if (IsPeriodic && counting)
        {
            long done = Math.Max(now - _s.LoadedAt, 0) / _s.Period;
            _s = _s with { SwitchAt = _s.LoadedAt + ((done + 1) * _s.Period) };
        }
        else if (!IsTriggered)
        {
            Start(now, count);
        }
    }

    private void Start(long now, int count) => _s = _s with
    {
        Period = count,
        LoadedAt = now + 1,
        SwitchAt = null,
        HeldAt = _s.Gate || IsTriggered ? -1 : 0,
    };

    /// <summary>Takes over a count that was written during a period which has ended since.</summary>
    private void Sync(long now)
    {
        if (_s.SwitchAt is long at && now >= at)
        {
            _s = _s with { Period = _s.NextPeriod, LoadedAt = at, SwitchAt = null };
        }
    }

    private long Elapsed(long now) => _s.HeldAt >= 0 ? _s.HeldAt : Math.Max(now - _s.LoadedAt, 0);

    private int ReadCounter(long now)
    {
        Sync(now);
        if (!HasCount)
        {
            return 0;
        }

        int count = Count(Elapsed(now), _s.Period) % Modulus;
        return _s.Bcd ? ToBcd(count) : count;
    }

    private int Count(long elapsed, int period)
    {
        switch (_s.Mode)
        {
            case 2:
                return period - (int)(elapsed % period);
            case 3:
                // Decrements by two; an odd count spends one tick more in the high half (231164, "Mode 3").
                int position = (int)(elapsed % period);
                int inHalf = position < HighTicks(period) ? position : position - HighTicks(period);
                return (period & ~1) - (2 * inHalf);
            default:
                // Counts on through zero.
                int wrapped = (int)((period - elapsed) % Modulus);
                return wrapped < 0 ? wrapped + Modulus : wrapped;
        }
    }

    private byte Status(long now)
    {
        Sync(now);
        bool nullCount = !HasCount || _s.SwitchAt is not null || (_s.HeldAt < 0 && now < _s.LoadedAt)
            || (IsTriggered && _s.NextPeriod != _s.Period);
        return (byte)((Output(now) ? StatusOut : 0) | (nullCount ? StatusNullCount : 0) | (_s.Access << 4) | (_s.Mode << 1) | (_s.Bcd ? 1 : 0));
    }
}
