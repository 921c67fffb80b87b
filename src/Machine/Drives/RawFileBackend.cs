using Emu.Core.Block;

namespace Emu.Machine.Drives;

/// <summary>A file whose bytes are the disk's. It never grows: a part of a sector at its end is not shown.</summary>
public sealed class RawFileBackend : IBlockBackend
{
    private const int SectorSize = 512;
    private static readonly byte[] Zeros = new byte[1 << 20];

    private readonly FileStream _file;

    /// <summary>Opens the file at <paramref name="path"/>, which nobody else may write meanwhile.</summary>
    /// <exception cref="IOException">The file is not there, or in use.</exception>
    public RawFileBackend(string path, bool readOnly)
    {
        _file = new FileStream(path, FileMode.Open, readOnly ? FileAccess.Read : FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        IsReadOnly = readOnly;
        Length = RandomAccess.GetLength(_file.SafeFileHandle) / SectorSize * SectorSize;
    }

    /// <inheritdoc/>
    public long Length { get; }

    /// <inheritdoc/>
    public bool IsReadOnly { get; }

    /// <inheritdoc/>
    public int DiscardGranularity => 0;

    /// <inheritdoc/>
    public BlockResult Read(long offset, Span<byte> destination)
    {
        if (!IsInside(offset, destination.Length))
        {
            return BlockResult.OutOfRange;
        }

        try
        {
            while (!destination.IsEmpty)
            {
                int read = RandomAccess.Read(_file.SafeFileHandle, destination, offset);
                if (read == 0)
                {
                    return BlockResult.IoError;
                }

                destination = destination[read..];
                offset += read;
            }

            return BlockResult.Ok;
        }
        catch (IOException)
        {
            return BlockResult.IoError;
        }
    }

    /// <inheritdoc/>
    public BlockResult Write(long offset, ReadOnlySpan<byte> source)
    {
        if (IsReadOnly || !IsInside(offset, source.Length))
        {
            return IsReadOnly ? BlockResult.ReadOnly : BlockResult.OutOfRange;
        }

        try
        {
            RandomAccess.Write(_file.SafeFileHandle, source, offset);
            return BlockResult.Ok;
        }
        catch (IOException)
        {
            return BlockResult.IoError;
        }
    }

    /// <inheritdoc/>
    public BlockResult Flush()
    {
        try
        {
            RandomAccess.FlushToDisk(_file.SafeFileHandle);
            return BlockResult.Ok;
        }
        catch (IOException)
        {
            return BlockResult.IoError;
        }
    }

    /// <inheritdoc/>
    public BlockResult Discard(long offset, long length) =>
        IsReadOnly ? BlockResult.ReadOnly : IsInside(offset, length) ? BlockResult.Ok : BlockResult.OutOfRange;

    /// <inheritdoc/>
    public BlockResult WriteZeroes(long offset, long length, bool mayUnmap)
    {
        if (!IsInside(offset, length))
        {
            return BlockResult.OutOfRange;
        }

        BlockResult result = IsReadOnly ? BlockResult.ReadOnly : BlockResult.Ok;
        while (length > 0 && result == BlockResult.Ok)
        {
            int part = (int)Math.Min(length, Zeros.Length);
            result = Write(offset, Zeros.AsSpan(0, part));
            offset += part;
            length -= part;
        }

        return result;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private bool IsInside(long offset, long length) => offset >= 0 && length >= 0 && offset <= Length && length <= Length - offset;
}
