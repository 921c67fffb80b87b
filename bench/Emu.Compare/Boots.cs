using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Emu.Compare;

/// <summary>Boots Debian again and again, with code compiled at random times or not at all, on one CPU and on two; each must come up and power off.</summary>
internal static class Boots
{
    private const string Marker = "EMU-GUEST-READY";
    private const string Prompt = "emu-guest# ";
    private const int HighestThreshold = 5000;
    private const int ShownCharacters = 2000;

    /// <summary>Reads <paramref name="args"/> and runs.</summary>
    public static int Invoke(string[] args)
    {
        var count = new Argument<int>("boots") { Description = "how many", DefaultValueFactory = _ => 10 };
        var seed = new Option<int>("--seed") { Description = "makes a series again; random if not given", DefaultValueFactory = _ => Random.Shared.Next(1_000_000) };
        Option<int> limit = CompareCommandLine.Number("--limit", 600, "seconds after which a boot has failed");
        var emu = new Option<string?>("--emu") { Description = "program to start instead of ./emu" };
        var command = new RootCommand("Boots Debian with random compile thresholds; each boot must reach user space and power off.") { count, seed, limit, emu };
        command.SetAction(parsed =>
        {
            var options = new ComparisonOptions { Rows = [], Native = false, Qemu = false, EmuProgram = parsed.GetValue(emu) };
            return Run(options, parsed.GetValue(count), parsed.GetValue(seed), TimeSpan.FromSeconds(parsed.GetValue(limit)));
        });
        return CompareCommandLine.Invoke(command, args);
    }

    private static int Run(ComparisonOptions options, int count, int seed, TimeSpan limit)
    {
        var checkout = new Checkout();
        checkout.Prepare(options);
        using IDisposable signals = Children.EndOnSignals();
        var random = new Random(seed);
        int failures = 0;
        Console.WriteLine($"boots: --seed {seed}");
        for (int boot = 0; boot < count; boot++)
        {
            string accelerator = NextAccelerator(random);
            int cpus = 1 + (boot & 1);
            MachineSpec spec = MachineSpec.OfEmu(options, checkout, checkout.DebianInitrd, accelerator, cpus);
            Progress.Show($"boot {boot + 1} of {count}: {accelerator}, -smp {cpus}");
            var watch = Stopwatch.StartNew();
            string? failure = BootAndPowerOff(spec, limit, out double up);
            Progress.Clear();
            string times = string.Create(CultureInfo.InvariantCulture, $"up {up:F1} s, off {watch.Elapsed.TotalSeconds:F1} s");
            Console.WriteLine($"{boot + 1,3} -smp {cpus} {accelerator,-22} {(failure is null ? times : "FAILED: " + failure)}");
            if (failure is not null)
            {
                failures++;
                Console.WriteLine($"    {string.Join(' ', spec.Command.Select(Quoted))}");
            }
        }

        Console.WriteLine($"{count - failures} of {count} boots reached user space and powered off");
        return failures == 0 ? 0 : 1;
    }

    // One of four compiles everything before it runs, one nothing.
    private static string NextAccelerator(Random random) => random.Next(4) switch
    {
        0 => "tcg,tb-threshold=0",
        1 => "tcg,jit=off",
        _ => $"tcg,tb-threshold={random.Next(1, HighestThreshold + 1)}",
    };

    private static string Quoted(string argument) => argument.Contains(' ', StringComparison.Ordinal) ? $"'{argument}'" : argument;

    // Null when all went well.
    private static string? BootAndPowerOff(MachineSpec spec, TimeSpan limit, out double up)
    {
        var watch = Stopwatch.StartNew();
        using Process process = Children.Start(spec);
        using var watchdog = new Timer(_ => process.Kill(), null, limit, Timeout.InfiniteTimeSpan);
        var output = new StringBuilder();
        bool marked = ReadTo(process, Marker, output);
        up = watch.Elapsed.TotalSeconds;
        if (marked && ReadTo(process, Prompt, output))
        {
            process.StandardInput.Write("poweroff -f\n");
            process.StandardInput.Flush();
            _ = ReadTo(process, null, output);
        }

        process.WaitForExit();
        int status = process.ExitCode;
        Children.End(process);
        string last = output.Length > ShownCharacters ? output.ToString(output.Length - ShownCharacters, ShownCharacters) : output.ToString();
        return watch.Elapsed >= limit ? $"no end within {limit.TotalSeconds:F0} s; the output ends with\n{last}"
            : !marked ? $"ended with exit code {status} before user space; the output ends with\n{last}"
            : status != 0 ? $"exit code {status} after power-off; the output ends with\n{last}"
            : null;
    }

    // The prompt has no line end. Null reads to the end.
    private static bool ReadTo(Process process, string? text, StringBuilder output)
    {
        int from = output.Length;
        int next;
        while ((next = process.StandardOutput.Read()) >= 0)
        {
            output.Append((char)next);
            if (text is not null && next == text[^1] && output.Length - from >= text.Length && output.ToString(output.Length - text.Length, text.Length) == text)
            {
                return true;
            }
        }

        return false;
    }
}
