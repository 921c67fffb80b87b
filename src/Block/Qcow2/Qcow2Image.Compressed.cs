using Emu.Core.Block;

namespace Emu.Block.Qcow2;

/// <summary>Writing compressed clusters: for conversions, which write each cluster once and from one thread.</summary>
internal sealed partial class Qcow2Image
{
    // Where the next compressed cluster may begin: behind the last one, in the cluster where it ended. 0: none.
    private long _packAt;

    /// <summary>Writes one whole guest cluster (or the part of the last one that the disk has), compressed where that saves space.</summary>
    /// <param name="offset">A multiple of the cluster size.</param>
    /// <param name="source">A cluster of data.</param>
    public BlockResult WriteCompressed(long offset, ReadOnlySpan<byte> source)
    {
        using var buffer = new PooledBuffer(_geometry.ClusterSize);
        buffer.Span.Clear();
        source.CopyTo(buffer.Span);
        byte[] bytes = CompressedClusters.Compress(buffer.Span);
        if (bytes.Length >= _geometry.ClusterSize)
        {
            return Write(offset, source);
        }

        if (CheckWrite(offset, source.Length) is var check and not BlockResult.Ok)
        {
            return check;
        }

        long host;
        lock (_tables.Lock)
        {
            AwaitAllocation(offset >> _geometry.ClusterBits, 1);
            BlockResult result = _tables.FindForChange(offset, out _);
            result = result == BlockResult.Ok ? _tables.PrepareAllocation() : result;
            host = 0;
            result = result == BlockResult.Ok ? AllocateBytes(bytes.Length, out host) : result;
            if (result != BlockResult.Ok)
            {
                return result;
            }
        }

        BlockResult written = _file.Write(host, bytes);
        lock (_tables.Lock)
        {
            CachedTable table = null!;
            written = written == BlockResult.Ok ? _tables.FindForChange(offset, out table) : written;
            if (written == BlockResult.Ok)
            {
                Replace(table, _geometry.L2Index(offset), L2Entry.MakeCompressed(_geometry, host, bytes.Length));
                _packAt = host + bytes.Length;
            }
        }

        return Ranges.Worse(written, CommitIfHeavy());
    }

    // Room for a compressed cluster: in the rest of the last one's host cluster, on into the next when that happens to be free, or in a new one.
    private BlockResult AllocateBytes(int count, out long host)
    {
        host = _packAt;
        long room = _packAt == 0 ? 0 : Ranges.RoundUp(_packAt, _geometry.ClusterSize) - _packAt;
        bool canPack = room > 0 && _tables.Refcounts.TryShare(_packAt >> _geometry.ClusterBits);
        if (canPack && room >= count)
        {
            return BlockResult.Ok;
        }

        BlockResult result = _tables.Refcounts.Allocate(1, out long next, out _, out _);
        if (canPack && result == BlockResult.Ok && next == _packAt + room)
        {
            return BlockResult.Ok;
        }

        if (canPack)
        {
            result = Ranges.Worse(result, _tables.Refcounts.Release(_packAt >> _geometry.ClusterBits));
        }

        host = next;
        return result;
    }
}
