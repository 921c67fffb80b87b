using Emu.Diff.Cases;
using Emu.Diff.Compare;
using Emu.Diff.Engines;
using Emu.Tests.Oracle;

namespace Emu.Tests.Diff;

/// <summary>What <c>emu diff</c> once found: files of its <c>--save</c>, each beside the fix of what it showed.</summary>
[Collection(nameof(OracleTests))]
public sealed class CaseReplayTests
{
    private static readonly string Folder = Repository.PathOf("tests", "Emu.Tests", "Diff", "Cases");

    public static TheoryData<string> Files() => [.. Directory.GetFiles(Folder, "*.case").Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    /// <summary>A processor where there is one, else the interpreter.</summary>
    [Theory]
    [MemberData(nameof(Files))]
    public void OldMismatch_IsNoneAnyMore(string file)
    {
        StoredCase subject = CaseFile.Parse(File.ReadAllText(Path.Combine(Folder, file)), file);
        bool silicon = NativeEngine.Unavailable is null;
        using IDiffEngine reference = EngineFactory.Create(silicon ? "native" : "tier0", subject.Bitness);
        foreach (string name in (string[])(silicon ? ["tier0", "jit"] : ["jit"]))
        {
            using IDiffEngine engine = EngineFactory.Create(name, subject.Bitness);
            using var tester = new PairTester(reference, engine, subject.Bitness);
            PairOutcome outcome = tester.Run(subject)!;

            Assert.True(!outcome.Differs || outcome.Deviation is not null, CaseReport.Comment(subject with { Engines = [reference.Name, name] }, outcome));
        }
    }
}
