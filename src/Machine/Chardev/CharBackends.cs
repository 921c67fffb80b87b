using System.Net.Sockets;
using Emu.Core;

namespace Emu.Machine.Chardev;

/// <summary>Makes back ends from what the command line says.</summary>
/// <param name="machineLock">The lock of the machine that they belong to.</param>
/// <param name="stdio">Makes the one on standard input and output, which belongs to whoever owns the terminal.</param>
/// <param name="notice">Shows the user a line while the start has to wait.</param>
public sealed class CharBackends(MachineLock machineLock, Func<string, CharSpec, MachineLock, CharBackend> stdio, Action<string> notice)
{
    /// <summary>Makes the back end called <paramref name="name"/> for <paramref name="option"/>.</summary>
    /// <exception cref="MachineConfigException">The file or socket cannot be used.</exception>
    public CharBackend Create(string name, string option, CharSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        try
        {
            return spec.Kind switch
            {
                CharKind.Stdio => stdio(name, spec, machineLock),
                CharKind.File => FileBackend.Create(name, machineLock, spec.Path!),
                CharKind.Unix => CreateUnix(name, spec),
                _ => new NullBackend(name, machineLock),
            };
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or SocketException or ArgumentException)
        {
            throw new MachineConfigException(option, $"cannot use {spec.Path}: {exception.Message.TrimEnd('.')}");
        }
    }

    private UnixSocketBackend CreateUnix(string name, CharSpec spec)
    {
        if (!spec.Server)
        {
            return UnixSocketBackend.Connect(name, machineLock, spec.Path!);
        }

        UnixSocketBackend server = UnixSocketBackend.Listen(name, machineLock, spec.Path!);
        if (spec.Wait)
        {
            notice($"{name}: waiting for a connection on {spec.Path} (add ,nowait to start without)");
            server.WaitForClient();
        }

        return server;
    }
}
