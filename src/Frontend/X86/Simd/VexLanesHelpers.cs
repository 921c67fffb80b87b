using System.Numerics;
using System.Runtime.Intrinsics;
using Emu.Frontend.Ir;

namespace Emu.Frontend.X86.Simd;

/// <summary>Instructions of AVX and AVX2 on the lanes of a half (SDM vol. 2), and VPERMD, which takes them from both.</summary>
internal static unsafe class VexLanesHelpers
{
    /// <summary>VPBLENDVB: <paramref name="dst"/> holds the mask.</summary>
    public static void BlendBytes(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Blend<sbyte>(dst, a, b);

    /// <summary>VBLENDVPS: <paramref name="dst"/> holds the mask.</summary>
    public static void BlendDwords(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Blend<int>(dst, a, b);

    /// <summary>VBLENDVPD: <paramref name="dst"/> holds the mask.</summary>
    public static void BlendQwords(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Blend<long>(dst, a, b);

    /// <summary>VPERMILPS by a vector.</summary>
    public static void PermuteDwords(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) =>
        Xmm.Store(dst, Vector128.Shuffle(Xmm.Load<uint>(a), Xmm.Load<uint>(b) & Vector128.Create(3u)));

    /// <summary>VPERMILPD by a vector: bit 1 of each qword chooses.</summary>
    public static void PermuteQwords(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) =>
        Xmm.Store(dst, Vector128.Shuffle(Xmm.Load<ulong>(a), (Xmm.Load<ulong>(b) >>> 1) & Vector128.Create(1UL)));

    /// <summary>Half of VPERMD or VPERMPS: four indices at <paramref name="a"/>, 32 bytes of lanes at <paramref name="b"/>.</summary>
    public static void PermuteAcross(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        Vector128<uint> index = Xmm.Load<uint>(a);
        uint* lanes = (uint*)b;
        Xmm.Store(dst, Vector128.Create(lanes[index[0] & 7], lanes[index[1] & 7], lanes[index[2] & 7], lanes[index[3] & 7]));
    }

    /// <summary>VPSLLVD.</summary>
    public static void ShiftLeftDwords(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Shift<uint>(dst, a, b, static (value, count) => count < 32 ? value << (int)count : 0);

    /// <summary>VPSLLVQ.</summary>
    public static void ShiftLeftQwords(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Shift<ulong>(dst, a, b, static (value, count) => count < 64 ? value << (int)count : 0);

    /// <summary>VPSRLVD.</summary>
    public static void ShiftRightDwords(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Shift<uint>(dst, a, b, static (value, count) => count < 32 ? value >> (int)count : 0);

    /// <summary>VPSRLVQ.</summary>
    public static void ShiftRightQwords(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Shift<ulong>(dst, a, b, static (value, count) => count < 64 ? value >> (int)count : 0);

    /// <summary>VPSRAVD.</summary>
    public static void ShiftRightArithmeticDwords(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) =>
        Shift<uint>(dst, a, b, static (value, count) => (uint)((int)value >> (int)Math.Min(count, 31)));

    /// <summary>VTESTPS: as PTEST, of the sign bits.</summary>
    public static ulong TestDwords(CpuHeader* cpu, byte* a, byte* b, int imm) => TestSigns(Xmm.Load<uint>(a).ExtractMostSignificantBits(), Xmm.Load<uint>(b).ExtractMostSignificantBits());

    /// <summary>VTESTPD.</summary>
    public static ulong TestQwords(CpuHeader* cpu, byte* a, byte* b, int imm) => TestSigns(Xmm.Load<ulong>(a).ExtractMostSignificantBits(), Xmm.Load<ulong>(b).ExtractMostSignificantBits());

    private static ulong TestSigns(uint x, uint y) => ((x & y) == 0 ? Rflags.Zf : 0) | ((~x & y) == 0 ? Rflags.Cf : 0);

    private static void Blend<T>(byte* dst, byte* a, byte* b) =>
        Xmm.Store(dst, Vector128.ConditionalSelect(Vector128.LessThan(Xmm.Load<T>(dst), Vector128<T>.Zero), Xmm.Load<T>(b), Xmm.Load<T>(a)));

    private static void Shift<T>(byte* dst, byte* a, byte* b, Func<T, T, T> shift)
        where T : unmanaged, IBinaryInteger<T>
    {
        Vector128<T> value = Xmm.Load<T>(a);
        Vector128<T> counts = Xmm.Load<T>(b);
        Vector128<T> result = default;
        for (int i = 0; i < Vector128<T>.Count; i++)
        {
            result = result.WithElement(i, shift(value[i], counts[i]));
        }

        Xmm.Store(dst, result);
    }
}
