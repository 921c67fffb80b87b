using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Emu.Frontend.Ir;

namespace Emu.Frontend.X86.Simd;

/// <summary>Shuffles, inserts, extracts and blends that exist for one register width only (SDM vol. 2); PSHUFW is the MMX one.</summary>
internal static unsafe class XmmShuffle
{
    /// <summary>PSHUFW (MMX).</summary>
    public static void Pshufw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Unsafe.WriteUnaligned(dst, SelectWords(Unsafe.ReadUnaligned<ulong>(b), imm));

    /// <summary>PSHUFLW: the low words shuffled.</summary>
    public static void Pshuflw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        Vector128<ulong> source = Xmm.Load<ulong>(b);
        Xmm.Store(dst, Vector128.Create(SelectWords(source[0], imm), source[1]));
    }

    /// <summary>PSHUFHW: the high words shuffled.</summary>
    public static void Pshufhw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        Vector128<ulong> source = Xmm.Load<ulong>(b);
        Xmm.Store(dst, Vector128.Create(source[0], SelectWords(source[1], imm)));
    }

    /// <summary>PSHUFD.</summary>
    public static void Pshufd(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Shufps(cpu, dst, b, b, imm);

    /// <summary>SHUFPS: two dwords of each operand.</summary>
    public static void Shufps(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        Xmm.Store(dst, Vector128.Create(Dword(a, imm), Dword(a, imm >> 2), Dword(b, imm >> 4), Dword(b, imm >> 6)));
    }

    /// <summary>SHUFPD: one qword of each operand.</summary>
    public static void Shufpd(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Xmm.Store(dst, Vector128.Create(Qword(a, imm), Qword(b, imm >> 1)));

    /// <summary>PUNPCKLQDQ, UNPCKLPD and MOVLHPS.</summary>
    public static void Punpcklqdq(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Xmm.Store(dst, Vector128.Create(Qword(a, 0), Qword(b, 0)));

    /// <summary>PUNPCKHQDQ and UNPCKHPD.</summary>
    public static void Punpckhqdq(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Xmm.Store(dst, Vector128.Create(Qword(a, 1), Qword(b, 1)));

    /// <summary>MOVHLPS: the high qword of the second operand into the low one.</summary>
    public static void Movhlps(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Xmm.Store(dst, Vector128.Create(Qword(b, 1), Qword(a, 1)));

    /// <summary>MOVSS between registers: the low dword of the second operand into the first.</summary>
    public static void Movss(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        uint low = Dword(b, 0);
        Xmm.Store(dst, Xmm.Load<uint>(a).WithElement(0, low));
    }

    /// <summary>MOVDDUP.</summary>
    public static void Movddup(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Xmm.Store(dst, Vector128.Create(Qword(b, 0)));

    /// <summary>MOVSLDUP: even dwords doubled.</summary>
    public static void Movsldup(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Shufps(cpu, dst, b, b, 0b10_10_00_00);

    /// <summary>MOVSHDUP: odd dwords doubled.</summary>
    public static void Movshdup(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Shufps(cpu, dst, b, b, 0b11_11_01_01);

    /// <summary>MOVQ2DQ and the register form of MOVQ: the low qword, zero-extended.</summary>
    public static void MoveLowQword(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Xmm.Store(dst, Vector128.CreateScalar(Qword(b, 0)));

    /// <summary>MOVDQ2Q: the low qword to an MMX register.</summary>
    public static void Movdq2q(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Unsafe.WriteUnaligned(dst, Qword(b, 0));

    /// <summary>PSLLDQ: shift left by bytes.</summary>
    public static void Pslldq(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        UInt128 value = Unsafe.ReadUnaligned<UInt128>(a);
        Unsafe.WriteUnaligned(dst, (byte)imm < 16 ? value << (8 * (byte)imm) : UInt128.Zero);
    }

    /// <summary>PSRLDQ: shift right by bytes.</summary>
    public static void Psrldq(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        UInt128 value = Unsafe.ReadUnaligned<UInt128>(a);
        Unsafe.WriteUnaligned(dst, (byte)imm < 16 ? value >> (8 * (byte)imm) : UInt128.Zero);
    }

    /// <summary>MOVMSKPS: the dword sign bits.</summary>
    public static ulong Movmskps(CpuHeader* cpu, byte* a, byte* b, int imm) => Xmm.Load<uint>(b).ExtractMostSignificantBits();

    /// <summary>MOVMSKPD: the qword sign bits.</summary>
    public static ulong Movmskpd(CpuHeader* cpu, byte* a, byte* b, int imm) => Xmm.Load<ulong>(b).ExtractMostSignificantBits();

    /// <summary>PEXTRB.</summary>
    public static ulong Pextrb(CpuHeader* cpu, byte* a, byte* b, int imm) => b[imm & 15];

    /// <summary>PEXTRD and EXTRACTPS.</summary>
    public static ulong Pextrd(CpuHeader* cpu, byte* a, byte* b, int imm) => Dword(b, imm);

    /// <summary>PEXTRQ.</summary>
    public static ulong Pextrq(CpuHeader* cpu, byte* a, byte* b, int imm) => Qword(b, imm);

    /// <summary>PINSRB.</summary>
    public static void Pinsrb(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        byte value = *b;
        Xmm.Store(dst, Xmm.Load<byte>(a).WithElement(imm & 15, value));
    }

    /// <summary>PINSRD.</summary>
    public static void Pinsrd(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        uint value = Dword(b, 0);
        Xmm.Store(dst, Xmm.Load<uint>(a).WithElement(imm & 3, value));
    }

    /// <summary>PINSRQ.</summary>
    public static void Pinsrq(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        ulong value = Qword(b, 0);
        Xmm.Store(dst, Xmm.Load<ulong>(a).WithElement(imm & 1, value));
    }

    /// <summary>INSERTPS with a register source: dword imm[7:6] of it goes to imm[5:4], then imm[3:0] zeroes dwords.</summary>
    public static void Insertps(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => InsertDword(dst, a, Dword(b, imm >> 6), imm);

    /// <summary>INSERTPS with a memory source of one dword; imm[7:6] is ignored.</summary>
    public static void InsertpsMemory(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => InsertDword(dst, a, Dword(b, 0), imm);

    /// <summary>PBLENDW.</summary>
    public static void Pblendw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        Vector128<ushort> bits = Vector128.Create((ushort)1, 2, 4, 8, 16, 32, 64, 128);
        Vector128<ushort> choose = Vector128.Equals(Vector128.Create((ushort)(byte)imm) & bits, bits);
        Xmm.Store(dst, Vector128.ConditionalSelect(choose, Xmm.Load<ushort>(b), Xmm.Load<ushort>(a)));
    }

    /// <summary>BLENDPS.</summary>
    public static void Blendps(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        Vector128<uint> bits = Vector128.Create(1u, 2, 4, 8);
        Vector128<uint> choose = Vector128.Equals(Vector128.Create((uint)imm) & bits, bits);
        Xmm.Store(dst, Vector128.ConditionalSelect(choose, Xmm.Load<uint>(b), Xmm.Load<uint>(a)));
    }

    /// <summary>BLENDPD.</summary>
    public static void Blendpd(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) =>
        Xmm.Store(dst, Vector128.Create((imm & 1) != 0 ? Qword(b, 0) : Qword(a, 0), (imm & 2) != 0 ? Qword(b, 1) : Qword(a, 1)));

    /// <summary>PBLENDVB: bytes chosen by the sign bits of XMM0.</summary>
    public static void Pblendvb(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => BlendBySign<sbyte>(cpu, dst, a, b);

    /// <summary>BLENDVPS: dwords chosen by the sign bits of XMM0.</summary>
    public static void Blendvps(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => BlendBySign<int>(cpu, dst, a, b);

    /// <summary>BLENDVPD: qwords chosen by the sign bits of XMM0.</summary>
    public static void Blendvpd(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => BlendBySign<long>(cpu, dst, a, b);

    /// <summary>PTEST: ZF when no bit is common, CF when the second operand lies within the first; the other flags are cleared.</summary>
    public static ulong Ptest(CpuHeader* cpu, byte* a, byte* b, int imm)
    {
        Vector128<ulong> x = Xmm.Load<ulong>(a);
        Vector128<ulong> y = Xmm.Load<ulong>(b);
        return ((x & y) == Vector128<ulong>.Zero ? Rflags.Zf : 0) | ((~x & y) == Vector128<ulong>.Zero ? Rflags.Cf : 0);
    }

    /// <summary>PHMINPOSUW: the smallest word and its index.</summary>
    public static void Phminposuw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        Vector128<ushort> source = Xmm.Load<ushort>(b);
        int best = 0;
        for (int i = 1; i < 8; i++)
        {
            best = source[i] < source[best] ? i : best;
        }

        Xmm.Store(dst, Vector128.CreateScalar(source[best] | ((ulong)best << 16)));
    }

    /// <summary>MPSADBW: eight sums of absolute differences of four bytes, at successive offsets of the first operand.</summary>
    public static void Mpsadbw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        byte* block = b + (4 * (imm & 3));
        byte* window = a + (4 * ((imm >> 2) & 1));
        Vector128<ushort> result = default;
        for (int i = 0; i < 8; i++)
        {
            int sum = 0;
            for (int j = 0; j < 4; j++)
            {
                sum += Math.Abs(window[i + j] - block[j]);
            }

            result = result.WithElement(i, (ushort)sum);
        }

        Xmm.Store(dst, result);
    }

    private static void BlendBySign<T>(CpuHeader* cpu, byte* dst, byte* a, byte* b)
    {
        Vector128<T> mask = Xmm.Load<T>(((X86CpuState*)cpu)->Vector);
        Xmm.Store(dst, Vector128.ConditionalSelect(Vector128.LessThan(mask, Vector128<T>.Zero), Xmm.Load<T>(b), Xmm.Load<T>(a)));
    }

    private static void InsertDword(byte* dst, byte* a, uint value, int imm)
    {
        Vector128<uint> bits = Vector128.Create(1u, 2, 4, 8);
        Vector128<uint> zeroed = Vector128.Equals(Vector128.Create((uint)imm) & bits, bits);
        Xmm.Store(dst, Vector128.AndNot(Xmm.Load<uint>(a).WithElement((imm >> 4) & 3, value), zeroed));
    }

    private static ulong SelectWords(ulong words, int imm) =>
        Word(words, imm) | (Word(words, imm >> 2) << 16) | (Word(words, imm >> 4) << 32) | (Word(words, imm >> 6) << 48);

    private static ulong Word(ulong words, int index) => (words >> (16 * (index & 3))) & 0xffff;

    private static uint Dword(byte* source, int index) => Unsafe.ReadUnaligned<uint>(source + (4 * (index & 3)));

    private static ulong Qword(byte* source, int index) => Unsafe.ReadUnaligned<ulong>(source + (8 * (index & 1)));
}
