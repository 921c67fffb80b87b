using Emu.Diff;
using Emu.Diff.Cases;
using Emu.Diff.Compare;
using Emu.Diff.Engines;

namespace Emu.Cli;

/// <summary><c>emu diff --replay</c>: one case again.</summary>
internal static class DiffReplay
{
    /// <summary>Runs the case of <paramref name="file"/> and prints both results. Returns the exit code.</summary>
    /// <exception cref="DiffOptionException">The file or an engine cannot be used.</exception>
    public static int Run(string file, string? engines)
    {
        StoredCase subject = CaseFile.Parse(Read(file), file);
        return Run(subject, EngineFactory.Parse(engines ?? (subject.Engines.Count >= 2 ? string.Join(',', subject.Engines) : EngineFactory.Default(subject.Bitness))));
    }

    /// <summary>Makes case <paramref name="number"/> of <paramref name="options"/>, runs it alone and prints both results. Returns the exit code.</summary>
    /// <exception cref="DiffOptionException">An engine cannot be used.</exception>
    public static int Run(DiffOptions options, ulong number) => Run(StoredCase.Generate(options, number), options.Engines);

    private static int Run(StoredCase subject, IReadOnlyList<string> names)
    {
        using IDiffEngine first = EngineFactory.Create(names[0], subject.Bitness);
        bool equal = true;
        foreach (string name in names.Skip(1))
        {
            using IDiffEngine other = EngineFactory.Create(name, subject.Bitness);
            (IDiffEngine reference, IDiffEngine tested) = other.IsSilicon && !first.IsSilicon ? (other, first) : (first, other);
            using var tester = new PairTester(reference, tested, subject.Bitness);
            StoredCase run = subject with { Engines = [reference.Name, tested.Name] };
            PairOutcome outcome = tester.Run(run) ?? throw new DiffOptionException("the case's code reads flags that are undefined: there is nothing to compare");
            Console.Out.Write(CaseFile.Format(run) + CaseReport.Comment(run, outcome));
            Console.Out.WriteLine($"{reference.Name} and {tested.Name} {(!outcome.Differs ? "agree" : outcome.Deviation is { } known ? $"differ as known: {known.Reason}" : "differ")}");
            equal &= !outcome.Differs || outcome.Deviation is not null;
        }

        return equal ? 0 : DiffCommand.DifferentExit;
    }

    private static string Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new DiffOptionException($"--replay: {exception.Message}");
        }
    }
}
