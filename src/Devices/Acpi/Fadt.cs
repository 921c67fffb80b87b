namespace Emu.Devices.Acpi;

/// <summary>The fixed ACPI description table, revision 6.5 (ACPI 6.5, 5.2.9), less its header.</summary>
internal static class Fadt
{
    private const byte MinorVersion = 5;

    // Latencies that say C2 and C3 do not exist.
    private const ushort NoC2 = 0xFFFF;
    private const ushort NoC3 = 0xFFFF;

    // CMOS index of the century.
    private const byte CenturyIndex = 0x32;

    // IA-PC boot architecture flags (table 5.11).
    private const ushort BootLegacyDevices = 1 << 0;
    private const ushort Boot8042 = 1 << 1;
    private const ushort BootNoVga = 1 << 2;
    private const ushort BootNoRtc = 1 << 5;

    // Fixed feature flags (table 5.10).
    private const uint FlagWbinvd = 1 << 0;
    private const uint FlagC1 = 1 << 2;
    private const uint FlagNoFixedSleepButton = 1 << 5;
    private const uint FlagNoFixedRtcWake = 1 << 6;
    private const uint FlagTimer32Bit = 1 << 8;
    private const uint FlagResetRegister = 1 << 10;

    private const int GasSize = 12;

    /// <summary>Builds the body.</summary>
    public static byte[] Build(AcpiConfiguration configuration, uint facs, ulong dsdt)
    {
        ushort events = configuration.PmBase;
        ushort control = (ushort)(events + PmDevice.ControlOffset);
        ushort timer = (ushort)(events + PmDevice.TimerOffset);
        ByteWriter table = new ByteWriter()
            .U32(facs).U32((uint)dsdt)
            .U8(0).U8(0)                                                    // reserved, preferred profile
            .U16(PmDevice.SciIrq)
            .U32(PmDevice.SmiCommandPort).U8(PmDevice.AcpiEnable).U8(PmDevice.AcpiDisable).U8(0).U8(0)
            .U32(events).U32(0).U32(control).U32(0).U32(0).U32(timer)       // PM1a/b event, PM1a/b control, PM2, timer
            .U32(0).U32(0)                                                  // GPE0, GPE1
            .U8(4).U8(2).U8(0).U8(4).U8(0).U8(0).U8(0).U8(0)                // lengths in the same order, GPE1 base, CST
            .U16(NoC2).U16(NoC3).U16(0).U16(0).U8(0).U8(0)                  // latencies, flush, duty cycle
            .U8(0).U8(0).U8(CenturyIndex)
            .U16(BootFlags(configuration)).U8(0)
            .U32(Flags(configuration))
            .Gas(io: true, 8, ResetRegister.Port).U8(ResetRegister.HardReset)
            .U16(0).U8(MinorVersion)                                        // ARM boot flags, minor version
            .U64(0).U64(dsdt);                                              // X_FACS is 0 when the 32-bit field is used
        table.Gas(io: true, 32, events).Zeros(GasSize).Gas(io: true, 16, control).Zeros(GasSize);
        table.Zeros(GasSize).Gas(io: true, 32, timer).Zeros(2 * GasSize);   // PM2, timer, GPE0, GPE1
        return table.Zeros(2 * GasSize).U64(0).ToArray();                   // sleep registers, hypervisor identity
    }

    private static ushort BootFlags(AcpiConfiguration configuration) => (ushort)(BootLegacyDevices
        | (configuration.HasKeyboard ? Boot8042 : 0)
        | (configuration.HasVga ? 0 : BootNoVga)
        | (configuration.HasRtc ? 0 : BootNoRtc));

    private static uint Flags(AcpiConfiguration configuration) =>
        FlagWbinvd | FlagC1 | FlagNoFixedSleepButton | FlagNoFixedRtcWake | FlagResetRegister
        | (configuration.PmTimer32Bit ? FlagTimer32Bit : 0);
}
