using Emu.Accel.Kvm.Native;
using Emu.Core;

namespace Emu.Accel.Kvm;

/// <summary>An interrupt by irqfd: a write to an eventfd that the kernel turns into an edge, a message, or a level that stays until the guest ends it.</summary>
internal sealed class KvmIrqNotifier : IrqNotifier
{
    private readonly KvmVm _vm;
    private readonly KvmEventThread _events;
    private readonly EventFd _trigger = new();
    private readonly EventFd? _resample;
    private readonly Action? _removed;
    private KvmIrqFd _request;
    private bool _disposed;

    private KvmIrqNotifier(KvmVm vm, uint gsi, KvmEventThread events, bool resamples, Action? removed)
    {
        _vm = vm;
        _events = events;
        _removed = removed;
        _resample = resamples ? new EventFd() : null;
        _request = new KvmIrqFd
        {
            Fd = _trigger.Fd,
            Gsi = gsi,
            Flags = resamples ? KvmIrqFd.Resample : 0,
            ResampleFd = _resample?.Fd ?? 0,
        };
    }

    /// <summary>Connects the notifier to <paramref name="gsi"/>; null when KVM refuses.</summary>
    public static KvmIrqNotifier? TryCreate(KvmVm vm, uint gsi, KvmEventThread events, Action? resample, Action? removed)
    {
        var notifier = new KvmIrqNotifier(vm, gsi, events, resample is not null, removed);
        if (vm.SetIrqFd(notifier._request) != 0)
        {
            notifier.Close();
            return null;
        }

        if (resample is not null)
        {
            events.Add(notifier._resample!, resample);
        }

        return notifier;
    }

    /// <inheritdoc/>
    public override void Raise() => _trigger.Signal();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _request.Flags = KvmIrqFd.Deassign;
        _ = _vm.SetIrqFd(_request);
        if (_resample is not null)
        {
            _events.Remove(_resample);
        }

        Close();
        _removed?.Invoke();
        base.Dispose(disposing);
    }

    private void Close()
    {
        _trigger.Dispose();
        _resample?.Dispose();
    }
}
