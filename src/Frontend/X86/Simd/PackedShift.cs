using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Emu.Frontend.Ir;

namespace Emu.Frontend.X86.Simd;

/// <summary>Where a packed shift takes its count: the low qword of <c>b</c>, or the immediate (SDM vol. 2, PSLLW and relatives).</summary>
internal unsafe interface IShiftCount
{
    /// <summary>The count, which may exceed the lane width.</summary>
    static abstract ulong Read(byte* b, int imm);
}

/// <summary>Count in the second operand.</summary>
internal readonly unsafe struct VariableCount : IShiftCount
{
    /// <inheritdoc/>
    public static ulong Read(byte* b, int imm) => Unsafe.ReadUnaligned<ulong>(b);
}

/// <summary>Count in the immediate byte.</summary>
internal readonly unsafe struct ImmediateCount : IShiftCount
{
    /// <inheritdoc/>
    public static ulong Read(byte* b, int imm) => (byte)imm;
}

/// <summary>Packed shifts. Counts beyond the lane width give zero, or copies of the sign for arithmetic shifts.</summary>
/// <typeparam name="TWidth">Operand width.</typeparam>
/// <typeparam name="TCount">Source of the count.</typeparam>
internal static unsafe class PackedShift<TWidth, TCount>
    where TWidth : struct, ISimdWidth
    where TCount : struct, IShiftCount
{
    /// <summary>PSLLW.</summary>
    public static void Psllw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Left<ushort>(dst, a, TCount.Read(b, imm));

    /// <summary>PSLLD.</summary>
    public static void Pslld(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Left<uint>(dst, a, TCount.Read(b, imm));

    /// <summary>PSLLQ.</summary>
    public static void Psllq(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Left<ulong>(dst, a, TCount.Read(b, imm));

    /// <summary>PSRLW.</summary>
    public static void Psrlw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Right<ushort>(dst, a, TCount.Read(b, imm));

    /// <summary>PSRLD.</summary>
    public static void Psrld(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Right<uint>(dst, a, TCount.Read(b, imm));

    /// <summary>PSRLQ.</summary>
    public static void Psrlq(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Right<ulong>(dst, a, TCount.Read(b, imm));

    /// <summary>PSRAW.</summary>
    public static void Psraw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) =>
        TWidth.Store(dst, TWidth.Load<short>(a) >> (int)Math.Min(TCount.Read(b, imm), 15));

    /// <summary>PSRAD.</summary>
    public static void Psrad(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) =>
        TWidth.Store(dst, TWidth.Load<int>(a) >> (int)Math.Min(TCount.Read(b, imm), 31));

    // The count is tested first: the vector operators take it modulo the lane width, the instructions do not.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Left<T>(byte* dst, byte* a, ulong count)
        where T : unmanaged => TWidth.Store(dst, count < (ulong)sizeof(T) * 8 ? TWidth.Load<T>(a) << (int)count : Vector128<T>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Right<T>(byte* dst, byte* a, ulong count)
        where T : unmanaged => TWidth.Store(dst, count < (ulong)sizeof(T) * 8 ? TWidth.Load<T>(a) >>> (int)count : Vector128<T>.Zero);
}
