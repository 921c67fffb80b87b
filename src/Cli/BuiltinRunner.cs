using System.Diagnostics;
using System.Globalization;
using Emu.Cli.Terminal;
using Emu.Core;
using Emu.Devices.Serial;
using Emu.Machine;

namespace Emu.Cli;

/// <summary>
/// <c>emu</c> without options: the built-in guest on every accelerator of this host, and a comparison of what each left behind in
/// RAM and registers. Parts of the guest that an accelerator cannot run are found by trying, named, and left out there; what is
/// left is compared with tcg without the same parts.
/// </summary>
internal static class BuiltinRunner
{
    private const string Reference = "tcg";

    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(60);

    // A part that hangs costs this much.
    private static readonly TimeSpan PartialTimeLimit = TimeSpan.FromSeconds(5);

    private static readonly string[] Accelerators = [Reference, "kvm"];

    /// <summary>Runs it and prints the table; returns the exit code.</summary>
    public static int Run(HostSession session)
    {
        BuiltinGuest guest = BuiltinGuest.Load();
        var runs = new List<BuiltinRun>();
        BuiltinState? reference = null;
        foreach (string accelerator in Accelerators)
        {
            Attempt attempt = RunOn(accelerator, guest, session, echo: runs.Count == 0);
            if (session.RequestedExitCode is int code)
            {
                return code;
            }

            runs.Add(accelerator == Reference ? attempt.Run : Compare(attempt, guest, session, reference));
            reference ??= attempt.Passed ? attempt.State : null;
        }

        if (runs.Count(run => run.Outcome == BuiltinOutcome.Passed) == 1)
        {
            CompareWithItself(runs, guest, session, reference);
        }

        BuiltinReport.Write(runs, Console.Out);
        Console.Out.WriteLine($"Final state: 64-bit FNV-1a over RAM and registers, without {BuiltinState.Excluded(guest)}.");
        return BuiltinReport.ExitCode(runs);
    }

    private static BuiltinRun Compare(Attempt attempt, BuiltinGuest guest, HostSession session, BuiltinState? reference)
    {
        if (attempt.Skipped != 0)
        {
            Attempt same = RunOnce(Reference, guest.Without(attempt.Skipped), session, echo: false, TimeLimit);
            reference = same.Passed ? same.State : null;
        }

        return attempt.Passed && reference is not null
            ? attempt.Run with { FirstDifference = reference.FirstDifference(attempt.State!) }
            : attempt.Run;
    }

    // One accelerator has no other to agree with; at least it must do the same twice.
    private static void CompareWithItself(List<BuiltinRun> runs, BuiltinGuest guest, HostSession session, BuiltinState? reference)
    {
        int index = runs.FindIndex(run => run.Outcome == BuiltinOutcome.Passed);
        Attempt again = RunOn(runs[index].Accelerator, guest, session, echo: false);
        string? difference = again.Passed ? reference?.FirstDifference(again.State!) : again.Run.Detail;
        runs[index] = runs[index] with { FirstDifference = difference is null ? null : $"second run: {difference}" };
    }

    private static Attempt RunOn(string accelerator, BuiltinGuest guest, HostSession session, bool echo)
    {
        if (AcceleratorFactory.WhyNot(accelerator) is string reason)
        {
            return new Attempt(new BuiltinRun(accelerator, BuiltinOutcome.Unavailable, reason, TimeSpan.Zero, "", "", null), null, 0, 0);
        }

        if (!AcceleratorFactory.IsPartial(accelerator))
        {
            return RunOnce(accelerator, guest, session, echo, TimeLimit);
        }

        uint skipped = 0;
        while (true)
        {
            Attempt attempt = RunOnce(accelerator, guest.Without(skipped), session, echo, PartialTimeLimit) with { Skipped = skipped };
            int part = attempt.PartInProgress;
            bool canLeaveOut = part > 0 && part <= guest.Parts.Count && (skipped & (1u << part)) == 0;
            if (attempt.Passed || !canLeaveOut || session.RequestedExitCode is not null)
            {
                string[] names = [.. guest.Parts.Where((_, index) => (attempt.Skipped & (2u << index)) != 0)];
                return attempt with { Run = attempt.Run with { LeftOut = names } };
            }

            skipped |= 1u << part;
        }
    }

    private static Attempt RunOnce(string accelerator, BuiltinGuest guest, HostSession session, bool echo, TimeSpan timeLimit)
    {
        var config = new MachineConfig
        {
            Accelerators = [new AcceleratorSpec(accelerator)],
            CpuModel = "max",
            MemoryBytes = BuiltinGuest.MemoryBytes,
            NoReboot = true,
            Boot = new BootSpec { FlatLoads = [new FlatLoadSpec("built-in guest", guest.LoadAddress, StartsCpu: true) { Content = guest.Image }] },
            Serials = [new CharSpec(CharKind.Stdio)],
            DebugExit = new DebugExitSpec(BuiltinGuest.ExitPort, 1),
        };
        var host = new MachineHost { Serials = [echo ? new EchoBackend() : NullSerialBackend.Instance] };
        using var machine = new Machine.Machine(config, host);
        session.StopMachine = () => machine.RequestStop();
        var watch = Stopwatch.StartNew();
        using var limit = new Timer(_ => machine.RequestStop(1), null, timeLimit, Timeout.InfiniteTimeSpan);
        int exitCode = machine.Run();
        watch.Stop();
        return Judge(accelerator, guest, machine, exitCode, watch.Elapsed);
    }

    private static Attempt Judge(string accelerator, BuiltinGuest guest, Machine.Machine machine, int exitCode, TimeSpan wall)
    {
        BuiltinState state = BuiltinState.Take(machine, guest);
        bool passed = exitCode == BuiltinGuest.PassedExitCode;
        string detail = passed ? "" : machine.Failure ?? DescribeFailure(guest, machine, exitCode);
        var run = new BuiltinRun(
            accelerator, passed ? BuiltinOutcome.Passed : BuiltinOutcome.Failed, detail, wall, WorkOf(machine.Statistics), state.Hash, null);
        return new Attempt(run, state, (int)machine.Memory.Read(guest.CurrentPartAddress, 4), 0);
    }

    private static string DescribeFailure(BuiltinGuest guest, Machine.Machine machine, int exitCode) => exitCode == BuiltinGuest.FailedExitCode
        ? $"check {machine.Memory.Read(guest.FailedCheckAddress, 4):x2} failed"
        : $"exit code {exitCode} instead of {BuiltinGuest.PassedExitCode}";

    private static string WorkOf(MachineStatistics statistics)
    {
        ulong exits = statistics.Vcpus.Aggregate(0UL, (sum, vcpu) => sum + vcpu.Exits.Values.Aggregate(0UL, (total, count) => total + count));
        return statistics.Instructions > 0 ? string.Create(CultureInfo.InvariantCulture, $"{statistics.Instructions:N0} instructions")
            : exits > 0 ? string.Create(CultureInfo.InvariantCulture, $"{exits:N0} exits") : "-";
    }

    /// <summary>One run with what it left behind.</summary>
    /// <param name="Run">The row of the table.</param>
    /// <param name="State">RAM and registers; null when it did not run.</param>
    /// <param name="PartInProgress">The part that the guest was in when it ended, 0 for none.</param>
    /// <param name="Skipped">Mask of the parts that were left out.</param>
    private sealed record Attempt(BuiltinRun Run, BuiltinState? State, int PartInProgress, uint Skipped)
    {
        public bool Passed => Run.Outcome == BuiltinOutcome.Passed;
    }

    private sealed class EchoBackend : ISerialBackend
    {
        private readonly Stream _output = Console.OpenStandardOutput();

        public void Write(ReadOnlySpan<byte> data) => _output.Write(data);
    }
}
