using Emu.Cli;
using Emu.Cli.Options;

namespace Emu.Tests.Cli;

public sealed class DiffCommandTests
{
    [Theory]
    [InlineData("--engines tier0", "one engine")]
    [InlineData("--engines tier0,qemu", "'qemu' is no engine")]
    [InlineData("--engines tier0,jit --isa sse9", "'sse9'")]
    [InlineData("--engines tier0,jit --mode 48", "'48' is no mode")]
    [InlineData("--engines tier0,native --jobs 2", "--jobs")]
    [InlineData("--length 21", "--length")]
    [InlineData("--length 0", "--length")]
    [InlineData("--count -1", "--count")]
    [InlineData("--seed x", "--seed")]
    [InlineData("--minutes 0", "--minutes")]
    [InlineData("--minutes", "--minutes")]
    [InlineData("--frobnicate", "--frobnicate")]
    [InlineData("plain", "plain")]
    [InlineData("--replay there-is-no-such-file", "--replay")]
    public void BadCommandLine_IsOneLineThatNamesTheOption(string arguments, string expected)
    {
        OptionException exception = Assert.Throws<OptionException>(() => DiffCommand.Run(["diff", .. arguments.Split(' ')]));

        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', exception.Message);
    }

    [Fact]
    public void EqualEngines_ExitWithZero() =>
        Assert.Equal(0, DiffCommand.Run(["diff", "--engines", "tcg", "-count=64", "--isa", "mov,xchg", "--length", "1"]));

    [Fact]
    public void SavedCase_IsReplayed()
    {
        string file = Repository.PathOf("tests", "Emu.Tests", "Diff", "Cases", "pop-to-rsp-with-largest-displacement.case");

        Assert.Equal(0, DiffCommand.Run(["diff", "--replay", file, "--engines", "tier0,jit"]));
    }
}
