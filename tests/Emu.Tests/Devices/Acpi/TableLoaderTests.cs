using System.Buffers.Binary;
using System.Text;
using Emu.Core;
using Emu.Devices.Acpi;

namespace Emu.Tests.Devices.Acpi;

public sealed class TableLoaderTests
{
    private const ulong Base = 0x7_0000;

    [Fact]
    public void Script_RunAsFirmwareDoes_GivesTheTablesOfThatPlace()
    {
        var configuration = new AcpiConfiguration { CpuCount = 2, PciMemory64 = (1UL << 36, (1UL << 37) - 1) };
        AcpiImage image = AcpiTables.BuildImage(configuration);
        var files = new Dictionary<string, (ulong Address, byte[] Bytes)>();

        byte[] script = TableLoader.Build(image);
        Assert.Equal(0, script.Length % TableLoader.CommandSize);
        foreach (byte[] command in script.Chunk(TableLoader.CommandSize))
        {
            Run(command, image, files);
        }

        byte[] expected = AcpiTables.Build(configuration, new GuestPhysical(Base)).Bytes.ToArray();
        Assert.Equal(expected[..36], files[TableLoader.RsdpFile].Bytes);
        Assert.Equal(expected[64..], files[TableLoader.TablesFile].Bytes);
    }

    private static void Run(byte[] command, AcpiImage image, Dictionary<string, (ulong Address, byte[] Bytes)> files)
    {
        string name = Name(command.AsSpan(4));
        Span<byte> rest = command.AsSpan(60);
        switch (BinaryPrimitives.ReadUInt32LittleEndian(command))
        {
            case 1:
                bool isRsdp = name == TableLoader.RsdpFile;
                Assert.Equal(isRsdp ? (16u, 2) : (64u, 1), (BinaryPrimitives.ReadUInt32LittleEndian(rest), rest[4]));
                files.Add(name, isRsdp ? (Base, [.. image.Rsdp]) : (Base + 64, [.. image.Tables]));
                break;
            case 2:
                ulong source = files[Name(rest)].Address;
                Span<byte> field = files[name].Bytes.AsSpan(BinaryPrimitives.ReadInt32LittleEndian(rest[56..]), rest[60]);
                byte[] value = new byte[8];
                field.CopyTo(value);
                BitConverter.GetBytes(BitConverter.ToUInt64(value) + source).AsSpan(0, field.Length).CopyTo(field);
                break;
            case 3:
                int at = BinaryPrimitives.ReadInt32LittleEndian(rest);
                Span<byte> range = files[name].Bytes.AsSpan(BinaryPrimitives.ReadInt32LittleEndian(rest[4..]), BinaryPrimitives.ReadInt32LittleEndian(rest[8..]));
                byte sum = 0;
                foreach (byte one in range)
                {
                    sum += one;
                }

                files[name].Bytes[at] -= sum;
                break;
            default:
                Assert.Fail("an unknown command");
                break;
        }
    }

    private static string Name(ReadOnlySpan<byte> field) => Encoding.ASCII.GetString(field[..56]).TrimEnd('\0');
}
