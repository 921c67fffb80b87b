using System.Runtime.InteropServices;

namespace Emu.Accel.Kvm.Native;

/// <summary>The real kernel.</summary>
internal sealed partial class HostKernel : IKvmKernel
{
    private const int ReadWriteCloseOnExec = 0x8_0002;
    private const int ProtReadWrite = 3;
    private const int MapShared = 1;

    /// <summary>The only instance needed.</summary>
    public static readonly HostKernel Instance = new();

    /// <inheritdoc/>
    public int Open(string path) => Result(OpenFile(path, ReadWriteCloseOnExec));

    /// <inheritdoc/>
    public void Close(int fd) => _ = CloseFile(fd);

    /// <inheritdoc/>
    public int Ioctl(int fd, uint request, nint argument) => Result(IoControl(fd, request, argument));

    /// <inheritdoc/>
    public nint Map(int fd, int size)
    {
        nint address = MemoryMap(0, (nuint)size, ProtReadWrite, MapShared, fd, 0);
        return address == -1 ? 0 : address;
    }

    /// <inheritdoc/>
    public void Unmap(nint address, int size) => _ = MemoryUnmap(address, (nuint)size);

    private static int Result(int result) => result >= 0 ? result : -Marshal.GetLastPInvokeError();

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int CloseFile(int fd);

    // Variadic in C; the x86-64 and arm64 Linux conventions pass the third argument alike.
    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int IoControl(int fd, nuint request, nint argument);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint MemoryMap(nint address, nuint length, int protection, int flags, int fd, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int MemoryUnmap(nint address, nuint length);
}
