using Emu.Core.Memory;

namespace Emu.Devices.Pci;

/// <summary>
/// The power management function of the PIIX4 (Intel 290562, ch. 7), 00:01.3: decides where the ports of the ACPI hardware
/// are, and whether they are there at all.
/// </summary>
public sealed class Piix4Pm : PciFunction
{
    /// <summary>Device number on bus 0, which it shares with the ISA bridge.</summary>
    public const int Device = 1;

    /// <summary>Function number.</summary>
    public const int Number = 3;

    /// <summary>Offset of PMBA, the base of the power management ports, a multiple of 64 (290562, 7.1.10).</summary>
    public const int BaseOffset = 0x40;

    /// <summary>Offset of PMREGMISC, whose bit 0 enables those ports (290562, 7.1.23).</summary>
    public const int MiscOffset = 0x80;

    /// <summary>Bit of PMREGMISC that enables the ports.</summary>
    public const byte MiscIoEnable = 1;

    private const ushort IntelVendor = 0x8086;
    private const ushort Device82371AbPm = 0x7113;
    private const uint OtherBridgeClass = 0x068000;
    private const byte Revision = 3;
    private const ushort StatusInitial = 0x0280;
    private const uint BaseIsIo = 1;
    private const uint BaseWritable = 0xffc0;
    private const ulong BlockSize = 64;

    // DEVACTB: that a write to the SMI command port makes an SMI is set already, which firmware takes for system management mode
    // being in use; there is none here to set up (290562, 7.1.16).
    private const int DeviceActivityBOffset = 0x58;
    private const uint SmiOnCommand = 1 << 25;

    private readonly MemoryRegion _block;
    private MemoryRegion? _shownIn;
    private ushort _shownAt;

    /// <summary>Creates the function; <paramref name="registers"/> lie from the base on.</summary>
    public Piix4Pm(MemoryRegion registers)
        : base(IntelVendor, Device82371AbPm, OtherBridgeClass, Revision)
    {
        _block = MemoryRegion.Container("piix4-pm", BlockSize);
        _block.Add(0, registers);
        Define(StatusOffset, 2, StatusInitial, 0);
        Define(SubsystemVendorIdOffset, 2, QemuSubsystem.Vendor, 0);
        Define(SubsystemIdOffset, 2, QemuSubsystem.Device, 0);
        DefineInterruptPin(1);
        Define(BaseOffset, 4, BaseIsIo, BaseWritable);
        Define(DeviceActivityBOffset, 4, SmiOnCommand, 0);
        Define(MiscOffset, 1, 0, MiscIoEnable);
    }

    /// <inheritdoc/>
    protected override void OnConfigChanged(int offset, int size)
    {
        base.OnConfigChanged(offset, size);
        ushort place = (ushort)(BitConverter.ToUInt16(Config[BaseOffset..]) & BaseWritable);
        MemoryRegion? space = (Config[MiscOffset] & MiscIoEnable) != 0 && place != 0 ? Bus?.Ports : null;
        if (space == _shownIn && (space is null || place == _shownAt))
        {
            return;
        }

        _shownIn?.Remove(_block);
        space?.Add(place, _block);
        (_shownIn, _shownAt) = (space, place);
    }
}
