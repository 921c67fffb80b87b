using Emu.Accel.Kvm.Native;
using Emu.Core;
using Emu.Core.Memory;

namespace Emu.Accel.Kvm;

/// <summary>
/// Writes that KVM collects in a ring instead of leaving the guest (KVM API, 4.116), for regions that allow it. The ring is
/// drained before a vCPU does any other access, so that devices see everything in order.
/// </summary>
internal sealed class KvmCoalescedWrites(KvmVm vm, AddressSpace memory, AddressSpace ports, MachineLock machineLock)
{
    private readonly HashSet<(ulong Address, uint Size, bool IsPort)> _zones = [];
    private KvmCoalescedRing? _ring;

    /// <summary>True when the ring holds something.</summary>
    public bool HasEntries => _ring is KvmCoalescedRing ring && ring.HasEntries;

    /// <summary>The ring, mapped behind the shared memory of a vCPU; all vCPUs see the same one.</summary>
    public void Attach(KvmCoalescedRing ring) => _ring = ring;

    /// <summary>Follows a change of the map. Where KVM refuses a zone, writes leave the guest one by one.</summary>
    public void Update(bool isPort, IReadOnlyList<FlatRange> removed, IReadOnlyList<FlatRange> added)
    {
        if (vm.System.Has(KvmCapability.CoalescedMmio) == 0)
        {
            return;
        }

        foreach (FlatRange range in removed)
        {
            if (_zones.Remove((range.Start, (uint)range.Size, isPort)))
            {
                _ = vm.SetCoalescing(range.Start, (uint)range.Size, isPort, on: false);
            }
        }

        foreach (FlatRange range in added)
        {
            if (range.Region.CoalescesWrites && range.Size <= uint.MaxValue && vm.SetCoalescing(range.Start, (uint)range.Size, isPort, on: true) == 0)
            {
                _zones.Add((range.Start, (uint)range.Size, isPort));
            }
        }
    }

    /// <summary>Hands all collected writes to their devices.</summary>
    public void Drain()
    {
        using (machineLock.Enter())
        {
            while (_ring is KvmCoalescedRing ring && ring.TryTake(out ulong address, out ulong value, out int length, out bool isPort))
            {
                (isPort ? ports : memory).WriteAnySize(address, value, length);
            }
        }
    }
}
