using System.Runtime.InteropServices;
using Emu.Frontend.Ir;

namespace Emu.Jit;

/// <summary>
/// What compiled code asks before it goes on in another page of its region: whether a linear page is still the physical page that the
/// code there was compiled from.
/// </summary>
/// <param name="Cell">
/// Address of a <see cref="uint"/>. When the page is global, non-zero says that it is; otherwise equality with
/// <see cref="CpuHeader.CodeEpoch"/> does. Where code is position-independent, the 8 bytes at <see cref="CodePageGuards.BaseOffset"/>
/// must also be the page that program counters of the region are relative to.
/// </param>
/// <param name="IsGlobal">The page is global: it stays what it is over CR3 writes.</param>
internal readonly record struct CodePageGuard(nint Cell, bool IsGlobal);

/// <summary>
/// The guards of one vCPU. A guard that holds stays so until the guest does something that may change what a TLB knows: page tables
/// alone do not (SDM vol. 3, 4.10.4.3). Only helpers that end their block do such things, so nothing in a region makes a guard fail that
/// held when the region looked.
/// </summary>
internal sealed unsafe class CodePageGuards(CpuHeader* cpu) : IDisposable
{
    /// <summary>Distance from a cell to the page that it holds for.</summary>
    public const int BaseOffset = 8;

    private const int CellSize = 16;
    private const int ChunkCells = 1024;
    private const int MostChunks = 64;
    private const uint Holds = 1; // of a global page
    private const int FilterBits = 1 << 16;

    private readonly Dictionary<ulong, List<Entry>> _byPage = [];
    private readonly Dictionary<ulong, List<RelativeEntry>> _byPhysical = []; // of position-independent code
    private readonly ulong[] _mapped = new ulong[FilterBits / 64]; // where pages of that code were found, by a few bits of the address
    private readonly List<nint> _chunks = [];
    private int _used = ChunkCells;

    /// <summary>True when there are so many that they should be removed: programs that come and go leave theirs behind.</summary>
    public bool IsFull => _chunks.Count >= MostChunks;

    /// <summary>The guard of a page that was just found to be <paramref name="physical"/>; so it holds.</summary>
    /// <param name="linear">The linear page.</param>
    /// <param name="physical">The physical page.</param>
    /// <param name="isUser">Looked at with user privilege.</param>
    /// <param name="isGlobal">The page is global.</param>
    public CodePageGuard For(ulong linear, ulong physical, bool isUser, bool isGlobal)
    {
        List<Entry> entries = CollectionsMarshal.GetValueRefOrAddDefault(_byPage, linear, out _) ??= [];
        int index = entries.FindIndex(entry => entry.Physical == physical && entry.IsUser == isUser && entry.Guard.IsGlobal == isGlobal);
        if (index < 0)
        {
            index = entries.Count;
            entries.Add(new Entry(physical, isUser, new CodePageGuard(NewCell(), isGlobal)));
        }

        CodePageGuard guard = entries[index].Guard;
        *(uint*)guard.Cell = isGlobal ? Holds : cpu->CodeEpoch;
        return guard;
    }

    /// <summary>The guard of a page of position-independent code, which was just found at <paramref name="linear"/>; so it holds.</summary>
    /// <param name="linear">The linear page.</param>
    /// <param name="delta">Its distance from the page that program counters of the region are relative to.</param>
    /// <param name="physical">The physical page.</param>
    /// <param name="isUser">Looked at with user privilege.</param>
    public CodePageGuard ForRelative(ulong linear, ulong delta, ulong physical, bool isUser)
    {
        List<RelativeEntry> entries = CollectionsMarshal.GetValueRefOrAddDefault(_byPhysical, physical, out _) ??= [];
        int index = entries.FindIndex(entry => entry.Delta == delta && entry.IsUser == isUser);
        if (index < 0)
        {
            index = entries.Count;
            entries.Add(new RelativeEntry(delta, isUser, NewCell()));
        }

        Hold(entries[index], linear);
        return new CodePageGuard(entries[index].Cell, IsGlobal: false);
    }

    /// <summary>A page was looked at: position-independent code there goes on.</summary>
    public void UpdateRelative(ulong linear, ulong physical, bool isUser)
    {
        if (_byPhysical.TryGetValue(physical, out List<RelativeEntry>? entries))
        {
            foreach (RelativeEntry entry in entries)
            {
                if (entry.IsUser == isUser)
                {
                    Hold(entry, linear);
                }
            }
        }
    }

    /// <summary>A page was looked at: sets its guards to what was found, or makes them fail when <paramref name="physical"/> is null.</summary>
    public void Update(ulong linear, ulong? physical, bool isUser, bool isGlobal)
    {
        if (_byPage.TryGetValue(linear, out List<Entry>? entries))
        {
            foreach (Entry entry in entries)
            {
                bool holds = entry.Physical == physical && entry.Guard.IsGlobal == isGlobal;
                if (entry.IsUser == isUser)
                {
                    *(uint*)entry.Guard.Cell = !holds ? 0 : isGlobal ? Holds : cpu->CodeEpoch;
                }
            }
        }
    }

    /// <summary>Makes the guards of one page fail.</summary>
    public void Forget(ulong linear)
    {
        if (_byPage.TryGetValue(linear, out List<Entry>? entries))
        {
            foreach (Entry entry in entries)
            {
                *(uint*)entry.Guard.Cell = 0;
            }
        }

        if ((_mapped[WordOf(linear)] & BitOf(linear)) != 0)
        {
            ForgetRelative();
        }
    }

    /// <summary>Makes all guards fail.</summary>
    public void ForgetAll()
    {
        foreach (nint chunk in _chunks)
        {
            new Span<byte>((void*)chunk, ChunkCells * CellSize).Clear();
        }

        Array.Clear(_mapped);
    }

    /// <summary>Removes all guards; no code that asks them may be left.</summary>
    public void Clear()
    {
        foreach (nint chunk in _chunks)
        {
            NativeMemory.Free((void*)chunk);
        }

        _chunks.Clear();
        _byPage.Clear();
        _byPhysical.Clear();
        Array.Clear(_mapped);
        _used = ChunkCells;
    }

    /// <inheritdoc/>
    public void Dispose() => Clear();

    private static int WordOf(ulong linear) => (int)((linear >> 12) & (FilterBits - 1)) >> 6;

    private static ulong BitOf(ulong linear) => 1UL << (int)(linear >> 12);

    private void Hold(in RelativeEntry entry, ulong linear)
    {
        _mapped[WordOf(linear)] |= BitOf(linear);
        *(ulong*)(entry.Cell + BaseOffset) = linear - entry.Delta;
        *(uint*)entry.Cell = cpu->CodeEpoch;
    }

    private void ForgetRelative()
    {
        Array.Clear(_mapped);
        foreach (RelativeEntry entry in _byPhysical.Values.SelectMany(entries => entries))
        {
            *(uint*)entry.Cell = 0;
        }
    }

    private nint NewCell()
    {
        if (_used == ChunkCells)
        {
            _chunks.Add((nint)NativeMemory.AllocZeroed(ChunkCells, CellSize));
            _used = 0;
        }

        return _chunks[^1] + (_used++ * CellSize);
    }

    private readonly record struct Entry(ulong Physical, bool IsUser, CodePageGuard Guard);

    private readonly record struct RelativeEntry(ulong Delta, bool IsUser, nint Cell);
}
