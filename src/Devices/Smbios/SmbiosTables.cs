using System.Text;
using Emu.Devices.Acpi;

namespace Emu.Devices.Smbios;

/// <summary>What the tables say of the machine.</summary>
public sealed record SmbiosConfiguration
{
    /// <summary>Name of the machine.</summary>
    public string Product { get; init; } = "emu PC (i440FX + PIIX)";

    /// <summary>RAM below and above 4 GiB in bytes.</summary>
    public required (ulong Low, ulong High) Memory { get; init; }

    /// <summary>Sockets, cores of each, and threads of each core.</summary>
    public required (int Sockets, int Cores, int Threads) Processors { get; init; }

    /// <summary>The machine's UUID, 16 bytes; null when it has none.</summary>
    public byte[]? Uuid { get; init; }
}

/// <summary>Tables with the entry point that firmware completes: the address in it is 0, and its checksums are for that.</summary>
public sealed record SmbiosBlob(byte[] Anchor, byte[] Tables);

/// <summary>Builds SMBIOS 2.8 tables (DMTF DSP0134): types 0, 1, 3, 4, 16, 17, 19, 32 and 127.</summary>
public static class SmbiosTables
{
    private const string Vendor = "emu";
    private const int AnchorSize = 31;
    private const int IntermediateOffset = 16;
    private const ushort NoErrorInformation = 0xfffe;
    private const ushort ArrayHandle = 0x1000;
    private const byte Other = 1;
    private const byte Unknown = 2;
    private const byte Safe = 3;
    private const ulong OneMiB = 1 << 20;
    private const ulong FourGiB = 1UL << 32;

    // One module holds at most what its 15-bit size field in megabytes can tell.
    private const ulong LargestModule = 16UL << 30;

    /// <summary>Builds them.</summary>
    public static SmbiosBlob Build(SmbiosConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var tables = new Builder();
        AddFirmware(tables);
        AddSystem(tables, configuration);
        tables.Add(3, 0x300, body => body.U8(1).U8(Other).U8(0).U8(0).U8(0).U8(Safe).U8(Safe).U8(Safe).U8(Unknown).U32(0).U8(0).U8(0).U8(0).U8(0).U8(0), Vendor);
        for (int socket = 0; socket < configuration.Processors.Sockets; socket++)
        {
            AddProcessor(tables, configuration, socket);
        }

        AddMemory(tables, configuration);
        tables.Add(32, 0x2000, body => body.Zeros(6).U8(0));
        tables.Add(127, 0x7f00, body => body);
        return new SmbiosBlob(Anchor(tables), tables.ToArray());
    }

    // Vendor, version and date; a ROM of 64 KiB at F0000H (7.1).
    private static void AddFirmware(Builder tables)
    {
        const ulong characteristicsNotSupported = 1 << 3;
        const byte virtualMachine = 1 << 4;
        tables.Add(
            0,
            0,
            body => body.U8(1).U8(2).U16(0xf000).U8(3).U8(0).U64(characteristicsNotSupported).U8(0).U8(virtualMachine).U8(0).U8(0).U8(0xff).U8(0xff),
            Vendor,
            "1.0",
            "01/01/2026");
    }

    private static void AddSystem(Builder tables, SmbiosConfiguration configuration)
    {
        const byte wakeByPowerSwitch = 6;
        byte[] uuid = configuration.Uuid ?? new byte[16];
        tables.Add(1, 0x100, body => body.U8(1).U8(2).U8(3).U8(0).Bytes(uuid).U8(wakeByPowerSwitch).U8(0).U8(0), Vendor, configuration.Product, "1.0");
    }

    private static void AddProcessor(Builder tables, SmbiosConfiguration configuration, int socket)
    {
        const byte centralProcessor = 3;
        const byte populatedAndEnabled = 0x41;
        const ushort noCache = 0xffff;
        const ushort speed = 2000;
        (_, int cores, int threads) = configuration.Processors;
        byte coreCount = (byte)Math.Min(cores, 255);
        byte threadCount = (byte)Math.Min(cores * threads, 255);
        tables.Add(
            4,
            (ushort)(0x400 + socket),
            body => body.U8(1).U8(centralProcessor).U8(Other).U8(2).U64(0).U8(0).U8(0).U16(0).U16(speed).U16(speed).U8(populatedAndEnabled).U8(Other)
                .U16(noCache).U16(noCache).U16(noCache).U8(0).U8(0).U8(0).U8(coreCount).U8(coreCount).U8(threadCount).U16(Unknown).U16(Other),
            $"CPU {socket}",
            Vendor);
    }

    // An array (type 16), its modules (17) and where they show (19).
    private static void AddMemory(Builder tables, SmbiosConfiguration configuration)
    {
        const byte systemMemory = 3;
        const byte multiBitEcc = 6;
        const byte dimm = 9;
        const byte ram = 7;
        (ulong low, ulong high) = configuration.Memory;
        ulong total = low + high;
        int modules = (int)((total + LargestModule - 1) / LargestModule);
        tables.Add(16, ArrayHandle, body => body.U8(Other).U8(systemMemory).U8(multiBitEcc).U32(0x8000_0000).U16(NoErrorInformation).U16((ushort)modules).U64(total));
        for (int module = 0; module < modules; module++)
        {
            ulong size = Math.Min(LargestModule, total - ((ulong)module * LargestModule)) / OneMiB;
            tables.Add(
                17,
                (ushort)(0x1100 + module),
                body => body.U16(ArrayHandle).U16(NoErrorInformation).U16(0xffff).U16(0xffff).U16((ushort)size).U8(dimm).U8(0).U8(1).U8(0).U8(ram).U16(2)
                    .U16(0).U8(2).U8(0).U8(0).U8(0).U8(0).U32(0).U16(0).U16(0).U16(0).U16(0),
                $"DIMM {module}",
                Vendor);
        }

        AddRange(tables, 0, 0, low, modules);
        if (high > 0)
        {
            AddRange(tables, 1, FourGiB, high, modules);
        }
    }

    private static void AddRange(Builder tables, int index, ulong start, ulong size, int modules) => tables.Add(
        19,
        (ushort)(0x1300 + index),
        body => body.U32(uint.MaxValue).U32(uint.MaxValue).U16(ArrayHandle).U8((byte)modules).U64(start).U64(start + size - 1));

    // The 32-bit entry point (5.2.1).
    private static byte[] Anchor(Builder tables)
    {
        byte[] anchor = new ByteWriter()
            .Ascii("_SM_").U8(0).U8(AnchorSize).U8(2).U8(8).U16((ushort)tables.Largest).U8(0).Zeros(5)
            .Ascii("_DMI_").U8(0).U16((ushort)tables.Length).U32(0).U16((ushort)tables.Count).U8(0x28).ToArray();
        anchor[IntermediateOffset + 5] = Negated(anchor.AsSpan(IntermediateOffset));
        anchor[4] = Negated(anchor);
        return anchor;
    }

    private static byte Negated(ReadOnlySpan<byte> bytes)
    {
        byte sum = 0;
        foreach (byte value in bytes)
        {
            sum += value;
        }

        return (byte)-sum;
    }

    /// <summary>Structures one after the other, each with its strings.</summary>
    private sealed class Builder
    {
        private const int HeaderSize = 4;

        private readonly List<byte> _bytes = [];

        public int Count { get; private set; }

        public int Largest { get; private set; }

        public int Length => _bytes.Count;

        public void Add(byte type, ushort handle, Func<ByteWriter, ByteWriter> body, params string[] strings)
        {
            byte[] fields = body(new ByteWriter()).ToArray();
            int start = _bytes.Count;
            _bytes.AddRange([type, (byte)(HeaderSize + fields.Length), (byte)handle, (byte)(handle >> 8), .. fields]);
            foreach (string text in strings)
            {
                _bytes.AddRange([.. Encoding.ASCII.GetBytes(text), 0]);
            }

            _bytes.AddRange(strings.Length == 0 ? [0, 0] : [0]);
            Count++;
            Largest = Math.Max(Largest, _bytes.Count - start);
        }

        public byte[] ToArray() => [.. _bytes];
    }
}
