using Emu.Cli.Terminal;
using Emu.Core;
using Emu.Core.Block;
using Emu.Machine;
using Emu.Machine.Chardev;
using Emu.Machine.Drives;
using Emu.Net;

namespace Emu.Cli;

/// <summary>Runs the machine that a command line describes: the host side (terminal, signals, back ends) around <see cref="Machine"/>.</summary>
internal static class MachineLauncher
{
    /// <summary>Runs <paramref name="config"/> to its end and returns the exit code.</summary>
    /// <param name="config">The machine.</param>
    /// <param name="isBare">True when the command line was empty: the built-in guest on every accelerator.</param>
    public static int Run(MachineConfig config, bool isBare)
    {
        using var session = new HostSession();
        return isBare ? BuiltinRunner.Run(session) : Run(config, session);
    }

    private static int Run(MachineConfig config, HostSession session)
    {
        var machineLock = new MachineLock();
        var factory = new CharBackends(machineLock, session.CreateStdio, Notice);
        var backends = new List<CharBackend>();
        var drives = new Dictionary<string, IBlockBackend>();
        using HostNetworks networks = CreateNetworks(config);
        try
        {
            foreach (DriveSpec drive in config.Drives)
            {
                drives.Add(drive.Id, DriveFactory.Open(drive));
            }

            for (int i = 0; i < config.Serials.Count; i++)
            {
                backends.Add(factory.Create($"serial{i}", "-serial", config.Serials[i]));
            }

            CharBackend? monitor = config.FrontEnds.Monitor is { } place ? factory.Create("monitor", "-monitor", place) : null;
            CharBackend? debugConsole = config.DebugConsole is { } spec ? factory.Create("debugcon", "-debugcon", spec.Backend) : null;
            var host = new MachineHost
            {
                Lock = machineLock,
                Serials = [.. backends],
                DebugConsole = debugConsole,
                Drives = drives,
                Networks = networks,
                Notice = Notice,
            };
            backends.AddRange(new[] { debugConsole, monitor }.OfType<CharBackend>());
            return Run(config, host, monitor, session);
        }
        finally
        {
            backends.ForEach(backend => backend.Dispose());
            foreach (IBlockBackend drive in drives.Values)
            {
                drive.Dispose();
            }
        }
    }

    private static int Run(MachineConfig config, MachineHost host, CharBackend? monitor, HostSession session)
    {
        using var machine = new Machine.Machine(config, host);
        foreach (string id in host.Networks.Unused)
        {
            Notice($"network {id} has no card; add one with netdev={id}");
        }

        using var frontEnds = new FrontEnds(machine, config.FrontEnds, config.Name ?? "emu", monitor, session);
        session.StopMachine = () => machine.RequestStop();
        int exitCode = machine.Run();
        if (config.Stats)
        {
            Console.Error.Write(machine.Statistics.Format());
            Console.Error.Write(machine.DescribePci());
        }

        if (machine.Failure is string failure)
        {
            Notice(failure);
            Console.Error.Write(machine.FailureDump);
        }

        return session.RequestedExitCode ?? exitCode;
    }

    private static HostNetworks CreateNetworks(MachineConfig config)
    {
        try
        {
            return HostNetworks.Create(config.Networks, config.NetworkDumps, Notice);
        }
        catch (NetworkException exception)
        {
            throw new MachineConfigException(exception.Message);
        }
    }

    private static void Notice(string line) => Console.Error.WriteLine($"emu: {line}");
}
