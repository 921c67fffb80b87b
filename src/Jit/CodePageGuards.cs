using System.Runtime.InteropServices;
using Emu.Frontend.Ir;

namespace Emu.Jit;

/// <summary>
/// What compiled code asks before it goes on in another page of its region: whether a linear page is still the physical page that the
/// code there was compiled from.
/// </summary>
/// <param name="Cell">
/// Address of a <see cref="uint"/>. When the page is global, non-zero says that it is; otherwise equality with
/// <see cref="CpuHeader.CodeEpoch"/> does.
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
    private const int ChunkCells = 1024;
    private const int MostChunks = 64;
    private const uint Holds = 1; // of a global page

    private readonly Dictionary<ulong, List<Entry>> _byPage = [];
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

    /// <summary>True when there are guards for <paramref name="linear"/>.</summary>
    public bool Has(ulong linear) => _byPage.ContainsKey(linear);

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
    }

    /// <summary>Makes all guards fail.</summary>
    public void ForgetAll()
    {
        foreach (nint chunk in _chunks)
        {
            new Span<uint>((void*)chunk, ChunkCells).Clear();
        }
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
        _used = ChunkCells;
    }

    /// <inheritdoc/>
    public void Dispose() => Clear();

    private nint NewCell()
    {
        if (_used == ChunkCells)
        {
            _chunks.Add((nint)NativeMemory.AllocZeroed(ChunkCells, sizeof(uint)));
            _used = 0;
        }

        return _chunks[^1] + (_used++ * sizeof(uint));
    }

    private readonly record struct Entry(ulong Physical, bool IsUser, CodePageGuard Guard);
}
