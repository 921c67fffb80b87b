using System.Runtime.Intrinsics;
using Emu.Frontend.Ir;

namespace Emu.Frontend.X86.Simd;

/// <summary>PMOVSX and PMOVZX: the low lanes of the source widened (SDM vol. 2).</summary>
internal static unsafe class PackedExtend
{
    /// <summary>PMOVSXBW.</summary>
    public static void Pmovsxbw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Extend<sbyte, short>(dst, b);

    /// <summary>PMOVSXBD.</summary>
    public static void Pmovsxbd(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Extend<sbyte, int>(dst, b);

    /// <summary>PMOVSXBQ.</summary>
    public static void Pmovsxbq(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Extend<sbyte, long>(dst, b);

    /// <summary>PMOVSXWD.</summary>
    public static void Pmovsxwd(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Extend<short, int>(dst, b);

    /// <summary>PMOVSXWQ.</summary>
    public static void Pmovsxwq(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Extend<short, long>(dst, b);

    /// <summary>PMOVSXDQ.</summary>
    public static void Pmovsxdq(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Extend<int, long>(dst, b);

    /// <summary>PMOVZXBW.</summary>
    public static void Pmovzxbw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Extend<byte, ushort>(dst, b);

    /// <summary>PMOVZXBD.</summary>
    public static void Pmovzxbd(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Extend<byte, uint>(dst, b);

    /// <summary>PMOVZXBQ.</summary>
    public static void Pmovzxbq(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Extend<byte, ulong>(dst, b);

    /// <summary>PMOVZXWD.</summary>
    public static void Pmovzxwd(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Extend<ushort, uint>(dst, b);

    /// <summary>PMOVZXWQ.</summary>
    public static void Pmovzxwq(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Extend<ushort, ulong>(dst, b);

    /// <summary>PMOVZXDQ.</summary>
    public static void Pmovzxdq(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Extend<uint, ulong>(dst, b);

    // The lanes needed are read before the result is stored: source and destination may be one register.
    private static void Extend<TFrom, TTo>(byte* dst, byte* source)
        where TFrom : unmanaged, System.Numerics.INumberBase<TFrom>
        where TTo : unmanaged, System.Numerics.INumberBase<TTo>
    {
        Vector128<TTo> result = default;
        for (int i = 0; i < Vector128<TTo>.Count; i++)
        {
            result = result.WithElement(i, TTo.CreateTruncating(((TFrom*)source)[i]));
        }

        Xmm.Store(dst, result);
    }
}
