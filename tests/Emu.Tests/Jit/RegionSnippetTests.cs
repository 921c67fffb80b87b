using System.Globalization;
using System.Text;
using Emu.Core.Cpu;
using Emu.Frontend.X86;
using Emu.Jit.Regions;
using Emu.Tests.Oracle;

namespace Emu.Tests.Jit;

/// <summary>
/// Generated code of every instruction family as a compiled region against tier 0, with a warm and with an empty TLB.
/// EMU_REGION_CASES sets the number of cases per family, EMU_REGION_SEED the first seed.
/// </summary>
public sealed unsafe class RegionSnippetTests : IDisposable
{
    private RegionRig _rig = new();
    private readonly SnippetGenerator _generator = new(RegionRig.Base, RegionRig.Base + 0xf000);

    internal static ulong Cases => ulong.TryParse(Environment.GetEnvironmentVariable("EMU_REGION_CASES"), out ulong n) ? n : 400;

    internal static ulong FirstSeed => ulong.TryParse(Environment.GetEnvironmentVariable("EMU_REGION_SEED"), out ulong n) ? n : 1;

    public static TheoryData<string> Families() => [.. SnippetFamily.All.Select(f => f.Name)];

    [Theory]
    [MemberData(nameof(Families))]
    public void GeneratedCode_EndsAsInTier0(string name) => Check(name);

    [Theory]
    [InlineData("arithmetic")]
    [InlineData("shift")]
    [InlineData("mixed")]
    public void LockedInstructionsOfTheOnlyCpu_EndAsInTier0(string name)
    {
        _rig.Dispose();
        _rig = new RegionRig(isUniprocessor: true);
        Check(name);
    }

    public void Dispose() => _rig.Dispose();

    private void Check(string name)
    {
        SnippetFamily family = SnippetFamily.All.Single(f => f.Name == name);
        X86State template = RegionRig.LongMode();
        var reports = new StringBuilder();
        int mismatches = 0;
        int compiled = 0;
        for (ulong seed = FirstSeed; seed < FirstSeed + Cases; seed++)
        {
            Snippet snippet = _generator.Generate(family, seed);
            if (Differs(snippet, template, ref compiled) is string difference && mismatches++ < 5)
            {
                string code = string.Join("; ", snippet.Instructions.Select(i => i.Instruction.ToString()));
                reports.Append(CultureInfo.InvariantCulture, $"seed {seed}: {code}\n{difference}");
            }
        }

        Assert.True(mismatches == 0, $"{mismatches} of {Cases} differ:\n{reports}");
        Assert.True(compiled > (int)Cases / 2, $"only {compiled} of {Cases} were compiled");
    }

    private string? Differs(Snippet snippet, X86State template, ref int compiled)
    {
        Random random = new((int)snippet.Seed);
        foreach (int page in (ReadOnlySpan<int>)[NativeSnippet.DataPage, NativeSnippet.DataPage + 1, NativeSnippet.ReadOnlyPage, NativeSnippet.StackPage, NativeSnippet.StackPage + 1])
        {
            random.NextBytes(_rig.Page(page));
        }

        snippet.Code.CopyTo(_rig.Page(NativeSnippet.CodePage, 2)[(int)(snippet.Entry - RegionRig.AddressOf(NativeSnippet.CodePage))..]);
        fixed (OracleState* input = &snippet.Input)
        {
            X86State state = template with { Rip = snippet.Entry, Rflags = (input->Rflags & 0xcd5) | 2, Gpr = new Span<ulong>(input->Gpr, 16).ToArray() };
            new Span<byte>(input->Fx, 512).CopyTo(state.Xsave);
            new Span<byte>(input->Upper, 256).CopyTo(state.Xsave.AsSpan(576));
            _rig.Begin(state);
        }

        Region region = _rig.Build();
        if (RegionCompiler.Compile(region) is not CompiledRegion code)
        {
            return null;
        }

        compiled++;
        RegionOutcome expected = _rig.RunTier0(region);
        if (RegionRig.Compare(expected, _rig.RunRegion(region, code)) is string warm)
        {
            return $"warm TLB: {warm}";
        }

        _rig.Cpu.Mmu.Flush(includeGlobal: true);
        return RegionRig.Compare(expected, _rig.RunRegion(region, code)) is string cold ? $"cold TLB: {cold}" : null;
    }
}
