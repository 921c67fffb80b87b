using Emu.Block;
using Emu.Core.Block;

namespace Emu.Machine.Drives;

/// <summary>Opens the disks that a command line names.</summary>
public static class DriveFactory
{
    /// <summary>Opens <paramref name="drive"/>. The caller disposes of it after the machine.</summary>
    /// <exception cref="MachineConfigException">The file cannot be used, or asks for what is not there.</exception>
    public static IBlockBackend Open(DriveSpec drive)
    {
        ArgumentNullException.ThrowIfNull(drive);
        try
        {
            return DiskImage.Open(new ImageOptions
            {
                Path = drive.File,
                Format = drive.Format,
                ReadOnly = drive.IsReadOnly,
                Snapshot = drive.IsSnapshot,

                // Writing through is the device's work: a guest may switch it off.
                Cache = drive.Cache == CacheMode.WriteThrough ? CacheMode.WriteBack : drive.Cache,
            });
        }
        catch (BlockException exception)
        {
            throw new MachineConfigException(drive.Option, exception.Message);
        }
    }
}
