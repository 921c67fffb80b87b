using System.Runtime.CompilerServices;
using Emu.Core.Memory;
using Emu.Frontend.Ir;

namespace Emu.Frontend.SoftMmu;

/// <summary>Told of writes that hit translated code, before the write happens.</summary>
public interface ICodeWriteObserver
{
    /// <summary>
    /// Drops all translations of [<paramref name="offset"/>, +<paramref name="length"/>) of <paramref name="ram"/> on every vCPU.
    /// Returns true when the block that this vCPU is executing was among them.
    /// </summary>
    bool BeforeCodeWrite(GuestRam ram, ulong offset, int length);
}

/// <summary>
/// One vCPU's view of memory through its page tables: a TLB per <see cref="MmuMode"/> in native memory, whose hit path is
/// inlined in the consumers of the IR, and the slow path behind it. All members belong to the vCPU's thread. Members that
/// return false leave the fault recorded in the CPU by <see cref="IPageWalker"/>.
/// </summary>
public sealed unsafe partial class SoftMmu : IDisposable
{
    private const ulong PageMask = ~0xfffUL;
    private const int Modes = 3;
    private const int LargeShift = 22;
    private const int HugeShift = 30;

    /// <summary>Tag bit: the page is known but is device registers (or ROM, for writes).</summary>
    private const ulong TagIo = 2;

    /// <summary>Tag bit: writes must be noticed (translated code, dirty log).</summary>
    private const ulong TagTracked = 4;

    /// <summary>Tag bit: a data breakpoint lies in the page.</summary>
    private const ulong TagWatched = 8;

    /// <summary>
    /// Tag bit: the page before has the same entry. An access across the page end, which looks for this page in the entry of that one, must not hit.
    /// </summary>
    private const ulong TagShared = 16;

    private readonly CpuHeader* _cpu;
    private readonly IPageWalker _walker;
    private readonly AddressSpace _memory;
    private readonly TlbWriters _writers = new();
    private RamWindow _ram;

    // Stretches of 4 MiB and 1 GiB that hold pieces of large pages: elsewhere INVLPG need not look for them.
    private readonly HashSet<ulong> _largePages = [];
    private readonly HashSet<ulong> _hugePages = [];
    private bool _disposed;

    /// <summary>Creates an empty TLB for the vCPU of <paramref name="cpu"/>.</summary>
    public SoftMmu(CpuHeader* cpu, IPageWalker walker, AddressSpace memory)
    {
        _cpu = cpu;
        _walker = walker;
        _memory = memory;
        _ram = new RamWindow(memory);
        _context = _contexts[0] = new TlbContext(_writers) { Pcid = 0 };
        SetMode(MmuMode.Supervisor);
    }

    /// <summary>The mode that translated code runs in.</summary>
    public MmuMode Mode { get; private set; }

    /// <summary>Receiver of writes to translated code.</summary>
    public ICodeWriteObserver? CodeObserver { get; set; }

    /// <summary>Called after the page of a linear address was dropped.</summary>
    public Action<ulong>? PageFlushed { get; set; }

    /// <summary>Checks data breakpoints: linear address, size, is write. Null when none are set.</summary>
    public Action<ulong, int, bool>? Watchpoint { get; private set; }

    /// <summary>True when the page holds a data breakpoint; consulted when an entry is filled.</summary>
    public Func<ulong, bool>? IsWatchedPage { get; private set; }

    /// <summary>
    /// Set when <see cref="TryGetHostPointer"/> was asked for bytes of the block in execution. A helper that has written nothing yet
    /// may then unwind: the instruction is executed again, alone.
    /// </summary>
    public bool HitCurrentBlock { get; set; }

    /// <summary>TLB misses that walked the page tables.</summary>
    public ulong Misses { get; private set; }

    /// <summary>Flushes.</summary>
    public ulong Flushes { get; private set; }

    /// <summary>Accesses that went to device registers.</summary>
    public ulong IoAccesses { get; private set; }

    /// <summary>Selects the table that translated code uses.</summary>
    public void SetMode(MmuMode mode)
    {
        Mode = mode;
        _cpu->Tlb = _context.Table(mode);
    }

    /// <summary>Drops the translations of one page, and of the large page that holds it (INVLPG).</summary>
    public void FlushPage(ulong linear)
    {
        bool large = _largePages.Contains(linear >> LargeShift);
        bool huge = _hugePages.Contains(linear >> HugeShift);
        foreach (TlbContext? context in _contexts)
        {
            if (context is null)
            {
                continue;
            }

            DropPage(context, linear);

            // A large page is cached in 4 KiB pieces, any of which may be meant.
            if (large)
            {
                context.DropPieces(TlbPageFlags.Large, linear >> LargeShift, LargeShift);
            }

            if (huge)
            {
                context.DropPieces(TlbPageFlags.Huge, linear >> HugeShift, HugeShift);
            }
        }

        PageFlushed?.Invoke(linear);
    }

    private static void DropPage(TlbContext context, ulong linear)
    {
        for (int mode = 0; mode < Modes; mode++)
        {
            TlbEntry* entry = context.Table((MmuMode)mode) + TlbEntry.IndexOf(linear);
            if ((entry->ReadTag & PageMask) == (linear & PageMask) || (entry->WriteTag & PageMask) == (linear & PageMask))
            {
                context.Drop(entry);
            }
        }
    }

    /// <summary>Makes writes to a physical page take the slow path, because code in it was translated or the dirty log asks.</summary>
    public void TrackWrites(ulong physicalPage)
    {
        if (_writers.TryFind(physicalPage, out ReadOnlySpan<nint> writers))
        {
            foreach (nint writer in writers)
            {
                Track((TlbEntry*)writer, physicalPage);
            }

            return;
        }

        foreach (TlbContext? context in _contexts)
        {
            for (int i = 0; context is not null && i < TlbContext.Size; i++)
            {
                Track(context.Table(default) + i, physicalPage);
            }
        }
    }

    private static void Track(TlbEntry* entry, ulong physicalPage)
    {
        if ((entry->Physical & PageMask) == physicalPage && entry->IsWriter)
        {
            entry->WriteTag |= TagTracked;
        }
    }

    /// <summary>Sets or clears the data-breakpoint hooks; the caller flushes.</summary>
    public void SetWatchpoints(Func<ulong, bool>? isWatchedPage, Action<ulong, int, bool>? check)
    {
        IsWatchedPage = isWatchedPage;
        Watchpoint = check;
    }

    /// <summary>Reads 1, 2, 4 or 8 bytes, zero-extended.</summary>
    public bool TryRead(ulong linear, int size, MmuMode mode, out ulong value)
    {
        TlbEntry* entry = EntryFor(linear, mode);
        if (entry->ReadTag == ((linear + (uint)size - 1) & PageMask))
        {
            value = LoadHost((byte*)(linear + (ulong)entry->Addend), size);
            return true;
        }

        return TryReadSlow(linear, size, mode, out value);
    }

    /// <summary>Writes the low 1, 2, 4 or 8 bytes of <paramref name="value"/>.</summary>
    public bool TryWrite(ulong linear, ulong value, int size, MmuMode mode)
    {
        TlbEntry* entry = EntryFor(linear, mode);
        if (entry->WriteTag == ((linear + (uint)size - 1) & PageMask))
        {
            StoreHost((byte*)(linear + (ulong)entry->Addend), value, size);
            return true;
        }

        return TryWriteSlow(linear, value, size, mode);
    }

    /// <summary>Checks that an access of any length would not fault, filling the TLB for both pages it touches.</summary>
    public bool TryProbe(ulong linear, int size, MmuAccess access, MmuMode mode)
    {
        if (linear <= uint.MaxValue && linear + (uint)size - 1 > uint.MaxValue && !_walker.TryPassFourGigabytes(linear))
        {
            return false;
        }

        // The first byte of each page, so that a fault reports the address the CPU would.
        ulong last = (linear + (uint)size - 1) & PageMask;
        for (ulong address = linear; ; address = (address & PageMask) + 0x1000)
        {
            if (!TryResolve(address, access, mode, out _))
            {
                return false;
            }

            if ((address & PageMask) == last)
            {
                return true;
            }
        }
    }

    /// <summary>
    /// The host address of <paramref name="linear"/> when its page is plain memory that may be accessed directly up to the page
    /// end, else null (device registers, ROM writes, breakpoints: use the value methods). Code in the page is invalidated
    /// for writes of <paramref name="size"/> bytes. False means a fault.
    /// </summary>
    public bool TryGetHostPointer(ulong linear, int size, MmuAccess access, MmuMode mode, out byte* host)
    {
        host = null;
        if (!TryResolve(linear, access, mode, out TlbEntry* entry))
        {
            return false;
        }

        ulong tag = access == MmuAccess.Write ? entry->WriteTag : entry->ReadTag;
        if ((tag & (TagIo | TagWatched)) != 0)
        {
            return true;
        }

        if ((tag & TagTracked) != 0)
        {
            HitCurrentBlock |= NoteTrackedWrite(entry, linear, size);
        }

        host = (byte*)(linear + (ulong)entry->Addend);
        return true;
    }

    /// <summary>True when a write of <paramref name="size"/> bytes (not crossing a page) would hit the block in execution; code elsewhere is dropped.</summary>
    public bool WriteHitsCurrentBlock(ulong linear, int size, MmuMode mode)
    {
        TlbEntry* entry = EntryFor(linear, mode);
        return (entry->WriteTag & PageMask) == (linear & PageMask) && (entry->WriteTag & (TagTracked | TlbEntry.Invalid)) == TagTracked
            && NoteTrackedWrite(entry, linear, size);
    }

    /// <summary>Translates an instruction fetch in the current mode.</summary>
    public bool TryTranslateCode(ulong linear, out PageTranslation translation)
    {
        Misses++;
        return _walker.TryTranslate(linear, MmuAccess.Execute, Mode, out translation);
    }

    /// <summary>The host address of a naturally aligned physical qword in RAM (page-table entries), or null.</summary>
    public byte* PhysicalPointer(ulong physical) =>
        _ram.TryFind(physical, out FlatRange? range) && range.IsMemory && range.Last - physical >= 7
            ? (byte*)range.Region.Ram!.HostBase + range.RamOffset(physical)
            : null;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            foreach (TlbContext? context in _contexts)
            {
                context?.Dispose();
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TlbEntry* EntryFor(ulong linear, MmuMode mode) => _context.Table(mode) + TlbEntry.IndexOf(linear);

    private static ulong LoadHost(byte* host, int size) => size switch
    {
        1 => *host,
        2 => *(ushort*)host,
        4 => *(uint*)host,
        _ => *(ulong*)host,
    };

    private static void StoreHost(byte* host, ulong value, int size)
    {
        switch (size)
        {
            case 1: *host = (byte)value; break;
            case 2: *(ushort*)host = (ushort)value; break;
            case 4: *(uint*)host = (uint)value; break;
            default: *(ulong*)host = value; break;
        }
    }
}
