using System.Buffers.Binary;

namespace Emu.Core.Memory;

/// <summary>What the machine knows of one page of RAM beyond its contents.</summary>
[Flags]
public enum RamPageFlags
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Some vCPU holds translations of code in this page: writes must invalidate them.</summary>
    Code = 1,

    /// <summary>Written since the dirty log was last read. Set only while <see cref="GuestRam.DirtyLogging"/> is on.</summary>
    Dirty = 2,
}

/// <summary>
/// One block of guest RAM in native memory. The same pointer is the KVM memory slot and the softmmu addend. Every
/// access by method is length-checked; <see cref="HostBase"/> is for accelerators only.
/// </summary>
public sealed unsafe class GuestRam : IDisposable
{
    private readonly HostMemory _memory;
    private readonly int[] _flags;
    private bool _disposed;

    /// <summary>Allocates <paramref name="size"/> bytes of zeroed RAM.</summary>
    /// <param name="name">Name for messages.</param>
    /// <param name="size">Bytes; a positive multiple of the page size.</param>
    /// <param name="backingFolder">A hugetlbfs (or other) folder to map from, or null for anonymous memory (<c>-mem-path</c>).</param>
    /// <exception cref="GuestMemoryException">The host cannot provide the memory.</exception>
    public GuestRam(string name, ulong size, string? backingFolder = null)
    {
        if (size == 0 || size % GuestPhysical.PageSize != 0)
        {
            throw new ArgumentOutOfRangeException(nameof(size), size, "RAM size must be a positive multiple of 4096.");
        }

        Name = name;
        Size = size;
        _memory = HostMemory.Allocate(size, backingFolder);
        _flags = new int[size >> GuestPhysical.PageShift];
    }

    /// <summary>Raised when a page with <see cref="RamPageFlags.Code"/> is written by anything but the vCPU that finds out itself:
    /// offset and length in this block. Called on the writing thread.</summary>
    public event Action<GuestRam, ulong, int>? CodeWritten;

    /// <summary>Name for messages.</summary>
    public string Name { get; }

    /// <summary>Size in bytes.</summary>
    public ulong Size { get; }

    /// <summary>True while writes are recorded in the dirty log.</summary>
    public bool DirtyLogging { get; private set; }

    /// <summary>
    /// The host address of byte 0, valid for <see cref="Size"/> bytes until disposal. For accelerators, which keep every
    /// access inside the block by mapping only pages of it.
    /// </summary>
    public nint HostBase => _memory.Base;

    /// <summary>Reads <c>buffer.Length</c> bytes at <paramref name="offset"/>.</summary>
    public void Read(ulong offset, Span<byte> buffer) => Slice(offset, buffer.Length).CopyTo(buffer);

    /// <summary>Writes <paramref name="data"/> at <paramref name="offset"/>, marking pages dirty and invalidating translated code.</summary>
    public void Write(ulong offset, ReadOnlySpan<byte> data)
    {
        data.CopyTo(Slice(offset, data.Length));
        NoteWrite(offset, data.Length);
    }

    /// <summary>Reads a little-endian value of 1, 2, 4 or 8 bytes at <paramref name="offset"/>.</summary>
    public ulong ReadValue(ulong offset, int size)
    {
        ReadOnlySpan<byte> bytes = Slice(offset, size);
        return size switch
        {
            1 => bytes[0],
            2 => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
            4 => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
            8 => BinaryPrimitives.ReadUInt64LittleEndian(bytes),
            _ => throw new ArgumentOutOfRangeException(nameof(size)),
        };
    }

    /// <summary>Writes the low <paramref name="size"/> bytes (1, 2, 4 or 8) of <paramref name="value"/>, little-endian.</summary>
    public void WriteValue(ulong offset, ulong value, int size)
    {
        Span<byte> bytes = Slice(offset, size);
        switch (size)
        {
            case 1: bytes[0] = (byte)value; break;
            case 2: BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)value); break;
            case 4: BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)value); break;
            case 8: BinaryPrimitives.WriteUInt64LittleEndian(bytes, value); break;
            default: throw new ArgumentOutOfRangeException(nameof(size));
        }

        NoteWrite(offset, size);
    }

    /// <summary>A checked view of <paramref name="length"/> bytes at <paramref name="offset"/>. Writers must call <see cref="NoteWrite"/> after.</summary>
    public Span<byte> Slice(ulong offset, int length)
    {
        if (length < 0 || offset > Size || (ulong)length > Size - offset)
        {
            throw new ArgumentOutOfRangeException(nameof(offset), $"{Name}: 0x{offset:x}+{length} is outside 0x{Size:x} bytes.");
        }

        ObjectDisposedException.ThrowIf(_disposed, this);

        // SAFETY: offset + length lies inside the block (checked above), which is mapped until Dispose.
        return new Span<byte>((void*)(_memory.Base + (nint)offset), length);
    }

    /// <summary>The flags of the page that holds <paramref name="offset"/>.</summary>
    public RamPageFlags GetPageFlags(ulong offset) => (RamPageFlags)Volatile.Read(ref _flags[offset >> GuestPhysical.PageShift]);

    /// <summary>Adds <paramref name="flags"/> to the page that holds <paramref name="offset"/>. Safe from any thread.</summary>
    public void AddPageFlags(ulong offset, RamPageFlags flags) => Interlocked.Or(ref _flags[offset >> GuestPhysical.PageShift], (int)flags);

    /// <summary>Takes <paramref name="flags"/> from the page that holds <paramref name="offset"/>. Safe from any thread.</summary>
    public void RemovePageFlags(ulong offset, RamPageFlags flags) => Interlocked.And(ref _flags[offset >> GuestPhysical.PageShift], (int)~flags);

    /// <summary>Records that <paramref name="length"/> bytes at <paramref name="offset"/> were written: dirty log and translated code.</summary>
    public void NoteWrite(ulong offset, int length)
    {
        if (length <= 0)
        {
            return;
        }

        ulong last = (offset + (ulong)length - 1) >> GuestPhysical.PageShift;
        for (ulong page = offset >> GuestPhysical.PageShift; page <= last; page++)
        {
            if (DirtyLogging)
            {
                AddPageFlags(page << GuestPhysical.PageShift, RamPageFlags.Dirty);
            }

            if ((_flags[page] & (int)RamPageFlags.Code) != 0)
            {
                ulong start = Math.Max(offset, page << GuestPhysical.PageShift);
                ulong end = Math.Min(offset + (ulong)length, (page + 1) << GuestPhysical.PageShift);
                CodeWritten?.Invoke(this, start, (int)(end - start));
            }
        }
    }

    /// <summary>Turns the dirty log on or off. Accelerators must drop cached write permissions afterwards.</summary>
    public void SetDirtyLogging(bool enabled) => DirtyLogging = enabled;

    /// <summary>Returns the numbers of the pages written since the last call and clears them. Accelerators must drop cached write permissions afterwards.</summary>
    public IReadOnlyList<ulong> TakeDirtyPages()
    {
        var dirty = new List<ulong>();
        for (int page = 0; page < _flags.Length; page++)
        {
            if ((_flags[page] & (int)RamPageFlags.Dirty) != 0)
            {
                Interlocked.And(ref _flags[page], (int)~RamPageFlags.Dirty);
                dirty.Add((ulong)page);
            }
        }

        return dirty;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _memory.Dispose();
        }
    }
}

/// <summary>The host has no memory to give, or refuses the folder named by <c>-mem-path</c>.</summary>
public sealed class GuestMemoryException : Exception
{
    /// <summary>Creates an empty exception.</summary>
    public GuestMemoryException()
    {
    }

    /// <summary>Creates the exception with a message.</summary>
    public GuestMemoryException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with a message and a cause.</summary>
    public GuestMemoryException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
