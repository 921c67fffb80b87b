using Emu.Core.Block;

namespace Emu.Machine.Drives;

/// <summary>Opens the disks that a command line names. The one place that knows which formats there are.</summary>
public static class DriveFactory
{
    /// <summary>Formats for <c>format=</c>.</summary>
    public static IReadOnlyList<string> Formats { get; } = ["raw"];

    /// <summary>Opens <paramref name="drive"/>. The caller disposes of it after the machine.</summary>
    /// <exception cref="MachineConfigException">The file cannot be used, or asks for what is not there.</exception>
    public static IBlockBackend Open(DriveSpec drive)
    {
        ArgumentNullException.ThrowIfNull(drive);
        if (!Formats.Contains(drive.Format))
        {
            throw new MachineConfigException("-drive", $"format='{drive.Format}' is not there; there is {string.Join(", ", Formats)}");
        }

        if (drive.IsSnapshot)
        {
            throw new MachineConfigException("-drive", "snapshot=on is not there yet; copy the image, or use readonly=on");
        }

        if (drive.Cache is DriveCache.None or DriveCache.Unsafe)
        {
            throw new MachineConfigException("-drive", "this cache mode is not there yet; use cache=writeback or cache=writethrough");
        }

        try
        {
            return new RawFileBackend(drive.File, drive.IsReadOnly);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new MachineConfigException("-drive", $"cannot use {drive.File}: {exception.Message.TrimEnd('.')}");
        }
    }
}
