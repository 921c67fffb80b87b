using Emu.Block.Files;
using Emu.Block.Qcow2;
using Emu.Core.Block;

namespace Emu.Block;

/// <summary>Opens disk images with all that is behind them.</summary>
public static class DiskImage
{
    private const int MostBacking = 64;

    /// <summary>Opens an image and its chain of backing images. The backing images are only read.</summary>
    /// <exception cref="BlockException">It cannot be opened; one line says why.</exception>
    public static IBlockBackend Open(ImageOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        IBlockBackend image = OpenChain(options with { ReadOnly = options.ReadOnly || options.Snapshot }, []);
        try
        {
            image = options.Snapshot ? TemporaryOverlay.Over(image) : image;
        }
        catch (BlockException)
        {
            image.Dispose();
            throw;
        }

        return options.Cache == CacheMode.WriteThrough && !image.IsReadOnly ? new WriteThroughImage(image) : image;
    }

    /// <summary>The format of a file, by its first bytes.</summary>
    internal static ImageFormat Guess(IHostFile file)
    {
        Span<byte> start = stackalloc byte[Qcow2Header.MagicLength];
        BlockResult result = file.Read(0, start);
        return result != BlockResult.Ok ? throw new BlockException($"{file.Name}: it cannot be read: {HostErrors.InWords(result)}")
            : Qcow2Header.HasMagic(start) ? ImageFormat.Qcow2 : ImageFormat.Raw;
    }

    /// <summary>The path of a backing image: relative to the folder of the image that names it.</summary>
    /// <exception cref="BlockException">The name is not that of a file.</exception>
    internal static string BackingPath(string path, string name)
    {
        if (name.StartsWith("json:", StringComparison.Ordinal) || name.StartsWith("nbd:", StringComparison.Ordinal) || name.Contains("://", StringComparison.Ordinal)
            || name.Contains('\0', StringComparison.Ordinal))
        {
            throw new BlockException($"{path}: backing file '{name.Replace('\0', '?').ReplaceLineEndings("?")}' is not supported; only files are");
        }

        string file = name.StartsWith("file:", StringComparison.Ordinal) ? name["file:".Length..] : name;
        return Path.Combine(Path.GetDirectoryName(path) ?? "", file);
    }

    private static IBlockBackend OpenChain(ImageOptions options, HashSet<string> opened)
    {
        string identity = Identity(options.Path);
        if (!opened.Add(identity) || opened.Count > MostBacking)
        {
            throw new BlockException($"{options.Path}: the chain of backing files comes back to it, or has more than {MostBacking} files");
        }

        HostFile file = HostFile.Open(options.Path, options.ReadOnly, options.Cache);
        IBlockBackend? backing = null;
        try
        {
            ImageFormat format = options.Format ?? Guess(file);
            if (format == ImageFormat.Raw)
            {
                return options.InternalSnapshot is null
                    ? new RawImage(file, isGuessed: options.Format is null)
                    : throw new BlockException($"{options.Path}: a raw image has no internal snapshots");
            }

            backing = OpenBacking(file, options, opened);
            return Qcow2Image.Open(file, backing, options.InternalSnapshot);
        }
        catch (BlockException)
        {
            backing?.Dispose();
            file.Dispose();
            throw;
        }
    }

    private static IBlockBackend? OpenBacking(HostFile file, ImageOptions options, HashSet<string> opened)
    {
        Qcow2Header header = Qcow2Header.Read(file);
        if (header.BackingFile is not string name || options.WithoutBacking)
        {
            return null;
        }

        string path = BackingPath(options.Path, name);
        try
        {
            ImageFormat? format = header.BackingFormat is string text ? ImageFormats.Parse(text) : null;
            return OpenChain(new ImageOptions { Path = path, Format = format, ReadOnly = true }, opened);
        }
        catch (BlockException exception)
        {
            throw new BlockException($"{options.Path}: its backing file: {exception.Message}", exception);
        }
    }

    // Two names of one file are one file, as far as symbolic links go; what hard links hide, the number of files ends.
    private static string Identity(string path)
    {
        try
        {
            string full = Path.GetFullPath(path);
            return File.Exists(full) ? File.ResolveLinkTarget(full, returnFinalTarget: true)?.FullName ?? full : full;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new BlockException($"{path}: {exception.Message.ReplaceLineEndings(" ")}", exception);
        }
    }
}
