namespace Emu.Core;

/// <summary>
/// What a device offers behind an MMIO or port region. Offsets are relative to the region. The region's
/// <see cref="Memory.IoAccess"/> has already enforced size and alignment, and the machine lock is held, so an
/// implementation sees only the accesses it declared and never two at once.
/// </summary>
public interface IIoHandler
{
    /// <summary>Reads <paramref name="size"/> bytes (1, 2, 4 or 8) at <paramref name="offset"/>, zero-extended.</summary>
    ulong Read(ulong offset, int size);

    /// <summary>Writes the low <paramref name="size"/> bytes (1, 2, 4 or 8) of <paramref name="value"/> at <paramref name="offset"/>.</summary>
    void Write(ulong offset, ulong value, int size);
}
