namespace Emu.Devices.Pci;

/// <summary>The subsystem ids by which guests recognise a QEMU machine.</summary>
internal static class QemuSubsystem
{
    public const ushort Vendor = 0x1af4;
    public const ushort Device = 0x1100;
}
