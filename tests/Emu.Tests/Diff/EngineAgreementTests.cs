using Emu.Diff;
using Emu.Tests.Kvm;
using Emu.Tests.Oracle;

namespace Emu.Tests.Diff;

/// <summary>A share of what <c>emu diff</c> runs by the million: all forms, the engines there are.</summary>
[Collection(nameof(OracleTests))]
public sealed class EngineAgreementTests
{
    [KvmFact]
    public void Interpreter_EqualsKvm() => Run(new DiffOptions { Engines = ["tier0", "kvm"], Count = 40_000, Seed = 11 });

    [OracleTheory]
    [InlineData(32, false)]
    [InlineData(32, true)]
    [InlineData(16, false)]
    [InlineData(16, true)]
    public void Interpreter_EqualsTheProcessor_InNarrowModes(int mode, bool faults) =>
        Run(new DiffOptions { Engines = ["tier0", "native"], Count = faults ? 8_000UL : 30_000, Seed = 14, Mode = mode, Faults = faults });

    [Fact]
    public void CompiledCode_EqualsInterpreter() => Run(new DiffOptions { Engines = ["tier0", "jit"], Count = 2_500, Seed = 12 });

    [Theory]
    [InlineData(32)]
    [InlineData(16)]
    public void CompiledCode_EqualsInterpreter_InNarrowModes(int mode) => Run(new DiffOptions { Engines = ["tier0", "jit"], Count = 2_000, Seed = 13, Mode = mode });

    private static void Run(DiffOptions options)
    {
        using var runner = new DiffRunner(options);
        runner.Run();

        Assert.True(runner.Summary().Mismatches == 0, string.Join('\n', runner.Mismatches.Select(mismatch => mismatch.Text)));
        Assert.Equal(options.Count, runner.Summary().Cases);
        Assert.All(runner.Summary().Engines.Values, engine => Assert.Equal(options.Count, engine.Cases));
    }
}
