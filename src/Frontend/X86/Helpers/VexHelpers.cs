using System.Runtime.CompilerServices;
using Emu.Frontend.Ir;
using Emu.Frontend.X86.Simd;
using Emu.Frontend.X86.SoftFloat;

namespace Emu.Frontend.X86.Helpers;

/// <summary>IR helpers of AVX that concern whole registers.</summary>
internal static unsafe class VexHelpers
{
    /// <summary>From here to <see cref="EndGather"/> exceptions of vector operations are collected: an instruction is computed in halves.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong BeginGather(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        Mxcsr.BeginGather(header);
        return 0;
    }

    /// <summary>Leaves the exceptions in MXCSR; #XM when one is unmasked.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong EndGather(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        Mxcsr.EndGather(header);
        return 0;
    }

    /// <summary>VZEROUPPER, or with imm bit 0 VZEROALL, of the registers whose number imm bits 15:8 give.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong ZeroVectors(CpuHeader* header, byte* a, byte* b, int imm)
    {
        byte* register = ((X86CpuState*)header)->Vector;
        for (int i = 0; i < imm >> 8; i++, register += X86CpuState.VectorStride)
        {
            Xmm.Store<byte>(register + X86Slots.HighHalf, default);
            if ((imm & 1) != 0)
            {
                Xmm.Store<byte>(register, default);
            }
        }

        return 0;
    }
}
