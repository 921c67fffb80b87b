using System.Buffers.Binary;
using System.Text;
using Emu.Net.Wire;

namespace Emu.Net.User;

/// <summary>DHCP server (RFC 2131, options RFC 2132), which also answers plain BOOTP.</summary>
internal sealed class DhcpServer
{
    /// <summary>Port of the server.</summary>
    public const ushort ServerPort = 67;

    private const ushort ClientPort = 68;
    private const int FixedBytes = 240;
    private const int MessageBytes = 548;
    private const uint MagicCookie = 0x6382_5363;
    private const uint LeaseSeconds = 86_400;

    private readonly AddressPlan _plan;
    private readonly PacketSender _sender;
    private readonly DhcpLeases _leases;
    private readonly bool _isRestricted;
    private readonly byte[] _hostName;
    private readonly byte[] _domainName;
    private readonly byte[] _searchDomains;
    private readonly Lock _gate = new();

    /// <summary>Creates the server for <paramref name="spec"/>.</summary>
    /// <exception cref="NetworkException">A name that does not fit into an option.</exception>
    public DhcpServer(UserNetworkSpec spec, AddressPlan plan, PacketSender sender)
    {
        _plan = plan;
        _sender = sender;
        _leases = new DhcpLeases(plan);
        _isRestricted = spec.Restrict;
        _hostName = Text("hostname", spec.HostName);
        _domainName = Text("domainname", spec.DomainName);
        _searchDomains = EncodeDomains(spec.SearchDomains);
    }

    private enum MessageType : byte
    {
        None = 0,
        Discover = 1,
        Offer = 2,
        Request = 3,
        Decline = 4,
        Ack = 5,
        Nak = 6,
        Release = 7,
        Inform = 8,
    }

    private enum Option : byte
    {
        Pad = 0,
        SubnetMask = 1,
        Router = 3,
        NameServer = 6,
        HostName = 12,
        DomainName = 15,
        RequestedAddress = 50,
        LeaseTime = 51,
        MessageType = 53,
        ServerId = 54,
        DomainSearch = 119,
        End = 255,
    }

    /// <summary>Takes a message of a client; false when it is malformed.</summary>
    public bool Handle(ReadOnlySpan<byte> message)
    {
        if (message.Length < FixedBytes || message[0] != 1 || message[1] != 1 || message[2] != 6
            || BinaryPrimitives.ReadUInt32BigEndian(message[236..]) != MagicCookie || !Ethernet.IsUnicast(Ethernet.ReadMac(message[28..])))
        {
            return false;
        }

        lock (_gate)
        {
            Answer(message, Ethernet.ReadMac(message[28..]));
        }

        return true;
    }

    private void Answer(ReadOnlySpan<byte> message, ulong mac)
    {
        ReadOnlySpan<byte> type = Find(message, Option.MessageType);
        uint client = BinaryPrimitives.ReadUInt32BigEndian(message[12..]);
        uint wanted = ReadAddress(Find(message, Option.RequestedAddress));
        uint server = ReadAddress(Find(message, Option.ServerId));
        switch (type.Length == 1 ? (MessageType)type[0] : MessageType.None)
        {
            case MessageType.None:
                Grant(message, MessageType.None, _leases.Allocate(mac, wanted), client);
                break;
            case MessageType.Discover:
                Grant(message, MessageType.Offer, _leases.Allocate(mac, wanted), client);
                break;
            case MessageType.Request when server == 0 || server == _plan.Gateway:
                uint address = wanted != 0 ? wanted : client;
                bool granted = _leases.Allocate(mac, address) == address;
                Grant(message, granted ? MessageType.Ack : MessageType.Nak, granted ? address : 0, granted ? client : 0);
                break;
            case MessageType.Inform:
                Grant(message, MessageType.Ack, 0, client);
                break;
            case MessageType.Release or MessageType.Decline or MessageType.Request:
                // A request that names another server declines this one's offer.
                _leases.Release(mac);
                break;
        }
    }

    private void Grant(ReadOnlySpan<byte> message, MessageType type, uint? address, uint client)
    {
        if (address is null)
        {
            return;
        }

        Span<byte> reply = stackalloc byte[MessageBytes];
        reply.Clear();
        message[..8].CopyTo(reply);
        reply[0] = 2;
        reply[3] = 0;
        message.Slice(10, 2).CopyTo(reply[10..]);
        BinaryPrimitives.WriteUInt32BigEndian(reply[12..], client);
        BinaryPrimitives.WriteUInt32BigEndian(reply[16..], address.Value);
        BinaryPrimitives.WriteUInt32BigEndian(reply[20..], type == MessageType.Nak ? 0 : _plan.Gateway);
        message.Slice(28, 16).CopyTo(reply[28..]);
        BinaryPrimitives.WriteUInt32BigEndian(reply[236..], MagicCookie);
        WriteOptions(reply[FixedBytes..], type, hasLease: address.Value != 0);

        // To an address the client has already, else to everyone: it cannot be asked for its address yet.
        bool known = client != 0 && _plan.IsGuest(client) && type != MessageType.Nak;
        ulong mac = known ? Ethernet.ReadMac(message[28..]) : Ethernet.Broadcast;
        _sender.PostUdp(mac, _plan.Gateway, ServerPort, known ? client : uint.MaxValue, ClientPort, reply);
    }

    private void WriteOptions(Span<byte> options, MessageType type, bool hasLease)
    {
        if (type != MessageType.None)
        {
            Put(ref options, Option.MessageType, [(byte)type]);
            PutNumber(ref options, Option.ServerId, _plan.Gateway);
        }

        if (type != MessageType.Nak)
        {
            PutNumber(ref options, Option.SubnetMask, _plan.Mask);
            if (!_isRestricted)
            {
                PutNumber(ref options, Option.Router, _plan.Gateway);
                PutNumber(ref options, Option.NameServer, _plan.NameServer);
            }

            if (type != MessageType.None && hasLease)
            {
                PutNumber(ref options, Option.LeaseTime, LeaseSeconds);
            }

            Put(ref options, Option.HostName, _hostName);
            Put(ref options, Option.DomainName, _domainName);
            Put(ref options, Option.DomainSearch, _searchDomains);
        }

        options[0] = (byte)Option.End;
    }

    private static void PutNumber(ref Span<byte> options, Option option, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        Put(ref options, option, bytes);
    }

    // The longest names together leave the end mark its byte: see Text and EncodeDomains.
    private static void Put(ref Span<byte> options, Option option, scoped ReadOnlySpan<byte> value)
    {
        if (value.Length > 0)
        {
            options[0] = (byte)option;
            options[1] = (byte)value.Length;
            value.CopyTo(options[2..]);
            options = options[(2 + value.Length)..];
        }
    }

    private static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> message, Option option)
    {
        ReadOnlySpan<byte> options = message[FixedBytes..];
        while (options.Length > 0 && options[0] != (byte)Option.End)
        {
            if (options[0] == (byte)Option.Pad)
            {
                options = options[1..];
                continue;
            }

            if (options.Length < 2 || options[1] > options.Length - 2)
            {
                break;
            }

            if (options[0] == (byte)option)
            {
                return options.Slice(2, options[1]);
            }

            options = options[(2 + options[1])..];
        }

        return [];
    }

    private static uint ReadAddress(ReadOnlySpan<byte> value) => value.Length == 4 ? BinaryPrimitives.ReadUInt32BigEndian(value) : 0;

    private static byte[] Text(string property, string? text)
    {
        const int Most = 63;
        return text is null || (text.Length <= Most && Ascii.IsValid(text))
            ? Encoding.ASCII.GetBytes(text ?? "")
            : throw new NetworkException($"{property}={text} is no name; at most {Most} letters, digits and dashes");
    }

    // RFC 3397, without the compression that it allows.
    private static byte[] EncodeDomains(IReadOnlyList<string> domains)
    {
        const int Most = 120;
        var bytes = new List<byte>();
        foreach (string label in domains.SelectMany(domain => domain.TrimEnd('.').Split('.').Append("")))
        {
            byte[] text = Text("dnssearch", label);
            bytes.Add((byte)text.Length);
            bytes.AddRange(text);
        }

        return bytes.Count <= Most ? [.. bytes] : throw new NetworkException($"dnssearch= has more domains than a lease carries ({Most} bytes); leave some out");
    }
}
