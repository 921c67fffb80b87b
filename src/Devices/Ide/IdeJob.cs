using Emu.Core.Block;

namespace Emu.Devices.Ide;

/// <summary>What a worker does for a drive.</summary>
public enum IdeJobKind
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Disk to the drive's buffer.</summary>
    Read,

    /// <summary>The drive's buffer to disk.</summary>
    Write,

    /// <summary>The disk's cache to its storage.</summary>
    Flush,

    /// <summary>Reads what nobody wants to have.</summary>
    Verify,

    /// <summary>Disk to guest memory by bus master.</summary>
    DmaRead,

    /// <summary>Guest memory to disk by bus master.</summary>
    DmaWrite,

    /// <summary>The drive's buffer to guest memory by bus master.</summary>
    DmaSend,
}

/// <summary>One piece of work: <paramref name="Length"/> bytes at <paramref name="Offset"/> of the disk, checked to lie inside.</summary>
/// <param name="Kind">What is done.</param>
/// <param name="Offset">First byte on the disk.</param>
/// <param name="Length">Bytes.</param>
/// <param name="FlushAfter">True when what is written must be on the host's storage before the job ends.</param>
public readonly record struct IdeJob(IdeJobKind Kind, long Offset, long Length, bool FlushAfter = false)
{
    /// <summary>True for jobs of the bus master, which wait until it is started.</summary>
    public bool IsDma => Kind is IdeJobKind.DmaRead or IdeJobKind.DmaWrite or IdeJobKind.DmaSend;
}

/// <summary>How a job ended.</summary>
internal enum IdeOutcome
{
    /// <summary>Done.</summary>
    Ok,

    /// <summary>As <see cref="Ok"/>, with the bus master's table longer than the transfer.</summary>
    OkTableLeft,

    /// <summary>The disk failed.</summary>
    DiskError,

    /// <summary>The bus master's table is shorter than the transfer; nothing was transferred.</summary>
    TableShort,

    /// <summary>The bus master reached for what is no RAM; nothing was transferred.</summary>
    BusError,

    /// <summary>The job was taken back meanwhile; nobody is to be told.</summary>
    Cancelled,
}

/// <summary>What a job works on.</summary>
/// <param name="Job">What to do.</param>
/// <param name="Disk">The disk, or null for jobs that need none.</param>
/// <param name="Buffer">The drive's buffer.</param>
internal sealed record IdeRequest(IdeJob Job, IBlockBackend? Disk, byte[] Buffer);
