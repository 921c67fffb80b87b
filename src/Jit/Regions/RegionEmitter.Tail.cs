using System.Runtime.InteropServices;
using Emu.Frontend.Ir;
using Emu.Jit.Interpreter;

namespace Emu.Jit.Regions;

/// <content>The end of the method: the stubs, and what they share.</content>
internal sealed unsafe partial class RegionEmitter
{
    private void EmitLeaves()
    {
        foreach (ref readonly Leave leave in CollectionsMarshal.AsSpan(_leaves))
        {
            _il.Mark(leave.Label);
            _block = _region.Blocks[leave.Block];
            SetPendingFlags(leave.Block, leave.FlagsOp);
            foreach (ushort slot in leave.Temporaries)
            {
                StoreTemporary(slot);
            }

            if (leave.Pc is ulong pc)
            {
                PushPc(pc);
                _il.Store(_pc);
            }

            LeaveAt(leave.Exit, leave.Flags);
        }
    }

    /// <summary>Goes to the tail.</summary>
    private void LeaveAt(nint exit, FlagsState flags)
    {
        _il.Constant8(exit);
        _il.Store(_exit);
        if (flags.IsInHeader)
        {
            _il.Emit(Il.Branch, _tail ??= _il.NewLabel());
            return;
        }

        if (flags.Form == FlagsForm.Known)
        {
            _il.Constant8(Encode(flags));
            _il.Store(_flagsOp);
        }

        _il.Emit(Il.Branch, flags.Carry == FlagsCarry.Memory ? _commitStepTail ??= _il.NewLabel() : _storeFlagsTail ??= _il.NewLabel());
    }

    private void EmitTail()
    {
        IlLabel tail = _tail ?? _il.NewLabel();
        if (_commitStepTail is IlLabel commit)
        {
            _il.Mark(commit);
            _flags = new FlagsState(FlagsForm.Dynamic, Carry: FlagsCarry.Memory);
            StoreFlags();
            _il.Emit(Il.Branch, tail);
        }

        if (_storeFlagsTail is IlLabel store)
        {
            _il.Mark(store);
            _flags = new FlagsState(FlagsForm.Dynamic);
            StoreFlags();
        }

        _il.Mark(tail);
        StoreRegisters(_plan.Written);
        StoreVectors(_plan.WrittenVectors & ~RegionPlan.VectorTemporaries);
        if (_plan.UsesFloat)
        {
            EmitFloatCall(HostFloat.Leave);
        }

        CommitCount();
        IlLabel enter = _il.NewLabel();
        if (_usesLookups)
        {
            EmitLookup(enter);
        }

        if (_usesPageChecks)
        {
            EmitPageCheck();
        }

        if (_usesLinks)
        {
            EmitLink(enter);
        }

        _il.Mark(enter);
        PushTailCall();
    }

    private void PushTailCall()
    {
        _il.Load(_exit);
        _il.Emit(Il.LoadArgument1);
        _il.Load(_exit);
        _il.Emit(Il.LoadI8);
        _il.Emit(Il.Tail);
        _il.Emit(Il.CallIndirect, _tokens[RegionTokens.Token.Handler]);
        _il.Emit(Il.Return);
    }

    /// <summary>What <see cref="Handlers.JumpIndirect"/> does with the program counter.</summary>
    private void EmitLookup(IlLabel enter)
    {
        IlLabel other = _il.NewLabel();
        IlLabel found = _il.NewLabel();
        IlLabel miss = _il.NewLabel();
        _il.Load(_exit);
        _il.Constant8(LookupExit);
        _il.Emit(Il.BranchNotEqual, other);
        StoreHeader(CpuHeader.PcSlot, _pc);
        PushHeaderAddress(CpuHeader.PcPageSlot);
        _il.Load(_pc);
        _il.Constant8(PageMask);
        _il.Emit(Il.And);
        _il.Emit(Il.StoreI8);
        PushJumpCacheEntry();
        _il.Store(_entry);
        PushEntryField(nameof(JumpCacheEntry.Pc));
        _il.Load(_pc);
        _il.Emit(Il.BranchNotEqual, miss);
        PushEntryField(nameof(JumpCacheEntry.ModeKey));
        PushHeaderAddress(HeaderOffset.ModeKey);
        _il.Emit(Il.LoadI8);
        _il.Emit(Il.BranchNotEqual, miss);
        _il.Emit(Il.LoadArgument1);
        _il.Emit(Il.Volatile);
        _il.Emit(Il.LoadI4);
        _il.Emit(Il.BranchFalse, found);
        _il.Mark(miss);
        _il.Constant8(0);
        _il.Store(_exit);
        ReturnToEngine(LeaveReason.Lookup);
        _il.Mark(found);
        PushEntryField(nameof(JumpCacheEntry.Code));
        _il.Store(_exit);
        _il.Emit(Il.Branch, enter);
        _il.Mark(other);
    }

    private void EmitPageCheck()
    {
        IlLabel other = _il.NewLabel();
        _il.Load(_exit);
        _il.Constant8(PageCheckExit);
        _il.Emit(Il.BranchNotEqual, other);
        StoreHeader(CpuHeader.PcSlot, _pc);
        _il.Constant8(0);
        _il.Store(_exit);
        ReturnToEngine(LeaveReason.PageCheck);
        _il.Mark(other);
    }

    // JumpCacheEntry.IndexOf.
    private void PushJumpCacheEntry()
    {
        _il.Load(_pc);
        _il.Load(_pc);
        _il.Constant4(10);
        _il.Emit(Il.ShiftRightUnsigned);
        _il.Emit(Il.Xor);
        _il.Constant8(JumpCacheEntry.Count - 1);
        _il.Emit(Il.And);
        _il.Constant8(sizeof(JumpCacheEntry));
        _il.Emit(Il.Multiply);
        PushHeaderAddress(HeaderOffset.JumpCache);
        _il.Emit(Il.LoadI8);
        _il.Emit(Il.Add);
    }

    private void PushEntryField(string field)
    {
        _il.Load(_entry);
        _il.Constant8(Marshal.OffsetOf<JumpCacheEntry>(field));
        _il.Emit(Il.Add);
        _il.Emit(Il.LoadI8);
    }

    /// <summary>What <see cref="Handlers.Jump"/> does with the op.</summary>
    private void EmitLink(IlLabel enter)
    {
        IlLabel leave = _il.NewLabel();
        _il.Load(_exit);
        _il.Constant8(LinkExit);
        _il.Emit(Il.And);
        _il.Emit(Il.BranchFalse, enter);
        _il.Load(_exit);
        _il.Constant8(LinkExit);
        _il.Emit(Il.Subtract);
        _il.Store(_exit);
        _il.Load(_exit);
        _il.Constant4(OpTarget);
        _il.Emit(Il.Add);
        _il.Emit(Il.LoadI8);
        _il.Store(_pc);
        _il.Load(_pc);
        _il.Emit(Il.BranchFalse, leave);
        _il.Emit(Il.LoadArgument1);
        _il.Emit(Il.Volatile);
        _il.Emit(Il.LoadI4);
        _il.Emit(Il.BranchTrue, leave);
        _il.Load(_pc);
        _il.Store(_exit);
        _il.Emit(Il.Branch, enter);
        _il.Mark(leave);
        ReturnToEngine(LeaveReason.BlockEnd);
    }

    // Handlers.LeaveWith.
    private void ReturnToEngine(LeaveReason reason)
    {
        StoreHeader(HeaderOffset.CurrentOp, _exit);
        PushHeaderAddress(HeaderOffset.Leave);
        _il.Constant4((int)reason);
        _il.Emit(Il.StoreI4);
        _il.Load(_exit);
        _il.Emit(Il.Return);
    }
}
