using System.Runtime.Intrinsics;
using Emu.Frontend.Ir;
using Emu.Frontend.X86.SoftFloat;

namespace Emu.Frontend.X86.Simd;

/// <summary>ROUNDxx, and RCPxx and RSQRTxx (SDM vol. 2).</summary>
/// <remarks>
/// The manual bounds the relative error of RCP and RSQRT by 1.5 × 2^-12 and leaves the bits to the processor; here they are
/// the correctly rounded singles. Denormal operands count as zeros and tiny results are zeros whatever MXCSR says; no
/// exception is raised.
/// </remarks>
/// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
/// <typeparam name="TCount">Packed or scalar.</typeparam>
internal static unsafe class FloatApproximations<T, TCount>
    where T : unmanaged
    where TCount : struct, ILaneCount
{
    /// <summary>ROUNDPS, ROUNDPD, ROUNDSS, ROUNDSD: imm[1:0] is the mode unless imm[2] takes it from MXCSR; imm[3] suppresses precision.</summary>
    public static void Round(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        FloatContext context = Mxcsr.Context(cpu);
        RoundingMode mode = (imm & 4) != 0 ? context.Rounding : (RoundingMode)(imm & 3);
        Vector128<T> source = FloatLanes<T, TCount>.Load(b);
        Vector128<T> result = source;
        for (int i = 0; i < FloatLanes<T, TCount>.Count; i++)
        {
            Unpacked x = FloatLanes<T, TCount>.Unpack(source, i, context);
            result = FloatLanes<T, TCount>.With(result, i, FloatConvert.RoundToIntegral(x, FloatLanes<T, TCount>.Format, mode, (imm & 8) == 0, ref context));
        }

        Mxcsr.Commit(cpu, context);
        FloatLanes<T, TCount>.Store(dst, a, result);
    }

    /// <summary>RCPPS, RCPSS.</summary>
    public static void Reciprocal(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Approximate(dst, a, b, static x => 1 / x);

    /// <summary>RSQRTPS, RSQRTSS.</summary>
    public static void ReciprocalSquareRoot(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Approximate(dst, a, b, static x => x == 0 ? 1 / x : 1 / Math.Sqrt(x));

    private static void Approximate(byte* dst, byte* a, byte* b, Func<double, double> function)
    {
        Vector128<uint> source = FloatLanes<T, TCount>.Load(b).AsUInt32();
        Vector128<uint> result = source;
        for (int i = 0; i < FloatLanes<T, TCount>.Count; i++)
        {
            result = result.WithElement(i, Approximate(source[i], function));
        }

        FloatLanes<T, TCount>.Store(dst, a, result.As<uint, T>());
    }

    private static uint Approximate(uint bits, Func<double, double> function)
    {
        float x = BitConverter.UInt32BitsToSingle(bits);
        if (float.IsNaN(x))
        {
            return bits | 0x400000;
        }

        double value = function(float.IsSubnormal(x) ? BitConverter.UInt32BitsToSingle(bits & 0x80000000) : x);
        float result = (float)value;
        return double.IsNaN(value) ? 0xffc00000
            : float.IsSubnormal(result) ? BitConverter.SingleToUInt32Bits(result) & 0x80000000
            : BitConverter.SingleToUInt32Bits(result);
    }
}
