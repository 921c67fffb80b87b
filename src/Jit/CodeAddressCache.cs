using System.Runtime.InteropServices;
using Emu.Frontend.Ir;
using Emu.Frontend.SoftMmu;

namespace Emu.Jit;

/// <summary>
/// What a vCPU knows of code by linear address: the jump cache that translated code looks into, and the physical pages behind
/// fetch addresses. Both hold what page tables said, so there is one of each per address space, and they are emptied with its TLB. The
/// guards of compiled code follow: each address space has an epoch, which changes when pages of it may have changed that are not global.
/// </summary>
internal sealed unsafe class CodeAddressCache : IDisposable
{
    private const ulong PageSize = 0x1000;
    private const ulong PageMask = ~(PageSize - 1);

    private readonly CpuHeader* _cpu;
    private readonly SoftMmu _mmu;
    private readonly Table?[] _tables = new Table?[SoftMmu.MaxContexts];
    private readonly CodePageGuards _guards;
    private uint _lastEpoch;

    /// <summary>Creates empty caches for the vCPU of <paramref name="cpu"/>.</summary>
    public CodeAddressCache(CpuHeader* cpu, SoftMmu mmu)
    {
        _cpu = cpu;
        _mmu = mmu;
        _guards = new CodePageGuards(cpu);
        Use();
        mmu.ContextSwitched = Use;
        mmu.Flushed = Flush;
        mmu.PageFlushed = ForgetPage;
    }

    /// <summary>True when there are so many guards that everything should be forgotten.</summary>
    public bool IsFull => _guards.IsFull;

    /// <summary>Pages of the address space in use.</summary>
    public CodePageCache Pages => Current.Pages;

    private Table Current => _tables[_mmu.ContextIndex]!;

    /// <summary>The entry for <paramref name="pc"/> in the address space in use.</summary>
    public JumpCacheEntry* EntryFor(ulong pc) => _cpu->JumpCache + JumpCacheEntry.IndexOf(pc);

    /// <summary>The physical page behind a linear page in the mode in use, or null; no fault is raised.</summary>
    public ulong? PhysicalPage(ulong linear, out bool isGlobal)
    {
        bool found = Pages.TryTranslate(linear, out ulong physical);
        isGlobal = found && Pages.LastWasGlobal;
        return found ? physical & PageMask : null;
    }

    /// <summary>The guard of a page that <see cref="PhysicalPage"/> just found.</summary>
    public CodePageGuard GuardFor(ulong linear, ulong physicalPage, bool isGlobal) =>
        _guards.For(linear & PageMask, physicalPage, _mmu.Mode == MmuMode.User, isGlobal);

    /// <summary>The guard of a page of position-independent code that <see cref="PhysicalPage"/> just found, <paramref name="delta"/> behind the page its region is relative to.</summary>
    public CodePageGuard GuardForRelative(ulong linear, ulong delta, ulong physicalPage) =>
        _guards.ForRelative(linear & PageMask, delta, physicalPage, _mmu.Mode == MmuMode.User);

    /// <summary>Looks again at the page of <paramref name="linear"/> and the one behind it, where guards ask for them.</summary>
    public void CheckPages(ulong linear)
    {
        foreach (ulong page in (ReadOnlySpan<ulong>)[linear & PageMask, (linear & PageMask) + PageSize])
        {
            bool isUser = _mmu.Mode == MmuMode.User;
            ulong? physical = PhysicalPage(page, out bool isGlobal);
            _guards.Update(page, physical, isUser, isGlobal);
            if (physical is ulong found)
            {
                _guards.UpdateRelative(page, found, isUser);
            }
        }
    }

    /// <summary>Lets jumps to <paramref name="pc"/> find <paramref name="block"/>; <paramref name="isGlobal"/> when it survives a CR3 write.</summary>
    public void Add(ulong pc, TranslationBlock block, bool isGlobal)
    {
        block.Addresses.Add(pc);
        JumpCacheEntry* entry = EntryFor(pc);
        entry->Pc = pc;
        entry->ModeKey = block.Key.ModeKey;
        entry->Code = (nint)block.Entry;
        entry->BlockNumber = block.Number;
        entry->IsGlobal = isGlobal ? 1 : 0;
        Current.Note(entry);
    }

    /// <summary>Forgets <paramref name="block"/> in every address space.</summary>
    public void Remove(TranslationBlock block)
    {
        foreach (Table? table in _tables)
        {
            table?.Remove(block);
        }
    }

    /// <summary>Forgets everything; no compiled code may be left.</summary>
    public void Clear()
    {
        _guards.Clear();
        foreach (Table? table in _tables)
        {
            table?.Clear(includeGlobal: true);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Table? table in _tables)
        {
            table?.Dispose();
        }

        _guards.Dispose();
        _cpu->JumpCache = null;
    }

    private void Use()
    {
        ref Table? table = ref _tables[_mmu.ContextIndex];
        table ??= new Table(_mmu) { Epoch = NextEpoch() };
        _cpu->JumpCache = table.Jumps;
        _cpu->CodeEpoch = table.Epoch;
    }

    private void Flush(int context, bool includeGlobal)
    {
        if (_tables[context] is not Table table)
        {
            return;
        }

        table.Clear(includeGlobal);
        table.Epoch = NextEpoch();
        _cpu->CodeEpoch = Current.Epoch;
        if (includeGlobal)
        {
            _guards.ForgetAll();
        }
    }

    private void ForgetPage(ulong linear)
    {
        bool large = false;
        foreach (Table? table in _tables)
        {
            large |= table is not null && table.ForgetPage(linear);
        }

        if (large)
        {
            _guards.ForgetAll();
        }
        else
        {
            _guards.Forget(linear & PageMask);
        }
    }

    // Once around, an old epoch could be taken for a new one.
    private uint NextEpoch()
    {
        if (++_lastEpoch == 0)
        {
            _guards.ForgetAll();
            foreach (Table? table in _tables)
            {
                _ = table?.Epoch = ++_lastEpoch;
            }

            _lastEpoch++;
        }

        return _lastEpoch;
    }

    /// <summary>The caches of one address space, and a list of the jumps that a CR3 write must drop.</summary>
    private sealed class Table : IDisposable
    {
        private const int PageBits = 4096;

        private readonly ushort[] _local = new ushort[JumpCacheEntry.Count];
        private int _localCount;

        // A bit for each page with an entry, by a few bits of its address: INVLPG mostly means pages without code. Apart, so that a CR3
        // write can forget the pages that are not global.
        private readonly ulong[] _globalPages = new ulong[PageBits / 64];
        private readonly ulong[] _localPages = new ulong[PageBits / 64];

        public Table(SoftMmu mmu)
        {
            Pages = new CodePageCache(mmu);
            Jumps = (JumpCacheEntry*)NativeMemory.AlignedAlloc((nuint)(JumpCacheEntry.Count * sizeof(JumpCacheEntry)), 64);
            Clear(includeGlobal: true);
        }

        public CodePageCache Pages { get; }

        public JumpCacheEntry* Jumps { get; }

        // What guards of pages that are not global must be equal to in this address space.
        public uint Epoch { get; set; }

        public void Note(JumpCacheEntry* entry)
        {
            (entry->IsGlobal != 0 ? _globalPages : _localPages)[WordOf(entry->Pc)] |= BitOf(entry->Pc);
            if (entry->IsGlobal == 0 && _localCount < _local.Length)
            {
                _local[_localCount++] = (ushort)(entry - Jumps);
            }
        }

        // A block may reach into the page from the one before it. True when more than the page was forgotten.
        public bool ForgetPage(ulong linear)
        {
            bool large = Pages.MayBeLarge(linear);
            Pages.Forget(linear);
            if (!large && !MayHaveCode(linear) && !MayHaveCode(linear - PageSize))
            {
                return false;
            }

            ulong page = linear >> 12;
            for (int i = 0; i < JumpCacheEntry.Count; i++)
            {
                JumpCacheEntry* entry = Jumps + i;
                if (large || entry->Pc >> 12 == page || entry->Pc >> 12 == page - 1)
                {
                    entry->ModeKey = JumpCacheEntry.NoMode;
                }
            }

            return large;
        }

        public void Clear(bool includeGlobal)
        {
            Pages.Clear(includeGlobal);
            bool all = includeGlobal || _localCount == _local.Length;
            for (int i = 0; i < (all ? JumpCacheEntry.Count : _localCount); i++)
            {
                JumpCacheEntry* entry = Jumps + (all ? i : _local[i]);
                if (includeGlobal || entry->IsGlobal == 0)
                {
                    entry->ModeKey = JumpCacheEntry.NoMode;
                }
            }

            _localCount = 0;
            Array.Clear(_localPages);
            if (includeGlobal)
            {
                Array.Clear(_globalPages);
            }
        }

        public void Remove(TranslationBlock block)
        {
            foreach (ulong pc in block.Addresses.Listed)
            {
                Remove(block, JumpCacheEntry.IndexOf(pc));
            }

            for (int i = 0; block.Addresses.TooMany && i < JumpCacheEntry.Count; i++)
            {
                Remove(block, i);
            }
        }

        private void Remove(TranslationBlock block, int index)
        {
            if (Jumps[index].Code == (nint)block.Entry)
            {
                Jumps[index].ModeKey = JumpCacheEntry.NoMode;
            }
        }

        private bool MayHaveCode(ulong pc) => ((_globalPages[WordOf(pc)] | _localPages[WordOf(pc)]) & BitOf(pc)) != 0;

        private static int WordOf(ulong pc) => (int)((pc >> 12) & (PageBits - 1)) >> 6;

        private static ulong BitOf(ulong pc) => 1UL << (int)(pc >> 12);

        public void Dispose() => NativeMemory.AlignedFree(Jumps);
    }
}
