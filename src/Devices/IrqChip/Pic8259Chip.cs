using System.Numerics;
using Emu.Core;

namespace Emu.Devices.IrqChip;

/// <summary>Saved state of a <see cref="Pic8259"/>.</summary>
public sealed record Pic8259State : DeviceState
{
    /// <summary>The master, inputs 0–7.</summary>
    public Pic8259ChipState Master { get; init; } = new();

    /// <summary>The slave, inputs 8–15.</summary>
    public Pic8259ChipState Slave { get; init; } = new();
}

/// <summary>Saved state of one 8259A of the pair.</summary>
public sealed record Pic8259ChipState
{
    /// <summary>Levels of the eight inputs.</summary>
    public byte Lines { get; init; }

    /// <summary>Edges latched and not acknowledged.</summary>
    public byte Latched { get; init; }

    /// <summary>Interrupt mask register.</summary>
    public byte Imr { get; init; }

    /// <summary>In-service register.</summary>
    public byte Isr { get; init; }

    /// <summary>Edge/level control register; 1 is level.</summary>
    public byte Elcr { get; init; }

    /// <summary>Vector of input 0 (ICW2), a multiple of 8.</summary>
    public byte VectorBase { get; init; }

    /// <summary>The input with the highest priority, 0–7.</summary>
    public byte HighestInput { get; init; }

    /// <summary>Initialisation word expected next at the odd port: 2, 3 or 4; 0 when initialised.</summary>
    public byte NextIcw { get; init; }

    /// <summary>ICW1 as written.</summary>
    public byte Icw1 { get; init; }

    /// <summary>ICW4 as written, or 0.</summary>
    public byte Icw4 { get; init; }

    /// <summary>True when a read of the even port gives ISR.</summary>
    public bool ReadIsr { get; init; }

    /// <summary>True when the next read is a poll.</summary>
    public bool Poll { get; init; }

    /// <summary>True in special mask mode.</summary>
    public bool SpecialMask { get; init; }

    /// <summary>True when automatic EOI rotates priorities.</summary>
    public bool RotateOnAutoEoi { get; init; }

    internal bool IsValid(byte elcrMask) =>
        (Elcr & ~elcrMask) == 0 && (VectorBase & 7) == 0 && HighestInput < 8 && NextIcw is 0 or 2 or 3 or 4;
}

/// <summary>One 8259A (Intel 231468): eight inputs, priority resolver, mask and in-service registers.</summary>
internal sealed class Pic8259Chip(bool isMaster)
{
    private const byte Icw1NeedIcw4 = 0x01;
    private const byte Icw1Single = 0x02;
    private const byte Icw1Select = 0x10;

    private const byte Icw4AutoEoi = 0x02;
    private const byte Icw4SpecialFullyNested = 0x10;

    private const byte Ocw2Level = 0x07;
    private const int Ocw2CommandShift = 5;

    private const byte Ocw3ReadIsr = 0x01;
    private const byte Ocw3ReadRegister = 0x02;
    private const byte Ocw3Poll = 0x04;
    private const byte Ocw3Select = 0x08;
    private const byte Ocw3SpecialMask = 0x20;
    private const byte Ocw3SetSpecialMask = 0x40;

    private const byte PollInterrupt = 0x80;
    private const int SpuriousInput = 7;
    private const byte CascadeBit = 1 << 2;

    private Pic8259ChipState _s = new();
    private byte _lines;
    private byte _latched;
    private byte _imr;
    private byte _isr;

    /// <summary>Vector of input 0.</summary>
    public int VectorBase => _s.VectorBase;

    /// <summary>Edge/level control register.</summary>
    public byte Elcr => _s.Elcr;

    /// <summary>Level of the INT pin.</summary>
    public bool HasRequest => HighestRequest() >= 0;

    // A level-triggered input requests as long as it is high; an edge-triggered one from its edge until acknowledged.
    private byte Irr => (byte)(_latched | (_lines & _s.Elcr));

    /// <summary>Power-on state; the lines keep their levels.</summary>
    public void Reset()
    {
        _s = new Pic8259ChipState();
        _latched = _imr = _isr = 0;
    }

    public void SetInput(int input, bool level)
    {
        byte bit = (byte)(1 << input);
        if (!level)
        {
            _lines &= (byte)~bit;
            return;
        }

        _latched |= (byte)(bit & ~_lines & ~_s.Elcr);
        _lines |= bit;
    }

    public void SetElcr(byte value)
    {
        _s = _s with { Elcr = value };
        _latched &= (byte)~value;
    }

    /// <summary>Takes the highest-priority request into service and returns its input; 7, with nothing changed, when there is none.</summary>
    public int Acknowledge()
    {
        int input = HighestRequest();
        if (input < 0)
        {
            return SpuriousInput;
        }

        _latched &= (byte)~(1 << input);
        if ((_s.Icw4 & Icw4AutoEoi) == 0)
        {
            _isr |= (byte)(1 << input);
        }
        else if (_s.RotateOnAutoEoi)
        {
            MakeLowest(input);
        }

        return input;
    }

    public byte Read(int offset)
    {
        if (_s.Poll)
        {
            _s = _s with { Poll = false };
            bool any = HasRequest;
            return (byte)(Acknowledge() | (any ? PollInterrupt : 0));
        }

        return offset == 1 ? _imr : _s.ReadIsr ? _isr : Irr;
    }

    public void Write(int offset, byte value)
    {
        if (offset == 1)
        {
            WriteOdd(value);
        }
        else if ((value & Icw1Select) != 0)
        {
            StartInitialisation(value);
        }
        else if ((value & Ocw3Select) != 0)
        {
            WriteOcw3(value);
        }
        else
        {
            WriteOcw2(value >> Ocw2CommandShift, value & Ocw2Level);
        }
    }

    public Pic8259ChipState Save() => _s with { Lines = _lines, Latched = _latched, Imr = _imr, Isr = _isr };

    public void Restore(Pic8259ChipState state)
    {
        _s = state;
        _lines = state.Lines;
        _latched = state.Latched;
        _imr = state.Imr;
        _isr = state.Isr;
    }

    // ICW1 clears the mask, the edge latches and the modes; the lines must rise again to request (231468, "Initialization
    // Command Words 1 and 2"). Trigger mode comes from ELCR; LTIM has no effect in a PIIX.
    private void StartInitialisation(byte value)
    {
        _s = new Pic8259ChipState { Elcr = _s.Elcr, VectorBase = _s.VectorBase, Icw1 = value, NextIcw = 2 };
        _latched = _imr = _isr = 0;
    }

    private void WriteOdd(byte value)
    {
        switch (_s.NextIcw)
        {
            case 2:
                bool single = (_s.Icw1 & Icw1Single) != 0;
                _s = _s with { VectorBase = (byte)(value & 0xf8), NextIcw = single ? AfterIcw3() : (byte)3 };
                break;
            case 3:
                _s = _s with { NextIcw = AfterIcw3() }; // the wiring of the cascade is fixed
                break;
            case 4:
                _s = _s with { Icw4 = value, NextIcw = 0 };
                break;
            default:
                _imr = value;
                break;
        }
    }

    private byte AfterIcw3() => (byte)((_s.Icw1 & Icw1NeedIcw4) != 0 ? 4 : 0);

    private void WriteOcw2(int command, int input)
    {
        switch (command)
        {
            case 0: _s = _s with { RotateOnAutoEoi = false }; break;
            case 1: EndHighest(rotate: false); break;
            case 3: _isr &= (byte)~(1 << input); break;
            case 4: _s = _s with { RotateOnAutoEoi = true }; break;
            case 5: EndHighest(rotate: true); break;
            case 6: MakeLowest(input); break;
            case 7:
                _isr &= (byte)~(1 << input);
                MakeLowest(input);
                break;
            default: break; // 2: no operation
        }
    }

    private void WriteOcw3(byte value)
    {
        if ((value & Ocw3Poll) != 0)
        {
            _s = _s with { Poll = true };
        }

        if ((value & Ocw3ReadRegister) != 0)
        {
            _s = _s with { ReadIsr = (value & Ocw3ReadIsr) != 0 };
        }

        if ((value & Ocw3SetSpecialMask) != 0)
        {
            _s = _s with { SpecialMask = (value & Ocw3SpecialMask) != 0 };
        }
    }

    // In special mask mode a masked level in service is not ended by a non-specific EOI (231468, "Special Mask Mode").
    private void EndHighest(bool rotate)
    {
        int rank = HighestRank((byte)(_s.SpecialMask ? _isr & ~_imr : _isr));
        if (rank < 8)
        {
            int input = (rank + _s.HighestInput) & 7;
            _isr &= (byte)~(1 << input);
            if (rotate)
            {
                MakeLowest(input);
            }
        }
    }

    private void MakeLowest(int input) => _s = _s with { HighestInput = (byte)((input + 1) & 7) };

    private int HighestRequest()
    {
        int requested = HighestRank((byte)(Irr & ~_imr));
        if (requested == 8)
        {
            return -1;
        }

        int blocking = _isr;
        if (_s.SpecialMask)
        {
            blocking &= ~_imr;
        }

        // Special fully nested: the slave may interrupt again while one of its requests is in service.
        if (isMaster && (_s.Icw4 & Icw4SpecialFullyNested) != 0)
        {
            blocking &= ~CascadeBit;
        }

        return requested < HighestRank((byte)blocking) ? (requested + _s.HighestInput) & 7 : -1;
    }

    /// <summary>Rank (0 highest) of the most important bit under the current rotation; 8 when none is set.</summary>
    private int HighestRank(byte bits)
    {
        int rotated = ((bits >> _s.HighestInput) | (bits << (8 - _s.HighestInput))) & 0xff;
        return rotated == 0 ? 8 : BitOperations.TrailingZeroCount(rotated);
    }
}
