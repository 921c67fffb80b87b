namespace Emu.Block;

/// <summary>Formats of disk images.</summary>
public enum ImageFormat
{
    /// <summary>The disk's bytes as they are.</summary>
    Raw,

    /// <summary>QEMU's copy-on-write format, versions 2 and 3.</summary>
    Qcow2,
}

/// <summary>Names of the formats.</summary>
public static class ImageFormats
{
    /// <summary>The name on a command line and in a header.</summary>
    public static string NameOf(ImageFormat format) => format == ImageFormat.Raw ? "raw" : "qcow2";

    /// <summary>The format of a name.</summary>
    /// <exception cref="BlockException">There is no such format here.</exception>
    public static ImageFormat Parse(string name) => name switch
    {
        "raw" => ImageFormat.Raw,
        "qcow2" => ImageFormat.Qcow2,
        _ => throw new BlockException($"image format '{name}' is not supported; there is raw, qcow2"),
    };
}
