using System.Diagnostics;
using Emu.Core;
using Emu.Core.Block;
using Emu.Machine;
using Emu.Machine.Chardev;
using Emu.Machine.Hmp;
using Emu.Tests.Guests;

namespace Emu.Tests.Debian;

/// <summary>What a command in the guest printed, its exit status, and how long that took on the host's clock.</summary>
internal sealed record CommandResult(string Output, int Status, TimeSpan Time, DateTimeOffset Start);

/// <summary>The Debian guest on a machine in this process, and its shell.</summary>
internal sealed class DebianMachine : IDisposable
{
    // Ten times what it takes on a machine that is not busy.
    private static readonly TimeSpan BootLimit = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan CommandLimit = TimeSpan.FromSeconds(60);

    private readonly MemoryBackend _serial;
    private readonly Machine.Machine _machine;
    private readonly Thread _runner;
    private readonly List<string> _notices = [];
    private int _exitCode = -1;
    private int _position;

    public DebianMachine(string cpuModel, int cpus = 1, string append = "", IReadOnlyList<DeviceSpec>? devices = null, IBlockBackend? disk = null,
        BootSpec? boot = null, MachineSpec? board = null)
    {
        var machineLock = new MachineLock();
        _serial = new MemoryBackend("serial0", machineLock);
        var config = new MachineConfig
        {
            Accelerators = [TierAccelerator.Default],
            Machine = board ?? new MachineSpec("pc"),
            CpuModel = cpuModel,
            Smp = new SmpSpec(cpus),
            MemoryBytes = 512UL << 20,
            Boot = boot ?? new BootSpec { Kernel = DebianImage.Kernel, Initrd = DebianImage.Initrd, Append = $"{DebianImage.CommandLine} {append}".TrimEnd() },
            Devices = devices ?? [],
            Serials = [new CharSpec(CharKind.Null)],
            NoReboot = true,
        };
        var drives = new Dictionary<string, IBlockBackend>();
        if (disk is not null)
        {
            drives.Add("d0", disk);
        }

        _machine = new Machine.Machine(config, new MachineHost { Lock = machineLock, Serials = [_serial], Drives = drives, Notice = _notices.Add });
        _runner = new Thread(() => _exitCode = _machine.Run()) { Name = "debian" };
        _runner.Start();
    }

    /// <summary>The machine.</summary>
    public Machine.Machine Pc => _machine;

    /// <summary>Its monitor.</summary>
    public HumanMonitor Monitor => new(_machine);

    /// <summary>All that the guest has printed.</summary>
    public string Text => _serial.Text;

    /// <summary>Waits for the first line of user space and its shell.</summary>
    public void WaitForShell()
    {
        Expect(DebianImage.ReadyMarker, BootLimit);
        Expect("# ", CommandLimit);
    }

    /// <summary>Runs <paramref name="command"/> in the guest's shell.</summary>
    public CommandResult Run(string command)
    {
        // The quotes keep the echo of the typed line from looking like the output.
        _serial.Send($"echo BE''GIN; {command}; echo EN''D-$?-\n");
        Expect("BEGIN\r\n", CommandLimit);
        int start = _position;
        DateTimeOffset startTime = DateTimeOffset.UtcNow;
        long startTicks = Stopwatch.GetTimestamp();
        Expect("END-", CommandLimit);
        TimeSpan time = Stopwatch.GetElapsedTime(startTicks);
        string output = Text[start..(_position - "END-".Length)];
        int statusStart = _position;
        Expect("-", CommandLimit);
        int status = int.Parse(Text[statusStart..(_position - 1)], System.Globalization.CultureInfo.InvariantCulture);
        Expect("# ", CommandLimit);
        return new CommandResult(output.Replace("\r\n", "\n", StringComparison.Ordinal).TrimEnd('\n'), status, time, startTime);
    }

    /// <summary>Sends <paramref name="command"/>, which ends the machine, and returns the exit code.</summary>
    public int RunToEnd(string command)
    {
        _serial.Send(command + "\n");
        Assert.True(_runner.Join(CommandLimit), $"the machine goes on after '{command}'; it printed:\n{Text}");
        Assert.Null(_machine.Failure);
        Assert.Empty(_notices);
        return _exitCode;
    }

    public void Dispose()
    {
        _machine.Dispose();
        _serial.Dispose();
    }

    private void Expect(string text, TimeSpan limit)
    {
        int found = _serial.WaitFor(text, limit, _position);
        Assert.True(found >= 0, $"'{text}' does not come; the guest printed:\n{Text[Math.Min(_position, Math.Max(0, Text.Length - 4000))..]}\n{_machine.Failure}");
        _position = found;
    }
}
