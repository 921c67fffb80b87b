using System.CommandLine;
using System.Diagnostics;
using System.Globalization;

namespace Emu.Compare;

/// <summary>
/// Whether emu gives memory back: a guest writes code and runs it for minutes, the same amount over and over, while the resident memory of
/// emu is looked at every second. What is not given back adds up.
/// </summary>
internal static class Soak
{
    private const double Tolerance = 1.05;
    private const double Mebibyte = 1 << 20;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(300);
    private static readonly string[] Programs = ["bench newcode 20", "bench smc 20"];

    /// <summary>Reads <paramref name="args"/> and runs.</summary>
    public static int Invoke(string[] args)
    {
        Option<double> minutes = Minutes("--minutes", 10, "minutes after the warm-up");
        Option<double> warmUp = Minutes("--warm-up", 2, "minutes before what is looked at: the highest value there is what counts");
        var accelerator = new Option<string>("--accel")
        {
            Description = "accelerator of emu; so low a threshold has fresh code compiled",
            DefaultValueFactory = _ => "tcg,tb-threshold=10",
        };
        var emu = new Option<string?>("--emu") { Description = "program to start instead of ./emu" };
        var command = new RootCommand("A guest writes and runs fresh code for minutes; passes when emu's resident memory stays within 5 %.") { minutes, warmUp, accelerator, emu };
        command.SetAction(parsed =>
        {
            var options = new ComparisonOptions { Rows = [], Native = false, Qemu = false, EmuProgram = parsed.GetValue(emu) };
            return Run(options, parsed.GetValue(accelerator)!, TimeSpan.FromMinutes(parsed.GetValue(warmUp)), TimeSpan.FromMinutes(parsed.GetValue(minutes)));
        });
        return CompareCommandLine.Invoke(command, args);
    }

    private static int Run(ComparisonOptions options, string accelerator, TimeSpan warmUp, TimeSpan length)
    {
        var checkout = new Checkout();
        checkout.Prepare(options);
        using IDisposable signals = Children.EndOnSignals();
        MachineSpec spec = MachineSpec.OfEmu(options, checkout, checkout.BenchInitrd, accelerator, cpus: 1);
        Console.WriteLine($"soak: {string.Join(' ', spec.Command)}");
        try
        {
            using AgentMachine machine = AgentMachine.Boot(spec, Limit);
            double[] before = Churn(machine, warmUp, "warm-up");
            double[] after = Churn(machine, length, "soak");
            return Judge(before, after);
        }
        catch (MachineFailure failure)
        {
            Progress.Clear();
            Console.Error.WriteLine($"soak: {failure.Message}");
            return 1;
        }
    }

    /// <summary>True when nothing of <paramref name="after"/> is more than 5 % above the highest of <paramref name="before"/>: what is collected now and then makes a saw-tooth.</summary>
    internal static bool IsFlat(double[] before, double[] after) => after.Max() <= before.Max() * Tolerance;

    // Resident MiB, each second.
    private static double[] Churn(AgentMachine machine, TimeSpan length, string phase)
    {
        var samples = new List<double>();
        using (var sampler = new Timer(_ => Sample(), null, TimeSpan.Zero, TimeSpan.FromSeconds(1)))
        {
            var outputs = new Dictionary<string, string>();
            for (var watch = Stopwatch.StartNew(); watch.Elapsed < length || samples.Count == 0;)
            {
                foreach (string program in Programs)
                {
                    Progress.Show($"{phase}: {watch.Elapsed.TotalSeconds:F0} of {length.TotalSeconds:F0} s");
                    Check(outputs, program, machine.Run(program, Limit));
                }
            }
        }

        Progress.Clear();
        lock (samples)
        {
            return [.. samples];
        }

        void Sample()
        {
            lock (samples)
            {
                samples.Add(machine.ResidentBytes / Mebibyte);
            }
        }
    }

    // A program prints its name, a checksum and a time.
    private static void Check(Dictionary<string, string> outputs, string program, CommandResult result)
    {
        string output = result.Output.LastIndexOf(' ') is > 0 and int space ? result.Output[..space] : result.Output;
        if (result.Status != 0 || (outputs.TryGetValue(program, out string? first) && first != output))
        {
            throw new MachineFailure($"'{program}' ended with status {result.Status} and '{output}'");
        }

        outputs[program] = output;
    }

    private static int Judge(double[] before, double[] after)
    {
        bool flat = IsFlat(before, after);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"warm-up: min {before.Min():F0}, max {before.Max():F0}, last {before[^1]:F0} MiB ({before.Length} samples)"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"soak:    min {after.Min():F0}, max {after.Max():F0}, last {after[^1]:F0} MiB ({after.Length} samples)"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{(flat ? "passed" : "FAILED")}: highest {100 * (after.Max() / before.Max() - 1):+0.0;-0.0} % against the warm-up, 5 % allowed"));
        return flat ? 0 : 1;
    }

    private static Option<double> Minutes(string name, double initial, string description)
    {
        var option = new Option<double>(name) { Description = description, DefaultValueFactory = _ => initial };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && double.TryParse(token.Value, CultureInfo.InvariantCulture, out double value) && value is not (> 0 and < 10_000))
            {
                result.AddError($"{name} must be more than 0, not {token.Value}");
            }
        });
        return option;
    }
}
