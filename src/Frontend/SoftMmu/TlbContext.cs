using System.Runtime.InteropServices;

namespace Emu.Frontend.SoftMmu;

/// <summary>
/// The TLB of one address space: a table per <see cref="MmuMode"/> in native memory, and a list of the entries that a CR3 write must
/// drop, so that it costs what was used rather than the size of the tables.
/// </summary>
internal sealed unsafe class TlbContext : IDisposable
{
    private const int Modes = 3;
    private const int AllEntries = Modes * TlbEntry.Count;

    private readonly TlbEntry* _entries;
    private readonly ushort[] _local = new ushort[AllEntries];
    private int _localCount;

    /// <summary>Creates an empty TLB.</summary>
    public TlbContext()
    {
        _entries = (TlbEntry*)NativeMemory.AlignedAlloc(AllEntries * TlbEntry.Size, 64);
        Clear();
    }

    /// <summary>The process-context identifier whose translations these are (SDM vol. 3, 4.10.1), or −1 when there are none.</summary>
    public int Pcid { get; set; } = -1;

    /// <summary>The table of <paramref name="mode"/>.</summary>
    public TlbEntry* Table(MmuMode mode) => _entries + ((int)mode * TlbEntry.Count);

    /// <summary>All entries of all modes.</summary>
    public Span<TlbEntry> Entries => new(_entries, AllEntries);

    /// <summary>The entry was filled with a translation that is not global.</summary>
    public void NoteLocal(TlbEntry* entry)
    {
        // An entry that INVLPG dropped may be listed twice; when the list is full its entries are all dropped anyway.
        if (_localCount < AllEntries)
        {
            _local[_localCount++] = (ushort)(entry - _entries);
        }
    }

    /// <summary>Drops everything.</summary>
    public void Clear()
    {
        foreach (ref TlbEntry entry in Entries)
        {
            entry.Drop();
        }

        _localCount = 0;
    }

    /// <summary>Drops all but the global translations.</summary>
    public void ClearLocal()
    {
        if (_localCount == AllEntries)
        {
            foreach (ref TlbEntry entry in Entries)
            {
                DropLocal(ref entry);
            }
        }

        for (int i = 0; i < _localCount; i++)
        {
            DropLocal(ref _entries[_local[i]]);
        }

        _localCount = 0;
    }

    /// <inheritdoc/>
    public void Dispose() => NativeMemory.AlignedFree(_entries);

    private static void DropLocal(ref TlbEntry entry)
    {
        if ((entry.Physical & (ulong)TlbPageFlags.Global) == 0)
        {
            entry.Drop();
        }
    }
}
