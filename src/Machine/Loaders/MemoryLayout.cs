using Emu.Core;

namespace Emu.Machine.Loaders;

/// <summary>Address range types of the E820 map (ACPI 6.5, table 15.4).</summary>
public enum E820Type
{
    /// <summary>Free RAM (AddressRangeMemory).</summary>
    Ram = 1,

    /// <summary>Not for the operating system (AddressRangeReserved).</summary>
    Reserved = 2,
}

/// <summary>One entry of the memory map handed to the guest: <paramref name="Size"/> bytes from <paramref name="Start"/>.</summary>
public sealed record E820Entry(ulong Start, ulong Size, E820Type Type)
{
    /// <summary>First address after the range.</summary>
    public ulong End => Start + Size;
}

/// <summary>
/// Where <paramref name="RamSize"/> bytes of RAM lie: from 0 up to the PCI hole at 3 GiB, the rest from 4 GiB.
/// </summary>
/// <param name="RamSize">Bytes of RAM: whole pages, at least one.</param>
public sealed record MemoryLayout(ulong RamSize)
{
    /// <summary>First address of the hole for PCI memory and chipset registers.</summary>
    public const ulong PciHoleStart = 0xC000_0000;

    /// <summary>First address of RAM above the hole.</summary>
    public const ulong HighBase = 0x1_0000_0000;

    /// <summary>First byte of the extended BIOS data area, the end of conventional memory for the guest.</summary>
    public const ulong EbdaStart = 0x9_FC00;

    /// <summary>End of conventional memory; video memory follows.</summary>
    public const ulong ConventionalEnd = 0xA_0000;

    /// <summary>First byte of the BIOS segment, where ACPI tables of a directly booted kernel lie.</summary>
    public const ulong BiosStart = 0xF_0000;

    /// <summary>Start of extended memory.</summary>
    public const ulong OneMiB = 0x10_0000;

    private const ulong LargestRam = 1UL << 46;

    /// <summary>Bytes of RAM: whole pages, at least one.</summary>
    public ulong RamSize { get; } = RamSize is > 0 and <= LargestRam && RamSize % GuestPhysical.PageSize == 0
        ? RamSize
        : throw new LoaderException($"memory size {RamSize} is not a multiple of {GuestPhysical.PageSize} bytes up to 64 TiB");

    /// <summary>Bytes of RAM below the hole, starting at 0.</summary>
    public ulong LowSize => Math.Min(RamSize, PciHoleStart);

    /// <summary>Bytes of RAM at <see cref="HighBase"/>.</summary>
    public ulong HighSize => RamSize - LowSize;

    /// <summary>Bytes of RAM from 0 that are free for the guest below the extended BIOS data area.</summary>
    public ulong ConventionalSize => Math.Min(RamSize, EbdaStart);

    /// <summary>Bytes of RAM from 1 MiB up to the hole.</summary>
    public ulong ExtendedSize => LowSize > OneMiB ? LowSize - OneMiB : 0;

    /// <summary>The size as messages give it.</summary>
    public string RamText => RamSize >= OneMiB ? $"{RamSize >> 20} MiB" : $"{RamSize >> 10} KiB";

    /// <summary>The map for the guest, ascending and disjoint.</summary>
    public IReadOnlyList<E820Entry> E820()
    {
        List<E820Entry> map =
        [
            new(0, ConventionalSize, E820Type.Ram),
            new(EbdaStart, ConventionalEnd - EbdaStart, E820Type.Reserved),
            new(BiosStart, OneMiB - BiosStart, E820Type.Reserved),
        ];
        if (ExtendedSize > 0)
        {
            map.Add(new E820Entry(OneMiB, ExtendedSize, E820Type.Ram));
        }

        if (HighSize > 0)
        {
            map.Add(new E820Entry(HighBase, HighSize, E820Type.Ram));
        }

        return map;
    }
}
