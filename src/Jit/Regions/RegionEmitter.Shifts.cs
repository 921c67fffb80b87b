using Emu.Frontend.Ir;

namespace Emu.Jit.Regions;

/// <content>Shifts, rotations, bit scans.</content>
internal sealed unsafe partial class RegionEmitter
{
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
}
