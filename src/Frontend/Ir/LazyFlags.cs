using System.Numerics;
using System.Runtime.CompilerServices;

namespace Emu.Frontend.Ir;

/// <summary>What computed the flags last. With the width index (0–3 for 8–64 bits) this is <see cref="CpuHeader.FlagsOp"/>.</summary>
public enum FlagsKind
{
    /// <summary>The result field holds the flag bits themselves.</summary>
    Materialised,

    /// <summary>result = a + source.</summary>
    Add,

    /// <summary>result = a + source + carry.</summary>
    Adc,

    /// <summary>result = a − source.</summary>
    Sub,

    /// <summary>result = a − source − carry.</summary>
    Sbb,

    /// <summary>Bitwise result; carry and overflow clear.</summary>
    Logic,

    /// <summary>result = a + 1; carry preserved.</summary>
    Inc,

    /// <summary>result = a − 1; carry preserved.</summary>
    Dec,

    /// <summary>Left shift; source = a shifted by one less, so that carry is its top bit.</summary>
    Shl,

    /// <summary>Logical right shift; source = a shifted by one less, so that carry is its bit 0; carry field = top bit of the value before the last step.</summary>
    Shr,

    /// <summary>Arithmetic right shift; source as for <see cref="Shr"/>; overflow clear.</summary>
    Sar,

    /// <summary>Multiplication; source non-zero when the product did not fit.</summary>
    Mul,
}

/// <summary>Conditions over the flags, numbered as in the x86 condition codes (SDM vol. 1, appendix B).</summary>
public enum IrCondition : byte
{
    /// <summary>Overflow.</summary>
    Overflow,

    /// <summary>No overflow.</summary>
    NotOverflow,

    /// <summary>Unsigned less (carry).</summary>
    Below,

    /// <summary>Unsigned not less.</summary>
    AboveOrEqual,

    /// <summary>Equal (zero).</summary>
    Equal,

    /// <summary>Not equal.</summary>
    NotEqual,

    /// <summary>Unsigned not greater.</summary>
    BelowOrEqual,

    /// <summary>Unsigned greater.</summary>
    Above,

    /// <summary>Negative.</summary>
    Sign,

    /// <summary>Not negative.</summary>
    NotSign,

    /// <summary>Even parity of the low byte.</summary>
    Parity,

    /// <summary>Odd parity of the low byte.</summary>
    NotParity,

    /// <summary>Signed less.</summary>
    Less,

    /// <summary>Signed not less.</summary>
    GreaterOrEqual,

    /// <summary>Signed not greater.</summary>
    LessOrEqual,

    /// <summary>Signed greater.</summary>
    Greater,
}

/// <summary>Evaluates the lazy flags triple of <see cref="CpuHeader"/> into the six arithmetic flag bits, in the x86 bit positions.</summary>
public static unsafe class LazyFlags
{
    /// <summary>The carry flag's bit.</summary>
    public const int Carry = 0;

    /// <summary>The six flags' bits.</summary>
    public const ulong All = Cf | Pf | Af | Zf | Sf | Of;

    private const ulong Cf = 0x1;
    private const ulong Pf = 0x4;
    private const ulong Af = 0x10;
    private const ulong Zf = 0x40;
    private const ulong Sf = 0x80;
    private const ulong Of = 0x800;

    /// <summary>The value of <see cref="CpuHeader.FlagsOp"/> for a kind and width index (0–3).</summary>
    public static ulong Encode(FlagsKind kind, int widthIndex) => ((ulong)kind << 2) | (uint)widthIndex;

    /// <summary>The six flag bits.</summary>
    public static ulong Evaluate(CpuHeader* cpu)
    {
        FlagsKind kind = (FlagsKind)(cpu->FlagsOp >> 2);
        ulong r = cpu->FlagsResult;
        if (kind == FlagsKind.Materialised)
        {
            return r;
        }

        int bits = 8 << (int)(cpu->FlagsOp & 3);
        ulong mask = ulong.MaxValue >> (64 - bits);
        ulong s = cpu->FlagsSource;
        return ResultFlags(r, bits) | (CarryOf(cpu) ? Cf : 0) | kind switch
        {
            FlagsKind.Add => AddOverflow((r - s) & mask, s, r, bits) | ((r - s ^ s ^ r) & Af),
            FlagsKind.Adc => AddOverflow((r - s - cpu->FlagsCarry) & mask, s, r, bits) | ((r - s - cpu->FlagsCarry ^ s ^ r) & Af),
            FlagsKind.Sub => SubOverflow((r + s) & mask, s, r, bits) | ((r + s ^ s ^ r) & Af),
            FlagsKind.Sbb => SubOverflow((r + s + cpu->FlagsCarry) & mask, s, r, bits) | ((r + s + cpu->FlagsCarry ^ s ^ r) & Af),
            FlagsKind.Inc => (r == 1UL << (bits - 1) ? Of : 0) | ((r & 0xf) == 0 ? Af : 0),
            FlagsKind.Dec => (r == mask >> 1 ? Of : 0) | ((r & 0xf) == 0xf ? Af : 0),
            FlagsKind.Shl => ((r ^ s) >> (bits - 1) & 1) != 0 ? Of : 0,
            FlagsKind.Shr => cpu->FlagsCarry != 0 ? Of : 0,
            FlagsKind.Mul => s != 0 ? Of : 0,
            _ => 0,
        };
    }

    /// <summary>The carry flag alone.</summary>
    public static bool CarryOf(CpuHeader* cpu)
    {
        ulong r = cpu->FlagsResult;
        ulong s = cpu->FlagsSource;
        int bits = 8 << (int)(cpu->FlagsOp & 3);
        ulong mask = ulong.MaxValue >> (64 - bits);
        switch ((FlagsKind)(cpu->FlagsOp >> 2))
        {
            case FlagsKind.Materialised: return (r & Cf) != 0;
            case FlagsKind.Add: return r < s;
            case FlagsKind.Adc: return cpu->FlagsCarry != 0 ? r <= s : r < s;
            case FlagsKind.Sub: return ((r + s) & mask) < s;
            case FlagsKind.Sbb: return cpu->FlagsCarry != 0 ? ((r + s + 1) & mask) <= s : ((r + s) & mask) < s;
            case FlagsKind.Inc or FlagsKind.Dec: return cpu->FlagsCarry != 0;
            case FlagsKind.Shl: return (s >> (bits - 1) & 1) != 0;
            case FlagsKind.Shr or FlagsKind.Sar: return (s & 1) != 0;
            case FlagsKind.Mul: return s != 0;
            default: return false;
        }
    }

    /// <summary>Replaces the flags by the bits of <paramref name="flags"/>.</summary>
    public static void SetMaterialised(CpuHeader* cpu, ulong flags)
    {
        cpu->FlagsOp = 0;
        cpu->FlagsResult = flags & All;
    }

    /// <summary>True when <paramref name="condition"/> holds for the current flags.</summary>
    public static bool Test(CpuHeader* cpu, IrCondition condition)
    {
        ulong flags = Evaluate(cpu);
        bool less = ((flags & Sf) != 0) != ((flags & Of) != 0);
        bool holds = ((int)condition >> 1) switch
        {
            0 => (flags & Of) != 0,
            1 => (flags & Cf) != 0,
            2 => (flags & Zf) != 0,
            3 => (flags & (Cf | Zf)) != 0,
            4 => (flags & Sf) != 0,
            5 => (flags & Pf) != 0,
            6 => less,
            _ => less || (flags & Zf) != 0,
        };
        return holds != (((int)condition & 1) != 0);
    }

    /// <summary>SF, ZF and PF of a zero-extended result of <paramref name="bits"/> bits.</summary>
    public static ulong ResultFlags(ulong result, int bits) =>
        (result == 0 ? Zf : 0) | ((result >> (bits - 1) & 1) != 0 ? Sf : 0) | ((BitOperations.PopCount(result & 0xff) & 1) == 0 ? Pf : 0);

    private static ulong AddOverflow(ulong a, ulong b, ulong r, int bits) => ((a ^ r) & (b ^ r)) >> (bits - 1) != 0 ? Of : 0;

    private static ulong SubOverflow(ulong a, ulong b, ulong r, int bits) => ((a ^ b) & (a ^ r)) >> (bits - 1) != 0 ? Of : 0;
}
