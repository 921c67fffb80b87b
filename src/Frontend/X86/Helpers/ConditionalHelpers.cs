using System.Runtime.CompilerServices;
using Emu.Frontend.Ir;

namespace Emu.Frontend.X86.Helpers;

/// <summary>IR helpers that do little.</summary>
internal static unsafe class ConditionalHelpers
{
    /// <summary>INTO. a = OF.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong InterruptIf(CpuHeader* header, ulong a, ulong b, ulong imm) =>
        a != 0 ? TransferHelpers.SoftwareInterrupt(header, 4, 0, (ulong)SoftwareInterruptKind.Into) : 0;

    /// <summary>#AC(0) when linear address a is not a multiple of imm, a power of two. The access itself raises what is wrong with an address that is not canonical or beyond the limit.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong CheckAlignment(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu cpu = X86Cpu.From(header);
        bool passes = a <= uint.MaxValue && a + imm - 1 > uint.MaxValue;
        if ((a & (imm - 1)) != 0 && X86Cpu.IsCanonical(a) && (!passes || cpu.TryPassFourGigabytes(a)))
        {
            cpu.Raise(X86Vector.AlignmentCheck);
        }

        return 0;
    }

    /// <summary>MFENCE.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Fence(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        Interlocked.MemoryBarrier();
        return 0;
    }

    /// <summary>CLFLUSH: faults as a read of a byte would.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Probe(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        if (!X86Cpu.From(header).Mmu.TryProbe(a, 1, SoftMmu.MmuAccess.Read, X86Cpu.From(header).Mmu.Mode))
        {
            throw GuestFaultException.Instance;
        }

        return 0;
    }
}
