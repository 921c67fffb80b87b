namespace Emu.Machine.Pc;

/// <summary>The VGA BIOS: an expansion ROM, as a rule from SeaBIOS's package.</summary>
internal static class DisplayRom
{
    private const int Largest = 1 << 20;
    private const byte SignatureLow = 0x55;
    private const byte SignatureHigh = 0xaa;

    /// <summary>The ROM that this host has for a card with or without the VGA part, or null.</summary>
    public static string? Find(bool hasVga, BootSpec boot) =>
        FirmwareFinder.Find(hasVga ? "vgabios-stdvga.bin" : "vgabios-bochs-display.bin", boot);

    /// <summary>Reads it; <paramref name="error"/> makes the exception for what is wrong.</summary>
    public static byte[] Read(string path, Func<string, Exception> error)
    {
        try
        {
            byte[] image = new FileInfo(path).Length <= Largest ? File.ReadAllBytes(path) : [];
            return image is [SignatureLow, SignatureHigh, _, ..] ? image
                : throw error($"romfile={path} is no expansion ROM (55 AA at its start, at most 1 MiB)");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw error($"romfile={path}: {exception.Message.TrimEnd('.')}");
        }
    }
}
