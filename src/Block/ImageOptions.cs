namespace Emu.Block;

/// <summary>How an image is to be opened.</summary>
public sealed record ImageOptions
{
    /// <summary>The file.</summary>
    public required string Path { get; init; }

    /// <summary>Its format; null to look at it. A guest is kept from making a raw image look like another format then.</summary>
    public ImageFormat? Format { get; init; }

    /// <summary>Only for reading; others may read it too.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>When written data is durable.</summary>
    public CacheMode Cache { get; init; } = CacheMode.WriteBack;

    /// <summary>Writes go to a temporary overlay that is gone when the image is closed; the image itself is only read.</summary>
    public bool Snapshot { get; init; }

    /// <summary>Id or name of an internal snapshot to show; only for reading.</summary>
    public string? InternalSnapshot { get; init; }

    /// <summary>Without its backing images, which read as zeroes then: to look at this file alone.</summary>
    public bool WithoutBacking { get; init; }
}
