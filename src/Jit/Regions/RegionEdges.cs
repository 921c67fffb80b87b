using Emu.Frontend.Ir;

namespace Emu.Jit.Regions;

/// <summary>Connects the chosen blocks of a region.</summary>
internal static class RegionEdges
{
    // An indirect jump compares its target with so many; further ones go through the jump cache.
    private const int MostGuesses = 6;

    /// <summary>The edges of each member, without those marked that look for requests. Of two members with one address, edges lead to the last.</summary>
    public static RegionEdge[][] Connect(IReadOnlyList<RegionMember> members)
    {
        Dictionary<ulong, int> numbers = [];
        for (int i = 0; i < members.Count; i++)
        {
            numbers[members[i].Pc] = i;
        }

        List<int>[] guesses = FindGuesses(members, numbers);
        return [.. members.Select((member, number) => EdgesOf(member, guesses[number], numbers))];
    }

    /// <summary>The members that can be reached from <paramref name="entries"/>.</summary>
    public static bool[] Reach(RegionEdge[][] edges, IEnumerable<int> entries)
    {
        var reached = new bool[edges.Length];
        var stack = new Stack<int>(entries);
        while (stack.TryPop(out int number))
        {
            if (!reached[number])
            {
                reached[number] = true;
                foreach (RegionEdge edge in edges[number].Where(edge => edge.Block >= 0))
                {
                    stack.Push(edge.Block);
                }
            }
        }

        return reached;
    }

    /// <summary>Depth first: every cycle has an edge to a block that is being visited, and that looks for requests.</summary>
    public static void MarkBackward(RegionEdge[][] edges, int[] entries)
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

    private static RegionEdge[] EdgesOf(RegionMember member, List<int> guesses, Dictionary<ulong, int> numbers)
    {
        // A helper may change code, that of this region too: what follows it must look.
        bool mayChangeCode = member.Ops.Any(op => op.IsCall && op.MayFault);
        IEnumerable<RegionEdge> direct = member.Jumps.Select(jump => numbers.TryGetValue(jump.Target, out int number)
            ? new RegionEdge(jump.Op, number, mayChangeCode)
            : new RegionEdge(jump.Op, -1, false));
        return [.. direct, .. guesses.Select(number => new RegionEdge(member.Ops.Length - 1, number, mayChangeCode))];
    }

    /// <summary>By member: where its indirect jump probably goes, the hottest place first. What was seen tells, and for returns the calls of the region.</summary>
    private static List<int>[] FindGuesses(IReadOnlyList<RegionMember> members, Dictionary<ulong, int> numbers)
    {
        List<int>[] guesses = [.. members.Select(member => member.SeenTargets.Where(numbers.ContainsKey).Select(target => numbers[target]).ToList())];
        foreach (RegionMember caller in members)
        {
            if (caller is { ReturnSite: ulong site, Jumps: [(_, ulong callee)] } && numbers.TryGetValue(site, out int back)
                && numbers.TryGetValue(callee, out int first))
            {
                foreach (int number in ReturnsOf(members, numbers, first))
                {
                    if (!guesses[number].Contains(back))
                    {
                        guesses[number].Add(back);
                    }
                }
            }
        }

        foreach (List<int> list in guesses)
        {
            list.Sort((a, b) => RegionTiering.ExecutionsOf(members[b].Block).CompareTo(RegionTiering.ExecutionsOf(members[a].Block)));
            list.RemoveRange(Math.Min(list.Count, MostGuesses), Math.Max(0, list.Count - MostGuesses));
        }

        return guesses;
    }

    // Calls inside the function are taken to come back.
    private static List<int> ReturnsOf(IReadOnlyList<RegionMember> members, Dictionary<ulong, int> numbers, int function)
    {
        var returns = new List<int>();
        var seen = new HashSet<int> { function };
        var stack = new Stack<int>([function]);
        while (stack.TryPop(out int number))
        {
            RegionMember member = members[number];
            if (member.IsReturn)
            {
                returns.Add(number);
            }

            IEnumerable<ulong> next = member.ReturnSite is ulong site ? [site] : member.Jumps.Select(jump => jump.Target);
            foreach (ulong target in next)
            {
                if (numbers.TryGetValue(target, out int reached) && seen.Add(reached))
                {
                    stack.Push(reached);
                }
            }
        }

        return returns;
    }

    private enum VisitState : byte
    {
        New,
        Open,
        Done,
    }
}
