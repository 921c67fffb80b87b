using Emu.Cli.Terminal;
using Emu.Core;
using Emu.Machine;
using Emu.Machine.Chardev;
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
        using HostNetworks networks = CreateNetworks(config);
        try
        {
            for (int i = 0; i < config.Serials.Count; i++)
            {
                backends.Add(factory.Create($"serial{i}", "-serial", config.Serials[i]));
            }

            CharBackend? debugConsole = config.DebugConsole is { } spec ? factory.Create("debugcon", "-debugcon", spec.Backend) : null;
            var host = new MachineHost { Lock = machineLock, Serials = [.. backends], DebugConsole = debugConsole, Networks = networks, Notice = Notice };
            if (debugConsole is not null)
            {
                backends.Add(debugConsole);
            }

            return Run(config, host, session);
        }
        finally
        {
            backends.ForEach(backend => backend.Dispose());
        }
    }

    private static int Run(MachineConfig config, MachineHost host, HostSession session)
    {
        using var machine = new Machine.Machine(config, host);
        foreach (string id in host.Networks.Unused)
        {
            Notice($"network {id} has no card; add one with netdev={id}");
        }

        session.StopMachine = () => machine.RequestStop();
        int exitCode = machine.Run();
        if (config.Stats)
        {
            Console.Error.Write(machine.Statistics.Format());
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
