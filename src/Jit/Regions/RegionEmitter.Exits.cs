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
            PushPc(_region.Blocks[edge.Block].Pc);
            _il.Emit(Il.BranchNotEqual, other);
            EmitEdge(edge, next: -1, flagsOp: -1);
            _flags = flags;
            _il.Mark(other);
        }

        NoteTarget();
        _usesLookups = true;
        LeaveAt(LookupExit, _flags);
    }

    /// <summary>Writes the target of a jump that goes on elsewhere to its history.</summary>
    private void NoteTarget()
    {
        if (_block.History == 0)
        {
            return;
        }

        PushNotedTarget();
        _il.Constant4(JumpHistory.FirstShift);
        _il.Emit(Il.ShiftRightUnsigned);
        PushNotedTarget();
        _il.Constant4(JumpHistory.SecondShift);
        _il.Emit(Il.ShiftRightUnsigned);
        _il.Emit(Il.Xor);
        _il.Constant8(JumpHistory.Cells - 1);
        _il.Emit(Il.And);
        _il.Constant8(sizeof(ulong));
        _il.Emit(Il.Multiply);
        _il.Constant8(_block.History);
        _il.Emit(Il.Add);
        PushNotedTarget();
        _il.Emit(Il.StoreI8);
    }

    private void PushNotedTarget()
    {
        _il.Load(_pc);
        if (_region.IsRelative)
        {
            LoadHeader(CpuHeader.PcPageSlot);
            _il.Emit(Il.Subtract);
        }
    }

    /// <summary>Pushes a program counter of the region, or one that it knows.</summary>
    private void PushPc(ulong pc)
    {
        if (!_region.IsRelative)
        {
            _il.Constant8((long)pc);
            return;
        }

        LoadHeader(CpuHeader.PcPageSlot);
        _il.Constant8((long)(pc - _block.Page));
        _il.Emit(Il.Add);
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
        return IsOtherPage(target) || plan.FlagsLiveIn && (flagsOp >= 0 || plan.Flags!.Value with { Synced = _flags.Synced } != _flags);
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
            _il.EmitUnlikely(Il.BranchTrue, Op.Opcode == IrOpcode.JumpIndirect ? LeaveTo(edge.Block, LookupExit, flagsOp) : LeaveByJump(flagsOp));
        }

        EmitPageChecks(edge.Block, flagsOp);
        BlockPlan target = _plan.Blocks[edge.Block];
        EnterPage(edge.Block);
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

    private bool IsOtherPage(int block) => _region.IsRelative && _region.Blocks[block].Page != _block.Page;

    private void EnterPage(int block)
    {
        if (IsOtherPage(block))
        {
            PushHeaderAddress(CpuHeader.PcPageSlot);
            _il.Emit(Il.Duplicate);
            _il.Emit(Il.LoadI8);
            _il.Constant8((long)(_region.Blocks[block].Page - _block.Page));
            _il.Emit(Il.Add);
            _il.Emit(Il.StoreI8);
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
                _il.EmitUnlikely(Il.BranchFalse, stub);
                continue;
            }

            PushHeaderAddress(HeaderOffset.CodeEpoch);
            _il.Emit(Il.LoadI4);
            _il.EmitUnlikely(Il.BranchNotEqual, stub);
            if (_region.IsRelative)
            {
                _il.Constant8(guard.Cell + CodePageGuards.BaseOffset);
                _il.Emit(Il.LoadI8);
                PushPc(0);
                _il.EmitUnlikely(Il.BranchNotEqual, stub);
            }
        }
    }
}
