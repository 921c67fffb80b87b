using System.Globalization;

namespace Emu.Compare;

/// <summary>
/// The row <c>workers</c>: how much sooner two CPUs have done the work of two independent programs than one after the other. Natively it says
/// what the host gives at that time.
/// </summary>
internal static class WorkerRow
{
    /// <summary>Its name.</summary>
    public const string Name = "workers";

    /// <summary>Unit of its values: the speed-up.</summary>
    public const string Unit = "times";

    private const double Required = 1.7;
    private static readonly TimeSpan BootLimit = TimeSpan.FromSeconds(120);
    private static readonly string[] Programs = ["hash", "vm", "mandel", "sieve"];

    /// <summary>Runs it; one warm-up run is left out.</summary>
    public static RowResult Run(ComparisonOptions options, Checkout checkout)
    {
        var row = new RowResult { Name = Name, Group = RowGroup.Machine, Unit = Unit, Size = options.Percent };
        var machines = new List<(MachineResult Result, AgentMachine Machine, string Name)>();
        try
        {
            foreach (MachineSpec spec in MachineSpec.WithTwoCpus(options, checkout))
            {
                var result = new MachineResult();
                row.Machines.Add(spec.Name, result);
                machines.Add((result, AgentMachine.Boot(spec, BootLimit), spec.Name));
            }

            for (int run = 0; run <= options.Runs; run++)
            {
                foreach ((MachineResult result, AgentMachine machine, string name) in machines)
                {
                    Progress.Show($"{Name}: {(run == 0 ? "warm-up" : $"run {run} of {options.Runs}")}, {name}");
                    RunOnce(result, machine, options, warm: run == 0);
                }
            }
        }
        catch (MachineFailure failure)
        {
            row.Machines.Last().Value.Failure ??= failure.Message;
        }
        finally
        {
            machines.ForEach(machine => machine.Machine.Dispose());
        }

        row.Judge();
        AddShortfall(row);
        return row;
    }

    private static void RunOnce(MachineResult result, AgentMachine machine, ComparisonOptions options, bool warm)
    {
        var limit = TimeSpan.FromSeconds(2 * Programs.Length * options.LimitSeconds);
        string work = $"(for p in {string.Join(' ', Programs)}; do bench $p {options.Percent}; done) > /dev/null";
        try
        {
            CommandResult one = machine.Run(work, limit);
            CommandResult two = machine.Run($"{work} & {work} & wait", limit);
            result.Failure ??= one.Status != 0 || two.Status != 0 ? $"status {one.Status} and {two.Status}" : null;
            if (!warm)
            {
                result.Values.Add(2 * one.GuestSeconds / two.GuestSeconds);
            }
        }
        catch (MachineFailure failure)
        {
            result.Failure ??= failure.Message;
        }
    }

    /// <summary>Notes that emu is too slow; against emu only where the host has two CPUs to give, which a busy one has not.</summary>
    internal static void AddShortfall(RowResult row)
    {
        if (row.MedianOf(MachineSpec.Emu) is not double speedUp || speedUp >= Required)
        {
            return;
        }

        bool busy = row.MedianOf(MachineSpec.Native) is double native && native < Required;
        string found = string.Create(CultureInfo.InvariantCulture, $"{speedUp:F2} is less than {Required}");
        row.Notes.Add(busy ? $"{found}, but so is what the host gives" : $"{MachineSpec.Emu}: {found}");
    }
}
