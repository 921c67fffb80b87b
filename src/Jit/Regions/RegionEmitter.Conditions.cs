using Emu.Frontend.Ir;

namespace Emu.Jit.Regions;

/// <content>Conditions: two operands on the evaluation stack and how they compare.</content>
internal sealed unsafe partial class RegionEmitter
{
    /// <summary>How the two operands pushed compare when a condition holds.</summary>
    private enum Comparison
    {
        Equal,
        NotEqual,
        Less,
        LessEqual,
        Greater,
        GreaterEqual,
        Below,
        BelowEqual,
        Above,
        AboveEqual,
    }

    private void EmitSetCondition()
    {
        PushBoolean(PushCondition());
        StoreSlot(Op.Dst, IrWidth.W8, wide: false);
    }

    // Without a branch: what guests use a conditional move for is seldom predictable.
    private void EmitSelect()
    {
        ref readonly IrOp op = ref Op;
        PushBoolean(PushCondition());
        _il.Emit(Il.ConvertU8);
        _il.Emit(Il.Negate);
        PushSlot(op.A, IrWidth.W64);
        PushSlot(op.B, IrWidth.W64);
        _il.Emit(Il.Xor);
        _il.Emit(Il.And);
        PushSlot(op.A, IrWidth.W64);
        _il.Emit(Il.Xor);
        StoreSlot(op.Dst, op.Width, wide: true);
    }

    private void BranchIf(Comparison comparison, IlLabel target) => _il.Emit(
        comparison switch
        {
            Comparison.Equal => Il.BranchEqual,
            Comparison.NotEqual => Il.BranchNotEqual,
            Comparison.Less => Il.BranchLess,
            Comparison.LessEqual => Il.BranchLessEqual,
            Comparison.Greater => Il.BranchGreater,
            Comparison.GreaterEqual => Il.BranchGreaterEqual,
            Comparison.Below => Il.BranchLessUnsigned,
            Comparison.BelowEqual => Il.BranchLessEqualUnsigned,
            Comparison.Above => Il.BranchGreaterUnsigned,
            _ => Il.BranchGreaterEqualUnsigned,
        },
        target);

    private void PushBoolean(Comparison comparison)
    {
        (Il instruction, bool invert) = comparison switch
        {
            Comparison.Equal => (Il.CompareEqual, false),
            Comparison.NotEqual => (Il.CompareEqual, true),
            Comparison.Less => (Il.CompareLess, false),
            Comparison.LessEqual => (Il.CompareGreater, true),
            Comparison.Greater => (Il.CompareGreater, false),
            Comparison.GreaterEqual => (Il.CompareLess, true),
            Comparison.Below => (Il.CompareLessUnsigned, false),
            Comparison.BelowEqual => (Il.CompareGreaterUnsigned, true),
            Comparison.Above => (Il.CompareGreaterUnsigned, false),
            _ => (Il.CompareLessUnsigned, true),
        };
        _il.Emit(instruction);
        if (invert)
        {
            _il.Constant4(0);
            _il.Emit(Il.CompareEqual);
        }
    }

    /// <summary>Evaluates the condition of a <see cref="IrOpcode.CompareJump"/> or <see cref="IrOpcode.TestJump"/> from its operands.</summary>
    private Comparison PushFused()
    {
        ref readonly IrOp op = ref Op;
        if (op.Opcode == IrOpcode.CompareJump)
        {
            return PushOfSubtraction(op.Condition, op.Width, fused: true);
        }

        return PushOfResult(op.Condition, op.Width, fused: true);
    }

    /// <summary>Evaluates the op's condition on the flags.</summary>
    private Comparison PushCondition()
    {
        IrCondition condition = Op.Condition;
        if (!_flags.CanTest(condition))
        {
            SyncFlags();
            EmitOutsideFloat(() =>
            {
                _il.Emit(Il.LoadArgument1);
                _il.Constant4((int)condition);
                _il.Emit(Il.Call, _tokens[RegionTokens.Token.TestCondition]);
            });
            _il.Constant4(0);
            return Comparison.NotEqual;
        }

        if (_flags.Carry == FlagsCarry.Memory && condition is IrCondition.Below or IrCondition.AboveOrEqual)
        {
            return PushOfCarry(condition);
        }

        return _flags.Kind switch
        {
            FlagsKind.Materialised => PushOfFlagBits(condition),
            FlagsKind.Sub => PushOfSubtraction(condition, _flags.Width, fused: false),
            FlagsKind.Logic => PushOfResult(condition, _flags.Width, fused: false),
            FlagsKind.Inc or FlagsKind.Dec => PushOfStep(condition),
            _ => PushOfOther(condition),
        };
    }

    private Comparison PushOfOther(IrCondition condition) => condition switch
    {
        IrCondition.Below or IrCondition.AboveOrEqual => PushOfCarry(condition),
        IrCondition.Overflow => PushSource(Comparison.NotEqual),
        IrCondition.NotOverflow => PushSource(Comparison.Equal),
        _ => PushOfResult(condition, _flags.Width, fused: false),
    };

    // Of a multiplication.
    private Comparison PushSource(Comparison comparison)
    {
        _il.Load(_flagsSource);
        _il.Constant8(0);
        return comparison;
    }

    private Comparison PushOfCarry(IrCondition condition)
    {
        PushCarry();
        _il.Constant8(0);
        return condition == IrCondition.Below ? Comparison.NotEqual : Comparison.Equal;
    }

    /// <summary>INC and DEC order as a comparison with −1 and 1 does; their overflow is one result.</summary>
    private Comparison PushOfStep(IrCondition condition)
    {
        IrWidth width = _flags.Width;
        bool up = _flags.Kind == FlagsKind.Inc;
        switch (condition)
        {
            case IrCondition.Below or IrCondition.AboveOrEqual:
                return PushOfCarry(condition);
            case IrCondition.Overflow or IrCondition.NotOverflow:
                _il.Load(_flagsResult);
                _il.Constant8(up ? 1L << (BitsOf(width) - 1) : (long)((ulong)MaskOf(width) >> 1));
                return condition == IrCondition.Overflow ? Comparison.Equal : Comparison.NotEqual;
            case IrCondition.Less or IrCondition.GreaterOrEqual or IrCondition.LessOrEqual or IrCondition.Greater:
                _il.Load(_flagsResult);
                _il.Constant8(up ? -1 : 1);
                _il.Emit(Il.Add);
                SignExtend64(width);
                _il.Constant8(up ? -1 : 1);
                return OrderOf(condition);
            default:
                return PushOfResult(condition, width, fused: false);
        }
    }

    private static Comparison OrderOf(IrCondition condition) => condition switch
    {
        IrCondition.Below => Comparison.Below,
        IrCondition.AboveOrEqual => Comparison.AboveEqual,
        IrCondition.BelowOrEqual => Comparison.BelowEqual,
        IrCondition.Above => Comparison.Above,
        IrCondition.Less => Comparison.Less,
        IrCondition.GreaterOrEqual => Comparison.GreaterEqual,
        IrCondition.LessOrEqual => Comparison.LessEqual,
        IrCondition.Greater => Comparison.Greater,
        IrCondition.Equal or IrCondition.Parity => Comparison.Equal,
        _ => Comparison.NotEqual,
    };

    /// <summary>A condition after A − B: of the op's operands, or of the flags.</summary>
    private Comparison PushOfSubtraction(IrCondition condition, IrWidth width, bool fused)
    {
        switch (condition)
        {
            case IrCondition.Equal or IrCondition.NotEqual when fused:
                PushSlot(Op.A, width);
                PushSecond();
                return OrderOf(condition);
            case IrCondition.Equal or IrCondition.NotEqual:
                _il.Load(_flagsResult);
                _il.Constant8(0);
                return OrderOf(condition);
            case IrCondition.Below or IrCondition.AboveOrEqual or IrCondition.BelowOrEqual or IrCondition.Above:
                PushOperands(width, fused, signed: false);
                return OrderOf(condition);
            case IrCondition.Less or IrCondition.GreaterOrEqual or IrCondition.LessOrEqual or IrCondition.Greater:
                PushOperands(width, fused, signed: true);
                return OrderOf(condition);
            case IrCondition.Overflow or IrCondition.NotOverflow:
                PushOverflow(width, fused);
                PushConstant(0, width);
                return condition == IrCondition.Overflow ? Comparison.Less : Comparison.GreaterEqual;
            default:
                return PushOfResult(condition, width, fused);
        }
    }

    private void PushOperands(IrWidth width, bool fused, bool signed)
    {
        PushFirstOperand(width, fused);
        if (signed)
        {
            SignExtend(width);
        }

        PushSecondOperand(width, fused);
        if (signed)
        {
            SignExtend(width);
        }
    }

    private void PushFirstOperand(IrWidth width, bool fused)
    {
        if (fused)
        {
            PushSlot(Op.A, width);
        }
        else
        {
            PushMinuend();
            Truncate(width);
        }
    }

    private void PushSecondOperand(IrWidth width, bool fused)
    {
        if (fused)
        {
            PushSecond();
        }
        else
        {
            _il.Load(_flagsSource);
            Truncate(width);
        }
    }

    // The sign bit of (a ^ b) & (a ^ (a - b)).
    private void PushOverflow(IrWidth width, bool fused)
    {
        PushFirstOperand(width, fused);
        PushSecondOperand(width, fused);
        _il.Emit(Il.Xor);
        PushFirstOperand(width, fused);
        PushResult(width, fused);
        _il.Emit(Il.Xor);
        _il.Emit(Il.And);
        SignExtend(width);
    }

    /// <summary>Pushes the result of the op's operation or of the flags, in the stack type, upper bits dirty.</summary>
    private void PushResult(IrWidth width, bool fused)
    {
        if (!fused)
        {
            _il.Load(_flagsResult);
            Narrow(width);
            return;
        }

        PushSlot(Op.A, width);
        PushSecond();
        _il.Emit(Op.Opcode == IrOpcode.CompareJump ? Il.Subtract : Il.And);
    }

    /// <summary>A condition that the result tells; carry and overflow are those of a bitwise operation, clear.</summary>
    private Comparison PushOfResult(IrCondition condition, IrWidth width, bool fused)
    {
        switch (condition)
        {
            case IrCondition.Overflow or IrCondition.Below or IrCondition.NotOverflow or IrCondition.AboveOrEqual:
                _il.Constant4(0);
                _il.Constant4(0);
                return condition is IrCondition.Overflow or IrCondition.Below ? Comparison.NotEqual : Comparison.Equal;
            case IrCondition.Parity or IrCondition.NotParity:
                PushResult(width, fused);
                _il.Emit(Il.ConvertU1);
                _il.Emit(Il.Call, _tokens[RegionTokens.Token.PopCount]);
                _il.Constant4(1);
                _il.Emit(Il.And);
                _il.Constant4(0);
                return OrderOf(condition);
        }

        bool zero = condition is IrCondition.Equal or IrCondition.NotEqual or IrCondition.BelowOrEqual or IrCondition.Above;
        PushResult(width, fused);
        if (zero)
        {
            TruncateResult(width);
        }
        else
        {
            SignExtend(width);
        }

        PushConstant(0, width);
        return condition switch
        {
            IrCondition.Equal or IrCondition.BelowOrEqual => Comparison.Equal,
            IrCondition.NotEqual or IrCondition.Above => Comparison.NotEqual,
            IrCondition.Sign or IrCondition.Less => Comparison.Less,
            IrCondition.NotSign or IrCondition.GreaterOrEqual => Comparison.GreaterEqual,
            IrCondition.LessOrEqual => Comparison.LessEqual,
            _ => Comparison.Greater,
        };
    }

    private void TruncateResult(IrWidth width)
    {
        if (width <= IrWidth.W16)
        {
            Truncate(width);
        }
    }
}
