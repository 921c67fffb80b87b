using Emu.Frontend.Ir;

namespace Emu.Jit.Regions;

/// <summary>
/// Finds the groups of a region, so that pushes, pops and the accesses to a frame or an object between them belong together. A group is
/// open where every path from the region's entries has led through its first access and through nothing since that changes the address or
/// the TLB. One whose bytes lie in two pages leaves the region: its span is kept small.
/// </summary>
internal sealed class AccessGroups
{
    private const int MaxSpan = 128;

    private readonly Region _region;
    private readonly RegionPlan _plan;
    private readonly ValueOrigins.Counter _counter = new();
    private readonly State?[] _after;
    private readonly List<int>[] _predecessors;
    private readonly int[] _position;

    private AccessGroups(Region region, RegionPlan plan)
    {
        _region = region;
        _plan = plan;
        _after = new State?[region.Blocks.Length];
        _predecessors = [.. region.Blocks.Select(_ => new List<int>())];
        _position = new int[region.Blocks.Length];
        for (int i = 0; i < plan.Order.Count; i++)
        {
            _position[plan.Order[i]] = i;
            foreach (RegionEdge edge in plan.EdgesInside(plan.Order[i]))
            {
                _predecessors[edge.Block].Add(plan.Order[i]);
            }
        }
    }

    /// <summary>Sets <see cref="BlockPlan.Accesses"/> of every block; extent and order of the blocks are known.</summary>
    public static void Find(Region region, RegionPlan plan)
    {
        var groups = new AccessGroups(region, plan);
        foreach (int number in plan.Order)
        {
            groups.Find(number);
        }
    }

    private void Find(int number)
    {
        BlockPlan block = _plan.Blocks[number];
        IrOp[] ops = _region.Blocks[number].Ops;
        State state = StateBefore(number);
        state.Values.Page = _region.Blocks[number].Page;
        block.Accesses = new GroupedAccess[ops.Length];
        for (int i = 0; i < block.OpCount; i++)
        {
            if (ops[i].IsMemory)
            {
                block.Accesses[i] = AddAccess(state, ops[i], number, i);
            }

            state.Values.Follow(ops[i]);
            if (KillsAll(ops[i]))
            {
                state.Open.Clear();
            }
        }

        _after[number] = state;
    }

    private static GroupedAccess AddAccess(State state, in IrOp op, int block, int index)
    {
        (Key key, long offset) = AddressOf(state.Values, op);
        long end = offset + (1 << (int)op.Width);
        bool writes = op.Opcode is IrOpcode.Store or IrOpcode.LoadForWrite;
        if (!state.Open.TryGetValue(key, out AccessGroup? group) || Math.Max(group.High, end) - Math.Min(group.Low, offset) > MaxSpan
            || (writes && !group.Writes && group.FirstBlock != block)) // what is only written on some paths need not be writable
        {
            group = new AccessGroup { FirstBlock = block, FirstOp = index, Low = offset, High = end };
            state.Open[key] = group;
        }

        group.Low = Math.Min(group.Low, offset);
        group.High = Math.Max(group.High, end);
        group.Reads |= op.Opcode != IrOpcode.Store && op is not { Opcode: IrOpcode.LoadForWrite, Width: IrWidth.W128 };
        group.Writes |= writes;
        group.SpansBlocks |= group.FirstBlock != block;
        group.LastOp = group.FirstBlock == block ? index : group.LastOp;
        group.Count++;
        return new GroupedAccess(group, offset);
    }

    private static (Key Key, long Offset) AddressOf(ValueOrigins values, in IrOp op)
    {
        bool indexed = op.Address != IrAddress.Base;
        bool segmented = op.Address is IrAddress.BaseIndexSegment or IrAddress.Wrap32;
        bool wraps = op.Address == IrAddress.Wrap32;
        Origin start = values.TermOf(op.A, wraps);
        Origin scaled = indexed ? values.TermOf(op.B, wraps) : default;
        Origin segment = segmented ? values.TermOf(op.C, wraps) : default;
        var key = new Key(op.Address, start.Number, scaled.Number, indexed ? op.Scale : (byte)0, segment.Number);
        return (key, (int)op.Imm + start.Delta + (scaled.Delta << (indexed ? op.Scale : 0)) + segment.Delta);
    }

    private static bool KillsAll(in IrOp op) => op.IsCall && (op.Effects & IrCallEffects.WritesRegisters) != 0;

    // Where paths meet, what all of them know; at the head of a loop, what the loop leaves as it is.
    private State StateBefore(int number)
    {
        State? state = _region.Entries.Contains(number) ? new State(new ValueOrigins(_counter), []) : null;
        foreach (int from in _predecessors[number].Where(from => _position[from] < _position[number]))
        {
            State other = _after[from]!;
            if (state is null)
            {
                state = new State(other.Values.CopyForSuccessor(), new Dictionary<Key, AccessGroup>(other.Open));
            }
            else
            {
                state.Meet(other);
            }
        }

        int[] ends = [.. _predecessors[number].Where(from => _position[from] >= _position[number])];
        if (ends.Length != 0)
        {
            EnterLoop(state!, LoopOf(number, ends), number);
        }

        return state!;
    }

    private void EnterLoop(State state, HashSet<int> loop, int head)
    {
        ulong written = 0;
        bool killsAll = loop.Any(number => number != head && _region.Entries.Contains(number)); // the head is not on every path
        foreach (int number in loop)
        {
            foreach (ref readonly IrOp op in _region.Blocks[number].Ops.AsSpan(0, _plan.Blocks[number].OpCount))
            {
                written |= RegionPlan.WrittenBy(op);
                killsAll |= KillsAll(op);
            }
        }

        if (killsAll)
        {
            state.Values.ForgetAll();
            state.Open.Clear();
        }
        else
        {
            state.Values.Forget(written);
        }
    }

    // The blocks from which one of the ends is reached without the head, and the head.
    private HashSet<int> LoopOf(int head, int[] ends)
    {
        var loop = new HashSet<int> { head };
        var stack = new Stack<int>(ends);
        while (stack.TryPop(out int number))
        {
            if (loop.Add(number))
            {
                _predecessors[number].ForEach(stack.Push);
            }
        }

        return loop;
    }

    private readonly record struct Key(IrAddress Form, long Base, long Index, byte Scale, long Segment);

    /// <summary>What is known at one place.</summary>
    private sealed record State(ValueOrigins Values, Dictionary<Key, AccessGroup> Open)
    {
        public void Meet(State other)
        {
            Values.Meet(other.Values);
            foreach ((Key key, AccessGroup group) in Open)
            {
                if (!other.Open.TryGetValue(key, out AccessGroup? same) || same != group)
                {
                    Open.Remove(key);
                }
            }
        }
    }
}
