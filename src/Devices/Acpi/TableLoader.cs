namespace Emu.Devices.Acpi;

/// <summary>
/// The script by which firmware places ACPI tables that it takes from fw_cfg files: 128-byte commands, little-endian
/// (QEMU, docs of hw/acpi/bios-linker-loader).
/// </summary>
public static class TableLoader
{
    /// <summary>Name of the script's file.</summary>
    public const string ScriptFile = "etc/table-loader";

    /// <summary>Name of the file of all tables.</summary>
    public const string TablesFile = "etc/acpi/tables";

    /// <summary>Name of the file of the RSDP.</summary>
    public const string RsdpFile = "etc/acpi/rsdp";

    /// <summary>Bytes of one command.</summary>
    public const int CommandSize = 128;

    private const int FileNameSize = 56;
    private const uint CommandAllocate = 1;
    private const uint CommandAddPointer = 2;
    private const uint CommandAddChecksum = 3;
    private const byte ZoneHigh = 1;
    private const byte ZoneFSegment = 2;
    private const uint TablesAlignment = 64;
    private const uint RsdpAlignment = 16;

    /// <summary>The script for <paramref name="image"/>: both files allocated, pointers made addresses, then checksums.</summary>
    public static byte[] Build(AcpiImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var script = new ByteWriter();
        Append(script, Command(CommandAllocate, RsdpFile).U32(RsdpAlignment).U8(ZoneFSegment));
        Append(script, Command(CommandAllocate, TablesFile).U32(TablesAlignment).U8(ZoneHigh));
        foreach (AcpiPointer pointer in image.Pointers)
        {
            Append(script, Name(Command(CommandAddPointer, FileOf(pointer.IsInRsdp)), TablesFile).U32((uint)pointer.Offset).U8((byte)pointer.Size));
        }

        foreach (AcpiChecksum checksum in image.Checksums)
        {
            Append(script, Command(CommandAddChecksum, FileOf(checksum.IsInRsdp)).U32((uint)checksum.Offset).U32((uint)checksum.Start).U32((uint)checksum.Length));
        }

        return script.ToArray();
    }

    private static string FileOf(bool isRsdp) => isRsdp ? RsdpFile : TablesFile;

    private static ByteWriter Command(uint command, string file) => Name(new ByteWriter().U32(command), file);

    private static ByteWriter Name(ByteWriter writer, string file) => writer.Ascii(file).Zeros(FileNameSize - file.Length);

    private static void Append(ByteWriter script, ByteWriter command)
    {
        byte[] bytes = command.ToArray();
        script.Bytes(bytes).Zeros(CommandSize - bytes.Length);
    }
}
