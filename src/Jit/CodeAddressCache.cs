using System.Runtime.InteropServices;
using Emu.Frontend.Ir;
using Emu.Frontend.SoftMmu;

namespace Emu.Jit;

/// <summary>
/// What a vCPU knows of code by linear address: the jump cache that translated code looks into, and the physical pages behind
/// fetch addresses. Both hold what page tables said, so there is one of each per address space, and they are emptied with its TLB.
/// </summary>
internal sealed unsafe class CodeAddressCache : IDisposable
{
    private readonly CpuHeader* _cpu;
    private readonly SoftMmu _mmu;
    private readonly Table?[] _tables = new Table?[SoftMmu.MaxContexts];

    /// <summary>Creates empty caches for the vCPU of <paramref name="cpu"/>.</summary>
    public CodeAddressCache(CpuHeader* cpu, SoftMmu mmu)
    {
        _cpu = cpu;
        _mmu = mmu;
        Use();
        mmu.ContextSwitched = Use;
        mmu.Flushed = (context, includeGlobal) => _tables[context]?.Clear(includeGlobal);
        mmu.PageFlushed = ForgetPage;
    }

    /// <summary>Pages of the address space in use.</summary>
    public CodePageCache Pages => Current.Pages;

    private Table Current => _tables[_mmu.ContextIndex]!;

    /// <summary>The entry for <paramref name="pc"/> in the address space in use.</summary>
    public JumpCacheEntry* EntryFor(ulong pc) => _cpu->JumpCache + JumpCacheEntry.IndexOf(pc);

    /// <summary>Lets jumps to <paramref name="key"/> find <paramref name="block"/>; <paramref name="isGlobal"/> when it survives a CR3 write.</summary>
    public void Add(BlockKey key, TranslationBlock block, bool isGlobal)
    {
        JumpCacheEntry* entry = EntryFor(key.Pc);
        entry->Pc = key.Pc;
        entry->ModeKey = key.ModeKey;
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
            if (table is not null && table.Jumps[JumpCacheEntry.IndexOf(block.Key.Pc)].Code == (nint)block.Entry)
            {
                table.Jumps[JumpCacheEntry.IndexOf(block.Key.Pc)].ModeKey = JumpCacheEntry.NoMode;
            }
        }
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
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

        _cpu->JumpCache = null;
    }

    private void Use()
    {
        ref Table? table = ref _tables[_mmu.ContextIndex];
        table ??= new Table(_mmu);
        _cpu->JumpCache = table.Jumps;
    }

    private void ForgetPage(ulong linear)
    {
        foreach (Table? table in _tables)
        {
            table?.ForgetPage(linear);
        }
    }

    /// <summary>The caches of one address space, and a list of the jumps that a CR3 write must drop.</summary>
    private sealed class Table : IDisposable
    {
        private readonly ushort[] _local = new ushort[JumpCacheEntry.Count];
        private int _localCount;

        // A bit for each page with an entry, by a few bits of its address: INVLPG mostly means pages without code.
        private UInt128 _pagesSeen;

        public Table(SoftMmu mmu)
        {
            Pages = new CodePageCache(mmu);
            Jumps = (JumpCacheEntry*)NativeMemory.AlignedAlloc((nuint)(JumpCacheEntry.Count * sizeof(JumpCacheEntry)), 64);
            Clear(includeGlobal: true);
        }

        public CodePageCache Pages { get; }

        public JumpCacheEntry* Jumps { get; }

        public void Note(JumpCacheEntry* entry)
        {
            _pagesSeen |= PageBit(entry->Pc);
            if (entry->IsGlobal == 0 && _localCount < _local.Length)
            {
                _local[_localCount++] = (ushort)(entry - Jumps);
            }
        }

        // A block may reach into the page from the one before it.
        public void ForgetPage(ulong linear)
        {
            bool large = Pages.MayBeLarge(linear);
            Pages.Forget(linear);
            if (!large && (_pagesSeen & (PageBit(linear) | PageBit(linear - 0x1000))) == 0)
            {
                return;
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
            if (includeGlobal)
            {
                _pagesSeen = 0;
            }
        }

        private static UInt128 PageBit(ulong pc) => UInt128.One << (int)((pc >> 12) & 127);

        public void Dispose() => NativeMemory.AlignedFree(Jumps);
    }
}
