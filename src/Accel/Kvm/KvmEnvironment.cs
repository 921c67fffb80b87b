using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Memory;
using Emu.Core.Time;

namespace Emu.Accel.Kvm;

/// <summary>Which interrupt controllers are in the kernel (<c>kernel-irqchip=</c>).</summary>
public enum KernelIrqChipMode
{
    /// <summary>None: every access to them leaves the guest.</summary>
    Off,

    /// <summary>The local APICs; 8259, I/O APIC and 8254 are the board's.</summary>
    Split,

    /// <summary>All, and the 8254.</summary>
    On,
}

/// <summary>What the vCPUs of a machine share.</summary>
/// <param name="Memory">Guest-physical memory.</param>
/// <param name="Ports">Port space.</param>
/// <param name="Clock">Virtual time.</param>
/// <param name="Model">CPUID and feature policy.</param>
/// <param name="Lock">The machine lock.</param>
/// <param name="IrqChip">Where the interrupt controllers are.</param>
public sealed record KvmEnvironment(AddressSpace Memory, AddressSpace Ports, IClock Clock, CpuModel Model, MachineLock Lock, KernelIrqChipMode IrqChip);
