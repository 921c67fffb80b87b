using Emu.Accel.Kvm.Native;
using Emu.Core;

namespace Emu.Accel.Kvm;

/// <summary>The interrupt controllers in the kernel: only local APICs (split), or all of them and the 8254.</summary>
internal sealed class KvmIrqChip : IKernelIrqChip, IIrqSink, IInterruptSource
{
    private const int InputCount = 24;
    private const int PicCount = 16;
    private const int TimerIrq = 0;
    private const int CascadeIrq = 2;
    private const int TimerInput = 2;
    private const uint MasterChip = 0;
    private const uint SlaveChip = 1;
    private const uint IoApicChip = 2;

    private readonly KvmVm _vm;
    private readonly List<KvmVcpu> _vcpus = [];
    private readonly MsiMessage?[] _inputRoutes = new MsiMessage?[InputCount];
    private readonly SortedDictionary<int, MsiMessage> _messageRoutes = [];
    private readonly KvmEventThread _events;
    private readonly MachineLock _lock;
    private KvmIrqchip[] _resetChips = [];
    private KvmPitState _resetPit;
    private volatile bool _picAsserted;

    private KvmIrqChip(KvmVm vm, bool hasIoChips, KvmEventThread events, MachineLock machineLock)
    {
        _vm = vm;
        _events = events;
        _lock = machineLock;
        HasIoChips = hasIoChips;
    }

    /// <inheritdoc/>
    public event Action<byte>? EndOfInterrupt;

    /// <inheritdoc/>
    public bool HasIoChips { get; }

    /// <inheritdoc/>
    public IIrqSink Inputs => this;

    /// <inheritdoc/>
    public IrqLine PicOutput => new(new PicInput(this), 0);

    /// <inheritdoc/>
    public Func<int>? AcknowledgePic { get; set; }

    /// <inheritdoc/>
    public bool HasPendingInterrupt => _picAsserted;

    /// <summary>Creates the chips; before any vCPU.</summary>
    /// <exception cref="KvmException">The host's KVM has none.</exception>
    public static KvmIrqChip Create(KvmVm vm, bool hasIoChips, KvmEventThread events, MachineLock machineLock)
    {
        KvmCapability capability = hasIoChips ? KvmCapability.Pit2 : KvmCapability.SplitIrqchip;
        if (vm.System.Has(capability) == 0)
        {
            throw new KvmException($"the host's KVM lacks kernel-irqchip={(hasIoChips ? "on" : "split")}; use -machine kernel-irqchip=off");
        }

        var chip = new KvmIrqChip(vm, hasIoChips, events, machineLock);
        if (hasIoChips)
        {
            vm.CreateIrqchip();
            chip._resetChips = [vm.GetIrqchip(MasterChip), vm.GetIrqchip(SlaveChip), vm.GetIrqchip(IoApicChip)];
            chip._resetPit = vm.GetPit();
        }
        else
        {
            vm.SplitIrqchip(InputCount);
        }

        chip.UpdateRoutes();
        return chip;
    }

    public void Add(KvmVcpu vcpu) => _vcpus.Add(vcpu);

    /// <inheritdoc/>
    public void SetIrq(int number, bool level) => _vm.SetIrqLine(number, level);

    /// <inheritdoc/>
    public void Send(MsiMessage message) => _ = Deliver(message);

    /// <inheritdoc/>
    public bool Deliver(MsiMessage message) => _vm.SignalMsi(message);

    /// <inheritdoc/>
    public int AcknowledgeInterrupt()
    {
        using (_lock.Enter())
        {
            return _picAsserted ? AcknowledgePic?.Invoke() ?? -1 : -1;
        }
    }

    /// <inheritdoc/>
    public void SetRoute(int input, MsiMessage? message)
    {
        if (!HasIoChips && _inputRoutes[input] != message)
        {
            _inputRoutes[input] = message;
            UpdateRoutes();
        }
    }

    /// <inheritdoc/>
    public void SetHpetLegacyReplacement(bool enabled)
    {
        KvmPitState state = _vm.GetPit();
        state.Flags = enabled ? state.Flags | KvmPitState.HpetLegacy : state.Flags & ~KvmPitState.HpetLegacy;
        _vm.SetPit(state);
    }

    /// <inheritdoc/>
    public void PulseNmi() => _vcpus.ForEach(vcpu => vcpu.RaiseNmi());

    /// <inheritdoc/>
    public void Reset()
    {
        foreach (KvmIrqchip chip in _resetChips)
        {
            _vm.SetIrqchip(chip);
        }

        if (HasIoChips)
        {
            _vm.SetPit(_resetPit);
        }

        _vcpus.ForEach(vcpu => vcpu.ResetKernelApic());
    }

    /// <inheritdoc/>
    public IrqNotifier? CreateNotifier(int gsi, Action? resample)
    {
        // With the I/O APIC in user space the line is its input, and KVM has no pin to drive.
        bool possible = HasIoChips && gsi is >= 0 and < InputCount && _vm.System.Has(KvmCapability.IrqFd) != 0
            && (resample is null || _vm.System.Has(KvmCapability.IrqFdResample) != 0);
        return possible ? KvmIrqNotifier.TryCreate(_vm, (uint)gsi, _events, resample, removed: null) : null;
    }

    /// <inheritdoc/>
    public IrqNotifier? CreateNotifier(MsiMessage message)
    {
        if (_vm.System.Has(KvmCapability.IrqFd) == 0)
        {
            return null;
        }

        int gsi = Enumerable.Range(InputCount, int.MaxValue - InputCount).First(number => !_messageRoutes.ContainsKey(number));
        _messageRoutes[gsi] = message;
        UpdateRoutes();
        IrqNotifier? notifier = KvmIrqNotifier.TryCreate(_vm, (uint)gsi, _events, resample: null, () => RemoveRoute(gsi));
        if (notifier is null)
        {
            RemoveRoute(gsi);
        }

        return notifier;
    }

    internal void RaiseEndOfInterrupt(byte vector) => EndOfInterrupt?.Invoke(vector);

    private void RemoveRoute(int gsi)
    {
        using (_lock.Enter())
        {
            _messageRoutes.Remove(gsi);
            UpdateRoutes();
        }
    }

    // ISA IRQ 0 arrives at input 2 of the I/O APIC, as the MADT says; IRQ 2 is the cascade of the 8259s.
    private void UpdateRoutes()
    {
        var routes = new List<KvmRoutingEntry>();
        for (int gsi = 0; gsi < InputCount; gsi++)
        {
            if (!HasIoChips)
            {
                routes.AddRange(_inputRoutes[gsi] is MsiMessage message ? [MessageRoute(gsi, message)] : []);
                continue;
            }

            if (gsi < PicCount && gsi != CascadeIrq)
            {
                routes.Add(ChipRoute(gsi, gsi < 8 ? MasterChip : SlaveChip, gsi & 7));
            }

            if (gsi != CascadeIrq)
            {
                routes.Add(ChipRoute(gsi, IoApicChip, gsi == TimerIrq ? TimerInput : gsi));
            }
        }

        routes.AddRange(_messageRoutes.Select(route => MessageRoute(route.Key, route.Value)));
        _vm.SetRouting([.. routes]);
    }

    private static KvmRoutingEntry ChipRoute(int gsi, uint chip, int pin) =>
        new() { Gsi = (uint)gsi, Type = KvmRoutingEntry.ToIrqchip, Chip = chip, Pin = (uint)pin };

    private static KvmRoutingEntry MessageRoute(int gsi, MsiMessage message) =>
        new() { Gsi = (uint)gsi, Type = KvmRoutingEntry.ToMsi, AddressLow = (uint)message.Address, AddressHigh = (uint)(message.Address >> 32), Data = message.Data };

    // LINT0 of the boot processor.
    private sealed class PicInput(KvmIrqChip chip) : IIrqSink
    {
        public void SetIrq(int number, bool level)
        {
            bool rose = level && !chip._picAsserted;
            chip._picAsserted = level;
            if (rose && chip._vcpus.Count > 0)
            {
                chip._vcpus[0].NotifyInterrupt();
            }
        }
    }
}
