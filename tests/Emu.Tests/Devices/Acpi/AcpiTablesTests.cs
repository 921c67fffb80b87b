using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using Emu.Core;
using Emu.Devices.Acpi;

namespace Emu.Tests.Devices.Acpi;

public sealed class AcpiTablesTests
{
    private const ulong Base = 0xF_0000;

    [Fact]
    public void Build_EveryTable_SumsToZeroAndIsReachableFromTheRsdp()
    {
        AcpiBlob blob = AcpiTables.Build(new AcpiConfiguration { CpuCount = 3 }, new GuestPhysical(Base));
        byte[] bytes = blob.Bytes.ToArray();

        Assert.Equal("RSD PTR ", Encoding.ASCII.GetString(bytes, 0, 8));
        Assert.Equal(0, Sum(bytes.AsSpan(0, 20)));
        Assert.Equal(0, Sum(bytes.AsSpan(0, 36)));
        Dictionary<string, byte[]> tables = Tables(blob);
        Assert.Equal(["APIC", "DSDT", "FACP", "HPET", "RSDT", "XSDT"], tables.Keys.Order());
        Assert.All(tables.Values, table => Assert.Equal(0, Sum(table)));
    }

    [Fact]
    public void Fadt_Fields_LieAtTheirOffsets()
    {
        byte[] fadt = Tables(AcpiTables.Build(new AcpiConfiguration { CpuCount = 1 }, new GuestPhysical(Base)))["FACP"];

        Assert.Equal(276, fadt.Length);
        Assert.Equal(9, BinaryPrimitives.ReadUInt16LittleEndian(fadt.AsSpan(46)));
        Assert.Equal(0xB2u, U32(fadt, 48));
        Assert.Equal(0xF1, fadt[52]);
        Assert.Equal(0x600u, U32(fadt, 56));
        Assert.Equal(0x604u, U32(fadt, 64));
        Assert.Equal(0x608u, U32(fadt, 76));
        Assert.Equal(4, fadt[91]);
        Assert.Equal(0x32, fadt[108]);
        Assert.Equal(0xCF9u, U32(fadt, 120));
        Assert.Equal(6, fadt[128]);
        Assert.Equal(U32(fadt, 40), U32(fadt, 140));
        Assert.Equal(0x600u, U32(fadt, 152));
        Assert.Equal(0x608u, U32(fadt, 212));
        Assert.Equal(0u, U32(fadt, 36) % 64);
    }

    [Fact]
    public void Madt_DescribesCpusIoApicAndOverrides()
    {
        byte[] madt = Tables(AcpiTables.Build(new AcpiConfiguration { CpuCount = 2 }, new GuestPhysical(Base)))["APIC"];

        Assert.Equal(
            "00-08-00-00-01-00-00-00-00-08-01-01-01-00-00-00-01-0C-00-00-00-00-C0-FE-00-00-00-00-"
            + "02-0A-00-00-02-00-00-00-00-00-02-0A-00-09-09-00-00-00-0D-00-04-06-FF-00-00-01",
            BitConverter.ToString(madt, 44));
    }

    [Theory]
    [InlineData("PNP0A03", "0C-41-D0-0A-03")]
    [InlineData("PNP0501", "0C-41-D0-05-01")]
    public void Aml_EisaId_IsPackedBigEndian(string id, string expected) => Assert.Equal(expected, BitConverter.ToString(Aml.EisaId(id)));

    [Theory]
    [InlineData(10, 1)]
    [InlineData(58, 1)]
    [InlineData(59, 2)]
    [InlineData(4000, 2)]
    [InlineData(70_000, 3)]
    [InlineData(1_100_000, 4)]
    public void Aml_PackageLength_CountsItself(int payload, int lengthBytes)
    {
        byte[] scope = Aml.Scope("_SB", new byte[payload]);

        int extra = scope[1] >> 6;
        int length = extra == 0 ? scope[1] & 0x3F : scope[1] & 0xF;
        for (int i = 0; i < extra; i++)
        {
            length |= scope[2 + i] << (4 + (8 * i));
        }

        Assert.Equal(lengthBytes, extra + 1);
        Assert.Equal(scope.Length - 1, length);
    }

    [Theory]
    [InlineData("\\", "5C-00")]
    [InlineData("\\_SB", "5C-5F-53-42-5F")]
    [InlineData("_SB.PCI0", "2E-5F-53-42-5F-50-43-49-30")]
    [InlineData("A.B.C", "2F-03-41-5F-5F-5F-42-5F-5F-5F-43-5F-5F-5F")]
    public void Aml_NameString_UsesThePrefixOfItsLength(string path, string expected) =>
        Assert.Equal(expected, BitConverter.ToString(Aml.NameString(path)));

    [IaslFact]
    public void Tables_Iasl_DisassemblesThemWithoutComplaint()
    {
        var configuration = new AcpiConfiguration { CpuCount = 2, PciMemory64 = (0x80_0000_0000, 0xFF_FFFF_FFFF) };
        string folder = Directory.CreateTempSubdirectory("emu-acpi-").FullName;
        try
        {
            foreach ((string signature, byte[] table) in Tables(AcpiTables.Build(configuration, new GuestPhysical(Base))))
            {
                string path = Path.Combine(folder, signature + ".aml");
                File.WriteAllBytes(path, table);
                string output = IaslFactAttribute.Run("-d", path);
                Assert.DoesNotContain("Error", output, StringComparison.OrdinalIgnoreCase);
                Assert.DoesNotContain("Invalid", output, StringComparison.OrdinalIgnoreCase);
                string source = File.ReadAllText(Path.ChangeExtension(path, ".dsl"));
                Assert.DoesNotContain("Invalid", source, StringComparison.OrdinalIgnoreCase);
            }

            string compiled = IaslFactAttribute.Run("-tc", Path.Combine(folder, "DSDT.dsl"));
            Assert.Contains("0 Errors", compiled, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Dictionary<string, byte[]> Tables(AcpiBlob blob)
    {
        byte[] bytes = blob.Bytes.ToArray();
        var tables = new Dictionary<string, byte[]>();
        byte[] xsdt = Add((ulong)BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(24)));
        Add(U32(bytes, 16));
        for (int i = 36; i < xsdt.Length; i += 8)
        {
            Add(BinaryPrimitives.ReadUInt64LittleEndian(xsdt.AsSpan(i)));
        }

        Add(U32(tables["FACP"], 40));
        return tables;

        byte[] Add(ulong address)
        {
            int offset = checked((int)(address - Base));
            byte[] table = bytes.AsSpan(offset, (int)U32(bytes, offset + 4)).ToArray();
            tables[Encoding.ASCII.GetString(table, 0, 4)] = table;
            return table;
        }
    }

    private static uint U32(byte[] bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(offset));

    private static int Sum(ReadOnlySpan<byte> bytes)
    {
        byte sum = 0;
        foreach (byte value in bytes)
        {
            sum += value;
        }

        return sum;
    }

    /// <summary>A fact that needs ACPICA's iasl on the path; skipped, saying so, where there is none.</summary>
    private sealed class IaslFactAttribute : FactAttribute
    {
        public IaslFactAttribute()
        {
            if (Find() is null && !Repository.IsCi)
            {
                Skip = "iasl is not installed";
            }
        }

        public static string Run(params string[] arguments)
        {
            var start = new ProcessStartInfo(Find()!, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
            using Process process = Process.Start(start)!;
            Task<string> errors = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return output + errors.Result;
        }

        private static string? Find() => (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, "iasl"))
            .FirstOrDefault(File.Exists);
    }
}
