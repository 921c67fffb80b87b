using Emu.Core.Memory;
using Emu.Machine.Loaders;

namespace Emu.Machine.Pc;

/// <summary>
/// RAM and ROM of a PC. RAM is one block of host memory shown below the PCI hole and, what is left of it, from 4 GiB; the
/// window of video memory (A0000H–BFFFFH) is left to a VGA; without one a guest that probes for it finds none.
/// </summary>
internal sealed class PcMemory : IDisposable
{
    /// <summary>First address after the video memory window.</summary>
    private const ulong VideoEnd = 0xC_0000;

    // More than any CPU model's physical address width.
    private const ulong SpaceSize = 1UL << 52;

    /// <summary>Allocates RAM for <paramref name="layout"/> and maps it, with <paramref name="rom"/> if there is firmware.</summary>
    public PcMemory(MemoryLayout layout, string? backingFolder, RomImage? rom)
    {
        Root = MemoryRegion.Container("memory", SpaceSize);
        Ram = new GuestRam("ram", layout.RamSize, backingFolder);
        Map("ram-low", 0, Math.Min(layout.RamSize, MemoryLayout.ConventionalEnd), 0);
        Map("ram", VideoEnd, layout.LowSize, VideoEnd);
        Map("ram-high", MemoryLayout.HighBase, MemoryLayout.HighBase + layout.HighSize, layout.LowSize);
        Rom = rom?.Map(Root);
    }

    /// <summary>The tree of guest-physical memory, to which the board adds registers.</summary>
    public MemoryRegion Root { get; }

    /// <summary>All RAM.</summary>
    public GuestRam Ram { get; }

    /// <summary>Firmware, or null.</summary>
    public MappedRom? Rom { get; }

    /// <summary>Where in the ROM's memory the byte at <paramref name="address"/> below 1 MiB lies, or null when the ROM does not show there.</summary>
    public ulong? RomOffset(ulong address) => Rom is not null && address < MemoryLayout.OneMiB && address >= MemoryLayout.OneMiB - Rom.Low.Size
        ? Rom.Ram.Size - (MemoryLayout.OneMiB - address)
        : null;

    /// <inheritdoc/>
    public void Dispose()
    {
        Ram.Dispose();
        Rom?.Ram.Dispose();
    }

    private void Map(string name, ulong start, ulong end, ulong offset)
    {
        if (end > start)
        {
            Root.Add(start, MemoryRegion.OfRam(name, Ram, offset, end - start));
        }
    }
}
