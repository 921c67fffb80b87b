using System.Runtime.CompilerServices;
using Emu.Frontend.Ir;

namespace Emu.Frontend.X86.Helpers;

/// <summary>IR helpers that save and restore x87, SSE and AVX state. a = linear address; imm = 1 for the REX.W form.</summary>
internal static unsafe class StateHelpers
{
    /// <summary>FXSAVE.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Fxsave(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Fxsave(a, imm != 0);
        return 0;
    }

    /// <summary>FXRSTOR.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Fxrstor(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Fxrstor(a, imm != 0);
        return 0;
    }

    /// <summary>XSAVE; the components asked for are in EDX:EAX.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Xsave(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Xsave(a, Requested(header), imm != 0, optimised: false);
        return 0;
    }

    /// <summary>XSAVEOPT.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Xsaveopt(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Xsave(a, Requested(header), imm != 0, optimised: true);
        return 0;
    }

    /// <summary>XSAVEC.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Xsavec(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Xsavec(a, Requested(header), imm != 0);
        return 0;
    }

    /// <summary>XRSTOR; the components asked for are in EDX:EAX.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Xrstor(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Xrstor(a, Requested(header), imm != 0);
        return 0;
    }

    /// <summary>Sets MXCSR to a (LDMXCSR).</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong WriteMxcsr(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Ldmxcsr((uint)a);
        return 0;
    }

    /// <summary>MXCSR (STMXCSR).</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong ReadMxcsr(CpuHeader* header, ulong a, ulong b, ulong imm) => ((X86CpuState*)header)->Mxcsr;

    /// <summary>The alignment check of a vector operand: #GP when a is not a multiple of imm bytes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong CheckAligned(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        if ((a & (imm - 1)) != 0)
        {
            X86Cpu.From(header).RaiseGeneralProtection();
        }

        return 0;
    }

    /// <summary>MASKMOVQ (imm 8) and MASKMOVDQU (imm 16). a = linear address of DS:rDI; b = slots of data and mask, 16 bits each.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong MaskedStore(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        byte* state = (byte*)header;
        Simd.MaskedStore.Store(header, a, state + (ushort)b, state + (ushort)(b >> 16), (int)imm);
        return 0;
    }

    private static ulong Requested(CpuHeader* header)
    {
        ulong* gpr = ((X86CpuState*)header)->Gpr;
        return (gpr[X86Gpr.Rdx] << 32) | (uint)gpr[X86Gpr.Rax];
    }
}
