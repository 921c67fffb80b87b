using Emu.Core.Block;

namespace Emu.Block.Files;

/// <summary>The file behind an image. The seam where tests record writes, cut them off and inject errors. Thread-safe.</summary>
internal interface IHostFile : IDisposable
{
    /// <summary>Path, for messages.</summary>
    string Name { get; }

    /// <summary>True when it was opened for reading alone.</summary>
    bool IsReadOnly { get; }

    /// <summary>Bytes in the file, with all completed writes.</summary>
    long Length { get; }

    /// <summary>True when <see cref="Punch"/> frees space.</summary>
    bool CanPunch { get; }

    /// <summary>Fills <paramref name="destination"/>; what is past the end of the file is zero.</summary>
    BlockResult Read(long offset, Span<byte> destination);

    /// <summary>Writes, and extends the file where needed.</summary>
    BlockResult Write(long offset, ReadOnlySpan<byte> source);

    /// <summary>Sets the length; what is added is zero.</summary>
    BlockResult SetLength(long length);

    /// <summary>Makes a range inside the file a hole, which reads as zero; writes zeroes where there are no holes.</summary>
    BlockResult Punch(long offset, long length);

    /// <summary>Makes all completed writes durable.</summary>
    BlockResult Flush();

    /// <summary>
    /// Bytes from <paramref name="offset"/>, at least 1 and at most <paramref name="length"/>, that are alike: all a hole
    /// (<paramref name="isHole"/>), or data as far as is known.
    /// </summary>
    long Extent(long offset, long length, out bool isHole);
}
