using System.Globalization;
using System.Text;
using Emu.Diff.Cases;
using Iced.Intel;

namespace Emu.Diff.Compare;

/// <summary>What is implemented and what was compared, form by form, as markdown.</summary>
internal static class CoverageReport
{
    /// <summary>The report of a comparison. The forms are those of Iced's tables that the CPU model offers to user code or that are implemented.</summary>
    public static string Format(DiffOptions options, DiffSummary summary, IReadOnlyList<Mismatch> mismatches)
    {
        var cases = new Dictionary<Code, (ulong Run, ulong Agreed)>();
        for (int i = 0; i < summary.Forms.Length; i++)
        {
            cases[summary.Forms[i].Code] = (summary.CasesByForm[i], summary.AgreedByForm[i]);
        }

        HashSet<Code> differing = [.. mismatches.Select(mismatch => mismatch.Original.Decode()[^1].Code)];
        var text = new StringBuilder();
        AppendHead(text, options, summary);
        Code[] codes = [.. Enum.GetValues<Code>().Where(code => code.ToOpCode() is { IsInstruction: true } && FormTable.IsOffered(code))];
        foreach (IGrouping<string, Code> group in codes.GroupBy(code => FormTable.GroupOf(code.ToOpCode())).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {group.Key}\n\n| form | bytes | modes | implemented | cases | result |\n|---|---|---|---|---|---|\n");
            foreach (Code code in group.OrderBy(code => code.ToString(), StringComparer.Ordinal))
            {
                AppendRow(text, code, cases.GetValueOrDefault(code), differing.Contains(code), options.Mode);
            }
        }

        return text.ToString();
    }

    private static void AppendHead(StringBuilder text, DiffOptions options, DiffSummary summary)
    {
        text.Append("# Instruction forms\n\nWritten by `emu diff --coverage`; do not edit. A row is a form of Iced's tables that `-cpu max` offers.\n\n");
        text.Append(CultureInfo.InvariantCulture, $"- engines: {string.Join(", ", options.Engines)}; {options.Mode}-bit code; seed {options.Seed}, cases {options.First} to {options.First + summary.Cases - 1}\n");
        text.Append(CultureInfo.InvariantCulture, $"- {summary.Cases:N0} cases, {summary.Faults:N0} of them ended in an exception; {summary.Mismatches:N0} mismatches\n");
        text.Append("- known deviations of engines, counted and left out:\n");
        foreach (KnownDeviation deviation in KnownDeviations.All)
        {
            text.Append(CultureInfo.InvariantCulture, $"  - `{deviation.Name}` ({deviation.Engine ?? "any"}): {deviation.Reason}; {summary.Excluded.GetValueOrDefault(deviation.Name):N0} cases\n");
        }

        text.Append("- undefined flags are those of Iced's `RflagsUndefined`, and of `src/Diff/Cases/UndefinedFlags.cs`\n");
    }

    private static void AppendRow(StringBuilder text, Code code, (ulong Run, ulong Agreed) cases, bool differs, int mode)
    {
        OpCodeInfo info = code.ToOpCode();
        string modes = string.Join(' ', ((string, bool)[])[("16", info.Mode16), ("32", info.Mode32), ("64", info.Mode64)] is var all ? all.Where(row => row.Item2).Select(row => row.Item1) : []);
        string result = differs ? "**differs**"
            : cases.Agreed > 0 ? "agrees"
            : cases.Run > 0 ? "known deviations only"
            : FormTable.WhyNot(code) is string reason ? reason
            : FormTable.IsIn(info, mode) ? "not run" : $"not in {mode}-bit code";
        string name = info.ToInstructionString().Replace("|", "\\|", StringComparison.Ordinal);
        text.Append(CultureInfo.InvariantCulture, $"| {name} | {info.ToOpCodeString()} | {modes} | {(FormTable.IsImplemented(code) ? "yes" : "no")} | {cases.Run} | {result} |\n");
    }
}
