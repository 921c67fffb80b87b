using Emu.Diff;
using Emu.Diff.Cases;
using Emu.Diff.Compare;
using Iced.Intel;

namespace Emu.Tests.Diff;

public sealed class CaseGeneratorTests
{
    private static readonly DiffOptions Options = new() { Engines = ["tier0", "jit"], Length = 12 };

    [Theory]
    [InlineData(64)]
    [InlineData(32)]
    [InlineData(16)]
    public void EveryForm_IsTheLastInstructionOfItsCase(int bitness)
    {
        InstructionForm[] forms = FormTable.Select([], bitness);
        var missing = new List<string>();
        for (int i = 0; i < forms.Length; i++)
        {
            // Some inputs leave a form no register; not all of them.
            bool made = Enumerable.Range(0, 4).Any(turn => Has(forms[i].Code, (ulong)(i + (turn * forms.Length)), bitness));
            if (!made)
            {
                missing.Add(forms[i].Code.ToString());
            }
        }

        Assert.True(missing.Count == 0, string.Join(", ", missing));
        Assert.True(forms.Length > 800, $"{forms.Length} forms");
    }

    [Fact]
    public void SameSeedAndNumber_GiveTheSameCase_WhateverCameBefore()
    {
        DiffOptions options = Options with { Seed = 5 };

        string first = CaseFile.Format(StoredCase.Generate(options, 123_456));
        string again = CaseFile.Format(StoredCase.Generate(options, 123_456));
        string other = CaseFile.Format(StoredCase.Generate(options, 123_457));
        string seed = CaseFile.Format(StoredCase.Generate(options with { Seed = 6 }, 123_456));

        Assert.Equal(first, again);
        Assert.NotEqual(first, other);
        Assert.NotEqual(first, seed);
    }

    [Theory]
    [InlineData(64)]
    [InlineData(32)]
    [InlineData(16)]
    public void NoCase_ReadsAFlagThatIsUndefined(int bitness)
    {
        for (ulong number = 0; number < 3000; number++)
        {
            StoredCase subject = StoredCase.Generate(Options with { Mode = bitness, Isa = ["base"] }, number * 31);
            Assert.True(FlagAnalysis.TryAnalyze(subject.Decode(), out _), CaseFile.Format(subject));
        }
    }

    [Fact]
    public void UnknownIsa_IsRefusedWithTheNames()
    {
        DiffOptionException exception = Assert.Throws<DiffOptionException>(() => FormTable.Select(["sse9"], 64));

        Assert.Contains("sse9", exception.Message, StringComparison.Ordinal);
        Assert.Contains("x87", exception.Message, StringComparison.Ordinal);
    }

    private static bool Has(Code code, ulong number, int bitness) =>
        StoredCase.Generate(Options with { Mode = bitness }, number).Decode().Exists(instruction => instruction.Code == code || instruction.Mnemonic == code.Mnemonic());
}
