using Emu.Core.Block;

namespace Emu.Tests.Devices.Virtio;

/// <summary>A disk in memory that counts what it is asked.</summary>
internal sealed class MemoryDisk(int bytes) : IBlockBackend
{
    public byte[] Content { get; } = new byte[bytes];

    public long Length => Content.Length;

    public bool IsReadOnly { get; init; }

    public int DiscardGranularity => 512;

    public int Flushes { get; private set; }

    public bool Fails { get; set; }

    public BlockResult Read(long offset, Span<byte> destination) =>
        Run(offset, destination.Length, isWrite: false) is var result && result == BlockResult.Ok && Copy(Content.AsSpan((int)offset, destination.Length), destination)
            ? BlockResult.Ok : result;

    public BlockResult Write(long offset, ReadOnlySpan<byte> source) =>
        Run(offset, source.Length, isWrite: true) is var result && result == BlockResult.Ok && Copy(source, Content.AsSpan((int)offset, source.Length))
            ? BlockResult.Ok : result;

    public BlockResult Flush()
    {
        Flushes++;
        return Fails ? BlockResult.IoError : BlockResult.Ok;
    }

    public BlockResult Discard(long offset, long length) => WriteZeroes(offset, length, true);

    public BlockResult WriteZeroes(long offset, long length, bool mayUnmap)
    {
        BlockResult result = Run(offset, length, isWrite: true);
        if (result == BlockResult.Ok)
        {
            Content.AsSpan((int)offset, (int)length).Clear();
        }

        return result;
    }

    public void Dispose()
    {
    }

    private static bool Copy(ReadOnlySpan<byte> from, Span<byte> to)
    {
        from.CopyTo(to);
        return true;
    }

    private BlockResult Run(long offset, long length, bool isWrite) =>
        isWrite && IsReadOnly ? BlockResult.ReadOnly
        : offset < 0 || length < 0 || offset > Length || length > Length - offset ? throw new InvalidOperationException("The device let a range outside the disk through.")
        : Fails ? BlockResult.IoError : BlockResult.Ok;
}
