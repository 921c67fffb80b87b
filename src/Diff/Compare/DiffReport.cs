using System.Globalization;
using System.Text;

namespace Emu.Diff.Compare;

/// <summary>The counts at the end of a comparison.</summary>
internal static class DiffReport
{
    private const int ShownForms = 8;

    /// <summary>What was run, how fast, on what, and with what result.</summary>
    public static string Format(DiffOptions options, DiffSummary summary)
    {
        var text = new StringBuilder();
        Line($"cases       {summary.Cases:N0} in {summary.Elapsed.TotalSeconds:N1} s, {summary.Rate:N0}/s end to end; seed {options.Seed}, first {options.First}, {options.Mode}-bit, length {options.Length}");
        foreach ((string name, (ulong cases, TimeSpan time)) in summary.Engines)
        {
            string share = cases < summary.Cases ? $", one case in {DiffJob.CompiledShare}" : "";
            Line($"{name,-11} {cases:N0} cases, {cases / Math.Max(time.TotalSeconds, 1e-9):N0}/s{share}");
        }

        string[] faults = [.. summary.FaultsByVector.Select((count, vector) => (count, vector)).Where(row => row.count > 0).Select(row => $"{VectorName(row.vector)} {row.count:N0}")];
        Line($"exceptions  {summary.Faults:N0}{(faults.Length > 0 ? ": " + string.Join(", ", faults) : "")}");
        AppendForms(text, summary);
        foreach ((string name, ulong count) in summary.Excluded)
        {
            KnownDeviation deviation = KnownDeviations.All.First(row => row.Name == name);
            Line($"excluded    {count:N0} {name}: {deviation.Reason}");
        }

        Line($"mismatches  {summary.Mismatches:N0}");
        return text.ToString();

        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }

    /// <summary>Name of an exception.</summary>
    public static string VectorName(int vector) => vector switch
    {
        0 => "#DE",
        1 => "#DB",
        3 => "#BP",
        4 => "#OF",
        5 => "#BR",
        6 => "#UD",
        7 => "#NM",
        8 => "#DF",
        10 => "#TS",
        11 => "#NP",
        12 => "#SS",
        13 => "#GP",
        14 => "#PF",
        16 => "#MF",
        17 => "#AC",
        19 => "#XM",
        32 => "no end",
        _ => $"vector {vector}",
    };

    private static void AppendForms(StringBuilder text, DiffSummary summary)
    {
        int covered = summary.CasesByForm.Count(count => count > 0);
        text.Append(CultureInfo.InvariantCulture, $"forms       {covered:N0} of {summary.Forms.Length:N0} compared, at least {summary.CasesByForm.Min():N0} cases each");
        string[] missing = [.. summary.Forms.Where((_, i) => summary.CasesByForm[i] == 0).Select(form => form.ToString())];
        text.Append(missing.Length > 0 ? $"; not: {string.Join(", ", missing.Take(ShownForms))}{(missing.Length > ShownForms ? ", ..." : "")}\n" : "\n");
        foreach (var set in summary.Forms.Select((form, i) => (form.Group, Count: summary.CasesByForm[i])).GroupBy(row => row.Group).OrderBy(set => set.Key, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"  {set.Key,-9} {set.Count(),5} forms {set.Aggregate(0UL, (sum, row) => sum + row.Count),14:N0} cases\n");
        }
    }
}
