using System.Net;
using Emu.Net.Wire;

namespace Emu.Net.User;

/// <summary>Who is who in the guest's network, and what addresses outside become inside.</summary>
internal sealed class AddressPlan
{
    private const uint GatewayNumber = 2;
    private const uint NameServerNumber = 3;
    private const uint FirstLeaseNumber = 15;
    private const int MostPrefixBits = 28;

    // Locally administered, then the address, as QEMU makes it.
    private const ulong MacPrefix = 0x5255_0000_0000;

    private readonly HashSet<uint> _servers;

    /// <summary>Lays out the network of <paramref name="spec"/>.</summary>
    /// <exception cref="NetworkException">Addresses that do not fit together.</exception>
    public AddressPlan(UserNetworkSpec spec)
    {
        if (spec.PrefixLength is < 8 or > MostPrefixBits)
        {
            throw new NetworkException($"net=/{spec.PrefixLength} is no usable size; write for example net=10.0.2.0/24 (8 to {MostPrefixBits} bits)");
        }

        Mask = uint.MaxValue << (32 - spec.PrefixLength);
        Network = Ipv4.ToNumber(spec.Network) & Mask;
        Gateway = Inside("host", spec.Gateway, GatewayNumber);
        NameServer = Inside("dns", spec.NameServer, NameServerNumber);
        FirstLease = Inside("dhcpstart", spec.DhcpStart, Math.Min(FirstLeaseNumber, ~Mask - 2));
        if (Gateway == NameServer)
        {
            throw new NetworkException("host= and dns= are the same address; give them two");
        }

        if (FirstLease == Gateway || FirstLease == NameServer)
        {
            throw new NetworkException("dhcpstart= is the address of host= or dns=; give it another");
        }

        _servers = [Gateway, NameServer];
        foreach (GuestForward forward in spec.GuestForwards)
        {
            _servers.Add(Inside("guestfwd", forward.Server.Address, 0));
        }
    }

    /// <summary>First address of the network.</summary>
    public uint Network { get; }

    /// <summary>The network's mask.</summary>
    public uint Mask { get; }

    /// <summary>Address of all hosts of the network.</summary>
    public uint BroadcastAddress => Network | ~Mask;

    /// <summary>The router, behind which the host's loopback is.</summary>
    public uint Gateway { get; }

    /// <summary>The name server.</summary>
    public uint NameServer { get; }

    /// <summary>The first address that is leased.</summary>
    public uint FirstLease { get; }

    /// <summary>The MAC address of all that is not the guest.</summary>
    public ulong GatewayMac => MacPrefix | Gateway;

    /// <summary>True for addresses that this side answers for.</summary>
    public bool IsServer(uint address) => _servers.Contains(address);

    /// <summary>True for an address that a guest can have.</summary>
    public bool IsGuest(uint address) =>
        (address & Mask) == Network && address != Network && address != BroadcastAddress && !_servers.Contains(address);

    /// <summary>True for an address outside, of one host, that packets may be sent to: no loopback, group or broadcast address.</summary>
    public bool IsOutside(uint address) =>
        (address & Mask) != Network && address >> 24 is not (0 or 127) && address >> 28 < 14;

    /// <summary>Where the host finds <paramref name="address"/>: the gateway is its loopback.</summary>
    public uint ToHost(uint address) => address == Gateway ? Ipv4.Loopback : address;

    /// <summary>What a sender on the host's side is called inside: its loopback is the gateway.</summary>
    public uint FromHost(uint address) => address >> 24 == 127 ? Gateway : address;

    private uint Inside(string name, IPAddress? address, uint number)
    {
        uint result = address is null ? Network + number : Ipv4.ToNumber(address);
        return (result & Mask) == Network && result != Network && result != (Network | ~Mask)
            ? result
            : throw new NetworkException($"{name}={Ipv4.ToAddress(result)} is not a host's address of the network {Ipv4.ToAddress(Network)}; choose one of those");
    }
}
