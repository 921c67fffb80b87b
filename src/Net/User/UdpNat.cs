using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Emu.Net.Wire;

namespace Emu.Net.User;

/// <summary>What a UDP flow is for.</summary>
internal enum UdpKind
{
    /// <summary>The guest sends to the world.</summary>
    Outgoing,

    /// <summary>The guest asks the name server.</summary>
    Dns,

    /// <summary>The world sends to the guest.</summary>
    Forward,
}

/// <summary>A UDP port of the guest.</summary>
internal readonly record struct UdpKey(uint GuestAddress, ushort GuestPort, UdpKind Kind);

/// <summary>Network address translation of UDP (RFC 4787: mapping by the guest's port, filtering by address).</summary>
internal sealed class UdpNat : IDisposable
{
    private readonly UserContext _context;
    private readonly Resolvers _resolvers;
    private readonly ConcurrentDictionary<UdpKey, UdpFlow> _flows = new();
    private int _count;

    /// <summary>Creates the translator, with a socket for each forwarded port.</summary>
    /// <exception cref="NetworkException">A forwarded port cannot be had.</exception>
    public UdpNat(UserContext context, Resolvers resolvers, IEnumerable<HostForward> forwards)
    {
        _context = context;
        _resolvers = resolvers;
        try
        {
            foreach (HostForward forward in forwards)
            {
                AddForward(forward);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where the network thread reads datagrams into: the largest, with its headers.</summary>
    public byte[] Buffer { get; } = GC.AllocateUninitializedArray<byte>(Ethernet.HeaderBytes + Ipv4.MaxPacketBytes);

    /// <summary>Flows there are, forwards included.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Host addresses of the forwarded ports, in the order in which they were given.</summary>
    public List<IPEndPoint> ForwardedEndPoints { get; } = [];

    /// <summary>Takes a datagram of the guest.</summary>
    public void Handle(uint source, uint destination, in UdpDatagram datagram)
    {
        if (destination == _context.Plan.NameServer)
        {
            HandleQuestion(source, datagram);
            return;
        }

        if (destination != _context.Plan.Gateway && !_context.Plan.IsOutside(destination))
        {
            _context.Drops.Count(NetDrop.Martian);
            return;
        }

        uint address = _context.Plan.ToHost(destination);
        var key = new UdpKey(source, datagram.SourcePort, UdpKind.Forward);
        if (_flows.TryGetValue(key, out UdpFlow? flow) && flow.Knows(address, datagram.DestinationPort))
        {
            flow.Send(address, datagram.DestinationPort, datagram.Payload);
        }
        else if (_context.IsRestricted)
        {
            _context.Drops.Count(NetDrop.Restricted);
        }
        else
        {
            FindOrOpen(key with { Kind = UdpKind.Outgoing })?.Send(address, datagram.DestinationPort, datagram.Payload);
        }
    }

    /// <summary>A name server has answered.</summary>
    public void OnDnsAnswer() => _resolvers.Answered();

    /// <summary>A flow has ended.</summary>
    public void Remove(UdpFlow flow)
    {
        if (_flows.TryRemove(new KeyValuePair<UdpKey, UdpFlow>(flow.Key, flow)))
        {
            Interlocked.Decrement(ref _count);
        }
    }

    /// <summary>Has forwarded ports listened to, now that there is a guest.</summary>
    public void Start()
    {
        foreach (UdpFlow flow in _flows.Values)
        {
            _context.Thread.Queue(flow);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (UdpFlow flow in _flows.Values)
        {
            flow.Dispose();
        }
    }

    private void HandleQuestion(uint source, in UdpDatagram datagram)
    {
        if (datagram.DestinationPort != Resolvers.DnsPort || _context.IsRestricted)
        {
            _context.Drops.Count(_context.IsRestricted ? NetDrop.Restricted : NetDrop.Unsupported);
            return;
        }

        FindOrOpen(new UdpKey(source, datagram.SourcePort, UdpKind.Dns))?.Send(0, 0, datagram.Payload);
    }

    private UdpFlow? FindOrOpen(UdpKey key)
    {
        if (_flows.TryGetValue(key, out UdpFlow? flow))
        {
            return flow;
        }

        if (Interlocked.Increment(ref _count) > _context.Timings.MaxUdpFlows)
        {
            Interlocked.Decrement(ref _count);
            _context.Drops.Count(NetDrop.UdpTableFull);
            return null;
        }

        try
        {
            if (CreateSocket(key.Kind) is Socket socket)
            {
                flow = new UdpFlow(this, _context, key, socket);
                _flows[key] = flow;
                _context.Thread.Queue(flow);
                return flow;
            }
        }
        catch (SocketException)
        {
            // Too many open files, or no such network.
        }

        Interlocked.Decrement(ref _count);
        _context.Drops.Count(NetDrop.HostRefused);
        return null;
    }

    private Socket? CreateSocket(UdpKind kind)
    {
        IPEndPoint? resolver = kind == UdpKind.Dns ? _resolvers.Next(Environment.TickCount64) : null;
        if (kind == UdpKind.Dns && resolver is null)
        {
            return null;
        }

        var socket = new Socket(resolver?.AddressFamily ?? AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        try
        {
            if (resolver is not null)
            {
                socket.Connect(resolver);
            }
            else
            {
                socket.Bind(new IPEndPoint(IPAddress.Any, 0));
            }

            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private void AddForward(HostForward forward)
    {
        uint guest = forward.GuestAddress is null ? _context.Plan.FirstLease : Ipv4.ToNumber(forward.GuestAddress);
        var key = new UdpKey(guest, forward.GuestPort, UdpKind.Forward);
        if (_flows.ContainsKey(key))
        {
            throw new NetworkException($"hostfwd: UDP port {forward.GuestPort} of the guest is forwarded twice; keep one");
        }

        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        try
        {
            socket.Bind(forward.Host);
        }
        catch (SocketException exception)
        {
            socket.Dispose();
            throw new NetworkException($"hostfwd: cannot use UDP {forward.Host}: {exception.Message}; choose another port", exception);
        }

        var flow = new UdpFlow(this, _context, key, socket);
        _flows[key] = flow;
        _count++;
        ForwardedEndPoints.Add(flow.LocalEndPoint);
    }
}
