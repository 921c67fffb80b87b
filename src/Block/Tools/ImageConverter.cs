using Emu.Block.Files;
using Emu.Block.Qcow2;
using Emu.Core.Block;

namespace Emu.Block.Tools;

/// <summary><c>emu image convert</c>: the disk of one image in a new one.</summary>
public static class ImageConverter
{
    // Zeroes of this many bytes and more become holes, as in qemu-img.
    private const int ZeroGranule = 4096;

    /// <summary>Copies.</summary>
    /// <param name="source">The image to read, with its backing images.</param>
    /// <param name="target">The image to make; its size is the source's.</param>
    /// <param name="compress">With compressed clusters (qcow2).</param>
    /// <exception cref="BlockException">Something cannot be opened, read or written.</exception>
    public static void Convert(ImageOptions source, CreateOptions target, bool compress)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(target);
        if (compress && target.Format != ImageFormat.Qcow2)
        {
            throw new BlockException("-c: a raw image cannot be compressed; use -O qcow2");
        }

        using IBlockBackend from = DiskImage.Open(source with { ReadOnly = true });
        if (Path.GetFullPath(source.Path) == Path.GetFullPath(target.Path))
        {
            throw new BlockException($"{target.Path}: the new image is the old one");
        }

        ImageCreator.Create(target with { Size = from.Length });
        using IBlockBackend to = DiskImage.Open(new ImageOptions { Path = target.Path, Format = target.Format, Cache = CacheMode.WriteBack, WithoutBacking = true });
        Copy(from, source.Path, to, target.Path, compress);
        ImageWork.Must(to.Flush(), target.Path, "it cannot be written");
    }

    private static void Copy(IBlockBackend from, string fromPath, IBlockBackend to, string toPath, bool compress)
    {
        int unit = compress ? ((Qcow2Image)to).Header.Geometry.ClusterSize : ZeroGranule;
        byte[] buffer = new byte[Math.Max(ImageWork.ChunkSize, unit)];
        for (long offset = 0; offset < from.Length;)
        {
            long rest = from.Length - offset;
            long count = ChainMap.Extent(from, offset, rest, out bool isZero);

            // Whole units, so that none is written twice.
            long units = isZero ? Ranges.RoundDown(offset + count, unit) - offset : Math.Min(rest, buffer.Length);
            if (isZero && (units > 0 || count == rest))
            {
                offset += count == rest ? count : units;
                continue;
            }

            Span<byte> chunk = buffer.AsSpan(0, (int)Math.Min(rest, isZero ? unit : Math.Min(units, Ranges.RoundUp(count, unit))));
            ImageWork.Must(from.Read(offset, chunk), fromPath, $"it cannot be read at offset {offset}");
            WriteChunk(to, toPath, offset, chunk, unit, compress);
            offset += chunk.Length;
        }
    }

    private static void WriteChunk(IBlockBackend to, string path, long offset, ReadOnlySpan<byte> chunk, int unit, bool compress)
    {
        for (int at = 0; at < chunk.Length;)
        {
            int end = at;
            bool isZero = ImageWork.IsZero(Unit(chunk, at, unit));
            while (end < chunk.Length && (end == at || !compress) && ImageWork.IsZero(Unit(chunk, end, unit)) == isZero)
            {
                end += Unit(chunk, end, unit).Length;
            }

            ReadOnlySpan<byte> data = chunk[at..end];
            if (!isZero)
            {
                BlockResult result = compress ? ((Qcow2Image)to).WriteCompressed(offset + at, data) : to.Write(offset + at, data);
                ImageWork.Must(result, path, $"it cannot be written at offset {offset + at}");
            }

            at = end;
        }
    }

    private static ReadOnlySpan<byte> Unit(ReadOnlySpan<byte> chunk, int at, int unit) => chunk.Slice(at, Math.Min(unit, chunk.Length - at));
}
