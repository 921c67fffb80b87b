using Emu.Machine.Loaders;

namespace Emu.Machine.Pc;

/// <summary>Finds the firmware of a machine that starts from a disk, and firmware that is named without a folder.</summary>
internal static class FirmwareFinder
{
    /// <summary>File name of the firmware that is taken when none is named.</summary>
    public const string DefaultName = "bios-256k.bin";

    // Where distributions put SeaBIOS.
    private static readonly string[] UsualFolders =
    [
        Path.Combine(AppContext.BaseDirectory, "firmware"),
        "/usr/share/seabios",
        "/usr/share/qemu",
        "/usr/local/share/qemu",
        "/opt/homebrew/share/qemu",
    ];

    /// <summary>The path of the default firmware.</summary>
    /// <exception cref="MachineConfigException">There is none.</exception>
    public static string FindDefault(BootSpec boot) => Find(DefaultName, boot) ?? throw new MachineConfigException(
        "-bios",
        $"a disk is started by firmware, and {DefaultName} is not in {string.Join(", ", Folders(boot))}; install the package seabios, or name a file with -bios FILE");

    /// <summary><paramref name="name"/> if it is there or has a folder, else where it lies in the folders for firmware, else itself.</summary>
    public static string Locate(string name, BootSpec boot) =>
        Path.Exists(name) || Path.GetFileName(name) != name ? name : Find(name, boot) ?? name;

    /// <summary>Where <paramref name="name"/> lies in the folders for firmware, or null.</summary>
    public static string? Find(string name, BootSpec boot) => Folders(boot).Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    private static IEnumerable<string> Folders(BootSpec boot) => [.. boot.FirmwareFolders, .. UsualFolders];
}
