using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Emu.Cli.Options;
using Emu.Diff;
using Emu.Diff.Compare;
using Emu.Diff.Engines;

namespace Emu.Cli;

/// <summary><c>emu diff</c>: generated code on several engines, and what they do not agree on.</summary>
internal static class DiffCommand
{
    /// <summary>The first word of the command line that asks for it.</summary>
    public const string Name = "diff";

    /// <summary>Exit code when engines differ.</summary>
    public const int DifferentExit = 3;

    private static readonly ParserConfiguration Configuration = new() { EnablePosixBundling = false, ResponseFileTokenReplacer = null };

    private static readonly (string Name, string? Value, string Summary)[] Table =
    [
        ("engines", "NAME,...", "two or more of tier0 (interpreter), jit (compiled), kvm, native (the host's processor); tcg is tier0,jit. Default: tier0,kvm where there is KVM, else tier0,native"),
        ("count", "N", "number of cases (default 1000000; 0 for no end)"),
        ("first", "N", "number of the first case (default 0)"),
        ("seed", "S", "with a case's number, what makes it (default 1)"),
        ("isa", "NAME,...", "instruction sets (base, x87, sse2...), kinds (arithmetic, shift, move, string, condition, branch) or mnemonics; default: all"),
        ("mode", "64|32|16", "code of so many bits (default 64)"),
        ("jobs", "N", "threads, each with engines of its own (default 1)"),
        ("minutes", "M", "end after that time; without --count, there is no other end"),
        ("length", "1..20", "most instructions of a case (default 6)"),
        ("faults", null, "every case may end in an exception, not one in 64"),
        ("save", "FOLDER", "write mismatches there, as files for --replay"),
        ("replay", "FILE", "run the case of a file again, on its engines or those of --engines"),
        ("case", "N", "run this case alone and show it"),
        ("coverage", "FILE", "write what is covered, by instruction form, as markdown"),
        ("help", null, "this list"),
    ];

    /// <summary>Runs it; <paramref name="args"/> is the command line with the word itself. Returns the exit code.</summary>
    /// <exception cref="OptionException">The command line is wrong, or something is not there on this host.</exception>
    public static int Run(IReadOnlyList<string> args)
    {
        try
        {
            ParseResult result = Command().Parse([.. args.Skip(1).Select(Normalize)], Configuration);
            if (result.Errors.Count > 0)
            {
                throw new OptionException("diff: " + result.Errors[0].Message);
            }

            if (result.GetValue<bool>("--help"))
            {
                Console.Out.Write(Help());
                return 0;
            }

            return Text(result, "replay") is string file ? DiffReplay.Run(file, Text(result, "engines")) : Compare(result);
        }
        catch (DiffOptionException exception)
        {
            throw new OptionException("diff: " + exception.Message);
        }
    }

    // One dash or two, as everywhere.
    private static string Normalize(string argument) => argument.Length > 2 && argument[0] == '-' && argument[1] != '-' && !char.IsDigit(argument[1]) ? "-" + argument : argument;

    private static RootCommand Command()
    {
        var command = new RootCommand("compares engines");
        command.Options.Clear();
        command.Directives.Clear();
        foreach ((string name, string? value, string summary) in Table)
        {
            command.Options.Add(value is null ? new Option<bool>("--" + name) { Description = summary } : new Option<string>("--" + name) { Description = summary });
        }

        return command;
    }

    private static int Compare(ParseResult result)
    {
        DiffOptions options = Options(result);
        string? folder = Text(result, "save");
        string? coverage = Text(result, "coverage");
        if (Text(result, "case") is not null)
        {
            return DiffReplay.Run(options, Number(result, "case", 0, 0, ulong.MaxValue / 2));
        }

        using var runner = new DiffRunner(options);
        using var cancel = new CancellationTokenSource();
        void Stop(object? sender, ConsoleCancelEventArgs e)
        {
            e.Cancel = true;
            cancel.Cancel();
        }

        Console.CancelKeyPress += Stop;
        var progress = new DiffProgress(options);
        runner.Run(progress.Show, cancel.Token);
        Console.CancelKeyPress -= Stop;
        progress.Clear();
        DiffSummary summary = runner.Summary();
        foreach (Mismatch mismatch in runner.Mismatches)
        {
            Console.Out.WriteLine(Save(folder, mismatch));
        }

        Console.Out.Write(DiffReport.Format(options, summary));
        if (coverage is not null)
        {
            WriteFile("coverage", coverage, CoverageReport.Format(options, summary, runner.Mismatches));
        }

        return summary.Mismatches == 0 ? 0 : DifferentExit;
    }

    private static string Save(string? folder, Mismatch mismatch)
    {
        if (folder is null)
        {
            return mismatch.Text;
        }

        string file = Path.Combine(folder, $"{mismatch.Shrunk.Decode()[^1].Code.ToString().ToLowerInvariant()}-{mismatch.Original.Seed}-{mismatch.Original.Number}.case");
        WriteFile("save", file, mismatch.Text);
        return $"{mismatch.Text}saved as {file}\n";
    }

    private static void WriteFile(string option, string path, string text)
    {
        try
        {
            if (Path.GetDirectoryName(path) is { Length: > 0 } folder)
            {
                Directory.CreateDirectory(folder);
            }

            File.WriteAllText(path, text);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new OptionException($"diff: --{option}: {path} cannot be written: {exception.Message}");
        }
    }

    private static DiffOptions Options(ParseResult result)
    {
        int mode = (int)Number(result, "mode", 64, 16, 64);
        if (mode is not (16 or 32 or 64))
        {
            throw new OptionException($"diff: --mode: '{mode}' is no mode; use 64, 32 or 16");
        }

        bool timed = Text(result, "minutes") is not null;
        return new DiffOptions
        {
            Engines = EngineFactory.Parse(Text(result, "engines") ?? EngineFactory.Default(mode)),
            Count = Number(result, "count", timed ? 0UL : 1_000_000, 0, ulong.MaxValue / 2),
            First = Number(result, "first", 0, 0, ulong.MaxValue / 2),
            Seed = Number(result, "seed", 1, 0, ulong.MaxValue),
            Isa = Text(result, "isa")?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [],
            Mode = mode,
            Jobs = (int)Number(result, "jobs", 1, 1, 256),
            Time = timed ? Minutes(Text(result, "minutes")!) : null,
            Length = (int)Number(result, "length", 6, 1, 20),
            Faults = result.GetValue<bool>("--faults"),
        };
    }

    private static string? Text(ParseResult result, string name) => result.GetValue<string>("--" + name);

    private static ulong Number(ParseResult result, string name, ulong otherwise, ulong least, ulong most)
    {
        if (Text(result, name) is not string text)
        {
            return otherwise;
        }

        return ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) && value >= least && value <= most
            ? value
            : throw new OptionException($"diff: --{name}: '{text}' is no number from {least} to {most}");
    }

    private static TimeSpan Minutes(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double minutes) && minutes is > 0 and < 1e6
            ? TimeSpan.FromMinutes(minutes)
            : throw new OptionException($"diff: --minutes: '{text}' is no time in minutes, such as 10 or 0.5");

    private static string Help()
    {
        const int Column = 24;
        var text = new System.Text.StringBuilder("usage: emu diff [options]     runs generated code on several engines and compares every register, flag and byte\n\n");
        foreach ((string name, string? value, string summary) in Table)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {("--" + name + (value is null ? "" : " " + value)).PadRight(Column - 2)}{summary}\n");
        }

        return text.Append("\nExit code: 0 no difference, 3 differences, 1 wrong option, file or host.\n").ToString();
    }
}
