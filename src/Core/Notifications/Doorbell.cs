namespace Emu.Core.Memory;

/// <summary>
/// Writes of a region that only say "look here" (a virtio queue's notify register): they ring instead of reaching the
/// region's handler. Where the accelerator can, the vCPU does not even stop for them, and the ring comes from another
/// thread a little later; several writes may then ring once.
/// </summary>
/// <param name="Offset">Offset in the region.</param>
/// <param name="Size">Size of the access: 1, 2, 4 or 8 bytes, or 0 for any.</param>
/// <param name="Match">The value that rings, null for any. Needs a size.</param>
/// <param name="Rung">Called with the machine lock held.</param>
public sealed record Doorbell(ulong Offset, int Size, ulong? Match, Action Rung)
{
    /// <summary>True when a write of <paramref name="value"/> rings.</summary>
    public bool IsRungBy(ulong offset, ulong value, int size) =>
        offset == Offset && (Size == 0 || size == Size) && (Match is not ulong match || match == value);
}

/// <summary>A doorbell with its place in an address space.</summary>
/// <param name="Address">Address of the write.</param>
/// <param name="Doorbell">The doorbell.</param>
public readonly record struct PlacedDoorbell(ulong Address, Doorbell Doorbell);
