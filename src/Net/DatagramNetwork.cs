using System.Net;
using System.Net.Sockets;
using Emu.Core.Net;

namespace Emu.Net;

/// <summary>
/// A wire to other emulators with a frame in each UDP datagram: to one machine (<c>-netdev socket,udp=,localaddr=</c>), or to all of
/// a multicast group (<c>mcast=</c>).
/// </summary>
public sealed class DatagramNetwork : INetBackend
{
    private readonly Socket _socket;
    private readonly SocketAddress _to;
    private readonly SocketAddress _own;
    private readonly bool _isGroup;
    private readonly Lock _sending = new();
    private INetReceiver? _receiver;
    private volatile bool _disposed;

    private DatagramNetwork(Socket socket, IPEndPoint to, IPEndPoint own, bool isGroup)
    {
        _socket = socket;
        _to = to.Serialize();
        _own = own.Serialize();
        _isGroup = isGroup;
    }

    /// <inheritdoc/>
    public NetOffloads Offloads => NetOffloads.None;

    /// <summary>Where it receives.</summary>
    public IPEndPoint LocalEndPoint => (IPEndPoint)_socket.LocalEndPoint!;

    /// <summary>Binds the socket, and joins the group.</summary>
    /// <exception cref="NetworkException">The address cannot be used.</exception>
    public static DatagramNetwork Create(SocketNetworkSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        bool isGroup = spec.Kind == SocketNetworkKind.Multicast;
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            if (!isGroup)
            {
                socket.Bind(spec.LocalAddress!);
                return new DatagramNetwork(socket, spec.Address, spec.LocalAddress!, isGroup);
            }

            IPAddress network = spec.LocalAddress?.Address ?? IPAddress.Any;
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(new IPEndPoint(OperatingSystem.IsWindows() ? IPAddress.Any : spec.Address.Address, spec.Address.Port));
            socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.AddMembership, new MulticastOption(spec.Address.Address, network));
            socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastInterface, network.GetAddressBytes());
            socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastLoopback, true);
            return new DatagramNetwork(socket, spec.Address, spec.Address, isGroup);
        }
        catch (SocketException exception)
        {
            socket.Dispose();
            throw new NetworkException($"{(isGroup ? $"mcast={spec.Address}" : $"localaddr={spec.LocalAddress}")}: {exception.Message}; choose another address", exception);
        }
    }

    /// <inheritdoc/>
    public void Connect(INetReceiver receiver)
    {
        _receiver = receiver;
        new Thread(ReadFrames) { Name = "net socket", IsBackground = true }.Start();
    }

    /// <inheritdoc/>
    public void Send(ReadOnlySpan<byte> frame, in FrameOffload offload)
    {
        lock (_sending)
        {
            try
            {
                _socket.SendTo(frame, SocketFlags.None, _to);
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                // Nobody there: as on a wire that is not plugged in.
            }
        }
    }

    /// <inheritdoc/>
    public void ReceiverReady()
    {
        // A frame without room is dropped: datagrams may be lost anyway.
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        _socket.Dispose();
    }

    private void ReadFrames()
    {
        byte[] buffer = new byte[Wire.Ipv4.MaxPacketBytes];
        var from = new SocketAddress(AddressFamily.InterNetwork);
        while (!_disposed)
        {
            try
            {
                int length = _socket.ReceiveFrom(buffer, SocketFlags.None, from);
                bool isOwn = _isGroup && from.Equals(_own);
                if (length >= Wire.Ethernet.HeaderBytes && !isOwn)
                {
                    _receiver!.Receive(buffer.AsSpan(0, length), default);
                }
            }
            catch (SocketException) when (!_disposed)
            {
                // A datagram of ours was refused; the other machine may come.
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }
}
