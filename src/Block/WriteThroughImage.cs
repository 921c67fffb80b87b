using Emu.Core.Block;

namespace Emu.Block;

/// <summary>An image whose writes are durable when they return: each is followed by a flush.</summary>
internal sealed class WriteThroughImage(IBlockBackend image) : IBlockBackend
{
    /// <inheritdoc/>
    public long Length => image.Length;

    /// <inheritdoc/>
    public bool IsReadOnly => image.IsReadOnly;

    /// <inheritdoc/>
    public int DiscardGranularity => image.DiscardGranularity;

    /// <inheritdoc/>
    public BlockResult Read(long offset, Span<byte> destination) => image.Read(offset, destination);

    /// <inheritdoc/>
    public BlockResult Write(long offset, ReadOnlySpan<byte> source) => Flushed(image.Write(offset, source));

    /// <inheritdoc/>
    public BlockResult Flush() => image.Flush();

    /// <inheritdoc/>
    public BlockResult Discard(long offset, long length) => image.Discard(offset, length);

    /// <inheritdoc/>
    public BlockResult WriteZeroes(long offset, long length, bool mayUnmap) => Flushed(image.WriteZeroes(offset, length, mayUnmap));

    /// <inheritdoc/>
    public void Dispose() => image.Dispose();

    private BlockResult Flushed(BlockResult result) => result == BlockResult.Ok ? image.Flush() : result;
}
