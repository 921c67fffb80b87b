using Emu.Machine;

namespace Emu.Cli;

/// <summary>Runs the machine that a command line describes. The seam between the command line and the board.</summary>
internal static class MachineLauncher
{
    /// <summary>Runs <paramref name="config"/> to its end and returns the exit code.</summary>
    /// <param name="config">The machine.</param>
    /// <param name="isBare">True when the command line was empty: the built-in guest on every accelerator.</param>
    public static int Run(MachineConfig config, bool isBare)
    {
        if (!isBare && config.Boot.IsEmpty)
        {
            throw new MachineConfigException("-kernel", "there is nothing to run; add -kernel FILE, -bios FILE or -device loader,file=FILE,addr=ADDRESS,cpu-num=0");
        }

        throw new MachineConfigException("-accel", "no accelerator is built into this version yet");
    }
}
