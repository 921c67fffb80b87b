using System.Xml.Linq;
using Emu.Compare;

namespace Emu.Tests.Compare;

public sealed class ComparisonResultTests
{
    [Theory]
    [InlineData(new[] { 3.0, 1.0, 2.0 }, 2.0)]
    [InlineData(new[] { 4.0, 1.0, 2.0, 3.0 }, 2.5)]
    public void Median_OfOddAndEvenNumbers(double[] values, double expected) => Assert.Equal(expected, Statistics.Median(values));

    [Fact]
    public void GeometricMean_OfHalfAndTwo_IsOne() => Assert.Equal(1, Statistics.GeometricMean([0.5, 2]), 12);

    [Theory]
    [InlineData(1.00, 1.02, true)]
    [InlineData(0.01, 0.03, true)]
    [InlineData(10.0, 10.5, false)]
    [InlineData(2.00, 1.00, false)]
    public void ClocksAgree_WithinThreePercentOrTheSerialLine(double guest, double host, bool expected) =>
        Assert.Equal(expected, Statistics.ClocksAgree(guest, host));

    [Fact]
    public void Judge_OutputThatDiffers_IsNotedWithTheMachine()
    {
        RowResult row = Row("sieve", RowGroup.Integer, ("native", 1, "a1"), ("qemu", 4, "a1"), ("emu", 2, "b2"));

        row.Judge();

        Assert.Equal(["emu: 'b2' instead of 'a1'"], row.Notes);
    }

    [Fact]
    public void Judge_FailedMachine_DoesNotSetTheExpectedOutput()
    {
        RowResult row = Row("sieve", RowGroup.Integer, ("qemu", 4, "wrong"), ("emu", 2, "a1"));
        row.Machines["qemu"].Failure = "no end within 60 s";

        row.Judge();

        Assert.Equal(["qemu: no end within 60 s"], row.Notes);
        Assert.Null(row.Ratio("emu", "qemu"));
        Assert.Equal(2, row.MedianOf("emu"));
    }

    [Theory]
    [InlineData(1.9, 1.8, null)]
    [InlineData(1.9, 1.5, "emu: 1.50 is less than 1.7")]
    [InlineData(1.2, 1.1, "1.10 is less than 1.7, but so is what the host gives")]
    public void Workers_TooSlow_IsNotedAgainstEmuWhereTheHostIsNotBusy(double native, double emu, string? note)
    {
        var row = new RowResult { Name = WorkerRow.Name, Group = RowGroup.Machine, Unit = WorkerRow.Unit };
        row.Machines.Add("native", new MachineResult { Values = { native } });
        row.Machines.Add("emu", new MachineResult { Values = { emu } });

        WorkerRow.AddShortfall(row);

        Assert.Equal(note is null ? [] : [note], row.Notes);
        Assert.Null(row.Ratio("emu", "native"));
    }

    [Theory]
    [InlineData(400, 419, true)]
    [InlineData(400, 421, false)]
    public void Soak_PassesWithinFivePercentOfTheWarmUp(double before, double after, bool expected) =>
        Assert.Equal(expected, Soak.IsFlat([before - 100, before], [after - 100, after, before]));

    [Fact]
    public void Means_AreByGroup_AndLeaveTheMachineRowsOut()
    {
        IReadOnlyList<GroupMean> means = GroupMean.Of(
        [
            Row("boot", RowGroup.Machine, ("qemu", 1, ""), ("emu", 100, "")),
            Row("sieve", RowGroup.Integer, ("native", 1, ""), ("qemu", 8, ""), ("emu", 2, "")),
            Row("smc", RowGroup.Churn, ("native", 1, ""), ("qemu", 1, ""), ("emu", 4, "")),
        ]);

        Assert.Equal(["integer and memory", "code churn", "all"], means.Select(mean => mean.Name));
        Assert.Equal(0.25, means[0].EmuToQemu!.Value, 12);
        Assert.Equal(1, means[2].EmuToQemu!.Value, 12);
        Assert.Equal(8, means[0].QemuToNative!.Value, 12);
    }

    [Fact]
    public void Reports_HoldEveryRow_AndThePictureIsXml()
    {
        var result = new ComparisonResult
        {
            Date = "2026-01-02",
            Host = new HostDescription("A & B", 2, 8, "Linux", "10.0", "QEMU 7"),
            Options = "none",
            Runs = 1,
            Percent = 30,
        };
        result.Rows.Add(Row("sieve", RowGroup.Integer, ("native", 1, ""), ("qemu", 8, ""), ("emu", 2, "")));
        result.Rows.Add(Row("fork", RowGroup.Kernel, ("native", 1, ""), ("qemu", 8, "")));

        XElement picture = XDocument.Parse(SvgChart.Draw(result)).Root!;

        Assert.Equal("a-b-2cpu", result.Host.FileName);
        Assert.Contains("| sieve | 1.000 | 8.000 | 2.000 | 8.00 | 2.00 | 0.25 |  |", MarkdownReport.Write(result), StringComparison.Ordinal);
        string[] texts = [.. picture.Descendants().Where(element => element.Name.LocalName == "text").Select(element => element.Value)];
        Assert.Contains("0.25", texts);
        Assert.Contains("fork", texts);
        Assert.Contains("no result", texts);
    }

    [Fact]
    public void Select_TakesRowsAndGroups_InTheOrderOfTheTable()
    {
        Assert.Equal(["sieve", "smc", "newcode"], RowCatalog.Select(["churn", "sieve"]));
        Assert.Equal(["startup", "boot", "rss", "microvm", "workers"], RowCatalog.Select(["machine"]));
        Assert.Equal(RowCatalog.All.Count + 5, RowCatalog.Select([]).Count);
        Assert.Equal(RowCatalog.All.Count, RowCatalog.All.Select(row => row.Name).Distinct().Count());
        Assert.Contains("'siev'", Assert.Throws<CompareException>(() => RowCatalog.Select(["siev"])).Message, StringComparison.Ordinal);
    }

    private static RowResult Row(string name, RowGroup group, params (string Machine, double Seconds, string Output)[] machines)
    {
        var row = new RowResult { Name = name, Group = group };
        foreach ((string machine, double seconds, string output) in machines)
        {
            row.Machines.Add(machine, new MachineResult { Values = { seconds }, Output = output });
        }

        return row;
    }
}
