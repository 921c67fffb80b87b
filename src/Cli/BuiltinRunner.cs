using Emu.Core;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Emu.Cli.Terminal;
using Emu.Core.Cpu;
using Emu.Devices.Serial;
using Emu.Machine;

namespace Emu.Cli;

/// <summary>
/// <c>emu</c> without options: the built-in guest on every accelerator of this host, and a comparison of what each left behind in
/// RAM and registers.
/// </summary>
internal static class BuiltinRunner
{
    private const int TimeLimitSeconds = 60;

    private static readonly string[] Accelerators = ["tcg", "kvm"];

    // What the guest cannot control: the flags and counters that depend on when the last interrupt came.
    private static readonly HashSet<string> TimeDependentRegisters = ["tsc", "dr6"];

    /// <summary>Runs it and prints the table; returns the exit code.</summary>
    public static int Run(HostSession session)
    {
        BuiltinGuest guest = BuiltinGuest.Load();
        var runs = new List<BuiltinRun>();
        FinalState? reference = null;
        foreach (string accelerator in Accelerators)
        {
            runs.Add(RunOn(accelerator, guest, session, echo: reference is null, ref reference));
            if (session.RequestedExitCode is int code)
            {
                return code;
            }
        }

        if (runs.Count(run => run.Outcome == BuiltinOutcome.Passed) == 1)
        {
            CompareWithItself(runs, guest, session, reference);
        }

        BuiltinReport.Write(runs, Console.Out);
        Console.Out.WriteLine($"Final state: SHA-256 over RAM and registers, without {Excluded(guest)}.");
        return BuiltinReport.ExitCode(runs);
    }

    // One accelerator has no other to agree with; at least it must do the same twice.
    private static void CompareWithItself(List<BuiltinRun> runs, BuiltinGuest guest, HostSession session, FinalState? reference)
    {
        int index = runs.FindIndex(run => run.Outcome == BuiltinOutcome.Passed);
        BuiltinRun again = RunOn(runs[index].Accelerator, guest, session, echo: false, ref reference);
        string? difference = again.Outcome == BuiltinOutcome.Passed ? again.FirstDifference : $"second run {again.Detail}";
        runs[index] = runs[index] with { FirstDifference = difference is null ? null : $"second run: {difference}" };
    }

    private static BuiltinRun RunOn(string accelerator, BuiltinGuest guest, HostSession session, bool echo, ref FinalState? reference)
    {
        if (AcceleratorFactory.WhyNot(accelerator) is string reason)
        {
            return new BuiltinRun(accelerator, BuiltinOutcome.Unavailable, reason, TimeSpan.Zero, "", "", null);
        }

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
        using var limit = new Timer(_ => machine.RequestStop(1), null, TimeSpan.FromSeconds(TimeLimitSeconds), Timeout.InfiniteTimeSpan);
        int exitCode = machine.Run();
        watch.Stop();
        return Judge(accelerator, guest, machine, exitCode, watch.Elapsed, ref reference);
    }

    private static BuiltinRun Judge(
        string accelerator, BuiltinGuest guest, Machine.Machine machine, int exitCode, TimeSpan wall, ref FinalState? reference)
    {
        FinalState state = FinalState.Take(machine, guest);
        ulong instructions = machine.Statistics.Instructions;
        string work = instructions > 0 ? string.Create(CultureInfo.InvariantCulture, $"{instructions:N0} instructions") : "-";
        bool passed = exitCode == BuiltinGuest.PassedExitCode;
        string detail = passed ? "" : machine.Failure ?? $"exit code {exitCode} instead of {BuiltinGuest.PassedExitCode}";
        string? difference = passed && reference is not null ? reference.FirstDifference(state) : null;
        if (passed)
        {
            reference ??= state;
        }

        return new BuiltinRun(accelerator, passed ? BuiltinOutcome.Passed : BuiltinOutcome.Failed, detail, wall, work, state.Hash, difference);
    }

    private static string Excluded(BuiltinGuest guest) =>
        string.Join(", ", guest.TimeDependent.Select(range => $"0x{range.Start:x}+0x{range.Length:x}")
            .Concat(TimeDependentRegisters).Append("flags of the last timer interrupt"));

    /// <summary>RAM and registers at the end, the time-dependent parts blanked.</summary>
    private sealed record FinalState(byte[] Ram, IReadOnlyList<(string Name, ulong Value)> Registers)
    {
        public string Hash
        {
            get
            {
                ulong hash = Fnv1a(0xcbf29ce484222325, Ram);
                foreach ((string name, ulong value) in Registers)
                {
                    hash = Fnv1a(hash, Encoding.ASCII.GetBytes($"{name}={value:x};"));
                }

                return $"{hash:x16}";
            }
        }

        public static FinalState Take(Machine.Machine machine, BuiltinGuest guest)
        {
            byte[] ram = new byte[0xa0000];
            machine.Memory.Read(0, ram);
            foreach (GuestRange range in guest.TimeDependent)
            {
                int start = (int)Math.Min(range.Start, (uint)ram.Length);
                ram.AsSpan(start, (int)Math.Min(range.Length, (uint)(ram.Length - start))).Clear();
            }

            return new FinalState(ram, [.. Describe(machine.GetVcpuState(0)).Where(register => !TimeDependentRegisters.Contains(register.Name))]);
        }

        // FNV-1a, 64 bits: not from System.Security.Cryptography, which needs OpenSSL, and a small host has none.
        private static ulong Fnv1a(ulong hash, byte[] data)
        {
            foreach (byte value in data)
            {
                hash = (hash ^ value) * 0x100000001b3;
            }

            return hash;
        }

        public string? FirstDifference(FinalState other)
        {
            int index = Ram.AsSpan().CommonPrefixLength(other.Ram);
            if (index < Ram.Length)
            {
                return $"RAM at 0x{index:x}: {Ram[index]:x2} and {other.Ram[index]:x2}";
            }

            for (int i = 0; i < Registers.Count; i++)
            {
                if (Registers[i] != other.Registers[i])
                {
                    return $"{Registers[i].Name}: {Registers[i].Value:x} and {other.Registers[i].Value:x}";
                }
            }

            return null;
        }

        private static IEnumerable<(string Name, ulong Value)> Describe(X86State state)
        {
            for (int i = 0; i < 16; i++)
            {
                yield return ($"r{i}", state.Gpr[i]);
            }

            yield return ("rip", state.Rip);
            yield return ("rflags", state.Rflags);
            yield return ("cr0", state.Cr0);
            yield return ("cr2", state.Cr2);
            yield return ("cr3", state.Cr3);
            yield return ("cr4", state.Cr4);
            for (int i = 0; i < 6; i++)
            {
                yield return ($"segment {i} selector", state.Segments[i].Selector);
                yield return ($"segment {i} base", state.Segments[i].Base);
            }

            for (int i = 0; i < 16 * 2; i++)
            {
                yield return ($"xmm{i / 2}[{i % 2}]", BitConverter.ToUInt64(state.Xsave, 160 + (i * 8)));
            }
        }
    }

    private sealed class EchoBackend : ISerialBackend
    {
        private readonly Stream _output = Console.OpenStandardOutput();

        public void Write(ReadOnlySpan<byte> data) => _output.Write(data);
    }
}
