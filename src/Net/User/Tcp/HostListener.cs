using System.Net;
using System.Net.Sockets;
using Emu.Net.Wire;

namespace Emu.Net.User.Tcp;

/// <summary>A TCP port of the host that leads to the guest.</summary>
internal sealed class HostListener : IDisposable
{
    private const int Backlog = 128;

    // When no socket can be had (too many open files) the next try waits, rather than fail at full speed.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly TcpStack _stack;
    private readonly uint _guestAddress;
    private readonly ushort _guestPort;
    private readonly Socket _listener;

    /// <summary>Binds the port; clients wait until <see cref="Start"/>.</summary>
    /// <exception cref="NetworkException">The port cannot be had.</exception>
    public HostListener(UserContext context, TcpStack stack, HostForward forward)
    {
        _stack = stack;
        _guestAddress = forward.GuestAddress is null ? context.Plan.FirstLease : Ipv4.ToNumber(forward.GuestAddress);
        _guestPort = forward.GuestPort;
        _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            _listener.Bind(forward.Host);
            _listener.Listen(Backlog);
        }
        catch (SocketException exception)
        {
            _listener.Dispose();
            throw new NetworkException($"hostfwd: cannot listen at {forward.Host}: {exception.Message}; choose another port", exception);
        }
    }

    /// <summary>Where the host listens.</summary>
    public IPEndPoint LocalEndPoint => (IPEndPoint)_listener.LocalEndPoint!;

    /// <summary>Begins to take clients.</summary>
    public void Start() => _ = AcceptAsync();

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                Socket client = await _listener.AcceptAsync().ConfigureAwait(false);
                _stack.OpenToGuest(client, _guestAddress, _guestPort);
            }
            catch (Exception exception) when (exception is ObjectDisposedException
                or SocketException { SocketErrorCode: SocketError.OperationAborted or SocketError.Interrupted or SocketError.NotSocket or SocketError.InvalidArgument })
            {
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(Pause).ConfigureAwait(false);
            }
        }
    }
}
