using Emu.Frontend.Ir;
using Emu.Jit.Interpreter;

namespace Emu.Jit.Regions;

/// <summary>
/// Chooses the blocks of a region: from a hot block along direct jumps and calls, and back from what is called, to blocks that are warm, the
/// hottest first. Their intermediate code is lifted again; it must be what tier 0 runs, op by op.
/// </summary>
internal sealed unsafe class RegionBuilder(RegionOptions options, Func<BlockKey, TranslationBlock?> find, CodeAddressCache addresses)
{
    // A block belongs to the region when it ran at least this part of the entry's executions.
    private const int WarmShare = 16;

    // What is compiled in a region of this size is compiled once more rather than gone to: always, or where the code is known to be hot.
    private const int TinyRegion = 20;
    private const int SmallRegion = 80;

    private readonly RegionOptions _options = options;
    private readonly Func<BlockKey, TranslationBlock?> _find = find;
    private readonly CodeAddressCache _addresses = addresses;
    private readonly IrBlock _ir = new();

    /// <summary>
    /// The region that is entered at <paramref name="head"/>, and where the one it replaces was, as far as there is room; null when
    /// <paramref name="head"/> may not be compiled.
    /// </summary>
    /// <param name="head">The hot block.</param>
    /// <param name="page">Where the page is mapped that it begins in.</param>
    /// <param name="replaced">The region to be replaced.</param>
    /// <param name="blocks">The blocks, by their numbers in the region.</param>
    public Region? Build(TranslationBlock head, ulong page, ReplacedRegion? replaced, out TranslationBlock[] blocks)
    {
        TranslationBlock[] others = replaced?.Job.Entries ?? [];
        var choice = new Choice(this, head, PagesFor(head, page), replaced);
        List<RegionMember> members = choice.Choose(others);
        if (members.Count == 0)
        {
            blocks = [];
            return null;
        }

        int[] entries = EntriesOf(members, others);
        RegionEdge[][] edges = RegionEdges.Connect(members);
        bool[] reached = RegionEdges.Reach(edges, entries);
        if (reached.Contains(false))
        {
            members = [.. members.Where((_, number) => reached[number])];
            entries = EntriesOf(members, others);
            edges = RegionEdges.Connect(members);
        }

        blocks = [.. members.Select(member => member.Block)];
        if (AddTwins(members, edges, entries))
        {
            edges = RegionEdges.Connect(members);
        }

        RegionEdges.MarkBackward(edges, entries);
        return new Region
        {
            Pages = choice.Pages.Guards,
            IsRelative = head.IsRelative,
            Origin = choice.Pages.LinearOf(0),
            PcMask = head.PcMask,
            Entries = entries,
            Blocks = [.. members.Select((member, number) => new RegionBlock
            {
                Pc = member.Pc,
                Pages = member.Pages,
                Ops = member.Ops,
                Tier0 = member.Block.Code,
                Instructions = [.. member.Block.Instructions.Select(instruction => instruction.FirstOp)],
                Edges = edges[number],
                History = member.Block.History,
            })],
        };
    }

    /// <summary>An installed region that <paramref name="region"/> leaves for, and that leaves for one of its blocks: a cycle, cut in two. Null when both do not fit into one.</summary>
    /// <param name="region">The region.</param>
    /// <param name="blocks">Its blocks.</param>
    /// <param name="page">Where the page is mapped that it begins in.</param>
    public ReplacedRegion? FindPartner(Region region, TranslationBlock[] blocks, ulong page)
    {
        RegionPages pages = PagesFor(blocks[0], page);
        foreach (ulong exit in region.Exits.Concat(SeenTargets(blocks, number => region.Blocks[number].Pc)).Distinct())
        {
            if (FindTarget(pages, blocks[0].Key, exit) is { Heat.Region: { IsInstalled: true } job } target
                && job.InstructionCount + region.InstructionCount <= _options.MaxInstructions)
            {
                var partner = new ReplacedRegion(job, exit - job.PcOf(target));
                if (LeadsTo(partner, region))
                {
                    return partner;
                }
            }
        }

        return null;
    }

    private static bool LeadsTo(in ReplacedRegion from, Region region)
    {
        RegionJob job = from.Job;
        HashSet<ulong> targets = [.. job.Exits, .. SeenTargets(job.Blocks, number => job.Pcs[number])];
        ulong shift = from.Shift;
        return Array.Exists(region.Blocks, block => targets.Contains(block.Pc - shift));
    }

    private static IEnumerable<ulong> SeenTargets(TranslationBlock[] blocks, Func<int, ulong> pcOf) =>
        blocks.SelectMany((block, number) => JumpHistory.Read(block, pcOf(number)));

    private RegionPages PagesFor(TranslationBlock head, ulong page) => new(_addresses, head.IsRelative ? page : null);

    private TranslationBlock? FindTarget(RegionPages pages, in BlockKey like, ulong target)
    {
        TranslationBlock? block = pages.PhysicalOf(target) is ulong physical
            ? _find(like with { Physical = physical, Pc = pages.IsRelative ? target & 0xfff : target })
            : null;
        return block is { IsCounted: true } ? block : null;
    }

    // An entry that reads the flags first, and that the region also goes to itself, is there twice: the way in from outside, where nothing is
    // known of the flags, would otherwise spoil what the region knows.
    private static bool AddTwins(List<RegionMember> members, RegionEdge[][] edges, int[] entries)
    {
        int count = members.Count;
        foreach (int number in entries)
        {
            if (members[number].ReadsFlagsFirst && Array.Exists(edges, from => Array.Exists(from, edge => edge.Block == number)))
            {
                members.Add(members[number]);
            }
        }

        return members.Count > count;
    }

    private static int[] EntriesOf(List<RegionMember> members, IReadOnlyList<TranslationBlock> others) =>
        [.. Enumerable.Range(0, members.Count).Where(number => number == 0 || IsEntry(members[number].Block, others))];

    // A block that another region is entered at stays with that one.
    private static bool IsEntry(TranslationBlock block, IReadOnlyList<TranslationBlock> others) =>
        others.Contains(block) || (block.Heat.IsTarget && block.Heat.Region is null);

    private RegionMember? Lift(TranslationBlock block, ulong pc, ulong linear, uint pages)
    {
        if (!_options.Frontend.TryLift(_ir, linear, block.Key.Physical, IrBlock.MaxInstructions))
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

            if ((OpFamily.Of(op) & _options.Excluded) != 0 || ops.Count == block.OpCount || !IsSame(op, block.Code + ops.Count))
            {
                return null;
            }

            if (op.Opcode is IrOpcode.Jump or IrOpcode.JumpIf or IrOpcode.CompareJump or IrOpcode.TestJump)
            {
                jumps.Add((ops.Count, IrBlock.JumpTarget(pc, block.PcMask, op.Imm)));
            }

            ops.Add(op);
        }

        return ops.Count == block.OpCount ? new RegionMember(block, pc, [.. ops], jumps, pages) : null;
    }

    // The code may be being written by another vCPU; then tier 0 has the old one. A link is no difference.
    private bool IsSame(in IrOp ir, Op* tier0)
    {
        Op op;
        OpEncoder.Encode(ir, &op, _ir);
        return op.Handler == tier0->Handler && op.Imm == tier0->Imm && (op.Target == tier0->Target || ir.IsBlockEnd)
            && (op.Dst, op.A, op.B, op.C) == (tier0->Dst, tier0->A, tier0->B, tier0->C);
    }

    /// <summary>One choice in the making.</summary>
    private sealed class Choice(RegionBuilder builder, TranslationBlock head, RegionPages pages, ReplacedRegion? replaced)
    {
        private readonly long _warm = RegionTiering.ExecutionsOf(head) / WarmShare;

        // Room is left for what turns out to be missing.
        private readonly int _limit = Math.Min(
            replaced is null ? Math.Max(1, builder._options.MaxInstructions * 3 / 4) : builder._options.MaxInstructions, head.Heat.SizeLimit ?? int.MaxValue);

        private readonly List<RegionMember> _members = [];
        private readonly HashSet<TranslationBlock> _seen = [head];
        private readonly HashSet<ulong> _chosen = []; // program counters of the members
        private readonly List<(TranslationBlock Block, ulong Pc)> _candidates = [];
        private int _size;

        public RegionPages Pages { get; } = pages;

        public List<RegionMember> Choose(IReadOnlyList<TranslationBlock> others)
        {
            if (!TryAdd(head, head.Key.Pc))
            {
                return _members;
            }

            AddCandidates(others.Where(other => other.IsValid && FindTarget(replaced!.Value.PcOf(other)) == other) // one whose own region went may be hot again
                .Select(other => (other, replaced!.Value.PcOf(other))));
            while (_candidates.Count != 0)
            {
                (TranslationBlock Block, ulong Pc) next = _candidates.MaxBy(candidate => RegionTiering.ExecutionsOf(candidate.Block));
                _candidates.Remove(next);
                if (_size + next.Block.Instructions.Length <= _limit)
                {
                    TryAdd(next.Block, next.Pc);
                }
            }

            return _members;
        }

        private bool TryAdd(TranslationBlock block, ulong pc)
        {
            if (!Pages.TryUse(block, pc, out uint bits) || builder.Lift(block, pc, Pages.LinearOf(pc), bits) is not RegionMember member)
            {
                return false;
            }

            _members.Add(member);
            _size += block.Instructions.Length;
            _chosen.Add(pc);
            AddTargets(member.Jumps.Select(jump => jump.Target).Concat(member.SeenTargets));

            // Where a call comes back to, once what is called is here.
            AddTargets(_members.Where(caller => caller.ReturnSite is not null && caller.Jumps.Exists(jump => _chosen.Contains(jump.Target)))
                .Select(caller => caller.ReturnSite!.Value).ToArray());
            return true;
        }

        private void AddTargets(IEnumerable<ulong> targets) =>
            AddCandidates(targets.Select(target => (Block: FindTarget(target), Pc: target))
                .Where(found => found.Block is not null && RegionTiering.ExecutionsOf(found.Block) >= _warm && !IsElsewhere(found.Block))
                .Select(found => (found.Block!, found.Pc)));

        private void AddCandidates(IEnumerable<(TranslationBlock Block, ulong Pc)> blocks) => _candidates.AddRange(blocks.Where(block => _seen.Add(block.Block)));

        // Hot code takes along what is small or fits in as a whole.
        private bool IsElsewhere(TranslationBlock block) => block.Heat.Region is RegionJob job && job != replaced?.Job
            && job.InstructionCount > (_warm == 0 ? TinyRegion : Math.Max(SmallRegion, _limit - _size));

        private TranslationBlock? FindTarget(ulong target) => builder.FindTarget(Pages, head.Key, target);
    }
}
