namespace Emu.Core.Cpu;

#pragma warning disable CS1591 // The members are named as on the command line; CpuFeatureTable says where each bit lives.

/// <summary>CPU features that the emulator knows by name. <see cref="CpuFeatureTable"/> has their CPUID bits.</summary>
public enum CpuFeature
{
    Fpu, Vme, De, Pse, Tsc, Msr, Pae, Mce, Cx8, Apic, Sep, Mtrr, Pge, Mca, Cmov, Pat, Pse36, Clflush, Mmx, Fxsr, Sse, Sse2, Ss, Ht,
    Sse3, Pclmulqdq, Monitor, Vmx, Ssse3, Fma, Cx16, Pcid, Sse41, Sse42, X2apic, Movbe, Popcnt, TscDeadline, Aes, Xsave, Avx, F16c, Rdrand, Hypervisor,
    Arat,
    Fsgsbase, TscAdjust, Bmi1, Hle, Avx2, Smep, Bmi2, Erms, Invpcid, Rtm, Mpx, Avx512f, Avx512dq, Rdseed, Adx, Smap, Clflushopt, Clwb, ShaNi,
    Avx512bw, Avx512vl, Umip, Pku, Gfni, Vaes, Vpclmulqdq, La57, Rdpid, Fsrm, SpecCtrl, ArchCapabilities, Ssbd,
    Xsaveopt, Xsavec, Xgetbv1, Xsaves,
    LahfLm, CmpLegacy, Svm, Cr8legacy, Abm, Sse4a, Misalignsse, Prefetchw, Xop, Fma4, Tbm, Topoext,
    Syscall, Nx, Mmxext, FxsrOpt, Pdpe1gb, Rdtscp, Lm, Amd3dnowext, Amd3dnow,
    Invtsc, Wbnoinvd,
}

#pragma warning restore CS1591

/// <summary>A CPUID output register.</summary>
public enum CpuidRegister
{
    /// <summary>EAX.</summary>
    Eax,

    /// <summary>EBX.</summary>
    Ebx,

    /// <summary>ECX.</summary>
    Ecx,

    /// <summary>EDX.</summary>
    Edx,
}

/// <summary>One feature: its name on the command line (QEMU's) and its CPUID bit.</summary>
/// <param name="Feature">The feature.</param>
/// <param name="Name">Name with dashes; underscores and dots are accepted for them.</param>
/// <param name="Leaf">CPUID leaf.</param>
/// <param name="Subleaf">CPUID subleaf.</param>
/// <param name="Register">Output register.</param>
/// <param name="Bit">Bit number.</param>
/// <param name="Implemented">The software CPU has it; only then may a model contain it.</param>
/// <param name="InQemu64">Part of the model qemu64 (once implemented).</param>
public sealed record CpuFeatureInfo(CpuFeature Feature, string Name, uint Leaf, uint Subleaf, CpuidRegister Register, int Bit, bool Implemented, bool InQemu64);

/// <summary>The feature table (SDM vol. 2, CPUID; AMD APM vol. 3, appendix E).</summary>
public static class CpuFeatureTable
{
    private const bool Y = true;
    private const bool o = false;

    /// <summary>All features, one row each: name, CPUID bit, implemented by the software CPU, part of qemu64.</summary>
    public static IReadOnlyList<CpuFeatureInfo> All { get; } =
    [
        //                             name                 leaf         sub register           bit impl qemu64
        new(CpuFeature.Fpu,              "fpu",               0x0000_0001, 0, CpuidRegister.Edx,  0, Y, Y),
        new(CpuFeature.Vme,              "vme",               0x0000_0001, 0, CpuidRegister.Edx,  1, o, o),
        new(CpuFeature.De,               "de",                0x0000_0001, 0, CpuidRegister.Edx,  2, Y, Y),
        new(CpuFeature.Pse,              "pse",               0x0000_0001, 0, CpuidRegister.Edx,  3, Y, Y),
        new(CpuFeature.Tsc,              "tsc",               0x0000_0001, 0, CpuidRegister.Edx,  4, Y, Y),
        new(CpuFeature.Msr,              "msr",               0x0000_0001, 0, CpuidRegister.Edx,  5, Y, Y),
        new(CpuFeature.Pae,              "pae",               0x0000_0001, 0, CpuidRegister.Edx,  6, Y, Y),
        new(CpuFeature.Mce,              "mce",               0x0000_0001, 0, CpuidRegister.Edx,  7, Y, Y),
        new(CpuFeature.Cx8,              "cx8",               0x0000_0001, 0, CpuidRegister.Edx,  8, Y, Y),
        new(CpuFeature.Apic,             "apic",              0x0000_0001, 0, CpuidRegister.Edx,  9, Y, Y),
        new(CpuFeature.Sep,              "sep",               0x0000_0001, 0, CpuidRegister.Edx, 11, Y, Y),
        new(CpuFeature.Mtrr,             "mtrr",              0x0000_0001, 0, CpuidRegister.Edx, 12, Y, Y),
        new(CpuFeature.Pge,              "pge",               0x0000_0001, 0, CpuidRegister.Edx, 13, Y, Y),
        new(CpuFeature.Mca,              "mca",               0x0000_0001, 0, CpuidRegister.Edx, 14, Y, Y),
        new(CpuFeature.Cmov,             "cmov",              0x0000_0001, 0, CpuidRegister.Edx, 15, Y, Y),
        new(CpuFeature.Pat,              "pat",               0x0000_0001, 0, CpuidRegister.Edx, 16, Y, Y),
        new(CpuFeature.Pse36,            "pse36",             0x0000_0001, 0, CpuidRegister.Edx, 17, Y, Y),
        new(CpuFeature.Clflush,          "clflush",           0x0000_0001, 0, CpuidRegister.Edx, 19, Y, Y),
        new(CpuFeature.Mmx,              "mmx",               0x0000_0001, 0, CpuidRegister.Edx, 23, Y, Y),
        new(CpuFeature.Fxsr,             "fxsr",              0x0000_0001, 0, CpuidRegister.Edx, 24, Y, Y),
        new(CpuFeature.Sse,              "sse",               0x0000_0001, 0, CpuidRegister.Edx, 25, Y, Y),
        new(CpuFeature.Sse2,             "sse2",              0x0000_0001, 0, CpuidRegister.Edx, 26, Y, Y),
        new(CpuFeature.Ss,               "ss",                0x0000_0001, 0, CpuidRegister.Edx, 27, o, o),
        new(CpuFeature.Ht,               "ht",                0x0000_0001, 0, CpuidRegister.Edx, 28, o, o),
        new(CpuFeature.Sse3,             "pni",               0x0000_0001, 0, CpuidRegister.Ecx,  0, Y, Y),
        new(CpuFeature.Pclmulqdq,        "pclmulqdq",         0x0000_0001, 0, CpuidRegister.Ecx,  1, Y, o),
        new(CpuFeature.Monitor,          "monitor",           0x0000_0001, 0, CpuidRegister.Ecx,  3, o, o),
        new(CpuFeature.Vmx,              "vmx",               0x0000_0001, 0, CpuidRegister.Ecx,  5, o, o),
        new(CpuFeature.Ssse3,            "ssse3",             0x0000_0001, 0, CpuidRegister.Ecx,  9, Y, o),
        new(CpuFeature.Fma,              "fma",               0x0000_0001, 0, CpuidRegister.Ecx, 12, Y, o),
        new(CpuFeature.Cx16,             "cx16",              0x0000_0001, 0, CpuidRegister.Ecx, 13, Y, Y),
        new(CpuFeature.Pcid,             "pcid",              0x0000_0001, 0, CpuidRegister.Ecx, 17, Y, o),
        new(CpuFeature.Sse41,            "sse4-1",            0x0000_0001, 0, CpuidRegister.Ecx, 19, Y, o),
        new(CpuFeature.Sse42,            "sse4-2",            0x0000_0001, 0, CpuidRegister.Ecx, 20, Y, o),
        new(CpuFeature.X2apic,           "x2apic",            0x0000_0001, 0, CpuidRegister.Ecx, 21, Y, o),
        new(CpuFeature.Movbe,            "movbe",             0x0000_0001, 0, CpuidRegister.Ecx, 22, Y, o),
        new(CpuFeature.Popcnt,           "popcnt",            0x0000_0001, 0, CpuidRegister.Ecx, 23, Y, o),
        new(CpuFeature.TscDeadline,      "tsc-deadline",      0x0000_0001, 0, CpuidRegister.Ecx, 24, Y, o),
        new(CpuFeature.Aes,              "aes",               0x0000_0001, 0, CpuidRegister.Ecx, 25, Y, o),
        new(CpuFeature.Xsave,            "xsave",             0x0000_0001, 0, CpuidRegister.Ecx, 26, Y, o),
        new(CpuFeature.Avx,              "avx",               0x0000_0001, 0, CpuidRegister.Ecx, 28, Y, o),
        new(CpuFeature.F16c,             "f16c",              0x0000_0001, 0, CpuidRegister.Ecx, 29, Y, o),
        new(CpuFeature.Rdrand,           "rdrand",            0x0000_0001, 0, CpuidRegister.Ecx, 30, Y, o),
        new(CpuFeature.Hypervisor,       "hypervisor",        0x0000_0001, 0, CpuidRegister.Ecx, 31, Y, Y),
        new(CpuFeature.Arat,             "arat",              0x0000_0006, 0, CpuidRegister.Eax,  2, Y, o),
        new(CpuFeature.Fsgsbase,         "fsgsbase",          0x0000_0007, 0, CpuidRegister.Ebx,  0, Y, o),
        new(CpuFeature.TscAdjust,        "tsc-adjust",        0x0000_0007, 0, CpuidRegister.Ebx,  1, Y, o),
        new(CpuFeature.Bmi1,             "bmi1",              0x0000_0007, 0, CpuidRegister.Ebx,  3, Y, o),
        new(CpuFeature.Hle,              "hle",               0x0000_0007, 0, CpuidRegister.Ebx,  4, o, o),
        new(CpuFeature.Avx2,             "avx2",              0x0000_0007, 0, CpuidRegister.Ebx,  5, Y, o),
        new(CpuFeature.Smep,             "smep",              0x0000_0007, 0, CpuidRegister.Ebx,  7, Y, o),
        new(CpuFeature.Bmi2,             "bmi2",              0x0000_0007, 0, CpuidRegister.Ebx,  8, Y, o),
        new(CpuFeature.Erms,             "erms",              0x0000_0007, 0, CpuidRegister.Ebx,  9, Y, o),
        new(CpuFeature.Invpcid,          "invpcid",           0x0000_0007, 0, CpuidRegister.Ebx, 10, Y, o),
        new(CpuFeature.Rtm,              "rtm",               0x0000_0007, 0, CpuidRegister.Ebx, 11, o, o),
        new(CpuFeature.Mpx,              "mpx",               0x0000_0007, 0, CpuidRegister.Ebx, 14, o, o),
        new(CpuFeature.Avx512f,          "avx512f",           0x0000_0007, 0, CpuidRegister.Ebx, 16, o, o),
        new(CpuFeature.Avx512dq,         "avx512dq",          0x0000_0007, 0, CpuidRegister.Ebx, 17, o, o),
        new(CpuFeature.Rdseed,           "rdseed",            0x0000_0007, 0, CpuidRegister.Ebx, 18, Y, o),
        new(CpuFeature.Adx,              "adx",               0x0000_0007, 0, CpuidRegister.Ebx, 19, Y, o),
        new(CpuFeature.Smap,             "smap",              0x0000_0007, 0, CpuidRegister.Ebx, 20, Y, o),
        new(CpuFeature.Clflushopt,       "clflushopt",        0x0000_0007, 0, CpuidRegister.Ebx, 23, Y, o),
        new(CpuFeature.Clwb,             "clwb",              0x0000_0007, 0, CpuidRegister.Ebx, 24, Y, o),
        new(CpuFeature.ShaNi,            "sha-ni",            0x0000_0007, 0, CpuidRegister.Ebx, 29, Y, o),
        new(CpuFeature.Avx512bw,         "avx512bw",          0x0000_0007, 0, CpuidRegister.Ebx, 30, o, o),
        new(CpuFeature.Avx512vl,         "avx512vl",          0x0000_0007, 0, CpuidRegister.Ebx, 31, o, o),
        new(CpuFeature.Umip,             "umip",              0x0000_0007, 0, CpuidRegister.Ecx,  2, Y, o),
        new(CpuFeature.Pku,              "pku",               0x0000_0007, 0, CpuidRegister.Ecx,  3, o, o),
        new(CpuFeature.Gfni,             "gfni",              0x0000_0007, 0, CpuidRegister.Ecx,  8, o, o),
        new(CpuFeature.Vaes,             "vaes",              0x0000_0007, 0, CpuidRegister.Ecx,  9, Y, o),
        new(CpuFeature.Vpclmulqdq,       "vpclmulqdq",        0x0000_0007, 0, CpuidRegister.Ecx, 10, Y, o),
        new(CpuFeature.La57,             "la57",              0x0000_0007, 0, CpuidRegister.Ecx, 16, o, o),
        new(CpuFeature.Rdpid,            "rdpid",             0x0000_0007, 0, CpuidRegister.Ecx, 22, Y, o),
        new(CpuFeature.Fsrm,             "fsrm",              0x0000_0007, 0, CpuidRegister.Edx,  4, Y, o),
        new(CpuFeature.SpecCtrl,         "spec-ctrl",         0x0000_0007, 0, CpuidRegister.Edx, 26, o, o),
        new(CpuFeature.ArchCapabilities, "arch-capabilities", 0x0000_0007, 0, CpuidRegister.Edx, 29, o, o),
        new(CpuFeature.Ssbd,             "ssbd",              0x0000_0007, 0, CpuidRegister.Edx, 31, o, o),
        new(CpuFeature.Xsaveopt,         "xsaveopt",          0x0000_000d, 1, CpuidRegister.Eax,  0, Y, o),
        new(CpuFeature.Xsavec,           "xsavec",            0x0000_000d, 1, CpuidRegister.Eax,  1, Y, o),
        new(CpuFeature.Xgetbv1,          "xgetbv1",           0x0000_000d, 1, CpuidRegister.Eax,  2, Y, o),
        new(CpuFeature.Xsaves,           "xsaves",            0x0000_000d, 1, CpuidRegister.Eax,  3, o, o),
        new(CpuFeature.LahfLm,           "lahf-lm",           0x8000_0001, 0, CpuidRegister.Ecx,  0, Y, Y),
        new(CpuFeature.CmpLegacy,        "cmp-legacy",        0x8000_0001, 0, CpuidRegister.Ecx,  1, o, o),
        new(CpuFeature.Svm,              "svm",               0x8000_0001, 0, CpuidRegister.Ecx,  2, o, Y),
        new(CpuFeature.Cr8legacy,        "cr8legacy",         0x8000_0001, 0, CpuidRegister.Ecx,  4, o, o),
        new(CpuFeature.Abm,              "abm",               0x8000_0001, 0, CpuidRegister.Ecx,  5, Y, o),
        new(CpuFeature.Sse4a,            "sse4a",             0x8000_0001, 0, CpuidRegister.Ecx,  6, o, o),
        new(CpuFeature.Misalignsse,      "misalignsse",       0x8000_0001, 0, CpuidRegister.Ecx,  7, o, o),
        new(CpuFeature.Prefetchw,        "3dnowprefetch",     0x8000_0001, 0, CpuidRegister.Ecx,  8, Y, o),
        new(CpuFeature.Xop,              "xop",               0x8000_0001, 0, CpuidRegister.Ecx, 11, o, o),
        new(CpuFeature.Fma4,             "fma4",              0x8000_0001, 0, CpuidRegister.Ecx, 16, o, o),
        new(CpuFeature.Tbm,              "tbm",               0x8000_0001, 0, CpuidRegister.Ecx, 21, o, o),
        new(CpuFeature.Topoext,          "topoext",           0x8000_0001, 0, CpuidRegister.Ecx, 22, o, o),
        new(CpuFeature.Syscall,          "syscall",           0x8000_0001, 0, CpuidRegister.Edx, 11, Y, Y),
        new(CpuFeature.Nx,               "nx",                0x8000_0001, 0, CpuidRegister.Edx, 20, Y, Y),
        new(CpuFeature.Mmxext,           "mmxext",            0x8000_0001, 0, CpuidRegister.Edx, 22, o, o),
        new(CpuFeature.FxsrOpt,          "fxsr-opt",          0x8000_0001, 0, CpuidRegister.Edx, 25, o, o),
        new(CpuFeature.Pdpe1gb,          "pdpe1gb",           0x8000_0001, 0, CpuidRegister.Edx, 26, Y, o),
        new(CpuFeature.Rdtscp,           "rdtscp",            0x8000_0001, 0, CpuidRegister.Edx, 27, Y, o),
        new(CpuFeature.Lm,               "lm",                0x8000_0001, 0, CpuidRegister.Edx, 29, Y, Y),
        new(CpuFeature.Amd3dnowext,      "3dnowext",          0x8000_0001, 0, CpuidRegister.Edx, 30, o, o),
        new(CpuFeature.Amd3dnow,         "3dnow",             0x8000_0001, 0, CpuidRegister.Edx, 31, o, o),
        new(CpuFeature.Invtsc,           "invtsc",            0x8000_0007, 0, CpuidRegister.Edx,  8, Y, o),
        new(CpuFeature.Wbnoinvd,         "wbnoinvd",          0x8000_0008, 0, CpuidRegister.Ebx,  9, o, o),
    ];

    private static readonly Dictionary<string, string> Synonyms = new()
    {
        ["sse3"] = "pni",
        ["sse4.1"] = "sse4-1",
        ["sse4.2"] = "sse4-2",
        ["xd"] = "nx",
        ["i64"] = "lm",
        ["ffxsr"] = "fxsr-opt",
    };

    private static readonly Dictionary<string, CpuFeatureInfo> ByName = All.ToDictionary(feature => feature.Name);

    /// <summary>The feature called <paramref name="name"/> on the command line, or null.</summary>
    public static CpuFeatureInfo? Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        string key = name.ToLowerInvariant().Replace('_', '-');
        key = Synonyms.GetValueOrDefault(key, key.Replace('.', '-'));
        return ByName.GetValueOrDefault(key);
    }
}
