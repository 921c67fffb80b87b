using Emu.Core.Cpu;
using Emu.Frontend.X86.Lift;
using Iced.Intel;

namespace Emu.Tests.Lift;

/// <summary>What CPUID says must be there: every encoding of an advertised feature has a row in the lifter's tables.</summary>
public sealed class CoverageTests
{
    private static readonly Dictionary<CpuidFeature, CpuFeature?> Advertised = new()
    {
        [CpuidFeature.INTEL8086] = null,
        [CpuidFeature.INTEL186] = null,
        [CpuidFeature.INTEL286] = null,
        [CpuidFeature.INTEL386] = null,
        [CpuidFeature.INTEL486] = null,
        [CpuidFeature.X64] = null,
        [CpuidFeature.FPU] = CpuFeature.Fpu,
        [CpuidFeature.FPU287] = CpuFeature.Fpu,
        [CpuidFeature.FPU387] = CpuFeature.Fpu,
        [CpuidFeature.CMOV] = CpuFeature.Cmov,
        [CpuidFeature.CX8] = CpuFeature.Cx8,
        [CpuidFeature.CMPXCHG16B] = CpuFeature.Cx16,
        [CpuidFeature.TSC] = CpuFeature.Tsc,
        [CpuidFeature.MSR] = CpuFeature.Msr,
        [CpuidFeature.SEP] = CpuFeature.Sep,
        [CpuidFeature.SYSCALL] = CpuFeature.Syscall,
        [CpuidFeature.MMX] = CpuFeature.Mmx,
        [CpuidFeature.FXSR] = CpuFeature.Fxsr,
        [CpuidFeature.SSE] = CpuFeature.Sse,
        [CpuidFeature.SSE2] = CpuFeature.Sse2,
        [CpuidFeature.SSE3] = CpuFeature.Sse3,
        [CpuidFeature.SSSE3] = CpuFeature.Ssse3,
        [CpuidFeature.SSE4_1] = CpuFeature.Sse41,
        [CpuidFeature.SSE4_2] = CpuFeature.Sse42,
        [CpuidFeature.AES] = CpuFeature.Aes,
        [CpuidFeature.PCLMULQDQ] = CpuFeature.Pclmulqdq,
        [CpuidFeature.SHA] = CpuFeature.ShaNi,
        [CpuidFeature.POPCNT] = CpuFeature.Popcnt,
        [CpuidFeature.LZCNT] = CpuFeature.Abm,
        [CpuidFeature.MOVBE] = CpuFeature.Movbe,
        [CpuidFeature.XSAVE] = CpuFeature.Xsave,
        [CpuidFeature.FSGSBASE] = CpuFeature.Fsgsbase,
        [CpuidFeature.SMAP] = CpuFeature.Smap,
        [CpuidFeature.INVPCID] = CpuFeature.Invpcid,
        [CpuidFeature.RDTSCP] = CpuFeature.Rdtscp,
        [CpuidFeature.AVX] = CpuFeature.Avx,
        [CpuidFeature.AVX2] = CpuFeature.Avx2,
        [CpuidFeature.FMA] = CpuFeature.Fma,
        [CpuidFeature.F16C] = CpuFeature.F16c,
        [CpuidFeature.VAES] = CpuFeature.Vaes,
        [CpuidFeature.VPCLMULQDQ] = CpuFeature.Vpclmulqdq,
        [CpuidFeature.BMI1] = CpuFeature.Bmi1,
        [CpuidFeature.BMI2] = CpuFeature.Bmi2,
        [CpuidFeature.ADX] = CpuFeature.Adx,
        [CpuidFeature.RDRAND] = CpuFeature.Rdrand,
        [CpuidFeature.RDSEED] = CpuFeature.Rdseed,
        [CpuidFeature.RDPID] = CpuFeature.Rdpid,
        [CpuidFeature.XSAVEOPT] = CpuFeature.Xsaveopt,
        [CpuidFeature.XSAVEC] = CpuFeature.Xsavec,
        [CpuidFeature.CLFSH] = CpuFeature.Clflush,
        [CpuidFeature.CLFLUSHOPT] = CpuFeature.Clflushopt,
        [CpuidFeature.CLWB] = CpuFeature.Clwb,
        [CpuidFeature.PREFETCHW] = CpuFeature.Prefetchw,
    };

    // Encodings that no processor of the model's generation has, or that Iced lists for other makers' chips.
    private static readonly HashSet<Mnemonic> NotOnThisProcessor =
    [
        Mnemonic.Loadall, Mnemonic.Fstpnce, Mnemonic.Ftstp, Mnemonic.Frstpm, Mnemonic.Fstdw, Mnemonic.Fstsg, Mnemonic.Fnsetpm,
        Mnemonic.Fsetpm, Mnemonic.Ud0, Mnemonic.Ud1, Mnemonic.Ud2, Mnemonic.Zero_bytes, Mnemonic.Xbts, Mnemonic.Ibts, Mnemonic.Umov,
    ];

    // FWAIT and another instruction: the decoder yields two.
    private static readonly HashSet<Mnemonic> WaitForms =
        [Mnemonic.Fstenv, Mnemonic.Fstcw, Mnemonic.Fstsw, Mnemonic.Fsave, Mnemonic.Finit, Mnemonic.Fclex, Mnemonic.Feni, Mnemonic.Fdisi];

    [Fact]
    public void MaxModel_EveryEncodingOfAnAdvertisedFeature_HasARow()
    {
        CpuModel model = CpuModel.Parse("max");
        var missing = new List<string>();
        foreach (Code code in Enum.GetValues<Code>())
        {
            OpCodeInfo info = code.ToOpCode();
            bool plain = info.IsInstruction && info.Encoding is EncodingKind.Legacy or EncodingKind.VEX && !NotOnThisProcessor.Contains(code.Mnemonic()) && !WaitForms.Contains(code.Mnemonic());
            bool advertised = plain && code.CpuidFeatures().ToArray().All(feature => Advertised.TryGetValue(feature, out CpuFeature? needed) && (needed is null || model.Has(needed.Value)));
            if (advertised && LiftTable.For(code.Mnemonic()).Method is null)
            {
                missing.Add(code.ToString());
            }
        }

        Assert.True(missing.Count == 0, string.Join(", ", missing));
    }
}
