using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Emu.Frontend.Ir;
using Emu.Frontend.X86.SoftFloat;

namespace Emu.Frontend.X86.Simd;

/// <summary>
/// SSE conversions (SDM vol. 2, CVT…), ROUNDxx and the approximations. A source may be a register slot or memory; only the
/// lanes an instruction uses are read. Conversions to integers raise no denormal exception (SDM vol. 1, E.4.2.2).
/// </summary>
internal static unsafe class FloatConversions
{
    /// <summary>CVTDQ2PS.</summary>
    public static void Cvtdq2ps(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => IntegersToSingles(cpu, dst, b, 4);

    /// <summary>CVTPI2PS: the high half of the destination stays.</summary>
    public static void Cvtpi2ps(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        ulong high = Unsafe.ReadUnaligned<ulong>(a + 8);
        UInt128 low = 0;
        IntegersToSingles(cpu, (byte*)&low, b, 2);
        Unsafe.WriteUnaligned(dst, (ulong)low);
        Unsafe.WriteUnaligned(dst + 8, high);
    }

    /// <summary>CVTDQ2PD, CVTPI2PD: exact.</summary>
    public static void Cvtdq2pd(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) =>
        Xmm.Store(dst, Vector128.Create((double)Unsafe.ReadUnaligned<int>(b), Unsafe.ReadUnaligned<int>(b + 4)));

    /// <summary>CVTSI2SS from 32 bits.</summary>
    public static void Cvtsi2ss(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => IntegerToScalar<float>(cpu, dst, a, Unsafe.ReadUnaligned<int>(b));

    /// <summary>CVTSI2SS from 64 bits.</summary>
    public static void Cvtsi2ssQword(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => IntegerToScalar<float>(cpu, dst, a, Unsafe.ReadUnaligned<long>(b));

    /// <summary>CVTSI2SD from 32 bits.</summary>
    public static void Cvtsi2sd(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => IntegerToScalar<double>(cpu, dst, a, Unsafe.ReadUnaligned<int>(b));

    /// <summary>CVTSI2SD from 64 bits.</summary>
    public static void Cvtsi2sdQword(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => IntegerToScalar<double>(cpu, dst, a, Unsafe.ReadUnaligned<long>(b));

    /// <summary>CVTPS2PD.</summary>
    public static void Cvtps2pd(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => SinglesToDoubles<Packed>(cpu, dst, a, b);

    /// <summary>CVTSS2SD.</summary>
    public static void Cvtss2sd(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => SinglesToDoubles<Scalar>(cpu, dst, a, b);

    /// <summary>CVTPD2PS: the high half becomes zero.</summary>
    public static void Cvtpd2ps(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        FloatContext context = Mxcsr.Context(cpu);
        uint low = DoubleToSingle(Unsafe.ReadUnaligned<ulong>(b), ref context);
        uint high = DoubleToSingle(Unsafe.ReadUnaligned<ulong>(b + 8), ref context);
        Mxcsr.Commit(cpu, context);
        Xmm.Store(dst, Vector128.Create(low, high, 0, 0));
    }

    /// <summary>CVTSD2SS.</summary>
    public static void Cvtsd2ss(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        FloatContext context = Mxcsr.Context(cpu);
        uint result = DoubleToSingle(Unsafe.ReadUnaligned<ulong>(b), ref context);
        Mxcsr.Commit(cpu, context);
        FloatLanes<float, Scalar>.Store(dst, a, Vector128.Create(result).AsSingle());
    }

    /// <summary>CVTPS2DQ.</summary>
    public static void Cvtps2dq(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => ToIntegers<float>(cpu, dst, b, 4, truncate: false);

    /// <summary>CVTTPS2DQ.</summary>
    public static void Cvttps2dq(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => ToIntegers<float>(cpu, dst, b, 4, truncate: true);

    /// <summary>CVTPD2DQ: the high half becomes zero.</summary>
    public static void Cvtpd2dq(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => ToIntegers<double>(cpu, dst, b, 4, truncate: false);

    /// <summary>CVTTPD2DQ.</summary>
    public static void Cvttpd2dq(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => ToIntegers<double>(cpu, dst, b, 4, truncate: true);

    /// <summary>CVTPS2PI.</summary>
    public static void Cvtps2pi(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => ToIntegers<float>(cpu, dst, b, 2, truncate: false);

    /// <summary>CVTTPS2PI.</summary>
    public static void Cvttps2pi(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => ToIntegers<float>(cpu, dst, b, 2, truncate: true);

    /// <summary>CVTPD2PI.</summary>
    public static void Cvtpd2pi(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => ToIntegers<double>(cpu, dst, b, 2, truncate: false);

    /// <summary>CVTTPD2PI.</summary>
    public static void Cvttpd2pi(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => ToIntegers<double>(cpu, dst, b, 2, truncate: true);

    /// <summary>CVTSS2SI, 32 bits.</summary>
    public static ulong Cvtss2si(CpuHeader* cpu, byte* a, byte* b, int imm) => (uint)ToInteger<float>(cpu, b, 32, truncate: false);

    /// <summary>CVTSS2SI, 64 bits.</summary>
    public static ulong Cvtss2siQword(CpuHeader* cpu, byte* a, byte* b, int imm) => (ulong)ToInteger<float>(cpu, b, 64, truncate: false);

    /// <summary>CVTTSS2SI, 32 bits.</summary>
    public static ulong Cvttss2si(CpuHeader* cpu, byte* a, byte* b, int imm) => (uint)ToInteger<float>(cpu, b, 32, truncate: true);

    /// <summary>CVTTSS2SI, 64 bits.</summary>
    public static ulong Cvttss2siQword(CpuHeader* cpu, byte* a, byte* b, int imm) => (ulong)ToInteger<float>(cpu, b, 64, truncate: true);

    /// <summary>CVTSD2SI, 32 bits.</summary>
    public static ulong Cvtsd2si(CpuHeader* cpu, byte* a, byte* b, int imm) => (uint)ToInteger<double>(cpu, b, 32, truncate: false);

    /// <summary>CVTSD2SI, 64 bits.</summary>
    public static ulong Cvtsd2siQword(CpuHeader* cpu, byte* a, byte* b, int imm) => (ulong)ToInteger<double>(cpu, b, 64, truncate: false);

    /// <summary>CVTTSD2SI, 32 bits.</summary>
    public static ulong Cvttsd2si(CpuHeader* cpu, byte* a, byte* b, int imm) => (uint)ToInteger<double>(cpu, b, 32, truncate: true);

    /// <summary>CVTTSD2SI, 64 bits.</summary>
    public static ulong Cvttsd2siQword(CpuHeader* cpu, byte* a, byte* b, int imm) => (ulong)ToInteger<double>(cpu, b, 64, truncate: true);

    private static void IntegersToSingles(CpuHeader* cpu, byte* dst, byte* source, int count)
    {
        FloatContext context = Mxcsr.Context(cpu);
        Vector128<uint> result = default;
        for (int i = 0; i < count; i++)
        {
            result = result.WithElement(i, FloatConvert.ToFormat(Unpacked.FromInteger(Unsafe.ReadUnaligned<int>(source + (4 * i))), FloatFormat.Single, ref context).ToSingle());
        }

        Mxcsr.Commit(cpu, context);
        Xmm.Store(dst, result);
    }

    private static void IntegerToScalar<T>(CpuHeader* cpu, byte* dst, byte* a, long value)
        where T : unmanaged
    {
        // Integers that fit the significand need no rounding.
        const long limit = 1 << 24;
        if (value is >= -limit and <= limit || (typeof(T) == typeof(double) && value == (int)value))
        {
            FloatLanes<T, Scalar>.Store(dst, a, typeof(T) == typeof(float) ? Vector128.Create((float)value).As<float, T>() : Vector128.Create((double)value).As<double, T>());
            return;
        }

        FloatContext context = Mxcsr.Context(cpu);
        Encoded result = FloatConvert.ToFormat(Unpacked.FromInteger(value), FloatLanes<T, Scalar>.Format, ref context);
        Mxcsr.Commit(cpu, context);
        FloatLanes<T, Scalar>.Store(dst, a, FloatLanes<T, Scalar>.With(default, 0, result));
    }

    private static void SinglesToDoubles<TCount>(CpuHeader* cpu, byte* dst, byte* a, byte* b)
        where TCount : struct, ILaneCount
    {
        FloatContext context = Mxcsr.Context(cpu);
        Vector128<double> result = default;
        for (int i = 0; i < FloatLanes<double, TCount>.Count; i++)
        {
            uint bits = Unsafe.ReadUnaligned<uint>(b + (4 * i));
            uint exponent = bits & 0x7f800000;
            bool ordinary = (exponent != 0 && exponent != 0x7f800000) || (bits & 0x7fffffff) == 0;
            result = ordinary
                ? result.WithElement(i, BitConverter.UInt32BitsToSingle(bits))
                : FloatLanes<double, TCount>.With(result, i, FloatConvert.ToFormat(Unpacked.FromSingle(bits, context), FloatFormat.Double, ref context));
        }

        Mxcsr.Commit(cpu, context);
        FloatLanes<double, TCount>.Store(dst, a, result);
    }

    private static uint DoubleToSingle(ulong bits, ref FloatContext context)
    {
        // Exactly representable normal numbers and zeros convert without rounding or flags.
        float single = (float)BitConverter.UInt64BitsToDouble(bits);
        bool exact = BitConverter.DoubleToUInt64Bits(single) == bits && (float.IsNormal(single) || bits << 1 == 0);
        return exact
            ? BitConverter.SingleToUInt32Bits(single)
            : FloatConvert.ToFormat(Unpacked.FromDouble(bits, context), FloatFormat.Single, ref context).ToSingle();
    }

    // Writes `count` dwords of which those without a source lane are zero; a store of 2 is an MMX register.
    private static void ToIntegers<T>(CpuHeader* cpu, byte* dst, byte* source, int count, bool truncate)
        where T : unmanaged
    {
        FloatContext context = Mxcsr.Context(cpu);
        RoundingMode mode = truncate ? RoundingMode.Zero : context.Rounding;
        Vector128<int> result = default;
        for (int i = 0; i < Math.Min(count, Vector128<T>.Count); i++)
        {
            result = result.WithElement(i, (int)FloatConvert.ToInteger(UnpackAt<T>(source, i, context), 32, mode, ref context));
        }

        Mxcsr.Commit(cpu, context);
        if (count == 2)
        {
            Unsafe.WriteUnaligned(dst, result.AsUInt64().ToScalar());
        }
        else
        {
            Xmm.Store(dst, result);
        }
    }

    private static long ToInteger<T>(CpuHeader* cpu, byte* source, int bits, bool truncate)
        where T : unmanaged
    {
        FloatContext context = Mxcsr.Context(cpu);
        long result = FloatConvert.ToInteger(UnpackAt<T>(source, 0, context), bits, truncate ? RoundingMode.Zero : context.Rounding, ref context);
        Mxcsr.Commit(cpu, context);
        return result;
    }

    private static Unpacked UnpackAt<T>(byte* source, int lane, in FloatContext context) => typeof(T) == typeof(float)
        ? Unpacked.FromSingle(Unsafe.ReadUnaligned<uint>(source + (4 * lane)), context)
        : Unpacked.FromDouble(Unsafe.ReadUnaligned<ulong>(source + (8 * lane)), context);
}
