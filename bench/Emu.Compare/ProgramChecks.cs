using System.CommandLine;
using System.Globalization;

namespace Emu.Compare;

/// <summary>Runs real programs on this processor and in a guest of emu; what they print and their exit status must be the same.</summary>
internal static class ProgramChecks
{
    /// <summary>Reads <paramref name="args"/> and runs.</summary>
    public static int Invoke(string[] args)
    {
        var names = new Argument<string[]>("programs") { Arity = ArgumentArity.ZeroOrMore, Description = "names of programs; none: all" };
        var qemu = new Option<bool>("--qemu") { Description = "run them in QEMU's tcg too, for its time" };
        var cpu = new Option<string?>("--cpu") { Description = "with this CPU model only" };
        var emu = new Option<string?>("--emu") { Description = "program to start instead of ./emu" };
        var emuArgs = new Option<string>("--emu-args") { Description = "further arguments of emu, separated by spaces", DefaultValueFactory = _ => "" };
        var list = new Option<bool>("--list") { Description = "list the programs" };
        var command = new RootCommand("Runs real programs natively and in a Debian guest of emu; output and status must be the same.") { names, qemu, cpu, emu, emuArgs, list };
        command.SetAction(parsed =>
        {
            var checkout = new Checkout();
            IReadOnlyList<ProgramCase> programs = ProgramCase.Select(ProgramCase.ReadAll(checkout.ProgramsCases), parsed.GetValue(names) ?? []);
            if (parsed.GetValue(list))
            {
                Console.WriteLine(string.Join('\n', programs.Select(program => $"{program.Name,-24} {string.Join(' ', program.CpuModels)}")));
                return 0;
            }

            var options = new ComparisonOptions
            {
                Rows = [],
                Qemu = parsed.GetValue(qemu),
                EmuProgram = parsed.GetValue(emu),
                EmuArguments = parsed.GetValue(emuArgs)!.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            };
            return Run(options, checkout, programs, parsed.GetValue(cpu));
        });
        return CompareCommandLine.Invoke(command, args);
    }

    private static int Run(ComparisonOptions options, Checkout checkout, IReadOnlyList<ProgramCase> programs, string? onlyModel)
    {
        checkout.PreparePrograms(options);
        using IDisposable signals = Children.EndOnSignals();
        int passed = 0;
        int failed = 0;
        foreach (string model in programs.SelectMany(program => program.CpuModels).Distinct().Where(model => onlyModel is null || model == onlyModel))
        {
            ProgramMachine[] machines = [.. MachineSpec.WithPrograms(options with { CpuModel = model }, checkout).Select(spec => new ProgramMachine(spec, model))];
            foreach (ProgramCase program in programs.Where(program => program.CpuModels.Contains(model)))
            {
                bool good = RunOnce(program, model, machines, Path.Combine(checkout.ProgramsDifferences, $"{program.Name}.{model}"));
                passed += good ? 1 : 0;
                failed += good ? 0 : 1;
            }

            Array.ForEach(machines, machine => machine.Dispose());
        }

        Console.WriteLine($"{passed} passed, {failed} failed");
        return failed == 0 ? 0 : 1;
    }

    private static bool RunOnce(ProgramCase program, string model, ProgramMachine[] machines, string folder)
    {
        var runs = new List<ProgramRun>();
        foreach (ProgramMachine machine in machines)
        {
            Progress.Show($"{program.Name}, -cpu {model}, {machine.Name}");
            ProgramRun run = machine.Run(program);
            runs.Add(run.Outcome == runs.FirstOrDefault()?.Outcome ? run : run with { Text = machine.LastOutput() });
        }

        Progress.Clear();
        string verdict = Verdict(runs);
        Console.WriteLine(Line(verdict, program.Name, model, runs));
        if (verdict != Same)
        {
            Console.WriteLine($"        {Keep(runs, folder)}");
        }

        return verdict == Same;
    }

    private const string Same = "same";

    /// <summary>What the runs of a program, the native one first, say of emu: <c>same</c>, <c>differs</c>, or <c>failed</c> when it hung, ended the machine or had its kernel complain.</summary>
    internal static string Verdict(IReadOnlyList<ProgramRun> runs)
    {
        ProgramRun native = runs[0];
        ProgramRun emu = runs.First(run => run.Machine == MachineSpec.Emu);
        return native.Failure is not null || emu.Failure is not null ? "failed" : native.Outcome == emu.Outcome ? Same : "differs";
    }

    /// <summary>The line of a program: verdict, seconds on each machine, and where QEMU ran emu's time as a multiple of its.</summary>
    internal static string Line(string verdict, string name, string model, IReadOnlyList<ProgramRun> runs)
    {
        string times = string.Join("  ", runs.Select(run => string.Create(CultureInfo.InvariantCulture, $"{run.Machine} {run.Seconds,6:F2} s")));
        ProgramRun? qemu = runs.FirstOrDefault(run => run.Machine == MachineSpec.Qemu);
        ProgramRun emu = runs.First(run => run.Machine == MachineSpec.Emu);
        string ratio = qemu is { Seconds: > 0 } && emu.Seconds > 0 ? string.Create(CultureInfo.InvariantCulture, $"  emu/QEMU {emu.Seconds / qemu.Seconds:F2}") : "";
        string remark = qemu is not null && (qemu.Failure is not null || qemu.Outcome != runs[0].Outcome) ? $"  QEMU: {qemu.Failure ?? "differs"}" : "";
        return $"{verdict,-7} {name,-22} {model,-6}  {times}{ratio}{remark}";
    }

    // Writes what was printed and what went wrong on each machine; says where.
    private static string Keep(List<ProgramRun> runs, string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (ProgramRun run in runs.Where(run => run.Text is not null))
        {
            File.WriteAllText(Path.Combine(folder, run.Machine + ".txt"), run.Text);
        }

        string reasons = string.Join("; ", runs.Where(run => run.Failure is not null).Select(run => $"{run.Machine}: {run.Failure}"));
        return $"{(reasons.Length == 0 ? "" : reasons + "; ")}outputs in {folder}";
    }
}
