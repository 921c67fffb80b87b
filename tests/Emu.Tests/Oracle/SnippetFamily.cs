using System.Runtime.Intrinsics.X86;
using Emu.Frontend.X86.Lift;
using Iced.Intel;

namespace Emu.Tests.Oracle;

/// <summary>A set of instruction forms that cases are made of.</summary>
/// <param name="Name">Name of the family.</param>
/// <param name="Codes">The forms.</param>
/// <param name="MaxLength">Most instructions in a sequence.</param>
internal sealed record SnippetFamily(string Name, IReadOnlyList<Code> Codes, int MaxLength)
{
    private static readonly HashSet<Mnemonic> Arithmetic =
    [
        Mnemonic.Add, Mnemonic.Or, Mnemonic.Adc, Mnemonic.Sbb, Mnemonic.And, Mnemonic.Sub, Mnemonic.Xor, Mnemonic.Cmp, Mnemonic.Test,
        Mnemonic.Inc, Mnemonic.Dec, Mnemonic.Neg, Mnemonic.Not, Mnemonic.Imul, Mnemonic.Mul, Mnemonic.Div, Mnemonic.Idiv, Mnemonic.Xadd,
        Mnemonic.Cmpxchg, Mnemonic.Cmpxchg8b, Mnemonic.Cmpxchg16b, Mnemonic.Clc, Mnemonic.Stc, Mnemonic.Cmc, Mnemonic.Lahf, Mnemonic.Sahf,
        Mnemonic.Cbw, Mnemonic.Cwde, Mnemonic.Cdqe, Mnemonic.Cwd, Mnemonic.Cdq, Mnemonic.Cqo,
    ];

    private static readonly HashSet<Mnemonic> Shifts =
    [
        Mnemonic.Shl, Mnemonic.Sal, Mnemonic.Shr, Mnemonic.Sar, Mnemonic.Rol, Mnemonic.Ror, Mnemonic.Rcl, Mnemonic.Rcr, Mnemonic.Shld,
        Mnemonic.Shrd, Mnemonic.Bt, Mnemonic.Bts, Mnemonic.Btr, Mnemonic.Btc, Mnemonic.Bsf, Mnemonic.Bsr, Mnemonic.Bswap,
        Mnemonic.Popcnt, Mnemonic.Lzcnt,
    ];

    private static readonly HashSet<Mnemonic> Moves =
    [
        Mnemonic.Mov, Mnemonic.Movzx, Mnemonic.Movsx, Mnemonic.Movsxd, Mnemonic.Movbe, Mnemonic.Movnti, Mnemonic.Xchg, Mnemonic.Lea,
        Mnemonic.Push, Mnemonic.Pop, Mnemonic.Pushf, Mnemonic.Pushfq, Mnemonic.Popf, Mnemonic.Popfq, Mnemonic.Enter, Mnemonic.Leave,
        Mnemonic.Xlatb, Mnemonic.Nop, Mnemonic.Reservednop, Mnemonic.Cld, Mnemonic.Std,
    ];

    private static readonly HashSet<Mnemonic> Strings =
    [
        Mnemonic.Movsb, Mnemonic.Movsw, Mnemonic.Movsd, Mnemonic.Movsq, Mnemonic.Stosb, Mnemonic.Stosw, Mnemonic.Stosd, Mnemonic.Stosq,
        Mnemonic.Lodsb, Mnemonic.Lodsw, Mnemonic.Lodsd, Mnemonic.Lodsq, Mnemonic.Scasb, Mnemonic.Scasw, Mnemonic.Scasd, Mnemonic.Scasq,
        Mnemonic.Cmpsb, Mnemonic.Cmpsw, Mnemonic.Cmpsd, Mnemonic.Cmpsq,
    ];

    // Approximations differ between processors by definition; the others move whole states or work on opmask-free cache lines.
    private static readonly HashSet<Mnemonic> NotCompared =
    [
        Mnemonic.Rcpps, Mnemonic.Rcpss, Mnemonic.Rsqrtps, Mnemonic.Rsqrtss, Mnemonic.Vrcpps, Mnemonic.Vrcpss, Mnemonic.Vrsqrtps, Mnemonic.Vrsqrtss,
        Mnemonic.F2xm1, Mnemonic.Fyl2x, Mnemonic.Fyl2xp1, Mnemonic.Fpatan, Mnemonic.Fsin, Mnemonic.Fcos, Mnemonic.Fsincos, Mnemonic.Fptan,
    ];

    public static SnippetFamily Integer { get; } = new("arithmetic", Select(i => IsBase(i) && Arithmetic.Contains(i.Mnemonic)), 8);

    public static SnippetFamily Shift { get; } = new("shift", Select(i => IsBase(i) && Shifts.Contains(i.Mnemonic)), 8);

    public static SnippetFamily Move { get; } = new("move", Select(i => IsBase(i) && Moves.Contains(i.Mnemonic)), 8);

    public static SnippetFamily String { get; } = new("string", Select(i => Strings.Contains(i.Mnemonic) && i.Code.Encoding() == EncodingKind.Legacy && !IsVector(i)), 3);

    public static SnippetFamily Condition { get; } = new("condition", Select(i => IsBase(i) && IsConditional(i.Mnemonic)), 8);

    public static SnippetFamily Mixed { get; } = new("mixed", [.. Integer.Codes, .. Shift.Codes, .. Move.Codes, .. Condition.Codes, .. Condition.Codes], 12);

    public static SnippetFamily Simd { get; } = new("simd", Select(i => IsVector(i) && !NotCompared.Contains(i.Mnemonic) && LiftTable.For(i.Mnemonic).Method is not null), 6);

    public static SnippetFamily X87 { get; } = new("x87", Select(i => IsX87(i) && !NotCompared.Contains(i.Mnemonic) && LiftTable.For(i.Mnemonic).Method is not null), 6);

    /// <summary>All that needs VEX and vector registers; empty where the host has no AVX2.</summary>
    public static SnippetFamily Avx { get; } = new("avx", Select(IsAvx, EncodingKind.VEX), 6);

    /// <summary>FMA3 and F16C, apart because their cases are the hard ones.</summary>
    public static SnippetFamily Fused { get; } = new("fma", [.. Avx.Codes.Where(code => code.CpuidFeatures()[0] is CpuidFeature.FMA or CpuidFeature.F16C)], 3);

    public static SnippetFamily Bits { get; } = new("bmi", [.. Select(i => IsBits(i.Code), EncodingKind.VEX), .. Select(i => IsBits(i.Code))], 8);

    public static IReadOnlyList<SnippetFamily> All { get; } =
        [Integer, Shift, Move, String, Condition, Mixed, Simd, X87, .. NativeSnippet.UpperHalves > 0 ? [Avx, Fused, Bits] : Array.Empty<SnippetFamily>()];

    public override string ToString() => Name;

    private static bool IsConditional(Mnemonic mnemonic) =>
        mnemonic.ToString() is var name && (name.StartsWith("Set", StringComparison.Ordinal) || name.StartsWith("Cmov", StringComparison.Ordinal)
            || (mnemonic is >= Mnemonic.Ja and <= Mnemonic.Js and not (Mnemonic.Jmp or Mnemonic.Jmpe)) || name is "Loop" or "Loope" or "Loopne");

    private static bool IsVector(OpCodeInfo info)
    {
        for (int i = 0; i < info.OpCount; i++)
        {
            if (info.GetOpKind(i) is OpCodeOperandKind.mm_reg or OpCodeOperandKind.mm_rm or OpCodeOperandKind.mm_or_mem
                or OpCodeOperandKind.xmm_reg or OpCodeOperandKind.xmm_rm or OpCodeOperandKind.xmm_or_mem)
            {
                return true;
            }
        }

        return info.Mnemonic is Mnemonic.Emms or Mnemonic.Ldmxcsr or Mnemonic.Stmxcsr;
    }

    private static bool IsAvx(OpCodeInfo info) => !NotCompared.Contains(info.Mnemonic) && LiftTable.For(info.Mnemonic).Method is not null
        && info.Code.CpuidFeatures().All(feature => feature is CpuidFeature.AVX or CpuidFeature.AVX2 or CpuidFeature.FMA or CpuidFeature.F16C
            || (feature is CpuidFeature.AES or CpuidFeature.PCLMULQDQ && Aes.IsSupported)
            || (feature is CpuidFeature.VAES or CpuidFeature.VPCLMULQDQ && Pclmulqdq.V256.IsSupported));

    private static bool IsBits(Code code) => code.CpuidFeatures() is [CpuidFeature.BMI1 or CpuidFeature.BMI2 or CpuidFeature.ADX, ..];

    private static bool IsX87(OpCodeInfo info) => info.Mnemonic.ToString()[0] == 'F'
        && info.Code.CpuidFeatures() is { Length: > 0 } features
        && (features[0].ToString().StartsWith("FPU", StringComparison.Ordinal) || features[0] == CpuidFeature.SSE3)
        && info.Mnemonic is not (Mnemonic.Fnsetpm or Mnemonic.Fnsave or Mnemonic.Frstor or Mnemonic.Fnstenv or Mnemonic.Fldenv);

    private static bool IsBase(OpCodeInfo info) => info.Encoding == EncodingKind.Legacy && !IsVector(info);

    private static List<Code> Select(Func<OpCodeInfo, bool> wanted, EncodingKind encoding = EncodingKind.Legacy)
    {
        var codes = new List<Code>();
        foreach (Code code in Enum.GetValues<Code>())
        {
            OpCodeInfo info = code.ToOpCode();
            if (info is { IsInstruction: true, Mode64: true } && info.Encoding == encoding && !NeverHere(info) && wanted(info) && !IsShortNearBranch(code))
            {
                codes.Add(code);
            }
        }

        return codes;
    }

    // With an operand-size prefix, AMD processors cut the target to 16 bits.
    private static bool IsShortNearBranch(Code code) => code.ToString() is var name
        && (name[0] is 'J' or 'L') && name.Contains("_rel", StringComparison.Ordinal) && !name.Contains("_64", StringComparison.Ordinal);

    // Forms that only other vendors' processors have, or that name system registers.
    private static bool NeverHere(OpCodeInfo info)
    {
        if (info.IsPrivileged || info.Code.CpuidFeatures().Any(f => f is CpuidFeature.CYRIX_FPU or CpuidFeature.CYRIX_D3NOW or CpuidFeature.D3NOW or CpuidFeature.SSE4A))
        {
            return true;
        }

        // 0F 0D is PREFETCHW: its register form is #UD on AMD processors and a hint on Intel's.
        if (info.Code is Code.Reservednop_rm16_r16_0F0D or Code.Reservednop_rm32_r32_0F0D or Code.Reservednop_rm64_r64_0F0D)
        {
            return true;
        }

        for (int i = 0; i < info.OpCount; i++)
        {
            if (info.GetOpKind(i) is OpCodeOperandKind.seg_reg or OpCodeOperandKind.cr_reg or OpCodeOperandKind.dr_reg or OpCodeOperandKind.tr_reg
                or OpCodeOperandKind.es or OpCodeOperandKind.cs or OpCodeOperandKind.ss or OpCodeOperandKind.ds or OpCodeOperandKind.fs or OpCodeOperandKind.gs)
            {
                return true;
            }
        }

        return false;
    }
}
