namespace Emu.Core.Block;

/// <summary>
/// What holds the bytes of a disk: a raw file, a qcow2 image, an overlay. A disk device calls it from worker threads, never with
/// the machine lock held, so its members may block; they may be called from several threads at once. No member throws for
/// anything the guest asks or the host's storage does: the outcome is the result.
/// </summary>
/// <remarks>
/// Transfers that overlap in time and place have no defined order, as on a real disk. <see cref="Flush"/> covers every write
/// that had returned before it was called.
/// </remarks>
public interface IBlockBackend : IDisposable
{
    /// <summary>Size of the disk in bytes. Constant while the backend is open.</summary>
    long Length { get; }

    /// <summary>True when writes, discards and zeroes are answered with <see cref="BlockResult.ReadOnly"/>.</summary>
    bool IsReadOnly { get; }

    /// <summary>Granularity in bytes at which <see cref="Discard"/> can free space: a power of two, or 0 when it frees none.</summary>
    int DiscardGranularity { get; }

    /// <summary>Fills <paramref name="destination"/> from <paramref name="offset"/> (bytes). All or nothing is promised to the caller only as far as the result says.</summary>
    BlockResult Read(long offset, Span<byte> destination);

    /// <summary>Writes <paramref name="source"/> at <paramref name="offset"/> (bytes); durable after a <see cref="Flush"/>.</summary>
    BlockResult Write(long offset, ReadOnlySpan<byte> source);

    /// <summary>Makes every completed write durable: it returns when the host's storage has them.</summary>
    BlockResult Flush();

    /// <summary>The range's contents no longer matter. What it reads as afterwards is the backend's choice.</summary>
    BlockResult Discard(long offset, long length);

    /// <summary>The range reads as zeroes afterwards; with <paramref name="mayUnmap"/> its space may be freed.</summary>
    BlockResult WriteZeroes(long offset, long length, bool mayUnmap);
}

/// <summary>How a block operation ended.</summary>
public enum BlockResult
{
    /// <summary>Done in full.</summary>
    Ok,

    /// <summary>The host's storage failed, or the image is damaged there.</summary>
    IoError,

    /// <summary>The host's storage is full.</summary>
    NoSpace,

    /// <summary>The backend is read-only.</summary>
    ReadOnly,

    /// <summary>The range lies, in part or whole, outside the disk; nothing was transferred.</summary>
    OutOfRange,
}
