using System.Globalization;
using System.Text;

namespace Emu.Compare;

/// <summary>A comparison as Markdown.</summary>
internal static class MarkdownReport
{
    /// <summary>Head of the table of rows.</summary>
    public const string TableHead =
        "| row | native | QEMU | emu | QEMU/native | emu/native | emu/QEMU | |\n|---|---:|---:|---:|---:|---:|---:|---|";

    /// <summary>The whole report.</summary>
    public static string Write(ComparisonResult result)
    {
        var text = new StringBuilder();
        HostDescription host = result.Host;
        text.AppendLine(CultureInfo.InvariantCulture, $"# emu against QEMU's tcg, {result.Date}").AppendLine();
        string programs = $"{host.System}; .NET {host.DotNet}; {host.Qemu ?? "without QEMU"}";
        text.AppendLine(CultureInfo.InvariantCulture, $"{host.Cpu}, {host.Cpus} CPUs, {host.MemoryGib} GiB; {programs}.");
        text.AppendLine(CultureInfo.InvariantCulture, $"Medians of {result.Runs} runs at {result.Percent} %, machines in turn; seconds, for rss MiB, for workers how much sooner two CPUs have done it.");
        text.AppendLine(CultureInfo.InvariantCulture, $"Options: {result.Options}.").AppendLine();
        text.AppendLine(MeanTable(result.Means)).AppendLine().AppendLine(TableHead);
        foreach (RowResult row in result.Rows)
        {
            text.AppendLine(Line(row));
        }

        return text.ToString();
    }

    /// <summary>The geometric means.</summary>
    public static string MeanTable(IReadOnlyList<GroupMean> means) => string.Join('\n',
    [
        "| geometric mean | rows | QEMU/native | emu/native | emu/QEMU |", "|---|---:|---:|---:|---:|",
        .. means.Select(mean => $"| {mean.Name} | {mean.Rows} | {Number(mean.QemuToNative)} | {Number(mean.EmuToNative)} | {Number(mean.EmuToQemu)} |"),
    ]);

    /// <summary>One row of the table.</summary>
    public static string Line(RowResult row)
    {
        string notes = string.Join("; ", row.Notes).Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ");
        return $"| {row.Name} | {Value(row, MachineSpec.Native)} | {Value(row, MachineSpec.Qemu)} | {Value(row, MachineSpec.Emu)} "
            + $"| {Number(row.Ratio(MachineSpec.Qemu, MachineSpec.Native))} | {Number(row.Ratio(MachineSpec.Emu, MachineSpec.Native))} "
            + $"| {Number(row.Ratio(MachineSpec.Emu, MachineSpec.Qemu))} | {notes} |";
    }

    private static string Value(RowResult row, string machine) => row.MedianOf(machine)?.ToString(row.Unit switch { "s" => "F3", WorkerRow.Unit => "F2", _ => "F0" }, CultureInfo.InvariantCulture) ?? "";

    private static string Number(double? value) => value?.ToString(value < 10 ? "F2" : "F1", CultureInfo.InvariantCulture) ?? "";
}
