namespace Emu.Machine.Loaders;

/// <summary>Kernel image formats.</summary>
public enum KernelFormat
{
    /// <summary>A Linux bzImage.</summary>
    Linux,

    /// <summary>An ELF image with the PVH entry note.</summary>
    ElfPvh,

    /// <summary>A multiboot 1 image.</summary>
    Multiboot1,
}

/// <summary>Loads a kernel of whatever format (<c>-kernel</c>).</summary>
public static class KernelLoader
{
    /// <summary>Reads a guest image; <paramref name="what"/> names it in errors (<c>kernel</c>).</summary>
    /// <exception cref="LoaderException">The file is missing, a folder, empty, or cannot be read.</exception>
    public static byte[] ReadFile(string path, string what)
    {
        if (Directory.Exists(path))
        {
            throw new LoaderException($"{path}: the {what} is a directory");
        }

        try
        {
            byte[] bytes = File.ReadAllBytes(path);
            return bytes.Length > 0 ? bytes : throw new LoaderException($"{path}: the {what} is empty");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new LoaderException($"{path}: no such {what}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new LoaderException($"{path}: cannot read the {what}: {e.Message}", e);
        }
    }

    /// <summary>Tells the format by content; <paramref name="name"/> is for errors.</summary>
    /// <exception cref="LoaderException">It is none that can be started.</exception>
    public static KernelFormat Detect(string name, ReadOnlyMemory<byte> image)
    {
        if (image.IsEmpty)
        {
            throw new LoaderException($"{name}: the kernel is empty");
        }

        if (LinuxLoader.Matches(image))
        {
            return KernelFormat.Linux;
        }

        if (ElfPvhLoader.Matches(image))
        {
            return KernelFormat.ElfPvh;
        }

        if (Multiboot1Loader.Matches(image))
        {
            return KernelFormat.Multiboot1;
        }

        if (ElfImage.Matches(image))
        {
            // A broken or foreign ELF image fails here with the reason.
            _ = ElfImage.Parse(name, image);
            throw new LoaderException($"{name}: an ELF image with neither a PVH entry note nor a multiboot header");
        }

        throw new LoaderException($"{name}: not a kernel: no Linux bzImage, no ELF image, no multiboot header");
    }

    /// <summary>Detects the format and loads the image.</summary>
    /// <exception cref="LoaderException">The image cannot be started, or does not fit.</exception>
    public static BootPlan Load(string name, ReadOnlyMemory<byte> image, BootOptions options) => Detect(name, image) switch
    {
        KernelFormat.Linux => LinuxLoader.Load(name, image, options),
        KernelFormat.ElfPvh => ElfPvhLoader.Load(name, image, options),
        _ => Multiboot1Loader.Load(name, image, options),
    };
}
