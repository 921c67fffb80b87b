namespace Emu.Devices.IrqChip;

/// <summary>
/// Registers of the local APIC by number: the MMIO offset divided by 16, which is also the x2APIC MSR less 800H
/// (SDM vol. 3, tables 11-1 and 11-6), with their bits.
/// </summary>
internal static class LocalApicRegister
{
    public const int Id = 0x02;
    public const int Version = 0x03;
    public const int TaskPriority = 0x08;
    public const int ProcessorPriority = 0x0A;
    public const int Eoi = 0x0B;
    public const int LogicalDestination = 0x0D;
    public const int DestinationFormat = 0x0E;
    public const int SpuriousVector = 0x0F;
    public const int InService = 0x10;
    public const int TriggerMode = 0x18;
    public const int InterruptRequest = 0x20;
    public const int ErrorStatus = 0x28;
    public const int CommandLow = 0x30;
    public const int CommandHigh = 0x31;
    public const int LvtTimer = 0x32;
    public const int LvtThermal = 0x33;
    public const int LvtPerformance = 0x34;
    public const int LvtLint0 = 0x35;
    public const int LvtLint1 = 0x36;
    public const int LvtError = 0x37;
    public const int InitialCount = 0x38;
    public const int CurrentCount = 0x39;
    public const int DivideConfiguration = 0x3E;
    public const int SelfIpi = 0x3F;
    public const int Count = 0x40;

    public const int LvtCount = LvtError - LvtTimer + 1;

    // Version 14H, highest LVT entry 5, EOI-broadcast suppression supported (11.4.8).
    public const uint VersionValue = 0x14 | ((LvtCount - 1) << 16) | (1 << 24);

    // Spurious-interrupt vector register (11.9).
    public const uint SvrSoftwareEnable = 1 << 8;
    public const uint SvrSuppressEoiBroadcast = 1 << 12;
    public const uint SvrWritable = 0x13FF;
    public const uint SvrAtReset = 0xFF;

    // Destination format register (11.6.2.2).
    public const uint DfrFlat = 0xF;
    public const int DfrModelShift = 28;
    public const uint DfrFixedOnes = 0x0FFF_FFFF;

    // Error status register (11.5.3).
    public const uint ErrorSendIllegalVector = 1 << 5;
    public const uint ErrorReceiveIllegalVector = 1 << 6;
    public const uint ErrorIllegalRegister = 1 << 7;

    // Interrupt command register (11.6.1).
    public const uint IcrLogical = 1 << 11;
    public const uint IcrAssert = 1 << 14;
    public const uint IcrTriggerLevel = 1 << 15;
    public const int IcrShorthandShift = 18;
    public const uint IcrLowWritable = 0x000C_CFFF;

    // Local vector table (11.5.1).
    public const int LvtModeShift = 8;
    public const uint LvtTriggerLevel = 1 << 15;
    public const uint LvtMasked = 1 << 16;
    public const int LvtTimerModeShift = 17;
    public const uint LvtExtInt = (uint)ApicDeliveryMode.ExtInt << LvtModeShift;

    public const uint DivideWritable = 0b1011;

    // Vectors 0–15 cannot be delivered by an APIC (11.5.2).
    public const int LowestLegalVector = 16;

    /// <summary>Bits of LVT entry <paramref name="register"/> that software may set.</summary>
    public static uint LvtWritable(int register) => register switch
    {
        LvtTimer => 0x0007_00FF,
        LvtThermal or LvtPerformance => 0x0001_07FF,
        LvtLint0 or LvtLint1 => 0x0001_A7FF,
        _ => 0x0001_00FF,
    };

    /// <summary>True for registers that x2APIC mode lets RDMSR read (table 11-6).</summary>
    public static bool IsX2ApicReadable(int register) => register is Id or Version or TaskPriority or ProcessorPriority
        or LogicalDestination or SpuriousVector or (>= InService and <= ErrorStatus) or CommandLow
        or (>= LvtTimer and <= CurrentCount) or DivideConfiguration;

    /// <summary>
    /// Bits that x2APIC mode lets WRMSR set in <paramref name="register"/>, null when it is not writable. A set bit
    /// outside is #GP(0).
    /// </summary>
    public static ulong? X2ApicWritable(int register) => register switch
    {
        TaskPriority or SelfIpi => 0xFF,
        Eoi or ErrorStatus => 0,
        SpuriousVector => SvrWritable,
        CommandLow => 0xFFFF_FFFF_0000_0000 | IcrLowWritable,
        >= LvtTimer and <= LvtError => LvtWritable(register),
        InitialCount => 0xFFFF_FFFF,
        DivideConfiguration => DivideWritable,
        _ => null,
    };
}
