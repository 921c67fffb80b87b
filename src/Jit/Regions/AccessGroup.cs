namespace Emu.Jit.Regions;

/// <summary>Memory accesses whose addresses differ by constants: one look at the TLB, by the first, serves all.</summary>
internal sealed class AccessGroup
{
    /// <summary>Number of the block with the op that looks.</summary>
    public required int FirstBlock { get; init; }

    /// <summary>Index of the op that looks.</summary>
    public required int FirstOp { get; init; }

    /// <summary>Index of the last op in the first block.</summary>
    public int LastOp { get; set; }

    /// <summary>Number of accesses.</summary>
    public int Count { get; set; }

    /// <summary>Some of the accesses are in other blocks, all of whose paths lead through the first one.</summary>
    public bool SpansBlocks { get; set; }

    /// <summary>Offset of the lowest byte, on the scale of <see cref="GroupedAccess.Offset"/>.</summary>
    public long Low { get; set; }

    /// <summary>Offset of the byte behind the highest one.</summary>
    public long High { get; set; }

    /// <summary>Some of the accesses read.</summary>
    public bool Reads { get; set; }

    /// <summary>Some of the accesses write.</summary>
    public bool Writes { get; set; }

    /// <summary>The local with the host address of the lowest byte.</summary>
    public int Host { get; set; }
}

/// <summary>One access of a group.</summary>
/// <param name="Group">The group, or null for an op that touches no memory.</param>
/// <param name="Offset">Where the first byte is, on a scale of the group's own.</param>
internal readonly record struct GroupedAccess(AccessGroup? Group, long Offset)
{
    /// <summary>Where in the group the first byte is.</summary>
    public long OffsetInGroup => Offset - Group!.Low;

    /// <summary>Whether op <paramref name="op"/> of block <paramref name="block"/> looks at the TLB for the group.</summary>
    public bool IsFirst(int block, int op) => Group is not null && Group.FirstOp == op && Group.FirstBlock == block;
}
