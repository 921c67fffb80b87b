using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Emu.Net.Wire;

namespace Emu.Net.User.Tcp;

/// <summary>All TCP connections of one network, and who may open them.</summary>
internal sealed class TcpStack : IDisposable
{
    // 64 MiB, of which a connection holds at most 1.
    private const int MaxChunks = 1024;

    private readonly UserContext _context;
    private readonly Resolvers _resolvers;
    private readonly Dictionary<(uint Address, ushort Port), EndPoint> _guestForwards = [];
    private readonly ConcurrentDictionary<TcpKey, TcpConnection> _connections = new();
    private readonly ChunkPool _chunks = new(MaxChunks);
    private int _count;
    private volatile bool _disposed;

    /// <summary>Creates the stack.</summary>
    /// <exception cref="NetworkException">Two forwards have the same address.</exception>
    public TcpStack(UserContext context, Resolvers resolvers, IEnumerable<GuestForward> guestForwards)
    {
        _context = context;
        _resolvers = resolvers;
        foreach (GuestForward forward in guestForwards)
        {
            if (!_guestForwards.TryAdd((Ipv4.ToNumber(forward.Server.Address), (ushort)forward.Server.Port), forward.Target))
            {
                throw new NetworkException($"guestfwd: {forward.Server} is given twice; keep one");
            }
        }

        context.Arp.Learned += CallGuestAgain;
    }

    /// <summary>Connections there are, those in TIME-WAIT included.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Buffers in use.</summary>
    public int ChunksInUse => _chunks.InUse;

    /// <summary>Takes a segment of the guest.</summary>
    public void Handle(uint source, uint destination, in TcpSegment segment)
    {
        var key = new TcpKey(source, segment.SourcePort, destination, segment.DestinationPort);
        if (_connections.TryGetValue(key, out TcpConnection? connection) && connection.Handle(segment))
        {
            return;
        }

        if (segment.Has(TcpFlags.Rst))
        {
            return;
        }

        if ((segment.Flags & (TcpFlags.Syn | TcpFlags.Ack | TcpFlags.Fin)) != TcpFlags.Syn || !TryOpen(key, segment))
        {
            PostReset(key, segment);
        }
    }

    /// <summary>Opens a connection to the guest for a client of the host; closes the socket when that is not possible.</summary>
    public void OpenToGuest(Socket client, uint guestAddress, ushort guestPort)
    {
        try
        {
            var remote = (IPEndPoint)client.RemoteEndPoint!;
            var key = new TcpKey(guestAddress, guestPort, _context.Plan.FromHost(Ipv4.ToNumber(remote.Address)), (ushort)remote.Port);
            client.Blocking = false;
            client.NoDelay = true;
            if (TryReserve())
            {
                if (Add(key, client) is TcpConnection connection)
                {
                    connection.OpenToGuest();
                    return;
                }

                Interlocked.Decrement(ref _count);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The client has gone already.
        }

        client.Dispose();
    }

    /// <summary>An empty chunk, or null when all are in use.</summary>
    public Chunk? TryRent() => _chunks.TryRent();

    /// <summary>Takes a chunk back.</summary>
    public void Return(Chunk chunk)
    {
        if (_chunks.Return(chunk) is NetSource waiting)
        {
            _context.Thread.Queue(waiting);
        }
    }

    /// <summary>Has a connection that found no chunk tried again when there is one.</summary>
    public void WaitForChunk(TcpConnection connection)
    {
        _context.Drops.Count(NetDrop.NoBuffer);
        _chunks.Wait(connection);
    }

    /// <summary>A connection has ended.</summary>
    public void Remove(TcpConnection connection)
    {
        if (_connections.TryRemove(new KeyValuePair<TcpKey, TcpConnection>(connection.Key, connection)))
        {
            Interlocked.Decrement(ref _count);
        }
    }

    /// <summary>Tells the guest that there is no such connection (RFC 9293, 3.10.7.1).</summary>
    public void PostReset(TcpKey key, in TcpSegment segment)
    {
        if (segment.Has(TcpFlags.Rst) || !_context.Arp.TryResolve(key.GuestAddress, out ulong mac))
        {
            return;
        }

        bool answers = segment.Has(TcpFlags.Ack);
        Span<byte> tcp = stackalloc byte[TcpSegment.HeaderBytes];
        TcpSegment.WriteHeader(tcp, key.RemotePort, key.GuestPort, answers ? segment.Acknowledgment : 0,
            answers ? 0 : segment.Sequence + segment.SequenceLength, answers ? TcpFlags.Rst : TcpFlags.Rst | TcpFlags.Ack, 0);
        uint pseudo = InternetChecksum.PseudoHeader(key.RemoteAddress, key.GuestAddress, IpProtocol.Tcp, tcp.Length);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[TcpSegment.ChecksumOffset..], InternetChecksum.Compute(tcp, pseudo));
        _context.Sender.Post(mac, IpProtocol.Tcp, key.RemoteAddress, key.GuestAddress, tcp);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        foreach (TcpConnection connection in _connections.Values)
        {
            connection.Abort();
        }
    }

    private bool TryOpen(TcpKey key, in TcpSegment syn)
    {
        if (FindTarget(key) is not EndPoint target || !TryReserve())
        {
            return false;
        }

        Socket? socket = null;
        try
        {
            socket = target is UnixDomainSocketEndPoint
                ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false }
                : CreateTcpSocket(target.AddressFamily);
            if (Add(key, socket) is TcpConnection connection)
            {
                connection.Open(syn);
                connection.ConnectHost(target);
                return true;
            }
        }
        catch (SocketException)
        {
            // Too many open files: the guest hears what a busy server says.
            _context.Drops.Count(NetDrop.HostRefused);
        }

        socket?.Dispose();
        Interlocked.Decrement(ref _count);
        return false;
    }

    // A name may turn out to be of either family.
    private static Socket CreateTcpSocket(AddressFamily family) => family == AddressFamily.Unspecified
        ? new Socket(SocketType.Stream, ProtocolType.Tcp) { Blocking = false, NoDelay = true }
        : new Socket(family, SocketType.Stream, ProtocolType.Tcp) { Blocking = false, NoDelay = true };

    private EndPoint? FindTarget(TcpKey key)
    {
        if (_guestForwards.TryGetValue((key.RemoteAddress, key.RemotePort), out EndPoint? target))
        {
            return target;
        }

        if (_context.IsRestricted)
        {
            _context.Drops.Count(NetDrop.Restricted);
            return null;
        }

        if (key.RemoteAddress == _context.Plan.NameServer)
        {
            return key.RemotePort == Resolvers.DnsPort ? _resolvers.Next(Environment.TickCount64) : null;
        }

        if (key.RemoteAddress != _context.Plan.Gateway && !_context.Plan.IsOutside(key.RemoteAddress))
        {
            _context.Drops.Count(NetDrop.Martian);
            return null;
        }

        return key.RemotePort == 0 ? null : new IPEndPoint(Ipv4.ToAddress(_context.Plan.ToHost(key.RemoteAddress)), key.RemotePort);
    }

    // A place in the table; who fails to fill it counts down again.
    private bool TryReserve()
    {
        if (Interlocked.Increment(ref _count) <= _context.Timings.MaxTcpConnections)
        {
            return true;
        }

        // One that only waits for late segments makes room.
        _connections.Values.FirstOrDefault(other => other.IsInTimeWait)?.Abort();
        if (Count <= _context.Timings.MaxTcpConnections)
        {
            return true;
        }

        Interlocked.Decrement(ref _count);
        _context.Drops.Count(NetDrop.TcpTableFull);
        return false;
    }

    private TcpConnection? Add(TcpKey key, Socket socket)
    {
        var connection = new TcpConnection(this, _context, key, socket);
        if (!_disposed && _connections.TryAdd(key, connection))
        {
            return connection;
        }

        connection.Dispose();
        return null;
    }

    private void CallGuestAgain()
    {
        foreach (TcpConnection connection in _connections.Values)
        {
            if (connection.IsCallingGuest)
            {
                _context.Thread.Queue(connection);
            }
        }
    }
}
