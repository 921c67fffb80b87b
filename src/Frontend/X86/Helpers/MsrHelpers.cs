using System.Runtime.CompilerServices;
using Emu.Frontend.Ir;

namespace Emu.Frontend.X86.Helpers;

/// <summary>IR helpers for model-specific registers, time stamps, CPUID and the FS and GS bases.</summary>
public static unsafe class MsrHelpers
{
    /// <summary>RDMSR. ECX = index; result in EDX:EAX.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Rdmsr(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Rdmsr();
        return 0;
    }

    /// <summary>WRMSR. ECX = index, EDX:EAX = value.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Wrmsr(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Wrmsr();
        return 0;
    }

    /// <summary>RDTSC. Returns the counter.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Rdtsc(CpuHeader* header, ulong a, ulong b, ulong imm) => X86Cpu.From(header).Rdtsc();

    /// <summary>RDTSCP. Result in EDX:EAX, IA32_TSC_AUX in ECX.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Rdtscp(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Rdtscp();
        return 0;
    }

    /// <summary>RDPMC.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Rdpmc(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Rdpmc();
        return 0;
    }

    /// <summary>RDPID. Returns IA32_TSC_AUX.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Rdpid(CpuHeader* header, ulong a, ulong b, ulong imm) => X86Cpu.From(header).Rdpid();

    /// <summary>CPUID. EAX, ECX = leaf, subleaf; result in EAX, EBX, ECX, EDX.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong CpuidHelper(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Cpuid();
        return 0;
    }

    /// <summary>SWAPGS.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Swapgs(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Swapgs();
        return 0;
    }

    /// <summary>RDFSBASE, RDGSBASE. imm = segment number. Returns the base, for the lifter to cut to the operand size.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong ReadSegmentBase(CpuHeader* header, ulong a, ulong b, ulong imm) => X86Cpu.From(header).ReadSegmentBase((int)imm);

    /// <summary>WRFSBASE, WRGSBASE. a = base, zero-extended from the operand size; imm = segment number.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong WriteSegmentBase(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).WriteSegmentBase((int)imm, a);
        return 0;
    }
}
