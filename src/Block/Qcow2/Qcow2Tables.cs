using Emu.Block.Files;
using Emu.Core.Block;

namespace Emu.Block.Qcow2;

/// <summary>
/// The metadata of an open image: L1, L2 tables, reference counts. Everything but <see cref="Commit"/> and <see cref="Close"/> is called with
/// <see cref="Lock"/> held, for no longer than it takes to look something up, or to read a table that is not in memory.
/// </summary>
internal sealed class Qcow2Tables
{
    private const int L2CacheBytes = 32 << 20;
    private const int RefcountCacheBytes = 4 << 20;
    private const int LeastTables = 8;
    private const int MostDropped = 1 << 16;
    private const int L1WriteEntries = 64;
    private readonly IHostFile _file;
    private readonly TableCache _l2;
    private readonly bool _isLazy;
    private readonly Lock _commitLock = new();
    private readonly SortedSet<int> _dirtyL1 = [];
    private List<long> _dropped = [];
    private long _commitsStarted;
    private long _lastCommitted;

    /// <summary>Takes the tables of an image.</summary>
    /// <param name="file">The image.</param>
    /// <param name="header">Its header.</param>
    /// <param name="flags">Its feature bits.</param>
    /// <param name="l1">The L1 table: the active one, or a snapshot's for an image that is only read.</param>
    /// <param name="snapshots">Internal snapshots, whose tables are kept from being overwritten.</param>
    /// <exception cref="BlockException">Tables overlap, or cannot be read.</exception>
    public Qcow2Tables(IHostFile file, Qcow2Header header, HeaderFlags flags, ulong[] l1, IReadOnlyList<Qcow2Snapshot> snapshots)
    {
        _file = file;
        Header = header;
        Geometry = header.Geometry;
        Flags = flags;
        L1 = l1;
        L1Offset = header.L1Offset;
        Metadata = new MetadataMap(Geometry);
        _l2 = new TableCache(file, Geometry.ClusterSize, Math.Max(LeastTables, L2CacheBytes >> Geometry.ClusterBits));
        _isLazy = header.Version >= 3 && (header.Compatible & Qcow2Features.LazyRefcounts) != 0;
        if (file.IsReadOnly)
        {
            return;
        }

        RegisterTables(snapshots);
        Refcounts = new RefcountStore(file, header, Metadata, flags,
            new TableCache(file, Geometry.ClusterSize, Math.Max(LeastTables, RefcountCacheBytes >> Geometry.ClusterBits)));
    }

    /// <summary>The lock of all metadata.</summary>
    public object Lock { get; } = new();

    /// <summary>The header as it was when the image was opened.</summary>
    public Qcow2Header Header { get; }

    /// <summary>Sizes.</summary>
    public Qcow2Geometry Geometry { get; }

    /// <summary>Feature bits.</summary>
    public HeaderFlags Flags { get; }

    /// <summary>Clusters that are tables.</summary>
    public MetadataMap Metadata { get; }

    /// <summary>Reference counts; not there while the image is only read.</summary>
    public RefcountStore Refcounts { get; } = null!;

    /// <summary>Transfers under way.</summary>
    public GraceTracker Grace { get; } = new();

    /// <summary>The L1 table.</summary>
    public ulong[] L1 { get; private set; }

    /// <summary>Where the L1 table is.</summary>
    public long L1Offset { get; private set; }

    /// <summary>True when so much has changed that it should be written without waiting for a flush.</summary>
    public bool NeedsCommit => _l2.IsDirtyHeavy || Refcounts.Blocks.IsDirtyHeavy || _dropped.Count > MostDropped;

    /// <summary>L2 tables and refcount blocks in memory.</summary>
    public int CachedTables => _l2.Count + (Refcounts?.Blocks.Count ?? 0);

    /// <summary>The L2 table that maps <paramref name="guest"/>, or null when there is none.</summary>
    public BlockResult Find(long guest, out CachedTable? table)
    {
        long offset = L2Entry.Offset(L1[Geometry.L1Index(guest)]);
        if (offset == 0)
        {
            table = null;
            return BlockResult.Ok;
        }

        bool isSound = Geometry.InCluster(offset) == 0 && (offset < _file.Length || _l2.Has(offset)) && !Metadata.IsFixed(offset);
        table = null;
        return isSound ? _l2.Get(offset, out table) : Flags.Corrupt();
    }

    /// <summary>The L2 table for <paramref name="guest"/>, made or copied so that it may be changed.</summary>
    public BlockResult FindForChange(long guest, out CachedTable table)
    {
        table = null!;
        if (Flags.IsCorrupt)
        {
            return BlockResult.IoError;
        }

        int index = Geometry.L1Index(guest);
        ulong entry = L1[index];
        BlockResult result = Find(guest, out CachedTable? old);
        if (result == BlockResult.Ok && old is not null && (entry & L2Entry.Copied) != 0)
        {
            table = old;
            return BlockResult.Ok;
        }

        result = result == BlockResult.Ok ? PrepareAllocation() : result;
        long offset = 0;
        result = result == BlockResult.Ok ? Refcounts.Allocate(1, out offset, out _, out _) : result;
        if (result != BlockResult.Ok)
        {
            return result;
        }

        byte[]? copy = old?.Bytes.AsSpan().ToArray();
        table = _l2.AddNew(offset);
        copy?.CopyTo(table.Bytes, 0);
        Metadata.AddL2(offset);
        SetL1(index, (ulong)offset | L2Entry.Copied);
        if (old is not null)
        {
            DropL2(old.Offset);
        }

        return BlockResult.Ok;
    }

    /// <summary>To be called before clusters are allocated: the dirty bit of lazy reference counts comes first.</summary>
    public BlockResult PrepareAllocation() => _isLazy ? Flags.SetDirty(true) : BlockResult.Ok;

    /// <summary>A reference to a host cluster has gone from the tables.</summary>
    public void Drop(long offset) => _dropped.Add(Ranges.RoundDown(offset, Geometry.ClusterSize));

    /// <summary>What an L2 entry named is named by it no more.</summary>
    public void DropEntry(ulong entry)
    {
        switch (L2Entry.KindOf(entry))
        {
            case ClusterKind.Data or ClusterKind.ZeroAllocated:
                Drop(L2Entry.Offset(entry));
                break;
            case ClusterKind.Compressed:
                (long offset, int bytes) = L2Entry.CompressedRange(Geometry, entry);
                for (long at = Ranges.RoundDown(offset, Geometry.ClusterSize); at < offset + bytes; at += Geometry.ClusterSize)
                {
                    Drop(at);
                }

                break;
        }
    }

    /// <summary>Replaces the L1 table by one that is in the file already.</summary>
    public void SwitchL1(ulong[] table, long offset)
    {
        long oldOffset = L1Offset;
        long oldBytes = (long)L1.Length * Qcow2Geometry.EntrySize;
        (L1, L1Offset) = (table, offset);
        Metadata.Add(offset, (long)table.Length * Qcow2Geometry.EntrySize);
        if (oldBytes > 0)
        {
            Metadata.Remove(oldOffset, oldBytes);
        }

        for (long at = 0; at < oldBytes; at += Geometry.ClusterSize)
        {
            Drop(oldOffset + at);
        }
    }

    /// <summary>Writes all changed metadata in its order and flushes the file. Needs no lock; may be called from several threads.</summary>
    public BlockResult Commit() => Commit(withRefcounts: !_isLazy);

    /// <summary>The last commit: nothing is left in memory, nothing leaked, the dirty bit cleared.</summary>
    public BlockResult Close()
    {
        BlockResult result = Commit(withRefcounts: true);
        for (bool more = true; more && result == BlockResult.Ok;)
        {
            result = Commit(withRefcounts: true);
            lock (Lock)
            {
                more = !Flags.IsCorrupt && (Grace.HasWaiting || Refcounts.Blocks.DirtyCount > 0);
            }
        }

        return result == BlockResult.Ok && !Flags.IsCorrupt && _isLazy ? Flags.SetDirty(false) : result;
    }

    private BlockResult Commit(bool withRefcounts)
    {
        long seen = Volatile.Read(ref _commitsStarted);
        lock (_commitLock)
        {
            // One that began after this was called has done it all.
            if (_lastCommitted > seen)
            {
                return BlockResult.Ok;
            }

            long number = ++_commitsStarted;
            MetadataBatch batch;
            lock (Lock)
            {
                if (Flags.IsCorrupt)
                {
                    return _file.Flush() == BlockResult.Ok && _dirtyL1.Count + _l2.DirtyCount == 0 ? BlockResult.Ok : BlockResult.IoError;
                }

                batch = Take(withRefcounts || Refcounts.Blocks.IsDirtyHeavy);
            }

            BlockResult result = batch.Write(_file);
            lock (Lock)
            {
                Finish(batch, result == BlockResult.Ok);
            }

            BlockResult freed = FreeDropped();
            _lastCommitted = result == BlockResult.Ok ? number : _lastCommitted;
            return Ranges.Worse(result, freed);
        }
    }

    private MetadataBatch Take(bool withRefcounts)
    {
        var batch = new MetadataBatch();
        if (withRefcounts)
        {
            Refcounts.Blocks.TakeDirty(batch.Refcounts);
        }

        _l2.TakeDirty(batch.L2);
        int written = -1;
        foreach (int index in _dirtyL1)
        {
            int from = index / L1WriteEntries * L1WriteEntries;
            if (from != written)
            {
                int to = Math.Min(from + L1WriteEntries, L1.Length);
                batch.L1.Add(new TableWrite(null, L1Offset + ((long)from * Qcow2Geometry.EntrySize), TableFile.ToBytes(L1.AsSpan(from, to - from))));
                written = from;
            }
        }

        batch.L1Indices.AddRange(_dirtyL1);
        _dirtyL1.Clear();
        batch.Dropped.AddRange(_dropped);
        _dropped = [];
        return batch;
    }

    private void Finish(MetadataBatch batch, bool written)
    {
        Refcounts.Blocks.Finish(batch.Refcounts, written);
        _l2.Finish(batch.L2, written);
        if (written)
        {
            Grace.Defer(batch.Dropped);
            return;
        }

        _dirtyL1.UnionWith(batch.L1Indices);
        _dropped.AddRange(batch.Dropped);
    }

    // What nobody names and nobody uses any more becomes free: first a hole in the file, then available. Only one thread is here at a time.
    private BlockResult FreeDropped()
    {
        List<(long Offset, int References, bool IsLast)> clusters = [];
        lock (Lock)
        {
            foreach (IGrouping<long, long> group in Grace.Release().GroupBy(offset => offset).OrderBy(group => group.Key))
            {
                BlockResult got = Refcounts.Get(group.Key >> Geometry.ClusterBits, out ulong count);
                clusters.Add((group.Key, group.Count(), got == BlockResult.Ok && count == (ulong)group.Count()));
            }
        }

        PunchHoles([.. clusters.Where(cluster => cluster.IsLast && !Metadata.Touches(cluster.Offset)).Select(cluster => cluster.Offset)]);
        BlockResult result = BlockResult.Ok;
        lock (Lock)
        {
            foreach ((long offset, int references, _) in clusters)
            {
                for (int i = 0; i < references; i++)
                {
                    result = Ranges.Worse(result, Refcounts.Release(offset >> Geometry.ClusterBits));
                }
            }
        }

        return result;
    }

    private void PunchHoles(List<long> offsets)
    {
        for (int i = 0; i < offsets.Count && _file.CanPunch;)
        {
            int first = i;
            for (i++; i < offsets.Count && offsets[i] == offsets[i - 1] + Geometry.ClusterSize; i++)
            {
            }

            _ = _file.Punch(offsets[first], offsets[i - 1] + Geometry.ClusterSize - offsets[first]);
        }
    }

    private void RegisterTables(IReadOnlyList<Qcow2Snapshot> snapshots)
    {
        if (L1.Length > 0)
        {
            Metadata.AddApart(_file, L1Offset, (long)L1.Length * Qcow2Geometry.EntrySize, "L1 table");
        }

        foreach (Qcow2Snapshot snapshot in snapshots)
        {
            if (snapshot.L1Entries > 0 && snapshot.L1Offset < _file.Length)
            {
                Metadata.AddApart(_file, snapshot.L1Offset, (long)snapshot.L1Entries * Qcow2Geometry.EntrySize, "L1 table of a snapshot");
            }
        }

        if (snapshots.Count > 0)
        {
            Metadata.AddApart(_file, Header.SnapshotsOffset, snapshots[^1].TableEnd - Header.SnapshotsOffset, "snapshot table");
        }

        foreach (ulong entry in L1)
        {
            if (L2Entry.Offset(entry) is var offset and not 0 && offset < _file.Length)
            {
                Metadata.AddL2(offset);
            }
        }
    }

    private void SetL1(int index, ulong entry)
    {
        L1[index] = entry;
        _dirtyL1.Add(index);
    }

    private void DropL2(long offset)
    {
        Metadata.RemoveL2(offset);
        _l2.Drop(offset);
        Drop(offset);
    }
}
