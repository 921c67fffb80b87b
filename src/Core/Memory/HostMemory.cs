using System.Runtime.InteropServices;

namespace Emu.Core.Memory;

/// <summary>
/// Page-aligned, zeroed, lazily committed host memory: <c>mmap</c> on Unix (with transparent huge pages asked for on
/// Linux), <c>VirtualAlloc</c> on Windows.
/// </summary>
internal sealed partial class HostMemory : IDisposable
{
    private const int ProtReadWrite = 3;
    private const int MapPrivate = 0x02;
    private const int MapShared = 0x01;
    private const int MadvHugePage = 14;
    private const nint HugePageSize = 2 << 20;
    private const uint MemCommitReserve = 0x3000;
    private const uint MemRelease = 0x8000;
    private const uint PageReadWrite = 0x04;

    private readonly nint _mapping;
    private readonly nuint _mappedSize;

    private HostMemory(nint mapping, nuint mappedSize, nint alignedBase)
    {
        _mapping = mapping;
        _mappedSize = mappedSize;
        Base = alignedBase;
    }

    /// <summary>Address of the first byte.</summary>
    public nint Base { get; }

    /// <summary>Maps <paramref name="size"/> zeroed bytes, from an unlinked file in <paramref name="folder"/> when given.</summary>
    public static HostMemory Allocate(ulong size, string? folder)
    {
        if (size > (ulong)nint.MaxValue / 2)
        {
            throw new GuestMemoryException($"cannot allocate 0x{size:x} bytes of guest memory");
        }

        if (folder is not null)
        {
            return OperatingSystem.IsWindows()
                ? throw new GuestMemoryException("-mem-path is not available on Windows hosts; leave it out")
                : MapFile((nuint)size, folder);
        }

        return OperatingSystem.IsWindows() ? AllocateWindows((nuint)size) : MapAnonymous((nuint)size);
    }

    public void Dispose()
    {
        if (OperatingSystem.IsWindows())
        {
            VirtualFree(_mapping, 0, MemRelease);
        }
        else
        {
            _ = Munmap(_mapping, _mappedSize);
        }
    }

    private static HostMemory MapAnonymous(nuint size)
    {
        int mapAnonymous = OperatingSystem.IsLinux() ? 0x20 : 0x1000;

        // Over-allocate so that guest 2 MiB pages can be backed by aligned host huge pages.
        nuint mapped = size + (nuint)HugePageSize;
        nint mapping = Mmap(0, mapped, ProtReadWrite, MapPrivate | mapAnonymous, -1, 0);
        if (mapping == -1)
        {
            throw new GuestMemoryException($"cannot allocate {size >> 20} MiB of guest memory: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        nint aligned = (mapping + HugePageSize - 1) & ~(HugePageSize - 1);
        if (OperatingSystem.IsLinux())
        {
            _ = Madvise(aligned, size, MadvHugePage); // a hint: refusal costs only speed
        }

        return new HostMemory(mapping, mapped, aligned);
    }

    private static HostMemory MapFile(nuint size, string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new GuestMemoryException($"-mem-path {folder}: no such folder");
        }

        string path = Path.Combine(folder, $"emu-ram-{Environment.ProcessId}-{Guid.NewGuid():N}");
        try
        {
            using var file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite);
            file.SetLength((long)size);
            nint mapping = Mmap(0, size, ProtReadWrite, MapShared, (int)file.SafeFileHandle.DangerousGetHandle(), 0);
            return mapping == -1
                ? throw new GuestMemoryException($"-mem-path {folder}: {Marshal.GetLastPInvokeErrorMessage()}")
                : new HostMemory(mapping, size, mapping);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GuestMemoryException($"-mem-path {folder}: {e.Message}", e);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static HostMemory AllocateWindows(nuint size)
    {
        nint mapping = VirtualAlloc(0, size, MemCommitReserve, PageReadWrite);
        return mapping == 0
            ? throw new GuestMemoryException($"cannot allocate {size >> 20} MiB of guest memory: {Marshal.GetLastPInvokeErrorMessage()}")
            : new HostMemory(mapping, size, mapping);
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Mmap(nint address, nuint length, int protection, int flags, int fd, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Munmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    private static partial int Madvise(nint address, nuint length, int advice);

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial nint VirtualAlloc(nint address, nuint size, uint type, uint protection);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool VirtualFree(nint address, nuint size, uint type);
}
