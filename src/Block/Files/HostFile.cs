using System.Buffers;
using Emu.Core.Block;
using Microsoft.Win32.SafeHandles;

namespace Emu.Block.Files;

/// <summary>
/// A file of the host, locked for as long as it is open: against everybody by a writer, against writers by a reader. .NET's file sharing
/// is the lock (flock on Unix); on Linux QEMU's own locks are taken too, so that emu and QEMU keep out of each other's images.
/// </summary>
internal sealed class HostFile : IHostFile
{
    private const int ZeroChunk = 1 << 20;
    private readonly SafeFileHandle _handle;
    private readonly bool _ignoresFlush;
    private long _length;
    private volatile bool _cannotPunch = !LinuxFile.IsSupported;
    private volatile bool _flushFailed;

    private HostFile(string path, SafeFileHandle handle, bool readOnly, CacheMode cache)
    {
        Name = path;
        _handle = handle;
        IsReadOnly = readOnly;
        _ignoresFlush = cache == CacheMode.Unsafe || readOnly;
        _length = RandomAccess.GetLength(handle);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public bool IsReadOnly { get; }

    /// <inheritdoc/>
    public long Length => Volatile.Read(ref _length);

    /// <inheritdoc/>
    public bool CanPunch => !_cannotPunch && !IsReadOnly;

    /// <summary>Opens an existing file.</summary>
    /// <exception cref="BlockException">It is not there, may not be opened, or somebody else has it open.</exception>
    public static HostFile Open(string path, bool readOnly, CacheMode cache = CacheMode.WriteBack) =>
        Open(path, FileMode.Open, readOnly, cache, FileOptions.None);

    /// <summary>Creates a file, or empties one that is there.</summary>
    /// <exception cref="BlockException">It may not be created, or somebody has it open.</exception>
    public static HostFile Create(string path, CacheMode cache = CacheMode.WriteBack)
    {
        // Emptied only under the lock: opening with truncation would empty an image that is in use.
        HostFile file = Open(path, FileMode.OpenOrCreate, readOnly: false, cache, FileOptions.None);
        BlockResult result = file.SetLength(0);
        if (result == BlockResult.Ok)
        {
            return file;
        }

        file.Dispose();
        throw new BlockException($"{path}: cannot be emptied: {HostErrors.InWords(result)}");
    }

    /// <summary>A new file in the folder of temporary files that is gone when it is closed, on Unix also when the process is killed.</summary>
    /// <exception cref="BlockException">There is no room or right to create it.</exception>
    public static HostFile CreateTemporary()
    {
        string path = Path.Combine(Path.GetTempPath(), $"emu-{Guid.NewGuid():N}.overlay");
        HostFile file = Open(path, FileMode.CreateNew, readOnly: false, CacheMode.Unsafe, FileOptions.DeleteOnClose);
        if (!OperatingSystem.IsWindows())
        {
            File.Delete(path);
        }

        return file;
    }

    /// <inheritdoc/>
    public BlockResult Read(long offset, Span<byte> destination)
    {
        try
        {
            while (destination.Length > 0)
            {
                int count = RandomAccess.Read(_handle, destination, offset);
                if (count == 0)
                {
                    destination.Clear();
                    break;
                }

                destination = destination[count..];
                offset += count;
            }

            return BlockResult.Ok;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return BlockResult.IoError;
        }
    }

    /// <inheritdoc/>
    public BlockResult Write(long offset, ReadOnlySpan<byte> source)
    {
        try
        {
            RandomAccess.Write(_handle, source, offset);
            Extend(offset + source.Length);
            return BlockResult.Ok;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return HostErrors.ToResult(exception);
        }
    }

    /// <inheritdoc/>
    public BlockResult SetLength(long length)
    {
        try
        {
            RandomAccess.SetLength(_handle, length);
            Volatile.Write(ref _length, length);
            return BlockResult.Ok;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return HostErrors.ToResult(exception);
        }
    }

    /// <inheritdoc/>
    public BlockResult Punch(long offset, long length)
    {
        length = Math.Min(length, Length - offset);
        if (length <= 0)
        {
            return BlockResult.Ok;
        }

        if (!_cannotPunch)
        {
            int error = LinuxFile.Punch(_handle, offset, length);
            if (error == 0)
            {
                return BlockResult.Ok;
            }

            if (HostErrors.IsFailure(error))
            {
                return HostErrors.ToResult(error);
            }

            _cannotPunch = true;
        }

        return WriteZeroes(offset, length);
    }

    /// <inheritdoc/>
    public BlockResult Flush()
    {
        if (_ignoresFlush)
        {
            return BlockResult.Ok;
        }

        // After a failed flush the kernel may have dropped the pages: a later success would say nothing about them.
        BlockResult result = _flushFailed ? BlockResult.IoError : FlushOnce();
        _flushFailed |= result != BlockResult.Ok;
        return result;
    }

    /// <inheritdoc/>
    public long Extent(long offset, long length, out bool isHole)
    {
        long end = Length;
        if (offset >= end)
        {
            isHole = true;
            return length;
        }

        isHole = false;
        long rest = Math.Min(length, end - offset);
        if (!LinuxFile.IsSupported)
        {
            return rest;
        }

        long data = LinuxFile.NextData(_handle, offset);
        long hole = data == offset ? LinuxFile.NextHole(_handle, offset) : -1;
        if (data == offset)
        {
            return hole > offset ? Math.Min(rest, hole - offset) : rest;
        }

        // No data at all behind the offset is an error to the kernel (ENXIO); so is a file system without the call, which lacks holes too.
        isHole = data > offset || LinuxFile.NextHole(_handle, offset) == offset;
        return data > offset ? Math.Min(length, data - offset) : rest;
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    private static HostFile Open(string path, FileMode mode, bool readOnly, CacheMode cache, FileOptions options)
    {
        SafeFileHandle? handle = null;
        try
        {
            handle = File.OpenHandle(path, mode, readOnly ? FileAccess.Read : FileAccess.ReadWrite, readOnly ? FileShare.Read : FileShare.None, options);
            if (LinuxFile.IsSupported && !LinuxFile.TryLockLikeQemu(handle, writes: !readOnly))
            {
                handle.Dispose();
                throw new BlockException($"{path}: another process is using it");
            }

            return new HostFile(path, handle, readOnly, cache);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            handle?.Dispose();
            throw new BlockException($"{path}: {Reason(exception)}", exception);
        }
    }

    private static string Reason(Exception exception) => exception switch
    {
        FileNotFoundException or DirectoryNotFoundException => "there is no such file",
        UnauthorizedAccessException => "permission denied, or it is a folder",
        IOException when IsSharing(exception) => "another process is using it",
        _ => exception.Message.ReplaceLineEndings(" "),
    };

    // EWOULDBLOCK of flock (11 on Linux, 35 on macOS), ERROR_SHARING_VIOLATION on Windows.
    private static bool IsSharing(Exception exception) => exception.HResult is 11 or 35 or unchecked((int)0x8007_0020);

    private BlockResult FlushOnce()
    {
        if (LinuxFile.IsSupported)
        {
            int error = LinuxFile.FlushData(_handle);
            return error == 0 ? BlockResult.Ok : HostErrors.ToResult(error);
        }

        try
        {
            RandomAccess.FlushToDisk(_handle);
            return BlockResult.Ok;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return HostErrors.ToResult(exception);
        }
    }

    private BlockResult WriteZeroes(long offset, long length)
    {
        byte[] zeroes = ArrayPool<byte>.Shared.Rent((int)Math.Min(length, ZeroChunk));
        Array.Clear(zeroes);
        BlockResult result = BlockResult.Ok;
        for (long done = 0; done < length && result == BlockResult.Ok;)
        {
            int count = (int)Math.Min(zeroes.Length, length - done);
            result = Write(offset + done, zeroes.AsSpan(0, count));
            done += count;
        }

        ArrayPool<byte>.Shared.Return(zeroes);
        return result;
    }

    private void Extend(long end)
    {
        long seen = Length;
        while (end > seen && Interlocked.CompareExchange(ref _length, end, seen) is var found && found != seen)
        {
            seen = found;
        }
    }
}
