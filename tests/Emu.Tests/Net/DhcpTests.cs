using System.Buffers.Binary;
using System.Net;
using System.Text;
using Emu.Net;

namespace Emu.Tests.Net;

/// <summary>Leases, as a client asks for them.</summary>
public sealed class DhcpTests
{
    private const byte Discover = 1;
    private const byte Offer = 2;
    private const byte Request = 3;
    private const byte AckType = 5;
    private const byte Nak = 6;
    private const byte Release = 7;
    private const byte Inform = 8;

    [Fact]
    public void DiscoverAndRequest_GiveALeaseWithEverythingInIt()
    {
        using var guest = new TestGuest(
            new UserNetworkSpec("n0") { HostName = "box", DomainName = "example.org", SearchDomains = ["a.example.org"] }, introduce: false);

        Reply offer = Ask(guest, Discover);
        Reply lease = Ask(guest, Request, (50, Bytes(offer.Address)), (54, offer.Options[54]));

        Assert.Equal((Offer, AckType), (offer.Type, lease.Type));
        Assert.Equal(TestGuest.Own, lease.Address);
        Assert.Equal(Bytes(GuestFrames.Address(255, 255, 255, 0)), lease.Options[1]);
        Assert.Equal(Bytes(TestGuest.Gateway), lease.Options[3]);
        Assert.Equal(Bytes(TestGuest.NameServer), lease.Options[6]);
        Assert.Equal(Bytes(TestGuest.Gateway), lease.Options[54]);
        Assert.Equal(Bytes(86400), lease.Options[51]);
        Assert.Equal("box", Encoding.ASCII.GetString(lease.Options[12]));
        Assert.Equal("example.org", Encoding.ASCII.GetString(lease.Options[15]));
        Assert.Equal("\u0001a\u0007example\u0003org\0", Encoding.ASCII.GetString(lease.Options[119]));
    }

    [Fact]
    public void Network_OfTheUsersChoice_IsWhatLeasesComeFrom()
    {
        using var guest = new TestGuest(
            new UserNetworkSpec("n0")
            {
                Network = IPAddress.Parse("192.168.76.0"), Gateway = IPAddress.Parse("192.168.76.1"), DhcpStart = IPAddress.Parse("192.168.76.9"),
            }, introduce: false);

        Reply offer = Ask(guest, Discover);

        Assert.Equal(GuestFrames.Address(192, 168, 76, 9), offer.Address);
        Assert.Equal(Bytes(GuestFrames.Address(192, 168, 76, 1)), offer.Options[3]);
        Assert.Equal(Bytes(GuestFrames.Address(192, 168, 76, 3)), offer.Options[6]);
    }

    [Fact]
    public void Request_ForAnAddressOfAnotherNetwork_IsRefused()
    {
        using var guest = new TestGuest(introduce: false);

        Reply reply = Ask(guest, Request, (50, Bytes(GuestFrames.Address(192, 168, 1, 5))));

        Assert.Equal((Nak, 0u), (reply.Type, reply.Address));
    }

    [Fact]
    public void TwoCards_HaveTwoAddresses_AndAReleasedOneIsFree()
    {
        using var guest = new TestGuest(introduce: false);

        uint first = Ask(guest, Discover).Address;
        uint second = Ask(guest, Discover, mac: TestGuest.Mac + 1).Address;
        Send(guest, Release, TestGuest.Mac, 0, []);
        uint third = Ask(guest, Discover, mac: TestGuest.Mac + 2).Address;

        Assert.Equal((TestGuest.Own, TestGuest.Own + 1, TestGuest.Own), (first, second, third));
    }

    [Fact]
    public void Discover_FromThousandsOfCards_AlwaysHasAnAddressOfTheNetwork()
    {
        using var guest = new TestGuest(introduce: false);

        for (ulong i = 0; i < 500; i++)
        {
            uint address = Ask(guest, Discover, mac: 0x5254_0000_0000 + i).Address;
            Assert.InRange(address, TestGuest.Own, TestGuest.Own + 63);
        }
    }

    [Fact]
    public void Inform_IsAnsweredWithoutAnAddressOrALease()
    {
        using var guest = new TestGuest();
        Send(guest, Inform, TestGuest.Mac, TestGuest.Own, []);

        var reply = new Reply(guest.ReceiveUdp(68));

        Assert.Equal((AckType, 0u), (reply.Type, reply.Address));
        Assert.False(reply.Options.ContainsKey(51));
        Assert.True(reply.Options.ContainsKey(3));
    }

    [Fact]
    public void Restrict_LeavesOutRouterAndNameServer()
    {
        using var guest = new TestGuest(new UserNetworkSpec("n0") { Restrict = true }, introduce: false);

        Reply offer = Ask(guest, Discover);

        Assert.False(offer.Options.ContainsKey(3) || offer.Options.ContainsKey(6));
    }

    private static Reply Ask(TestGuest guest, byte type, params (byte Code, byte[] Value)[] options) => Ask(guest, type, TestGuest.Mac, options);

    private static Reply Ask(TestGuest guest, byte type, ulong mac, params (byte Code, byte[] Value)[] options)
    {
        Send(guest, type, mac, 0, options);
        var reply = new Reply(guest.ReceiveUdp(68));
        Assert.Equal(mac, reply.Mac);
        return reply;
    }

    private static void Send(TestGuest guest, byte type, ulong mac, uint client, (byte Code, byte[] Value)[] options)
    {
        byte[] message = new byte[300];
        (message[0], message[1], message[2]) = (1, 1, 6);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(4), 0x1234_5678);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(12), client);
        GuestFrames.WriteMac(message.AsSpan(28), mac);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(236), 0x6382_5363);
        int at = 240;
        foreach ((byte code, byte[] value) in options.Prepend(((byte)53, [type])))
        {
            message[at] = code;
            message[at + 1] = (byte)value.Length;
            value.CopyTo(message, at + 2);
            at += 2 + value.Length;
        }

        message[at] = 255;
        uint destination = client == 0 ? uint.MaxValue : TestGuest.Gateway;
        guest.SendUdp(68, destination, 67, message, source: client);
    }

    private static byte[] Bytes(uint value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    private sealed class Reply
    {
        public Reply(GuestFrame frame)
        {
            ReadOnlySpan<byte> message = frame.UdpData;
            Assert.Equal((2, 0x1234_5678u), (message[0], BinaryPrimitives.ReadUInt32BigEndian(message[4..])));
            Address = BinaryPrimitives.ReadUInt32BigEndian(message[16..]);
            Mac = GuestFrames.ReadMac(message[28..]);
            for (int at = 240; message[at] != 255; at += 2 + message[at + 1])
            {
                Options[message[at]] = message.Slice(at + 2, message[at + 1]).ToArray();
            }
        }

        public uint Address { get; }

        public ulong Mac { get; }

        public Dictionary<byte, byte[]> Options { get; } = [];

        public byte Type => Options[53][0];
    }
}
