using System.Numerics;
using System.Runtime.Intrinsics;
using Emu.Frontend.Ir;
using HostAes = System.Runtime.Intrinsics.X86.Aes;
using HostPclmulqdq = System.Runtime.Intrinsics.X86.Pclmulqdq;

namespace Emu.Frontend.X86.Simd;

/// <summary>AES-NI, PCLMULQDQ and CRC32 (SDM vol. 1, 12.13 and 12.12.1; vol. 2). The host's AES unit is used where it has one.</summary>
internal static unsafe class Crypto
{
    private static readonly byte[] Forward = BuildForward();
    private static readonly byte[] Inverse = BuildInverse();

    /// <summary>AESENC.</summary>
    public static void Aesenc(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        Vector128<byte> state = Xmm.Load<byte>(a);
        Vector128<byte> key = Xmm.Load<byte>(b);
        Xmm.Store(dst, HostAes.IsSupported ? HostAes.Encrypt(state, key) : MixColumns(Substitute(state, Forward, 5), 0x01010302) ^ key);
    }

    /// <summary>AESENCLAST.</summary>
    public static void Aesenclast(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        Vector128<byte> state = Xmm.Load<byte>(a);
        Vector128<byte> key = Xmm.Load<byte>(b);
        Xmm.Store(dst, HostAes.IsSupported ? HostAes.EncryptLast(state, key) : Substitute(state, Forward, 5) ^ key);
    }

    /// <summary>AESDEC.</summary>
    public static void Aesdec(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        Vector128<byte> state = Xmm.Load<byte>(a);
        Vector128<byte> key = Xmm.Load<byte>(b);
        Xmm.Store(dst, HostAes.IsSupported ? HostAes.Decrypt(state, key) : MixColumns(Substitute(state, Inverse, 13), 0x090d0b0e) ^ key);
    }

    /// <summary>AESDECLAST.</summary>
    public static void Aesdeclast(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        Vector128<byte> state = Xmm.Load<byte>(a);
        Vector128<byte> key = Xmm.Load<byte>(b);
        Xmm.Store(dst, HostAes.IsSupported ? HostAes.DecryptLast(state, key) : Substitute(state, Inverse, 13) ^ key);
    }

    /// <summary>AESIMC.</summary>
    public static void Aesimc(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Xmm.Store(dst, MixColumns(Xmm.Load<byte>(b), 0x090d0b0e));

    /// <summary>AESKEYGENASSIST.</summary>
    public static void Aeskeygenassist(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        Vector128<uint> source = Xmm.Load<uint>(b);
        uint low = SubstituteWord(source[1]);
        uint high = SubstituteWord(source[3]);
        uint constant = (byte)imm;
        Xmm.Store(dst, Vector128.Create(low, BitOperations.RotateRight(low, 8) ^ constant, high, BitOperations.RotateRight(high, 8) ^ constant));
    }

    /// <summary>PCLMULQDQ: carry-less product of the qwords that imm[0] and imm[4] choose.</summary>
    public static void Pclmulqdq(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        if (HostPclmulqdq.IsSupported)
        {
            Xmm.Store(dst, MultiplyOnHost(Xmm.Load<ulong>(a), Xmm.Load<ulong>(b), imm));
            return;
        }

        UInt128 x = Xmm.Load<ulong>(a)[imm & 1];
        ulong y = Xmm.Load<ulong>(b)[(imm >> 4) & 1];
        UInt128 product = 0;
        for (int i = 0; i < 64; i++)
        {
            product ^= ((y >> i) & 1) != 0 ? x << i : UInt128.Zero;
        }

        *(UInt128*)dst = product;
    }

    // The instruction's immediate is a constant.
    private static Vector128<ulong> MultiplyOnHost(Vector128<ulong> a, Vector128<ulong> b, int imm) => (imm & 0x11) switch
    {
        0 => HostPclmulqdq.CarrylessMultiply(a, b, 0),
        1 => HostPclmulqdq.CarrylessMultiply(a, b, 1),
        0x10 => HostPclmulqdq.CarrylessMultiply(a, b, 0x10),
        _ => HostPclmulqdq.CarrylessMultiply(a, b, 0x11),
    };

    /// <summary>CRC32: <paramref name="a"/> is the old sum, <paramref name="b"/> the data, <paramref name="imm"/> its bytes. An x87-style helper: values, not pointers.</summary>
    public static ulong Crc32(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        uint crc = (uint)a;
        return imm switch
        {
            1 => BitOperations.Crc32C(crc, (byte)b),
            2 => BitOperations.Crc32C(crc, (ushort)b),
            4 => BitOperations.Crc32C(crc, (uint)b),
            _ => BitOperations.Crc32C(crc, b),
        };
    }

    // SubBytes and ShiftRows together: byte i comes from byte 5i (or 13i when decrypting) of the state.
    private static Vector128<byte> Substitute(Vector128<byte> state, byte[] box, int stride)
    {
        Vector128<byte> result = default;
        for (int i = 0; i < 16; i++)
        {
            result = result.WithElement(i, box[state[(i * stride) & 15]]);
        }

        return result;
    }

    // Multiplies every column by the polynomial whose coefficients are the bytes of `row`: the first row of the matrix, low byte first.
    private static Vector128<byte> MixColumns(Vector128<byte> state, uint row)
    {
        Vector128<byte> result = default;
        for (int i = 0; i < 16; i++)
        {
            byte sum = 0;
            for (int j = 0; j < 4; j++)
            {
                sum ^= Multiply(state[(i & 12) | ((i + j) & 3)], (byte)(row >> (8 * j)));
            }

            result = result.WithElement(i, sum);
        }

        return result;
    }

    private static uint SubstituteWord(uint word) =>
        Forward[(byte)word] | ((uint)Forward[(byte)(word >> 8)] << 8) | ((uint)Forward[(byte)(word >> 16)] << 16) | ((uint)Forward[word >> 24] << 24);

    // Product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1 (FIPS 197, 4.2).
    private static byte Multiply(byte x, byte y)
    {
        int product = 0;
        int power = x;
        for (int i = 0; i < 8; i++)
        {
            product ^= ((y >> i) & 1) != 0 ? power : 0;
            power = (power << 1) ^ ((power & 0x80) != 0 ? 0x11b : 0);
        }

        return (byte)product;
    }

    // FIPS 197, 5.1.1: the inverse in the field, then an affine map.
    private static byte[] BuildForward()
    {
        var box = new byte[256];
        for (int x = 0; x < 256; x++)
        {
            byte inverse = 0;
            for (int y = 1; y < 256 && inverse == 0; y++)
            {
                inverse = Multiply((byte)x, (byte)y) == 1 ? (byte)y : (byte)0;
            }

            uint repeated = inverse * 0x01010101u;
            box[x] = (byte)(repeated ^ (repeated >> 4) ^ (repeated >> 5) ^ (repeated >> 6) ^ (repeated >> 7) ^ 0x63);
        }

        return box;
    }

    private static byte[] BuildInverse()
    {
        var box = new byte[256];
        for (int x = 0; x < 256; x++)
        {
            box[Forward[x]] = (byte)x;
        }

        return box;
    }
}
