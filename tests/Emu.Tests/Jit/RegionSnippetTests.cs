using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Emu.Core.Cpu;
using Emu.Diff.Cases;
using Emu.Frontend.X86;
using Emu.Jit.Regions;
using Emu.Tests.Oracle;

namespace Emu.Tests.Jit;

/// <summary>
/// Generated code of every instruction family as a compiled region against tier 0, with a warm and with an empty TLB.
/// EMU_REGION_CASES sets the number of cases per family, EMU_REGION_SEED the seed.
/// </summary>
public sealed unsafe class RegionSnippetTests : IDisposable
{
    private const int Slots = 14;
    private const ulong Stride = 7919;

    private readonly CaseRecord* _input = (CaseRecord*)NativeMemory.AlignedAlloc(CaseRecord.Size, 64);
    private readonly DiffCase _case = new();
    private RegionRig _rig = new();

    internal static ulong Cases => ulong.TryParse(Environment.GetEnvironmentVariable("EMU_REGION_CASES"), out ulong n) ? n : 400;

    internal static ulong FirstSeed => ulong.TryParse(Environment.GetEnvironmentVariable("EMU_REGION_SEED"), out ulong n) ? n : 1;

    public static TheoryData<string> Families() => [.. OracleFamily.All.Select(f => f.Name)];

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

    private void Check(string name)
    {
        OracleFamily family = OracleFamily.All.Single(f => f.Name == name);
        X86State template = RegionRig.LongMode();
        var generator = new CaseGenerator(
            new CaseOptions { Forms = family.Forms, Length = family.Length, Seed = FirstSeed },
            new CasePlacement(RegionRig.Base, RegionRig.AddressOf(CaseLayout.CodePage), Slots, RegionRig.Base + 0xf000));
        var reports = new StringBuilder();
        int mismatches = 0;
        int compiled = 0;
        for (ulong number = 0; number < Cases; number++)
        {
            // Forms lie side by side in the tables; a stride goes through all of them.
            generator.Generate(number * Stride, _case, _input);
            if (Differs(generator.Code, template, ref compiled) is string difference && mismatches++ < 5)
            {
                string code = string.Join("; ", _case.Instructions.Select(i => i.Instruction.ToString()));
                reports.Append(CultureInfo.InvariantCulture, $"case {number * Stride}: {code}\n{difference}");
            }
        }

        Assert.True(mismatches == 0, $"{mismatches} of {Cases} differ:\n{reports}");
        Assert.True(compiled > (int)Cases / 2, $"only {compiled} of {Cases} were compiled");
    }

    public void Dispose()
    {
        _rig.Dispose();
        NativeMemory.AlignedFree(_input);
    }

    private string? Differs(ReadOnlySpan<byte> machineCode, X86State template, ref int compiled)
    {
        foreach ((int offset, int saved, int bytes, _) in CaseLayout.Windows)
        {
            new ReadOnlySpan<byte>(_input->Memory + saved, bytes).CopyTo(_rig.Page(0, CaseLayout.Pages)[offset..]);
        }

        machineCode.CopyTo(_rig.Page(CaseLayout.CodePage, 2)[(int)(_case.Entry - RegionRig.AddressOf(CaseLayout.CodePage))..]);
        CaseState* input = &_input->State;
        X86State state = template with { Rip = _case.Entry, Rflags = (input->Rflags & 0xcd5) | 2, Gpr = new Span<ulong>(input->Gpr, 16).ToArray() };
        new Span<byte>(input->Fx, 512).CopyTo(state.Xsave);
        _rig.Begin(state);
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
