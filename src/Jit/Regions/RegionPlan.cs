using Emu.Frontend.Ir;

namespace Emu.Jit.Regions;

/// <summary>What the emitter knows of a block before it writes it.</summary>
internal sealed class BlockPlan
{
    /// <summary>Ops compiled; the rest is left to tier 0.</summary>
    public int OpCount { get; set; }

    /// <summary>The block goes on in tier 0 behind <see cref="OpCount"/>.</summary>
    public bool LeavesEarly { get; set; }

    /// <summary>Pages known to be what they were when the block starts, a bit each; its own are among them.</summary>
    public uint CheckedPages { get; set; }

    /// <summary>Control can get here.</summary>
    public bool IsReachable { get; set; }

    /// <summary>By op: whether anything looks at the flags after it.</summary>
    public bool[] FlagsLiveAfter { get; set; } = [];

    /// <summary>Whether anything looks at the flags at the start.</summary>
    public bool FlagsLiveIn { get; set; }

    /// <summary>Where the flags are at the start; null before the first path to here is known.</summary>
    public FlagsState? Flags { get; set; }

    /// <summary>Registers whose locals may be newer than the state block, at the start.</summary>
    public ulong Dirty { get; set; }

    /// <summary>The same of vector registers.</summary>
    public ulong DirtyVectors { get; set; }

    /// <summary>By op: the group of a memory access.</summary>
    public GroupedAccess[] Accesses { get; set; } = [];

    /// <summary>By op: the host instruction that stands for its helper.</summary>
    public VectorInstruction?[] VectorInstructions { get; set; } = [];

    /// <summary>By op: a result that RyuJIT must not find unused.</summary>
    public bool[] Pinned { get; set; } = [];
}

/// <summary>Everything about a region that is decided before code is written: what is compiled, in which order, where flags live and are.</summary>
internal sealed partial class RegionPlan
{
    private readonly Region _region;
    private readonly List<int> _order = [];

    /// <summary>Analyses <paramref name="region"/>.</summary>
    public RegionPlan(Region region)
    {
        _region = region;
        Blocks = new BlockPlan[region.Blocks.Length];
        for (int i = 0; i < Blocks.Length; i++)
        {
            Blocks[i] = PlanExtent(region.Blocks[i]);
        }

        OrderBlocks();
        FindCheckedPages();
        AccessGroups.Find(region, this);
        FindLiveFlags();
        PlanVectors();
        TrackState();
    }

    /// <summary>By block of the region.</summary>
    public BlockPlan[] Blocks { get; }

    /// <summary>The reachable blocks in the order of emission.</summary>
    public IReadOnlyList<int> Order => _order;

    /// <summary>Registers that compiled ops write, a bit each (<see cref="RegisterBit"/>).</summary>
    public ulong Written { get; private set; }

    /// <summary>The bit of a register slot, or zero for a slot that is none.</summary>
    public static ulong RegisterBit(int slot) => IsRegister(slot) ? 1UL << ((slot - CpuHeader.Size) >> 3) : 0;

    /// <summary>True for slots of guest registers that are kept in locals.</summary>
    public static bool IsRegister(int slot) => slot is >= CpuHeader.Size and < CpuHeader.ScalarEnd;

    /// <summary>True for slots of temporaries, which are kept in locals.</summary>
    public static bool IsTemporary(int slot) => slot is >= CpuHeader.TemporarySlot and < CpuHeader.Size;

    /// <summary>Whether a call takes what the state block says of the registers.</summary>
    public static bool ReadsAllRegisters(in IrOp op) =>
        op.IsCall && (op.Effects & (IrCallEffects.MayFault | IrCallEffects.ReadsRegisters | IrCallEffects.WritesRegisters)) != 0;

    /// <summary>The registers whose locals <paramref name="op"/> writes.</summary>
    public static ulong WrittenBy(in IrOp op)
    {
        switch (op.Opcode)
        {
            case IrOpcode.Nop or IrOpcode.Compare or IrOpcode.Test or IrOpcode.Store:
                return 0;
            case IrOpcode.MultiplyWideSigned or IrOpcode.MultiplyWideUnsigned or IrOpcode.DivideSigned or IrOpcode.DivideUnsigned:
                return RegisterBit(op.Dst) | RegisterBit(op.C);
            default:
                return op.IsBlockEnd ? 0 : RegisterBit(op.Dst);
        }
    }

    /// <summary>The edge of a jump op.</summary>
    public RegionEdge EdgeOf(int block, int op)
    {
        foreach (RegionEdge edge in _region.Blocks[block].Edges)
        {
            if (edge.Op == op)
            {
                return edge;
            }
        }

        return new RegionEdge(op, -1, false);
    }

    /// <summary>The targets that an indirect jump is compared with, those in the region.</summary>
    public IEnumerable<RegionEdge> GuessesOf(int block, int op) => EdgesInside(block).Where(edge => edge.Op == op);

    /// <summary>Pages to be checked on the way from one block to another, a bit each.</summary>
    public uint PagesToCheck(int from, int to) => _region.Blocks[to].Pages & ~Blocks[from].CheckedPages;

    // An instruction that ends in the dispatcher is left to tier 0 as a whole: its helper changes what compiled code relies on.
    private static BlockPlan PlanExtent(RegionBlock block)
    {
        for (int i = 0; i < block.Ops.Length; i++)
        {
            if (!OpSupport.IsSupported(block.Ops[i]))
            {
                int start = 0;
                foreach (ushort first in block.Instructions)
                {
                    start = first <= i ? first : start;
                }

                return new BlockPlan { OpCount = start, LeavesEarly = true, FlagsLiveAfter = new bool[start] };
            }
        }

        return new BlockPlan { OpCount = block.Ops.Length, FlagsLiveAfter = new bool[block.Ops.Length] };
    }

    // Reverse postorder, so that loops are contiguous and most jumps go forward.
    private void OrderBlocks()
    {
        var stack = new Stack<(int Block, bool Done)>();
        foreach (int entry in _region.Entries)
        {
            stack.Push((entry, false));
        }

        while (stack.TryPop(out (int Block, bool Done) entry))
        {
            if (entry.Done)
            {
                _order.Add(entry.Block);
                continue;
            }

            if (Blocks[entry.Block].IsReachable)
            {
                continue;
            }

            Blocks[entry.Block].IsReachable = true;
            stack.Push((entry.Block, true));
            foreach (RegionEdge edge in EdgesInside(entry.Block).Reverse())
            {
                stack.Push((edge.Block, false));
            }
        }

        _order.Reverse();
    }

    /// <summary>The edges of a block that stay in the region.</summary>
    public IEnumerable<RegionEdge> EdgesInside(int block) =>
        Blocks[block].LeavesEarly ? [] : _region.Blocks[block].Edges.Where(edge => edge.Block >= 0);

    // A page that was found right stays so until the region is left: what could change it ends its block in the dispatcher.
    private void FindCheckedPages()
    {
        foreach (int number in _order)
        {
            Blocks[number].CheckedPages = _region.Entries.Contains(number) ? _region.Blocks[number].Pages : uint.MaxValue;
        }

        bool changed = true;
        while (changed)
        {
            changed = false;
            foreach (int number in _order)
            {
                foreach (RegionEdge edge in EdgesInside(number))
                {
                    BlockPlan target = Blocks[edge.Block];
                    uint pages = target.CheckedPages & (Blocks[number].CheckedPages | _region.Blocks[edge.Block].Pages);
                    changed |= pages != target.CheckedPages;
                    target.CheckedPages = pages;
                }
            }
        }
    }

    private void FindLiveFlags()
    {
        bool changed = true;
        while (changed)
        {
            changed = false;
            for (int i = _order.Count - 1; i >= 0; i--)
            {
                changed |= FindLiveFlags(_order[i]);
            }
        }
    }

    private bool FindLiveFlags(int number)
    {
        BlockPlan plan = Blocks[number];
        IrOp[] ops = _region.Blocks[number].Ops;
        bool live = FlagsLiveOut(number);
        bool[] after = plan.FlagsLiveAfter;
        for (int i = plan.OpCount - 1; i >= 0; i--)
        {
            after[i] = live;
            if (!live && ops[i].IsCall && ops[i].OnlyChangesFlags)
            {
                continue; // it is left out
            }

            if (ops[i].ReplacesFlags)
            {
                live = false;
            }

            if (ops[i].ReadsFlags || (ops[i].MayFault && !IsServed(number, i)))
            {
                live = true;
            }
        }

        bool changed = plan.FlagsLiveIn != live;
        plan.FlagsLiveIn = live;
        return changed;
    }

    // An access whose group has looked at the TLB does not leave the region.
    private bool IsServed(int number, int op) => Blocks[number].Accesses[op] is { Group: not null } access && !access.IsFirst(number, op);

    // Wherever the region can be left the flags become visible.
    private bool FlagsLiveOut(int number)
    {
        RegionEdge[] edges = _region.Blocks[number].Edges;
        return Blocks[number].LeavesEarly || edges.Length == 0 || _region.Blocks[number].Ops[^1].Opcode == IrOpcode.JumpIndirect
            || edges.Any(edge => edge.Block < 0 || edge.IsBackward || Blocks[edge.Block].FlagsLiveIn || PagesToCheck(number, edge.Block) != 0);
    }

    private void TrackState()
    {
        foreach (int entry in _region.Entries)
        {
            Blocks[entry].Flags = FlagsState.InMemory;
        }

        bool changed = true;
        while (changed)
        {
            changed = false;
            foreach (int number in _order)
            {
                changed |= TrackState(number);
            }
        }
    }

    private bool TrackState(int number)
    {
        BlockPlan plan = Blocks[number];
        IrOp[] ops = _region.Blocks[number].Ops;
        FlagsState flags = plan.FlagsLiveIn ? plan.Flags!.Value : new FlagsState(FlagsForm.Dead);
        ulong dirty = plan.Dirty;
        ulong vectors = plan.DirtyVectors;
        for (int i = 0; i < plan.OpCount; i++)
        {
            flags = flags.After(ops[i], plan.FlagsLiveAfter[i]);
            dirty = (ReadsAllRegisters(ops[i]) ? 0 : dirty) | WrittenBy(ops[i]);
            Written |= WrittenBy(ops[i]);
            bool isOpaque = ops[i].IsCall && plan.VectorInstructions[i] is null;
            vectors = (StoresVectors(number, i) ? 0 : vectors) | (isOpaque ? 0 : VectorsWrittenBy(ops[i]));
        }

        bool changed = false;
        foreach (RegionEdge edge in EdgesInside(number))
        {
            BlockPlan target = Blocks[edge.Block];
            if (target.FlagsLiveIn)
            {
                FlagsState met = target.Flags is FlagsState known ? FlagsState.Meet(known, flags) : flags with { Synced = flags.Form == FlagsForm.Memory };
                changed |= target.Flags != met;
                target.Flags = met;
            }

            changed |= (target.Dirty | dirty) != target.Dirty;
            target.Dirty |= dirty;
            vectors &= ~VectorTemporaries;
            changed |= (target.DirtyVectors | vectors) != target.DirtyVectors;
            target.DirtyVectors |= vectors;
        }

        return changed;
    }
}
