using Emu.Diff;
using Emu.Diff.Cases;
using Emu.Diff.Engines;
using Emu.Tests.Oracle;
using Iced.Intel;

namespace Emu.Tests.Diff;

/// <summary>What CPUID advertises is compared: no form of an instruction without a case that engines agree on.</summary>
[Collection(nameof(OracleTests))]
public sealed class FormCoverageTests
{
    // Some inputs leave a form no register, and some end in a known deviation; not all of them.
    private const ulong CasesOfAForm = 8;

    [Theory]
    [InlineData(64)]
    [InlineData(32)]
    [InlineData(16)]
    public void EveryForm_HasACaseThatInterpreterAndCompiledCodeAgreeOn(int mode) => Cover(mode, new DiffOptions { Engines = ["tier0", "jit"], Seed = 21, Mode = mode, Length = 1 }, 1);

    [OracleTheory]
    [InlineData(64)]
    [InlineData(32)]
    [InlineData(16)]
    public void EveryForm_HasACaseThatTheProcessorAgreesOn(int mode) => Cover(mode, new DiffOptions { Engines = ["tier0", "native"], Seed = 22, Mode = mode, Length = 1 }, CasesOfAForm);

    [Fact]
    public void EveryAdvertisedForm_IsComparedOrSaysWhyNot()
    {
        string[] missing = [.. Enum.GetValues<Code>().Where(code => code.ToOpCode().IsInstruction && FormTable.IsOffered(code) && FormTable.WhyNot(code) == FormTable.NotImplemented).Select(code => code.ToString())];

        Assert.True(missing.Length == 0, string.Join(", ", missing));
    }

    // Forms that got no case at first get some more of their own.
    private static void Cover(int mode, DiffOptions options, ulong cases)
    {
        InstructionForm[] forms = FormTable.Select([], mode);
        var uncovered = new HashSet<Code>(Agreed(options with { Count = cases * (uint)forms.Length }, forms).Where(row => row.Agreed == 0).Select(row => row.Form.Code));
        foreach (Code code in uncovered.ToArray())
        {
            (InstructionForm Form, ulong Agreed)[] again = Agreed(options with { Count = 64, Isa = [code.Mnemonic().ToString()] }, FormTable.Select([code.Mnemonic().ToString()], mode));
            if (again.Any(row => row.Form.Code == code && row.Agreed > 0) || (options.Engines.Contains("native") && !HostProcessor.Has(code)))
            {
                uncovered.Remove(code);
            }
        }

        Assert.True(uncovered.Count == 0, $"{uncovered.Count} of {forms.Length} forms have no case that {string.Join(" and ", options.Engines)} agree on: {string.Join(", ", uncovered)}");
    }

    private static (InstructionForm Form, ulong Agreed)[] Agreed(DiffOptions options, InstructionForm[] forms)
    {
        using var runner = new DiffRunner(options);
        runner.Run();
        DiffSummary summary = runner.Summary();
        Assert.True(summary.Mismatches == 0, string.Join('\n', runner.Mismatches.Select(mismatch => mismatch.Text)));
        return [.. forms.Zip(summary.AgreedByForm)];
    }
}
