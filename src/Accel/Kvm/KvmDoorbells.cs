using Emu.Accel.Kvm.Native;
using Emu.Core.Memory;

namespace Emu.Accel.Kvm;

/// <summary>The doorbells of an address space as ioeventfds: the guest rings and goes on. What KVM refuses is rung by exits.</summary>
internal sealed class KvmDoorbells(KvmVm vm, KvmEventThread events, bool isPort)
{
    private readonly Dictionary<PlacedDoorbell, EventFd> _bound = [];

    /// <summary>Follows a change of the map.</summary>
    public void Update(FlatView view)
    {
        if (vm.System.Has(KvmCapability.IoEventFd) == 0)
        {
            return;
        }

        var wanted = view.Doorbells.ToHashSet();
        foreach ((PlacedDoorbell placed, EventFd e) in _bound.Where(entry => !wanted.Contains(entry.Key)).ToArray())
        {
            _ = vm.SetIoEventFd(Request(placed, e, KvmIoEventFd.Deassign));
            events.Remove(e);
            e.Dispose();
            _bound.Remove(placed);
        }

        foreach (PlacedDoorbell placed in wanted.Where(placed => !_bound.ContainsKey(placed)))
        {
            Bind(placed);
        }
    }

    /// <summary>Takes all off.</summary>
    public void Clear() => Update(FlatView.Empty);

    private void Bind(PlacedDoorbell placed)
    {
        bool anySize = placed.Doorbell.Size == 0;
        if (anySize && vm.System.Has(KvmCapability.IoEventFdAnyLength) == 0)
        {
            return;
        }

        var e = new EventFd();
        if (vm.SetIoEventFd(Request(placed, e, 0)) != 0)
        {
            e.Dispose();
            return;
        }

        _bound.Add(placed, e);
        events.Add(e, placed.Doorbell.Rung);
    }

    private KvmIoEventFd Request(PlacedDoorbell placed, EventFd e, uint flags) => new()
    {
        Address = placed.Address,
        Length = (uint)placed.Doorbell.Size,
        Match = placed.Doorbell.Match ?? 0,
        Fd = e.Fd,
        Flags = flags | (isPort ? KvmIoEventFd.Port : 0) | (placed.Doorbell.Match is null ? 0 : KvmIoEventFd.DataMatch),
    };
}
