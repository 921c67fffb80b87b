using Emu.Core.Memory;

namespace Emu.Machine.Loaders;

/// <summary>Firmware that ends at 4 GiB, its last part also showing below 1 MiB.</summary>
/// <param name="Name">File name, for messages and the region's name.</param>
/// <param name="Bytes">Contents; a multiple of <see cref="BiosLoader.Granule"/>.</param>
public sealed record RomImage(string Name, ReadOnlyMemory<byte> Bytes)
{
    private const ulong LargestLowAlias = 128 << 10;

    // Above RAM, which reaches through the whole first megabyte.
    private const int AliasPriority = 1;

    /// <summary>First address of the image.</summary>
    public ulong Base => MemoryLayout.HighBase - (ulong)Bytes.Length;

    /// <summary>First address of the copy below 1 MiB, at most 128 KiB long.</summary>
    public ulong LowBase => MemoryLayout.OneMiB - LowSize;

    private ulong LowSize => Math.Min((ulong)Bytes.Length, LargestLowAlias);

    /// <summary>Puts the ROM and its alias into <paramref name="root"/>. The caller owns the memory.</summary>
    public MappedRom Map(MemoryRegion root)
    {
        ArgumentNullException.ThrowIfNull(root);
        ulong size = (ulong)Bytes.Length;
        var ram = new GuestRam("bios", size);
        ram.Write(0, Bytes.Span);
        MemoryRegion high = MemoryRegion.OfRom("bios", ram, 0, size);
        MemoryRegion low = MemoryRegion.Alias("bios-low", high, size - LowSize, LowSize);
        root.Add(Base, high, AliasPriority);
        root.Add(LowBase, low, AliasPriority);
        return new MappedRom(ram, high, low);
    }
}

/// <summary>A mapped ROM: its memory, the region below 4 GiB, and the alias below 1 MiB (which chipset shadowing may disable).</summary>
public sealed record MappedRom(GuestRam Ram, MemoryRegion High, MemoryRegion Low);

/// <summary>Loads a firmware image (<c>-bios</c>): the CPU starts at the reset vector in its last 16 bytes.</summary>
public static class BiosLoader
{
    /// <summary>Sizes must be a multiple of this, in bytes.</summary>
    public const int Granule = 64 << 10;

    /// <summary>Largest image, in bytes: what lies above it belongs to the interrupt controllers.</summary>
    public const int LargestSize = 16 << 20;

    /// <summary>Checks the image and makes it the ROM of the plan.</summary>
    /// <exception cref="LoaderException">The size is not one that a ROM can have.</exception>
    public static BootPlan Load(string name, ReadOnlyMemory<byte> image)
    {
        if (image.Length == 0 || image.Length % Granule != 0 || image.Length > LargestSize)
        {
            throw new LoaderException($"{name}: a firmware image has a multiple of 64 KiB and at most 16 MiB, not {image.Length} bytes");
        }

        return new BootPlan { Kind = "firmware", Rom = new RomImage(name, image), Cpu = InitialCpuState.PowerOn };
    }
}
