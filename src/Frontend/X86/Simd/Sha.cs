using System.Numerics;
using System.Runtime.Intrinsics;
using Emu.Frontend.Ir;

namespace Emu.Frontend.X86.Simd;

/// <summary>The SHA extensions (SDM vol. 1, 12.14 in the SHA chapter; vol. 2; FIPS 180-4 for the functions).</summary>
internal static unsafe class Sha
{
    /// <summary>SHA1RNDS4: four rounds with the function that imm[1:0] chooses.</summary>
    public static void Sha1rnds4(CpuHeader* cpu, byte* dst, byte* first, byte* second, int imm)
    {
        Vector128<uint> state = Xmm.Load<uint>(first);
        Vector128<uint> words = Xmm.Load<uint>(second);
        uint constant = (imm & 3) switch { 0 => 0x5a827999, 1 => 0x6ed9eba1, 2 => 0x8f1bbcdc, _ => 0xca62c1d6 };
        (uint a, uint b, uint c, uint d, uint e) = (state[3], state[2], state[1], state[0], 0);
        for (int i = 0; i < 4; i++)
        {
            uint function = (imm & 3) switch
            {
                0 => (b & c) ^ (~b & d),
                2 => (b & c) ^ (b & d) ^ (c & d),
                _ => b ^ c ^ d,
            };
            uint next = function + BitOperations.RotateLeft(a, 5) + words[3 - i] + e + constant;
            (a, b, c, d, e) = (next, a, BitOperations.RotateLeft(b, 30), c, d);
        }

        Xmm.Store(dst, Vector128.Create(d, c, b, a));
    }

    /// <summary>SHA1NEXTE.</summary>
    public static void Sha1nexte(CpuHeader* cpu, byte* dst, byte* first, byte* second, int imm)
    {
        uint rotated = BitOperations.RotateLeft(Xmm.Load<uint>(first)[3], 30);
        Vector128<uint> words = Xmm.Load<uint>(second);
        Xmm.Store(dst, words.WithElement(3, words[3] + rotated));
    }

    /// <summary>SHA1MSG1.</summary>
    public static void Sha1msg1(CpuHeader* cpu, byte* dst, byte* first, byte* second, int imm)
    {
        Vector128<uint> x = Xmm.Load<uint>(first);
        Vector128<uint> y = Xmm.Load<uint>(second);
        Xmm.Store(dst, Vector128.Create(y[2], y[3], x[0], x[1]) ^ x);
    }

    /// <summary>SHA1MSG2.</summary>
    public static void Sha1msg2(CpuHeader* cpu, byte* dst, byte* first, byte* second, int imm)
    {
        Vector128<uint> x = Xmm.Load<uint>(first);
        Vector128<uint> y = Xmm.Load<uint>(second);
        uint w16 = BitOperations.RotateLeft(x[3] ^ y[2], 1);
        uint w17 = BitOperations.RotateLeft(x[2] ^ y[1], 1);
        uint w18 = BitOperations.RotateLeft(x[1] ^ y[0], 1);
        uint w19 = BitOperations.RotateLeft(x[0] ^ w16, 1);
        Xmm.Store(dst, Vector128.Create(w19, w18, w17, w16));
    }

    /// <summary>SHA256RNDS2: two rounds with the words in XMM0.</summary>
    public static void Sha256rnds2(CpuHeader* cpu, byte* dst, byte* first, byte* second, int imm)
    {
        Vector128<uint> x = Xmm.Load<uint>(first);
        Vector128<uint> y = Xmm.Load<uint>(second);
        Vector128<uint> words = Xmm.Load<uint>(((X86CpuState*)cpu)->Vector);
        (uint a, uint b, uint c, uint d) = (y[3], y[2], x[3], x[2]);
        (uint e, uint f, uint g, uint h) = (y[1], y[0], x[1], x[0]);
        for (int i = 0; i < 2; i++)
        {
            uint choice = (e & f) ^ (~e & g);
            uint majority = (a & b) ^ (a & c) ^ (b & c);
            uint sumE = BitOperations.RotateRight(e, 6) ^ BitOperations.RotateRight(e, 11) ^ BitOperations.RotateRight(e, 25);
            uint sumA = BitOperations.RotateRight(a, 2) ^ BitOperations.RotateRight(a, 13) ^ BitOperations.RotateRight(a, 22);
            uint t = choice + sumE + words[i] + h;
            (h, g, f, e) = (g, f, e, t + d);
            (d, c, b, a) = (c, b, a, t + majority + sumA);
        }

        Xmm.Store(dst, Vector128.Create(f, e, b, a));
    }

    /// <summary>SHA256MSG1.</summary>
    public static void Sha256msg1(CpuHeader* cpu, byte* dst, byte* first, byte* second, int imm)
    {
        Vector128<uint> x = Xmm.Load<uint>(first);
        uint next = Xmm.Load<uint>(second)[0];
        Xmm.Store(dst, x + Vector128.Create(Small(x[1], 7, 18, 3), Small(x[2], 7, 18, 3), Small(x[3], 7, 18, 3), Small(next, 7, 18, 3)));
    }

    /// <summary>SHA256MSG2.</summary>
    public static void Sha256msg2(CpuHeader* cpu, byte* dst, byte* first, byte* second, int imm)
    {
        Vector128<uint> x = Xmm.Load<uint>(first);
        Vector128<uint> y = Xmm.Load<uint>(second);
        uint w16 = x[0] + Small(y[2], 17, 19, 10);
        uint w17 = x[1] + Small(y[3], 17, 19, 10);
        uint w18 = x[2] + Small(w16, 17, 19, 10);
        uint w19 = x[3] + Small(w17, 17, 19, 10);
        Xmm.Store(dst, Vector128.Create(w16, w17, w18, w19));
    }

    private static uint Small(uint x, int rotate1, int rotate2, int shift) => BitOperations.RotateRight(x, rotate1) ^ BitOperations.RotateRight(x, rotate2) ^ (x >> shift);
}
