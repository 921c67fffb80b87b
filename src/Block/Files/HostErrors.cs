using Emu.Core.Block;

namespace Emu.Block.Files;

/// <summary>What the host says, as a <see cref="BlockResult"/>.</summary>
internal static class HostErrors
{
    private const int IoErrno = 5;
    private const int FileTooBigErrno = 27;
    private const int NoSpaceErrno = 28;
    private const int ReadOnlyErrno = 30;
    private const int QuotaErrnoLinux = 122;
    private const int QuotaErrnoMac = 69;
    private const int WindowsWriteProtect = unchecked((int)0x8007_0013);
    private const int WindowsHandleDiskFull = unchecked((int)0x8007_0027);
    private const int WindowsDiskFull = unchecked((int)0x8007_0070);

    /// <summary>The result for an exception of a file operation. On Unix its HResult is the error number.</summary>
    public static BlockResult ToResult(Exception exception) =>
        exception is UnauthorizedAccessException ? BlockResult.ReadOnly : ToResult(exception.HResult);

    /// <summary>The result for an error number or HRESULT.</summary>
    public static BlockResult ToResult(int error) => error switch
    {
        NoSpaceErrno or FileTooBigErrno or QuotaErrnoLinux or WindowsDiskFull or WindowsHandleDiskFull => BlockResult.NoSpace,
        QuotaErrnoMac when OperatingSystem.IsMacOS() => BlockResult.NoSpace,
        ReadOnlyErrno or WindowsWriteProtect => BlockResult.ReadOnly,
        _ => BlockResult.IoError,
    };

    /// <summary>True for a disk that failed, as opposed to a call that is not offered there.</summary>
    public static bool IsFailure(int errno) => errno is IoErrno or NoSpaceErrno or ReadOnlyErrno or QuotaErrnoLinux;

    /// <summary>A result in words, for messages.</summary>
    public static string InWords(BlockResult result) => result switch
    {
        BlockResult.NoSpace => "no space left on the host's file system",
        BlockResult.ReadOnly => "it is read-only",
        BlockResult.OutOfRange => "the range is outside the image",
        _ => "input/output error, or the image is damaged there",
    };
}
