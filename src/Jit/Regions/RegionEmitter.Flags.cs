using Emu.Frontend.Ir;

namespace Emu.Jit.Regions;

/// <content>The lazy flags: setting, storing, moving between forms.</content>
internal sealed unsafe partial class RegionEmitter
{
    private readonly int _flagsOp;
    private readonly int _flagsResult;
    private readonly int _flagsSource;
    private readonly int _flagsCarry;

    private static bool UsesSource(FlagsKind kind) => kind is not (FlagsKind.Logic or FlagsKind.Inc or FlagsKind.Dec or FlagsKind.Materialised);

    private static bool UsesCarry(FlagsKind kind) => kind is FlagsKind.Adc or FlagsKind.Sbb or FlagsKind.Shr or FlagsKind.Inc or FlagsKind.Dec;

    private static long Encode(FlagsState flags) => (long)LazyFlags.Encode(flags.Kind, (int)flags.Width);

    private void KeepSource()
    {
        PushSecond();
        ToZeroExtended64(Op.Width);
        _il.Store(_flagsSource);
    }

    /// <summary>The flags of A − B or A &amp; B, or those in A.</summary>
    private void SetCompareFlags()
    {
        if (!SetsLiveFlags)
        {
            return;
        }

        if (Op.Opcode == IrOpcode.SetFlags)
        {
            EmitSetFlags();
            return;
        }

        bool compare = Op.Opcode is IrOpcode.Compare or IrOpcode.CompareJump;
        if (compare)
        {
            KeepSource();
        }

        PushSlot(Op.A, Op.Width);
        PushSecond();
        _il.Emit(compare ? Il.Subtract : Il.And);
        ToZeroExtended64(Op.Width);
        _il.Store(_flagsResult);
    }

    // INC and DEC keep the carry. Where the header can still tell it, that is left for later, which seldom comes.
    private void KeepCarry()
    {
        if (_flags.NeedsHeaderFor(Op))
        {
            SyncFlags();
        }

        bool isKept = _flags is { Form: FlagsForm.Known, Kind: FlagsKind.Inc or FlagsKind.Dec };
        if (_flags.Form != FlagsForm.Memory && _flags.Carry != FlagsCarry.Memory && !isKept)
        {
            PushCarry();
            _il.Store(_flagsCarry);
        }
    }

    /// <summary>Brings the header's flags up to date.</summary>
    private void SyncFlags()
    {
        StoreFlags();
        _flags = _flags.AfterSync();
    }

    private void StoreFlags()
    {
        if (_flags.IsInHeader)
        {
            return;
        }

        if (_flags.Carry == FlagsCarry.Memory)
        {
            EmitOutsideFloat(() =>
            {
                _il.Emit(Il.LoadArgument1);
                PushFlagsOp();
                _il.Load(_flagsResult);
                _il.Emit(Il.Call, _tokens[RegionTokens.Token.CommitStep]);
            });
            return;
        }

        bool known = _flags.Form == FlagsForm.Known;
        PushHeaderAddress(HeaderOffset.FlagsOp);
        PushFlagsOp();
        _il.Emit(Il.StoreI8);
        StoreHeader(HeaderOffset.FlagsResult, _flagsResult);
        if (!known || UsesSource(_flags.Kind))
        {
            StoreHeader(HeaderOffset.FlagsSource, _flagsSource);
        }

        if (!known || UsesCarry(_flags.Kind))
        {
            StoreHeader(HeaderOffset.FlagsCarry, _flagsCarry);
        }
    }

    private void PushFlagsOp()
    {
        if (_flags.Form == FlagsForm.Known)
        {
            _il.Constant8(Encode(_flags));
        }
        else
        {
            _il.Load(_flagsOp);
        }
    }

    /// <summary>Makes the flags what another place expects.</summary>
    private void ConvertFlags(FlagsState to)
    {
        bool carryLost = _flags.Carry == FlagsCarry.Memory && to.Carry != FlagsCarry.Memory;
        switch (to.Form)
        {
            case FlagsForm.Dynamic when _flags.Form == FlagsForm.Memory || (_flags.Form == FlagsForm.Dynamic && carryLost):
                SyncFlags();
                LoadFlags();
                break;
            case FlagsForm.Dynamic when _flags.Form == FlagsForm.Known:
                _il.Constant8(Encode(_flags));
                _il.Store(_flagsOp);
                KeepHeaderCarry(carryLost);
                break;
            case FlagsForm.Known:
                KeepHeaderCarry(carryLost);
                break;
        }

        _flags = to;
    }

    private void KeepHeaderCarry(bool needed)
    {
        if (needed)
        {
            PushHeaderCarry();
            _il.Store(_flagsCarry);
        }
    }

    private void LoadFlags()
    {
        LoadHeader(HeaderOffset.FlagsOp, _flagsOp);
        LoadHeader(HeaderOffset.FlagsResult, _flagsResult);
        LoadHeader(HeaderOffset.FlagsSource, _flagsSource);
        LoadHeader(HeaderOffset.FlagsCarry, _flagsCarry);
    }

    private void PushHeaderCarry() => EmitOutsideFloat(() =>
    {
        _il.Emit(Il.LoadArgument1);
        _il.Emit(Il.Call, _tokens[RegionTokens.Token.TestCarry]);
    });

    /// <summary>Pushes the carry flag as a 64-bit 0 or 1.</summary>
    private void PushCarry()
    {
        if (_flags.Carry == FlagsCarry.Memory)
        {
            PushHeaderCarry();
            return;
        }

        if (_flags.Form != FlagsForm.Known)
        {
            SyncFlags();
            PushHeaderCarry();
            return;
        }

        switch (_flags.Kind)
        {
            case FlagsKind.Add:
                Below(_flagsResult);
                break;
            case FlagsKind.Sub:
                PushMinuend();
                _il.Load(_flagsSource);
                _il.Emit(Il.CompareLessUnsigned);
                _il.Emit(Il.ConvertU8);
                break;
            case FlagsKind.Adc:
                PushCarryWithCarry(_flagsResult);
                break;
            case FlagsKind.Sbb:
                PushMinuend();
                _il.Store(_scratch);
                PushCarryWithCarry(_scratch);
                break;
            case FlagsKind.Inc or FlagsKind.Dec:
                _il.Load(_flagsCarry);
                break;
            case FlagsKind.Materialised:
                PushFlagBit(LazyFlags.Carry);
                break;
            default:
                PushShiftCarry();
                break;
        }
    }

    private void PushShiftCarry()
    {
        switch (_flags.Kind)
        {
            case FlagsKind.Shl:
                _il.Load(_flagsSource);
                _il.Constant4(BitsOf(_flags.Width) - 1);
                _il.Emit(Il.ShiftRightUnsigned);
                break;
            case FlagsKind.Shr or FlagsKind.Sar:
                _il.Load(_flagsSource);
                _il.Constant8(1);
                _il.Emit(Il.And);
                break;
            case FlagsKind.Mul:
                _il.Constant8(0);
                Below(-1);
                break;
            default:
                _il.Constant8(0);
                break;
        }
    }

    /// <summary>Pushes a &lt; source, where a is a local or (−1) already pushed.</summary>
    private void Below(int a)
    {
        if (a >= 0)
        {
            _il.Load(a);
        }

        _il.Load(_flagsSource);
        _il.Emit(Il.CompareLessUnsigned);
        _il.Emit(Il.ConvertU8);
    }

    // With a carry or borrow in: below, or equal and there was one.
    private void PushCarryWithCarry(int a)
    {
        Below(a);
        _il.Load(a);
        _il.Load(_flagsSource);
        _il.Emit(Il.CompareEqual);
        _il.Emit(Il.ConvertU8);
        _il.Load(_flagsCarry);
        _il.Emit(Il.And);
        _il.Emit(Il.Or);
    }

    /// <summary>Pushes what a subtraction subtracted from: result + source (+ borrow), zero-extended to 64 bits.</summary>
    private void PushMinuend()
    {
        _il.Load(_flagsResult);
        _il.Load(_flagsSource);
        _il.Emit(Il.Add);
        if (_flags.Kind == FlagsKind.Sbb)
        {
            _il.Load(_flagsCarry);
            _il.Emit(Il.Add);
        }

        ZeroExtend64(_flags.Width);
    }
}
