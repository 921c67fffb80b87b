using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Memory;
using Emu.Core.Time;
using Emu.Devices.IrqChip;
using Emu.Devices.Pci;
using Emu.Machine.Display;
using Emu.Machine.Loaders;

namespace Emu.Machine.Pc;

/// <summary>
/// What all machines have in common: memory, ports, interrupt controllers, timers, serial ports, a start. It knows neither CPUs nor threads; the
/// machine connects those.
/// </summary>
internal abstract partial class Board : IDisposable
{
    private readonly List<Device> _devices = [];
    private LocalApicSet? _apics;
    private IoApic? _ioApic;

    /// <summary>Keeps what the board is made of; <see cref="Build"/> makes it.</summary>
    /// <exception cref="MachineConfigException">The configuration cannot work.</exception>
    protected Board(MachineConfig config, MachineHost host, TimerQueue timers, BoardSignals signals)
    {
        Config = config;
        Host = host;
        Signals = signals;
        Timers = timers;
        Workers = new DeviceWorkers(signals.Failed);
        Layout = CreateLayout(config.MemoryBytes);
    }

    /// <summary>Guest-physical memory.</summary>
    public AddressSpace Memory { get; private set; } = null!;

    /// <summary>The port space.</summary>
    public AddressSpace Ports { get; private set; } = null!;

    /// <summary>PCI bus 0, or null without PCI.</summary>
    public virtual PciBus? PciBus => null;

    /// <summary>Virtual time.</summary>
    public TimerQueue Timers { get; }

    /// <summary>Which loader made what the guest starts with.</summary>
    public string BootKind => Plan.Kind;

    /// <summary>The picture of the display adapter, or null without one.</summary>
    public GuestDisplay? Display { get; protected set; }

    /// <summary>Keyboard and mouse, or null without them.</summary>
    public GuestInput? Input { get; protected set; }

    /// <summary>The machine.</summary>
    protected MachineConfig Config { get; }

    /// <summary>The world around it.</summary>
    protected MachineHost Host { get; }

    /// <summary>What the board tells the machine.</summary>
    protected BoardSignals Signals { get; }

    /// <summary>Where RAM lies.</summary>
    protected MemoryLayout Layout { get; }

    /// <summary>Threads of devices.</summary>
    protected DeviceWorkers Workers { get; }

    /// <summary>What the guest starts with.</summary>
    protected BootPlan Plan { get; private set; } = null!;

    /// <summary>RAM and ROM.</summary>
    protected PcMemory MemoryMap { get; private set; } = null!;

    /// <summary>The port space under construction.</summary>
    protected PortMap PortMap { get; } = new();

    /// <summary>Interrupt controllers that the accelerator has, or null.</summary>
    protected IKernelIrqChip? KernelChip { get; private set; }

    /// <summary>The interrupt lines.</summary>
    protected GsiRouter Irqs { get; private set; } = null!;

    /// <summary>True when ACPI tables are made.</summary>
    // They lie below 1 MiB: a guest that has no RAM there cannot read them.
    protected bool HasAcpi => IsOn("acpi") && Layout.RamSize >= MemoryLayout.OneMiB;

    /// <summary>Makes the board that <paramref name="config"/> names. Parameters as for <see cref="Build"/>.</summary>
    /// <exception cref="MachineConfigException">There is no such board, or the configuration cannot work.</exception>
    public static Board Create(MachineConfig config, MachineHost host, TimerQueue timers, BoardSignals signals, Func<Board, IKernelIrqChip?> createIrqChip) =>
        config.Machine.Type == MachineCatalog.Microvm
            ? new MicrovmBoard(config, host, timers, signals, createIrqChip)
            : new PcBoard(config, host, timers, signals, createIrqChip);

    /// <summary>The local APIC of CPU <paramref name="index"/>, or null when the accelerator has it.</summary>
    public LocalApic? Apic(int index) => _apics?[index];

    /// <summary>Puts the images into memory and returns the state in which the boot processor starts.</summary>
    public virtual X86State LoadGuest()
    {
        Plan.Apply(Memory);
        return Plan.Cpu;
    }

    /// <summary>Lets the images go: there will be no other start.</summary>
    public void ForgetImages() => Plan = Plan with { Writes = [] };

    /// <summary>Returns every device to its state after power-on; RAM keeps its contents. The machine lock must be held and no CPU run.</summary>
    public virtual void Reset()
    {
        // Sources of interrupts first, so that lines they drop are not seen by controllers already reset.
        for (int i = _devices.Count - 1; i >= 0; i--)
        {
            _devices[i].Reset();
        }

        KernelChip?.Reset();
    }

    /// <summary>Presses the power button, which asks the guest to shut down.</summary>
    public abstract void PressPowerButton();

    /// <summary>An edge on every CPU's NMI input.</summary>
    public void PulseNmi()
    {
        _apics?.PulseNmi();
        KernelChip?.PulseNmi();
    }

    /// <summary>
    /// A notifier for interrupt line <paramref name="gsi"/>, which the caller alone drives. Without <paramref name="resample"/> each
    /// raise is an edge; with it the line is level-triggered, and the callback runs when the guest has ended the interrupt.
    /// </summary>
    public IrqNotifier CreateIrqNotifier(int gsi, Action? resample = null)
    {
        using (Host.Lock.Enter())
        {
            return KernelChip?.CreateNotifier(gsi, resample) ?? CreateUserNotifier(gsi, resample);
        }
    }

    /// <summary>A notifier that sends <paramref name="message"/>.</summary>
    public IrqNotifier CreateMsiNotifier(MsiMessage message)
    {
        using (Host.Lock.Enter())
        {
            IMsiSink sink = KernelChip ?? (IMsiSink)_apics!;
            return KernelChip?.CreateNotifier(message) ?? new UserIrqNotifier(Host.Lock, () => sink.Send(message));
        }
    }

    /// <summary>
    /// Stops the devices that work on threads of their own, and lets go of what the accelerator gave them. False when a thread does not end: it may still
    /// use guest memory. The lock must not be held.
    /// </summary>
    public bool Disconnect()
    {
        // The devices first: a driver can have made a ring that feeds itself, and then there is always more to do.
        using (Host.Lock.Enter())
        {
            foreach (IDisposable device in _devices.OfType<IDisposable>())
            {
                device.Dispose();
            }
        }

        return Workers.Stop();
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
            return new PcMemory(Layout, Config.MemPath, Plan.Rom);
        }
        catch (GuestMemoryException exception)
        {
            throw new MachineConfigException(Config.MemPath is null ? "-m" : "-mem-path", exception.Message);
        }
    }

    /// <summary>Makes memory, ports and interrupt controllers, then the rest by <paramref name="addDevices"/>. To be called last by constructors.</summary>
    /// <param name="plan">What the guest starts with.</param>
    /// <param name="createIrqChip">
    /// Called once memory and ports are there, and before any device is, for the interrupt controllers that the accelerator has
    /// itself; null for none.
    /// </param>
    /// <param name="addDevices">Adds the devices of this kind of board.</param>
    /// <exception cref="MachineConfigException">The configuration cannot work.</exception>
    protected void Build(BootPlan plan, Func<Board, IKernelIrqChip?> createIrqChip, Action addDevices)
    {
        Plan = plan;
        MemoryMap = CreateMemory();
        try
        {
            Memory = new AddressSpace("memory", MemoryMap.Root, Host.Lock);
            Ports = new AddressSpace("ports", PortMap.Root, Host.Lock);
            KernelChip = createIrqChip(this);
            using (Memory.BeginChange())
            using (Ports.BeginChange())
            {
                Irqs = KernelChip is null ? AddInterruptControllers() : AddInterruptControllers(KernelChip);
                addDevices();
            }
        }
        catch
        {
            DisposeMemory();
            throw;
        }
    }

    /// <summary>Frees the memory of the guest.</summary>
    protected virtual void DisposeMemory() => MemoryMap.Dispose();

    /// <summary>A switch of <c>-machine</c>, on unless the user said otherwise.</summary>
    protected bool IsOn(string property) => Config.Machine.Properties.GetValueOrDefault(property, "on") is "on" or "yes" or "true";
}
