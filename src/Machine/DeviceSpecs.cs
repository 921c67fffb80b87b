namespace Emu.Machine;

/// <summary>A device added to the board (<c>-device virtio-blk-pci,drive=d0</c>).</summary>
public sealed record DeviceSpec(string Driver)
{
    /// <summary>Properties by name, <c>id</c> and <c>addr</c> among them.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();
}

/// <summary>A disk for a device (<c>-drive</c>).</summary>
/// <param name="Id">Name by which a device asks for it.</param>
/// <param name="File">Path of the image.</param>
public sealed record DriveSpec(string Id, string File)
{
    /// <summary>Format of the image.</summary>
    public string Format { get; init; } = "raw";

    /// <summary>True when the guest cannot write to it.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>True when what the guest writes is forgotten at the end.</summary>
    public bool IsSnapshot { get; init; }

    /// <summary>How the host's cache is used.</summary>
    public DriveCache Cache { get; init; }
}

/// <summary>Use of the host's cache for a disk, as QEMU's <c>cache=</c>.</summary>
public enum DriveCache
{
    /// <summary>Writes complete in the host's cache; the guest flushes.</summary>
    WriteBack,

    /// <summary>Every write is on the host's storage before it completes.</summary>
    WriteThrough,

    /// <summary>As <see cref="WriteBack"/>, but past the host's cache.</summary>
    None,

    /// <summary>Flushes are ignored: fast, and unsafe when the host dies.</summary>
    Unsafe,
}
