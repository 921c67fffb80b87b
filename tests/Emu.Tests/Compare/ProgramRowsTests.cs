using Emu.Compare;

namespace Emu.Tests.Compare;

/// <summary>The runner against an agent that is a shell script, whose clock always says half a second.</summary>
public sealed class ProgramRowsTests
{
    private const string Agent =
        "echo AGENT-READY; while read -r line; do echo @@START; sh -c \"$line\"; echo \"@@END rc=$? wall=0.500000 user=0.1 sys=0.1\"; done";

    [UnixFact]
    public void Run_TakesTheProgramsOwnTime_AndChecksTheRest()
    {
        RowResult result = Run(Row("echo name 1f 0.25", timesItself: true), runs: 3);

        MachineResult machine = result.Machines["emu"];
        Assert.Null(machine.Failure);
        Assert.Equal("name 1f", machine.Output);
        Assert.Equal([0.25, 0.25, 0.25], machine.Values);
        Assert.True(machine.ClockIsOff);
        Assert.Equal(["emu: guest and host clock differ"], result.Notes);
    }

    [UnixFact]
    public void Run_ProgramThatHangs_FailsItsRowOnly()
    {
        using var rows = new ProgramRows(Options(1), [Spec]);

        RowResult hung = rows.Run(Row("sleep 5", timesItself: false));
        RowResult next = rows.Run(Row("echo fine", timesItself: false));

        Assert.Equal(["emu: no end within 1 s"], hung.Notes);
        Assert.Equal("fine", next.Machines["emu"].Output);
        Assert.Null(next.Machines["emu"].Failure);
    }

    [UnixFact]
    public void Run_StatusNotZero_IsAFailureWithTheOutput() =>
        Assert.Equal(["emu: status 3: no such thing"], Run(Row("echo no such thing; exit 3", timesItself: false), runs: 2).Notes);

    [UnixFact]
    public void Run_MachineThatEnds_FailsTheRow() =>
        Assert.StartsWith("emu: the machine ended", Assert.Single(Run(Row("kill $PPID", timesItself: false), runs: 1).Notes), StringComparison.Ordinal);

    [UnixFact]
    public void Run_KernelComplaint_IsAFailure_OtherMessagesAreDropped()
    {
        RowResult bad = Run(Row("echo '[    1.000000] traps: bench[7] trap invalid opcode'", timesItself: false), runs: 1);
        RowResult good = Run(Row("echo '[    1.000000] random: crng init done'; echo 5", timesItself: false), runs: 1);

        Assert.Contains("trap invalid opcode", Assert.Single(bad.Notes), StringComparison.Ordinal);
        Assert.Equal("5", good.Machines["emu"].Output);
        Assert.Null(good.Machines["emu"].Failure);
    }

    private static MachineSpec Spec => new("emu", ["sh", "-c", Agent]);

    private static RowResult Run(Row row, int runs)
    {
        using var rows = new ProgramRows(Options(runs), [Spec]);
        return rows.Run(row);
    }

    private static ComparisonOptions Options(int runs) => new() { Rows = [], Runs = runs, LimitSeconds = 1 };

    private static Row Row(string command, bool timesItself) => new("row", RowGroup.Integer, 1, _ => command) { TimesItself = timesItself };
}
