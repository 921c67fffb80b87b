using Emu.Devices.Dma;
namespace Emu.Devices.Virtio;

/// <summary>
/// One buffer of a driver: the parts the device may read, in order, then those it may write. The object is the device's, and
/// is filled again for each buffer.
/// </summary>
public sealed class VirtioChain
{
    private readonly List<GuestSegment> _readable = [];
    private readonly List<GuestSegment> _writable = [];

    /// <summary>What the device may read.</summary>
    public IReadOnlyList<GuestSegment> Readable => _readable;

    /// <summary>What the device may write.</summary>
    public IReadOnlyList<GuestSegment> Writable => _writable;

    /// <summary>Bytes in <see cref="Readable"/>.</summary>
    public long ReadableLength { get; private set; }

    /// <summary>Bytes in <see cref="Writable"/>.</summary>
    public long WritableLength { get; private set; }

    /// <summary>What the driver knows the buffer by: head index (split) or buffer id (packed).</summary>
    internal ushort Id { get; set; }

    /// <summary>Descriptors that the buffer takes in a packed ring.</summary>
    internal int Slots { get; set; }

    /// <summary>Copies from the readable part, from <paramref name="offset"/> on; returns how much there was.</summary>
    public int Read(long offset, Span<byte> destination)
    {
        int done = 0;
        foreach (GuestSegment segment in Slice(_readable, offset, destination.Length))
        {
            segment.Bytes.CopyTo(destination[done..]);
            done += segment.Length;
        }

        return done;
    }

    /// <summary>Copies to the writable part, from <paramref name="offset"/> on; returns how much there was room for.</summary>
    public int Write(long offset, ReadOnlySpan<byte> source)
    {
        int done = 0;
        foreach (GuestSegment segment in Slice(_writable, offset, source.Length))
        {
            source.Slice(done, segment.Length).CopyTo(segment.Bytes);
            segment.NoteWrite(segment.Length);
            done += segment.Length;
        }

        return done;
    }

    /// <summary>The stretches that make up <paramref name="length"/> bytes of <paramref name="segments"/> from <paramref name="offset"/> on.</summary>
    public static IEnumerable<GuestSegment> Slice(IReadOnlyList<GuestSegment> segments, long offset, long length)
    {
        for (int i = 0; i < segments.Count && length > 0; i++)
        {
            GuestSegment segment = segments[i];
            if (offset >= segment.Length)
            {
                offset -= segment.Length;
                continue;
            }

            GuestSegment part = segment.Part((int)offset, (int)Math.Min(length, int.MaxValue));
            offset = 0;
            length -= part.Length;
            yield return part;
        }
    }

    internal void Clear()
    {
        _readable.Clear();
        _writable.Clear();
        ReadableLength = 0;
        WritableLength = 0;
        Slots = 0;
    }

    /// <summary>Adds a descriptor's buffer; an error text, or null.</summary>
    internal string? Add(DmaMemory memory, ulong address, uint length, bool writable)
    {
        if (!writable && WritableLength > 0)
        {
            return "a readable descriptor follows a writable one";
        }

        if (!memory.TryResolve(address, length, writable, writable ? _writable : _readable))
        {
            return $"buffer 0x{address:x}+0x{length:x} is not in RAM";
        }

        ReadableLength += writable ? 0 : length;
        WritableLength += writable ? length : 0;
        return null;
    }
}
