using Emu.Core.Cpu;
using Emu.Frontend.X86.Lift;
using Iced.Intel;

namespace Emu.Diff.Cases;

/// <summary>Which instruction forms there are to compare, under the names that <c>--isa</c> takes; and which are not, with the reason.</summary>
internal static class FormTable
{
    private const string FarTransfer = "far transfers and gates: tests/Emu.Tests/X86System";

    /// <summary>The reason of <see cref="WhyNot"/> for what the CPU model offers and the lifter lacks.</summary>
    public const string NotImplemented = "not implemented";

    private static readonly Dictionary<string, Mnemonic[]> Topics = new(StringComparer.Ordinal)
    {
        ["arithmetic"] =
        [
            Mnemonic.Add, Mnemonic.Or, Mnemonic.Adc, Mnemonic.Sbb, Mnemonic.And, Mnemonic.Sub, Mnemonic.Xor, Mnemonic.Cmp, Mnemonic.Test,
            Mnemonic.Inc, Mnemonic.Dec, Mnemonic.Neg, Mnemonic.Not, Mnemonic.Imul, Mnemonic.Mul, Mnemonic.Div, Mnemonic.Idiv, Mnemonic.Xadd,
            Mnemonic.Cmpxchg, Mnemonic.Cmpxchg8b, Mnemonic.Cmpxchg16b, Mnemonic.Clc, Mnemonic.Stc, Mnemonic.Cmc, Mnemonic.Lahf, Mnemonic.Sahf,
            Mnemonic.Cbw, Mnemonic.Cwde, Mnemonic.Cdqe, Mnemonic.Cwd, Mnemonic.Cdq, Mnemonic.Cqo, Mnemonic.Aaa, Mnemonic.Aas, Mnemonic.Aad,
            Mnemonic.Aam, Mnemonic.Daa, Mnemonic.Das, Mnemonic.Salc, Mnemonic.Crc32,
        ],
        ["shift"] =
        [
            Mnemonic.Shl, Mnemonic.Sal, Mnemonic.Shr, Mnemonic.Sar, Mnemonic.Rol, Mnemonic.Ror, Mnemonic.Rcl, Mnemonic.Rcr, Mnemonic.Shld,
            Mnemonic.Shrd, Mnemonic.Bt, Mnemonic.Bts, Mnemonic.Btr, Mnemonic.Btc, Mnemonic.Bsf, Mnemonic.Bsr, Mnemonic.Bswap,
            Mnemonic.Popcnt, Mnemonic.Lzcnt, Mnemonic.Tzcnt,
        ],
        ["move"] =
        [
            Mnemonic.Mov, Mnemonic.Movzx, Mnemonic.Movsx, Mnemonic.Movsxd, Mnemonic.Movbe, Mnemonic.Movnti, Mnemonic.Xchg, Mnemonic.Lea,
            Mnemonic.Push, Mnemonic.Pop, Mnemonic.Pushf, Mnemonic.Pushfd, Mnemonic.Pushfq, Mnemonic.Popf, Mnemonic.Popfd, Mnemonic.Popfq,
            Mnemonic.Pusha, Mnemonic.Pushad, Mnemonic.Popa, Mnemonic.Popad, Mnemonic.Enter, Mnemonic.Leave,
            Mnemonic.Xlatb, Mnemonic.Nop, Mnemonic.Reservednop, Mnemonic.Cld, Mnemonic.Std,
        ],
        ["string"] =
        [
            Mnemonic.Movsb, Mnemonic.Movsw, Mnemonic.Movsd, Mnemonic.Movsq, Mnemonic.Stosb, Mnemonic.Stosw, Mnemonic.Stosd, Mnemonic.Stosq,
            Mnemonic.Lodsb, Mnemonic.Lodsw, Mnemonic.Lodsd, Mnemonic.Lodsq, Mnemonic.Scasb, Mnemonic.Scasw, Mnemonic.Scasd, Mnemonic.Scasq,
            Mnemonic.Cmpsb, Mnemonic.Cmpsw, Mnemonic.Cmpsd, Mnemonic.Cmpsq,
        ],
    };

    /// <summary>Mnemonics that no case is made of.</summary>
    public static IReadOnlyDictionary<Mnemonic, string> NotCompared { get; } = Reasons();

    private static readonly Dictionary<CpuidFeature, (string Group, CpuFeature? Needed)> Groups = new()
    {
        [CpuidFeature.FPU] = ("x87", CpuFeature.Fpu),
        [CpuidFeature.FPU287] = ("x87", CpuFeature.Fpu),
        [CpuidFeature.FPU387] = ("x87", CpuFeature.Fpu),
        [CpuidFeature.CMOV] = ("base", CpuFeature.Cmov),
        [CpuidFeature.CX8] = ("base", CpuFeature.Cx8),
        [CpuidFeature.CMPXCHG16B] = ("base", CpuFeature.Cx16),
        [CpuidFeature.MMX] = ("mmx", CpuFeature.Mmx),
        [CpuidFeature.FXSR] = ("fxsr", CpuFeature.Fxsr),
        [CpuidFeature.SSE] = ("sse", CpuFeature.Sse),
        [CpuidFeature.SSE2] = ("sse2", CpuFeature.Sse2),
        [CpuidFeature.SSE3] = ("sse3", CpuFeature.Sse3),
        [CpuidFeature.SSSE3] = ("ssse3", CpuFeature.Ssse3),
        [CpuidFeature.SSE4_1] = ("sse4.1", CpuFeature.Sse41),
        [CpuidFeature.SSE4_2] = ("sse4.2", CpuFeature.Sse42),
        [CpuidFeature.AES] = ("aes", CpuFeature.Aes),
        [CpuidFeature.PCLMULQDQ] = ("pclmulqdq", CpuFeature.Pclmulqdq),
        [CpuidFeature.SHA] = ("sha", CpuFeature.ShaNi),
        [CpuidFeature.POPCNT] = ("popcnt", CpuFeature.Popcnt),
        [CpuidFeature.LZCNT] = ("lzcnt", CpuFeature.Abm),
        [CpuidFeature.MOVBE] = ("movbe", CpuFeature.Movbe),
        [CpuidFeature.XSAVE] = ("xsave", CpuFeature.Xsave),
        [CpuidFeature.FSGSBASE] = ("fsgsbase", CpuFeature.Fsgsbase),
        [CpuidFeature.AVX] = ("avx", CpuFeature.Avx),
        [CpuidFeature.AVX2] = ("avx2", CpuFeature.Avx2),
        [CpuidFeature.FMA] = ("fma", CpuFeature.Fma),
        [CpuidFeature.F16C] = ("f16c", CpuFeature.F16c),
        [CpuidFeature.VAES] = ("vaes", CpuFeature.Vaes),
        [CpuidFeature.VPCLMULQDQ] = ("vpclmulqdq", CpuFeature.Vpclmulqdq),
        [CpuidFeature.BMI1] = ("bmi1", CpuFeature.Bmi1),
        [CpuidFeature.BMI2] = ("bmi2", CpuFeature.Bmi2),
        [CpuidFeature.ADX] = ("adx", CpuFeature.Adx),
        [CpuidFeature.RDRAND] = ("rdrand", CpuFeature.Rdrand),
        [CpuidFeature.RDSEED] = ("rdseed", CpuFeature.Rdseed),
        [CpuidFeature.PREFETCHW] = ("base", null),
        [CpuidFeature.CLFSH] = ("base", CpuFeature.Clflush),
        [CpuidFeature.CLFLUSHOPT] = ("base", CpuFeature.Clflushopt),
        [CpuidFeature.CLWB] = ("base", CpuFeature.Clwb),
    };

    private static readonly CpuModel Model = CpuModel.Parse("max");

    /// <summary>Every form of every mode that cases may be made of.</summary>
    public static IReadOnlyList<InstructionForm> All { get; } = [.. Enum.GetValues<Code>().Where(code => WhyNot(code) is null).Select(code => new InstructionForm(code))];

    /// <summary>The names that <see cref="Select"/> takes besides mnemonics.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.SelectMany(form => (string[])[form.Group, form.Topic]).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>The forms of <paramref name="names"/> (sets, topics, mnemonics; none for all) in code of <paramref name="bitness"/> bits.</summary>
    /// <exception cref="DiffOptionException">A name is not known.</exception>
    public static InstructionForm[] Select(IReadOnlyList<string> names, int bitness)
    {
        var wanted = new HashSet<string>(names.Select(name => name.ToLowerInvariant()), StringComparer.Ordinal);
        foreach (string name in wanted)
        {
            if (!All.Any(form => Matches(form, name)))
            {
                throw new DiffOptionException($"--isa: '{name}' is no instruction set and no instruction that can be compared; there are {string.Join(", ", Names)}, and mnemonics");
            }
        }

        InstructionForm[] forms = [.. All.Where(form => IsIn(form.Info, bitness) && (wanted.Count == 0 || wanted.Any(name => Matches(form, name))))];
        return forms.Length > 0 ? forms : throw new DiffOptionException($"--isa: nothing of {string.Join(", ", wanted)} exists in {bitness}-bit code");
    }

    /// <summary>Name of the instruction set of a form.</summary>
    public static string GroupOf(OpCodeInfo info)
    {
        CpuidFeature[] features = info.Code.CpuidFeatures();
        CpuidFeature feature = features is [CpuidFeature.AES or CpuidFeature.PCLMULQDQ, CpuidFeature.AVX] ? CpuidFeature.AVX : features[0];
        return Groups.TryGetValue(feature, out (string Group, CpuFeature?) row) ? row.Group : IsOld(feature) ? "base" : feature.ToString().ToLowerInvariant().Replace('_', '.');
    }

    /// <summary>Name of the kind of a form inside its instruction set.</summary>
    public static string TopicOf(OpCodeInfo info)
    {
        string group = GroupOf(info);
        if (group is not ("base" or "popcnt" or "lzcnt" or "movbe" or "bmi1") && info.Mnemonic != Mnemonic.Crc32)
        {
            return group;
        }

        foreach ((string name, Mnemonic[] mnemonics) in Topics)
        {
            if (Array.IndexOf(mnemonics, info.Mnemonic) >= 0)
            {
                return name;
            }
        }

        string text = info.Mnemonic.ToString();
        return text.StartsWith("Set", StringComparison.Ordinal) || text.StartsWith("Cmov", StringComparison.Ordinal) || text.StartsWith("Loop", StringComparison.Ordinal)
            || (text[0] == 'J' && info.Mnemonic != Mnemonic.Jmp) ? "condition"
            : info.Mnemonic is Mnemonic.Jmp or Mnemonic.Call or Mnemonic.Ret ? "branch" : "other";
    }

    /// <summary>True when the form exists in code of <paramref name="bitness"/> bits.</summary>
    public static bool IsIn(OpCodeInfo info, int bitness) => bitness switch { 64 => info.Mode64 && !IsShortNearBranch(info), 32 => info.Mode32, _ => info.Mode16 };

    /// <summary>True when the CPU model offers everything that <paramref name="code"/> belongs to.</summary>
    public static bool IsOffered(Code code) => IsOffered(code, Model.Has);

    /// <summary>True when everything that <paramref name="code"/> belongs to is there, as far as <paramref name="has"/> knows of features.</summary>
    public static bool IsOffered(Code code, Func<CpuFeature, bool> has)
    {
        foreach (CpuidFeature feature in code.CpuidFeatures())
        {
            bool known = Groups.TryGetValue(feature, out (string, CpuFeature? Needed) row);
            if (!(known ? row.Needed is not CpuFeature needed || has(needed) : IsOld(feature)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>True when the lifter has it; what is defined as #UD it need not have.</summary>
    public static bool IsImplemented(Code code) => LiftTable.For(code.Mnemonic()).Method is not null || code.Mnemonic() is Mnemonic.Ud0 or Mnemonic.Ud1 or Mnemonic.Ud2;

    /// <summary>Why no case is made of <paramref name="code"/>, or null.</summary>
    public static string? WhyNot(Code code)
    {
        OpCodeInfo info = code.ToOpCode();
        return !info.IsInstruction ? "no instruction"
            : info.Encoding is not (EncodingKind.Legacy or EncodingKind.VEX) ? "encoding is not implemented"
            : !IsOffered(code) ? "not in the CPU model"
            : NotCompared.TryGetValue(info.Mnemonic, out string? reason) ? reason
            : !IsImplemented(code) ? NotImplemented
            : info.IsPrivileged ? "privileged: tests/Emu.Tests/X86System"
            : OtherVendors(info) ?? Operands(info);
    }

    private static string? OtherVendors(OpCodeInfo info) => info.Code switch
    {
        Code.Reservednop_rm16_r16_0F0D or Code.Reservednop_rm32_r32_0F0D or Code.Reservednop_rm64_r64_0F0D => "PREFETCHW with a register: #UD on AMD, a hint on Intel",
        _ => null,
    };

    // With an operand-size prefix, AMD processors cut the target of a branch in 64-bit code to 16 bits, and Intel's ignore the prefix.
    private static bool IsShortNearBranch(OpCodeInfo info) => info.OpCount > 0 && info.GetOpKind(0) is OpCodeOperandKind.br16_1 or OpCodeOperandKind.br16_2
        || info.Code is Code.Jmp_rm16 or Code.Call_rm16 or Code.Retnw or Code.Retnw_imm16;

    private static string? Operands(OpCodeInfo info)
    {
        if (info.Code is Code.Jmp_m1616 or Code.Jmp_m1632 or Code.Jmp_m1664 or Code.Call_m1616 or Code.Call_m1632 or Code.Call_m1664)
        {
            return FarTransfer;
        }

        for (int i = 0; i < info.OpCount; i++)
        {
            switch (info.GetOpKind(i))
            {
                case OpCodeOperandKind.seg_reg or OpCodeOperandKind.es or OpCodeOperandKind.cs or OpCodeOperandKind.ss or OpCodeOperandKind.ds or OpCodeOperandKind.fs or OpCodeOperandKind.gs:
                    return "segment registers are the host's on some engines";
                case OpCodeOperandKind.cr_reg or OpCodeOperandKind.dr_reg or OpCodeOperandKind.tr_reg:
                    return "system registers: tests/Emu.Tests/X86System";
                case OpCodeOperandKind.farbr2_2 or OpCodeOperandKind.farbr4_2:
                    return FarTransfer;
                case OpCodeOperandKind kind when !CaseGenerator.Makes(kind):
                    return $"operands of kind {kind} are not generated";
            }
        }

        return null;
    }

    private static bool Matches(InstructionForm form, string name) => form.Group == name || form.Topic == name
        || form.Info.Mnemonic.ToString().Equals(name, StringComparison.OrdinalIgnoreCase);

    private static bool IsOld(CpuidFeature feature) => feature is CpuidFeature.INTEL8086 or CpuidFeature.INTEL186 or CpuidFeature.INTEL286 or CpuidFeature.INTEL386
        or CpuidFeature.INTEL486 or CpuidFeature.X64 or CpuidFeature.MULTIBYTENOP or CpuidFeature.PAUSE;

    private static Dictionary<Mnemonic, string> Reasons()
    {
        var reasons = new Dictionary<Mnemonic, string>();
        void Add(string reason, params Mnemonic[] mnemonics)
        {
            foreach (Mnemonic mnemonic in mnemonics)
            {
                reasons[mnemonic] = reason;
            }
        }

        Add("always #UD, as UD2, which is compared; each case costs an exception", Mnemonic.Ud0, Mnemonic.Ud1);
        Add("an approximation that differs between processors", Mnemonic.Rcpps, Mnemonic.Rcpss, Mnemonic.Rsqrtps, Mnemonic.Rsqrtss,
            Mnemonic.Vrcpps, Mnemonic.Vrcpss, Mnemonic.Vrsqrtps, Mnemonic.Vrsqrtss);
        Add("transcendental: within 1 ulp, tests/Emu.Tests/Fpu/X87TranscendentalTests", Mnemonic.F2xm1, Mnemonic.Fyl2x, Mnemonic.Fyl2xp1, Mnemonic.Fpatan, Mnemonic.Fsin,
            Mnemonic.Fcos, Mnemonic.Fsincos, Mnemonic.Fptan);
        Add("stores instruction and data pointers, which processors keep differently: tests/Emu.Tests/Fpu/FpuStateTests", Mnemonic.Fnsave, Mnemonic.Frstor, Mnemonic.Fnstenv, Mnemonic.Fldenv,
            Mnemonic.Fxsave, Mnemonic.Fxsave64, Mnemonic.Fxrstor, Mnemonic.Fxrstor64, Mnemonic.Xsave, Mnemonic.Xsave64, Mnemonic.Xrstor, Mnemonic.Xrstor64);
        Add("FWAIT and another instruction", Mnemonic.Fstenv, Mnemonic.Fstcw, Mnemonic.Fstsw, Mnemonic.Fsave, Mnemonic.Finit, Mnemonic.Fclex, Mnemonic.Feni, Mnemonic.Fdisi);
        Add("a coprocessor's, without effect", Mnemonic.Fneni, Mnemonic.Fndisi, Mnemonic.Fnsetpm, Mnemonic.Fsetpm, Mnemonic.Frstpm);
        Add("time, identity or random numbers of the host", Mnemonic.Rdtsc, Mnemonic.Rdtscp, Mnemonic.Cpuid, Mnemonic.Xgetbv, Mnemonic.Rdpid, Mnemonic.Rdrand, Mnemonic.Rdseed, Mnemonic.Rdpmc);
        Add("descriptor tables and selectors of the host", Mnemonic.Lar, Mnemonic.Lsl, Mnemonic.Verr, Mnemonic.Verw, Mnemonic.Arpl, Mnemonic.Sgdt, Mnemonic.Sidt, Mnemonic.Sldt, Mnemonic.Str,
            Mnemonic.Smsw, Mnemonic.Rdfsbase, Mnemonic.Rdgsbase, Mnemonic.Wrfsbase, Mnemonic.Wrgsbase, Mnemonic.Lds, Mnemonic.Les, Mnemonic.Lss, Mnemonic.Lfs, Mnemonic.Lgs);
        Add(FarTransfer, Mnemonic.Retf, Mnemonic.Iret, Mnemonic.Iretd, Mnemonic.Iretq, Mnemonic.Int, Mnemonic.Into,
            Mnemonic.Syscall, Mnemonic.Sysenter, Mnemonic.Sysret, Mnemonic.Sysexit, Mnemonic.Sysretq, Mnemonic.Sysexitq, Mnemonic.Int1);
        Add("ports and the interrupt flag: tests/Emu.Tests/X86System", Mnemonic.In, Mnemonic.Out, Mnemonic.Insb, Mnemonic.Insw, Mnemonic.Insd, Mnemonic.Outsb, Mnemonic.Outsw, Mnemonic.Outsd,
            Mnemonic.Cli, Mnemonic.Sti, Mnemonic.Hlt);
        Add("CET is not offered; a processor with it differs", Mnemonic.Rdsspd, Mnemonic.Rdsspq);
        return reasons;
    }
}
