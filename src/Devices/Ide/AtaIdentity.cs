using System.Buffers.Binary;
using System.Text;

namespace Emu.Devices.Ide;

/// <summary>The 256 words by which drives tell what they are (ATA/ATAPI-7, 6.17 and 6.18).</summary>
internal static class AtaIdentity
{
    private const int SerialWord = 10;
    private const int FirmwareWord = 23;
    private const int ModelWord = 27;
    private const string Firmware = "1.0";

    // Words 83, 84 and 87 say by bits 15:14 that they are valid.
    private const ushort Valid = 1 << 14;
    private const ushort CommandsWriteCache = 1 << 5;
    private const ushort CommandsFlush = (1 << 12) | (1 << 13);
    private const ushort CommandsWideAddress = 1 << 10;
    private const ushort CommandsFua = 1 << 6;
    private const ushort MultiwordModes = 7;
    private const ushort UltraModes = 0x3f;

    // ATA-4 to ATA-7.
    private const ushort MajorVersion = 0x00f0;

    /// <summary>A disk.</summary>
    public static void Write(Span<byte> data, AtaDisk disk, AtaDiskOptions options, DiskGeometry current, int multiple, bool writeCache, byte dmaMode)
    {
        data.Clear();
        long currentSectors = Math.Min(disk.SectorCount, (long)current.Cylinders * current.Heads * current.Sectors);
        Word(data, 0, 0x0040); // fixed disk
        Word(data, 1, disk.Geometry.Cylinders);
        Word(data, 3, disk.Geometry.Heads);
        Word(data, 6, disk.Geometry.Sectors);
        Names(data, options.Serial, options.Model);
        Word(data, 47, 0x8000 | AtaDisk.LargestMultiple);
        Word(data, 48, 1); // 32-bit accesses to the data register
        Word(data, 49, (1 << 11) | (1 << 9) | (1 << 8)); // IORDY, LBA, DMA
        Word(data, 50, Valid);
        Word(data, 51, 0x0200);
        Word(data, 52, 0x0200);
        Word(data, 53, 7); // words 54–58, 64–70 and 88 are valid
        Word(data, 54, current.Cylinders);
        Word(data, 55, current.Heads);
        Word(data, 56, current.Sectors);
        BinaryPrimitives.WriteUInt32LittleEndian(data[(2 * 57)..], (uint)currentSectors);
        Word(data, 59, multiple == 0 ? 0 : 0x100 | multiple);
        BinaryPrimitives.WriteUInt32LittleEndian(data[(2 * 60)..], (uint)Math.Min(disk.SectorCount, 0xfff_ffff));
        Modes(data, dmaMode);
        Word(data, 80, MajorVersion);
        Word(data, 82, Valid | CommandsWriteCache);
        Word(data, 83, Valid | CommandsFlush | CommandsWideAddress);
        Word(data, 84, Valid | CommandsFua);
        Word(data, 85, Valid | (writeCache ? CommandsWriteCache : 0));
        Word(data, 86, CommandsFlush | CommandsWideAddress);
        Word(data, 87, Valid | CommandsFua);
        Word(data, 93, Valid | 0x2001); // 80-conductor cable
        BinaryPrimitives.WriteInt64LittleEndian(data[(2 * 100)..], disk.SectorCount);
    }

    /// <summary>A CD-ROM drive.</summary>
    public static void WritePacket(Span<byte> data, string serial, string model, byte dmaMode)
    {
        data.Clear();
        Word(data, 0, 0x85c0); // CD-ROM, removable, DRQ within 50 µs, 12-byte packets
        Names(data, serial, model);
        Word(data, 48, 1);
        Word(data, 49, (1 << 11) | (1 << 9) | (1 << 8));
        Word(data, 53, 7);
        Modes(data, dmaMode);
        Word(data, 71, 30);
        Word(data, 72, 30);
        Word(data, 80, 0x001e);
    }

    private static void Names(Span<byte> data, string serial, string model)
    {
        Text(data, SerialWord, 20, serial);
        Text(data, FirmwareWord, 8, Firmware);
        Text(data, ModelWord, 40, model);
    }

    private static void Modes(Span<byte> data, byte mode)
    {
        int family = mode >> 3;
        int selected = 0x100 << (mode & 7);
        Word(data, 63, MultiwordModes | (family == 4 ? selected : 0));
        Word(data, 64, 3); // PIO 3 and 4
        for (int word = 65; word <= 68; word++)
        {
            Word(data, word, 120); // cycle time in nanoseconds
        }

        Word(data, 88, UltraModes | (family == 8 ? selected : 0));
    }

    private static void Word(Span<byte> data, int word, int value) => BinaryPrimitives.WriteUInt16LittleEndian(data[(2 * word)..], (ushort)value);

    // Padded with spaces; the first character of each pair is in the upper byte.
    private static void Text(Span<byte> data, int word, int length, string text)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(text.PadRight(length)[..length]);
        for (int i = 0; i < length; i++)
        {
            data[(2 * word) + (i ^ 1)] = bytes[i];
        }
    }
}
