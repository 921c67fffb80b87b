using Emu.Cli;

namespace Emu.Tests.Cli;

public sealed class BuiltinReportTests
{
    private static readonly BuiltinRun Tcg = new("tcg", BuiltinOutcome.Passed, "", TimeSpan.FromSeconds(0.5), "1,000 instructions", "abcd", null);
    private static readonly BuiltinRun NoKvm = new("kvm", BuiltinOutcome.Unavailable, "no /dev/kvm [here]", default, "", "", null);

    [Fact]
    public void Write_OneRowPerAccelerator_WithStatusAndReason()
    {
        var output = new StringWriter();

        BuiltinReport.Write([Tcg, NoKvm], output);

        Assert.Contains("| tcg         | passed", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("identical", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("not used: no /dev/kvm [here]", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void ExitCode_IsZeroOnlyWhenSomethingRanAndNothingDiffers()
    {
        Assert.Equal(0, BuiltinReport.ExitCode([Tcg, NoKvm]));
        Assert.Equal(1, BuiltinReport.ExitCode([NoKvm]));
        Assert.Equal(1, BuiltinReport.ExitCode([Tcg, Tcg with { FirstDifference = "rax" }]));
        Assert.Equal(1, BuiltinReport.ExitCode([Tcg, Tcg with { Outcome = BuiltinOutcome.Failed }]));
    }
}
