using System.Buffers.Binary;
using Emu.Block.Files;
using Emu.Core.Block;

namespace Emu.Block.Qcow2;

/// <summary>One cluster of metadata in memory: an L2 table or a refcount block.</summary>
internal sealed class CachedTable(TableCache owner, long offset, byte[] bytes)
{
    /// <summary>Where it is in the file.</summary>
    public long Offset { get; } = offset;

    /// <summary>Its bytes as in the file; who changes them says so by <see cref="MarkDirty"/>.</summary>
    public byte[] Bytes { get; } = bytes;

    /// <summary>First byte that the file does not have yet.</summary>
    public int DirtyFrom { get; private set; } = int.MaxValue;

    /// <summary>One past the last such byte; 0 when there is none.</summary>
    public int DirtyTo { get; private set; }

    /// <summary>True while a copy of it is on its way to the file: it must not be read from there.</summary>
    public bool IsBeingWritten { get; set; }

    /// <summary>A 64-bit entry.</summary>
    public ulong this[int index]
    {
        get => BinaryPrimitives.ReadUInt64BigEndian(Bytes.AsSpan(index * Qcow2Geometry.EntrySize));
        set
        {
            BinaryPrimitives.WriteUInt64BigEndian(Bytes.AsSpan(index * Qcow2Geometry.EntrySize), value);
            MarkDirty(index * Qcow2Geometry.EntrySize, Qcow2Geometry.EntrySize);
        }
    }

    /// <summary>Bytes were changed.</summary>
    public void MarkDirty(int from, int length)
    {
        DirtyFrom = Math.Min(DirtyFrom, from);
        DirtyTo = Math.Max(DirtyTo, from + length);
        owner.NoteDirty(this);
    }

    /// <summary>The file has it, or will.</summary>
    public void MarkClean() => (DirtyFrom, DirtyTo) = (int.MaxValue, 0);
}

/// <summary>A piece of metadata on its way to the file.</summary>
/// <param name="Table">The table that it is a copy of, or null.</param>
/// <param name="Offset">Where it goes.</param>
/// <param name="Bytes">What goes there.</param>
internal sealed record TableWrite(CachedTable? Table, long Offset, byte[] Bytes);

/// <summary>
/// Metadata clusters in memory, least recently used first out. Changed ones stay until they are written, so the bound holds together with
/// <see cref="DirtyCount"/>: the image writes its metadata when too much of it is dirty. Called under the metadata lock.
/// </summary>
internal sealed class TableCache(IHostFile file, int tableSize, int capacity)
{
    private readonly Dictionary<long, LinkedListNode<CachedTable>> _tables = [];
    private readonly LinkedList<CachedTable> _order = new();
    private readonly HashSet<CachedTable> _dirty = [];
    private CachedTable? _last;

    /// <summary>Tables that the file does not have as they are.</summary>
    public int DirtyCount => _dirty.Count;

    /// <summary>True when half of the cache is changed tables: time to write them.</summary>
    public bool IsDirtyHeavy => _dirty.Count > capacity / 2;

    /// <summary>Tables in memory.</summary>
    public int Count => _tables.Count;

    /// <summary>The table at <paramref name="offset"/>, from memory or from the file.</summary>
    public BlockResult Get(long offset, out CachedTable table)
    {
        if (_last is not null && _last.Offset == offset)
        {
            table = _last;
            return BlockResult.Ok;
        }

        if (_tables.TryGetValue(offset, out LinkedListNode<CachedTable>? node))
        {
            _order.Remove(node);
            _order.AddFirst(node);
            table = _last = node.Value;
            return BlockResult.Ok;
        }

        byte[] bytes = MakeRoom() ?? new byte[tableSize];
        table = new CachedTable(this, offset, bytes);
        BlockResult result = file.Read(offset, bytes);
        if (result == BlockResult.Ok)
        {
            Insert(table);
        }

        return result;
    }

    /// <summary>True when the table at <paramref name="offset"/> is in memory.</summary>
    public bool Has(long offset) => _tables.ContainsKey(offset);

    /// <summary>A table of zeroes for a cluster that has just been allocated; all of it is still to be written.</summary>
    public CachedTable AddNew(long offset)
    {
        Drop(offset);
        byte[] bytes = MakeRoom() ?? new byte[tableSize];
        Array.Clear(bytes);
        var table = new CachedTable(this, offset, bytes);
        Insert(table);
        table.MarkDirty(0, tableSize);
        return table;
    }

    /// <summary>Forgets a table: its cluster is no longer one.</summary>
    public void Drop(long offset)
    {
        if (_tables.Remove(offset, out LinkedListNode<CachedTable>? node))
        {
            _order.Remove(node);
            _dirty.Remove(node.Value);
            _last = null;
        }
    }

    /// <summary>Called by a table that was changed.</summary>
    public void NoteDirty(CachedTable table) => _dirty.Add(table);

    /// <summary>Copies of what is changed, in whole sectors. The tables count as clean from here on; see <see cref="Finish"/>.</summary>
    public void TakeDirty(List<TableWrite> writes)
    {
        foreach (CachedTable table in _dirty)
        {
            int from = (int)Ranges.RoundDown(table.DirtyFrom, Ranges.Sector);
            int to = (int)Ranges.RoundUp(table.DirtyTo, Ranges.Sector);
            writes.Add(new TableWrite(table, table.Offset + from, table.Bytes[from..to]));
            table.MarkClean();
            table.IsBeingWritten = true;
        }

        _dirty.Clear();
    }

    /// <summary>The writes of <see cref="TakeDirty"/> are in the file, or were not made and are still to be.</summary>
    public void Finish(List<TableWrite> writes, bool written)
    {
        foreach (TableWrite write in writes)
        {
            if (write.Table is CachedTable table)
            {
                table.IsBeingWritten = false;
                if (!written && _tables.TryGetValue(table.Offset, out LinkedListNode<CachedTable>? node) && node.Value == table)
                {
                    table.MarkDirty((int)(write.Offset - table.Offset), write.Bytes.Length);
                }
            }
        }
    }

    private void Insert(CachedTable table)
    {
        _tables[table.Offset] = _order.AddFirst(table);
        _last = table;
    }

    // Makes room for one more and gives the memory of what went, or null when there still is room or nothing can go.
    private byte[]? MakeRoom()
    {
        if (_tables.Count < capacity)
        {
            return null;
        }

        for (LinkedListNode<CachedTable>? node = _order.Last; node is not null; node = node.Previous)
        {
            CachedTable table = node.Value;
            if (table.DirtyTo == 0 && !table.IsBeingWritten)
            {
                Drop(table.Offset);
                return table.Bytes;
            }
        }

        return null;
    }
}
