using System.Numerics;
using System.Runtime.InteropServices;
using Emu.Frontend.Ir;
using Emu.Jit.Interpreter;

namespace Emu.Jit.Regions;

/// <content>
/// Leaving. The exit local holds the tier-0 op to go on at, or with a bit set in its low end how to find it: <see cref="LinkExit"/> marks a
/// jump op that is taken (as its handler does, the tail goes to the block it is linked to, else back to the engine), and
/// <see cref="LookupExit"/> stands for a look into the jump cache for the program counter in its local, <see cref="PageCheckExit"/> for
/// asking the engine about its page first. So an op that ends a block is never executed twice, and its operands need not be stored.
/// </content>
internal sealed unsafe partial class RegionEmitter
{
    private const int LinkExit = 1;
    private const int LookupExit = 2;
    private const int PageCheckExit = 4;

    private static readonly int OpTarget = (int)Marshal.OffsetOf<Op>(nameof(Interpreter.Op.Target));

    private readonly List<Leave> _leaves = [];
    private readonly int _pc;
    private IlLabel? _storeFlagsTail;
    private IlLabel? _commitStepTail;
    private IlLabel? _tail;
    private bool _usesLinks;
    private bool _usesLookups;
    private bool _usesPageChecks;

    /// <summary>A stub to be written at the method's end.</summary>
    /// <param name="Label">Its label.</param>
    /// <param name="Exit">Value of the exit local.</param>
    /// <param name="Flags">Where the flags are.</param>
    /// <param name="Temporaries">Temporaries to store.</param>
    /// <param name="Block">Block of the op whose flags are still to be set, with <paramref name="FlagsOp"/>.</param>
    /// <param name="FlagsOp">Index of that op, or −1.</param>
    private readonly record struct Leave(IlLabel Label, nint Exit, FlagsState Flags, ushort[] Temporaries, int Block = 0, int FlagsOp = -1)
    {
        /// <summary>The program counter, where <see cref="Exit"/> needs one.</summary>
        public ulong? Pc { get; init; }
    }

    /// <summary>The stub that the op in emission goes to when it cannot be done here.</summary>
    private IlLabel StubHere()
    {
        if (_committed)
        {
            return AddLeave(OpAddress(_index), [.. _writtenTemporaries]);
        }

        return _instructionStub ??= AddLeave(OpAddress(_block.Instructions[_instruction - 1]), []);
    }

    private IlLabel AddLeave(nint exit, ushort[] temporaries)
    {
        IlLabel label = _il.NewLabel();
        _leaves.Add(new Leave(label, exit, _flags, temporaries));
        return label;
    }

    private void EmitBlockEnd(int next)
    {
        ref readonly IrOp op = ref Op;
        _il.Load(_count);
        _il.Constant8(op.Dst);
        _il.Emit(Il.Add);
        _il.Store(_count);
        switch (op.Opcode)
        {
            case IrOpcode.Jump:
                EmitJump(next, flagsOp: -1);
                return;
            case IrOpcode.JumpIndirect:
                EmitIndirectJump();
                return;
        }

        // Flags of a fused comparison are set on the ways out that need them.
        bool fused = op.Opcode != IrOpcode.JumpIf;
        int flagsOp = fused && SetsLiveFlags ? _index : -1;
        int? order = OrderBefore(_index);
        if (order is not null && FlagsLive)
        {
            flagsOp = _index - 1;
        }

        Comparison comparison = fused ? PushFused() : order is int compare ? PushOrderCondition(compare) : PushCondition();
        _flags = _flags.After(op, FlagsLive);
        EmitTaken(comparison, flagsOp);
        _index++;
        EmitJump(next, flagsOp);
    }

    /// <summary>Compares the target with what it probably is, and leaves by the jump cache when it is something else.</summary>
    private void EmitIndirectJump()
    {
        PushSlot(Op.A, IrWidth.W64);
        _il.Store(_pc);
        FlagsState flags = _flags;
        foreach (RegionEdge edge in _plan.GuessesOf(_number, _index))
        {
            IlLabel other = _il.NewLabel();
            _il.Load(_pc);
            _il.Constant8((long)_region.Blocks[edge.Block].Pc);
            _il.Emit(Il.BranchNotEqual, other);
            EmitEdge(edge, next: -1, flagsOp: -1);
            _flags = flags;
            _il.Mark(other);
        }

        _usesLookups = true;
        LeaveAt(LookupExit, _flags);
    }

    /// <summary>The conditional branch: straight to the target when nothing is to be done on the way.</summary>
    private void EmitTaken(Comparison comparison, int flagsOp)
    {
        RegionEdge edge = _plan.EdgeOf(_number, _index);
        FlagsState flags = _flags;
        if (edge.Block < 0)
        {
            BranchIf(comparison, LeaveByJump(flagsOp));
        }
        else if (!edge.IsBackward && _plan.PagesToCheck(_number, edge.Block) == 0 && !NeedsEdgeCode(edge.Block, flagsOp))
        {
            BranchIf(comparison, _blockLabels[edge.Block]);
        }
        else
        {
            IlLabel taken = _il.NewLabel();
            IlLabel otherwise = _il.NewLabel();
            BranchIf(comparison, taken);
            _il.Emit(Il.Branch, otherwise);
            _il.Mark(taken);
            EmitEdge(edge, next: -1, flagsOp);
            _il.Mark(otherwise);
        }

        _flags = flags;
    }

    private void EmitJump(int next, int flagsOp)
    {
        RegionEdge edge = _plan.EdgeOf(_number, _index);
        if (edge.Block < 0)
        {
            _il.Emit(Il.Branch, LeaveByJump(flagsOp));
        }
        else
        {
            EmitEdge(edge, next, flagsOp);
        }
    }

    private bool NeedsEdgeCode(int target, int flagsOp)
    {
        BlockPlan plan = _plan.Blocks[target];
        return plan.FlagsLiveIn && (flagsOp >= 0 || plan.Flags!.Value with { Synced = _flags.Synced } != _flags);
    }

    /// <summary>The way to another block of the region.</summary>
    private void EmitEdge(RegionEdge edge, int next, int flagsOp)
    {
        if (edge.IsBackward)
        {
            // Volatile: RyuJIT would otherwise read it, and guest memory, once for a loop that writes nothing.
            _il.Emit(Il.LoadArgument1);
            _il.Emit(Il.Volatile);
            _il.Emit(Il.LoadI4);
            _il.Emit(Il.BranchTrue, Op.Opcode == IrOpcode.JumpIndirect ? LeaveTo(edge.Block, LookupExit, flagsOp) : LeaveByJump(flagsOp));
        }

        EmitPageChecks(edge.Block, flagsOp);
        BlockPlan target = _plan.Blocks[edge.Block];
        if (target.FlagsLiveIn)
        {
            SetPendingFlags(_number, flagsOp);
            ConvertFlags(target.Flags!.Value);
        }

        if (edge.Block != next)
        {
            _il.Emit(Il.Branch, _blockLabels[edge.Block]);
        }
    }

    private void SetPendingFlags(int block, int flagsOp)
    {
        if (flagsOp >= 0)
        {
            (int number, RegionBlock current, int index) = (_number, _block, _index);
            (_number, _block, _index) = (block, _region.Blocks[block], flagsOp);
            SetCompareFlags();
            (_number, _block, _index) = (number, current, index);
        }
    }

    /// <summary>The stub that leaves by the jump op in emission, which is taken and counted.</summary>
    private IlLabel LeaveByJump(int flagsOp)
    {
        ulong target = IrBlock.JumpTarget(_block.Pc, _region.PcMask, Op.Imm);
        if ((target ^ _block.Pc) >> 12 != 0)
        {
            return LeaveTo(target, LookupExit, flagsOp);
        }

        _usesLinks = true;
        IlLabel label = _il.NewLabel();
        _leaves.Add(new Leave(label, OpAddress(_index) | LinkExit, _flags, [], _number, flagsOp));
        return label;
    }

    private IlLabel LeaveTo(int block, nint exit, int flagsOp) => LeaveTo(_region.Blocks[block].Pc, exit, flagsOp);

    /// <summary>The stub that leaves from the jump op in emission to a known address.</summary>
    private IlLabel LeaveTo(ulong pc, nint exit, int flagsOp)
    {
        _usesLookups |= exit == LookupExit;
        _usesPageChecks |= exit == PageCheckExit;
        IlLabel label = _il.NewLabel();
        _leaves.Add(new Leave(label, exit, _flags, [], _number, flagsOp) { Pc = pc });
        return label;
    }

    /// <summary>Leaves by the engine unless the pages of a block are known to be what they were.</summary>
    private void EmitPageChecks(int block, int flagsOp)
    {
        uint pages = _plan.PagesToCheck(_number, block);
        if (pages == 0)
        {
            return;
        }

        IlLabel stub = LeaveTo(block, PageCheckExit, flagsOp);
        for (; pages != 0; pages &= pages - 1)
        {
            CodePageGuard guard = _region.Pages[BitOperations.TrailingZeroCount(pages)];
            _il.Constant8(guard.Cell);
            _il.Emit(Il.LoadI4);
            if (guard.IsGlobal)
            {
                _il.Emit(Il.BranchFalse, stub);
                continue;
            }

            PushHeaderAddress(HeaderOffset.CodeEpoch);
            _il.Emit(Il.LoadI4);
            _il.Emit(Il.BranchNotEqual, stub);
        }
    }

    private void EmitLeaves()
    {
        foreach (ref readonly Leave leave in CollectionsMarshal.AsSpan(_leaves))
        {
            _il.Mark(leave.Label);
            SetPendingFlags(leave.Block, leave.FlagsOp);
            foreach (ushort slot in leave.Temporaries)
            {
                StoreTemporary(slot);
            }

            if (leave.Pc is ulong pc)
            {
                _il.Constant8((long)pc);
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
            EmitFloatCall(RegionTokens.Token.LeaveFloat);
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
