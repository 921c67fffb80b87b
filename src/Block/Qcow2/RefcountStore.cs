using System.Buffers.Binary;
using Emu.Block.Files;
using Emu.Core.Block;

namespace Emu.Block.Qcow2;

/// <summary>
/// Reference counts and the allocation of clusters. Counts change in memory; the image writes them before the tables that rely on them.
/// Only new refcount blocks and a larger refcount table go to the file at once, each before what points to it. Called under the metadata lock.
/// </summary>
internal sealed class RefcountStore
{
    private const long MostOffset = 1L << 55;
    private const int TableFieldOffset = 48;
    private readonly IHostFile _file;
    private readonly Qcow2Geometry _geometry;
    private readonly MetadataMap _metadata;
    private readonly HeaderFlags _flags;
    private ulong[] _table;
    private long _tableOffset;
    private long _hint;
    private long _tail;

    /// <summary>Loads the refcount table.</summary>
    /// <exception cref="BlockException">It cannot be read, or it names clusters that are other tables.</exception>
    public RefcountStore(IHostFile file, Qcow2Header header, MetadataMap metadata, HeaderFlags flags, TableCache blocks)
    {
        _file = file;
        _geometry = header.Geometry;
        _metadata = metadata;
        _flags = flags;
        Blocks = blocks;
        _tableOffset = header.RefcountTableOffset;
        _table = TableFile.Load(file, _tableOffset, header.RefcountTableClusters * _geometry.L2Entries, "refcount table");
        _tail = _geometry.Clusters(file.Length);
        metadata.AddApart(file, _tableOffset, (long)_table.Length * Qcow2Geometry.EntrySize, "refcount table");
        foreach (ulong entry in _table)
        {
            if (entry != 0 && IsBlock(entry))
            {
                metadata.AddApart(file, (long)entry, _geometry.ClusterSize, "refcount block");
            }
        }
    }

    /// <summary>The refcount blocks in memory.</summary>
    public TableCache Blocks { get; }

    /// <summary>The refcount table: offsets of refcount blocks.</summary>
    public ReadOnlySpan<ulong> Table => _table;

    /// <summary>Where the refcount table is.</summary>
    public long TableOffset => _tableOffset;

    /// <summary>The reference count of a cluster.</summary>
    public BlockResult Get(long cluster, out ulong count)
    {
        count = 0;
        long index = cluster / _geometry.RefcountsPerBlock;
        if (index >= _table.Length || _table[index] == 0)
        {
            return BlockResult.Ok;
        }

        BlockResult result = Block(index, out CachedTable block);
        if (result == BlockResult.Ok)
        {
            count = RefcountBits.Get(block.Bytes, _geometry.RefcountOrder, (int)(cluster % _geometry.RefcountsPerBlock));
        }

        return result;
    }

    /// <summary>Sets the reference count of a cluster; its refcount block is made when there is none.</summary>
    public BlockResult Set(long cluster, ulong count)
    {
        long index = cluster / _geometry.RefcountsPerBlock;
        CachedTable block = null!;
        BlockResult result = EnsureBlock(index);
        result = result == BlockResult.Ok ? Block(index, out block) : result;
        if (result == BlockResult.Ok)
        {
            int at = (int)(cluster % _geometry.RefcountsPerBlock);
            RefcountBits.Set(block.Bytes, _geometry.RefcountOrder, at, count);
            block.MarkDirty(RefcountBits.ByteOf(_geometry.RefcountOrder, at), Math.Max(1, _geometry.RefcountBits / 8));
            _hint = count == 0 ? Math.Min(_hint, cluster) : _hint;
        }

        return result;
    }

    /// <summary>One user more of a cluster in use.</summary>
    /// <returns>False when the count is at its limit, or cannot be changed.</returns>
    public bool TryShare(long cluster) =>
        Get(cluster, out ulong count) == BlockResult.Ok && count > 0 && count < _geometry.RefcountMax && Set(cluster, count + 1) == BlockResult.Ok;

    /// <summary>One user less. A count of 0 already is damage.</summary>
    public BlockResult Release(long cluster)
    {
        BlockResult result = Get(cluster, out ulong count);
        return result != BlockResult.Ok ? result : count == 0 ? _flags.Corrupt() : Set(cluster, count - 1);
    }

    /// <summary>Takes up to <paramref name="most"/> free clusters in a row; their counts are 1 from here on.</summary>
    /// <param name="most">Clusters that would be of use.</param>
    /// <param name="offset">Where the first is in the file.</param>
    /// <param name="count">How many there are, at least 1.</param>
    /// <param name="isFresh">They lie behind everything the file ever held, so they read as zeroes.</param>
    public BlockResult Allocate(int most, out long offset, out int count, out bool isFresh)
    {
        offset = 0;
        count = 0;
        isFresh = false;
        BlockResult result = FindFree(out long first, out CachedTable block);
        if (result != BlockResult.Ok)
        {
            return result;
        }

        int at = (int)(first % _geometry.RefcountsPerBlock);
        int limit = Math.Min(most, _geometry.RefcountsPerBlock - at);
        int order = _geometry.RefcountOrder;
        while (count < limit && RefcountBits.Get(block.Bytes, order, at + count) == 0)
        {
            RefcountBits.Set(block.Bytes, order, at + count, 1);
            count++;
        }

        int from = RefcountBits.ByteOf(order, at);
        block.MarkDirty(from, RefcountBits.ByteOf(order, at + count - 1) + Math.Max(1, _geometry.RefcountBits / 8) - from);
        offset = first << _geometry.ClusterBits;
        isFresh = first >= _tail;
        _tail = Math.Max(_tail, first + count);
        _hint = first + count;
        return _metadata.Touches(offset, count) ? _flags.Corrupt() : BlockResult.Ok;
    }

    /// <summary>Takes exactly <paramref name="count"/> free clusters in a row, behind everything in use: for a table.</summary>
    public BlockResult AllocateTable(long count, out long offset)
    {
        offset = 0;
        long first = _tail;
        for (long found = 0; found < count;)
        {
            // A refcount block that is missing is made at once: it takes clusters of its own.
            long cluster = first + found;
            BlockResult result = cluster << _geometry.ClusterBits < MostOffset ? EnsureBlock(cluster / _geometry.RefcountsPerBlock) : BlockResult.NoSpace;
            ulong used = 0;
            result = result == BlockResult.Ok ? Get(cluster, out used) : result;
            if (result != BlockResult.Ok)
            {
                return result;
            }

            (first, found) = used == 0 ? (first, found + 1) : (cluster + 1, 0);
        }

        offset = first << _geometry.ClusterBits;
        for (long i = 0; i < count; i++)
        {
            BlockResult result = Set((offset >> _geometry.ClusterBits) + i, 1);
            if (result != BlockResult.Ok)
            {
                return result;
            }
        }

        _tail = Math.Max(_tail, (offset >> _geometry.ClusterBits) + count);
        return _metadata.Touches(offset, count) ? _flags.Corrupt() : BlockResult.Ok;
    }

    private bool IsBlock(ulong entry) => entry < (ulong)_file.Length && _geometry.InCluster((long)entry) == 0;

    private BlockResult Block(long index, out CachedTable block)
    {
        ulong entry = _table[index];
        if (IsBlock(entry) || Blocks.Has((long)entry))
        {
            return Blocks.Get((long)entry, out block);
        }

        block = null!;
        return _flags.Corrupt();
    }

    private BlockResult FindFree(out long cluster, out CachedTable block)
    {
        block = null!;
        for (cluster = _hint; cluster << _geometry.ClusterBits < MostOffset;)
        {
            long index = cluster / _geometry.RefcountsPerBlock;
            BlockResult result = EnsureBlock(index);
            result = result == BlockResult.Ok ? Block(index, out block) : result;
            if (result != BlockResult.Ok)
            {
                return result;
            }

            long end = (index + 1) * _geometry.RefcountsPerBlock;
            for (; cluster < end; cluster++)
            {
                if (RefcountBits.Get(block.Bytes, _geometry.RefcountOrder, (int)(cluster % _geometry.RefcountsPerBlock)) == 0)
                {
                    return BlockResult.Ok;
                }
            }
        }

        return BlockResult.NoSpace;
    }

    private BlockResult EnsureBlock(long index) => index < _table.Length && _table[index] != 0 ? BlockResult.Ok : MakeBlock(index);

    // A new refcount block lies in the first cluster of the range that it counts, and counts itself.
    private BlockResult MakeBlock(long index)
    {
        if (index >= _table.Length)
        {
            return GrowTable(index);
        }

        long offset = index * _geometry.RefcountsPerBlock << _geometry.ClusterBits;
        if (_metadata.Touches(offset))
        {
            return _flags.Corrupt();
        }

        BlockResult result = WriteBlock(offset, 1);
        result = result == BlockResult.Ok ? _file.Flush() : result;
        if (result != BlockResult.Ok)
        {
            return result;
        }

        byte[] entry = TableFile.ToBytes([(ulong)offset]);
        result = _file.Write(_tableOffset + (index * Qcow2Geometry.EntrySize), entry);
        if (result == BlockResult.Ok)
        {
            _table[index] = (ulong)offset;
            AdoptBlock(offset);
        }

        return result;
    }

    // A block and the table after it are put at the start of the first range that the old table cannot name.
    private BlockResult GrowTable(long index)
    {
        long entries = Math.Max(index + 1, (long)_table.Length * 3 / 2);
        long start = index * _geometry.RefcountsPerBlock;
        long tableClusters = _geometry.Clusters((entries + 1) * Qcow2Geometry.EntrySize);
        long blocks = 1;
        while (blocks * _geometry.RefcountsPerBlock < blocks + tableClusters)
        {
            blocks++;
            tableClusters = _geometry.Clusters((entries + blocks) * Qcow2Geometry.EntrySize);
        }

        long offset = start << _geometry.ClusterBits;
        if (tableClusters << _geometry.ClusterBits > Qcow2Header.MaxRefcountTableBytes || offset >= MostOffset)
        {
            return BlockResult.NoSpace;
        }

        if (_metadata.Touches(offset, blocks + tableClusters))
        {
            return _flags.Corrupt();
        }

        var table = new ulong[tableClusters * _geometry.L2Entries];
        _table.CopyTo(table, 0);
        BlockResult result = BlockResult.Ok;
        for (long i = 0; i < blocks && result == BlockResult.Ok; i++)
        {
            long used = Math.Min(_geometry.RefcountsPerBlock, blocks + tableClusters - (i * _geometry.RefcountsPerBlock));
            table[index + i] = (ulong)(offset + (i << _geometry.ClusterBits));
            result = WriteBlock((long)table[index + i], used);
        }

        return result == BlockResult.Ok ? SwitchTable(table, offset + (blocks << _geometry.ClusterBits), (int)tableClusters, index, blocks) : result;
    }

    private BlockResult SwitchTable(ulong[] table, long offset, int clusters, long firstBlock, long blocks)
    {
        BlockResult result = _file.Write(offset, TableFile.ToBytes(table));
        result = result == BlockResult.Ok ? _file.Flush() : result;
        Span<byte> field = stackalloc byte[12];
        BinaryPrimitives.WriteInt64BigEndian(field, offset);
        BinaryPrimitives.WriteInt32BigEndian(field[8..], clusters);
        result = result == BlockResult.Ok ? _file.Write(TableFieldOffset, field) : result;
        result = result == BlockResult.Ok ? _file.Flush() : result;
        if (result != BlockResult.Ok)
        {
            return result;
        }

        (long oldOffset, long oldClusters) = (_tableOffset, _geometry.Clusters((long)_table.Length * Qcow2Geometry.EntrySize));
        (_table, _tableOffset) = (table, offset);
        _metadata.Remove(oldOffset, oldClusters << _geometry.ClusterBits);
        _metadata.Add(offset, (long)clusters << _geometry.ClusterBits);
        for (long i = 0; i < blocks; i++)
        {
            AdoptBlock((long)table[firstBlock + i]);
        }

        _tail = Math.Max(_tail, (offset >> _geometry.ClusterBits) + clusters);
        for (long i = 0; i < oldClusters && result == BlockResult.Ok; i++)
        {
            result = Release((oldOffset >> _geometry.ClusterBits) + i);
        }

        return result;
    }

    private void AdoptBlock(long offset)
    {
        _metadata.Add(offset, _geometry.ClusterSize);
        _tail = Math.Max(_tail, (offset >> _geometry.ClusterBits) + 1);
    }

    // A block whose first counts are 1.
    private BlockResult WriteBlock(long offset, long used)
    {
        byte[] bytes = new byte[_geometry.ClusterSize];
        for (int i = 0; i < used; i++)
        {
            RefcountBits.Set(bytes, _geometry.RefcountOrder, i, 1);
        }

        return _file.Write(offset, bytes);
    }
}
