using Emu.Block;

namespace Emu.Machine;

/// <summary>A device added to the board (<c>-device virtio-blk-pci,drive=d0</c>).</summary>
public sealed record DeviceSpec(string Driver)
{
    /// <summary>The option that asked for it: what messages begin with.</summary>
    public string Option { get; init; } = "-device";

    /// <summary>Properties by name, <c>id</c> and <c>addr</c> among them.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();
}

/// <summary>A disk for a device (<c>-drive</c>).</summary>
/// <param name="Id">Name by which a device asks for it.</param>
/// <param name="File">Path of the image.</param>
public sealed record DriveSpec(string Id, string File)
{
    /// <summary>Format of the image; null to look at it.</summary>
    public ImageFormat? Format { get; init; }

    /// <summary>True when the guest cannot write to it.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>True when what the guest writes is forgotten at the end.</summary>
    public bool IsSnapshot { get; init; }

    /// <summary>The option that named it, for messages.</summary>
    public string Option { get; init; } = "-drive";

    /// <summary>When written data is on the host's storage.</summary>
    public CacheMode Cache { get; init; }
}
