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

    /// <summary>
    /// Reads one register as often as <paramref name="data"/> has elements of <paramref name="size"/> bytes (REP INS), as that many calls of
    /// <see cref="Read"/> would. Returns the elements read: fewer where something happens that a CPU may see, such as an interrupt, and none when
    /// there is no faster way than element by element.
    /// </summary>
    int ReadBlock(ulong offset, Span<byte> data, int size) => 0;

    /// <summary>Writes one register with each element in turn (REP OUTS), as <see cref="ReadBlock"/> reads.</summary>
    int WriteBlock(ulong offset, ReadOnlySpan<byte> data, int size) => 0;
}
