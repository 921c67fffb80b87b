using Emu.Core.Block;

namespace Emu.Block.Qcow2;

/// <summary>Writing: in place where the cluster is the guest's alone, else to new clusters.</summary>
internal sealed partial class Qcow2Image
{
    // Clusters that are taken at a time by a long write.
    private const int MostRunBytes = 4 << 20;

    /// <summary>Where a piece of a write goes.</summary>
    /// <param name="Host">File offset of the first cluster of new ones, or of the data itself in place.</param>
    /// <param name="Length">Bytes of the write that go there.</param>
    /// <param name="Clusters">New clusters; 0 for a write in place.</param>
    /// <param name="IsZeroAround">New clusters: what surrounds the data reads as zero, and already does in the file.</param>
    /// <param name="Phase">The transfer's phase.</param>
    private readonly record struct Target(long Host, long Length, int Clusters, bool IsZeroAround, int Phase);

    /// <inheritdoc/>
    public BlockResult Write(long offset, ReadOnlySpan<byte> source)
    {
        if (CheckWrite(offset, source.Length) is var check and not BlockResult.Ok)
        {
            return check;
        }

        BlockResult result = BlockResult.Ok;
        while (source.Length > 0 && result == BlockResult.Ok)
        {
            Target target;
            lock (_tables.Lock)
            {
                result = Place(offset, source.Length, out target);
            }

            if (result != BlockResult.Ok)
            {
                return result;
            }

            ReadOnlySpan<byte> data = source[..(int)target.Length];
            result = target.Clusters == 0 ? _file.Write(target.Host, data) : WriteNew(offset, data, target);
            _tables.Grace.Leave(target.Phase);
            result = target.Clusters == 0 ? result : Ranges.Worse(result, CommitIfHeavy());
            source = source[data.Length..];
            offset += data.Length;
        }

        return result;
    }

    private BlockResult CheckWrite(long offset, long length) =>
        IsReadOnly ? BlockResult.ReadOnly
        : !Ranges.IsInside(offset, length, Length) ? BlockResult.OutOfRange
        : _tables.Flags.IsCorrupt ? BlockResult.IoError : BlockResult.Ok;

    private BlockResult CommitIfHeavy()
    {
        bool isHeavy;
        lock (_tables.Lock)
        {
            isHeavy = _tables.NeedsCommit;
        }

        return isHeavy ? _tables.Commit() : BlockResult.Ok;
    }

    // Under the metadata lock: where the next piece of a write goes. New clusters are marked as being allocated.
    private BlockResult Place(long offset, int length, out Target target)
    {
        target = default;
        long cluster = offset >> _geometry.ClusterBits;
        AwaitAllocation(cluster, 1);
        BlockResult result = _tables.FindForChange(offset, out CachedTable table);
        if (result != BlockResult.Ok)
        {
            return result;
        }

        ulong entry = table[_geometry.L2Index(offset)];
        if (L2Entry.IsInPlace(entry))
        {
            return PlaceInPlace(offset, length, table, entry, out target);
        }

        int inCluster = _geometry.InCluster(offset);
        int most = (int)Math.Min(_geometry.Clusters(inCluster + (long)length), Math.Max(1, MostRunBytes >> _geometry.ClusterBits));
        int run = 0;
        for (int index = _geometry.L2Index(offset); run < most && index + run < _geometry.L2Entries && NeedsAllocation(table[index + run], cluster + run); run++)
        {
            result = CheckEntry(table[index + run], L2Entry.KindOf(table[index + run]));
            if (result != BlockResult.Ok)
            {
                return result;
            }
        }

        result = _tables.PrepareAllocation();
        long host = 0;
        bool isFresh = false;
        int count = 0;
        result = result == BlockResult.Ok ? _tables.Refcounts.Allocate(run, out host, out count, out isFresh) : result;
        if (result != BlockResult.Ok)
        {
            return result;
        }

        for (int i = 0; i < count; i++)
        {
            _allocating.Add(cluster + i);
        }

        long bytes = Math.Min(length, ((long)count << _geometry.ClusterBits) - inCluster);
        int last = _geometry.L2Index(offset) + count - 1;
        bool isZero = isFresh && ReadsAsZero(entry, offset) && ReadsAsZero(table[last], offset + bytes - 1);
        target = new Target(host, bytes, count, isZero, _tables.Grace.Enter());
        return BlockResult.Ok;
    }

    private BlockResult PlaceInPlace(long offset, int length, CachedTable table, ulong entry, out Target target)
    {
        target = default;
        int index = _geometry.L2Index(offset);
        int inCluster = _geometry.InCluster(offset);
        long covered = 0;
        for (int i = 0; covered < inCluster + (long)length && index + i < _geometry.L2Entries; i++, covered += _geometry.ClusterSize)
        {
            ulong next = table[index + i];
            if (!L2Entry.IsInPlace(next) || L2Entry.Offset(next) != L2Entry.Offset(entry) + ((long)i << _geometry.ClusterBits))
            {
                break;
            }

            BlockResult result = CheckEntry(next, ClusterKind.Data);
            if (result != BlockResult.Ok)
            {
                return result;
            }
        }

        target = new Target(L2Entry.Offset(entry) + inCluster, Math.Min(length, covered - inCluster), 0, false, _tables.Grace.Enter());
        return BlockResult.Ok;
    }

    private bool NeedsAllocation(ulong entry, long cluster) => !L2Entry.IsInPlace(entry) && !_allocating.Contains(cluster);

    private bool ReadsAsZero(ulong entry, long guest) => L2Entry.KindOf(entry) switch
    {
        ClusterKind.ZeroPlain or ClusterKind.ZeroAllocated => true,
        ClusterKind.Unallocated => _backing is null || Ranges.RoundDown(guest, _geometry.ClusterSize) >= _backing.Length,
        _ => false,
    };

    // Waits until nobody is putting these guest clusters elsewhere.
    private void AwaitAllocation(long cluster, long count)
    {
        for (long i = 0; i < count && _allocating.Count > 0;)
        {
            if (_allocating.Contains(cluster + i))
            {
                Monitor.Wait(_tables.Lock);
                i = 0;
            }
            else
            {
                i++;
            }
        }
    }

    private BlockResult WriteNew(long offset, ReadOnlySpan<byte> data, in Target target)
    {
        int before = _geometry.InCluster(offset);
        long end = (long)target.Clusters << _geometry.ClusterBits;
        int after = (int)(end - before - data.Length);
        BlockResult result;
        if (target.IsZeroAround || (before == 0 && after == 0))
        {
            result = _file.Write(target.Host + before, data);
        }
        else
        {
            result = target.Clusters == 1 ? WriteWhole(offset - before, before, data, target.Host) : CopyAround(offset, before, data, after, target.Host);
        }

        lock (_tables.Lock)
        {
            result = result == BlockResult.Ok ? Link(offset - before, target, 0) : result;
            if (result != BlockResult.Ok)
            {
                GiveBack(target);
            }

            for (int i = 0; i < target.Clusters; i++)
            {
                _allocating.Remove((offset >> _geometry.ClusterBits) + i);
            }

            Monitor.PulseAll(_tables.Lock);
        }

        return result;
    }

    // One cluster in one write: what was there, and the data in it.
    private BlockResult WriteWhole(long guest, int before, ReadOnlySpan<byte> data, long host)
    {
        using var buffer = new PooledBuffer(_geometry.ClusterSize);
        Span<byte> cluster = buffer.Span;
        BlockResult result = ReadInside(guest, cluster[..before]);
        data.CopyTo(cluster[before..]);
        int end = before + data.Length;
        result = result == BlockResult.Ok ? ReadInside(guest + end, cluster[end..]) : result;
        return result == BlockResult.Ok ? _file.Write(host, cluster) : result;
    }

    private BlockResult CopyAround(long offset, int before, ReadOnlySpan<byte> data, int after, long host)
    {
        using var buffer = new PooledBuffer(_geometry.ClusterSize);
        BlockResult result = _file.Write(host + before, data);
        if (before > 0 && result == BlockResult.Ok)
        {
            result = ReadInside(offset - before, buffer.Span[..before]);
            result = result == BlockResult.Ok ? _file.Write(host, buffer.Span[..before]) : result;
        }

        if (after > 0 && result == BlockResult.Ok)
        {
            result = ReadInside(offset + data.Length, buffer.Span[..after]);
            result = result == BlockResult.Ok ? _file.Write(host + before + data.Length, buffer.Span[..after]) : result;
        }

        return result;
    }

    // Under the metadata lock: the L2 table names the new clusters from here on, and what it named before is dropped.
    private BlockResult Link(long guest, in Target target, ulong flags)
    {
        BlockResult result = _tables.FindForChange(guest, out CachedTable table);
        for (int i = 0; i < target.Clusters && result == BlockResult.Ok; i++)
        {
            Replace(table, _geometry.L2Index(guest) + i, (ulong)(target.Host + ((long)i << _geometry.ClusterBits)) | L2Entry.Copied | flags);
        }

        return result;
    }

    private void Replace(CachedTable table, int index, ulong entry)
    {
        ulong old = table[index];
        if (old == entry)
        {
            return;
        }

        table[index] = entry;
        _tables.DropEntry(old);
        if (L2Entry.KindOf(old) == ClusterKind.Compressed)
        {
            _compressed.Forget();
            _packAt = 0;
        }
    }

    // Clusters that no table ever named are free again at once.
    private void GiveBack(in Target target)
    {
        for (int i = 0; i < target.Clusters; i++)
        {
            _ = _tables.Refcounts.Release((target.Host >> _geometry.ClusterBits) + i);
        }
    }
}
