using System.Globalization;

namespace Emu.Compare;

/// <summary>
/// Runs the rows that are programs: one guest per emulator stays up for all of them, and the machines take turns. A machine that fails is
/// started anew, and the row has failed on it.
/// </summary>
internal sealed class ProgramRows(ComparisonOptions options, IReadOnlyList<MachineSpec> specs) : IDisposable
{
    private static readonly TimeSpan BootLimit = TimeSpan.FromSeconds(120);

    // Preparing is not measured and may take longer than a row.
    private readonly TimeSpan _prepareLimit = TimeSpan.FromSeconds(3 * options.LimitSeconds);
    private readonly TimeSpan _limit = TimeSpan.FromSeconds(options.LimitSeconds);
    private readonly Dictionary<string, AgentMachine> _machines = [];

    // What has been prepared, as "machine command": lost when a machine is started anew.
    private readonly HashSet<(string Machine, string Command)> _prepared = [];

    /// <summary>Runs <paramref name="row"/> as often as the options say.</summary>
    public RowResult Run(Row row)
    {
        int size = row.Size(options.Percent);
        var result = new RowResult { Name = row.Name, Group = row.Group, Size = size };
        foreach (MachineSpec spec in specs)
        {
            result.Machines.Add(spec.Name, new MachineResult());
        }

        for (int run = 0; run < options.Runs; run++)
        {
            foreach (MachineSpec spec in specs.Where(spec => result.Machines[spec.Name].Failure is null))
            {
                Progress.Show($"{row.Name}: run {run + 1} of {options.Runs}, {spec.Name}");
                RunOnce(row, size, spec, result.Machines[spec.Name]);
            }
        }

        result.Judge();
        return result;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (AgentMachine machine in _machines.Values)
        {
            machine.Dispose();
        }
    }

    private void RunOnce(Row row, int size, MachineSpec spec, MachineResult result)
    {
        try
        {
            AgentMachine machine = MachineOf(spec);
            Prepare(row, size, spec, machine);
            CommandResult timed = Checked(machine.Run(row.Command(size), _limit));
            (string output, double seconds) = row.TimesItself ? SplitOwnTime(timed.Output) : (timed.Output, timed.GuestSeconds);
            if (row.Check is not null)
            {
                output = Checked(machine.Run(row.Check, _prepareLimit)).Output;
            }

            result.ClockIsOff |= !Statistics.ClocksAgree(timed.GuestSeconds, timed.HostSeconds);
            result.Failure = result.Values.Count > 0 && output != result.Output ? $"'{output}' after '{result.Output}' before" : null;
            result.Output = output;
            result.Values.Add(seconds);
        }
        catch (MachineFailure failure)
        {
            result.Failure = failure.Message;
            Forget(spec);
        }
        catch (RowFailure failure)
        {
            result.Failure = failure.Message;
        }
    }

    private void Prepare(Row row, int size, MachineSpec spec, AgentMachine machine)
    {
        if (row.Prepare is null)
        {
            return;
        }

        foreach (string command in (string[])[RowCatalog.PrepareData, row.Prepare(size)])
        {
            if (_prepared.Add((spec.Name, command)))
            {
                Checked(machine.Run(command, _prepareLimit));
            }
        }
    }

    private AgentMachine MachineOf(MachineSpec spec)
    {
        if (!_machines.TryGetValue(spec.Name, out AgentMachine? machine))
        {
            machine = AgentMachine.Boot(spec, BootLimit);
            _machines.Add(spec.Name, machine);
        }

        return machine;
    }

    private void Forget(MachineSpec spec)
    {
        if (_machines.Remove(spec.Name, out AgentMachine? machine))
        {
            machine.Dispose();
        }

        _prepared.RemoveWhere(entry => entry.Machine == spec.Name);
    }

    private static CommandResult Checked(CommandResult result)
    {
        if (result.Status != 0)
        {
            throw new RowFailure($"status {result.Status}: {result.Output} {result.KernelMessages}".TrimEnd());
        }

        return result.KernelMessages.Length == 0 ? result : throw new RowFailure($"the guest's kernel says: {result.KernelMessages}");
    }

    // "name checksum seconds".
    private static (string Output, double Seconds) SplitOwnTime(string output) =>
        output.LastIndexOf(' ') is > 0 and int space && double.TryParse(output[space..], CultureInfo.InvariantCulture, out double seconds)
            ? (output[..space], seconds)
            : throw new RowFailure($"no time in '{output}'");

    private sealed class RowFailure(string message) : Exception(message);
}
