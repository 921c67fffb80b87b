using System.Buffers.Binary;
using Emu.Core.Cpu;

namespace Emu.Machine.Loaders;

/// <summary>
/// Loads a kernel by the Multiboot specification 0.6.96: an ELF32 image, or any file whose header gives load addresses
/// (the "a.out kludge"). Starts in 32-bit flat protected mode with EAX = 2BADB002H and EBX pointing to the information.
/// </summary>
public static class Multiboot1Loader
{
    // Header (specification 3.1), which starts in the first 8 KiB.
    private const uint HeaderMagic = 0x1BAD_B002;
    private const ulong SearchLimit = 8192;
    private const uint FlagAddresses = 1 << 16;
    private const uint UnderstoodRequirements = 0b111;
    private const uint RequirementMask = 0xFFFF;

    // Boot information (3.3).
    private const uint BootMagic = 0x2BAD_B002;
    private const int InfoSize = 120;
    private const int InfoMemLower = 4;
    private const int InfoMemUpper = 8;
    private const int InfoCommandLine = 16;
    private const int InfoModuleCount = 20;
    private const int InfoModules = 24;
    private const int InfoMapLength = 44;
    private const int InfoMap = 48;
    private const int InfoLoaderName = 64;
    private const uint HasMemory = 1 << 0;
    private const uint HasCommandLine = 1 << 2;
    private const uint HasModules = 1 << 3;
    private const uint HasMap = 1 << 6;
    private const uint HasLoaderName = 1 << 9;

    private const int ModuleEntrySize = 16;
    private const int MapEntrySize = 24;

    /// <summary>True when the image has a multiboot header with a right checksum.</summary>
    public static bool Matches(ReadOnlyMemory<byte> image) => FindHeader(new ImageBytes("", image)) is not null;

    /// <summary>Lays out kernel, modules and boot information.</summary>
    /// <exception cref="LoaderException">The image cannot be started this way, or does not fit.</exception>
    public static BootPlan Load(string name, ReadOnlyMemory<byte> image, BootOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var bytes = new ImageBytes(name, image);
        ulong header = FindHeader(bytes) ?? throw bytes.Error("no multiboot header in the first 8 KiB");
        uint flags = bytes.U32(header + 4, "multiboot header");
        if ((flags & RequirementMask & ~UnderstoodRequirements) != 0)
        {
            throw bytes.Error($"the multiboot header requires features 0x{flags & RequirementMask:x}, not all of which exist");
        }

        var map = new LoadMap(name, options.Layout);
        uint entry = (flags & FlagAddresses) != 0 ? PlaceByHeader(bytes, header, map) : PlaceElf(name, image, map);
        ulong gdt = map.PlaceLow(FlatGdt.Bytes(longMode: false), "the GDT");
        X86State state = InitialCpuState.Flat32(entry, gdt);
        state.Gpr[Gpr.Rax] = BootMagic;
        state.Gpr[Gpr.Rbx] = PlaceInformation(name, map, options);
        return new BootPlan { Kind = "multiboot", Writes = map.Writes, Cpu = state };
    }

    private static ulong? FindHeader(ImageBytes image)
    {
        for (ulong at = 0; at + 12 <= SearchLimit && image.Has(at, 12); at += 4)
        {
            uint magic = image.U32(at, "");
            if (magic == HeaderMagic && unchecked(magic + image.U32(at + 4, "") + image.U32(at + 8, "")) == 0)
            {
                return at;
            }
        }

        return null;
    }

    private static uint PlaceElf(string name, ReadOnlyMemory<byte> image, LoadMap map)
    {
        if (!ElfImage.Matches(image))
        {
            throw new LoaderException($"{name}: a multiboot image that is not ELF and gives no load addresses");
        }

        ElfImage elf = ElfImage.Parse(name, image);
        if (elf.Is64Bit)
        {
            throw new LoaderException($"{name}: wrong architecture: multiboot starts 32-bit ELF images, this one is 64-bit");
        }

        elf.PlaceIn(map);
        return elf.CheckEntry(elf.ToPhysical(elf.Entry));
    }

    // Address fields: header, load, load end (0: to the end of the file), BSS end (0: none), entry.
    private static uint PlaceByHeader(ImageBytes image, ulong header, LoadMap map)
    {
        const string what = "multiboot header";
        ulong headerAddress = image.U32(header + 12, what);
        ulong loadAddress = image.U32(header + 16, what);
        ulong loadEnd = image.U32(header + 20, what);
        ulong bssEnd = image.U32(header + 24, what);
        uint entry = image.U32(header + 28, what);
        if (headerAddress < loadAddress || headerAddress - loadAddress > header || (loadEnd != 0 && loadEnd < loadAddress))
        {
            throw image.Error("the load addresses of the multiboot header contradict each other");
        }

        ulong offset = header - (headerAddress - loadAddress);
        ReadOnlyMemory<byte> bytes = loadEnd == 0
            ? image.From(offset, "multiboot image")
            : image.Slice(offset, loadEnd - loadAddress, "multiboot image");
        ulong end = loadAddress + (ulong)bytes.Length;
        ulong memoryEnd = Math.Max(end, bssEnd);
        map.Place(loadAddress, bytes, "the image", memoryEnd - end);
        return entry >= loadAddress && entry < memoryEnd
            ? entry
            : throw image.Error($"the entry point 0x{entry:x} lies outside the loaded image");
    }

    private static ulong PlaceInformation(string name, LoadMap map, BootOptions options)
    {
        byte[] info = new byte[InfoSize];
        byte[] memoryMap = MemoryMap(options.Layout);
        uint flags = HasMemory | HasCommandLine | HasMap | HasLoaderName;
        Put(info, InfoMemLower, options.Layout.ConventionalSize >> 10);
        Put(info, InfoMemUpper, options.Layout.ExtendedSize >> 10);
        if (options.Modules.Count > 0)
        {
            flags |= HasModules;
            Put(info, InfoModuleCount, (ulong)options.Modules.Count);
            Put(info, InfoModules, PlaceModules(map, options.Modules));
        }

        // The command line starts with the kernel's own name, as other boot loaders have it.
        Put(info, InfoCommandLine, map.PlaceString($"{name} {options.CommandLine}".TrimEnd(), "the command line"));
        Put(info, InfoMapLength, (ulong)memoryMap.Length);
        Put(info, InfoMap, map.PlaceLow(memoryMap, "the memory map"));
        Put(info, InfoLoaderName, map.PlaceString("emu", "the loader's name"));
        Put(info, 0, flags);
        return map.PlaceLow(info, "the multiboot information");
    }

    private static ulong PlaceModules(LoadMap map, IReadOnlyList<BootModule> modules)
    {
        byte[] list = new byte[modules.Count * ModuleEntrySize];
        for (int i = 0; i < modules.Count; i++)
        {
            BootModule module = modules[i];
            int entry = i * ModuleEntrySize;
            ulong start = map.PlaceModule(module);
            Put(list, entry, start);
            Put(list, entry + 4, start + (ulong)module.Bytes.Length);
            Put(list, entry + 8, map.PlaceString($"{module.Name} {module.CommandLine}".TrimEnd(), "a module's command line"));
        }

        return map.PlaceLow(list, "the module list");
    }

    // Each entry is preceded by its own size, which does not count that field.
    private static byte[] MemoryMap(MemoryLayout layout)
    {
        IReadOnlyList<E820Entry> e820 = layout.E820();
        byte[] table = new byte[e820.Count * MapEntrySize];
        for (int i = 0; i < e820.Count; i++)
        {
            Span<byte> entry = table.AsSpan(i * MapEntrySize, MapEntrySize);
            BinaryPrimitives.WriteUInt32LittleEndian(entry, MapEntrySize - 4);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[4..], e820[i].Start);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[12..], e820[i].Size);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[20..], (uint)e820[i].Type);
        }

        return table;
    }

    private static void Put(byte[] buffer, int offset, ulong value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(buffer.AsSpan(offset), checked((uint)value));
}
