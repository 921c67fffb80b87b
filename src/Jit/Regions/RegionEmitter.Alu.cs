using Emu.Frontend.Ir;

namespace Emu.Jit.Regions;

/// <content>Integer arithmetic.</content>
internal sealed unsafe partial class RegionEmitter
{
    private readonly int _carryIn; // also the count of shifts, and the upper half of products

    private bool SetsLiveFlags => Op.SetsFlags && FlagsLive;

    private void EmitExtend()
    {
        ref readonly IrOp op = ref Op;
        IrWidth to = op.DestinationWidth;
        if (op.Opcode == IrOpcode.ZeroExtend)
        {
            PushSlot(op.A, op.Width);
            StoreSlot(op.Dst, IsWide(to) ? IrWidth.W32 : to, IsWide(op.Width)); // a 32-bit write clears the upper half
            return;
        }

        PushSlotSigned(op.A, op.Width);
        if (IsWide(to) && !IsWide(op.Width))
        {
            _il.Emit(Il.ConvertI8);
        }

        StoreSlot(op.Dst, to, IsWide(to));
    }

    private void EmitBinary()
    {
        ref readonly IrOp op = ref Op;
        bool usesCarry = op.Opcode is IrOpcode.Adc or IrOpcode.Sbb;
        if (usesCarry)
        {
            PushCarry();
            _il.Store(_carryIn);
        }

        if (SetsLiveFlags && FlagsState.KindOf(op.Opcode) != FlagsKind.Logic)
        {
            KeepSource();
        }

        PushSlot(op.A, op.Width);
        PushSecond();
        Il operation = op.Opcode switch
        {
            IrOpcode.Add or IrOpcode.Adc => Il.Add,
            IrOpcode.Sub or IrOpcode.Sbb => Il.Subtract,
            IrOpcode.And => Il.And,
            IrOpcode.Or => Il.Or,
            _ => Il.Xor,
        };
        _il.Emit(operation);
        if (usesCarry)
        {
            _il.Load(_carryIn);
            Narrow(op.Width);
            _il.Emit(operation);
        }

        FinishResult();
        if (usesCarry && SetsLiveFlags)
        {
            _il.Load(_carryIn);
            _il.Store(_flagsCarry);
        }
    }

    private void EmitUnary()
    {
        ref readonly IrOp op = ref Op;
        if (op.Opcode == IrOpcode.Negate && SetsLiveFlags)
        {
            PushSlot(op.A, op.Width);
            ToZeroExtended64(op.Width);
            _il.Store(_flagsSource);
        }

        PushSlot(op.A, op.Width);
        if (op.Opcode == IrOpcode.ByteSwap)
        {
            _il.Emit(Il.Call, _tokens[IsWide(op.Width) ? RegionTokens.Token.Reverse8 : RegionTokens.Token.Reverse4]);
            if (op.Width == IrWidth.W16)
            {
                _il.Constant4(16);
                _il.Emit(Il.ShiftRightUnsigned);
            }
        }
        else
        {
            _il.Emit(op.Opcode == IrOpcode.Negate ? Il.Negate : Il.Not);
        }

        FinishResult();
    }

    private void EmitFindBit()
    {
        ref readonly IrOp op = ref Op;
        bool lowest = op.Opcode == IrOpcode.LowestBit;
        PushSlot(op.A, op.Width);
        _il.Emit(Il.Call, _tokens[(lowest, IsWide(op.Width)) switch
        {
            (true, false) => RegionTokens.Token.TrailingZeros4,
            (true, true) => RegionTokens.Token.TrailingZeros8,
            (false, false) => RegionTokens.Token.Log4,
            _ => RegionTokens.Token.Log8,
        }]);
        _il.Emit(Il.ConvertU8);
        StoreSlot(op.Dst, IrWidth.W64, wide: true);
    }

    private void EmitStep()
    {
        ref readonly IrOp op = ref Op;
        if (SetsLiveFlags)
        {
            KeepCarry();
        }

        PushSlot(op.A, op.Width);
        PushConstant(1, op.Width);
        _il.Emit(op.Opcode == IrOpcode.Increment ? Il.Add : Il.Subtract);
        FinishResult();
    }

    private void EmitShift()
    {
        ref readonly IrOp op = ref Op;
        int mask = IsWide(op.Width) ? 63 : 31;
        if (op.ImmediateB)
        {
            int count = (int)op.Imm & mask;
            if (SetsLiveFlags)
            {
                PushShifted(count - 1);
                KeepLastStep();
            }

            PushShifted(count);
            FinishResult();
            return;
        }

        PushSlot(op.B, IrWidth.W8);
        _il.Constant4(mask);
        _il.Emit(Il.And);
        _il.Emit(Il.ConvertU8);
        _il.Store(_carryIn);
        if (SetsLiveFlags)
        {
            KeepVariableShift();
        }

        PushShifted(null);
        StoreSlot(op.Dst, op.Width, IsWide(op.Width));
    }

    // A count of zero keeps the flags, so what they mean is known at run time only.
    private void KeepVariableShift()
    {
        IrWidth width = Op.Width;
        ConvertFlags(new FlagsState(FlagsForm.Dynamic));
        IlLabel unchanged = _il.NewLabel();
        _il.Load(_carryIn);
        _il.Emit(Il.BranchFalse, unchanged);
        PushShifted(null);
        ToZeroExtended64(width);
        _il.Store(_flagsResult);
        _il.Load(_carryIn);
        _il.Constant8(1);
        _il.Emit(Il.Subtract);
        _il.Store(_scratch);
        PushShifted(null, _scratch);
        KeepLastStep();
        _il.Constant8((long)LazyFlags.Encode(FlagsState.KindOf(Op.Opcode), (int)width));
        _il.Store(_flagsOp);
        _il.Mark(unchanged);
    }

    /// <summary>Pops the operand shifted by one less than the count.</summary>
    private void KeepLastStep()
    {
        ToZeroExtended64(Op.Width);
        _il.Store(_flagsSource);
        if (Op.Opcode == IrOpcode.ShiftRight)
        {
            _il.Load(_flagsSource);
            _il.Constant4(BitsOf(Op.Width) - 1);
            _il.Emit(Il.ShiftRightUnsigned);
            _il.Store(_flagsCarry);
        }
    }

    /// <summary>Pushes the operand shifted by a constant, or by the local <paramref name="countLocal"/> (the masked count by default).</summary>
    private void PushShifted(int? count, int countLocal = -1)
    {
        ref readonly IrOp op = ref Op;
        if (op.Opcode == IrOpcode.ShiftRightArithmetic)
        {
            PushSlotSigned(op.A, op.Width);
        }
        else
        {
            PushSlot(op.A, op.Width);
        }

        if (count == 0)
        {
            return;
        }

        if (count is int constant)
        {
            _il.Constant4(constant);
        }
        else
        {
            _il.Load(countLocal < 0 ? _carryIn : countLocal);
            _il.Emit(Il.ConvertI4);
        }

        _il.Emit(op.Opcode switch { IrOpcode.ShiftLeft => Il.ShiftLeft, IrOpcode.ShiftRight => Il.ShiftRightUnsigned, _ => Il.ShiftRight });
    }

    private void EmitRotate()
    {
        ref readonly IrOp op = ref Op;
        int bits = BitsOf(op.Width);
        PushCount(bits);
        _il.Emit(Il.ConvertU8);
        _il.Store(_carryIn);
        PushSlot(op.A, op.Width);
        _il.Load(_carryIn);
        _il.Emit(Il.ConvertI4);
        if (op.Width >= IrWidth.W32)
        {
            _il.Emit(Il.Call, _tokens[IsWide(op.Width) ? RegionTokens.Token.RotateLeft8 : RegionTokens.Token.RotateLeft4]);
        }
        else
        {
            _il.Emit(Il.ShiftLeft);
            PushSlot(op.A, op.Width);
            _il.Constant4(bits);
            _il.Load(_carryIn);
            _il.Emit(Il.ConvertI4);
            _il.Emit(Il.Subtract);
            _il.Emit(Il.ShiftRightUnsigned);
            _il.Emit(Il.Or);
        }

        StoreSlot(op.Dst, op.Width, IsWide(op.Width));
    }

    /// <summary>Pushes by how many bits a rotation goes to the left, less than the width.</summary>
    private void PushCount(int bits)
    {
        ref readonly IrOp op = ref Op;
        bool right = op.Opcode == IrOpcode.RotateRight;
        if (op.ImmediateB)
        {
            int count = (int)op.Imm & (bits - 1);
            _il.Constant4((right ? bits - count : count) & (bits - 1));
            return;
        }

        if (right)
        {
            _il.Constant4(bits);
        }

        PushSlot(op.B, IrWidth.W8);
        if (right)
        {
            _il.Emit(Il.Subtract);
        }

        _il.Constant4(bits - 1);
        _il.Emit(Il.And);
    }

    private void EmitMultiply()
    {
        ref readonly IrOp op = ref Op;
        if (!SetsLiveFlags)
        {
            PushSlot(op.A, op.Width);
            PushSecond();
            _il.Emit(Il.Multiply);
            StoreSlot(op.Dst, op.Width, IsWide(op.Width));
            return;
        }

        PushProduct(signed: true);
        _il.Store(_scratch);
        if (IsWide(op.Width))
        {
            PushSlot(op.A, op.Width);
            PushSecond();
            _il.Emit(Il.Call, _tokens[RegionTokens.Token.SignedHigh]);
            _il.Load(_scratch);
            _il.Constant4(63);
            _il.Emit(Il.ShiftRight);
        }
        else
        {
            _il.Load(_scratch);
            _il.Load(_scratch);
            SignExtend64(op.Width);
        }

        _il.Emit(Il.Xor); // zero when the product fits
        _il.Store(_flagsSource);
        _il.Load(_scratch);
        Narrow(op.Width);
        FinishResult();
    }

    private void EmitMultiplyWide()
    {
        ref readonly IrOp op = ref Op;
        bool signed = op.Opcode == IrOpcode.MultiplyWideSigned;
        PushProduct(signed);
        _il.Store(_scratch);
        if (IsWide(op.Width))
        {
            PushSlot(op.A, op.Width);
            PushSlot(op.B, op.Width);
            _il.Emit(Il.Call, _tokens[signed ? RegionTokens.Token.SignedHigh : RegionTokens.Token.UnsignedHigh]);
        }
        else
        {
            _il.Load(_scratch);
            _il.Constant4(BitsOf(op.Width));
            _il.Emit(Il.ShiftRightUnsigned);
        }

        ZeroExtend64(op.Width);
        _il.Store(_carryIn);
        if (SetsLiveFlags)
        {
            KeepWideFlags(signed);
        }

        _il.Load(_scratch);
        StoreSlot(op.Dst, op.Width, wide: true);
        _il.Load(_carryIn);
        StoreSlot(op.C, op.Width, wide: true);
    }

    private void KeepWideFlags(bool signed)
    {
        IrWidth width = Op.Width;
        _il.Load(_scratch);
        ZeroExtend64(width);
        _il.Store(_flagsResult);
        _il.Load(_carryIn);
        if (signed)
        {
            _il.Load(_scratch);
            SignExtend64(width);
            _il.Constant4(63);
            _il.Emit(Il.ShiftRight);
            ZeroExtend64(width);
            _il.Emit(Il.Xor);
        }

        _il.Store(_flagsSource);
    }

    /// <summary>Pushes A × second operand, extended to 64 bits first: the whole product up to 32 bits.</summary>
    private void PushProduct(bool signed)
    {
        IrWidth width = Op.Width;
        PushSlot(Op.A, width);
        Extend64(width, signed);
        PushSecond();
        Extend64(width, signed);
        _il.Emit(Il.Multiply);
    }

    private void Extend64(IrWidth width, bool signed)
    {
        if (!IsWide(width))
        {
            if (signed)
            {
                SignExtend(width);
            }

            _il.Emit(signed ? Il.ConvertI8 : Il.ConvertU8);
        }
    }

    /// <summary>64 bits with dirty upper bits → sign-extended.</summary>
    private void SignExtend64(IrWidth width)
    {
        if (!IsWide(width))
        {
            _il.Emit(width switch { IrWidth.W8 => Il.ConvertI1, IrWidth.W16 => Il.ConvertI2, _ => Il.ConvertI4 });
            _il.Emit(Il.ConvertI8);
        }
    }

    /// <summary>64 bits with dirty upper bits → zero-extended.</summary>
    private void ZeroExtend64(IrWidth width)
    {
        if (!IsWide(width))
        {
            Truncate(width);
            _il.Emit(Il.ConvertU8);
        }
    }

    /// <summary>64 bits → the stack type, upper bits dirty.</summary>
    private void Narrow(IrWidth width)
    {
        if (!IsWide(width))
        {
            _il.Emit(Il.ConvertI4);
        }
    }

    /// <summary>Pops the result to the destination, and to the flags if they live.</summary>
    private void FinishResult()
    {
        ref readonly IrOp op = ref Op;
        if (!SetsLiveFlags)
        {
            StoreSlot(op.Dst, op.Width, IsWide(op.Width));
            return;
        }

        ToZeroExtended64(op.Width);
        _il.Emit(Il.Duplicate);
        _il.Store(_flagsResult);
        StoreSlot(op.Dst, op.Width, wide: true);
    }
}
