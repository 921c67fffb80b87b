using System.Runtime.CompilerServices;
using Emu.Core.Memory;
using Emu.Frontend.Ir;
using Emu.Frontend.SoftMmu;
using Emu.Jit.Interpreter;
using Emu.Jit.Regions;

namespace Emu.Jit;

/// <summary>Limits and switches of translation.</summary>
public sealed record TranslationOptions
{
    /// <summary>Bytes of tier-0 code per vCPU before everything is dropped.</summary>
    public int CodeCacheBytes { get; init; } = 512 << 20;

    /// <summary>Called with each block after optimisation (<c>-d op</c>, <c>in_asm</c>).</summary>
    public Action<IrBlock>? Translated { get; init; }

    /// <summary>Called with the program counter of each block before it runs (<c>-d exec</c>). Blocks are then not chained, so that none is missed.</summary>
    public Action<ulong>? Entered { get; init; }

    /// <summary>Compilation of hot code, or null to interpret everything.</summary>
    internal RegionOptions? Regions { get; init; }
}

/// <summary>
/// One vCPU's translations and the loop that runs them: finds or makes the block for the program counter, enters it, links
/// its exits, drops blocks whose code is written. Belongs to the vCPU's thread.
/// </summary>
public sealed unsafe partial class TranslationEngine : ICodeWriteObserver, IDisposable
{
    private const ulong PageMask = ~0xfffUL;

    private readonly CpuHeader* _cpu;
    private readonly SoftMmu _mmu;
    private readonly IGuestFrontend _frontend;
    private readonly AddressSpace _memory;
    private readonly TranslationOptions _options;
    private readonly CodeArena _arena;
    private readonly CodeArena _singleArena = new(int.MaxValue);
    private readonly IrBlock _ir = new();
    private readonly BlockTable _blocks = new();
    private readonly Dictionary<ulong, List<TranslationBlock>> _blocksByPage = [];
    private readonly List<TranslationBlock> _numbered = [];
    private readonly List<TranslationBlock> _dropped = []; // whose ops may still be in execution
    private readonly Stack<int> _freeNumbers = [];
    private readonly CodeAddressCache _addresses;
    private readonly CodePageSet _sharedPages;
    private readonly RegionTiering? _tiering;
    private TranslationBlock? _singleBlock;
    private bool _arrivesIndirectly; // the last exit was no direct jump inside a page
    private int _generation; // counts FlushAll: pointers to ops do not outlive one
    private bool _disposed;

    /// <summary>Creates an empty cache for the vCPU of <paramref name="cpu"/>.</summary>
    public TranslationEngine(CpuHeader* cpu, SoftMmu mmu, IGuestFrontend frontend, AddressSpace memory, CodePageSet sharedPages, TranslationOptions options)
    {
        _cpu = cpu;
        _mmu = mmu;
        _frontend = frontend;
        _memory = memory;
        _sharedPages = sharedPages;
        _options = options;
        _arena = new CodeArena(options.CodeCacheBytes);
        _addresses = new CodeAddressCache(cpu, mmu);
        _tiering = options.Regions is null || options.Entered is not null ? null : new RegionTiering(cpu, options.Regions, key => _blocks.Find(key), _addresses);
        mmu.CodeObserver = this;
    }

    /// <summary>The vCPU that owns this engine, as the others know it.</summary>
    public ICodePageClient? Client { get; init; }

    /// <summary>Blocks made so far.</summary>
    public ulong BlocksTranslated { get; private set; }

    /// <summary>Blocks dropped because their code was written.</summary>
    public ulong BlocksInvalidated { get; private set; }

    /// <summary>Counters of compiled regions, or null when nothing is compiled.</summary>
    public RegionStatistics? Regions => _tiering?.Statistics;

    /// <summary>Installs regions that were compiled meanwhile. On the vCPU's thread, outside translated code, after code writes were noted.</summary>
    public void InstallRegions() => _tiering?.InstallFinished();

    /// <summary>
    /// Runs translated code from the program counter until something needs the vCPU's attention: an exit request, a fault,
    /// an instruction that ends in the dispatcher.
    /// </summary>
    public LeaveReason Run()
    {
        TranslationBlock? block = FindBlock();
        if (block is null)
        {
            return LeaveReason.Fault;
        }

        block.Heat.IsTarget |= _arrivesIndirectly;
        return Enter(block);
    }

    /// <summary>Executes exactly one instruction, untouched by caches of code.</summary>
    public LeaveReason RunSingle()
    {
        if (!_frontend.TryGetFetchAddress(out ulong linear) || !_addresses.Pages.TryTranslate(linear, out ulong physical)
            || !_frontend.TryLift(_ir, _cpu->Pc, physical, maxInstructions: 1))
        {
            NoteFetchFault();
            return LeaveReason.Fault;
        }

        _ir.MayChain = false;
        _singleArena.Rewind();
        _cpu->PcPage = _cpu->Pc & PageMask;
        _singleBlock = Encode(_singleArena, KeyFor(physical), -1);
        return Enter(_singleBlock);
    }

    /// <summary>The program counter of the instruction in execution.</summary>
    public ulong CurrentPc
    {
        get
        {
            if (_cpu->CurrentOp == 0)
            {
                return _cpu->Pc;
            }

            (TranslationBlock block, int index) = LocateCurrentInstruction();
            return PcOf(block, index);
        }
    }

    /// <summary>Sets the program counter to the instruction that <see cref="CpuHeader.CurrentOp"/> belongs to, and counts the instructions before it.</summary>
    public void RewindToCurrentInstruction()
    {
        if (_cpu->CurrentOp == 0)
        {
            return;
        }

        (TranslationBlock block, int index) = LocateCurrentInstruction();
        _cpu->Instructions += (ulong)index;
        _cpu->Pc = PcOf(block, index);
        _cpu->CurrentOp = 0;
    }

    /// <inheritdoc/>
    public bool BeforeCodeWrite(GuestRam ram, ulong offset, int length)
    {
        _sharedPages.NotifyWrite(ram, offset, length, Client);
        return InvalidateRam(ram, offset, length);
    }

    /// <summary>Drops this vCPU's blocks that have a byte in a range of <paramref name="ram"/>. True when the block in execution was among them.</summary>
    public bool InvalidateRam(GuestRam ram, ulong offset, int length)
    {
        FlatRange? range = FindRange(ram, offset);
        return range is not null && Invalidate(range.Start + (offset - range.Region.BackingOffset - range.RegionOffset), length);
    }

    /// <summary>Drops every block that has a byte in a physical range. True when the block in execution was among them.</summary>
    public bool Invalidate(ulong physical, int length)
    {
        ulong page = physical & ~0xfffUL;
        if (!_blocksByPage.TryGetValue(page, out List<TranslationBlock>? list))
        {
            return false;
        }

        TranslationBlock? current = _cpu->CurrentOp != 0 ? BlockOf((Op*)_cpu->CurrentOp) : null;
        bool hitsCurrent = current is not null && current != _singleBlock && Overlaps(current, physical, length);
        for (int i = list.Count - 1; i >= 0; i--)
        {
            if (Overlaps(list[i], physical, length))
            {
                Drop(list[i]);
            }
        }

        if (list.Count == 0)
        {
            _blocksByPage.Remove(page);
            _sharedPages.Release(page);
        }

        return hitsCurrent;
    }

    /// <summary>Drops all translations; not to be called while code runs.</summary>
    public void FlushAll()
    {
        foreach (ulong page in _blocksByPage.Keys)
        {
            _sharedPages.Release(page);
        }

        _generation++;
        _tiering?.Forget();
        _blocks.Clear();
        _blocksByPage.Clear();
        _numbered.Clear();
        _dropped.Clear();
        _freeNumbers.Clear();
        _arena.Clear();
        _cpu->CurrentOp = 0;
        _addresses.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _tiering?.Dispose();
            FlushAll();
            _arena.Dispose();
            _singleArena.Dispose();
            _addresses.Dispose();
        }
    }

    private BlockKey KeyFor(ulong physical) => new(physical, _frontend.IsRelative ? _cpu->Pc & ~PageMask : _cpu->Pc, _cpu->ModeKey);

    private ulong PcOf(TranslationBlock block, int instruction) => (block.StartIn(_cpu->PcPage) + block.Instructions[instruction].PcOffset) & block.PcMask;

    private (TranslationBlock Block, int Instruction) LocateCurrentInstruction()
    {
        Op* op = (Op*)_cpu->CurrentOp;
        TranslationBlock block = BlockOf(op);
        return (block, block.InstructionAt((int)(op - block.Code)));
    }

    private LeaveReason Enter(TranslationBlock block)
    {
        _options.Entered?.Invoke(PcOf(block, 0));
        _cpu->Leave = LeaveReason.BlockEnd;
        Op* exit = Execute(block.Entry);
        while (_cpu->Leave is LeaveReason.BlockEnd or LeaveReason.HotBlock or LeaveReason.Lookup or LeaveReason.PageCheck)
        {
            if (_cpu->Leave == LeaveReason.HotBlock)
            {
                _cpu->Leave = LeaveReason.BlockEnd;
                _cpu->CurrentOp = 0;
                exit = Execute(_tiering!.NoteHot(BlockOf(exit)));
                continue;
            }

            if (_cpu->Leave == LeaveReason.PageCheck)
            {
                CheckPages();
                _cpu->Leave = LeaveReason.Lookup;
            }

            TranslationBlock? from = null;
            if (exit != null)
            {
                from = BlockOf(exit);
                _cpu->Pc = from.TargetOf(exit, _cpu->PcPage);
            }

            bool mayGoOn = _cpu->Leave == LeaveReason.Lookup || (from is not null && from.MayChain);
            _cpu->Leave = LeaveReason.BlockEnd;
            _cpu->CurrentOp = 0;
            _arrivesIndirectly = exit == null;
            if (_cpu->ExitRequest != 0 || !mayGoOn)
            {
                return LeaveReason.BlockEnd;
            }

            int generation = _generation;
            ulong page = from is null ? 0 : from.StartIn(_cpu->PcPage) & PageMask;
            TranslationBlock? to = FindBlock();
            if (to is null)
            {
                return LeaveReason.Fault;
            }

            _options.Entered?.Invoke(PcOf(to, 0));
            if (from is not null && generation == _generation && (_cpu->Pc & PageMask) == page)
            {
                Link(from, exit, to);
            }

            exit = Execute(to.Entry);
        }

        return _cpu->Leave;
    }

    private void CheckPages()
    {
        if (_frontend.TryGetFetchAddress(out ulong linear))
        {
            _addresses.CheckPages(linear);
        }
    }

    private Op* Execute(Op* op) => ((delegate*<Op*, byte*, Op*>)op->Handler)(op, (byte*)_cpu);

    // A link lives as long as both blocks, so it must hold whatever the page tables say later: only inside one page, which the caller has seen to.
    private static void Link(TranslationBlock from, Op* exit, TranslationBlock to)
    {
        if (to.MayChain && from.IsValid && to.SecondPage is null && exit->C == 0
            && from.Key.ModeKey == to.Key.ModeKey && (from.Key.Physical & PageMask) == (to.Key.Physical & PageMask))
        {
            exit->Target = (nint)to.Entry;
            var link = new BlockLink((nint)exit, from, to);
            from.OutgoingLinks.Add(link);
            to.IncomingLinks.Add(link);
        }
    }

    private TranslationBlock? FindBlock()
    {
        _cpu->PcPage = _cpu->Pc & PageMask;
        JumpCacheEntry* cached = _addresses.EntryFor(_cpu->Pc);
        if (cached->Pc == _cpu->Pc && cached->ModeKey == _cpu->ModeKey)
        {
            return _numbered[(int)cached->BlockNumber];
        }

        if (!_frontend.TryGetFetchAddress(out ulong linear) || !_addresses.Pages.TryTranslate(linear, out ulong physical))
        {
            NoteFetchFault();
            return null;
        }

        BlockKey key = KeyFor(physical);
        TranslationBlock? block = _blocks.Find(key);
        if (block is null || !SecondPageMatches(block, linear))
        {
            block = Translate(key, linear);
            if (block is null)
            {
                return null;
            }
        }

        if (block.MayChain)
        {
            _addresses.Add(_cpu->Pc, block, _addresses.Pages.LastWasGlobal && block.SecondPage is null);
        }

        return block;
    }

    private FlatRange? FindRange(GuestRam ram, ulong offset)
    {
        foreach (FlatRange range in _memory.View.Ranges)
        {
            ulong start = range.Region.BackingOffset + range.RegionOffset;
            if (range.Region.Ram == ram && offset >= start && offset - start < range.Size)
            {
                return range;
            }
        }

        return null;
    }

    private void NoteFetchFault() => _cpu->CurrentOp = 0;
}
