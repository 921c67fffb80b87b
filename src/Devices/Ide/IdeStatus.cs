namespace Emu.Devices.Ide;

/// <summary>Bits of the status register (ATA/ATAPI-7, 5.14).</summary>
internal static class IdeStatus
{
    public const byte Error = 1 << 0;
    public const byte DataRequest = 1 << 3;

    // Seek complete of disks; service of packet devices, which do not set it.
    public const byte SeekComplete = 1 << 4;
    public const byte Ready = 1 << 6;
    public const byte Busy = 1 << 7;
}

/// <summary>Bits of the error register (ATA/ATAPI-7, 5.9).</summary>
internal static class IdeError
{
    public const byte None = 0;
    public const byte Aborted = 1 << 2;
    public const byte IdNotFound = 1 << 4;
    public const byte Uncorrectable = 1 << 6;

    // What the register holds after a reset or EXECUTE DEVICE DIAGNOSTIC that went well.
    public const byte DiagnosticPassed = 1;
}
