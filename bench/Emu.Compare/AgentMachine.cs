using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Emu.Compare;

/// <summary>What a command on a machine gave.</summary>
/// <param name="Output">What it printed, without messages of the guest's kernel.</param>
/// <param name="KernelMessages">Complaints of the guest's kernel since the command before.</param>
/// <param name="Status">Exit status; 128 + signal when it was killed.</param>
/// <param name="GuestSeconds">Time by the machine's own clock.</param>
/// <param name="HostSeconds">Time by the host's clock.</param>
internal sealed record CommandResult(string Output, string KernelMessages, int Status, double GuestSeconds, double HostSeconds);

/// <summary>A machine did not do what it was asked to; the message says what became of it.</summary>
internal sealed class MachineFailure(string message) : Exception(message);

/// <summary>
/// A machine that runs and that is driven by its agent: a line in, output between two markers back. Each line is stamped with the host's
/// time as it arrives, so that the guest's clock can be checked.
/// </summary>
internal sealed partial class AgentMachine : IDisposable
{
    private const string Ready = "AGENT-READY";
    private const string Start = "@@START";
    private const string End = "@@END ";

    private readonly Process _process;
    private readonly BlockingCollection<(long Time, string Text)> _lines = [];

    private AgentMachine(Process process)
    {
        _process = process;
        var reader = new Thread(Read) { IsBackground = true, Name = "machine output" };
        reader.Start();
    }

    /// <summary>Starts <paramref name="spec"/> and waits for its agent.</summary>
    /// <exception cref="CompareException">The program cannot be started.</exception>
    /// <exception cref="MachineFailure">There is no agent within <paramref name="limit"/>.</exception>
    public static AgentMachine Boot(MachineSpec spec, TimeSpan limit)
    {
        var machine = new AgentMachine(Children.Start(spec));
        try
        {
            machine.ReadTo(Ready, limit, []);
            return machine;
        }
        catch (MachineFailure)
        {
            machine.Dispose();
            throw;
        }
    }

    /// <summary>Memory of the machine's process that is in RAM.</summary>
    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.HasExited ? 0 : _process.WorkingSet64;
        }
    }

    /// <summary>Runs <paramref name="command"/>.</summary>
    /// <exception cref="MachineFailure">It did not end within <paramref name="limit"/>, or the machine is gone.</exception>
    public CommandResult Run(string command, TimeSpan limit)
    {
        try
        {
            _process.StandardInput.WriteLine(command);
            _process.StandardInput.Flush();
        }
        catch (IOException)
        {
            throw new MachineFailure("the machine has ended");
        }

        var before = new List<string>();
        var output = new List<string>();
        long started = ReadTo(Start, limit, before).Time;
        (long ended, string end) = ReadTo(End, limit, output);
        string[] program = [.. output.Where(line => !KernelLine().IsMatch(line))];
        string[] kernel = [.. before.Concat(output).Where(line => KernelLine().IsMatch(line) && Complaint().IsMatch(line))];
        return new CommandResult(string.Join('\n', program), string.Join('\n', kernel), int.Parse(Value(end, "rc"), CultureInfo.InvariantCulture),
            double.Parse(Value(end, "wall"), CultureInfo.InvariantCulture), Stopwatch.GetElapsedTime(started, ended).TotalSeconds);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Children.End(_process);
        _process.Dispose();
    }

    // The first line that begins with the marker; what came before goes to skipped.
    private (long Time, string Text) ReadTo(string marker, TimeSpan limit, List<string> skipped)
    {
        long began = Stopwatch.GetTimestamp();
        while (true)
        {
            TimeSpan left = limit - Stopwatch.GetElapsedTime(began);
            if (left <= TimeSpan.Zero || !_lines.TryTake(out (long Time, string Text) line, left))
            {
                throw new MachineFailure(_lines.IsCompleted
                    ? $"the machine ended{ExitCode()}; last line: {skipped.LastOrDefault() ?? "(none)"}"
                    : $"no end within {limit.TotalSeconds:F0} s");
            }

            if (line.Text.StartsWith(marker, StringComparison.Ordinal))
            {
                return line;
            }

            skipped.Add(line.Text);
        }
    }

    // The output ends a moment before the process does.
    private string ExitCode() => _process.WaitForExit(TimeSpan.FromSeconds(1)) ? $" with exit code {_process.ExitCode}" : "";

    private void Read()
    {
        while (_process.StandardOutput.ReadLine() is string line)
        {
            _lines.Add((Stopwatch.GetTimestamp(), line));
        }

        _lines.CompleteAdding();
    }

    private static string Value(string end, string key) =>
        end.Split(' ').FirstOrDefault(part => part.StartsWith(key + "=", StringComparison.Ordinal))?[(key.Length + 1)..]
        ?? throw new MachineFailure($"the agent's answer has no {key}: {end}");

    [GeneratedRegex(@"^\[ *[0-9]+\.[0-9]{6}\] ")]
    private static partial Regex KernelLine();

    [GeneratedRegex(@"WARNING|\bBUG\b|Oops|[Uu]nexpected|Call Trace|lockup|stall|unstable|[Ss]egfault|traps:|Out of memory|blocked for more than")]
    private static partial Regex Complaint();
}
