using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Emu.Frontend.Ir;
using Emu.Frontend.X86.SoftFloat;

namespace Emu.Frontend.X86.Simd;

/// <summary>
/// SSE arithmetic (SDM vol. 2, ADDPS and relatives), packed and scalar. The host computes while nothing but precision can be
/// raised; whatever needs a flag, a mask, a NaN rule or another rounding mode is done again exactly, lane by lane.
/// </summary>
/// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
/// <typeparam name="TCount">Packed or scalar.</typeparam>
internal static unsafe class FloatArithmetic<T, TCount>
    where T : unmanaged
    where TCount : struct, ILaneCount
{
    /// <summary>ADDPS, ADDPD, ADDSS, ADDSD.</summary>
    public static void Add(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Binary<AddOperation>(cpu, dst, a, b);

    /// <summary>SUBPS, SUBPD, SUBSS, SUBSD.</summary>
    public static void Subtract(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Binary<SubtractOperation>(cpu, dst, a, b);

    /// <summary>MULPS, MULPD, MULSS, MULSD.</summary>
    public static void Multiply(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Binary<MultiplyOperation>(cpu, dst, a, b);

    /// <summary>DIVPS, DIVPD, DIVSS, DIVSD.</summary>
    public static void Divide(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Binary<DivideOperation>(cpu, dst, a, b);

    /// <summary>ADDSUBPS, ADDSUBPD.</summary>
    public static void AddSubtract(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Binary<AddSubtractOperation>(cpu, dst, a, b);

    /// <summary>SQRTPS, SQRTPD, SQRTSS, SQRTSD.</summary>
    public static void SquareRoot(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        Vector128<T> source = FloatLanes<T, TCount>.Load(b);
        FloatLanes<T, TCount>.Store(dst, a, Compute<SquareRootOperation>(cpu, source, source));
    }

    /// <summary>HADDPS, HADDPD.</summary>
    public static void HorizontalAdd(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        (Vector128<T> even, Vector128<T> odd) = Separate(Xmm.Load<T>(a), Xmm.Load<T>(b));
        Xmm.Store(dst, Compute<AddOperation>(cpu, even, odd));
    }

    /// <summary>HSUBPS, HSUBPD.</summary>
    public static void HorizontalSubtract(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        (Vector128<T> even, Vector128<T> odd) = Separate(Xmm.Load<T>(a), Xmm.Load<T>(b));
        Xmm.Store(dst, Compute<SubtractOperation>(cpu, even, odd));
    }

    /// <summary>DPPS, DPPD: the products chosen by the high immediate bits, summed in pairs, into the lanes of the low bits.</summary>
    public static void DotProduct(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        Vector128<T> factors = LaneMask(imm >> 4);
        int step = 0;
        Mxcsr.BeginStep(cpu, step);
        Vector128<T> sum = Compute<MultiplyOperation>(cpu, Xmm.Load<T>(a) & factors, Xmm.Load<T>(b) & factors);
        for (int i = Vector128<T>.Count; i > 1; i /= 2)
        {
            (Vector128<T> even, Vector128<T> odd) = Separate(sum, sum);
            Mxcsr.BeginStep(cpu, ++step);
            sum = Compute<AddOperation>(cpu, even, odd);
        }

        Xmm.Store(dst, sum & LaneMask(imm));
    }

    private static void Binary<TOperation>(CpuHeader* cpu, byte* dst, byte* a, byte* b)
        where TOperation : struct, IFloatOperation =>
        FloatLanes<T, TCount>.Store(dst, a, Compute<TOperation>(cpu, FloatLanes<T, TCount>.Load(a), FloatLanes<T, TCount>.Load(b)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<T> Compute<TOperation>(CpuHeader* cpu, Vector128<T> a, Vector128<T> b)
        where TOperation : struct, IFloatOperation
    {
        if (!Mxcsr.AllowsHostArithmetic(cpu))
        {
            return ComputeExactly<TOperation>(cpu, a, b);
        }

        Vector128<T> result = TOperation.Host(a, b);
        Vector128<T> fine = FloatLanes<T, TCount>.IsSafelyNormal(result) | (Vector128.Equals(result, Vector128<T>.Zero) & TOperation.ZeroIsExact(a, b));
        if (fine.AsUInt64() != Vector128<ulong>.AllBitsSet || FloatLanes<T, TCount>.AnyDenormal(a) || FloatLanes<T, TCount>.AnyDenormal(b))
        {
            return ComputeExactly<TOperation>(cpu, a, b);
        }

        if (Mxcsr.NeedsPrecision(cpu))
        {
            NotePrecision<TOperation>(cpu, a, b, result);
        }

        return result;
    }

    private static void NotePrecision<TOperation>(CpuHeader* cpu, Vector128<T> a, Vector128<T> b, Vector128<T> result)
        where TOperation : struct, IFloatOperation
    {
        Vector128<T> usable = FloatLanes<T, TCount>.HasExactError(a) & FloatLanes<T, TCount>.HasExactError(b) & FloatLanes<T, TCount>.HasExactError(result);
        if (usable.AsUInt64() != Vector128<ulong>.AllBitsSet)
        {
            ComputeExactly<TOperation>(cpu, a, b);
        }
        else if (FloatLanes<T, TCount>.AnySet(~Vector128.Equals(TOperation.Error(a, b, result), Vector128<T>.Zero)))
        {
            Mxcsr.SetPrecision(cpu);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Vector128<T> ComputeExactly<TOperation>(CpuHeader* cpu, Vector128<T> a, Vector128<T> b)
        where TOperation : struct, IFloatOperation
    {
        FloatContext context = Mxcsr.Context(cpu);
        Vector128<T> result = a;
        for (int i = 0; i < FloatLanes<T, TCount>.Count; i++)
        {
            Unpacked x = FloatLanes<T, TCount>.Unpack(a, i, context);
            Unpacked y = FloatLanes<T, TCount>.Unpack(b, i, context);
            result = FloatLanes<T, TCount>.With(result, i, TOperation.Soft(i, x, y, FloatLanes<T, TCount>.Format, ref context));
        }

        Mxcsr.Commit(cpu, context);
        return result;
    }

    private static (Vector128<T> Even, Vector128<T> Odd) Separate(Vector128<T> a, Vector128<T> b)
    {
        if (typeof(T) == typeof(float))
        {
            Vector128<uint> x = a.AsUInt32();
            Vector128<uint> y = b.AsUInt32();
            return (Vector128.Create(x[0], x[2], y[0], y[2]).As<uint, T>(), Vector128.Create(x[1], x[3], y[1], y[3]).As<uint, T>());
        }

        Vector128<ulong> p = a.AsUInt64();
        Vector128<ulong> q = b.AsUInt64();
        return (Vector128.Create(p[0], q[0]).As<ulong, T>(), Vector128.Create(p[1], q[1]).As<ulong, T>());
    }

    private static Vector128<T> LaneMask(int bits) => typeof(T) == typeof(float)
        ? Vector128.Create(-(bits & 1), -((bits >> 1) & 1), -((bits >> 2) & 1), -((bits >> 3) & 1)).As<int, T>()
        : Vector128.Create(-(long)(bits & 1), -(long)((bits >> 1) & 1)).As<long, T>();
}
