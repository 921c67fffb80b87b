using System.Runtime.InteropServices;

namespace Emu.Frontend.SoftMmu;

/// <summary>
/// The TLB of one address space: a table per <see cref="MmuMode"/> in native memory, and a list of the entries that a CR3 write must
/// drop, so that it costs what was used rather than the size of the tables.
/// </summary>
internal sealed unsafe class TlbContext : IDisposable
{
    /// <summary>Number of entries of all modes.</summary>
    public const int Size = 3 * TlbEntry.Count;

    private readonly TlbWriters _writers;
    private readonly TlbEntry* _entries;
    private readonly ushort[] _local = new ushort[Size];
    private int _localCount;

    /// <summary>Creates an empty TLB that keeps <paramref name="writers"/> up to date.</summary>
    public TlbContext(TlbWriters writers)
    {
        _writers = writers;
        _entries = (TlbEntry*)NativeMemory.AlignedAlloc(Size * TlbEntry.Size, 64);
        for (int i = 0; i < Size; i++)
        {
            _entries[i].Drop();
        }
    }

    /// <summary>The process-context identifier whose translations these are (SDM vol. 3, 4.10.1), or −1 when there are none.</summary>
    public int Pcid { get; set; } = -1;

    /// <summary>The table of <paramref name="mode"/>; those of the other modes follow that of the first.</summary>
    public TlbEntry* Table(MmuMode mode) => _entries + ((int)mode * TlbEntry.Count);

    /// <summary>The entry was filled with a translation that is not global.</summary>
    public void NoteLocal(TlbEntry* entry)
    {
        // An entry that INVLPG dropped may be listed twice; when the list is full, a flush looks at all entries.
        if (_localCount < Size)
        {
            _local[_localCount++] = (ushort)(entry - _entries);
        }
    }

    /// <summary>Drops one entry.</summary>
    public void Drop(TlbEntry* entry)
    {
        _writers.Remove(entry);
        entry->Drop();
    }

    /// <summary>Drops everything.</summary>
    public void Clear()
    {
        for (int i = 0; i < Size; i++)
        {
            Drop(_entries + i);
        }

        _localCount = 0;
    }

    /// <summary>Drops all but the global translations.</summary>
    public void ClearLocal()
    {
        bool all = _localCount == Size;
        for (int i = 0; i < _localCount; i++)
        {
            TlbEntry* entry = _entries + (all ? i : _local[i]);
            if ((entry->Physical & (ulong)TlbPageFlags.Global) == 0)
            {
                Drop(entry);
            }
        }

        _localCount = 0;
    }

    /// <summary>Drops the pieces of pages of <paramref name="size"/> in one stretch of 2^<paramref name="shift"/> bytes.</summary>
    public void DropPieces(TlbPageFlags size, ulong stretch, int shift)
    {
        for (int i = 0; i < Size; i++)
        {
            TlbEntry* entry = _entries + i;
            ulong tag = (entry->ReadTag & TlbEntry.Invalid) == 0 ? entry->ReadTag : entry->WriteTag;
            if ((entry->Physical & (ulong)size) != 0 && tag >> shift == stretch)
            {
                Drop(entry);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => NativeMemory.AlignedFree(_entries);
}
