namespace Emu.Core.Cpu;

/// <summary>CPUID and MSR policy, given to both accelerators alike.</summary>
public sealed class CpuModel
{
}
