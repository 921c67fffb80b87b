namespace Emu.Devices.Timer;

/// <summary>A boot device in the CMOS boot order that QEMU and its firmware use.</summary>
public enum CmosBootDevice
{
    /// <summary>No device.</summary>
    None = 0,

    /// <summary>Floppy disk.</summary>
    Floppy = 1,

    /// <summary>Hard disk.</summary>
    HardDisk = 2,

    /// <summary>CD-ROM.</summary>
    CdRom = 3,

    /// <summary>Network.</summary>
    Network = 4,
}

/// <content>The register map, and what the board stores in CMOS for the firmware.</content>
public sealed partial class Rtc146818
{
    /// <summary>Bytes of registers and RAM.</summary>
    public const int CmosSize = 128;

    private const int RegSeconds = 0x00;
    private const int RegSecondsAlarm = 0x01;
    private const int RegMinutes = 0x02;
    private const int RegMinutesAlarm = 0x03;
    private const int RegHours = 0x04;
    private const int RegHoursAlarm = 0x05;
    private const int RegDayOfWeek = 0x06;
    private const int RegDayOfMonth = 0x07;
    private const int RegMonth = 0x08;
    private const int RegYear = 0x09;
    private const int RegA = 0x0a;
    private const int RegB = 0x0b;
    private const int RegC = 0x0c;
    private const int RegD = 0x0d;
    private const int RegBaseMemory = 0x15;
    private const int RegExtendedMemory = 0x17;
    private const int RegExtendedMemoryFound = 0x30;
    private const int RegCentury = 0x32;
    private const int RegMemoryAbove16M = 0x34;
    private const int RegBootOrder3 = 0x38;
    private const int RegBootOrder12 = 0x3d;
    private const int RegMemoryAbove4G = 0x5b;

    private const byte ARateMask = 0x0f;
    private const byte DividerMask = 0x70;
    private const byte DividerNormal = 0x20;
    private const byte DividerReset = 0x60;
    private const byte AUpdateInProgress = 0x80;

    private const byte B24Hour = 0x02;
    private const byte BBinary = 0x04;
    private const byte BSquareWave = 0x08;
    private const byte BUpdateEnded = 0x10;
    private const byte BAlarm = 0x20;
    private const byte BPeriodic = 0x40;
    private const byte BSet = 0x80;
    private const byte InterruptMask = BUpdateEnded | BAlarm | BPeriodic;

    private const byte CInterrupt = 0x80;
    private const byte DValid = 0x80;
    private const byte HourPm = 0x80;
    private const byte AlarmDontCare = 0xc0;
    private const byte NmiMaskBit = 0x80;

    private const ulong KiB = 1024;
    private const ulong MiB = 1024 * KiB;

    /// <summary>A byte of battery-backed RAM (0EH–7FH) for the board to preset.</summary>
    public byte this[int index]
    {
        get => _cmos[CheckRam(index)];
        set => _cmos[CheckRam(index)] = value;
    }

    /// <summary>Stores the memory size where PC firmware looks for it.</summary>
    /// <param name="below4G">Bytes of RAM from address 0.</param>
    /// <param name="above4G">Bytes of RAM from 4 GiB.</param>
    public void SetMemorySize(ulong below4G, ulong above4G)
    {
        ulong extended = Math.Min(below4G > MiB ? (below4G - MiB) / KiB : 0, 0xffff);
        Store(RegBaseMemory, Math.Min(below4G / KiB, 640), 2);
        Store(RegExtendedMemory, extended, 2);
        Store(RegExtendedMemoryFound, extended, 2);
        Store(RegMemoryAbove16M, Math.Min(below4G > 16 * MiB ? (below4G - (16 * MiB)) / (64 * KiB) : 0, 0xffff), 2);
        Store(RegMemoryAbove4G, Math.Min(above4G / (64 * KiB), 0xffffff), 3);
    }

    /// <summary>Stores the boot order in bytes 3DH and 38H.</summary>
    /// <param name="first">Tried first.</param>
    /// <param name="second">Tried second.</param>
    /// <param name="third">Tried third.</param>
    /// <param name="checkFloppySignature">False lets firmware boot floppies without the 55AAH signature (byte 38H bit 0).</param>
    public void SetBootOrder(
        CmosBootDevice first,
        CmosBootDevice second = CmosBootDevice.None,
        CmosBootDevice third = CmosBootDevice.None,
        bool checkFloppySignature = true)
    {
        _cmos[RegBootOrder12] = (byte)(((int)second << 4) | (int)first);
        _cmos[RegBootOrder3] = (byte)(((int)third << 4) | (checkFloppySignature ? 0 : 1));
    }

    private static int CheckRam(int index)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(index, RegD);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, CmosSize);
        return index;
    }

    private void Store(int index, ulong value, int bytes)
    {
        for (int i = 0; i < bytes; i++)
        {
            _cmos[index + i] = (byte)(value >> (8 * i));
        }
    }
}
