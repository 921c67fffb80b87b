namespace Emu.Block;

/// <summary>What a check of an image may change.</summary>
public enum RepairMode
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Clusters that nothing refers to become free.</summary>
    Leaks,

    /// <summary>Reference counts and flags are made right, too.</summary>
    All,
}

/// <summary>What a check of an image found.</summary>
public sealed record CheckReport
{
    /// <summary>Errors in tables: data may be lost or will be.</summary>
    public int Corruptions { get; set; }

    /// <summary>Clusters counted as used that nothing refers to.</summary>
    public int Leaks { get; set; }

    /// <summary>Errors that were repaired; they are not in <see cref="Corruptions"/>.</summary>
    public int CorruptionsFixed { get; set; }

    /// <summary>Clusters that were freed; they are not in <see cref="Leaks"/>.</summary>
    public int LeaksFixed { get; set; }

    /// <summary>Guest clusters of the disk.</summary>
    public long TotalClusters { get; set; }

    /// <summary>Guest clusters with data in this file.</summary>
    public long AllocatedClusters { get; set; }

    /// <summary>Those of them that do not follow their predecessor in the file.</summary>
    public long FragmentedClusters { get; set; }

    /// <summary>Those of them that are compressed.</summary>
    public long CompressedClusters { get; set; }

    /// <summary>Where the last cluster in use ends, in bytes.</summary>
    public long ImageEndOffset { get; set; }

    /// <summary>One line for each finding, the first hundred.</summary>
    public IReadOnlyList<string> Messages => _messages;

    private readonly List<string> _messages = [];

    internal void Note(string message)
    {
        if (_messages.Count < 100)
        {
            _messages.Add(message);
        }
    }
}
