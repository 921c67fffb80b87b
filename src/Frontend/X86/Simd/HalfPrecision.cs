using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Emu.Frontend.Ir;
using Emu.Frontend.X86.SoftFloat;

namespace Emu.Frontend.X86.Simd;

/// <summary>F16C: conversions between binary16 and binary32 (SDM vol. 1, 14.4).</summary>
internal static unsafe class HalfPrecision
{
    /// <summary>VCVTPH2PS of the four low words. Denormal numbers are exact and raise nothing, whatever MXCSR says.</summary>
    public static void Cvtph2ps(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        FloatContext context = Mxcsr.Context(cpu);
        context.DenormalsAreZero = false;
        Vector128<uint> result = default;
        for (int i = 0; i < 4; i++)
        {
            Encoded single = FloatConvert.ToFormat(Unpacked.FromHalf(Unsafe.ReadUnaligned<ushort>(b + (2 * i))), FloatFormat.Single, ref context);
            result = result.WithElement(i, single.ToSingle());
        }

        context.Flags &= ~FloatFlags.Denormal;
        Mxcsr.Commit(cpu, context);
        Xmm.Store(dst, result);
    }

    /// <summary>VCVTPS2PH to the four low words; the high half becomes zero. imm[1:0] is the rounding mode unless imm[2] takes it from MXCSR; FTZ is not looked at.</summary>
    public static void Cvtps2ph(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        FloatContext context = Mxcsr.Context(cpu);
        context.Rounding = (imm & 4) != 0 ? context.Rounding : (RoundingMode)(imm & 3);
        context.FlushToZero = false;
        ulong result = 0;
        for (int i = 0; i < 4; i++)
        {
            Unpacked single = Unpacked.FromSingle(Unsafe.ReadUnaligned<uint>(b + (4 * i)), context);
            result |= (ulong)FloatConvert.ToFormat(single, FloatFormat.Half, ref context).ToHalf() << (16 * i);
        }

        Mxcsr.Commit(cpu, context);
        Xmm.Store(dst, Vector128.CreateScalar(result));
    }
}
