namespace Emu.Jit.Regions;

/// <summary>What the tiers know of one counted block: how often it ran, and which regions it is in.</summary>
internal sealed class BlockHeat
{
    /// <summary>Executions before the counter was set last.</summary>
    public long Counted { get; set; }

    /// <summary>What the counter was set to.</summary>
    public long Start { get; set; }

    /// <summary>Doublings of the threshold, because regions that began here did not last or could not be made.</summary>
    public int Penalty { get; set; }

    /// <summary>Most guest instructions in the next region that begins here, where a larger one was refused.</summary>
    public int? SizeLimit { get; set; }

    /// <summary>Indirect jumps or jumps from other pages lead here, or the dispatcher: a region that holds the block should be entered at it.</summary>
    public bool IsTarget { get; set; }

    /// <summary>The region that is entered here, while it waits, is compiled or is installed.</summary>
    public RegionJob? Region { get; set; }

    /// <summary>All regions that the block is in.</summary>
    public List<RegionJob> Members { get; } = [];
}
