using System.Security.Cryptography;
using Emu.Block;
using Emu.Core;
using Emu.Core.Block;
using Emu.Core.Net;
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

    // A guest can have its driver's mistakes told again and again.
    private const int MostDriverNotices = 20;

    private int _driverNotices;

    private PiixIde AddPiix(PciBus bus, PmDevice pm)
    {
        var isa = new Piix3Isa(_irqs);
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
        _ports.CheckFree(PmDevice.DefaultPort, _pm.Region, "-device");
        _memory.Root.Add(0, _pci.Bus.Memory, PciPriority);
        _ports.Root.Add(0, _pci.Bus.Ports, PciPriority);
    }

    private void AddPciDevices()
    {
        var environment = new VirtioEnvironment(Memory, _host.Lock, _workers, NoteDriverError);
        for (int i = 0; i < _config.Devices.Count; i++)
        {
            DeviceSpec spec = _config.Devices[i];
            var properties = new DeviceProperties(spec);
            string name = properties.Text("id") ?? $"{(IsDisplay(spec) ? "vga" : spec.Driver[..spec.Driver.LastIndexOf('-')])}{i}";
            if (_devices.Exists(other => other.Name == name))
            {
                throw properties.Error($"there is a device '{name}' already; choose another id");
            }

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

            (VirtioDevice device, uint pciClass) = spec.Driver switch
            {
                "virtio-blk-pci" => (CreateBlk(name, properties, environment), VirtioBlk.PciClass),
                "virtio-rng-pci" => ((VirtioDevice)new VirtioRng(name, RandomNumberGenerator.Fill, RingFeatures(properties), environment), VirtioRng.PciClass),
                "virtio-net-pci" => (CreateNet(name, i, properties, environment), VirtioNet.PciClass),
                _ => throw new MachineConfigException("-device", $"unknown device '{spec.Driver}'; -device help lists them"),
            };
            var pci = Add(new VirtioPci(device, pciClass, _host.Lock, CreateMsiNotifier));
            int number = Plug(pci.Function, properties);
            NoteBootable(properties, PciBootPath(spec.Driver, number));
        }
    }

    private VirtioBlk CreateBlk(string name, DeviceProperties properties, VirtioEnvironment environment)
    {
        (IBlockBackend disk, DriveSpec? spec) = FindDrive(properties);
        return new VirtioBlk(name, disk, new VirtioBlkOptions
        {
            Serial = properties.Text("serial") ?? "",
            QueueCount = properties.Number("num-queues", 1, 1, 64),
            QueueSize = (ushort)properties.PowerOfTwo("queue-size", 256, 4, VirtQueue.LargestSize),
            WriteBack = spec?.Cache != CacheMode.WriteThrough,
            RingFeatures = RingFeatures(properties),
        }, environment);
    }

    private (IBlockBackend Disk, DriveSpec? Spec) FindDrive(DeviceProperties properties)
    {
        string drive = properties.Text("drive") ?? throw properties.Error("needs drive=ID, the id of a -drive");
        if (!_host.Drives.TryGetValue(drive, out IBlockBackend? disk))
        {
            throw properties.Error($"there is no drive '{drive}'; add -drive if=none,id={drive},file=PATH");
        }

        return _config.Devices.Count(other => other.Properties.GetValueOrDefault("drive") == drive) > 1
            ? throw properties.Error($"drive '{drive}' is used by two devices; give each its own")
            : (disk, _config.Drives.FirstOrDefault(candidate => candidate.Id == drive));
    }

    private VirtioNet CreateNet(string name, int index, DeviceProperties properties, VirtioEnvironment environment)
    {
        INetBackend? backend = null;
        if (properties.Text("netdev") is string network && !_host.Networks.TryTake(network, out backend))
        {
            throw properties.Error($"there is no network '{network}' without a card; add -netdev user,id={network}, or leave netdev out for a card without a cable");
        }

        // QEMU's addresses: locally administered, the last byte counting cards.
        byte[] address = properties.MacAddress() ?? [0x52, 0x54, 0x00, 0x12, 0x34, (byte)(0x56 + index)];
        return new VirtioNet(name, backend, address, RingFeatures(properties), environment);
    }

    private static ulong RingFeatures(DeviceProperties properties) =>
        (properties.Switch("indirect_desc", true) ? VirtioFeature.IndirectDescriptors : 0)
        | (properties.Switch("event_idx", true) ? VirtioFeature.EventIndex : 0)
        | (properties.Switch("packed", false) ? VirtioFeature.PackedRing : 0);

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
        using (_host.Lock.Enter())
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
                _host.Notice($"PCI device {function.ReadConfig(0, 2):x4}:{function.ReadConfig(2, 2):x4}: no room for a BAR");
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

    private void NoteDriverError(string line)
    {
        if (Interlocked.Increment(ref _driverNotices) <= MostDriverNotices)
        {
            _host.Notice(line);
        }
    }
}
