using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Emu.Block.Files;

/// <summary>What .NET has no call for: holes, data-only flushes and locks that QEMU respects. All of it is optional.</summary>
internal static partial class LinuxFile
{
    private const int KeepSizeAndPunch = 3;
    private const int SeekData = 3;
    private const int SeekHole = 4;
    private const int OfdGetLock = 36;
    private const int OfdSetLock = 37;
    private const short ReadLock = 0;
    private const short WriteLock = 1;
    private const short Unlocked = 2;

    // QEMU's image locking (docs/system/images: byte 100 + n is held by who uses permission n, 200 + n by who forbids it to others).
    private const long UsesRead = 100;
    private const long UsesWrite = 101;
    private const long ForbidsRead = 200;
    private const long ForbidsWrite = 201;

    /// <summary>True where the calls below exist and have this ABI.</summary>
    public static bool IsSupported { get; } = OperatingSystem.IsLinux() && Environment.Is64BitProcess;

    /// <summary>Makes a hole. Returns 0, or the error number.</summary>
    public static int Punch(SafeFileHandle file, long offset, long length) =>
        FAllocate(file, KeepSizeAndPunch, offset, length) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>fdatasync. Returns 0, or the error number.</summary>
    public static int FlushData(SafeFileHandle file) => FDataSync(file) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>Where the next data begins at or after <paramref name="offset"/>: an offset, or -1 when unknown or none.</summary>
    public static long NextData(SafeFileHandle file, long offset) => LSeek(file, offset, SeekData);

    /// <summary>Where the next hole begins at or after <paramref name="offset"/> (the end of the file is one), or -1.</summary>
    public static long NextHole(SafeFileHandle file, long offset) => LSeek(file, offset, SeekHole);

    /// <summary>
    /// Takes the locks that QEMU looks for. False when another process has the image open in a way that does not go together
    /// with this one; true also where the file system has no such locks.
    /// </summary>
    public static bool TryLockLikeQemu(SafeFileHandle file, bool writes)
    {
        Take(file, UsesRead);
        Take(file, ForbidsWrite);
        if (writes)
        {
            Take(file, UsesWrite);
        }

        return !IsTaken(file, UsesWrite) && !IsTaken(file, ForbidsRead) && !(writes && IsTaken(file, ForbidsWrite));
    }

    private static void Take(SafeFileHandle file, long position)
    {
        var range = new FileLock { Type = ReadLock, Start = position, Length = 1 };
        _ = FCntl(file, OfdSetLock, ref range);
    }

    private static bool IsTaken(SafeFileHandle file, long position)
    {
        var range = new FileLock { Type = WriteLock, Start = position, Length = 1 };
        return FCntl(file, OfdGetLock, ref range) == 0 && range.Type != Unlocked;
    }

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static partial int FAllocate(SafeFileHandle file, int mode, long offset, long length);

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int FDataSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    private static partial long LSeek(SafeFileHandle file, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int FCntl(SafeFileHandle file, int command, ref FileLock argument);

    // struct flock of 64-bit Linux; whence 0 is SEEK_SET, and the process must be 0 for these locks.
    private struct FileLock
    {
        public short Type;
        public short Whence;
        public long Start;
        public long Length;
        public int Process;
    }
}
