using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Time;
using Emu.Devices.Acpi;
using Emu.Devices.Pci;
using Emu.Machine.Loaders;

namespace Emu.Machine.Pc;

/// <summary>The <c>pc</c> machine: ISA devices and a PCI host bridge, wired as on a PC.</summary>
/// <remarks>
/// The A20 gate is kept for the guest to read back but masks nothing: no guest of the last decades relies on the wrap at
/// 1 MiB, and a mask would cost every memory access.
/// </remarks>
internal sealed partial class PcBoard : Board
{
    private PmDevice _pm = null!;
    private PciHostBridge _pci = null!;
    private PcShadow _shadow = null!;

    /// <summary>Builds the board with the guest loaded. Parameters as for <see cref="Board.Build"/>.</summary>
    /// <exception cref="MachineConfigException">The configuration cannot work.</exception>
    public PcBoard(MachineConfig config, MachineHost host, TimerQueue timers, BoardSignals signals, Func<Board, IKernelIrqChip?> createIrqChip)
        : base(config, host, timers, signals)
    {
        bool hasDisk = config.Devices.Any(device => device.Properties.ContainsKey("drive"));
        Build(PcBoot.Plan(config.Boot, hasDisk, Layout, HasAcpi ? BuildAcpiTables() : null, HasVga), createIrqChip, AddDevices);
    }

    /// <inheritdoc/>
    public override PciBus PciBus => _pci.Bus;

    /// <summary>The level that the guest last gave the A20 gate, by the keyboard controller or port 92H.</summary>
    public bool A20Gate { get; private set; } = true;

    private bool HasHpet => IsOn("hpet");

    private AcpiConfiguration AcpiFacts => new()
    {
        CpuCount = Config.Smp.Cpus,
        HasHpet = HasHpet,
        HasVga = HasVga,
        HasCom1 = SerialCount > 0,
        PciMemory = PciWindow,
        LevelTriggeredIrqs = [PmDevice.SciIrq, .. PciSetup.PirqIrqs.Distinct()],
    };

    /// <inheritdoc/>
    public override X86State LoadGuest()
    {
        SetBootOrder();
        if (Plan.Rom is null)
        {
            SetUpPci();
            SetUpTextMode();
        }

        return base.LoadGuest();
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        base.Reset();
        A20Gate = true;
    }

    /// <inheritdoc/>
    public override void PressPowerButton() => _pm.PressPowerButton();

    private void AddDevices()
    {
        AddPit();
        _rtc = AddRtc();
        AddHpet();
        (_pci, _pm, _ide) = AddChipset();
        _shadow = new PcShadow(Memory, MemoryMap, _pci.Host);
        _fwCfg = AddLegacyDevices();
        AddSerialPorts();
        AddDebugPorts();
        AddPciDevices();
        TellFirmware();
        ConnectPci();
    }

    private MemoryWrite BuildAcpiTables()
    {
        AcpiBlob blob = AcpiTables.Build(AcpiFacts, new GuestPhysical(MemoryLayout.BiosStart));
        return new MemoryWrite(blob.Base, blob.Bytes);
    }
}
