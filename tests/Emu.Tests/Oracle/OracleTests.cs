using System.Globalization;
using Emu.Diff;
using Emu.Diff.Compare;
using Emu.Diff.Engines;
using Emu.Tests.Tcg;

namespace Emu.Tests.Oracle;

/// <summary>
/// Generated 64-bit user code on the emulator against the host's own processor, in this process. EMU_ORACLE_CASES sets the number of cases per
/// family, EMU_ORACLE_SEED the seed.
/// </summary>
[Collection(nameof(OracleTests))]
public sealed class OracleTests
{
    // A signal costs far more than a case.
    private const ulong FaultShare = 4;

    private static ulong Cases => ulong.TryParse(Environment.GetEnvironmentVariable("EMU_ORACLE_CASES"), out ulong n) ? n : 6_000;

    private static ulong Seed => ulong.TryParse(Environment.GetEnvironmentVariable("EMU_ORACLE_SEED"), out ulong n) ? n : 1;

    public static TheoryData<string> Families() => [.. OracleFamily.All.Select(f => f.Name)];

    [OracleTheory]
    [MemberData(nameof(Families))]
    public void GeneratedCases_EqualSilicon(string name) => Compare(OracleFamily.All.Single(f => f.Name == name), Cases, faults: false);

    [OracleTheory]
    [MemberData(nameof(Families))]
    public void CasesThatMayFault_EqualSilicon(string name) => Compare(OracleFamily.All.Single(f => f.Name == name), Cases / FaultShare, faults: true);

    private static void Compare(OracleFamily family, ulong cases, bool faults)
    {
        var options = new DiffOptions { Engines = ["native", "tier0"], Count = cases, Seed = Seed, Isa = family.Isa, Length = family.Length, Faults = faults, MaxMismatches = 6 };
        using var runner = new DiffRunner(options, Engine);
        runner.Run();
        DiffSummary summary = runner.Summary();

        Assert.True(summary.Mismatches == 0, string.Create(CultureInfo.InvariantCulture,
            $"{summary.Mismatches} of {summary.Cases} cases differ ({summary.Faults} faulted):\n{string.Join('\n', runner.Mismatches.Select(mismatch => mismatch.Text))}"));
        Assert.Equal(cases, summary.Cases);
        Assert.True(!faults || summary.Faults > 0);
    }

    private static IDiffEngine Engine(string name, int bitness) => name != "tier0" ? EngineFactory.Create(name, bitness)
        : TierOptions.Threshold is null ? SoftwareEngine.Tier0(bitness) : SoftwareEngine.Compiled(bitness, TierOptions.Default);
}

/// <summary>A theory that needs the host to be the oracle.</summary>
internal sealed class OracleTheoryAttribute : TheoryAttribute
{
    public OracleTheoryAttribute() => Skip = NativeEngine.Unavailable;
}
