using Emu.Frontend.Ir;
using Emu.Jit.Interpreter;

namespace Emu.Jit.Regions;

/// <summary>
/// Chooses the blocks of a region: from a hot block along direct jumps to blocks of the same page that are warm, the hottest first.
/// Their intermediate code is lifted again; it must be what tier 0 runs, op by op.
/// </summary>
internal sealed unsafe class RegionBuilder(RegionOptions options, Func<BlockKey, TranslationBlock?> find)
{
    // A block belongs to the region when it ran at least this part of the entry's executions.
    private const int WarmShare = 16;

    private const int SmallRegion = 20;

    private readonly IrBlock _ir = new();

    /// <summary>One chosen block, before it is known which of its targets are in the region.</summary>
    private sealed record Member(TranslationBlock Block, IrOp[] Ops, List<(int Op, ulong Target)> Jumps);

    /// <summary>
    /// The region that is entered at <paramref name="head"/>, and at <paramref name="others"/> as far as there is room; null when
    /// <paramref name="head"/> may not be compiled.
    /// </summary>
    public Region? Build(TranslationBlock head, IReadOnlyList<TranslationBlock> others, out TranslationBlock[] blocks)
    {
        List<Member> members = Choose(head, others);
        blocks = [.. members.Select(member => member.Block)];
        if (members.Count == 0)
        {
            return null;
        }

        Dictionary<ulong, int> numbers = [];
        for (int i = 0; i < members.Count; i++)
        {
            numbers.Add(members[i].Block.Key.Pc, i);
        }

        int[] entries = [.. Enumerable.Range(0, members.Count).Where(number => number == 0 || IsEntry(members[number].Block, others))];
        RegionEdge[][] edges = [.. members.Select(member => EdgesOf(member, numbers))];
        MarkBackward(edges, entries);
        return new Region
        {
            PcMask = head.PcMask,
            Entries = entries,
            Blocks = [.. members.Select((member, number) => new RegionBlock
            {
                Pc = member.Block.Key.Pc,
                Ops = member.Ops,
                Tier0 = member.Block.Code,
                Instructions = [.. member.Block.Instructions.Select(instruction => instruction.FirstOp)],
                Edges = edges[number],
            })],
        };
    }

    // A block that another region is entered at stays with that one.
    private static bool IsEntry(TranslationBlock block, IReadOnlyList<TranslationBlock> others) =>
        others.Contains(block) || (block.Heat.IsTarget && block.Heat.Region is null);

    private List<Member> Choose(TranslationBlock head, IReadOnlyList<TranslationBlock> others)
    {
        int limit = Math.Min(options.MaxInstructions, head.Heat.SizeLimit ?? int.MaxValue);
        long warm = RegionTiering.ExecutionsOf(head) / WarmShare;
        var members = new List<Member>();
        if (Lift(head) is not Member first)
        {
            return members;
        }

        members.Add(first);
        int size = head.Instructions.Length;
        var seen = new HashSet<TranslationBlock>(others) { head };
        var candidates = others.Where(other => other != head && other.IsValid).ToList(); // a block whose own region went may be hot again in this one
        AddTargets(first, warm, seen, candidates);
        while (candidates.Count != 0)
        {
            TranslationBlock next = candidates.MaxBy(RegionTiering.ExecutionsOf)!;
            candidates.Remove(next);
            if (size + next.Instructions.Length <= limit && Lift(next) is Member member)
            {
                members.Add(member);
                size += next.Instructions.Length;
                AddTargets(member, warm, seen, candidates);
            }
        }

        return members;
    }

    private void AddTargets(Member member, long warm, HashSet<TranslationBlock> seen, List<TranslationBlock> candidates)
    {
        foreach ((_, ulong target) in member.Jumps)
        {
            if (FindTarget(member.Block, target) is TranslationBlock found && RegionTiering.ExecutionsOf(found) >= warm
                && !IsElsewhere(found) && seen.Add(found))
            {
                candidates.Add(found);
            }
        }
    }

    // What is compiled already is not compiled again, but for what is so small that going there costs more.
    private static bool IsElsewhere(TranslationBlock block) => block.Heat.Region is RegionJob { InstructionCount: > SmallRegion };

    // Only inside the page: what lies in another depends on the page tables.
    private TranslationBlock? FindTarget(TranslationBlock from, ulong target)
    {
        if ((target ^ from.Key.Pc) >> 12 != 0)
        {
            return null;
        }

        TranslationBlock? block = find(from.Key with { Physical = (from.Key.Physical & ~0xfffUL) | (target & 0xfff), Pc = target });
        return block is { IsCounted: true } ? block : null;
    }

    private Member? Lift(TranslationBlock block)
    {
        if (!options.Frontend.TryLift(_ir, block.Key.Pc, block.Key.Physical, IrBlock.MaxInstructions))
        {
            return null;
        }

        IrOptimizer.Run(_ir);
        var ops = new List<IrOp>(block.OpCount);
        var jumps = new List<(int, ulong)>();
        foreach (ref readonly IrOp op in _ir.Ops)
        {
            if (op.Opcode == IrOpcode.Nop)
            {
                continue;
            }

            if ((OpFamily.Of(op) & options.Excluded) != 0 || ops.Count == block.OpCount || !IsSame(op, block.Code + ops.Count))
            {
                return null;
            }

            if (op.Opcode is IrOpcode.Jump or IrOpcode.JumpIf or IrOpcode.CompareJump or IrOpcode.TestJump)
            {
                jumps.Add((ops.Count, IrBlock.JumpTarget(block.Key.Pc, block.PcMask, op.Imm)));
            }

            ops.Add(op);
        }

        return ops.Count == block.OpCount ? new Member(block, [.. ops], jumps) : null;
    }

    // The code may be being written by another vCPU; then tier 0 has the old one. A link is no difference.
    private bool IsSame(in IrOp ir, Op* tier0)
    {
        Op op;
        OpEncoder.Encode(ir, &op, _ir);
        return op.Handler == tier0->Handler && op.Imm == tier0->Imm && (op.Target == tier0->Target || ir.IsBlockEnd)
            && (op.Dst, op.A, op.B, op.C) == (tier0->Dst, tier0->A, tier0->B, tier0->C);
    }

    private static RegionEdge[] EdgesOf(Member member, Dictionary<ulong, int> numbers)
    {
        // A helper may change code, that of this region too: what follows it must look.
        bool mayChangeCode = member.Ops.Any(op => op.IsCall && op.MayFault);
        return [.. member.Jumps.Select(jump => numbers.TryGetValue(jump.Target, out int number)
            ? new RegionEdge(jump.Op, number, mayChangeCode)
            : new RegionEdge(jump.Op, -1, false))];
    }

    // Depth first: every cycle has an edge to a block that is being visited.
    private static void MarkBackward(RegionEdge[][] edges, int[] entries)
    {
        var state = new VisitState[edges.Length];
        var path = new Stack<(int Block, int Edge)>();
        foreach (int entry in entries)
        {
            Visit(entry, state, path);
            while (path.TryPop(out (int Block, int Edge) at))
            {
                if (at.Edge == edges[at.Block].Length)
                {
                    state[at.Block] = VisitState.Done;
                    continue;
                }

                path.Push(at with { Edge = at.Edge + 1 });
                ref RegionEdge edge = ref edges[at.Block][at.Edge];
                if (edge.Block >= 0 && state[edge.Block] == VisitState.Open)
                {
                    edge = edge with { IsBackward = true };
                }
                else if (edge.Block >= 0)
                {
                    Visit(edge.Block, state, path);
                }
            }
        }
    }

    private static void Visit(int block, VisitState[] state, Stack<(int Block, int Edge)> path)
    {
        if (state[block] == VisitState.New)
        {
            state[block] = VisitState.Open;
            path.Push((block, 0));
        }
    }

    private enum VisitState : byte
    {
        New,
        Open,
        Done,
    }
}
