using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Memory;
using Emu.Core.Time;
using Emu.Devices.Acpi;
using Emu.Devices.IrqChip;
using Emu.Devices.Pci;
using Emu.Machine.Loaders;

namespace Emu.Machine.Pc;

/// <summary>
/// The <c>pc</c> machine: memory, ports, interrupt controllers and ISA devices, wired as on a PC with a PCI host bridge.
/// It knows neither CPUs nor threads; the machine connects those.
/// </summary>
/// <remarks>
/// The A20 gate is kept for the guest to read back but masks nothing: no guest of the last decades relies on the wrap at
/// 1 MiB, and a mask would cost every memory access.
/// </remarks>
internal sealed partial class PcBoard : IDisposable
{
    private readonly MachineConfig _config;
    private readonly MachineHost _host;
    private readonly BoardSignals _signals;
    private readonly MemoryLayout _layout;
    private readonly PcMemory _memory;
    private readonly PortMap _ports = new();
    private readonly List<Device> _devices = [];
    private readonly IKernelIrqChip? _kernelChip;
    private readonly LocalApicSet? _apics;
    private readonly GsiRouter _irqs;
    private readonly PmDevice _pm;
    private readonly DeviceWorkers _workers;
    private readonly PciHostBridge _pci;
    private readonly PcShadow _shadow;
    private IoApic? _ioApic;
    private BootPlan _plan;

    /// <summary>Builds the board for <paramref name="config"/> with the guest loaded.</summary>
    /// <param name="config">The machine.</param>
    /// <param name="host">The world around it.</param>
    /// <param name="timers">Virtual time.</param>
    /// <param name="signals">What the board tells the machine.</param>
    /// <param name="createIrqChip">
    /// Called once memory and ports are there, and before any device is, for the interrupt controllers that the accelerator has
    /// itself; null for none.
    /// </param>
    /// <exception cref="MachineConfigException">The configuration cannot work.</exception>
    public PcBoard(MachineConfig config, MachineHost host, TimerQueue timers, BoardSignals signals, Func<PcBoard, IKernelIrqChip?> createIrqChip)
    {
        _config = config;
        _host = host;
        _signals = signals;
        Timers = timers;
        _workers = new DeviceWorkers(signals.Failed);
        _layout = CreateLayout(config.MemoryBytes);
        bool hasDisk = config.Devices.Any(device => device.Properties.ContainsKey("drive"));
        _plan = PcBoot.Plan(config.Boot, hasDisk, _layout, HasAcpi ? BuildAcpiTables() : null, HasVga);
        _memory = CreateMemory();
        try
        {
            Memory = new AddressSpace("memory", _memory.Root, host.Lock);
            Ports = new AddressSpace("ports", _ports.Root, host.Lock);
            _kernelChip = createIrqChip(this);
            using (Memory.BeginChange())
            using (Ports.BeginChange())
            {
                (_apics, _irqs) = _kernelChip is null ? AddInterruptControllers() : (null, AddInterruptControllers(_kernelChip));
                _rtc = AddTimers();
                (_pci, _pm, _ide) = AddChipset();
                _shadow = new PcShadow(Memory, _memory, _pci.Host);
                _fwCfg = AddLegacyDevices();
                AddSerialPorts();
                AddDebugPorts();
                AddPciDevices();
                TellFirmware();
                ConnectPci();
            }
        }
        catch
        {
            DisposeMemory();
            throw;
        }
    }

    /// <summary>Guest-physical memory.</summary>
    public AddressSpace Memory { get; }

    /// <summary>PCI bus 0.</summary>
    public PciBus PciBus => _pci.Bus;

    /// <summary>The port space.</summary>
    public AddressSpace Ports { get; }

    /// <summary>Virtual time.</summary>
    public TimerQueue Timers { get; }

    /// <summary>Which loader made what the guest starts with.</summary>
    public string BootKind => _plan.Kind;

    /// <summary>The level that the guest last gave the A20 gate, by the keyboard controller or port 92H.</summary>
    public bool A20Gate { get; private set; } = true;

    // The tables lie below 1 MiB: a guest that has no RAM there cannot read them.
    private bool HasAcpi => IsOn("acpi") && _layout.RamSize >= MemoryLayout.OneMiB;

    private bool HasHpet => IsOn("hpet");

    private int SerialCount => Math.Max(_config.Serials.Count, _host.Serials.Count);

    /// <summary>The local APIC of CPU <paramref name="index"/>, or null when the accelerator has it.</summary>
    public LocalApic? Apic(int index) => _apics?[index];

    /// <summary>Puts the images into memory and returns the state in which the boot processor starts.</summary>
    public X86State LoadGuest()
    {
        SetBootOrder();
        if (_plan.Rom is null)
        {
            SetUpPci();
            SetUpTextMode();
        }

        _plan.Apply(Memory);
        return _plan.Cpu;
    }

    /// <summary>Lets the images go: there will be no other start.</summary>
    public void ForgetImages() => _plan = _plan with { Writes = [] };

    /// <summary>Returns every device to its state after power-on; RAM keeps its contents. The machine lock must be held and no CPU run.</summary>
    public void Reset()
    {
        // Sources of interrupts first, so that lines they drop are not seen by controllers already reset.
        for (int i = _devices.Count - 1; i >= 0; i--)
        {
            _devices[i].Reset();
        }

        _kernelChip?.Reset();

        A20Gate = true;
    }

    /// <summary>Presses the power button, which asks the guest to shut down.</summary>
    public void PressPowerButton() => _pm.PressPowerButton();

    /// <summary>An edge on every CPU's NMI input.</summary>
    public void PulseNmi()
    {
        _apics?.PulseNmi();
        _kernelChip?.PulseNmi();
    }

    /// <summary>
    /// A notifier for interrupt line <paramref name="gsi"/>, which the caller alone drives. Without <paramref name="resample"/> each
    /// raise is an edge; with it the line is level-triggered, and the callback runs when the guest has ended the interrupt.
    /// </summary>
    public IrqNotifier CreateIrqNotifier(int gsi, Action? resample = null)
    {
        using (_host.Lock.Enter())
        {
            return _kernelChip?.CreateNotifier(gsi, resample) ?? CreateUserNotifier(gsi, resample);
        }
    }

    /// <summary>A notifier that sends <paramref name="message"/>.</summary>
    public IrqNotifier CreateMsiNotifier(MsiMessage message)
    {
        using (_host.Lock.Enter())
        {
            IMsiSink sink = _kernelChip ?? (IMsiSink)_apics!;
            return _kernelChip?.CreateNotifier(message) ?? new UserIrqNotifier(_host.Lock, () => sink.Send(message));
        }
    }

    /// <summary>
    /// Stops the devices that work on threads of their own, and lets go of what the accelerator gave them. False when a thread does not end: it may still
    /// use guest memory. The lock must not be held.
    /// </summary>
    public bool Disconnect()
    {
        // The devices first: a driver can have made a ring that feeds itself, and then there is always more to do.
        using (_host.Lock.Enter())
        {
            foreach (IDisposable device in _devices.OfType<IDisposable>())
            {
                device.Dispose();
            }
        }

        return _workers.Stop();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Disconnect())
        {
            DisposeMemory();
        }
    }

    private static MemoryLayout CreateLayout(ulong bytes)
    {
        try
        {
            return new MemoryLayout(bytes);
        }
        catch (LoaderException exception)
        {
            throw new MachineConfigException("-m", exception.Message);
        }
    }

    private PcMemory CreateMemory()
    {
        try
        {
            return new PcMemory(_layout, _config.MemPath, _plan.Rom);
        }
        catch (GuestMemoryException exception)
        {
            throw new MachineConfigException(_config.MemPath is null ? "-m" : "-mem-path", exception.Message);
        }
    }

    private AcpiConfiguration AcpiFacts => new()
    {
        CpuCount = _config.Smp.Cpus,
        HasHpet = HasHpet,
        HasVga = HasVga,
        HasCom1 = SerialCount > 0,
        PciMemory = PciWindow,
        LevelTriggeredIrqs = [PmDevice.SciIrq, .. PciSetup.PirqIrqs.Distinct()],
    };

    private MemoryWrite BuildAcpiTables()
    {
        AcpiBlob blob = AcpiTables.Build(AcpiFacts, new GuestPhysical(MemoryLayout.BiosStart));
        return new MemoryWrite(blob.Base, blob.Bytes);
    }

    private bool IsOn(string property) => _config.Machine.Properties.GetValueOrDefault(property, "on") is "on" or "yes" or "true";
}
