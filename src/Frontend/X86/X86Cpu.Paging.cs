using Emu.Core.Cpu;
using Emu.Core.Memory;
using Emu.Frontend.SoftMmu;

namespace Emu.Frontend.X86;

/// <summary>Page walks (SDM vol. 3, ch. 4): none, 32-bit, PAE and 4-level paging.</summary>
public sealed unsafe partial class X86Cpu
{
    private const ulong EntryPresent = 1 << 0;
    private const ulong EntryWrite = 1 << 1;
    private const ulong EntryUser = 1 << 2;
    private const ulong EntryAccessed = 1 << 5;
    private const ulong EntryDirty = 1 << 6;
    private const ulong EntryPageSize = 1 << 7;
    private const ulong EntryGlobal = 1 << 8;
    private const ulong EntryNoExecute = 1UL << 63;

    // Error code bits (SDM vol. 3, 4.7).
    private const uint FaultPresent = 1 << 0;
    private const uint FaultWrite = 1 << 1;
    private const uint FaultUser = 1 << 2;
    private const uint FaultReserved = 1 << 3;
    private const uint FaultFetch = 1 << 4;

    private const int MaxWalkRetries = 1000;

    // What the model says, at hand for every walk.
    private readonly bool _hasPse36;
    private readonly bool _hasGigabytePages;

    private enum WalkResult
    {
        Done,
        Fault,
        Retry,
    }

    /// <summary>The entries a walk has gone through, with the rights they agree on.</summary>
    private struct WalkPath
    {
        public fixed ulong Addresses[4];
        public fixed ulong Entries[4];
        public int Depth;
        public int EntrySize;
        public ulong Allowed;
        public ulong Denied;

        public void Add(ulong address, ulong entry)
        {
            Addresses[Depth] = address;
            Entries[Depth++] = entry;
            Allowed &= entry;
            Denied |= entry;
        }
    }

    /// <summary>Bits of a physical address that a paging structure may hold.</summary>
    private ulong PhysicalMask { get; }

    /// <inheritdoc/>
    public bool TryTranslate(ulong linear, MmuAccess access, MmuMode mode, out PageTranslation translation)
    {
        X86CpuState* s = State;
        if ((s->Cr0 & ControlBits.Cr0Pg) == 0)
        {
            translation = new PageTranslation(linear & 0xffff_f000, TlbPageFlags.Read | TlbPageFlags.Write);
            return true;
        }

        bool fourLevel = (s->Efer & ControlBits.EferLma) != 0;
        if (!fourLevel)
        {
            linear = (uint)linear;
        }
        else if (!IsCanonical(linear))
        {
            // A stack reference takes #SS(0) instead; Lift.StackReference replaces the vector.
            PendingFault = new X86Fault(X86Vector.GeneralProtection, 0, LinearAddress: linear);
            translation = default;
            return false;
        }

        WalkResult result = WalkResult.Retry;
        translation = default;
        for (int i = 0; i < MaxWalkRetries && result == WalkResult.Retry; i++)
        {
            result = Walk(linear, access, mode, fourLevel, out translation);
        }

        if (result == WalkResult.Retry)
        {
            // Another CPU rewrites the entry faster than we can: a spurious fault makes the guest try again.
            PageFault(linear, access, mode, FaultPresent);
        }

        return result == WalkResult.Done;
    }

    /// <inheritdoc/>
    public bool TryPassFourGigabytes(ulong linear)
    {
        if ((State->Header.ModeKey & (X86ModeKey.Flat | X86ModeKey.Code64)) != X86ModeKey.Flat)
        {
            return true; // limits were checked by offset, and the sum with the base wraps
        }

        // The limit of a flat segment, which nothing else looks at. Through the stack segment it is #SS(0), as above.
        PendingFault = new X86Fault(X86Vector.GeneralProtection, 0, LinearAddress: linear);
        return false;
    }

    /// <summary>Reads the four PAE page-directory-pointer entries that <paramref name="cr3"/> points to; false means a reserved bit (#GP).</summary>
    internal bool TryReadPdptes(ulong cr3, Span<ulong> entries)
    {
        ulong reserved = ~(PhysicalMask | 0xfff) | 0x1e6;
        ulong table = cr3 & 0xffff_ffe0;
        for (int i = 0; i < 4; i++)
        {
            entries[i] = Environment.Memory.Read(table + ((ulong)i * 8), 8);
            if ((entries[i] & EntryPresent) != 0 && (entries[i] & reserved) != 0)
            {
                return false;
            }
        }

        return true;
    }

    private WalkResult Walk(ulong linear, MmuAccess access, MmuMode mode, bool fourLevel, out PageTranslation translation)
    {
        X86CpuState* s = State;
        bool wide = fourLevel || (s->Cr4 & ControlBits.Cr4Pae) != 0;
        int indexBits = wide ? 9 : 10;
        ulong tableMask = wide ? PhysicalMask : 0xffff_f000;
        ulong table = wide && !fourLevel ? s->Pdpte[(int)(linear >> 30)] : s->Cr3 | EntryPresent;
        translation = default;
        if ((table & EntryPresent) == 0)
        {
            return PageFault(linear, access, mode, 0);
        }

        WalkPath path = default;
        path.EntrySize = wide ? 8 : 4;
        path.Allowed = EntryUser | EntryWrite;
        for (int level = fourLevel ? 4 : 2; ; level--)
        {
            int shift = 12 + ((level - 1) * indexBits);
            ulong index = (linear >> shift) & ((1UL << indexBits) - 1);
            ulong address = (table & tableMask) + (index * (uint)path.EntrySize);
            table = ReadTableEntry(address, path.EntrySize);
            if ((table & EntryPresent) == 0)
            {
                return PageFault(linear, access, mode, 0);
            }

            bool large = level is 2 or 3 && (table & EntryPageSize) != 0 && (wide || (s->Cr4 & ControlBits.Cr4Pse) != 0);
            if ((table & ReservedBits(level, large, wide, fourLevel)) != 0)
            {
                return PageFault(linear, access, mode, FaultPresent | FaultReserved);
            }

            path.Add(address, table);
            if (level == 1 || large)
            {
                return FinishWalk(ref path, linear, access, mode, shift, large, out translation);
            }
        }
    }

    private ulong ReadTableEntry(ulong address, int size)
    {
        byte* host = Mmu.PhysicalPointer(address);
        return host == null ? Environment.Memory.Read(address, size)
            : size == 8 ? Volatile.Read(ref *(ulong*)host)
            : Volatile.Read(ref *(uint*)host);
    }

    /// <summary>Checks the rights gathered on the way, sets A and D, and forms the page address.</summary>
    private WalkResult FinishWalk(
        ref WalkPath path, ulong linear, MmuAccess access, MmuMode mode, int shift, bool large, out PageTranslation translation)
    {
        translation = default;
        if (!IsAllowed(path.Allowed, (path.Denied & EntryNoExecute) != 0, access, mode))
        {
            return PageFault(linear, access, mode, FaultPresent);
        }

        if (!TrySetAccessed(ref path, access == MmuAccess.Write))
        {
            return WalkResult.Retry;
        }

        ulong leaf = path.Entries[path.Depth - 1];
        ulong page = LeafAddress(leaf, shift, large, path.EntrySize == 8) | (linear & ((1UL << shift) - 1) & ~0xfffUL);
        translation = new PageTranslation(page, LeafFlags(leaf, path.Allowed, shift, mode));
        return WalkResult.Done;
    }

    private ulong ReservedBits(int level, bool large, bool wide, bool fourLevel)
    {
        if (!wide)
        {
            // A 4 MiB page holds address bits 39:32 in 20:13 (PSE-36); bit 21 is always reserved.
            return !large ? 0 : _hasPse36 ? 1UL << 21 : 0x3f_e000UL;
        }

        ulong high = ~(PhysicalMask | 0xfff);
        ulong reserved = fourLevel ? high & 0x000f_ffff_ffff_ffff : high & ~EntryNoExecute;
        if ((State->Efer & ControlBits.EferNxe) == 0)
        {
            reserved |= EntryNoExecute;
        }

        return reserved | level switch
        {
            4 => EntryPageSize,
            3 when !_hasGigabytePages => EntryPageSize,
            3 when large => 0x3fff_e000,
            2 when large => 0x1f_e000,
            _ => 0,
        };
    }

    private static ulong LeafAddress(ulong entry, int shift, bool large, bool wide) =>
        !large ? entry & (wide ? 0x000f_ffff_ffff_f000UL : 0xffff_f000UL)
        : wide ? entry & 0x000f_ffff_ffff_ffffUL & ~((1UL << shift) - 1)
        : (entry & 0xffc0_0000) | ((entry & 0x1f_e000) << 19);

    private TlbPageFlags LeafFlags(ulong leaf, ulong allowed, int shift, MmuMode mode)
    {
        // Write only once D is set, so that the first write walks again and sets it.
        bool write = (leaf & EntryDirty) != 0 && IsAllowed(allowed, false, MmuAccess.Write, mode);
        bool global = (leaf & EntryGlobal) != 0 && (State->Cr4 & ControlBits.Cr4Pge) != 0;
        return TlbPageFlags.Read | (write ? TlbPageFlags.Write : 0) | (global ? TlbPageFlags.Global : 0)
            | (shift switch { 12 => 0, 30 => TlbPageFlags.Huge, _ => TlbPageFlags.Large });
    }

    /// <summary>The access rights of SDM vol. 3, 4.6.1.</summary>
    private bool IsAllowed(ulong allowed, bool noExecute, MmuAccess access, MmuMode mode)
    {
        X86CpuState* s = State;
        bool userPage = (allowed & EntryUser) != 0;
        if (mode == MmuMode.User && !userPage)
        {
            return false;
        }

        if (access == MmuAccess.Execute)
        {
            return !noExecute && (mode == MmuMode.User || !userPage || (s->Cr4 & ControlBits.Cr4Smep) == 0);
        }

        if (mode == MmuMode.Supervisor && userPage && (s->Cr4 & ControlBits.Cr4Smap) != 0)
        {
            return false;
        }

        return access == MmuAccess.Read || (allowed & EntryWrite) != 0
            || (mode != MmuMode.User && (s->Cr0 & ControlBits.Cr0Wp) == 0);
    }

    private WalkResult PageFault(ulong linear, MmuAccess access, MmuMode mode, uint code)
    {
        X86CpuState* s = State;
        bool fetchReported = (s->Cr4 & ControlBits.Cr4Smep) != 0
            || ((s->Cr4 & ControlBits.Cr4Pae) != 0 && (s->Efer & ControlBits.EferNxe) != 0);
        code |= access switch
        {
            MmuAccess.Write => FaultWrite,
            MmuAccess.Execute when fetchReported => FaultFetch,
            _ => 0,
        };
        code |= mode == MmuMode.User ? FaultUser : 0;
        PendingFault = new X86Fault(X86Vector.PageFault, code, LinearAddress: linear);
        return WalkResult.Fault;
    }

    /// <summary>Sets the A bits on the way and D of the leaf. False when another CPU changed an entry meanwhile: walk again.</summary>
    private bool TrySetAccessed(ref WalkPath path, bool write)
    {
        for (int i = 0; i < path.Depth; i++)
        {
            ulong entry = path.Entries[i];
            ulong wanted = entry | EntryAccessed | (write && i == path.Depth - 1 ? EntryDirty : 0);
            if (wanted != entry && !TryReplaceEntry(path.Addresses[i], entry, wanted, path.EntrySize))
            {
                return false;
            }

            path.Entries[i] = wanted;
        }

        return true;
    }

    private bool TryReplaceEntry(ulong address, ulong before, ulong after, int entrySize)
    {
        if (!Environment.Memory.View.TryFind(address, out FlatRange? range) || !range.IsMemory || range.ReadOnly
            || range.Last - address < (uint)entrySize - 1)
        {
            Environment.Memory.Write(address, after, entrySize);
            return true;
        }

        GuestRam ram = range.Region.Ram!;
        ulong offset = range.RamOffset(address);
        RamPageFlags flags = ram.GetPageFlags(offset);
        if ((flags & RamPageFlags.Code) != 0)
        {
            Mmu.CodeObserver?.BeforeCodeWrite(ram, offset, entrySize);
        }

        if (ram.DirtyLogging)
        {
            ram.AddPageFlags(offset, RamPageFlags.Dirty);
        }

        // SAFETY: the entry lies inside the RAM block (checked above) and is naturally aligned, as tables are page-aligned.
        byte* host = (byte*)ram.HostBase + offset;
        return entrySize == 8
            ? Interlocked.CompareExchange(ref *(ulong*)host, after, before) == before
            : Interlocked.CompareExchange(ref *(uint*)host, (uint)after, (uint)before) == (uint)before;
    }
}
