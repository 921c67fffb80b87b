using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Memory;
using Emu.Core.Time;
using Emu.Devices.IrqChip;
using Emu.Devices.Pci;
using Emu.Machine.Display;
using Emu.Machine.Host;
using Emu.Machine.Loaders;
using Emu.Machine.Pc;

namespace Emu.Machine;

/// <summary>
/// A virtual PC from power-on to the end. It is built, with the guest loaded, by the constructor; <see cref="Run"/> starts
/// its threads, blocks, and returns the exit code; afterwards memory and CPU states can still be read until
/// <see cref="Dispose"/>.
/// <code>
/// using var machine = new Machine(config, new MachineHost { Serials = [console] });
/// int exitCode = machine.Run();
/// </code>
/// </summary>
/// <remarks>
/// Threads: <c>machine</c> runs timers and acts on requests; <c>vcpuN</c> run the guest. Members may be called from any
/// thread unless they say otherwise.
/// </remarks>
public sealed partial class Machine : IDisposable
{
    // A vCPU obeys a kick within microseconds; one that takes this long will not obey at all.
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(5);

    private readonly MachineConfig _config;
    private readonly MachineHost _host;
    private readonly HostClock _clock;
    private readonly TimerQueue _timers;
    private readonly HostWaiter _waiter;
    private readonly DebugLog? _debugLog;
    private readonly Action<string>? _log;
    private readonly Board _board;
    private readonly IAccelerator _accelerator;
    private readonly IVcpu[] _vcpus;
    private readonly VcpuThread[] _threads;
    private readonly Lock _vcpusGate = new();
    private int _status = (int)MachineStatus.Created;
    private bool _threadsLost;
    private bool _disposed;

    /// <summary>Builds the machine that <paramref name="config"/> describes, with the guest loaded.</summary>
    /// <param name="config">The machine.</param>
    /// <param name="host">Serial back ends and the like; null for a machine without a world.</param>
    /// <param name="createAccelerator">Makes the accelerator; null for the first of the configuration that works here.</param>
    /// <exception cref="MachineConfigException">The configuration cannot work; the message names the option.</exception>
    public Machine(MachineConfig config, MachineHost? host = null, Func<AcceleratorContext, IAccelerator>? createAccelerator = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        _config = config;
        _host = host ?? new MachineHost();
        CpuModel model = Check(config);
        _clock = new HostClock(DateTimeOffset.UtcNow);
        _clock.Pause();
        _timers = new TimerQueue(_clock);
        var built = new Stack<IDisposable>();
        try
        {
            built.Push(_waiter = HostWaiter.Create());
            _debugLog = DebugLog.Open(config.DebugLog);
            _log = _host.Log ?? (_debugLog is null ? null : _debugLog.Write);
            built.Push(_debugLog ?? (IDisposable)_waiter);
            IAccelerator? accelerator = null;
            built.Push(_board = Board.Create(config, _host, _timers, new BoardSignals(RequestReset, OnPowerOff, OnGuestExit, OnWorkerFailed), board =>
            {
                var context = new AcceleratorContext(board.Memory, board.Ports, _clock, model, _host.Lock, _host.Notice, _log);
                built.Push(accelerator = createAccelerator?.Invoke(context) ?? AcceleratorFactory.Create(config, context));
                return accelerator.IrqChip;
            }));
            _accelerator = accelerator!;
            LogUnassigned();
            _vcpus = [.. Enumerable.Range(0, config.Smp.Cpus).Select(CreateVcpu)];
            Array.ForEach(_vcpus, built.Push);
            _threads = [.. _vcpus.Select(vcpu => new VcpuThread(vcpu, OnVcpuLeft))];
            PowerOn();
        }
        catch
        {
            DisposeAll(built);
            throw;
        }

        _startPaused = config.StartPaused;
        _timers.DeadlineMoved += OnDeadlineMoved;
    }

    /// <summary>Where the machine is in its life.</summary>
    public MachineStatus Status => (MachineStatus)Volatile.Read(ref _status);

    /// <summary>The accelerator in use (<c>tcg</c>).</summary>
    public string Accelerator => _accelerator.Name;

    /// <summary>What was loaded (<c>Linux 64-bit</c>).</summary>
    public string BootKind => _board.BootKind;

    /// <summary>Number of vCPUs.</summary>
    public int VcpuCount => _vcpus.Length;

    /// <summary>Guest-physical memory.</summary>
    public AddressSpace Memory => _board.Memory;

    /// <summary>The port space.</summary>
    public AddressSpace Ports => _board.Ports;

    /// <summary>Virtual time.</summary>
    public IClock Clock => _clock;

    /// <summary>The machine lock.</summary>
    public MachineLock Lock => _host.Lock;

    /// <summary>What went wrong inside the emulator, in one line for the user, or null. <see cref="Run"/> then returned 1.</summary>
    public string? Failure { get; private set; }

    /// <summary>Several lines that help to find the cause of <see cref="Failure"/> (registers), or null.</summary>
    public string? FailureDump { get; private set; }

    /// <summary>Why the last reset was asked for, be it one that started the guest over or one that ended the machine.</summary>
    public MachineResetCause LastResetCause => (MachineResetCause)Volatile.Read(ref _lastResetCause);

    /// <summary>The picture of the display adapter, or null without one.</summary>
    public GuestDisplay? Display => _board.Display;

    /// <summary>Keyboard and mouse, or null without them.</summary>
    public IGuestInput? Input => _board.Input;

    /// <summary>Counters of the CPUs up to now.</summary>
    public MachineStatistics Statistics
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return MachineStatistics.Collect(Accelerator, _runTime.Elapsed, _vcpus);
        }
    }

    /// <summary>One line for each PCI function: where it is, what it is, its interrupt line and BARs, as the guest set them up.</summary>
    public string DescribePci()
    {
        using (Lock.Enter())
        {
            return _board.PciBus is PciBus bus ? PciReport.Format(bus) : "";
        }
    }

    /// <summary>The architectural state of vCPU <paramref name="index"/>; the machine must be paused or finished.</summary>
    public X86State GetVcpuState(int index)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return Status != MachineStatus.Running
            ? _vcpus[index].GetState()
            : throw new InvalidOperationException("A vCPU's state can be read only while the machine does not run.");
    }

    /// <summary>Replaces the architectural state of vCPU <paramref name="index"/>; the machine must not have started, or be paused.</summary>
    public void SetVcpuState(int index, X86State state)
    {
        if (Status == MachineStatus.Running)
        {
            throw new InvalidOperationException("A vCPU's state can be set only while the machine does not run.");
        }

        _vcpus[index].SetState(state);
    }

    /// <summary>Ends all threads and frees all memory. Not from one of the machine's own threads.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        RequestStop();
        _runner?.Join();
        _timers.DeadlineMoved -= OnDeadlineMoved;
        _debugLog?.Dispose();
        Disconnect();
        if (_threadsLost)
        {
            // A vCPU that does not obey still uses guest memory: better lost than unmapped under it.
            return;
        }

        // The workers raise interrupts, so they end before what takes those.
        bool workersEnded = _board.Disconnect();
        Array.ForEach(_vcpus, vcpu => vcpu.Dispose());
        _accelerator.Dispose();
        if (workersEnded)
        {
            _board.Dispose();
        }
        else
        {
            _host.Notice("a disk or network worker does not stop; the guest's memory is not freed");
        }

        _waiter.Dispose();
    }

    private static CpuModel Check(MachineConfig config)
    {
        if (!MachineCatalog.Machines.Any(known => known.Name == config.Machine.Type))
        {
            throw new MachineConfigException("-machine", $"unknown machine '{config.Machine.Type}'; there is {string.Join(", ", MachineCatalog.Machines.Select(known => known.Name))}");
        }

        try
        {
            return CpuModel.Parse(config.CpuModel, config.Smp.Cpus);
        }
        catch (CpuModelException exception)
        {
            throw new MachineConfigException("-cpu", exception.Message);
        }
    }

    private static void DisposeAll(Stack<IDisposable> built)
    {
        while (built.TryPop(out IDisposable? part))
        {
            part.Dispose();
        }
    }

    private IVcpu CreateVcpu(int index)
    {
        LocalApic? apic = _board.Apic(index);
        IVcpu vcpu = _accelerator.CreateVcpu(index, apic);
        apic?.Connect(vcpu);
        return vcpu;
    }

    // Back ends may still deliver input, and users ask for a stop: neither may reach a vCPU that is gone.
    private void Disconnect()
    {
        _board.Display?.Close();
        _board.Input?.Close();
        using (Lock.Enter())
        {
            foreach (IVcpu vcpu in _vcpus)
            {
                _board.Apic(vcpu.Index)?.Connect(NoCpu.Instance);
            }
        }

        lock (_vcpusGate)
        {
            _disposed = true;
        }
    }

    // The guest's images into memory, the boot processor to its start, the others to where they wait for a start-up IPI.
    private void PowerOn()
    {
        X86State start = _board.LoadGuest();
        foreach (IVcpu vcpu in _vcpus)
        {
            vcpu.SetState(vcpu.Index == 0 ? start : InitialCpuState.PowerOn with { WaitForSipi = true });
        }

        if (_config.NoReboot)
        {
            _board.ForgetImages();
        }
    }

    private void LogUnassigned()
    {
        if (_log is Action<string> log && _config.DebugLog.Items.HasFlag(DebugLogItems.Unimp))
        {
            foreach (AddressSpace space in (AddressSpace[])[_board.Memory, _board.Ports])
            {
                space.Unassigned = (address, size, write) =>
                    log($"{space.Name}: {(write ? "write" : "read")} of {size} bytes at 0x{address:x}, where nothing is");
            }
        }
    }

    /// <summary>Where interrupts go once there are no CPUs.</summary>
    private sealed class NoCpu : IInterruptTarget
    {
        public static readonly NoCpu Instance = new();

        public void NotifyInterrupt()
        {
        }

        public void RaiseNmi()
        {
        }

        public void RaiseInit()
        {
        }

        public void RaiseSipi(byte vector)
        {
        }
    }
}
