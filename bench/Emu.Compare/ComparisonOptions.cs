using System.CommandLine;
using System.CommandLine.Parsing;

namespace Emu.Compare;

/// <summary>A wrong option, or something that this host lacks; the message is one line for the user.</summary>
internal sealed class CompareException(string message) : Exception(message);

/// <summary>What a comparison is to do.</summary>
internal sealed record ComparisonOptions
{
    /// <summary>Names of the rows, in the order of the table.</summary>
    public required IReadOnlyList<string> Rows { get; init; }

    /// <summary>Runs of each row on each machine.</summary>
    public int Runs { get; init; } = 5;

    /// <summary>Length of the rows; at 100, QEMU takes about three seconds for each.</summary>
    public int Percent { get; init; } = 30;

    /// <summary>Seconds a program may take before its row has failed on that machine.</summary>
    public int LimitSeconds { get; init; } = 60;

    /// <summary>Runs the programs without emulation too.</summary>
    public bool Native { get; init; } = true;

    /// <summary>Runs the programs in QEMU.</summary>
    public bool Qemu { get; init; } = true;

    /// <summary>CPU model of both emulators.</summary>
    public string CpuModel { get; init; } = "qemu64";

    /// <summary>Host CPU that everything is bound to; null for none.</summary>
    public int? Pin { get; init; }

    /// <summary>The emulator to start instead of the launcher of this checkout; null for that.</summary>
    public string? EmuProgram { get; init; }

    /// <summary>Further arguments of emu.</summary>
    public IReadOnlyList<string> EmuArguments { get; init; } = [];

    /// <summary>Further arguments of QEMU.</summary>
    public IReadOnlyList<string> QemuArguments { get; init; } = [];

    /// <summary>Writes bench/results and the picture in docs.</summary>
    public bool Save { get; init; }
}

/// <summary>The command line.</summary>
internal static class CompareCommandLine
{
    private static readonly Argument<string[]> Rows = new("rows")
    {
        Arity = ArgumentArity.ZeroOrMore,
        Description = "rows or groups (machine, integer, floating, kernel, churn, programs); none: all",
    };

    private static readonly Option<int> Runs = Number("--runs", 5, "runs of each row on each machine; medians count");
    private static readonly Option<int> Percent = Number("--percent", 30, "length of the rows; at 100 QEMU takes about 3 s for each");
    private static readonly Option<int> Limit = Number("--limit", 60, "seconds after which a program has failed");
    private static readonly Option<bool> NoNative = new("--no-native") { Description = "leave the native runs out" };
    private static readonly Option<bool> NoQemu = new("--no-qemu") { Description = "leave QEMU out" };
    private static readonly Option<string> Cpu = new("--cpu") { Description = "CPU model of both emulators", DefaultValueFactory = _ => "qemu64" };
    private static readonly Option<int?> Pin = new("--pin") { Description = "bind every machine to this host CPU (taskset)" };
    private static readonly Option<string?> Emu = new("--emu") { Description = "program to start instead of ./emu" };
    private static readonly Option<string> EmuArgs = new("--emu-args") { Description = "further arguments of emu, separated by spaces", DefaultValueFactory = _ => "" };
    private static readonly Option<string> QemuArgs = new("--qemu-args")
    {
        Description = "further arguments of QEMU, separated by spaces",
        DefaultValueFactory = _ => "",
    };

    private static readonly Option<bool> Save = new("--save")
    {
        Description = "write bench/results and docs/comparison.svg; a run of all the rows on all machines does so by itself",
    };

    private static readonly Option<bool> List = new("--list") { Description = "list the rows" };

    /// <summary>Reads <paramref name="args"/> and runs <paramref name="run"/>; prints help, the list or an error where that is asked for.</summary>
    public static int Invoke(string[] args, Func<ComparisonOptions, int> run)
    {
        var command = new RootCommand("Runs the same programs natively, in QEMU's tcg and in emu, in turn, and compares the times.")
        {
            Rows, Runs, Percent, Limit, NoNative, NoQemu, Cpu, Pin, Emu, EmuArgs, QemuArgs, Save, List,
        };
        command.SetAction(parsed =>
        {
            if (!parsed.GetValue(List))
            {
                return run(Options(parsed));
            }

            Console.WriteLine($"machine: {string.Join(' ', RowCatalog.MachineRowNames)}");
            foreach (IGrouping<RowGroup, Row> group in RowCatalog.All.GroupBy(row => row.Group))
            {
                Console.WriteLine($"{group.Key.ToString().ToLowerInvariant()}: {string.Join(' ', group.Select(row => row.Name))}");
            }

            return 0;
        });
        return Invoke(command, args);
    }

    /// <summary>Runs <paramref name="command"/> with <paramref name="args"/>.</summary>
    /// <exception cref="CompareException">An argument is wrong.</exception>
    public static int Invoke(RootCommand command, string[] args)
    {
        ParseResult parse = command.Parse(args);
        if (parse.Errors.Count > 0)
        {
            throw new CompareException(parse.Errors[0].Message);
        }

        return parse.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
    }

    private static ComparisonOptions Options(ParseResult parsed)
    {
        string[] rows = parsed.GetValue(Rows) ?? [];
        bool complete = rows.Length == 0 && !parsed.GetValue(NoNative) && !parsed.GetValue(NoQemu);
        return new ComparisonOptions
        {
            Rows = RowCatalog.Select(rows),
            Runs = parsed.GetValue(Runs),
            Percent = parsed.GetValue(Percent),
            LimitSeconds = parsed.GetValue(Limit),
            Native = !parsed.GetValue(NoNative),
            Qemu = !parsed.GetValue(NoQemu),
            CpuModel = parsed.GetValue(Cpu)!,
            Pin = parsed.GetValue(Pin),
            EmuProgram = parsed.GetValue(Emu),
            EmuArguments = Words(parsed.GetValue(EmuArgs)!),
            QemuArguments = Words(parsed.GetValue(QemuArgs)!),
            Save = complete || parsed.GetValue(Save),
        };
    }

    /// <summary>An option whose value is at least 1.</summary>
    public static Option<int> Number(string name, int initial, string description)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => initial };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [Token token] && int.TryParse(token.Value, out int value) && value < 1)
            {
                result.AddError($"{name} must be at least 1, not {value}");
            }
        });
        return option;
    }

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
