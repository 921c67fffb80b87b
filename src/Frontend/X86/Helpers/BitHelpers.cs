using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Emu.Frontend.Ir;
using HostBmi2 = System.Runtime.Intrinsics.X86.Bmi2;

namespace Emu.Frontend.X86.Helpers;

/// <summary>IR helpers of BMI1, BMI2 and ADX. imm bits 7:0 are the <see cref="IrWidth"/>, 32 or 64 bits.</summary>
internal static unsafe class BitHelpers
{
    /// <summary>BLSI, for imm bits 15:8.</summary>
    public const int Isolate = 0;

    /// <summary>BLSMSK.</summary>
    public const int MaskUpTo = 1;

    /// <summary>BLSR.</summary>
    public const int Reset = 2;

    /// <summary>Flags of BLSI, BLSMSK, BLSR. a = source, b = result.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong LowestBitFlags(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        bool carry = Cut(a, imm) == 0;
        SetResultFlags(header, b, imm, (imm >> 8) == Isolate ? !carry : carry);
        return 0;
    }

    /// <summary>BEXTR. a = source, b = start in bits 7:0 and length in bits 15:8.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Extract(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        int start = (byte)b;
        int length = (byte)(b >> 8);
        ulong result = start < 64 ? Cut(a, imm) >> start : 0;
        result &= length < 64 ? (1UL << length) - 1 : ulong.MaxValue;
        LazyFlags.SetMaterialised(header, result == 0 ? Rflags.Zf : 0);
        return result;
    }

    /// <summary>BZHI. a = source, b = first bit to clear in bits 7:0.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong ZeroHigh(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        int index = (byte)b;
        bool beyond = index >= BitsOf(imm);
        ulong result = Cut(a, imm) & (beyond ? ulong.MaxValue : (1UL << index) - 1);
        SetResultFlags(header, result, imm, beyond);
        return result;
    }

    /// <summary>PDEP. a = source, b = mask.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Deposit(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        ulong mask = Cut(b, imm);
        if (HostBmi2.X64.IsSupported)
        {
            return HostBmi2.X64.ParallelBitDeposit(a, mask);
        }

        ulong result = 0;
        for (; mask != 0; mask &= mask - 1, a >>= 1)
        {
            result |= (a & 1) != 0 ? mask & (0 - mask) : 0;
        }

        return result;
    }

    /// <summary>PEXT. a = source, b = mask.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Gather(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        ulong mask = Cut(b, imm);
        if (HostBmi2.X64.IsSupported)
        {
            return HostBmi2.X64.ParallelBitExtract(a, mask);
        }

        ulong result = 0;
        for (int i = 0; mask != 0; mask &= mask - 1, i++)
        {
            result |= ((a >> BitOperations.TrailingZeroCount(mask)) & 1) << i;
        }

        return result;
    }

    /// <summary>ADCX, or with imm bit 8 ADOX.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong AddWithOneFlag(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        ulong flag = imm >> 8 == 0 ? Rflags.Cf : Rflags.Of;
        ulong flags = LazyFlags.Evaluate(header);
        UInt128 sum = (UInt128)Cut(a, imm) + Cut(b, imm) + ((flags & flag) != 0 ? 1UL : 0);
        LazyFlags.SetMaterialised(header, (flags & ~flag) | ((sum >> BitsOf(imm)) != 0 ? flag : 0));
        return (ulong)sum;
    }

    /// <summary>RDRAND and RDSEED: CF is set, a number there is.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Random(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        LazyFlags.SetMaterialised(header, Rflags.Cf);
        ulong value = 0;
        RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(new Span<ulong>(ref value)));
        return value;
    }

    private static int BitsOf(ulong imm) => 8 << (int)(imm & 7);

    private static ulong Cut(ulong value, ulong imm) => value & (ulong.MaxValue >> (64 - BitsOf(imm)));

    private static void SetResultFlags(CpuHeader* header, ulong result, ulong imm, bool carry)
    {
        result = Cut(result, imm);
        ulong sign = (result >> (BitsOf(imm) - 1)) != 0 ? Rflags.Sf : 0;
        LazyFlags.SetMaterialised(header, sign | (result == 0 ? Rflags.Zf : 0) | (carry ? Rflags.Cf : 0));
    }
}
