using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Emu.Frontend.Ir;

namespace Emu.Frontend.X86.Simd;

/// <summary>Interleaving, packing and shuffles that exist for both register files (SDM vol. 2).</summary>
/// <typeparam name="TWidth">Operand width.</typeparam>
internal static unsafe class PackedShuffle<TWidth>
    where TWidth : struct, ISimdWidth
{
    /// <summary>PUNPCKLBW.</summary>
    public static void Punpcklbw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => StoreLow(dst, InterleaveBytes(LowHalf(a), LowHalf(b)));

    /// <summary>PUNPCKLWD.</summary>
    public static void Punpcklwd(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => StoreLow(dst, InterleaveWords(LowHalf(a), LowHalf(b)));

    /// <summary>PUNPCKLDQ and UNPCKLPS.</summary>
    public static void Punpckldq(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => StoreLow(dst, InterleaveDwords(LowHalf(a), LowHalf(b)));

    /// <summary>PUNPCKHBW.</summary>
    public static void Punpckhbw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => StoreHigh(dst, InterleaveBytes(HighHalf(a), HighHalf(b)));

    /// <summary>PUNPCKHWD.</summary>
    public static void Punpckhwd(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => StoreHigh(dst, InterleaveWords(HighHalf(a), HighHalf(b)));

    /// <summary>PUNPCKHDQ and UNPCKHPS.</summary>
    public static void Punpckhdq(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => StoreHigh(dst, InterleaveDwords(HighHalf(a), HighHalf(b)));

    /// <summary>PACKSSWB: words to bytes, signed saturation.</summary>
    public static void Packsswb(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) =>
        TWidth.Store(dst, Vector128.NarrowWithSaturation(First<short>(a, b), TWidth.Load<short>(b)));

    /// <summary>PACKSSDW: dwords to words, signed saturation.</summary>
    public static void Packssdw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) =>
        TWidth.Store(dst, Vector128.NarrowWithSaturation(First<int>(a, b), TWidth.Load<int>(b)));

    /// <summary>PACKUSWB: signed words to bytes, unsigned saturation.</summary>
    public static void Packuswb(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) =>
        TWidth.Store(dst, Vector128.Narrow(Clamp<short>(First<short>(a, b), byte.MaxValue).AsUInt16(), Clamp<short>(TWidth.Load<short>(b), byte.MaxValue).AsUInt16()));

    /// <summary>PACKUSDW: signed dwords to words, unsigned saturation.</summary>
    public static void Packusdw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) =>
        TWidth.Store(dst, Vector128.Narrow(Clamp<int>(First<int>(a, b), ushort.MaxValue).AsUInt32(), Clamp<int>(TWidth.Load<int>(b), ushort.MaxValue).AsUInt32()));

    /// <summary>PSHUFB: bytes chosen by index, or zero where bit 7 of the index is set.</summary>
    public static void Pshufb(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        // An index of 16 or more selects zero, so keeping bit 7 is enough.
        Vector128<byte> index = TWidth.Load<byte>(b) & Vector128.Create((byte)(0x80 | (TWidth.Bytes - 1)));
        TWidth.Store(dst, Vector128.Shuffle(TWidth.Load<byte>(a), index));
    }

    /// <summary>PALIGNR: bytes out of the concatenation first:second, from byte <paramref name="imm"/> on.</summary>
    public static void Palignr(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        byte* both = stackalloc byte[64];
        Unsafe.InitBlockUnaligned(both, 0, 64);
        Unsafe.CopyBlockUnaligned(both, b, (uint)TWidth.Bytes);
        Unsafe.CopyBlockUnaligned(both + TWidth.Bytes, a, (uint)TWidth.Bytes);
        TWidth.Store(dst, TWidth.Load<byte>(both + Math.Min((byte)imm, 2 * TWidth.Bytes)));
    }

    /// <summary>PINSRW: the first operand with one word replaced.</summary>
    public static void Pinsrw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        ushort word = Unsafe.ReadUnaligned<ushort>(b);
        TWidth.Store(dst, TWidth.Load<ushort>(a).WithElement(imm & ((TWidth.Bytes / 2) - 1), word));
    }

    /// <summary>PEXTRW: one word, zero-extended.</summary>
    public static ulong Pextrw(CpuHeader* cpu, byte* a, byte* b, int imm) => Unsafe.ReadUnaligned<ushort>(b + (2 * (imm & ((TWidth.Bytes / 2) - 1))));

    /// <summary>PMOVMSKB: the byte sign bits.</summary>
    public static ulong Pmovmskb(CpuHeader* cpu, byte* a, byte* b, int imm) => TWidth.Load<byte>(b).ExtractMostSignificantBits();

    // The halves are taken as the low 8 bytes of a vector, in which one operand of 64 bits fits whole.
    private static Vector128<byte> LowHalf(byte* source) => TWidth.Load<byte>(source);

    private static Vector128<byte> HighHalf(byte* source) =>
        TWidth.Bytes == 8 ? TWidth.Load<byte>(source) : Vector128.CreateScalar(Unsafe.ReadUnaligned<ulong>(source + 8)).AsByte();

    private static Vector128<byte> InterleaveBytes(Vector128<byte> x, Vector128<byte> y) =>
        (Vector128.WidenLower(x) | (Vector128.WidenLower(y) << 8)).AsByte();

    private static Vector128<byte> InterleaveWords(Vector128<byte> x, Vector128<byte> y) =>
        (Vector128.WidenLower(x.AsUInt16()) | (Vector128.WidenLower(y.AsUInt16()) << 16)).AsByte();

    private static Vector128<byte> InterleaveDwords(Vector128<byte> x, Vector128<byte> y) =>
        (Vector128.WidenLower(x.AsUInt32()) | (Vector128.WidenLower(y.AsUInt32()) << 32)).AsByte();

    private static void StoreLow(byte* dst, Vector128<byte> value) => TWidth.Store(dst, value);

    private static void StoreHigh(byte* dst, Vector128<byte> value) =>
        TWidth.Store(dst, TWidth.Bytes == 8 ? Vector128.CreateScalar(value.GetUpper().AsUInt64().ToScalar()).AsByte() : value);

    // What a pack narrows into the low half of its result: of MMX operands both, since together they fill one vector.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<T> First<T>(byte* a, byte* b) => TWidth.Bytes == 8
        ? Vector128.Create(Unsafe.ReadUnaligned<ulong>(a), Unsafe.ReadUnaligned<ulong>(b)).As<ulong, T>()
        : TWidth.Load<T>(a);

    private static Vector128<T> Clamp<T>(Vector128<T> value, T limit) => Vector128.Min(Vector128.Max(value, Vector128<T>.Zero), Vector128.Create(limit));
}
