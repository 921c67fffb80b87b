using Emu.Core;
using Emu.Devices.IrqChip;
using Emu.Devices.Timer;

namespace Emu.Devices.Acpi;

/// <summary>What the tables say of the board.</summary>
public sealed record AcpiConfiguration
{
    /// <summary>Number of CPUs; CPU n has APIC id n.</summary>
    public required int CpuCount { get; init; }

    /// <summary>True when there is a PCI host bridge, with its windows.</summary>
    public bool HasPci { get; init; } = true;

    /// <summary>First and last byte of the 32-bit window for PCI memory.</summary>
    public (uint First, uint Last) PciMemory { get; init; } = (0xC000_0000, 0xFEBF_FFFF);

    /// <summary>First and last byte of the 64-bit window for PCI memory, or null.</summary>
    public (ulong First, ulong Last)? PciMemory64 { get; init; }

    /// <summary>True when there is an <see cref="Timer.Hpet"/>.</summary>
    public bool HasHpet { get; init; } = true;

    /// <summary>True when there is an 8042 with keyboard and mouse.</summary>
    public bool HasKeyboard { get; init; } = true;

    /// <summary>True when there is a VGA.</summary>
    public bool HasVga { get; init; }

    /// <summary>True when there is an 8254.</summary>
    public bool HasPit { get; init; } = true;

    /// <summary>True when there is a real-time clock.</summary>
    public bool HasRtc { get; init; } = true;

    /// <summary>True when there are 8259s.</summary>
    public bool HasPic { get; init; } = true;

    /// <summary>Devices of virtio-mmio: where their registers are, and their global system interrupts.</summary>
    public IReadOnlyList<(uint Address, int Gsi)> VirtioMmio { get; init; } = [];

    /// <summary>True when there is a UART at 3F8H.</summary>
    public bool HasCom1 { get; init; } = true;

    /// <summary>Port of the <see cref="PmDevice"/>'s block.</summary>
    public ushort PmBase { get; init; } = PmDevice.DefaultPort;

    /// <summary>True when the PM timer has 32 bits.</summary>
    public bool PmTimer32Bit { get; init; }

    /// <summary>ISA IRQs that are level-triggered and active high: the SCI, and what PCI interrupts share.</summary>
    public IReadOnlyList<int> LevelTriggeredIrqs { get; init; } = [PmDevice.SciIrq];
}

/// <summary>Tables laid out for <paramref name="Base"/>, with the RSDP at <paramref name="Rsdp"/>.</summary>
public sealed record AcpiBlob(GuestPhysical Base, ReadOnlyMemory<byte> Bytes, GuestPhysical Rsdp);

/// <summary>A field of <paramref name="Size"/> bytes that points into the tables.</summary>
/// <param name="IsInRsdp">True for a field of the RSDP, false for one of the tables.</param>
/// <param name="Offset">Where it is.</param>
/// <param name="Size">4 or 8.</param>
public sealed record AcpiPointer(bool IsInRsdp, int Offset, int Size);

/// <summary>A byte that makes <paramref name="Length"/> bytes from <paramref name="Start"/> add up to 0.</summary>
/// <param name="IsInRsdp">True for one in the RSDP, false for one in the tables.</param>
/// <param name="Offset">Where it is, from the beginning of the file.</param>
/// <param name="Start">First byte that counts.</param>
/// <param name="Length">Number of bytes.</param>
public sealed record AcpiChecksum(bool IsInRsdp, int Offset, int Start, int Length);

/// <summary>Tables that are not placed yet: pointers hold offsets into <paramref name="Tables"/>, checksums are 0 and come in the order in which they must be made.</summary>
public sealed record AcpiImage(byte[] Tables, byte[] Rsdp, IReadOnlyList<AcpiPointer> Pointers, IReadOnlyList<AcpiChecksum> Checksums);

/// <summary>
/// Builds the ACPI tables of a PC (ACPI 6.5, ch. 5): RSDP, RSDT and XSDT, FADT, FACS, MADT, HPET and DSDT.
/// </summary>
public static class AcpiTables
{
    private const int HeaderSize = 36;
    private const int ChecksumOffset = 9;
    private const int RsdpSize = 36;
    private const int RsdpV1Size = 20;
    private const int RsdpChecksumOffset = 8;
    private const int RsdpExtendedChecksumOffset = 32;
    private const int RsdpRsdtOffset = 16;
    private const int RsdpXsdtOffset = 24;
    private const int FadtFacsOffset = 36;
    private const int FadtDsdtOffset = 40;
    private const int FadtXDsdtOffset = 140;
    private const int FacsSize = 64;

    // The FACS must be on a 64-byte boundary (5.2.10); all tables get one.
    private const int TableAlignment = 64;

    private const string OemId = "EMU   ";
    private const string OemTableId = "EMUPC   ";
    private const string CreatorId = "EMU ";

    // Generic address structure (5.2.3.2).
    private const byte GasMemory = 0;
    private const byte GasIo = 1;

    /// <summary>Lays the tables out from <paramref name="baseAddress"/>, a multiple of 64; the RSDP comes first.</summary>
    public static AcpiBlob Build(AcpiConfiguration configuration, GuestPhysical baseAddress)
    {
        if (baseAddress.Value % TableAlignment != 0 || baseAddress.Value > uint.MaxValue)
        {
            throw new ArgumentOutOfRangeException(nameof(baseAddress), "The base must be a multiple of 64 below 4 GiB.");
        }

        AcpiImage image = BuildImage(configuration);
        byte[] rsdp = image.Rsdp;
        ulong tables = baseAddress.Value + (ulong)AlignUp(RsdpSize);
        foreach (AcpiPointer pointer in image.Pointers)
        {
            Span<byte> field = (pointer.IsInRsdp ? rsdp : image.Tables).AsSpan(pointer.Offset, pointer.Size);
            WritePointer(field, ReadPointer(field) + tables);
        }

        foreach (AcpiChecksum checksum in image.Checksums)
        {
            Span<byte> bytes = (checksum.IsInRsdp ? rsdp : image.Tables).AsSpan(checksum.Start, checksum.Length);
            bytes[checksum.Offset - checksum.Start] = Checksum(bytes);
        }

        return new AcpiBlob(baseAddress, (byte[])[.. rsdp, .. new byte[AlignUp(RsdpSize) - RsdpSize], .. image.Tables], baseAddress);
    }

    /// <summary>The tables for firmware to place: pointers are offsets into the tables, checksums are zero.</summary>
    public static AcpiImage BuildImage(AcpiConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var layout = new Layout();
        int facs = layout.Add(Facs());
        int dsdt = layout.AddTable("DSDT", 2, Dsdt.Build(configuration));
        int fadt = layout.AddTable("FACP", 6, Fadt.Build(configuration, (uint)facs, (ulong)dsdt));
        layout.AddPointers(fadt, (FadtFacsOffset, 4), (FadtDsdtOffset, 4), (FadtXDsdtOffset, 8));
        List<int> tables = [fadt, layout.AddTable("APIC", 4, Madt(configuration))];
        if (configuration.HasHpet)
        {
            tables.Add(layout.AddTable("HPET", 1, HpetTable()));
        }

        int rsdt = layout.AddTable("RSDT", 1, [.. tables.SelectMany(BitConverter.GetBytes)]);
        layout.AddPointers(rsdt, [.. tables.Select((_, index) => (HeaderSize + (4 * index), 4))]);
        int xsdt = layout.AddTable("XSDT", 1, [.. tables.SelectMany(table => BitConverter.GetBytes((ulong)table))]);
        layout.AddPointers(xsdt, [.. tables.Select((_, index) => (HeaderSize + (8 * index), 8))]);
        return layout.ToImage(Rsdp((uint)rsdt, (ulong)xsdt));
    }

    /// <summary>A generic address structure for <paramref name="width"/> bits at <paramref name="address"/>; access size left to the register's own rules.</summary>
    internal static ByteWriter Gas(this ByteWriter writer, bool io, byte width, ulong address) =>
        writer.U8(io ? GasIo : GasMemory).U8(width).U8(0).U8(0).U64(address);

    private static int AlignUp(int value) => (value + TableAlignment - 1) & -TableAlignment;

    private static byte[] Rsdp(uint rsdt, ulong xsdt) => new ByteWriter()
        .Ascii("RSD PTR ").U8(0).Ascii(OemId).U8(2).U32(rsdt)
        .U32(RsdpSize).U64(xsdt).U8(0).Zeros(3).ToArray();

    private static byte[] Table(string signature, byte revision, byte[] body) => new ByteWriter()
        .Ascii(signature).U32((uint)(HeaderSize + body.Length)).U8(revision).U8(0)
        .Ascii(OemId).Ascii(OemTableId).U32(1).Ascii(CreatorId).U32(1)
        .Bytes(body).ToArray();

    // Signature, length, then hardware signature, waking vector, lock, flags, X vector: all zero; version 2 (5.2.10).
    private static byte[] Facs() =>
        new ByteWriter().Ascii("FACS").U32(FacsSize).Zeros(24).U8(2).Zeros(31).ToArray();

    private static byte[] Madt(AcpiConfiguration configuration)
    {
        const byte localApic = 0;
        const byte ioApic = 1;
        const byte sourceOverride = 2;
        const byte localApicNmi = 4;
        const uint pcatCompatible = 1;
        const uint enabled = 1;
        const ushort conforming = 0;
        const ushort activeHighLevel = 0b1101;
        const byte allProcessors = 0xFF;
        var madt = new ByteWriter().U32((uint)LocalApicSet.RegionAddress).U32(configuration.HasPic ? pcatCompatible : 0);
        for (int cpu = 0; cpu < configuration.CpuCount; cpu++)
        {
            madt.U8(localApic).U8(8).U8((byte)cpu).U8((byte)cpu).U32(enabled);
        }

        madt.U8(ioApic).U8(12).U8(0).U8(0).U32((uint)IoApic.RegionAddress).U32(0);
        Override(0, 2, conforming);
        foreach (int irq in configuration.LevelTriggeredIrqs)
        {
            Override(irq, irq, activeHighLevel);
        }

        return madt.U8(localApicNmi).U8(6).U8(allProcessors).U16(conforming).U8(1).ToArray();

        void Override(int irq, int gsi, ushort flags) =>
            madt.U8(sourceOverride).U8(10).U8(0).U8((byte)irq).U32((uint)gsi).U16(flags);
    }

    // HPET specification 3.2.4.
    private static byte[] HpetTable() => new ByteWriter()
        .U32(unchecked((uint)Hpet.CapabilitiesValue)).Gas(io: false, 64, Hpet.RegionAddress).U8(0).U16(0x80).U8(0).ToArray();

    private static byte Checksum(ReadOnlySpan<byte> bytes)
    {
        byte sum = 0;
        foreach (byte value in bytes)
        {
            sum += value;
        }

        return (byte)-sum;
    }

    private static ulong ReadPointer(ReadOnlySpan<byte> field) => field.Length == 4 ? BitConverter.ToUInt32(field) : BitConverter.ToUInt64(field);

    private static void WritePointer(Span<byte> field, ulong value) => BitConverter.GetBytes(value).AsSpan(0, field.Length).CopyTo(field);

    /// <summary>Places tables one after the other, and notes what depends on where they will be.</summary>
    private sealed class Layout
    {
        private readonly List<byte> _bytes = [];
        private readonly List<AcpiPointer> _pointers =
            [new(true, RsdpRsdtOffset, 4), new(true, RsdpXsdtOffset, 8)];

        private readonly List<AcpiChecksum> _checksums = [];

        public int Add(byte[] table)
        {
            int offset = _bytes.Count;
            _bytes.AddRange(table);
            _bytes.AddRange(new byte[AlignUp(_bytes.Count) - _bytes.Count]);
            return offset;
        }

        public int AddTable(string signature, byte revision, byte[] body)
        {
            byte[] table = Table(signature, revision, body);
            int offset = Add(table);
            _checksums.Add(new AcpiChecksum(false, offset + ChecksumOffset, offset, table.Length));
            return offset;
        }

        public void AddPointers(int table, params (int Offset, int Size)[] fields) =>
            _pointers.AddRange(fields.Select(field => new AcpiPointer(false, table + field.Offset, field.Size)));

        public AcpiImage ToImage(byte[] rsdp)
        {
            _checksums.Add(new AcpiChecksum(true, RsdpChecksumOffset, 0, RsdpV1Size));
            _checksums.Add(new AcpiChecksum(true, RsdpExtendedChecksumOffset, 0, RsdpSize));
            return new AcpiImage([.. _bytes], rsdp, _pointers, _checksums);
        }
    }
}
