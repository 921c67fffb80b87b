using Emu.Block.Files;
using Emu.Block.Qcow2;
using Emu.Core.Block;

namespace Emu.Block;

/// <summary>
/// A raw image: the file's bytes are the disk's. Space never written is a hole. The disk is as long as the file, rounded up to
/// sectors of 512 bytes as in QEMU; the bytes that the file lacks there read as zero.
/// </summary>
internal sealed class RawImage : IBlockBackend, IExtentMap
{
    private const int HoleGranularity = 4096;
    private readonly IHostFile _file;
    private readonly bool _isGuessed;

    /// <summary>Takes over <paramref name="file"/>.</summary>
    /// <param name="file">The file.</param>
    /// <param name="isGuessed">
    /// Nobody said that the format is raw: the guest may then not write another format's mark into the first sector, or the next start would
    /// take its bytes for an image that names files of the host.
    /// </param>
    public RawImage(IHostFile file, bool isGuessed = false)
    {
        _file = file;
        _isGuessed = isGuessed;
        Length = Ranges.RoundUp(file.Length, Ranges.Sector);
    }

    /// <inheritdoc/>
    public long Length { get; private set; }

    /// <inheritdoc/>
    public bool IsReadOnly => _file.IsReadOnly;

    /// <inheritdoc/>
    public int DiscardGranularity => _file.CanPunch ? HoleGranularity : 0;

    /// <inheritdoc/>
    public BlockResult Read(long offset, Span<byte> destination) =>
        Ranges.IsInside(offset, destination.Length, Length) ? _file.Read(offset, destination) : BlockResult.OutOfRange;

    /// <inheritdoc/>
    public BlockResult Write(long offset, ReadOnlySpan<byte> source)
    {
        if (CheckWrite(offset, source.Length) is var check and not BlockResult.Ok)
        {
            return check;
        }

        return _isGuessed && offset < Qcow2Header.MagicLength && WouldBeQcow2(offset, source) ? BlockResult.IoError : _file.Write(offset, source);
    }

    /// <inheritdoc/>
    public BlockResult Flush() => _file.Flush();

    /// <inheritdoc/>
    public BlockResult Discard(long offset, long length)
    {
        BlockResult check = CheckWrite(offset, length);
        return check == BlockResult.Ok && _file.CanPunch ? _file.Punch(offset, length) : check;
    }

    /// <inheritdoc/>
    public BlockResult WriteZeroes(long offset, long length, bool mayUnmap)
    {
        BlockResult check = CheckWrite(offset, length);
        return check != BlockResult.Ok ? check : mayUnmap ? _file.Punch(offset, length) : ZeroWriter.Write(this, offset, length);
    }

    /// <summary>Makes the disk longer or shorter.</summary>
    public BlockResult Resize(long length)
    {
        BlockResult result = IsReadOnly ? BlockResult.ReadOnly : _file.SetLength(length);
        Length = result == BlockResult.Ok ? Ranges.RoundUp(length, Ranges.Sector) : Length;
        return result;
    }

    /// <inheritdoc/>
    public long Extent(long offset, long length, out ExtentKind kind)
    {
        long count = _file.Extent(offset, length, out bool isHole);
        kind = isHole ? ExtentKind.Zero : ExtentKind.Data;
        return count;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private BlockResult CheckWrite(long offset, long length) =>
        IsReadOnly ? BlockResult.ReadOnly : Ranges.IsInside(offset, length, Length) ? BlockResult.Ok : BlockResult.OutOfRange;

    private bool WouldBeQcow2(long offset, ReadOnlySpan<byte> source)
    {
        Span<byte> mark = stackalloc byte[Qcow2Header.MagicLength];
        if (_file.Read(0, mark) != BlockResult.Ok)
        {
            return true;
        }

        source[..Math.Min(source.Length, Qcow2Header.MagicLength - (int)offset)].CopyTo(mark[(int)offset..]);
        return Qcow2Header.HasMagic(mark);
    }
}
