using System.Runtime.Intrinsics;
using Emu.Frontend.Ir;
using Emu.Frontend.X86.SoftFloat;

namespace Emu.Frontend.X86.Simd;

/// <summary>What a fused multiply-add does, in the immediate of its helper.</summary>
internal static class FusedMultiply
{
    /// <summary>Which operands are x, y and z of x × y + z, as digits of the mnemonic: 0 for 132, 1 for 213, 2 for 231.</summary>
    public const int OrderMask = 3;

    /// <summary>z is subtracted.</summary>
    public const int SubtractOdd = 4;

    /// <summary>z is subtracted in even lanes.</summary>
    public const int SubtractEven = 8;

    /// <summary>The product is negated.</summary>
    public const int NegateProduct = 16;

    /// <summary>Lanes of 64 bits.</summary>
    public const int Double = 32;

    /// <summary>Lane 0 only.</summary>
    public const int Scalar = 64;
}

/// <summary>FMA3 (SDM vol. 1, 14.5): one rounding, by the host where nothing but precision can be raised.</summary>
/// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
/// <typeparam name="TCount">Packed or scalar.</typeparam>
internal static unsafe class FusedMultiply<T, TCount>
    where T : unmanaged
    where TCount : struct, ILaneCount
{
    /// <summary>Operand 1 is at <paramref name="dst"/>, 2 at <paramref name="a"/>, 3 at <paramref name="b"/>.</summary>
    public static void Compute(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        Vector128<T> first = FloatLanes<T, TCount>.Load(dst);
        Vector128<T> second = FloatLanes<T, TCount>.Load(a);
        Vector128<T> third = FloatLanes<T, TCount>.Load(b);
        (Vector128<T> x, Vector128<T> y, Vector128<T> z) = (imm & FusedMultiply.OrderMask) switch
        {
            0 => (first, third, second),
            1 => (second, first, third),
            _ => (second, third, first),
        };
        FloatLanes<T, TCount>.Store(dst, dst, Fuse(cpu, x, y, z, imm));
    }

    private static Vector128<T> Fuse(CpuHeader* cpu, Vector128<T> x, Vector128<T> y, Vector128<T> z, int imm)
    {
        if (!Mxcsr.AllowsHostArithmetic(cpu) || Mxcsr.NeedsPrecision(cpu))
        {
            return FuseExactly(cpu, x, y, z, imm);
        }

        Vector128<T> factor = (imm & FusedMultiply.NegateProduct) != 0 ? -x : x;
        Vector128<T> term = z ^ SignMask(imm);
        Vector128<T> result = typeof(T) == typeof(float)
            ? Vector128.FusedMultiplyAdd(factor.AsSingle(), y.AsSingle(), term.AsSingle()).As<float, T>()
            : Vector128.FusedMultiplyAdd(factor.AsDouble(), y.AsDouble(), term.AsDouble()).As<double, T>();
        bool ordinary = FloatLanes<T, TCount>.IsSafelyNormal(result).AsUInt64() == Vector128<ulong>.AllBitsSet
            && !FloatLanes<T, TCount>.AnyDenormal(x) && !FloatLanes<T, TCount>.AnyDenormal(y) && !FloatLanes<T, TCount>.AnyDenormal(z);
        return ordinary ? result : FuseExactly(cpu, x, y, z, imm);
    }

    private static Vector128<T> FuseExactly(CpuHeader* cpu, Vector128<T> x, Vector128<T> y, Vector128<T> z, int imm)
    {
        FloatContext context = Mxcsr.Context(cpu);
        Vector128<T> result = x;
        for (int i = 0; i < FloatLanes<T, TCount>.Count; i++)
        {
            Unpacked p = FloatLanes<T, TCount>.Unpack(x, i, context);
            Unpacked q = FloatLanes<T, TCount>.Unpack(y, i, context);
            Unpacked r = FloatLanes<T, TCount>.Unpack(z, i, context);
            bool subtract = (imm & ((i & 1) == 0 ? FusedMultiply.SubtractEven : FusedMultiply.SubtractOdd)) != 0;
            p = (imm & FusedMultiply.NegateProduct) != 0 && !p.IsNan ? p.Negated : p;
            r = subtract && !r.IsNan ? r.Negated : r;
            result = FloatLanes<T, TCount>.With(result, i, FloatMath.FusedMultiplyAdd(p, q, r, FloatLanes<T, TCount>.Format, ref context));
        }

        Mxcsr.Commit(cpu, context);
        return result;
    }

    private static Vector128<T> SignMask(int imm)
    {
        ulong even = (imm & FusedMultiply.SubtractEven) != 0 ? 1UL : 0;
        ulong odd = (imm & FusedMultiply.SubtractOdd) != 0 ? 1UL : 0;
        return typeof(T) == typeof(float)
            ? Vector128.Create((even << 31) | (odd << 63)).As<ulong, T>()
            : Vector128.Create(even << 63, odd << 63).As<ulong, T>();
    }
}
