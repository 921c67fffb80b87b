using Emu.Accel.Kvm.Native;
using Emu.Core.Cpu;

namespace Emu.Accel.Kvm;

/// <summary>What the parts of one KVM machine know of each other.</summary>
internal sealed class KvmContext
{
    public KvmContext(KvmVm vm, KvmEnvironment environment)
    {
        Vm = vm;
        Environment = environment;
        SupportedCpuid = vm.System.GetSupportedCpuid();
        HasXcrs = vm.System.Has(KvmCapability.Xcrs) != 0;
        HasTscDeadline = environment.IrqChip != KernelIrqChipMode.Off && environment.Model.Has(CpuFeature.TscDeadline);
        Coalesced = new KvmCoalescedWrites(vm, environment.Memory, environment.Ports, environment.Lock);
    }

    public KvmVm Vm { get; }

    public KvmEnvironment Environment { get; }

    public KvmRunGate Gate { get; } = new();

    public KvmCoalescedWrites Coalesced { get; }

    /// <summary>The controllers in the kernel, or null.</summary>
    public KvmIrqChip? IrqChip { get; set; }

    public IReadOnlyList<KvmCpuidEntry> SupportedCpuid { get; }

    public bool HasXcrs { get; }

    public bool HasTscDeadline { get; }
}
