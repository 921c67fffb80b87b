using Emu.Frontend.Ir;

namespace Emu.Jit.Regions;

/// <content>Helper calls.</content>
internal sealed unsafe partial class RegionEmitter
{
    private void EmitCall()
    {
        if (_plan.InstructionFor(_number, _index) is VectorInstruction instruction)
        {
            EmitVectorCall(instruction);
            return;
        }

        IrOp op = Op;
        if (op.OnlyChangesFlags && !FlagsLive)
        {
            return;
        }

        IrCallEffects effects = op.Effects;
        bool mayFault = (effects & IrCallEffects.MayFault) != 0;
        if (RegionPlan.ReadsAllRegisters(op))
        {
            StoreRegisters(_dirty);
        }

        if (_plan.StoresVectors(_number, _index))
        {
            StoreVectors(_dirtyVectors);
        }

        if (mayFault || (effects & IrCallEffects.ReadsFlags) != 0)
        {
            SyncFlags();
        }

        if (mayFault)
        {
            // As the handlers of tier 0 do: a fault finds its instruction, and the count up to its block.
            StoreHeaderConstant(HeaderOffset.CurrentOp, OpAddress(_index));
            CommitCount();
            _il.Constant8(0);
            _il.Store(_count);
        }

        EmitOutsideFloat(EmitCallItself);
    }

    private void EmitCallItself()
    {
        IrOp op = Op;
        switch (op.Opcode)
        {
            case IrOpcode.Call:
                EmitScalarCall();
                break;
            case IrOpcode.CallVector:
                SpillOperands();
                _il.Emit(Il.LoadArgument1);
                PushHeaderAddress(op.Dst);
                EmitVectorArguments(RegionTokens.Token.CallVector);
                LoadVectors(RegionPlan.VectorBit(op.Dst));
                break;
            default:
                SpillOperands();
                _il.Emit(Il.LoadArgument1);
                EmitVectorArguments(RegionTokens.Token.CallVectorValue);
                StoreSlot(op.Dst, IrWidth.W64, wide: true);
                LoadVectors(_usedVectors); // a few write one by themselves
                break;
        }
    }

    private void EmitScalarCall()
    {
        IrOp op = Op;
        _il.Emit(Il.LoadArgument1);
        PushSlot(op.A, IrWidth.W64);
        PushSlot(op.B, IrWidth.W64);
        _il.Constant8(op.Imm);
        _il.Constant8(op.Target);
        _il.Emit(Il.CallIndirect, _tokens[RegionTokens.Token.Call]);
        if ((op.Effects & IrCallEffects.WritesRegisters) == 0)
        {
            StoreResult(op.Dst);
            return;
        }

        // The result last: it may be one of the registers read back.
        _il.Store(_scratch);
        LoadHeader(HeaderOffset.Tlb, _tlb);
        LoadRegisters();
        LoadVectors(_usedVectors);
        _il.Load(_scratch);
        StoreResult(op.Dst);
    }

    private void StoreResult(int slot)
    {
        if (slot == 0)
        {
            _il.Emit(Il.Pop);
        }
        else
        {
            StoreSlot(slot, IrWidth.W64, wide: true);
        }
    }

    private void EmitVectorArguments(RegionTokens.Token signature)
    {
        PushHeaderAddress(Op.A);
        PushHeaderAddress(Op.B);
        _il.Constant4((int)Op.Imm);
        _il.Constant8(Op.Target);
        _il.Emit(Il.CallIndirect, _tokens[signature]);
    }

    // Vector helpers take pointers: operands that are scalar registers must be in the state block.
    private void SpillOperands()
    {
        foreach (ushort slot in (ReadOnlySpan<ushort>)[Op.A, Op.B])
        {
            if (IsLocal(slot))
            {
                StoreHeader(slot & ~7, LocalOf(slot));
            }
        }
    }

    private void CommitCount()
    {
        PushHeaderAddress(HeaderOffset.Instructions);
        _il.Emit(Il.Duplicate);
        _il.Emit(Il.LoadI8);
        _il.Load(_count);
        _il.Emit(Il.Add);
        _il.Emit(Il.StoreI8);
    }
}
