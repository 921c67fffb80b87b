using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using Emu.Core.Net;
using Emu.Net.User.Tcp;
using Emu.Net.Wire;

namespace Emu.Net.User;

/// <summary>
/// A network that needs nothing of the host but sockets (<c>-netdev user</c>): a router with DHCP, a name server that asks the
/// host's, network address translation for UDP, and TCP spoken to the guest and carried on by sockets. IPv4 only.
/// </summary>
public sealed class UserNetwork : INetBackend
{
    private readonly UserContext _context;
    private readonly DhcpServer _dhcp;
    private readonly EchoResponder _echo;
    private readonly IpReassembler _reassembler;
    private readonly UdpNat _udp;
    private readonly List<HostListener> _listeners = [];
    private volatile bool _disposed;

    /// <summary>Creates the network; ports that are forwarded are bound at once.</summary>
    /// <param name="spec">The network.</param>
    /// <param name="notice">Takes one line for the user, on any thread.</param>
    /// <exception cref="NetworkException">Addresses that do not fit together, or a port that cannot be had.</exception>
    public UserNetwork(UserNetworkSpec spec, Action<string>? notice = null)
        : this(spec, notice, new NetTimings())
    {
    }

    internal UserNetwork(UserNetworkSpec spec, Action<string>? notice, NetTimings timings)
    {
        ArgumentNullException.ThrowIfNull(spec);
        Drops = new NetDrops(spec.Id, notice ?? (_ => { }));
        var plan = new AddressPlan(spec);
        var thread = new NetworkThread("net " + spec.Id, Drops);
        var sender = new PacketSender(plan, thread);
        _context = new UserContext(plan, thread, new ArpTable(plan, thread), sender, Drops, timings, spec.Restrict);
        _dhcp = new DhcpServer(spec, plan, sender);
        _echo = new EchoResponder(plan, sender, Drops);
        _reassembler = new IpReassembler(Drops);
        var resolvers = new Resolvers(spec.Resolvers);
        Tcp = new TcpStack(_context, resolvers, spec.GuestForwards);
        _udp = new UdpNat(_context, resolvers, spec.HostForwards.Where(forward => forward.IsUdp));
        try
        {
            foreach (HostForward forward in spec.HostForwards.Where(forward => !forward.IsUdp))
            {
                _listeners.Add(new HostListener(_context, Tcp, forward));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public NetOffloads Offloads => NetOffloads.Checksum | NetOffloads.Tso4;

    /// <summary>What was dropped, and why.</summary>
    public NetDrops Drops { get; }

    /// <summary>TCP addresses of the host that lead to the guest, in the order in which they were given.</summary>
    public IReadOnlyList<IPEndPoint> ForwardedTcp => [.. _listeners.Select(listener => listener.LocalEndPoint)];

    /// <summary>UDP addresses of the host that lead to the guest, in the order in which they were given.</summary>
    public IReadOnlyList<IPEndPoint> ForwardedUdp => _udp.ForwardedEndPoints;

    internal TcpStack Tcp { get; }

    internal int UdpFlowCount => _udp.Count;

    /// <inheritdoc/>
    public void Connect(INetReceiver receiver)
    {
        _context.Thread.Connect(receiver);
        _udp.Start();
        _listeners.ForEach(listener => listener.Start());
    }

    /// <inheritdoc/>
    public void ReceiverReady() => _context.Thread.ReceiverReady();

    /// <inheritdoc/>
    public void Send(ReadOnlySpan<byte> frame, in FrameOffload offload)
    {
        if (_disposed)
        {
            return;
        }

        if (frame.Length < Ethernet.HeaderBytes)
        {
            Drops.Count(NetDrop.Malformed);
            return;
        }

        ReadOnlySpan<byte> packet = frame[Ethernet.HeaderBytes..];
        switch ((EtherType)BinaryPrimitives.ReadUInt16BigEndian(frame[12..]))
        {
            case EtherType.Arp:
                CountUnless(_context.Arp.Handle(packet));
                break;
            case EtherType.Ipv4:
                HandlePacket(Ethernet.ReadMac(frame[6..]), packet, offload);
                break;
            default:
                Drops.Count(NetDrop.Unsupported);
                break;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _listeners.ForEach(listener => listener.Dispose());
            _context.Thread.Dispose();
            Tcp.Dispose();
            _udp.Dispose();
            _echo.Dispose();
        }
    }

    private void HandlePacket(ulong mac, ReadOnlySpan<byte> data, in FrameOffload offload)
    {
        if (!Ipv4Packet.TryRead(data, offload, out Ipv4Packet packet))
        {
            Drops.Count(NetDrop.Malformed);
            return;
        }

        if (!packet.IsFragment)
        {
            HandlePayload(mac, packet, packet.Payload, verify: !offload.NeedsChecksum && !offload.IsChecksumValid && offload.SegmentSize == 0);
            return;
        }

        byte[]? whole = _reassembler.Add(packet, Environment.TickCount64, out int length);
        if (whole is not null)
        {
            HandlePayload(mac, packet, whole.AsSpan(0, length), verify: true);
            ArrayPool<byte>.Shared.Return(whole);
        }
    }

    private void HandlePayload(ulong mac, in Ipv4Packet packet, ReadOnlySpan<byte> payload, bool verify)
    {
        (uint source, uint destination) = (packet.Source, packet.Destination);
        if (packet.Protocol == IpProtocol.Udp && IsForDhcp(source, destination, payload))
        {
            CountUnless(UdpDatagram.TryRead(source, destination, payload, verify, out UdpDatagram message) && _dhcp.Handle(message.Payload));
            return;
        }

        if (!_context.Plan.IsGuest(source))
        {
            Drops.Count(NetDrop.Martian);
            return;
        }

        _context.Arp.Learn(source, mac);
        switch (packet.Protocol)
        {
            case IpProtocol.Tcp when TcpSegment.TryRead(source, destination, payload, verify, out TcpSegment segment):
                Tcp.Handle(source, destination, segment);
                break;
            case IpProtocol.Udp when UdpDatagram.TryRead(source, destination, payload, verify, out UdpDatagram datagram):
                _udp.Handle(source, destination, datagram);
                break;
            case IpProtocol.Icmp when _echo.Handle(mac, source, destination, packet.TimeToLive, payload, _context.IsRestricted):
                break;
            default:
                Drops.Count(packet.Protocol is IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Icmp ? NetDrop.Malformed : NetDrop.Unsupported);
                break;
        }
    }

    // A client without an address asks everyone from 0.0.0.0; one that has an address asks the server.
    private bool IsForDhcp(uint source, uint destination, ReadOnlySpan<byte> payload) =>
        payload.Length >= UdpDatagram.HeaderBytes && BinaryPrimitives.ReadUInt16BigEndian(payload[2..]) == DhcpServer.ServerPort
        && (source == 0 || _context.Plan.IsGuest(source))
        && (destination is uint.MaxValue || destination == _context.Plan.Gateway || destination == _context.Plan.BroadcastAddress);

    private void CountUnless(bool handled)
    {
        if (!handled)
        {
            Drops.Count(NetDrop.Malformed);
        }
    }
}
