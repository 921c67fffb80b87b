using Emu.Accel.Kvm.Native;

namespace Emu.Accel.Kvm;

/// <summary>One capability of the host's KVM.</summary>
/// <param name="Name">Name as in linux/kvm.h, without KVM_CAP_.</param>
/// <param name="Value">Answer of KVM_CHECK_EXTENSION; 0 is no.</param>
/// <param name="Use">What the emulator does with it.</param>
public sealed record KvmCapabilityFact(string Name, int Value, string Use);

/// <summary>What the host's KVM offers, for people who look into why it is or is not used.</summary>
/// <param name="ApiVersion">KVM_GET_API_VERSION; 12 on every Linux since 2.6.22.</param>
/// <param name="Capabilities">The capabilities that matter here.</param>
/// <param name="Probe">How it behaves.</param>
public sealed record KvmHostFacts(int ApiVersion, IReadOnlyList<KvmCapabilityFact> Capabilities, KvmProbe Probe)
{
    private static readonly (KvmCapability Capability, string Name, string Use)[] Rows =
    [
        (KvmCapability.UserMemory, "USER_MEMORY", "guest RAM; needed"),
        (KvmCapability.ReadOnlyMemory, "READONLY_MEM", "firmware; needed"),
        (KvmCapability.ImmediateExit, "IMMEDIATE_EXIT", "stopping a vCPU; needed"),
        (KvmCapability.SyncRegs, "SYNC_REGS", "registers; needed"),
        (KvmCapability.VcpuEvents, "VCPU_EVENTS", "state; needed"),
        (KvmCapability.DebugRegs, "DEBUGREGS", "state; needed"),
        (KvmCapability.Xsave, "XSAVE", "state; needed"),
        (KvmCapability.Xcrs, "XCRS", "state of guests with XSAVE"),
        (KvmCapability.MaxMemorySlots, "NR_MEMSLOTS", "number of memory slots"),
        (KvmCapability.MaxVcpus, "MAX_VCPUS", "most vCPUs of a machine"),
        (KvmCapability.SplitIrqchip, "SPLIT_IRQCHIP", "kernel-irqchip=split, the default"),
        (KvmCapability.Irqchip, "IRQCHIP", "kernel-irqchip=on"),
        (KvmCapability.Pit2, "PIT2", "kernel-irqchip=on"),
        (KvmCapability.IrqRouting, "IRQ_ROUTING", "kernel-irqchip=on and split"),
        (KvmCapability.SignalMsi, "SIGNAL_MSI", "kernel-irqchip=on and split"),
        (KvmCapability.IrqFd, "IRQFD", "interrupts without a lock"),
        (KvmCapability.IrqFdResample, "IRQFD_RESAMPLE", "level-triggered interrupts without a lock"),
        (KvmCapability.IoEventFd, "IOEVENTFD", "doorbells without exits"),
        (KvmCapability.IoEventFdAnyLength, "IOEVENTFD_ANY_LENGTH", "doorbells of any size"),
        (KvmCapability.CoalescedMmio, "COALESCED_MMIO", "fewer exits for writes"),
        (KvmCapability.AdjustClock, "ADJUST_CLOCK", "kvm-clock across a pause"),
        (KvmCapability.TscControl, "TSC_CONTROL", "TSC at another frequency than the host's"),
        (KvmCapability.TscDeadlineTimer, "TSC_DEADLINE_TIMER", "timer of local APICs in the kernel"),
        (KvmCapability.SetGuestDebug, "SET_GUEST_DEBUG", "single steps"),
    ];

    /// <summary>Asks <c>/dev/kvm</c>.</summary>
    /// <exception cref="KvmException">It cannot be opened or is no usable KVM.</exception>
    public static KvmHostFacts Read()
    {
        using KvmSystem system = KvmSystem.Open(HostKernel.Instance);
        return new KvmHostFacts(
            system.GetApiVersion(), [.. Rows.Select(row => new KvmCapabilityFact(row.Name, system.Has(row.Capability), row.Use))], KvmProbe.Host);
    }
}
