using Emu.Core;
using Emu.Devices.Acpi;
using Emu.Devices.Ide;
using Emu.Devices.Pci;
using Emu.Devices.Virtio;
using Emu.Machine.Loaders;

namespace Emu.Machine.Pc;

/// <content>What is on the PCI bus, and what firmware would do with it.</content>
internal sealed partial class PcBoard
{
    // Below what the board itself has: a BAR that the guest puts over RAM or an ISA device hides nothing.
    private const int PciPriority = -1;

    // From the end of low RAM to the I/O APIC, as the ACPI tables tell.
    private static readonly (uint First, uint Last) PciWindow = ((uint)MemoryLayout.PciHoleStart, 0xFEBF_FFFF);

    private PiixIde AddPiix(PciBus bus, PmDevice pm)
    {
        var isa = new Piix3Isa(Irqs);
        bus.PirqOutput = isa;
        bus.Plug(Piix3Isa.Device, 0, isa);
        Add(new PciFunctionDevice("piix3", isa));
        PiixIde ide = AddIde(bus);
        var power = new Piix4Pm(pm.Region);
        bus.Plug(Piix4Pm.Device, Piix4Pm.Number, power);
        Add(new PciFunctionDevice("piix4-pm", power));
        return ide;
    }

    private void ConnectPci()
    {
        // Without firmware the power management ports are where the ACPI tables say.
        PortMap.CheckFree(PmDevice.DefaultPort, _pm.Region, "-device");
        MemoryMap.Root.Add(0, _pci.Bus.Memory, PciPriority);
        PortMap.Root.Add(0, _pci.Bus.Ports, PciPriority);
    }

    private void AddPciDevices()
    {
        for (int i = 0; i < Config.Devices.Count; i++)
        {
            DeviceSpec spec = Config.Devices[i];
            var properties = new DeviceProperties(spec);
            string kind = spec.Driver.EndsWith("-pci", StringComparison.Ordinal) ? spec.Driver[..^4] : "";
            string name = NameOf(IsDisplay(spec) ? "vga" : spec.Driver[..spec.Driver.LastIndexOf('-')], i, properties);
            if (spec.Driver.StartsWith("ide-", StringComparison.Ordinal))
            {
                ConnectIdeDrive(spec.Driver, properties);
                continue;
            }

            if (IsDisplay(spec))
            {
                AddDisplay(name, spec, properties);
                continue;
            }

            (VirtioDevice device, uint pciClass) = CreateVirtio(kind, name, i, properties)
                ?? throw properties.Error("machine 'pc' has no place for it; take the device in -pci, or -M microvm");
            var pci = Add(new VirtioPci(device, pciClass, Host.Lock, CreateMsiNotifier));
            int number = Plug(pci.Function, properties);
            NoteBootable(properties, PciBootPath(spec.Driver, number));
        }
    }

    // addr=DEVICE or DEVICE.FUNCTION in hexadecimal, as in QEMU; else a device's usual place, if it has one that is free.
    private int Plug(PciFunction function, DeviceProperties properties, int usual = -1)
    {
        int free = usual >= 0 && _pci.Bus[usual << 3] is null ? usual : _pci.Bus.FindFreeDevice();
        (int device, int number) = properties.PciAddress() ?? (free, 0);
        if (device < 0)
        {
            throw properties.Error($"the PCI bus is full; it has room for {PciBus.DeviceCount} devices");
        }

        if (_pci.Bus[(device << 3) | number] is not null)
        {
            throw properties.Error($"PCI address {device:x2}.{number} is taken; choose another addr");
        }

        _pci.Bus.Plug(device, number, function);
        return (device << 3) | number;
    }

    // What a kernel that is started without firmware expects to find done.
    private void SetUpPci()
    {
        using (Host.Lock.Enter())
        using (Memory.BeginChange())
        using (Ports.BeginChange())
        {
            _shadow.OpenAll();
            PciFunction isa = _pci.Bus[Piix3Isa.Device << 3]!;
            PciFunction power = _pci.Bus[(Piix4Pm.Device << 3) | Piix4Pm.Number]!;
            for (int pirq = 0; pirq < PciBus.PirqCount; pirq++)
            {
                isa.WriteConfig(Piix3Isa.RouteOffset + pirq, (uint)PciSetup.PirqIrqs[pirq], 1);
            }

            foreach (PciFunction function in PciSetup.Assign(_pci.Bus, PciWindow))
            {
                Host.Notice($"PCI device {function.ReadConfig(0, 2):x4}:{function.ReadConfig(2, 2):x4}: no room for a BAR");
            }

            _ide.Function.WriteConfig(PiixIde.TimingOffset, PiixIde.TimingDecode | ((uint)PiixIde.TimingDecode << 16), 4);
            power.WriteConfig(Piix4Pm.BaseOffset, PmDevice.DefaultPort, 2);
            power.WriteConfig(Piix4Pm.MiscOffset, Piix4Pm.MiscIoEnable, 1);
            power.WriteConfig(PciFunction.InterruptLineOffset, PmDevice.SciIrq, 1);
        }

        // PCI interrupts are levels. KVM's own 8259 is not reached this way; guests that use the I/O APIC do not mind.
        int levels = PciSetup.PirqIrqs.Aggregate(0, (bits, irq) => bits | (1 << irq));
        Ports.Write(ElcrPort, (ulong)levels, 2);
    }
}
