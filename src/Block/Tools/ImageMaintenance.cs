using Emu.Block.Files;
using Emu.Block.Qcow2;
using Emu.Core.Block;

namespace Emu.Block.Tools;

/// <summary><c>emu image check</c>, <c>resize</c> and <c>commit</c>.</summary>
public static class ImageMaintenance
{
    /// <summary>Checks an image, and repairs it; null for a format that has nothing to check.</summary>
    /// <exception cref="BlockException">It cannot be checked.</exception>
    public static CheckReport? Check(string path, ImageFormat? format, RepairMode repair)
    {
        using HostFile file = HostFile.Open(path, readOnly: repair == RepairMode.None);
        return (format ?? DiskImage.Guess(file)) == ImageFormat.Qcow2 ? Qcow2Checker.Check(file, repair) : null;
    }

    /// <summary>Makes the disk longer or, with <paramref name="shrink"/>, shorter. Returns its size.</summary>
    /// <param name="path">The image.</param>
    /// <param name="format">Its format, or null to look.</param>
    /// <param name="size">The size in bytes; with <paramref name="isRelative"/>, the change.</param>
    /// <param name="isRelative">Added to the present size.</param>
    /// <param name="shrink">What is cut off may be lost.</param>
    /// <exception cref="BlockException">The image does not allow it.</exception>
    public static long Resize(string path, ImageFormat? format, long size, bool isRelative, bool shrink)
    {
        using IBlockBackend image = DiskImage.Open(new ImageOptions { Path = path, Format = format });
        if (isRelative && size > 0 && image.Length > long.MaxValue - size - Ranges.Sector)
        {
            throw new BlockException($"{path}: {size} bytes more are too many");
        }

        long target = isRelative ? image.Length + size : size;
        if (target < 0 || target > long.MaxValue - Ranges.Sector)
        {
            throw new BlockException($"{path}: a size of {target} bytes is not possible");
        }

        if (target < image.Length && !shrink)
        {
            throw new BlockException($"{path}: {target} bytes are less than the {image.Length} it has, data would be lost; add --shrink");
        }

        BlockResult result = image is RawImage raw ? raw.Resize(target) : ((Qcow2Image)image).Resize(target);
        ImageWork.Must(Ranges.Worse(result, image.Flush()), path, "it cannot be resized");
        return image.Length;
    }

    /// <summary>Writes what an overlay holds into its backing image; with <paramref name="empty"/>, the overlay is empty afterwards.</summary>
    /// <exception cref="BlockException">It has no backing image, or that cannot be written.</exception>
    public static void Commit(string path, ImageFormat? format, bool empty)
    {
        using var image = DiskImage.Open(new ImageOptions { Path = path, Format = format, WithoutBacking = true }) as Qcow2Image
            ?? throw new BlockException($"{path}: a raw image has no backing file to commit to");
        string name = image.Header.BackingFile ?? throw new BlockException($"{path}: it has no backing file to commit to");
        string backingPath = DiskImage.BackingPath(path, name);
        ImageFormat? backingFormat = image.Header.BackingFormat is string text ? ImageFormats.Parse(text) : null;
        using IBlockBackend backing = DiskImage.Open(new ImageOptions { Path = backingPath, Format = backingFormat });
        if (backing.Length < image.Length)
        {
            BlockResult result = backing is RawImage raw ? raw.Resize(image.Length) : ((Qcow2Image)backing).Resize(image.Length);
            ImageWork.Must(result, backingPath, "it cannot be made as long as its overlay");
        }

        CopyAllocated(image, path, backing, backingPath);
        ImageWork.Must(backing.Flush(), backingPath, "it cannot be written");
        if (empty)
        {
            ImageWork.Must(Ranges.Worse(image.MakeEmpty(), image.Flush()), path, "it cannot be emptied");
        }
    }

    private static void CopyAllocated(Qcow2Image image, string path, IBlockBackend backing, string backingPath)
    {
        byte[] buffer = new byte[ImageWork.ChunkSize];
        for (long offset = 0; offset < image.Length;)
        {
            long count = image.Extent(offset, image.Length - offset, out ExtentKind kind);
            if (kind == ExtentKind.Data)
            {
                Span<byte> chunk = buffer.AsSpan(0, (int)Math.Min(count, buffer.Length));
                ImageWork.Must(image.Read(offset, chunk), path, $"it cannot be read at offset {offset}");
                ImageWork.Must(backing.Write(offset, chunk), backingPath, $"it cannot be written at offset {offset}");
                count = chunk.Length;
            }
            else if (kind == ExtentKind.Zero)
            {
                ImageWork.Must(backing.WriteZeroes(offset, count, mayUnmap: true), backingPath, $"it cannot be written at offset {offset}");
            }

            offset += count;
        }
    }
}
