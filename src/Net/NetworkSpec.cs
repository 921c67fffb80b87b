using System.Net;

namespace Emu.Net;

/// <summary>A network of <c>-netdev</c> (or <c>-nic</c>), as plain values that are well-formed but not checked against the host.</summary>
/// <param name="Id">The name that a card refers to.</param>
public abstract record NetworkSpec(string Id);

/// <summary>User-mode network (<c>-netdev user</c>): the emulator itself is router, DHCP server and NAT.</summary>
public sealed record UserNetworkSpec(string Id) : NetworkSpec(Id)
{
    /// <summary>First address of the guest's network (<c>net=</c>).</summary>
    public IPAddress Network { get; init; } = new([10, 0, 2, 0]);

    /// <summary>Bits of the network's mask.</summary>
    public int PrefixLength { get; init; } = 24;

    /// <summary>The router, which is also the way to the host's loopback (<c>host=</c>); null for the network's address + 2.</summary>
    public IPAddress? Gateway { get; init; }

    /// <summary>The name server (<c>dns=</c>); null for the network's address + 3.</summary>
    public IPAddress? NameServer { get; init; }

    /// <summary>The first address that is leased (<c>dhcpstart=</c>); null for the network's address + 15.</summary>
    public IPAddress? DhcpStart { get; init; }

    /// <summary>The name that leases carry (<c>hostname=</c>), or null.</summary>
    public string? HostName { get; init; }

    /// <summary>The domain that leases carry (<c>domainname=</c>), or null.</summary>
    public string? DomainName { get; init; }

    /// <summary>Domains to search that leases carry (<c>dnssearch=</c>).</summary>
    public IReadOnlyList<string> SearchDomains { get; init; } = [];

    /// <summary>True when nothing gets out but what a forward asks for (<c>restrict=on</c>).</summary>
    public bool Restrict { get; init; }

    /// <summary>Ports of the host that lead to the guest (<c>hostfwd=</c>).</summary>
    public IReadOnlyList<HostForward> HostForwards { get; init; } = [];

    /// <summary>Addresses of the guest's network that lead to one place outside (<c>guestfwd=</c>).</summary>
    public IReadOnlyList<GuestForward> GuestForwards { get; init; } = [];

    /// <summary>Name servers that questions are passed on to; null for the host's own.</summary>
    public IReadOnlyList<IPEndPoint>? Resolvers { get; init; }
}

/// <summary>A port of the host that leads to the guest.</summary>
/// <param name="IsUdp">UDP instead of TCP.</param>
/// <param name="Host">Where the host listens; port 0 for any free one.</param>
/// <param name="GuestAddress">The guest's address, or null for the first that is leased.</param>
/// <param name="GuestPort">The guest's port.</param>
public sealed record HostForward(bool IsUdp, IPEndPoint Host, IPAddress? GuestAddress, ushort GuestPort);

/// <summary>A TCP address of the guest's network that leads to one place outside.</summary>
/// <param name="Server">The address that the guest connects to.</param>
/// <param name="Target">Where the connection goes: <see cref="IPEndPoint"/>, <see cref="DnsEndPoint"/> or a Unix socket.</param>
public sealed record GuestForward(IPEndPoint Server, EndPoint Target);

/// <summary>How the machines of a <see cref="SocketNetworkSpec"/> find each other.</summary>
public enum SocketNetworkKind
{
    /// <summary>TCP, waiting for the other machine.</summary>
    Listen,

    /// <summary>TCP, to a machine that waits.</summary>
    Connect,

    /// <summary>UDP between two machines.</summary>
    Udp,

    /// <summary>UDP to a multicast group: any number of machines.</summary>
    Multicast,
}

/// <summary>A wire to other emulators (<c>-netdev socket</c>), in QEMU's format.</summary>
/// <param name="Id">The name that a card refers to.</param>
/// <param name="Kind">How.</param>
/// <param name="Address">Where to listen, connect, send or meet.</param>
public sealed record SocketNetworkSpec(string Id, SocketNetworkKind Kind, IPEndPoint Address) : NetworkSpec(Id)
{
    /// <summary>For UDP the address of this side; for a group the interface's address.</summary>
    public IPEndPoint? LocalAddress { get; init; }
}

/// <summary>A TAP interface of a Linux host (<c>-netdev tap</c>).</summary>
/// <param name="Id">The name that a card refers to.</param>
/// <param name="InterfaceName">The interface (<c>ifname=</c>), or null for one that the kernel names.</param>
public sealed record TapNetworkSpec(string Id, string? InterfaceName) : NetworkSpec(Id);

/// <summary>A capture of what passes a network (<c>-object filter-dump</c>).</summary>
/// <param name="Id">The filter's own name.</param>
/// <param name="NetworkId">The network.</param>
/// <param name="File">Path of the pcap file, which is overwritten.</param>
/// <param name="MaxFrameBytes">Bytes of each frame that are kept (<c>maxlen=</c>).</param>
public sealed record FilterDumpSpec(string Id, string NetworkId, string File, int MaxFrameBytes = 65536);
