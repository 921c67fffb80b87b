using Emu.Compare;

namespace Emu.Tests.Compare;

/// <summary>Cases of <c>guests/programs</c> and what is said of their runs.</summary>
public sealed class ProgramChecksTests
{
    // Commands end in digests and files of /tmp as in the guest, but with a script for the agent.
    private const string Agent =
        "echo AGENT-READY; while read -r line; do echo @@START; case $line in 'cd '*) REPLY;; *) echo digest;; esac; echo '@@END rc=0 wall=0.010000 user=0.1 sys=0.1'; done";

    [Fact]
    public void Parse_ReadsModelsAndLimitOfTheCommentsAtTheTop()
    {
        ProgramCase plain = ProgramCase.Parse("one", ["# cpu: max qemu64", "# What it is.", "echo", "# limit: 7"]);
        ProgramCase limited = ProgramCase.Parse("two", ["# limit: 2.5", "# cpu: max"]);

        Assert.Equal(["max", "qemu64"], plain.CpuModels);
        Assert.Equal(TimeSpan.FromSeconds(300), plain.Limit);
        Assert.Equal(TimeSpan.FromSeconds(2.5), limited.Limit);
    }

    [Fact]
    public void Parse_RefusesScriptsThatDoNotSayWhatTheyNeed()
    {
        Assert.Equal("x.sh has no line '# cpu: MODEL'", Assert.Throws<CompareException>(() => ProgramCase.Parse("x", ["echo"])).Message);
        Assert.Equal("x.sh: 'long' is no limit in seconds", Assert.Throws<CompareException>(() => ProgramCase.Parse("x", ["# cpu: max", "# limit: long"])).Message);
    }

    [Fact]
    public void Select_NameThatIsNone_IsNamed() =>
        Assert.Equal("there is no program 'b'; --list shows them",
            Assert.Throws<CompareException>(() => ProgramCase.Select([ProgramCase.Parse("a", ["# cpu: max"])], ["a", "b"])).Message);

    [Fact]
    public void ReadAll_EveryCaseOfTheCheckoutIsSound()
    {
        IReadOnlyList<ProgramCase> cases = ProgramCase.ReadAll(new Checkout().ProgramsCases);

        Assert.True(cases.Count > 20);
        Assert.All(cases, one => Assert.Empty(one.CpuModels.Except(["max", "qemu64"])));
    }

    [Theory]
    [InlineData("status 0, a", null, "same")]
    [InlineData("status 0, b", null, "differs")]
    [InlineData("status 1, a", null, "differs")]
    [InlineData("status 0, a", "the guest's kernel says: BUG", "failed")]
    public void Verdict_IsSameOnlyWhenAllAgrees(string outcome, string? failure, string verdict) =>
        Assert.Equal(verdict, ProgramChecks.Verdict([new("native", "status 0, a", 1, null), new("qemu", "other", 1, "hangs"), new("emu", outcome, 1, failure)]));

    [Fact]
    public void Line_TellsTimesRatioAndWhatQemuDoes() =>
        Assert.Equal("same    bc                     max     native   0.50 s  qemu   4.00 s  emu   3.00 s  emu/QEMU 0.75  QEMU: differs",
            ProgramChecks.Line("same", "bc", "max", [new("native", "a", 0.5, null), new("qemu", "b", 4, null), new("emu", "a", 3, null)]));

    [UnixTheory]
    [InlineData(":", "status 0, digest", null)]
    [InlineData("echo '[    5.000000] watchdog: BUG: soft lockup'", "status 0, digest", "the guest's kernel says: [    5.000000] watchdog: BUG: soft lockup")]
    [InlineData("exit 3", "none", "the machine ended with exit code 3; last line: (none)")]
    [InlineData("sleep 5", "none", "no end within 1 s")]
    public void Run_TellsStatusDigestAndWhatWentWrong(string reply, string outcome, string? failure)
    {
        using var machine = new ProgramMachine(new MachineSpec("emu", ["sh", "-c", Agent.Replace("REPLY", reply, StringComparison.Ordinal)]), "max");

        ProgramRun run = machine.Run(new ProgramCase("x", ["max"], TimeSpan.FromSeconds(1)));

        Assert.Equal(outcome, run.Outcome);
        Assert.Equal(failure, run.Failure);
    }
}
