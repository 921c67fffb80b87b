using System.Buffers.Binary;
using Emu.Core.Cpu;

namespace Emu.Machine.Loaders;

/// <summary>
/// Loads an ELF kernel by the x86/HVM direct boot ABI (PVH): 32-bit flat protected mode at the entry point of the Xen
/// note, with EBX pointing to a start-info structure.
/// </summary>
public static class ElfPvhLoader
{
    // struct hvm_start_info, version 1.
    private const uint StartMagic = 0x336E_C578;
    private const int StartSize = 56;
    private const int StartVersion = 4;
    private const int StartModuleCount = 12;
    private const int StartModules = 16;
    private const int StartCommandLine = 24;
    private const int StartRsdp = 32;
    private const int StartMemoryMap = 40;
    private const int StartMemoryMapEntries = 48;

    private const int ModuleEntrySize = 32;
    private const int MemoryMapEntrySize = 24;

    /// <summary>True for an x86 ELF image with the PVH note.</summary>
    public static bool Matches(ReadOnlyMemory<byte> image)
    {
        try
        {
            return ElfImage.Matches(image) && ElfImage.Parse("", image).PvhEntry is not null;
        }
        catch (LoaderException)
        {
            return false;
        }
    }

    /// <summary>Lays out the kernel, modules and start info.</summary>
    /// <exception cref="LoaderException">The image cannot be started this way, or does not fit.</exception>
    public static BootPlan Load(string name, ReadOnlyMemory<byte> image, BootOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ElfImage elf = ElfImage.Parse(name, image);
        uint entry = elf.CheckEntry(elf.PvhEntry ?? throw new LoaderException($"{name}: an ELF image without a PVH entry note"));
        var map = new LoadMap(name, options.Layout);
        elf.PlaceIn(map);

        ulong gdt = map.PlaceLow(FlatGdt.Bytes(longMode: false), "the GDT");
        X86State state = InitialCpuState.Flat32(entry, gdt);
        state.Gpr[Gpr.Rbx] = PlaceStartInfo(map, options);
        return new BootPlan { Kind = "ELF PVH", Writes = map.Writes, Cpu = state };
    }

    private static ulong PlaceStartInfo(LoadMap map, BootOptions options)
    {
        byte[] info = new byte[StartSize];
        BinaryPrimitives.WriteUInt32LittleEndian(info, StartMagic);
        BinaryPrimitives.WriteUInt32LittleEndian(info.AsSpan(StartVersion), 1);
        BinaryPrimitives.WriteUInt64LittleEndian(info.AsSpan(StartCommandLine), map.PlaceString(options.CommandLine, "the command line"));
        BinaryPrimitives.WriteUInt64LittleEndian(info.AsSpan(StartRsdp), options.RsdpAddress);
        if (options.Modules.Count > 0)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(info.AsSpan(StartModuleCount), (uint)options.Modules.Count);
            BinaryPrimitives.WriteUInt64LittleEndian(info.AsSpan(StartModules), PlaceModules(map, options.Modules));
        }

        IReadOnlyList<E820Entry> e820 = options.Layout.E820();
        BinaryPrimitives.WriteUInt64LittleEndian(info.AsSpan(StartMemoryMap), map.PlaceLow(MemoryMap(e820), "the memory map"));
        BinaryPrimitives.WriteUInt32LittleEndian(info.AsSpan(StartMemoryMapEntries), (uint)e820.Count);
        return map.PlaceLow(info, "the start info");
    }

    private static ulong PlaceModules(LoadMap map, IReadOnlyList<BootModule> modules)
    {
        byte[] list = new byte[modules.Count * ModuleEntrySize];
        for (int i = 0; i < modules.Count; i++)
        {
            Span<byte> entry = list.AsSpan(i * ModuleEntrySize, ModuleEntrySize);
            BinaryPrimitives.WriteUInt64LittleEndian(entry, map.PlaceModule(modules[i]));
            BinaryPrimitives.WriteUInt64LittleEndian(entry[8..], (ulong)modules[i].Bytes.Length);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[16..], map.PlaceString(modules[i].CommandLine, "a module's command line"));
        }

        return map.PlaceLow(list, "the module list");
    }

    private static byte[] MemoryMap(IReadOnlyList<E820Entry> e820)
    {
        byte[] table = new byte[e820.Count * MemoryMapEntrySize];
        for (int i = 0; i < e820.Count; i++)
        {
            Span<byte> entry = table.AsSpan(i * MemoryMapEntrySize, MemoryMapEntrySize);
            BinaryPrimitives.WriteUInt64LittleEndian(entry, e820[i].Start);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[8..], e820[i].Size);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[16..], (uint)e820[i].Type);
        }

        return table;
    }
}
