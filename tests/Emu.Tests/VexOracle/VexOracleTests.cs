using System.Globalization;
using System.Text;

namespace Emu.Tests.VexOracle;

/// <summary>
/// Generated VEX-encoded code on the emulator against the host's own processor, apart from Emu.Diff, whose driver has no YMM state yet. EMU_ORACLE_CASES sets the number of cases per family,
/// EMU_ORACLE_SEED the first seed.
/// </summary>
[Collection(nameof(VexOracleTests))]
public sealed class VexOracleTests
{
    private const int MaxReports = 6;

    private static ulong Cases => ulong.TryParse(Environment.GetEnvironmentVariable("EMU_ORACLE_CASES"), out ulong n) ? n : 6_000;

    private static ulong FirstSeed => ulong.TryParse(Environment.GetEnvironmentVariable("EMU_ORACLE_SEED"), out ulong n) ? n : 1;

    public static TheoryData<string> Families() => [.. SnippetFamily.All.Select(f => f.Name)];

    [VexOracleTheory]
    [MemberData(nameof(Families))]
    public void GeneratedSnippets_EqualSilicon(string name)
    {
        SnippetFamily family = SnippetFamily.All.Single(f => f.Name == name);
        using var runner = new OracleRunner();
        var reports = new StringBuilder();
        var differing = new SortedDictionary<string, int>(StringComparer.Ordinal);
        int mismatches = 0;
        for (ulong seed = FirstSeed; seed < FirstSeed + Cases; seed++)
        {
            if (runner.Differs(family, seed) is not { } snippet)
            {
                continue;
            }

            mismatches++;
            string code = snippet.MainCode.ToString();
            differing[code] = differing.GetValueOrDefault(code) + 1;
            if (differing[code] == 1 && differing.Count <= MaxReports)
            {
                reports.AppendLine(runner.Report(family, snippet));
            }
        }

        string summary = string.Join(", ", differing.Select(d => $"{d.Key} {d.Value}"));
        Assert.True(mismatches == 0, string.Create(CultureInfo.InvariantCulture, $"{mismatches} of {Cases} cases differ ({runner.Faults} faulted): {summary}\n{reports}"));
    }
}

/// <summary>A theory that needs the host to be the oracle.</summary>
internal sealed class VexOracleTheoryAttribute : TheoryAttribute
{
    public VexOracleTheoryAttribute() => Skip = NativeSnippet.Unavailable;
}
