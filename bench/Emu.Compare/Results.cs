using System.Text.Json.Serialization;

namespace Emu.Compare;

/// <summary>What a row gave on one machine.</summary>
internal sealed class MachineResult
{
    /// <summary>Seconds (or MiB) of each run, in order.</summary>
    public List<double> Values { get; } = [];

    /// <summary>What the program printed in the first run, without its time.</summary>
    public string Output { get; set; } = "";

    /// <summary>Why there are no further runs; null when all went well.</summary>
    public string? Failure { get; set; }

    /// <summary>True when the machine's clock and the host's disagreed in some run.</summary>
    public bool ClockIsOff { get; set; }

    /// <summary>The median; null when a run failed.</summary>
    public double? Median => Failure is null && Values.Count > 0 ? Statistics.Median(Values) : null;
}

/// <summary>A row of the result.</summary>
internal sealed class RowResult
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its group.</summary>
    public required RowGroup Group { get; init; }

    /// <summary>Unit of the values: <c>s</c>, <c>MiB</c> or <see cref="WorkerRow.Unit"/>.</summary>
    public string Unit { get; init; } = "s";

    /// <summary>The commands' size argument.</summary>
    public int Size { get; init; }

    /// <summary>By machine name.</summary>
    public Dictionary<string, MachineResult> Machines { get; } = [];

    /// <summary>What is wrong with the row; empty when nothing is.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>Median on <paramref name="machine"/>, or null.</summary>
    public double? MedianOf(string machine) => Machines.GetValueOrDefault(machine)?.Median;

    /// <summary>Median on <paramref name="machine"/> divided by that on <paramref name="other"/>; null when one is missing, or when more is better.</summary>
    public double? Ratio(string machine, string other) => Unit == WorkerRow.Unit ? null : MedianOf(machine) / MedianOf(other);

    /// <summary>Fills <see cref="Notes"/>: failures, clocks that are off, and output that differs from that of the first machine.</summary>
    public void Judge()
    {
        string? expected = null;
        foreach ((string name, MachineResult result) in Machines)
        {
            if (result.Failure is not null)
            {
                Notes.Add($"{name}: {result.Failure}");
                continue;
            }

            if (result.ClockIsOff)
            {
                Notes.Add($"{name}: guest and host clock differ");
            }

            expected ??= result.Output;
            if (result.Output != expected)
            {
                Notes.Add($"{name}: '{Short(result.Output)}' instead of '{Short(expected)}'");
            }
        }
    }

    private static string Short(string text)
    {
        string line = text.ReplaceLineEndings(" ");
        return line.Length <= 60 ? line : line[..60] + "...";
    }
}

/// <summary>A whole comparison, as it is saved.</summary>
internal sealed class ComparisonResult
{
    /// <summary>Day of the comparison, ISO 8601.</summary>
    public required string Date { get; init; }

    /// <summary>Where it was made.</summary>
    public required HostDescription Host { get; init; }

    /// <summary>The options that change the meaning of the figures.</summary>
    public required string Options { get; init; }

    /// <summary>Runs of each row.</summary>
    public required int Runs { get; init; }

    /// <summary>Length of the rows.</summary>
    public required int Percent { get; init; }

    /// <summary>The rows.</summary>
    public List<RowResult> Rows { get; } = [];

    /// <summary>Geometric means of the ratios, by group.</summary>
    public IReadOnlyList<GroupMean> Means => GroupMean.Of(Rows);

    /// <summary>True when emu did something wrong in a row.</summary>
    [JsonIgnore]
    public bool EmuFailed => Rows.Any(row => row.Notes.Any(note => note.StartsWith(MachineSpec.Emu + ":", StringComparison.Ordinal)));
}

/// <summary>Geometric means over a group of rows; null where a ratio is missing in all of them.</summary>
/// <param name="Name">Name of the group for people.</param>
/// <param name="Rows">Number of rows that count in <paramref name="EmuToQemu"/>.</param>
/// <param name="QemuToNative">QEMU's times by native ones.</param>
/// <param name="EmuToNative">emu's times by native ones.</param>
/// <param name="EmuToQemu">emu's times by QEMU's.</param>
internal sealed record GroupMean(string Name, int Rows, double? QemuToNative, double? EmuToNative, double? EmuToQemu)
{
    private static readonly (string Name, RowGroup[] Groups)[] Parts =
    [
        ("integer and memory", [RowGroup.Integer]), ("floating point, SSE, x87", [RowGroup.Floating]), ("kernel", [RowGroup.Kernel]),
        ("code churn", [RowGroup.Churn]), ("real programs", [RowGroup.Programs]),
        ("all", [RowGroup.Integer, RowGroup.Floating, RowGroup.Kernel, RowGroup.Churn, RowGroup.Programs]),
    ];

    /// <summary>The means of all groups that have rows.</summary>
    public static IReadOnlyList<GroupMean> Of(IReadOnlyCollection<RowResult> rows) =>
    [
        .. from part in Parts
           let members = rows.Where(row => part.Groups.Contains(row.Group)).ToArray()
           where members.Length > 0
           select new GroupMean(part.Name, members.Count(row => row.Ratio(MachineSpec.Emu, MachineSpec.Qemu) is not null),
               Mean(members, MachineSpec.Qemu, MachineSpec.Native), Mean(members, MachineSpec.Emu, MachineSpec.Native), Mean(members, MachineSpec.Emu, MachineSpec.Qemu)),
    ];

    private static double? Mean(RowResult[] rows, string machine, string other)
    {
        double[] ratios = [.. rows.Select(row => row.Ratio(machine, other)).OfType<double>()];
        return ratios.Length == 0 ? null : Statistics.GeometricMean(ratios);
    }
}
