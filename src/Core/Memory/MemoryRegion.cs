namespace Emu.Core.Memory;

/// <summary>What a <see cref="MemoryRegion"/> is.</summary>
public enum MemoryRegionKind
{
    /// <summary>Only holds subregions; where none lies it is transparent.</summary>
    Container,

    /// <summary>Readable and writable RAM.</summary>
    Ram,

    /// <summary>RAM that guests cannot write; writes are ignored (or go to the handler, if there is one).</summary>
    Rom,

    /// <summary>Device registers behind an <see cref="IIoHandler"/>.</summary>
    Io,

    /// <summary>A window onto another region.</summary>
    Alias,
}

/// <summary>
/// The access sizes a device's registers take, in bytes. Wider accesses are split, narrower ones widened (a read is
/// shifted down; a narrower write passes only its own bytes, zero-extended), so that the device sees only these.
/// </summary>
/// <param name="Min">Smallest size the handler is given: 1, 2, 4 or 8.</param>
/// <param name="Max">Largest size the handler is given: 1, 2, 4 or 8.</param>
public readonly record struct IoAccess(int Min, int Max)
{
    /// <summary>Byte registers.</summary>
    public static readonly IoAccess Bytes = new(1, 1);

    /// <summary>Any size from 1 to 4 bytes.</summary>
    public static readonly IoAccess UpToDword = new(1, 4);

    /// <summary>Any size from 1 to 8 bytes.</summary>
    public static readonly IoAccess UpToQword = new(1, 8);

    /// <summary>32-bit registers only.</summary>
    public static readonly IoAccess Dwords = new(4, 4);
}

/// <summary>
/// A node of the memory map's tree. Regions are built, placed with <see cref="Add"/> at an offset and priority (higher
/// wins where siblings overlap), and flattened into a <see cref="FlatView"/>. Changing the tree needs the machine lock.
/// </summary>
public sealed class MemoryRegion
{
    private readonly List<Placement> _children = [];
    private readonly List<MemoryRegion> _parents = [];
    private readonly List<AddressSpace> _spaces = [];
    private Doorbell[] _doorbells = [];
    private bool _enabled = true;

    private MemoryRegion(string name, ulong size, MemoryRegionKind kind)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentOutOfRangeException.ThrowIfZero(size);
        Name = name;
        Size = size;
        Kind = kind;
    }

    /// <summary>Name for messages and <c>info mtree</c>.</summary>
    public string Name { get; }

    /// <summary>Size in bytes.</summary>
    public ulong Size { get; }

    /// <summary>What the region is.</summary>
    public MemoryRegionKind Kind { get; }

    /// <summary>Backing memory of RAM and ROM regions.</summary>
    public GuestRam? Ram { get; private init; }

    /// <summary>Offset of the region's first byte in <see cref="Ram"/>, or in <see cref="AliasTarget"/>.</summary>
    public ulong BackingOffset { get; private init; }

    /// <summary>Handler of I/O regions, and of writes to ROM.</summary>
    public IIoHandler? Handler { get; private init; }

    /// <summary>The sizes <see cref="Handler"/> takes.</summary>
    public IoAccess Access { get; private init; } = IoAccess.Bytes;

    /// <summary>The region an alias shows.</summary>
    public MemoryRegion? AliasTarget { get; private init; }

    /// <summary>False takes the region and all below it out of the map.</summary>
    public bool Enabled
    {
        get => _enabled;
        set
        {
            if (_enabled != value)
            {
                _enabled = value;
                NotifyChanged();
            }
        }
    }

    /// <summary>
    /// True when writes may reach the handler late and in bulk, in order, before the next access of a CPU to any device: for
    /// registers and video memory that are written often and need no answer.
    /// </summary>
    public bool CoalescesWrites { get; private init; }

    /// <summary>The writes that ring instead of reaching the handler.</summary>
    public IReadOnlyList<Doorbell> Doorbells => Volatile.Read(ref _doorbells);

    internal IReadOnlyList<Placement> Children => _children;

    /// <summary>A container of <paramref name="size"/> bytes.</summary>
    public static MemoryRegion Container(string name, ulong size) => new(name, size, MemoryRegionKind.Container);

    /// <summary>RAM: <paramref name="size"/> bytes of <paramref name="ram"/> from <paramref name="offset"/>.</summary>
    public static MemoryRegion OfRam(string name, GuestRam ram, ulong offset, ulong size) => OfMemory(name, ram, offset, size, MemoryRegionKind.Ram, null);

    /// <summary>ROM: reads come from <paramref name="ram"/>; writes go to <paramref name="writes"/> (bytes) or are ignored.</summary>
    public static MemoryRegion OfRom(string name, GuestRam ram, ulong offset, ulong size, IIoHandler? writes = null) =>
        OfMemory(name, ram, offset, size, MemoryRegionKind.Rom, writes);

    /// <summary>Device registers. With <paramref name="coalescesWrites"/> see <see cref="CoalescesWrites"/>.</summary>
    public static MemoryRegion OfIo(string name, ulong size, IIoHandler handler, IoAccess access, bool coalescesWrites = false)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return new MemoryRegion(name, size, MemoryRegionKind.Io) { Handler = handler, Access = access, CoalescesWrites = coalescesWrites };
    }

    /// <summary>A window of <paramref name="size"/> bytes onto <paramref name="target"/> from <paramref name="offset"/>.</summary>
    public static MemoryRegion Alias(string name, MemoryRegion target, ulong offset, ulong size)
    {
        ArgumentNullException.ThrowIfNull(target);
        if (offset > target.Size || size > target.Size - offset)
        {
            throw new ArgumentOutOfRangeException(nameof(offset), $"{name}: alias reaches outside {target.Name}.");
        }

        var alias = new MemoryRegion(name, size, MemoryRegionKind.Alias) { AliasTarget = target, BackingOffset = offset };
        target._parents.Add(alias);
        return alias;
    }

    /// <summary>Places <paramref name="child"/> at <paramref name="offset"/>; where siblings overlap the higher <paramref name="priority"/> wins, then the later.</summary>
    public void Add(ulong offset, MemoryRegion child, int priority = 0)
    {
        ArgumentNullException.ThrowIfNull(child);
        if (Kind != MemoryRegionKind.Container)
        {
            throw new InvalidOperationException($"{Name} is not a container.");
        }

        _children.Add(new Placement(offset, child, priority));
        child._parents.Add(this);
        NotifyChanged();
    }

    /// <summary>Takes <paramref name="child"/> out again.</summary>
    public void Remove(MemoryRegion child)
    {
        ArgumentNullException.ThrowIfNull(child);
        if (_children.RemoveAll(placement => placement.Region == child) > 0)
        {
            child._parents.Remove(this);
            NotifyChanged();
        }
    }

    /// <summary>Has the writes that <paramref name="doorbell"/> describes ring it.</summary>
    public void AddDoorbell(Doorbell doorbell)
    {
        ArgumentNullException.ThrowIfNull(doorbell);
        bool sized = doorbell.Size is 1 or 2 or 4 or 8 || (doorbell.Size == 0 && doorbell.Match is null);
        if (Kind != MemoryRegionKind.Io || !sized || doorbell.Offset > Size - (ulong)Math.Max(1, doorbell.Size))
        {
            throw new ArgumentException($"{Name}: no register of that size can be a doorbell there.", nameof(doorbell));
        }

        Volatile.Write(ref _doorbells, [.. _doorbells, doorbell]);
        NotifyChanged();
    }

    /// <summary>Takes it out again.</summary>
    public void RemoveDoorbell(Doorbell doorbell)
    {
        Volatile.Write(ref _doorbells, [.. _doorbells.Where(other => !ReferenceEquals(other, doorbell))]);
        NotifyChanged();
    }

    internal Doorbell? FindDoorbell(ulong offset, ulong value, int size)
    {
        foreach (Doorbell doorbell in Volatile.Read(ref _doorbells))
        {
            if (doorbell.IsRungBy(offset, value, size))
            {
                return doorbell;
            }
        }

        return null;
    }

    /// <summary>The name of a child that overlaps [offset, offset+size), or null: for "two devices on one port".</summary>
    public string? FindOverlap(ulong offset, ulong size) => _children
        .Where(placement => offset < placement.Offset + placement.Region.Size && placement.Offset < offset + size)
        .Select(placement => placement.Region.Name)
        .FirstOrDefault();

    internal void Attach(AddressSpace space) => _spaces.Add(space);

    private static MemoryRegion OfMemory(string name, GuestRam ram, ulong offset, ulong size, MemoryRegionKind kind, IIoHandler? writes)
    {
        ArgumentNullException.ThrowIfNull(ram);
        if (offset > ram.Size || size > ram.Size - offset)
        {
            throw new ArgumentOutOfRangeException(nameof(offset), $"{name}: outside RAM block {ram.Name}.");
        }

        return new MemoryRegion(name, size, kind) { Ram = ram, BackingOffset = offset, Handler = writes };
    }

    private void NotifyChanged()
    {
        foreach (AddressSpace space in _spaces)
        {
            space.Rebuild();
        }

        foreach (MemoryRegion parent in _parents)
        {
            parent.NotifyChanged();
        }
    }

    internal sealed record Placement(ulong Offset, MemoryRegion Region, int Priority);
}
