using System.Net;
using System.Net.Sockets;
using Emu.Machine.Chardev;
using Emu.Machine.Display;

namespace Emu.Machine.Vnc;

/// <summary>Opens the servers of <c>-vnc</c>.</summary>
public static class VncListeners
{
    /// <summary>Starts the server that <paramref name="spec"/> describes for <paramref name="machine"/>.</summary>
    /// <exception cref="MachineConfigException">There is nothing to show, or the address cannot be used.</exception>
    public static VncServer Open(VncSpec spec, string name, Machine machine)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(machine);
        if (machine is not { Display: GuestDisplay display, Input: IGuestInput input })
        {
            throw new MachineConfigException("-vnc", "the machine has no display adapter; leave out -vga none");
        }

        Socket? listener = null;
        try
        {
            listener = spec.Path is string path ? BindUnix(path) : BindTcp(spec);
            var server = new VncServer(name, display.CreateView(), input, spec.Password);
            server.Listen(listener, spec.Path);
            return server;
        }
        catch (Exception exception) when (exception is SocketException or ArgumentException or IOException)
        {
            listener?.Dispose();
            throw new MachineConfigException("-vnc", $"cannot listen at {spec.Path ?? $"{spec.Host}:{spec.Display}"}: {exception.Message.TrimEnd('.')}");
        }
    }

    private static Socket BindTcp(VncSpec spec)
    {
        IPAddress address = spec.Host.Length == 0 ? IPAddress.Loopback : Dns.GetHostAddresses(spec.Host)[0];
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        return Bind(socket, new IPEndPoint(address, VncServer.FirstPort + spec.Display));
    }

    private static Socket BindUnix(string path)
    {
        UnixSocketBackend.RemoveLeftOver(path);
        return Bind(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified), new UnixDomainSocketEndPoint(path));
    }

    private static Socket Bind(Socket socket, EndPoint end)
    {
        try
        {
            socket.Bind(end);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
