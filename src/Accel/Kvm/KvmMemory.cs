using Emu.Accel.Kvm.Native;
using Emu.Core;
using Emu.Core.Memory;

namespace Emu.Accel.Kvm;

/// <summary>
/// Memory slots that follow the flat view: whole pages of RAM, and of ROM read-only. What is not in a slot (registers,
/// holes, parts of pages, writes to ROM) comes back as an MMIO exit and goes through the address space.
/// </summary>
internal sealed class KvmMemory
{
    private const ulong PageMask = GuestPhysical.PageSize - 1;

    private readonly KvmVm _vm;
    private readonly int _slotLimit;
    private readonly SortedSet<uint> _free = [];
    private readonly Dictionary<FlatRange, KvmMemoryRegion> _slots = [];
    private uint _next;
    private bool _dirtyLogging;

    public KvmMemory(KvmVm vm)
    {
        _vm = vm;
        int limit = vm.System.Has(KvmCapability.MaxMemorySlots);
        _slotLimit = limit > 0 ? limit : 32; // what KVM promised before it said
    }

    /// <summary>Number of slots in use.</summary>
    public int Count => _slots.Count;

    /// <summary>True when <paramref name="range"/> has pages that a slot can show.</summary>
    public static bool HasSlot(FlatRange range) => TryPlace(range, out _);

    /// <summary>Takes stretches out of the guest's memory. No vCPU may be in the guest.</summary>
    public void Remove(IEnumerable<FlatRange> ranges)
    {
        foreach (FlatRange range in ranges)
        {
            if (_slots.Remove(range, out KvmMemoryRegion slot))
            {
                // What the guest wrote must not be forgotten with the slot.
                Collect(range, slot);
                Demand(_vm.SetMemory(slot with { Size = 0, Flags = 0 }), slot, range, "remove");
                _free.Add(slot.Slot);
            }
        }
    }

    /// <summary>Puts stretches into the guest's memory.</summary>
    public void Add(IEnumerable<FlatRange> ranges)
    {
        foreach (FlatRange range in ranges)
        {
            if (TryPlace(range, out KvmMemoryRegion region))
            {
                region.Slot = TakeNumber(range);
                region.Flags = FlagsOf(range);
                Demand(_vm.SetMemory(region), region, range, "add");
                _slots.Add(range, region);
            }
        }
    }

    /// <summary>Turns the dirty log of all RAM on or off.</summary>
    public void SetDirtyLogging(bool enabled)
    {
        _dirtyLogging = enabled;
        foreach ((FlatRange range, KvmMemoryRegion slot) in _slots.ToArray())
        {
            KvmMemoryRegion region = slot with { Flags = FlagsOf(range) };
            Demand(_vm.SetMemory(region), region, range, "change");
            _slots[range] = region;
        }
    }

    /// <summary>Moves what the guest has written since the last call into the dirty flags of its <see cref="GuestRam"/>.</summary>
    public void CollectDirtyPages()
    {
        foreach ((FlatRange range, KvmMemoryRegion slot) in _slots)
        {
            Collect(range, slot);
        }
    }

    // Pages that lie wholly in the range, if its memory is aligned as its addresses are.
    private static bool TryPlace(FlatRange range, out KvmMemoryRegion region)
    {
        region = default;
        ulong first = (range.Start + PageMask) & ~PageMask;
        ulong end = (range.Start + range.Size) & ~PageMask;
        if (!range.IsMemory || first >= end || ((range.RamOffset(range.Start) - range.Start) & PageMask) != 0)
        {
            return false;
        }

        region.GuestAddress = first;
        region.Size = end - first;
        region.HostAddress = (ulong)range.Region.Ram!.HostBase + range.RamOffset(first);
        return true;
    }

    private uint TakeNumber(FlatRange range)
    {
        if (_free.Count > 0)
        {
            uint number = _free.Min;
            _free.Remove(number);
            return number;
        }

        return _next < _slotLimit
            ? _next++
            : throw new KvmException($"all {_slotLimit} memory slots of KVM are in use: none is left for {range.Region.Name} at 0x{range.Start:x}");
    }

    private uint FlagsOf(FlatRange range) =>
        range.ReadOnly ? KvmMemoryRegion.ReadOnly : _dirtyLogging ? KvmMemoryRegion.LogDirtyPages : 0;

    private void Collect(FlatRange range, in KvmMemoryRegion slot)
    {
        if ((slot.Flags & KvmMemoryRegion.LogDirtyPages) == 0)
        {
            return;
        }

        ulong[] bitmap = new ulong[((slot.Size >> GuestPhysical.PageShift) + 63) / 64];
        _vm.GetDirtyLog(slot.Slot, bitmap);
        GuestRam ram = range.Region.Ram!;
        ulong offset = range.RamOffset(slot.GuestAddress);
        for (int word = 0; word < bitmap.Length; word++)
        {
            for (ulong bits = bitmap[word]; bits != 0; bits &= bits - 1)
            {
                ulong page = ((ulong)word * 64) + ulong.TrailingZeroCount(bits);
                ram.AddPageFlags(offset + (page << GuestPhysical.PageShift), RamPageFlags.Dirty);
            }
        }
    }

    private static void Demand(int errno, in KvmMemoryRegion region, FlatRange range, string action)
    {
        if (errno == 0)
        {
            return;
        }

        string what = $"KVM cannot {action} memory slot {region.Slot} ({range.Region.Name}, 0x{region.Size:x} bytes at 0x{region.GuestAddress:x})";
        throw errno switch
        {
            Errno.NoMemory => new KvmException($"{what}: the host is out of memory; use a smaller -m"),
            Errno.Exists => new KvmException($"{what}: another slot is there"),
            _ => KvmException.Failed(what, errno),
        };
    }
}
