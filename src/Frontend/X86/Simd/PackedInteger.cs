using System.Runtime.Intrinsics;
using Emu.Frontend.Ir;

namespace Emu.Frontend.X86.Simd;

/// <summary>
/// Packed integer instructions that work lane by lane (SDM vol. 2, one entry per mnemonic), for MMX and SSE operands alike.
/// Every vector helper of this namespace has the same shape: <c>dst = a op b</c>, where the two-operand encodings pass the
/// destination as <c>a</c>; unary instructions read <c>b</c>. Operands may alias: all are read before <c>dst</c> is written.
/// </summary>
/// <typeparam name="TWidth">Operand width.</typeparam>
internal static unsafe class PackedInteger<TWidth>
    where TWidth : struct, ISimdWidth
{
    /// <summary>PADDB: wrapping byte addition.</summary>
    public static void Paddb(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, TWidth.Load<byte>(a) + TWidth.Load<byte>(b));

    /// <summary>PADDW: wrapping word addition.</summary>
    public static void Paddw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, TWidth.Load<ushort>(a) + TWidth.Load<ushort>(b));

    /// <summary>PADDD: wrapping dword addition.</summary>
    public static void Paddd(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, TWidth.Load<uint>(a) + TWidth.Load<uint>(b));

    /// <summary>PADDQ: wrapping qword addition.</summary>
    public static void Paddq(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, TWidth.Load<ulong>(a) + TWidth.Load<ulong>(b));

    /// <summary>PSUBB: wrapping byte subtraction.</summary>
    public static void Psubb(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, TWidth.Load<byte>(a) - TWidth.Load<byte>(b));

    /// <summary>PSUBW: wrapping word subtraction.</summary>
    public static void Psubw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, TWidth.Load<ushort>(a) - TWidth.Load<ushort>(b));

    /// <summary>PSUBD: wrapping dword subtraction.</summary>
    public static void Psubd(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, TWidth.Load<uint>(a) - TWidth.Load<uint>(b));

    /// <summary>PSUBQ: wrapping qword subtraction.</summary>
    public static void Psubq(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, TWidth.Load<ulong>(a) - TWidth.Load<ulong>(b));

    /// <summary>PADDSB: signed saturating byte addition.</summary>
    public static void Paddsb(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Vector128.AddSaturate(TWidth.Load<sbyte>(a), TWidth.Load<sbyte>(b)));

    /// <summary>PADDSW: signed saturating word addition.</summary>
    public static void Paddsw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Vector128.AddSaturate(TWidth.Load<short>(a), TWidth.Load<short>(b)));

    /// <summary>PADDUSB: unsigned saturating byte addition.</summary>
    public static void Paddusb(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Vector128.AddSaturate(TWidth.Load<byte>(a), TWidth.Load<byte>(b)));

    /// <summary>PADDUSW: unsigned saturating word addition.</summary>
    public static void Paddusw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Vector128.AddSaturate(TWidth.Load<ushort>(a), TWidth.Load<ushort>(b)));

    /// <summary>PSUBSB: signed saturating byte subtraction.</summary>
    public static void Psubsb(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Vector128.SubtractSaturate(TWidth.Load<sbyte>(a), TWidth.Load<sbyte>(b)));

    /// <summary>PSUBSW: signed saturating word subtraction.</summary>
    public static void Psubsw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Vector128.SubtractSaturate(TWidth.Load<short>(a), TWidth.Load<short>(b)));

    /// <summary>PSUBUSB: unsigned saturating byte subtraction.</summary>
    public static void Psubusb(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Vector128.SubtractSaturate(TWidth.Load<byte>(a), TWidth.Load<byte>(b)));

    /// <summary>PSUBUSW: unsigned saturating word subtraction.</summary>
    public static void Psubusw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Vector128.SubtractSaturate(TWidth.Load<ushort>(a), TWidth.Load<ushort>(b)));

    /// <summary>PCMPEQB: all ones where equal.</summary>
    public static void Pcmpeqb(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Vector128.Equals(TWidth.Load<byte>(a), TWidth.Load<byte>(b)));

    /// <summary>PCMPEQW: all ones where equal.</summary>
    public static void Pcmpeqw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Vector128.Equals(TWidth.Load<ushort>(a), TWidth.Load<ushort>(b)));

    /// <summary>PCMPEQD: all ones where equal.</summary>
    public static void Pcmpeqd(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Vector128.Equals(TWidth.Load<uint>(a), TWidth.Load<uint>(b)));

    /// <summary>PCMPEQQ: all ones where equal.</summary>
    public static void Pcmpeqq(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Vector128.Equals(TWidth.Load<ulong>(a), TWidth.Load<ulong>(b)));

    /// <summary>PCMPGTB: all ones where signed greater.</summary>
    public static void Pcmpgtb(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Vector128.GreaterThan(TWidth.Load<sbyte>(a), TWidth.Load<sbyte>(b)));

    /// <summary>PCMPGTW: all ones where signed greater.</summary>
    public static void Pcmpgtw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Vector128.GreaterThan(TWidth.Load<short>(a), TWidth.Load<short>(b)));

    /// <summary>PCMPGTD: all ones where signed greater.</summary>
    public static void Pcmpgtd(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Vector128.GreaterThan(TWidth.Load<int>(a), TWidth.Load<int>(b)));

    /// <summary>PCMPGTQ: all ones where signed greater.</summary>
    public static void Pcmpgtq(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Vector128.GreaterThan(TWidth.Load<long>(a), TWidth.Load<long>(b)));

    /// <summary>PMINSB: signed byte minimum.</summary>
    public static void Pminsb(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Vector128.Min(TWidth.Load<sbyte>(a), TWidth.Load<sbyte>(b)));

    /// <summary>PMINSW: signed word minimum.</summary>
    public static void Pminsw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Vector128.Min(TWidth.Load<short>(a), TWidth.Load<short>(b)));

    /// <summary>PMINSD: signed dword minimum.</summary>
    public static void Pminsd(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Vector128.Min(TWidth.Load<int>(a), TWidth.Load<int>(b)));

    /// <summary>PMINUB: unsigned byte minimum.</summary>
    public static void Pminub(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Vector128.Min(TWidth.Load<byte>(a), TWidth.Load<byte>(b)));

    /// <summary>PMINUW: unsigned word minimum.</summary>
    public static void Pminuw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Vector128.Min(TWidth.Load<ushort>(a), TWidth.Load<ushort>(b)));

    /// <summary>PMINUD: unsigned dword minimum.</summary>
    public static void Pminud(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Vector128.Min(TWidth.Load<uint>(a), TWidth.Load<uint>(b)));

    /// <summary>PMAXSB: signed byte maximum.</summary>
    public static void Pmaxsb(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Vector128.Max(TWidth.Load<sbyte>(a), TWidth.Load<sbyte>(b)));

    /// <summary>PMAXSW: signed word maximum.</summary>
    public static void Pmaxsw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Vector128.Max(TWidth.Load<short>(a), TWidth.Load<short>(b)));

    /// <summary>PMAXSD: signed dword maximum.</summary>
    public static void Pmaxsd(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Vector128.Max(TWidth.Load<int>(a), TWidth.Load<int>(b)));

    /// <summary>PMAXUB: unsigned byte maximum.</summary>
    public static void Pmaxub(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Vector128.Max(TWidth.Load<byte>(a), TWidth.Load<byte>(b)));

    /// <summary>PMAXUW: unsigned word maximum.</summary>
    public static void Pmaxuw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Vector128.Max(TWidth.Load<ushort>(a), TWidth.Load<ushort>(b)));

    /// <summary>PMAXUD: unsigned dword maximum.</summary>
    public static void Pmaxud(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Vector128.Max(TWidth.Load<uint>(a), TWidth.Load<uint>(b)));

    /// <summary>PAND, and the ANDPS/ANDPD forms: bitwise AND.</summary>
    public static void Pand(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, TWidth.Load<ulong>(a) & TWidth.Load<ulong>(b));

    /// <summary>POR, and the ORPS/ORPD forms: bitwise OR.</summary>
    public static void Por(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, TWidth.Load<ulong>(a) | TWidth.Load<ulong>(b));

    /// <summary>PXOR, and the XORPS/XORPD forms: bitwise exclusive OR.</summary>
    public static void Pxor(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, TWidth.Load<ulong>(a) ^ TWidth.Load<ulong>(b));

    /// <summary>PANDN and ANDNPS/ANDNPD: second operand AND NOT first.</summary>
    public static void Pandn(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, ~TWidth.Load<ulong>(a) & TWidth.Load<ulong>(b));

    /// <summary>PABSB: absolute value; the most negative one stays.</summary>
    public static void Pabsb(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Absolute(TWidth.Load<sbyte>(b)));

    /// <summary>PABSW: absolute value; the most negative one stays.</summary>
    public static void Pabsw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Absolute(TWidth.Load<short>(b)));

    /// <summary>PABSD: absolute value; the most negative one stays.</summary>
    public static void Pabsd(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, Absolute(TWidth.Load<int>(b)));

    /// <summary>PSIGNB: first operand negated, kept or zeroed by the sign of the second.</summary>
    public static void Psignb(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, ApplySign(TWidth.Load<sbyte>(a), TWidth.Load<sbyte>(b)));

    /// <summary>PSIGNW: first operand negated, kept or zeroed by the sign of the second.</summary>
    public static void Psignw(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, ApplySign(TWidth.Load<short>(a), TWidth.Load<short>(b)));

    /// <summary>PSIGND: first operand negated, kept or zeroed by the sign of the second.</summary>
    public static void Psignd(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => TWidth.Store(dst, ApplySign(TWidth.Load<int>(a), TWidth.Load<int>(b)));

    private static Vector128<T> Absolute<T>(Vector128<T> value)
    {
        Vector128<T> negative = Vector128.LessThan(value, Vector128<T>.Zero);
        return (value ^ negative) - negative;
    }

    private static Vector128<T> ApplySign<T>(Vector128<T> value, Vector128<T> sign)
    {
        Vector128<T> negative = Vector128.LessThan(sign, Vector128<T>.Zero);
        return Vector128.AndNot((value ^ negative) - negative, Vector128.Equals(sign, Vector128<T>.Zero));
    }
}
