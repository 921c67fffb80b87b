using Emu.Frontend.Ir;

namespace Emu.Jit.Regions;

/// <content>
/// Division by the host's, where its quotient is known to fit: upper half below the divisor, or of signed operands no upper half and a
/// divisor other than 0 and −1. Tier 0 does the rest, faults among it.
/// </content>
internal sealed unsafe partial class RegionEmitter
{
    private void EmitDivide()
    {
        IrOp op = Op;
        bool signed = op.Opcode == IrOpcode.DivideSigned;
        IlLabel otherwise = StubHere();
        if (signed)
        {
            EmitSignedCheck(otherwise);
        }
        else
        {
            PushSlot(op.C, op.Width);
            if (HostDivision.IsWide)
            {
                PushSlot(op.B, op.Width);
                _il.Emit(Il.BranchGreaterEqualUnsigned, otherwise);
            }
            else
            {
                _il.Emit(Il.BranchTrue, otherwise);
                PushSlot(op.B, op.Width);
                _il.Emit(Il.BranchFalse, otherwise);
            }
        }

        PushDividend(op, signed);
        PushSlot(op.B, op.Width);
        _il.Emit(Il.Call, _tokens.Of(HostDivision.Find(signed, op.Width)));
        Extend64(op.Width, signed: false);
        _il.Store(_carryIn);
        PushSlot(op.A, op.Width);
        _il.Load(_carryIn);
        Narrow(op.Width);
        PushSlot(op.B, op.Width);
        _il.Emit(Il.Multiply);
        _il.Emit(Il.Subtract);
        Extend64(op.Width, signed: false);
        _il.Store(_scratch);
        _il.Load(_carryIn);
        StoreSlot(op.Dst, op.Width, wide: true);
        _il.Load(_scratch);
        StoreSlot(op.C, op.Width, wide: true);
    }

    private void PushDividend(in IrOp op, bool signed)
    {
        PushSlot(op.A, op.Width);
        if (!signed && HostDivision.IsWide)
        {
            PushSlot(op.C, op.Width);
        }
    }

    private void EmitSignedCheck(IlLabel otherwise)
    {
        IrOp op = Op;
        PushSlot(op.A, op.Width);
        _il.Constant4(BitsOf(op.Width) - 1);
        _il.Emit(Il.ShiftRight);
        PushSlot(op.C, op.Width);
        _il.Emit(Il.BranchNotEqual, otherwise);
        PushSlot(op.B, op.Width);
        PushConstant(1, op.Width);
        _il.Emit(Il.Add);
        PushConstant(1, op.Width);
        _il.Emit(Il.BranchLessEqualUnsigned, otherwise);
    }
}
