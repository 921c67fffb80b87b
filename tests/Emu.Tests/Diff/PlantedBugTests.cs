using System.Text.RegularExpressions;
using Emu.Diff;
using Emu.Diff.Cases;
using Emu.Diff.Compare;
using Emu.Diff.Engines;
using Iced.Intel;

namespace Emu.Tests.Diff;

/// <summary>A bug that is there for sure is found, made small, and reported with all that it takes to repeat it.</summary>
public sealed class PlantedBugTests
{
    private static readonly DiffOptions Options = new() { Engines = ["tier0", "jit"], Count = 20_000, Isa = ["arithmetic"], Length = 8, MaxMismatches = 1 };

    [Fact]
    public void WrongFlagOfOneForm_IsFoundAndShrunkToOneInstruction()
    {
        using DiffRunner runner = Run(Code.Sub_rm32_r32);

        Mismatch mismatch = Assert.Single(runner.Mismatches);
        Instruction instruction = Assert.Single(mismatch.Shrunk.Decode());
        Assert.Equal(Code.Sub_rm32_r32, instruction.Code);
        Assert.True(runner.Summary().Mismatches > 0);
    }

    [Fact]
    public void WrongFlag_IsMarkedInTheReport()
    {
        using DiffRunner runner = Run(Code.Add_rm16_r16);

        string text = Assert.Single(runner.Mismatches).Text;
        Assert.Contains("# * rflags", text, StringComparison.Ordinal);
        Assert.Contains("add ", text, StringComparison.Ordinal);
        Assert.Contains("Add.W16", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Report_HasTheTranslationsOfBothEngines_AndTheIl()
    {
        StoredCase subject = CaseFile.Parse("emu-diff-case 1\nmode 64\nengines tier0 jit\nentry 10020100\ncode 4801d8 # add rax,rbx\n", "test");
        using SoftwareEngine interpreter = SoftwareEngine.Tier0(64);
        using SoftwareEngine compiled = SoftwareEngine.Compiled(64);
        using var tester = new PairTester(interpreter, compiled, 64);

        string text = CaseReport.Comment(subject, tester.Run(subject)!);

        Assert.Matches(new Regex(@"# translation by tier0:\n# ---- 10020100\n#   Add\.W64"), text);
        Assert.Matches(new Regex(@"# translation by jit:\n[^$]*# region 10020100[^$]*# il 10020100\n#   IL_0000: [^$]*: add\n"), text);
        Assert.Equal(CaseFile.Format(subject), CaseFile.Format(CaseFile.Parse(CaseFile.Format(subject) + text, "test")));
    }

    [Fact]
    public void SavedCase_DiffersAgain_AndAgreesWithoutTheBug()
    {
        using DiffRunner runner = Run(Code.Neg_rm64);
        StoredCase saved = CaseFile.Parse(Assert.Single(runner.Mismatches).Text, "saved");
        using SoftwareEngine reference = SoftwareEngine.Tier0(64);
        using var wrong = new PlantedBugEngine(Code.Neg_rm64);
        using var again = new PairTester(reference, wrong, 64);
        using SoftwareEngine compiled = SoftwareEngine.Compiled(64);
        using var without = new PairTester(reference, compiled, 64);

        Assert.True(again.Run(saved)!.Differs);
        Assert.False(without.Run(saved)!.Differs);
    }

    private static DiffRunner Run(Code wrong)
    {
        // The reference is the interpreter under another name; the bug is in the second engine.
        var runner = new DiffRunner(Options, (name, bitness) => name == "tier0" ? SoftwareEngine.Tier0(bitness) : new PlantedBugEngine(wrong));
        runner.Run();
        return runner;
    }
}
