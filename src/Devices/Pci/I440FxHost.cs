namespace Emu.Devices.Pci;

/// <summary>The host bridge function of the 82441FX (Intel 290549) at 00:00.0; only its configuration registers.</summary>
public sealed class I440FxHost : PciFunction
{
    /// <summary>Offset of PAM0, the first of seven programmable attribute registers (290549, 3.2.14).</summary>
    public const int PamOffset = 0x59;

    /// <summary>Number of programmable attribute registers.</summary>
    public const int PamCount = 7;

    /// <summary>Offset of the SMRAM control register (290549, 3.2.18).</summary>
    public const int SmramOffset = 0x72;

    // Until the next reset the lock keeps the register as it is, and SMRAM closed.
    private const byte SmramOpen = 1 << 6;
    private const byte SmramLock = 1 << 4;
    private const byte SmramCompatibleSegment = 0x02;
    private const byte SmramWritable = 0x78;

    private const ushort IntelVendor = 0x8086;
    private const ushort Device82441 = 0x1237;
    private const uint HostBridgeClass = 0x060000;
    private const byte Revision = 2;
    private const uint StatusInitial = 0x0280; // medium DEVSEL, fast back-to-back

    /// <summary>Creates the function.</summary>
    public I440FxHost()
        : base(IntelVendor, Device82441, HostBridgeClass, Revision)
    {
        Define(CommandOffset, 2, 0x0006, 0x0100); // memory and master always on; SERR may be enabled
        Define(StatusOffset, 2, StatusInitial, 0);
        Define(SubsystemVendorIdOffset, 2, QemuSubsystem.Vendor, 0);
        Define(SubsystemIdOffset, 2, QemuSubsystem.Device, 0);
        Define(PamOffset, 1, 0, 0x30);
        for (int i = 1; i < PamCount; i++)
        {
            Define(PamOffset + i, 1, 0, 0x33);
        }

        Define(SmramOffset, 1, SmramCompatibleSegment, SmramWritable);
    }

    /// <inheritdoc/>
    public override void WriteConfig(int offset, uint value, int size)
    {
        int shift = 8 * (SmramOffset - offset);
        if (offset <= SmramOffset && offset + size > SmramOffset)
        {
            uint written = (value >> shift) & 0xff;
            uint allowed = (Config[SmramOffset] & SmramLock) != 0 ? Config[SmramOffset]
                : (written & SmramLock) != 0 ? written & ~(uint)SmramOpen : written;
            value = (value & ~(0xffU << shift)) | (allowed << shift);
        }

        base.WriteConfig(offset, value, size);
    }
}
