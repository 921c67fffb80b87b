using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Emu.Net.Wire;

namespace Emu.Net.User;

/// <summary>
/// One UDP port of the guest and the host's socket that stands for it. Datagrams come back from addresses the guest has sent
/// to, and from nobody else, unless the port is forwarded.
/// </summary>
internal sealed class UdpFlow : NetSource, IDisposable
{
    private const int MaxPeers = 64;
    private const int MostAtOnce = 32;
    private const int DataOffset = PacketSender.Headroom + UdpDatagram.HeaderBytes;

    private readonly UdpNat _nat;
    private readonly UserContext _context;
    private readonly Socket _socket;
    private readonly ReadinessWatch _watch;
    private readonly SocketAddress _to = new(AddressFamily.InterNetwork);
    private readonly SocketAddress _from;
    private readonly ulong[] _peers = new ulong[MaxPeers];
    private readonly Lock _gate = new();
    private int _nextPeer;
    private long _expires;
    private volatile bool _closed;

    /// <summary>Creates a flow on <paramref name="socket"/>, which is bound or connected and does not block.</summary>
    public UdpFlow(UdpNat nat, UserContext context, UdpKey key, Socket socket)
    {
        _nat = nat;
        _context = context;
        Key = key;
        _socket = socket;
        _from = new SocketAddress(socket.AddressFamily);
        _watch = new ReadinessWatch(context.Thread, this, SocketType.Dgram);
        Touch(key.Kind == UdpKind.Dns ? context.Timings.DnsIdle : context.Timings.UdpIdle);
    }

    /// <summary>Whose port it is.</summary>
    public UdpKey Key { get; }

    /// <summary>Where the host's socket is.</summary>
    public IPEndPoint LocalEndPoint => (IPEndPoint)_socket.LocalEndPoint!;

    /// <inheritdoc/>
    public override bool IsFinished => _closed;

    /// <summary>True when the guest has sent to this address or, of a forwarded port, something has come from there.</summary>
    public bool Knows(uint address, ushort port)
    {
        lock (_gate)
        {
            return Array.IndexOf(_peers, PeerOf(address, port)) >= 0;
        }
    }

    /// <summary>Sends the guest's data to an address of the host's world. Any thread.</summary>
    public void Send(uint address, ushort port, ReadOnlySpan<byte> data)
    {
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            try
            {
                if (Key.Kind == UdpKind.Dns)
                {
                    _socket.Send(data);
                    Touch(_context.Timings.DnsIdle);
                    return;
                }

                Remember(address, port);
                BinaryPrimitives.WriteUInt16BigEndian(_to.Buffer.Span[2..], port);
                BinaryPrimitives.WriteUInt32BigEndian(_to.Buffer.Span[4..], address);
                _socket.SendTo(data, SocketFlags.None, _to);
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                _context.Drops.Count(NetDrop.HostRefused);
            }

            Touch(_context.Timings.UdpIdle);
        }
    }

    /// <inheritdoc/>
    public override void Service(long now)
    {
        long expires = Interlocked.Read(ref _expires);
        if (Key.Kind != UdpKind.Forward && now >= expires)
        {
            Dispose();
            return;
        }

        Deadline = Key.Kind == UdpKind.Forward ? Never : expires;
        try
        {
            Read();
        }
        catch (ObjectDisposedException)
        {
            // Closed by the network's end.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_closed)
        {
            _closed = true;
            _nat.Remove(this);
            _socket.Dispose();
            _watch.Dispose();
        }
    }

    private static ulong PeerOf(uint address, ushort port) => ((ulong)address << 16) | port;

    private void Touch(long life) => Interlocked.Exchange(ref _expires, Environment.TickCount64 + life);

    private void Remember(uint address, ushort port)
    {
        ulong peer = PeerOf(address, port);
        if (Array.IndexOf(_peers, peer) < 0)
        {
            _peers[_nextPeer++ % MaxPeers] = peer;
        }
    }

    // From an address the guest has sent to, whatever the port: some protocols answer from another one.
    private bool IsWelcome(uint address, ushort port)
    {
        lock (_gate)
        {
            if (Key.Kind == UdpKind.Forward)
            {
                Remember(address, port);
                return true;
            }

            foreach (ulong peer in _peers)
            {
                if (peer >> 16 == address && peer != 0)
                {
                    return true;
                }
            }

            return false;
        }
    }

    private void Read()
    {
        for (int i = 0; i < MostAtOnce; i++)
        {
            if (_context.Thread.IsBlocked)
            {
                break;
            }

            if (!_watch.IsReady)
            {
                return;
            }

            if (!_socket.Poll(0, SelectMode.SelectRead))
            {
                _watch.Arm(_socket);
                return;
            }

            try
            {
                int length = _socket.ReceiveFrom(_nat.Buffer.AsSpan(DataOffset), SocketFlags.None, _from);
                Deliver(_nat.Buffer.AsSpan(0, DataOffset + length));
            }
            catch (SocketException)
            {
                // A datagram sent earlier was refused; the guest sees no answer.
                _context.Drops.Count(NetDrop.HostRefused);
            }
        }

        _context.Thread.Queue(this);
    }

    // The data is in its place in the frame already.
    private void Deliver(Span<byte> frame)
    {
        (uint source, ushort port) = (_context.Plan.NameServer, Resolvers.DnsPort);
        if (Key.Kind == UdpKind.Dns)
        {
            _nat.OnDnsAnswer();
            Touch(_context.Timings.DnsAnswered);
            Deadline = Interlocked.Read(ref _expires);
        }
        else
        {
            port = BinaryPrimitives.ReadUInt16BigEndian(_from.Buffer.Span[2..]);
            uint address = BinaryPrimitives.ReadUInt32BigEndian(_from.Buffer.Span[4..]);
            if (!IsWelcome(address, port))
            {
                _context.Drops.Count(NetDrop.Unsolicited);
                return;
            }

            source = _context.Plan.FromHost(address);
            Touch(_context.Timings.UdpIdle);
        }

        if (!_context.Arp.TryResolve(Key.GuestAddress, out ulong mac))
        {
            return;
        }

        Span<byte> datagram = frame[PacketSender.Headroom..];
        UdpDatagram.WriteHeader(datagram, source, port, Key.GuestAddress, Key.GuestPort);
        if (datagram.Length > Ethernet.Mtu - Ipv4.HeaderBytes)
        {
            _context.Sender.Post(mac, IpProtocol.Udp, source, Key.GuestAddress, datagram);
            return;
        }

        Ethernet.WriteHeader(frame, mac, _context.Plan.GatewayMac, EtherType.Ipv4);
        Ipv4.WriteHeader(frame[Ethernet.HeaderBytes..], frame.Length - Ethernet.HeaderBytes, IpProtocol.Udp, source, Key.GuestAddress);
        if (!_context.Thread.TryDeliver(frame, default))
        {
            _context.Thread.Post(frame);
        }
    }
}
