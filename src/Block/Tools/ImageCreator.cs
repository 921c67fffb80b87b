using Emu.Block.Files;
using Emu.Block.Qcow2;
using Emu.Core.Block;

namespace Emu.Block.Tools;

/// <summary>A new image.</summary>
public sealed record CreateOptions
{
    /// <summary>The file; one that is there is replaced.</summary>
    public required string Path { get; init; }

    /// <summary>Its format.</summary>
    public ImageFormat Format { get; init; }

    /// <summary>Bytes of the disk; null to take the backing image's.</summary>
    public long? Size { get; init; }

    /// <summary>Backing image as it is to be named in the header, relative to the new image's folder; or null.</summary>
    public string? Backing { get; init; }

    /// <summary>Format of the backing image; needed with one.</summary>
    public ImageFormat? BackingFormat { get; init; }

    /// <summary>The values of <c>-o</c>.</summary>
    public IReadOnlyDictionary<string, string> Values { get; init; } = new Dictionary<string, string>();
}

/// <summary><c>emu image create</c>.</summary>
public static class ImageCreator
{
    /// <summary>Makes an empty image. Returns the size of its disk in bytes.</summary>
    /// <exception cref="BlockException">It cannot be made as asked.</exception>
    public static long Create(CreateOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Backing is not null && options.Format == ImageFormat.Raw)
        {
            throw new BlockException("-b: a raw image has no backing file; use -f qcow2");
        }

        if (options.Backing is not null && options.BackingFormat is null)
        {
            throw new BlockException("-b: the backing file's format must be given; add -F raw or -F qcow2");
        }

        if (options.Format == ImageFormat.Raw && options.Values.Keys.FirstOrDefault() is string unknown)
        {
            throw new BlockException($"-o {unknown}: raw has no such option");
        }

        long size = options.Size ?? BackingSize(options);
        Qcow2Options qcow2 = options.Format == ImageFormat.Qcow2 ? Qcow2Options.Parse(options.Values) : new Qcow2Options();
        using HostFile file = HostFile.Create(options.Path);
        if (options.Format == ImageFormat.Raw)
        {
            ImageWork.Must(file.SetLength(size), options.Path, "it cannot be made so long");
            return size;
        }

        Qcow2Creator.Create(file, size, qcow2, options.Backing is null ? null : (options.Backing, options.BackingFormat!.Value));
        return Ranges.RoundUp(size, Ranges.Sector);
    }

    private static long BackingSize(CreateOptions options)
    {
        if (options.Backing is null)
        {
            throw new BlockException($"{options.Path}: a size is needed, such as 10G");
        }

        using IBlockBackend backing = DiskImage.Open(new ImageOptions
        {
            Path = DiskImage.BackingPath(options.Path, options.Backing),
            Format = options.BackingFormat,
            ReadOnly = true,
        });
        return backing.Length;
    }
}
