using Emu.Core.Block;

namespace Emu.Block.Tools;

/// <summary>How two disks compare.</summary>
/// <param name="DifferentAt">Offset of the first sector that differs, or null.</param>
/// <param name="SizesDiffer">One is longer; what it has more is zero when <paramref name="DifferentAt"/> is null.</param>
public sealed record CompareResult(long? DifferentAt, bool SizesDiffer);

/// <summary><c>emu image compare</c>.</summary>
public static class ImageComparer
{
    /// <summary>Compares the disks of two images.</summary>
    /// <exception cref="BlockException">One of them cannot be opened or read.</exception>
    public static CompareResult Compare(ImageOptions first, ImageOptions second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        using IBlockBackend a = DiskImage.Open(first with { ReadOnly = true });
        using IBlockBackend b = DiskImage.Open(second with { ReadOnly = true });
        byte[] left = new byte[ImageWork.ChunkSize];
        byte[] right = new byte[ImageWork.ChunkSize];
        long length = Math.Max(a.Length, b.Length);
        bool sizesDiffer = a.Length != b.Length;
        for (long offset = 0; offset < length;)
        {
            long count = Math.Min(Zeroes(a, offset, length), Zeroes(b, offset, length));
            if (count == 0)
            {
                count = Math.Min(ImageWork.ChunkSize, length - offset);
                Span<byte> x = Read(a, first.Path, offset, left.AsSpan(0, (int)count));
                Span<byte> y = Read(b, second.Path, offset, right.AsSpan(0, (int)count));
                if (x.CommonPrefixLength(y) is var same && same < count)
                {
                    return new CompareResult(Ranges.RoundDown(offset + same, Ranges.Sector), sizesDiffer);
                }
            }

            offset += count;
        }

        return new CompareResult(null, sizesDiffer);
    }

    // Bytes that are known to be zero without reading them; behind the end of the disk all are.
    private static long Zeroes(IBlockBackend image, long offset, long end)
    {
        if (offset >= image.Length)
        {
            return end - offset;
        }

        long count = ChainMap.Extent(image, offset, image.Length - offset, out bool isZero);
        return isZero ? count : 0;
    }

    private static Span<byte> Read(IBlockBackend image, string path, long offset, Span<byte> target)
    {
        int inside = (int)Math.Clamp(image.Length - offset, 0, target.Length);
        target[inside..].Clear();
        ImageWork.Must(inside == 0 ? BlockResult.Ok : image.Read(offset, target[..inside]), path, $"it cannot be read at offset {offset}");
        return target;
    }
}
