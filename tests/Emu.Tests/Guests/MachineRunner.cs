using System.Diagnostics;
using Emu.Core;
using Emu.Core.Cpu;
using Emu.Frontend.X86;
using Emu.Machine;
using Emu.Machine.Chardev;

namespace Emu.Tests.Guests;

/// <summary>Runs guests on the real machine, in this process.</summary>
internal static class MachineRunner
{
    /// <summary>The port of the exit device that the guests know.</summary>
    public const ushort ExitPort = 0xf4;

    // Long enough to let the guest get on between two looks at it, short enough that the tests of halting guests are quick.
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(20);

    private static readonly string[] RegisterNames =
        ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];

    /// <summary>A machine with <paramref name="image"/> at <paramref name="address"/>, which starts there in real mode.</summary>
    public static MachineConfig ConfigFor(string accelerator, byte[] image, ulong address, ulong memoryBytes = 16UL << 20) => new()
    {
        Accelerators = [accelerator == "tcg" ? TierAccelerator.Default : new AcceleratorSpec(accelerator)],
        CpuModel = "max",
        MemoryBytes = memoryBytes,
        Boot = new BootSpec { FlatLoads = [new FlatLoadSpec("test guest", address, StartsCpu: true) { Content = image }] },
        Serials = [new CharSpec(CharKind.Null)],
        DebugExit = new DebugExitSpec(ExitPort, 4),
        NoReboot = true,
    };

    /// <summary>The runner for <paramref name="accelerator"/>.</summary>
    public static GuestRunner For(string accelerator) => (spec, image, limit) => Run(accelerator, spec, image, limit);

    private static GuestResult Run(string accelerator, GuestSpec spec, byte[] image, TimeSpan limit)
    {
        var machineLock = new MachineLock();
        using var serial = new MemoryBackend("serial0", machineLock);
        var host = new MachineHost { Lock = machineLock, Serials = [serial] };
        using var machine = new Machine.Machine(ConfigFor(accelerator, image, spec.LoadAddress, spec.MemoryBytes), host);
        SetRegisters(machine, spec.Registers);
        int exitCode = 0;
        var runner = new Thread(() => exitCode = machine.Run()) { Name = spec.Name };
        runner.Start();
        GuestEnd? end = Watch(machine, runner, limit);
        machine.RequestStop();
        runner.Join();

        // What went wrong in the emulator is no behaviour of the guest.
        Assert.Null(machine.Failure);
        end ??= machine.LastResetCause == MachineResetCause.TripleFault ? GuestEnd.TripleFault : GuestEnd.ExitCode;
        return new GuestResult(end.Value, end == GuestEnd.ExitCode ? exitCode : 0, serial.Text);
    }

    // Null when the guest ended by itself: Run tells with what.
    private static GuestEnd? Watch(Machine.Machine machine, Thread runner, TimeSpan limit)
    {
        long start = Stopwatch.GetTimestamp();
        while (!runner.Join(LookInterval))
        {
            if (HaltsForGood(machine))
            {
                return GuestEnd.Halt;
            }

            if (Stopwatch.GetElapsedTime(start) > limit)
            {
                return GuestEnd.Hang;
            }
        }

        return null;
    }

    private static bool HaltsForGood(Machine.Machine machine)
    {
        machine.Pause();
        X86State? state = machine.Status == MachineStatus.Paused ? machine.GetVcpuState(0) : null;
        machine.Resume();
        return state is { Halted: true } && (state.Rflags & Rflags.If) == 0;
    }

    private static void SetRegisters(Machine.Machine machine, IReadOnlyDictionary<string, ulong> values)
    {
        X86State state = machine.GetVcpuState(0);
        foreach ((string name, ulong value) in values)
        {
            int index = Array.IndexOf(RegisterNames, name);
            Assert.True(index >= 0, $"'{name}' is no register");
            state.Gpr[index] = value;
        }

        machine.SetVcpuState(0, state);
    }
}
