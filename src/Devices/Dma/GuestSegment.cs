using Emu.Core.Memory;

namespace Emu.Devices.Dma;

/// <summary>A stretch of guest RAM that a descriptor names, checked: <paramref name="Length"/> bytes of <paramref name="Ram"/>.</summary>
public readonly record struct GuestSegment(GuestRam Ram, ulong Offset, int Length)
{
    /// <summary>The bytes. Who writes them calls <see cref="NoteWrite"/> afterwards.</summary>
    public Span<byte> Bytes => Ram.Slice(Offset, Length);

    /// <summary>Tells the machine that the first <paramref name="length"/> bytes were written: dirty log and translated code.</summary>
    public void NoteWrite(int length) => Ram.NoteWrite(Offset, length);

    /// <summary>The part from <paramref name="start"/> on, at most <paramref name="length"/> bytes.</summary>
    public GuestSegment Part(int start, int length) => new(Ram, Offset + (ulong)start, Math.Min(length, Length - start));
}
