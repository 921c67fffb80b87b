using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Emu.Frontend.Ir;

namespace Emu.Frontend.X86.Simd;

/// <summary>
/// Packed integer multiplication, averages and sums across lanes (SDM vol. 2). Products of words are formed in the even and
/// odd halves of dwords, which needs no lane crossing.
/// </summary>
/// <typeparam name="TWidth">Operand width.</typeparam>
internal static unsafe class PackedMultiply<TWidth>
    where TWidth : struct, ISimdWidth
{
    /// <summary>PMULLW: low half of word products.</summary>
    public static void Pmullw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, TWidth.Load<ushort>(a) * TWidth.Load<ushort>(b));

    /// <summary>PMULLD: low half of dword products.</summary>
    public static void Pmulld(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, TWidth.Load<uint>(a) * TWidth.Load<uint>(b));

    /// <summary>PMULHW: high half of signed word products.</summary>
    public static void Pmulhw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        Vector128<int> x = TWidth.Load<int>(a);
        Vector128<int> y = TWidth.Load<int>(b);
        TWidth.Store(dst, JoinHighWords((Even(x) * Even(y)).AsUInt32(), ((x >> 16) * (y >> 16)).AsUInt32()));
    }

    /// <summary>PMULHUW: high half of unsigned word products.</summary>
    public static void Pmulhuw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        Vector128<uint> x = TWidth.Load<uint>(a);
        Vector128<uint> y = TWidth.Load<uint>(b);
        Vector128<uint> low = Vector128.Create(0xffffu);
        TWidth.Store(dst, JoinHighWords((x & low) * (y & low), (x >> 16) * (y >> 16)));
    }

    /// <summary>PMULHRSW: signed word products scaled by 2^-15 and rounded.</summary>
    public static void Pmulhrsw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        Vector128<int> x = TWidth.Load<int>(a);
        Vector128<int> y = TWidth.Load<int>(b);
        Vector128<int> one = Vector128<int>.One;
        Vector128<int> even = ((Even(x) * Even(y)) >> 14) + one;
        Vector128<int> odd = (((x >> 16) * (y >> 16)) >> 14) + one;
        TWidth.Store(dst, JoinHighWords((even << 15).AsUInt32(), (odd << 15).AsUInt32()));
    }

    /// <summary>PMADDWD: sums of adjacent signed word products.</summary>
    public static void Pmaddwd(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        if (Sse2.IsSupported)
        {
            TWidth.Store(dst, Sse2.MultiplyAddAdjacent(TWidth.Load<short>(a), TWidth.Load<short>(b)));
            return;
        }

        Vector128<int> x = TWidth.Load<int>(a);
        Vector128<int> y = TWidth.Load<int>(b);
        TWidth.Store(dst, (Even(x) * Even(y)) + ((x >> 16) * (y >> 16)));
    }

    /// <summary>PMADDUBSW: saturated sums of adjacent products of unsigned (first) and signed (second) bytes.</summary>
    public static void Pmaddubsw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        Vector128<ushort> x = TWidth.Load<ushort>(a);
        Vector128<short> y = TWidth.Load<short>(b);
        Vector128<short> even = (x & Vector128.Create((ushort)0xff)).AsInt16() * ((y << 8) >> 8);
        Vector128<short> odd = (x >> 8).AsInt16() * (y >> 8);
        TWidth.Store(dst, Vector128.AddSaturate(even, odd));
    }

    /// <summary>PMULUDQ: unsigned products of the even dwords.</summary>
    public static void Pmuludq(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        if (Sse2.IsSupported)
        {
            TWidth.Store(dst, Sse2.Multiply(TWidth.Load<uint>(a), TWidth.Load<uint>(b)));
            return;
        }

        Vector128<ulong> low = Vector128.Create((ulong)uint.MaxValue);
        TWidth.Store(dst, (TWidth.Load<ulong>(a) & low) * (TWidth.Load<ulong>(b) & low));
    }

    /// <summary>PMULDQ: signed products of the even dwords.</summary>
    public static void Pmuldq(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        Vector128<long> x = (TWidth.Load<long>(a) << 32) >> 32;
        Vector128<long> y = (TWidth.Load<long>(b) << 32) >> 32;
        TWidth.Store(dst, x * y);
    }

    /// <summary>PAVGB: rounded unsigned byte averages.</summary>
    public static void Pavgb(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Average(TWidth.Load<byte>(a), TWidth.Load<byte>(b)));

    /// <summary>PAVGW: rounded unsigned word averages.</summary>
    public static void Pavgw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Average(TWidth.Load<ushort>(a), TWidth.Load<ushort>(b)));

    /// <summary>PSADBW: sum of absolute byte differences of each qword.</summary>
    public static void Psadbw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        Vector128<byte> x = TWidth.Load<byte>(a);
        Vector128<byte> y = TWidth.Load<byte>(b);
        if (Sse2.IsSupported)
        {
            TWidth.Store(dst, Sse2.SumAbsoluteDifferences(x, y));
            return;
        }

        Vector128<byte> difference = Vector128.Max(x, y) - Vector128.Min(x, y);
        (Vector128<ushort> low, Vector128<ushort> high) = Vector128.Widen(difference);
        TWidth.Store(dst, Vector128.Create((ulong)Vector128.Sum(low), Vector128.Sum(high)));
    }

    /// <summary>PHADDW: sums of adjacent words, first operand's pairs low.</summary>
    public static void Phaddw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Horizontal<short, Sum>(dst, a, b);

    /// <summary>PHADDD: sums of adjacent dwords.</summary>
    public static void Phaddd(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Horizontal<int, Sum>(dst, a, b);

    /// <summary>PHADDSW: saturated sums of adjacent words.</summary>
    public static void Phaddsw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Horizontal<short, SaturatedSum>(dst, a, b);

    /// <summary>PHSUBW: differences of adjacent words.</summary>
    public static void Phsubw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Horizontal<short, Difference>(dst, a, b);

    /// <summary>PHSUBD: differences of adjacent dwords.</summary>
    public static void Phsubd(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Horizontal<int, Difference>(dst, a, b);

    /// <summary>PHSUBSW: saturated differences of adjacent words.</summary>
    public static void Phsubsw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Horizontal<short, SaturatedDifference>(dst, a, b);

    private static Vector128<int> Even(Vector128<int> value) => (value << 16) >> 16;

    private static Vector128<uint> JoinHighWords(Vector128<uint> even, Vector128<uint> odd) => (even >> 16) | (odd & Vector128.Create(0xffff0000u));

    // (a | b) - ((a ^ b) >> 1) is the average rounded up without a wider lane.
    private static Vector128<T> Average<T>(Vector128<T> x, Vector128<T> y) => (x | y) - ((x ^ y) >>> 1);

    private static void Horizontal<T, TOperation>(byte* dst, byte* a, byte* b)
        where T : unmanaged
        where TOperation : struct, ILaneOperation
    {
        int half = TWidth.Bytes / sizeof(T) / 2;
        Vector128<T> first = TWidth.Load<T>(a);
        Vector128<T> second = TWidth.Load<T>(b);
        Vector128<T> even = default;
        Vector128<T> odd = default;
        for (int i = 0; i < half; i++)
        {
            even = even.WithElement(i, first[2 * i]).WithElement(half + i, second[2 * i]);
            odd = odd.WithElement(i, first[(2 * i) + 1]).WithElement(half + i, second[(2 * i) + 1]);
        }

        TWidth.Store(dst, TOperation.Apply(even, odd));
    }

    private interface ILaneOperation
    {
        static abstract Vector128<T> Apply<T>(Vector128<T> even, Vector128<T> odd);
    }

    private readonly struct Sum : ILaneOperation
    {
        public static Vector128<T> Apply<T>(Vector128<T> even, Vector128<T> odd) => even + odd;
    }

    private readonly struct SaturatedSum : ILaneOperation
    {
        public static Vector128<T> Apply<T>(Vector128<T> even, Vector128<T> odd) => Vector128.AddSaturate(even, odd);
    }

    private readonly struct Difference : ILaneOperation
    {
        public static Vector128<T> Apply<T>(Vector128<T> even, Vector128<T> odd) => even - odd;
    }

    private readonly struct SaturatedDifference : ILaneOperation
    {
        public static Vector128<T> Apply<T>(Vector128<T> even, Vector128<T> odd) => Vector128.SubtractSaturate(even, odd);
    }
}
