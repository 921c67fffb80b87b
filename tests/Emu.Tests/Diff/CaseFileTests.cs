using Emu.Diff;
using Emu.Diff.Cases;
using Emu.Diff.Compare;

namespace Emu.Tests.Diff;

public sealed class CaseFileTests
{
    private static readonly DiffOptions Options = new() { Engines = ["tier0", "jit"], Seed = 7 };

    [Theory]
    [InlineData(64)]
    [InlineData(32)]
    [InlineData(16)]
    public void FormattedCase_ReadsBackTheSame(int bitness)
    {
        for (ulong number = 0; number < 50; number++)
        {
            StoredCase subject = StoredCase.Generate(Options with { Mode = bitness }, number);

            StoredCase read = CaseFile.Parse(CaseFile.Format(subject), "test");

            Assert.Equal(subject.Code, read.Code);
            Assert.Equal(subject.Entry, read.Entry);
            Assert.Equal(CaseFile.Format(subject), CaseFile.Format(read));
            Assert.Equal(subject.Input[..CaseState.RipOffset], read.Input[..CaseState.RipOffset]);
            Assert.Equal(subject.Input[CaseRecord.MemoryOffset..], read.Input[CaseRecord.MemoryOffset..]);
        }
    }

    [Theory]
    [InlineData("", "no case file")]
    [InlineData("emu-diff-case 1\nmode 64\n", "missing")]
    [InlineData("emu-diff-case 1\nmode 65\nentry 10020100\ncode 90", "missing")]
    [InlineData("emu-diff-case 1\nmode 64\nentry 5\ncode 90", "outside")]
    [InlineData("emu-diff-case 1\nmode 64\ncode 9", "line 3")]
    [InlineData("emu-diff-case 1\nrbx zz", "line 2")]
    [InlineData("emu-diff-case 1\nmemory 3f8 00112233445566778899", "line 2")]
    [InlineData("emu-diff-case 1\nmemory ffffffffffffffff 00", "line 2")]
    [InlineData("emu-diff-case 1\nwhat 1", "line 2")]
    public void BrokenFile_IsRefusedInOneLine(string text, string expected)
    {
        DiffOptionException exception = Assert.Throws<DiffOptionException>(() => CaseFile.Parse(text, "file"));

        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', exception.Message);
    }
}
