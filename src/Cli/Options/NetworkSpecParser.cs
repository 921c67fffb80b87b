using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Emu.Machine;
using Emu.Net;

namespace Emu.Cli.Options;

/// <summary>Reads <c>-netdev</c>, and the part of <c>-nic</c> that is the same.</summary>
internal static class NetworkSpecParser
{
    private static readonly string[] NotThere = ["smb", "smbserver", "tftp", "tftp-server-name", "bootfile", "ipv6", "ipv6-net", "ipv6-prefix", "ipv6-host", "ipv6-dns"];

    private static readonly string[] SocketWays = ["listen", "connect", "udp", "mcast"];

    /// <summary>Reads the text of <c>-netdev</c>.</summary>
    /// <exception cref="OptionException">No such network, no id, or an unknown or wrong property.</exception>
    public static NetworkSpec Parse(string text)
    {
        PropertyList list = PropertyList.Parse(text, "type");
        return list.Get("id") is { Length: > 0 } id
            ? Parse(list, id)
            : throw new OptionException($"{list.First} has no name; add id=NAME, which the card's netdev=NAME refers to");
    }

    /// <summary>Reads the properties of one network.</summary>
    /// <param name="list">The list; properties that belong to a card have been taken out.</param>
    /// <param name="id">The network's name.</param>
    public static NetworkSpec Parse(PropertyList list, string id)
    {
        if (list.First == "user" && NotThere.FirstOrDefault(name => list.Get(name) is not null and not "off") is string name)
        {
            throw new OptionException($"user: {name}= is not there; leave it out");
        }

        list.CheckAgainst(MachineCatalog.Networks, "network");
        return list.First switch
        {
            "user" => ReadUser(list, id),
            "socket" => ReadSocket(list, id),
            _ => ReadTap(list, id),
        };
    }

    private static UserNetworkSpec ReadUser(PropertyList list, string id)
    {
        if (list.Get("ipv4") is string ipv4 && !ValueParsers.Switch("ipv4", ipv4))
        {
            throw new OptionException("user: ipv4=off leaves nothing, because there is no IPv6; leave it out");
        }

        var spec = new UserNetworkSpec(id);
        (IPAddress network, int prefix) = list.Get("net") is string net ? ReadNetwork(net) : (spec.Network, spec.PrefixLength);
        return spec with
        {
            Network = network,
            PrefixLength = prefix,
            Gateway = ReadAddress(list, "host"),
            NameServer = ReadAddress(list, "dns"),
            DhcpStart = ReadAddress(list, "dhcpstart"),
            HostName = list.Get("hostname"),
            DomainName = list.Get("domainname"),
            SearchDomains = list.All("dnssearch"),
            Restrict = list.Get("restrict") is string restrict && ValueParsers.Switch("restrict", restrict),
            HostForwards = [.. list.All("hostfwd").Select(ReadHostForward)],
            GuestForwards = [.. list.All("guestfwd").Select(ReadGuestForward)],
        };
    }

    private static SocketNetworkSpec ReadSocket(PropertyList list, string id)
    {
        string[] ways = [.. SocketWays.Where(way => list.Get(way) is not null)];
        if (ways.Length != 1)
        {
            throw new OptionException("socket needs one of listen=[ADDRESS]:PORT, connect=ADDRESS:PORT, udp=ADDRESS:PORT and mcast=ADDRESS:PORT");
        }

        SocketNetworkKind kind = ways[0] switch
        {
            "listen" => SocketNetworkKind.Listen,
            "connect" => SocketNetworkKind.Connect,
            "udp" => SocketNetworkKind.Udp,
            _ => SocketNetworkKind.Multicast,
        };
        IPEndPoint? local = list.Get("localaddr") switch
        {
            null => null,
            string text when kind == SocketNetworkKind.Multicast => new IPEndPoint(ReadAddress("localaddr", text), 0),
            string text => ReadEndPoint("localaddr", text, IPAddress.Any),
        };
        return (kind == SocketNetworkKind.Udp) == (local is not null && kind != SocketNetworkKind.Multicast)
            ? new SocketNetworkSpec(id, kind, ReadEndPoint(ways[0], list.Get(ways[0])!, IPAddress.Any)) { LocalAddress = local }
            : throw new OptionException(kind == SocketNetworkKind.Udp
                ? "socket,udp= needs the address of this side; add localaddr=ADDRESS:PORT" : $"localaddr= does not go with {ways[0]}=; leave it out");
    }

    private static TapNetworkSpec ReadTap(PropertyList list, string id)
    {
        foreach (string script in new[] { "script", "downscript" })
        {
            if ((list.Get(script) ?? (script == "script" ? "" : "no")) != "no")
            {
                throw new OptionException($"tap: emu runs no scripts; write {script}=no and set the interface up before");
            }
        }

        return new TapNetworkSpec(id, list.Get("ifname"));
    }

    // "10.0.2.0/24", or an address with a mask.
    private static (IPAddress Network, int Prefix) ReadNetwork(string text)
    {
        string[] parts = text.Split('/');
        int prefix = 24;
        bool valid = parts.Length == 1 || (parts.Length == 2 && (int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out prefix)
            || TryReadMask(parts[1], out prefix)));
        return valid ? (ReadAddress("net", parts[0]), prefix) : throw new OptionException($"net='{text}' is not a network; write for example net=10.0.2.0/24");
    }

    private static bool TryReadMask(string text, out int prefix)
    {
        prefix = 0;
        if (!IPAddress.TryParse(text, out IPAddress? mask) || mask.AddressFamily != AddressFamily.InterNetwork)
        {
            return false;
        }

        uint bits = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(mask.GetAddressBytes());
        prefix = System.Numerics.BitOperations.LeadingZeroCount(~bits);
        return bits == (prefix == 0 ? 0 : uint.MaxValue << (32 - prefix));
    }

    private static IPAddress? ReadAddress(PropertyList list, string name) => list.Get(name) is string text ? ReadAddress(name, text) : null;

    private static IPAddress ReadAddress(string name, string text) =>
        IPAddress.TryParse(text, out IPAddress? address) && address.AddressFamily == AddressFamily.InterNetwork && text.Count(c => c == '.') == 3
            ? address
            : throw new OptionException($"{name}='{text}' is not an IPv4 address; write for example {name}=10.0.2.2");

    private static ushort ReadPort(string name, string text) =>
        ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port)
            ? port : throw new OptionException($"{name}: '{text}' is not a port; it is a number up to 65535");

    private static IPEndPoint ReadEndPoint(string name, string text, IPAddress missing)
    {
        int colon = text.LastIndexOf(':');
        return colon < 0
            ? throw new OptionException($"{name}='{text}' is not an address; write ADDRESS:PORT")
            : new IPEndPoint(colon == 0 ? missing : ReadAddress(name, text[..colon]), ReadPort(name, text[(colon + 1)..]));
    }

    // [tcp|udp]:[ADDRESS]:PORT-[ADDRESS]:PORT
    private static HostForward ReadHostForward(string text)
    {
        const string Form = "write tcp:[ADDRESS]:PORT-[GUEST]:PORT, for example hostfwd=tcp:127.0.0.1:2222-:22";
        string[] sides = text.Split('-');
        string[] host = sides[0].Split(':');
        string[] guest = sides.Length == 2 ? sides[1].Split(':') : [];
        if (host.Length != 3 || guest.Length != 2 || host[0] is not ("tcp" or "udp" or ""))
        {
            throw new OptionException($"hostfwd='{text}' is not a forward; {Form}");
        }

        ushort guestPort = ReadPort("hostfwd", guest[1]);
        return guestPort == 0
            ? throw new OptionException($"hostfwd='{text}': port 0 of the guest does not exist; {Form}")
            : new HostForward(host[0] == "udp", new IPEndPoint(host[1].Length == 0 ? IPAddress.Any : ReadAddress("hostfwd", host[1]), ReadPort("hostfwd", host[2])),
                guest[0].Length == 0 ? null : ReadAddress("hostfwd", guest[0]), guestPort);
    }

    // [tcp]:SERVER:PORT-TARGET; the target as a character device of QEMU (tcp:HOST:PORT, unix:PATH), or just HOST:PORT.
    private static GuestForward ReadGuestForward(string text)
    {
        const string Form = "write tcp:SERVER:PORT-tcp:HOST:PORT, for example guestfwd=tcp:10.0.2.100:80-tcp:127.0.0.1:8080";
        int dash = text.IndexOf('-', StringComparison.Ordinal);
        string[] server = dash < 0 ? [] : text[..dash].Split(':');
        if (server.Length != 3 || server[0] is not ("tcp" or ""))
        {
            throw new OptionException($"guestfwd='{text}' is not a forward; {Form}");
        }

        var address = new IPEndPoint(ReadAddress("guestfwd", server[1]), ReadPort("guestfwd", server[2]));
        string target = text[(dash + 1)..];
        if (target.StartsWith("unix:", StringComparison.Ordinal) && target.Length > "unix:".Length)
        {
            return new GuestForward(address, new UnixDomainSocketEndPoint(target["unix:".Length..]));
        }

        target = target.StartsWith("tcp:", StringComparison.Ordinal) ? target["tcp:".Length..] : target;
        int colon = target.LastIndexOf(':');
        if (colon <= 0 || target.StartsWith("cmd:", StringComparison.Ordinal) || target.IndexOf(':', StringComparison.Ordinal) != colon)
        {
            throw new OptionException($"guestfwd='{text}': a target of that kind is not there; {Form} or unix:PATH");
        }

        (string host, ushort port) = (target[..colon], ReadPort("guestfwd", target[(colon + 1)..]));
        return new GuestForward(address, IPAddress.TryParse(host, out IPAddress? known) ? new IPEndPoint(known, port) : new DnsEndPoint(host, port));
    }
}
