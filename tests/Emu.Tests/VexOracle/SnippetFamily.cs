using System.Runtime.Intrinsics.X86;
using Emu.Frontend.X86.Lift;
using Iced.Intel;

namespace Emu.Tests.VexOracle;

/// <summary>A set of instruction forms that cases are made of.</summary>
/// <param name="Name">Name of the family.</param>
/// <param name="Codes">The forms.</param>
/// <param name="MaxLength">Most instructions in a sequence.</param>
internal sealed record SnippetFamily(string Name, IReadOnlyList<Code> Codes, int MaxLength)
{
    // Approximations differ between processors by definition; the others move whole states or work on opmask-free cache lines.
    private static readonly HashSet<Mnemonic> NotCompared =
    [
        Mnemonic.Rcpps, Mnemonic.Rcpss, Mnemonic.Rsqrtps, Mnemonic.Rsqrtss, Mnemonic.Vrcpps, Mnemonic.Vrcpss, Mnemonic.Vrsqrtps, Mnemonic.Vrsqrtss,
        Mnemonic.F2xm1, Mnemonic.Fyl2x, Mnemonic.Fyl2xp1, Mnemonic.Fpatan, Mnemonic.Fsin, Mnemonic.Fcos, Mnemonic.Fsincos, Mnemonic.Fptan,
    ];

    /// <summary>All that needs VEX and vector registers; empty where the host has no AVX2.</summary>
    public static SnippetFamily Avx { get; } = new("avx", Select(IsAvx, EncodingKind.VEX), 6);

    /// <summary>FMA3 and F16C, apart because their cases are the hard ones.</summary>
    public static SnippetFamily Fused { get; } = new("fma", [.. Avx.Codes.Where(code => code.CpuidFeatures()[0] is CpuidFeature.FMA or CpuidFeature.F16C)], 3);

    public static SnippetFamily Bits { get; } = new("bmi", [.. Select(i => IsBits(i.Code), EncodingKind.VEX), .. Select(i => IsBits(i.Code))], 8);

    /// <summary>All; none where the host has no AVX.</summary>
    public static IReadOnlyList<SnippetFamily> All { get; } = NativeSnippet.UpperHalves > 0 ? [Avx, Fused, Bits] : [];

    public override string ToString() => Name;

    private static bool IsAvx(OpCodeInfo info) => !NotCompared.Contains(info.Mnemonic) && LiftTable.For(info.Mnemonic).Method is not null
        && info.Code.CpuidFeatures().All(feature => feature is CpuidFeature.AVX or CpuidFeature.AVX2 or CpuidFeature.FMA or CpuidFeature.F16C
            || (feature is CpuidFeature.AES or CpuidFeature.PCLMULQDQ && Aes.IsSupported)
            || (feature is CpuidFeature.VAES or CpuidFeature.VPCLMULQDQ && Pclmulqdq.V256.IsSupported));

    private static bool IsBits(Code code) => code.CpuidFeatures() is [CpuidFeature.BMI1 or CpuidFeature.BMI2 or CpuidFeature.ADX, ..];

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
