using Emu.Core.Memory;

namespace Emu.Devices.Pci;

/// <summary>What a base address register decodes (PCI 3.0, 6.2.5.1).</summary>
public enum PciBarKind
{
    /// <summary>I/O ports.</summary>
    Io,

    /// <summary>Memory below 4 GiB.</summary>
    Memory32,

    /// <summary>Prefetchable memory below 4 GiB.</summary>
    PrefetchableMemory32,

    /// <summary>Memory anywhere; takes this BAR and the next.</summary>
    Memory64,

    /// <summary>Prefetchable memory anywhere; takes this BAR and the next.</summary>
    PrefetchableMemory64,

    /// <summary>The expansion ROM's register (6.2.5.2), which has an enable bit of its own.</summary>
    Rom,
}

/// <summary>One base address register: the region behind it appears where, and while, the function decodes it.</summary>
public sealed class PciBar
{
    // What the map of guest-physical memory holds.
    private const ulong MemoryLimit = 1UL << 52;

    internal PciBar(PciFunction function, int index, PciBarKind kind, ulong size, MemoryRegion? region)
    {
        Function = function;
        Index = index;
        Kind = kind;
        Size = size;
        Region = region;
    }

    /// <summary>Number of the register, 0–5.</summary>
    public int Index { get; }

    /// <summary>What it decodes.</summary>
    public PciBarKind Kind { get; }

    /// <summary>Bytes or ports.</summary>
    public ulong Size { get; }

    /// <summary>What is behind it, or null.</summary>
    public MemoryRegion? Region { get; }

    /// <summary>Where the function decodes it now, or null while it does not.</summary>
    public ulong? Address { get; private set; }

    /// <summary>True for the kinds that take two registers.</summary>
    public bool IsWide => Kind is PciBarKind.Memory64 or PciBarKind.PrefetchableMemory64;

    internal PciFunction Function { get; }

    internal int Offset => Kind == PciBarKind.Rom ? PciFunction.RomOffset : PciFunction.BarOffset + (4 * Index);

    /// <summary>Follows the command and base address registers.</summary>
    internal void Update()
    {
        ulong? address = Decoded();
        if (address == Address)
        {
            return;
        }

        if (Function.Bus is PciBus bus && Region is not null)
        {
            MemoryRegion space = Kind == PciBarKind.Io ? bus.Ports : bus.Memory;
            if (Address is not null)
            {
                space.Remove(Region);
            }

            if (address is ulong place)
            {
                space.Add(place, Region);
            }
        }

        Address = address;
    }

    // A guest writes all ones to learn the size: such a BAR, like one at 0 or beyond the end, decodes nothing.
    private ulong? Decoded()
    {
        bool io = Kind == PciBarKind.Io;
        if ((Function.Command & (io ? PciFunction.CommandIo : PciFunction.CommandMemory)) == 0)
        {
            return null;
        }

        ulong limit = io ? 1UL << 16 : IsWide ? MemoryLimit : 1UL << 32;
        ulong value = BitConverter.ToUInt32(Function.Config[Offset..]);
        value |= IsWide ? (ulong)BitConverter.ToUInt32(Function.Config[(Offset + 4)..]) << 32 : 0;
        if (Kind == PciBarKind.Rom && (value & PciFunction.RomEnable) == 0)
        {
            return null;
        }

        ulong address = value & ~(Size - 1);
        bool isSizing = address == (~(Size - 1) & (IsWide ? ulong.MaxValue : uint.MaxValue));
        return address != 0 && !isSizing && address <= limit - Size ? address : null;
    }
}
