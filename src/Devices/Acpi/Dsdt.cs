using Emu.Devices.Pci;
using Emu.Devices.Timer;

namespace Emu.Devices.Acpi;

/// <summary>The differentiated system description table's AML: what cannot be probed.</summary>
internal static class Dsdt
{
    private const ushort PciConfigPort = 0xCF8;
    private const uint VgaFirst = 0xA_0000;
    private const uint VgaLast = 0xB_FFFF;

    /// <summary>Builds the body.</summary>
    public static byte[] Build(AcpiConfiguration configuration) =>
    [
        .. SoftOff(),
        .. Aml.Scope("\\_SB", Devices(configuration)),
    ];

    // \_S5: the sleep type for PM1a control, then PM1b, then reserved (7.4.2).
    private static byte[] SoftOff() => Aml.Name(
        "\\_S5",
        Aml.Package(Aml.Integer(PmDevice.SoftOffType), Aml.Integer(PmDevice.SoftOffType), Aml.Integer(0), Aml.Integer(0)));

    private static IEnumerable<byte[]> Devices(AcpiConfiguration configuration)
    {
        if (configuration.HasPci)
        {
            yield return PciRoot(configuration);
        }

        if (configuration.HasRtc)
        {
            yield return Device("RTC", "PNP0B00", AmlResource.Io(0x70, 8), AmlResource.Irq(8));
        }

        if (configuration.HasPit)
        {
            yield return Device("PIT", "PNP0100", AmlResource.Io(0x40, 4), AmlResource.Irq(0));
        }

        if (configuration.HasKeyboard)
        {
            yield return Device("KBD", "PNP0303", AmlResource.Io(0x60, 1), AmlResource.Io(0x64, 1), AmlResource.Irq(1));
            yield return Device("MOU", "PNP0F13", AmlResource.Irq(12));
        }

        if (configuration.HasCom1)
        {
            yield return Device("COM1", "PNP0501", AmlResource.Io(0x3F8, 8), AmlResource.Irq(4));
        }

        if (configuration.HasHpet)
        {
            yield return Device("HPET", "PNP0103", AmlResource.Memory32((uint)Hpet.RegionAddress, (uint)Hpet.RegionSize));
        }

        for (int i = 0; i < configuration.VirtioMmio.Count; i++)
        {
            yield return VirtioMmio(i, configuration.VirtioMmio[i].Address, configuration.VirtioMmio[i].Gsi);
        }
    }

    // LNRO0005 is what Linux's driver of virtio-mmio looks for.
    private static byte[] VirtioMmio(int number, uint address, int gsi) => Aml.Device(
        $"VR{number:D2}",
        Aml.Name("_HID", Aml.String("LNRO0005")),
        Aml.Name("_UID", Aml.Integer((ulong)number)),
        Aml.Name("_CCA", Aml.Integer(1)),
        Aml.Name("_CRS", Aml.ResourceTemplate([AmlResource.Memory32(address, (uint)Virtio.VirtioMmio.RegionSize), AmlResource.Interrupt(gsi)])));

    private static byte[] PciRoot(AcpiConfiguration configuration)
    {
        List<byte[]> windows =
        [
            AmlResource.BusNumbers(0, 0xFF),
            AmlResource.Io(PciConfigPort, 8),
            AmlResource.IoWindow(0, PciConfigPort - 1),
            AmlResource.IoWindow(PciConfigPort + 8, 0xFFFF),
            AmlResource.MemoryWindow(VgaFirst, VgaLast, cacheable: true),
            AmlResource.MemoryWindow(configuration.PciMemory.First, configuration.PciMemory.Last),
        ];
        if (configuration.PciMemory64 is (ulong first, ulong last))
        {
            windows.Add(AmlResource.MemoryWindow64(first, last));
        }

        return Aml.Device(
            "PCI0",
            Aml.Name("_HID", Aml.EisaId("PNP0A03")),
            Aml.Name("_ADR", Aml.Integer(0)),
            Aml.Name("_UID", Aml.Integer(0)),
            Aml.Name("_CRS", Aml.ResourceTemplate(windows)),
            Aml.Name("_PRT", InterruptRouting()));
    }

    // _PRT (6.2.13): for each pin of each device the global system interrupt, without a link device between.
    private static byte[] InterruptRouting()
    {
        const int pinCount = 4;
        const uint anyFunction = 0xFFFF;
        return Aml.Package([.. from device in Enumerable.Range(0, PciBus.DeviceCount)
                               from pin in Enumerable.Range(0, pinCount)
                               select Aml.Package(
                                   Aml.Integer(((uint)device << 16) | anyFunction), Aml.Integer((ulong)pin), Aml.Integer(0), Aml.Integer(GsiOf(device, pin)))]);
    }

    // The power management function shares its device with the ISA bridge; its INTA# is the SCI.
    private static ulong GsiOf(int device, int pin) => device == Piix4Pm.Device && pin == 0
        ? PmDevice.SciIrq
        : (ulong)PciSetup.PirqIrqs[PciBus.PirqOf(device, pin + 1)];

    private static byte[] Device(string name, string id, params byte[][] resources) => Aml.Device(
        name,
        Aml.Name("_HID", Aml.EisaId(id)),
        Aml.Name("_UID", Aml.Integer(0)),
        Aml.Name("_CRS", Aml.ResourceTemplate(resources)));
}
