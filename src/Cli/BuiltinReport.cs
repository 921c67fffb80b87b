using System.Globalization;
using Spectre.Console;

namespace Emu.Cli;

/// <summary>One run of the built-in guest.</summary>
/// <param name="Accelerator">Name of the accelerator.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Detail">Reason when it did not pass.</param>
/// <param name="Wall">Host time.</param>
/// <param name="Work">Instructions or exits, with the unit (<c>1,234,567 instructions</c>).</param>
/// <param name="StateHash">Hash of final RAM and registers, without what depends on time.</param>
/// <param name="FirstDifference">First difference from the first run that passed, or null when there is none.</param>
internal sealed record BuiltinRun(
    string Accelerator, BuiltinOutcome Outcome, string Detail, TimeSpan Wall, string Work, string StateHash, string? FirstDifference)
{
    /// <summary>Parts of the guest that this accelerator cannot run here and that were left out, by name.</summary>
    public IReadOnlyList<string> LeftOut { get; init; } = [];
}

/// <summary>What became of a run of the built-in guest.</summary>
internal enum BuiltinOutcome
{
    /// <summary>Every check passed.</summary>
    Passed,

    /// <summary>The guest found a fault, or did not end.</summary>
    Failed,

    /// <summary>The accelerator cannot be used on this host; the reason is given.</summary>
    Unavailable,
}

/// <summary>The table at the end of <c>emu</c> without options.</summary>
internal static class BuiltinReport
{
    /// <summary>Exit code: 0 when something ran, all that ran passed, and all final states are the same.</summary>
    public static int ExitCode(IReadOnlyList<BuiltinRun> runs)
    {
        bool ran = runs.Any(run => run.Outcome == BuiltinOutcome.Passed);
        bool wrong = runs.Any(run => run.Outcome == BuiltinOutcome.Failed || run.FirstDifference is not null);
        return ran && !wrong ? 0 : 1;
    }

    /// <summary>Writes the table to <paramref name="output"/>.</summary>
    public static void Write(IReadOnlyList<BuiltinRun> runs, TextWriter output)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(output),
        });

        // Wide enough that no reason is cut where the output is no terminal.
        console.Profile.Width = 160;
        var table = new Table { Border = TableBorder.Ascii };
        table.AddColumns("accelerator", "status", "wall time", "work", "final state", "comparison");
        foreach (BuiltinRun run in runs)
        {
            bool ran = run.Outcome != BuiltinOutcome.Unavailable;
            string status = run.Outcome switch
            {
                BuiltinOutcome.Passed when run.LeftOut.Count > 0 => "passed without " + string.Join(", ", run.LeftOut),
                BuiltinOutcome.Passed => "passed",
                BuiltinOutcome.Failed => "FAILED: " + run.Detail,
                _ => "not used: " + run.Detail,
            };
            table.AddRow(Text(run.Accelerator), Text(status), Text(ran ? Seconds(run.Wall) : "-"), Text(ran ? run.Work : "-"),
                Text(run.Outcome == BuiltinOutcome.Passed ? run.StateHash : "-"), Text(Comparison(run)));
        }

        console.Write(table);
        output.Flush();
    }

    private static string Comparison(BuiltinRun run) => run.Outcome != BuiltinOutcome.Passed ? "-" : run.FirstDifference ?? "identical";

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.00 's'", CultureInfo.InvariantCulture);

    private static Text Text(string text) => new(text);
}
