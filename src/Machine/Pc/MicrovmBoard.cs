using System.Globalization;
using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Time;
using Emu.Devices.Acpi;
using Emu.Devices.Virtio;
using Emu.Machine.Loaders;

namespace Emu.Machine.Pc;

/// <summary>
/// The <c>microvm</c> machine: no PCI and no display; virtio devices by memory-mapped registers, one serial port, and of the timers and the old
/// interrupt controllers what the user wants. It starts kernels directly.
/// </summary>
/// <remarks>
/// Places are QEMU's. The guest finds virtio devices in the ACPI tables, and without those (<c>acpi=off</c>) by its command line. Power-off and
/// reset are those of a PC, not QEMU's generic event device.
/// </remarks>
internal sealed class MicrovmBoard : Board
{
    /// <summary>Transports, as many as QEMU has.</summary>
    public const int TransportCount = 8;

    private const uint TransportsAddress = 0xfeb0_0000;
    private const int FirstGsi = 16;

    // Without ACPI a kernel knows of no I/O APIC: lines of the 8259s that nothing else has.
    private static readonly int[] LegacyIrqs = [5, 6, 7, 9, 10, 11, 12, 15];

    private readonly int _transports;
    private PmDevice? _pm;

    /// <summary>Builds the board with the guest loaded. Parameters as for <see cref="Board.Build"/>.</summary>
    /// <exception cref="MachineConfigException">The configuration cannot work.</exception>
    public MicrovmBoard(MachineConfig config, MachineHost host, TimerQueue timers, BoardSignals signals, Func<Board, IKernelIrqChip?> createIrqChip)
        : base(config, host, timers, signals)
    {
        _transports = config.Devices.Count;
        if (_transports > TransportCount)
        {
            throw new MachineConfigException("-device", $"machine 'microvm' has room for {TransportCount} devices, not {_transports}");
        }

        if (config.Boot.Bios is not null || config.Boot.IsEmpty)
        {
            throw new MachineConfigException(config.Boot.Bios is null ? "-kernel" : "-bios", "machine 'microvm' runs no firmware; start a kernel with -kernel FILE, or take -M pc");
        }

        BootSpec boot = config.Boot with { Append = CommandLine(config.Boot) };
        Build(PcBoot.Plan(boot, hasDisk: false, Layout, HasAcpi ? BuildAcpiTables() : null, hasTextScreen: false), createIrqChip, AddDevices);
    }

    /// <inheritdoc/>
    protected override string Kind => "a microvm";

    /// <inheritdoc/>
    protected override bool HasPic => IsOn("pic");

    private bool HasSerial => IsOn("isa-serial");

    /// <inheritdoc/>
    public override void PressPowerButton() => _pm?.PressPowerButton();

    private static uint AddressOf(int transport) => TransportsAddress + ((uint)transport * (uint)VirtioMmio.RegionSize);

    private int GsiOf(int transport) => HasAcpi ? FirstGsi + transport : LegacyIrqs[transport];

    // As Linux reads it: size@address:interrupt.
    private string? CommandLine(BootSpec boot)
    {
        if (HasAcpi || boot.Kernel is null || !IsOn("auto-kernel-cmdline"))
        {
            return boot.Append;
        }

        IEnumerable<string> devices = Enumerable.Range(0, _transports)
            .Select(i => string.Create(CultureInfo.InvariantCulture, $"virtio_mmio.device={VirtioMmio.RegionSize}@0x{AddressOf(i):x}:{GsiOf(i)}"));
        return string.Join(' ', [.. boot.Append is string append ? [append] : Array.Empty<string>(), .. devices]);
    }

    private MemoryWrite BuildAcpiTables()
    {
        AcpiBlob blob = AcpiTables.Build(
            new AcpiConfiguration
            {
                CpuCount = Config.Smp.Cpus,
                HasPci = false,
                HasHpet = false,
                HasKeyboard = false,
                HasPit = IsOn("pit"),
                HasRtc = IsOn("rtc"),
                HasPic = HasPic,
                HasCom1 = HasSerial && SerialCount > 0,
                VirtioMmio = [.. Enumerable.Range(0, _transports).Select(i => (AddressOf(i), GsiOf(i)))],
            },
            new GuestPhysical(MemoryLayout.BiosStart));
        return new MemoryWrite(blob.Base, blob.Bytes);
    }

    private void AddDevices()
    {
        if (KernelChip is { HasIoChips: true } && !(HasPic && IsOn("pit")))
        {
            throw new MachineConfigException("-machine", "with kernel-irqchip=on KVM has 8259 and 8254 itself; leave out pic=off and pit=off, or take kernel-irqchip=split");
        }

        if (IsOn("pit"))
        {
            AddPit();
        }

        if (IsOn("rtc"))
        {
            AddRtc();
        }

        PortMap.Claim(ResetRegister.Port, Add(new ResetRegister("reset", Signals.Reset)).Region);
        if (HasAcpi)
        {
            _pm = Add(new PmDevice("pm", Timers, Irqs.Line(PmDevice.SciIrq), Signals.PowerOff));
            PortMap.Claim(PmDevice.DefaultPort, _pm.Region);
            PortMap.Claim(PmDevice.SmiCommandPort, _pm.SmiCommandRegion);
        }

        if (HasSerial)
        {
            AddSerialPorts(most: 1);
        }

        AddDebugPorts();
        for (int i = 0; i < _transports; i++)
        {
            AddVirtio(i);
        }
    }

    private void AddVirtio(int transport)
    {
        DeviceSpec spec = Config.Devices[transport];
        var properties = new DeviceProperties(spec);
        const string suffix = "-device";
        string kind = spec.Driver.EndsWith(suffix, StringComparison.Ordinal) ? spec.Driver[..^suffix.Length] : "";
        string name = NameOf(kind, transport, properties);
        if (properties.Text("bootindex") is not null)
        {
            throw properties.Error("machine 'microvm' runs no firmware; leave out bootindex");
        }

        (VirtioDevice device, _) = CreateVirtio(kind, name, transport, properties)
            ?? throw properties.Error("machine 'microvm' has no place for it; take a virtio device in -device, such as virtio-blk-device, or -M pc");
        VirtioMmio registers = Add(new VirtioMmio(device, Irqs.Line(GsiOf(transport)), Host.Lock, VirtioSurroundings.Log));
        MemoryMap.Root.Add(AddressOf(transport), registers.Registers);
    }
}
