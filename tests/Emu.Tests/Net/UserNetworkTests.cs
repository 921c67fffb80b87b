using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Emu.Net;
using Emu.Net.User;

namespace Emu.Tests.Net;

/// <summary>The user-mode network without TCP.</summary>
public sealed class UserNetworkTests
{
    private static readonly byte[] Hello = "hello"u8.ToArray();

    [Fact]
    public void Arp_ForTheGateway_IsAnswered()
    {
        using var guest = new TestGuest(introduce: false);

        guest.SendArp(1, TestGuest.Own, TestGuest.Gateway);

        GuestFrame answer = guest.Receive(frame => frame.Type == 0x806);
        Assert.Equal(TestGuest.Mac, GuestFrames.ReadMac(answer.Bytes));
        Assert.Equal(0x5255_0a00_0202UL, GuestFrames.ReadMac(answer.Bytes.AsSpan(22)));
        Assert.Equal(TestGuest.Gateway, BinaryPrimitives.ReadUInt32BigEndian(answer.Bytes.AsSpan(28)));
        Assert.Equal(2, BinaryPrimitives.ReadUInt16BigEndian(answer.Bytes.AsSpan(20)));
    }

    [Fact]
    public void Arp_ForAnAddressThatNobodyHas_IsNotAnswered()
    {
        using var guest = new TestGuest();

        guest.SendArp(1, TestGuest.Own, GuestFrames.Address(10, 0, 2, 77));
        guest.SendArp(1, TestGuest.Own, TestGuest.NameServer);

        GuestFrame answer = guest.Receive(frame => frame.Type == 0x806);
        Assert.Equal(TestGuest.NameServer, BinaryPrimitives.ReadUInt32BigEndian(answer.Bytes.AsSpan(28)));
    }

    [Fact]
    public void Echo_OfTheGateway_ComesBackWithItsData()
    {
        using var guest = new TestGuest();

        guest.SendIp(GuestFrames.Icmp, TestGuest.Gateway, TestGuest.Echo(7, Hello));

        GuestFrame reply = guest.Receive(frame => frame.Protocol == GuestFrames.Icmp);
        Assert.Equal((0, 0), (reply.Payload[0], GuestFrames.Checksum(reply.Payload)));
        Assert.Equal(Hello, reply.Payload[8..].ToArray());
        Assert.Equal(TestGuest.Gateway, reply.Source);
    }

    [Fact]
    public void Echo_LargerThanAFrame_IsReassembledAndFragmented()
    {
        using var guest = new TestGuest();
        byte[] message = TestGuest.Echo(7, [.. Enumerable.Range(0, 4000).Select(i => (byte)i)]);

        guest.SendIp(GuestFrames.Icmp, TestGuest.Gateway, message.AsSpan(2960), id: 5, fragment: 2960 / 8);
        guest.SendIp(GuestFrames.Icmp, TestGuest.Gateway, message.AsSpan(0, 1480), id: 5, fragment: 0x2000);
        guest.SendIp(GuestFrames.Icmp, TestGuest.Gateway, message.AsSpan(1480, 1480), id: 5, fragment: 0x2000 | (1480 / 8));

        byte[] reply = new byte[message.Length];
        for (int received = 0; received < reply.Length;)
        {
            GuestFrame part = guest.Receive(frame => frame.Protocol == GuestFrames.Icmp);
            part.Payload.CopyTo(reply.AsSpan((part.Fragment & 0x1fff) * 8));
            received += part.Payload.Length;
        }

        Assert.Equal(message[8..], reply[8..]);
        Assert.Equal(0, reply[0]);
    }

    [Fact]
    public void Fragments_ThatOverlap_AreDroppedAndCounted()
    {
        using var guest = new TestGuest();

        guest.SendIp(GuestFrames.Icmp, TestGuest.Gateway, new byte[1480], id: 5, fragment: 0x2000);
        guest.SendIp(GuestFrames.Icmp, TestGuest.Gateway, new byte[1480], id: 5, fragment: 0x2000 | 1);

        Assert.Equal(1, guest.Network.Drops[NetDrop.Fragments]);
    }

    [Fact]
    public void Udp_ToTheGateway_ReachesTheHostsLoopbackAndBack()
    {
        using var guest = new TestGuest();
        using UdpClient server = Server();

        guest.SendUdp(4000, TestGuest.Gateway, PortOf(server), Hello);
        IPEndPoint? from = null;
        Assert.Equal(Hello, server.Receive(ref from));
        server.Send("answer"u8, from);

        GuestFrame answer = guest.ReceiveUdp(4000);
        Assert.Equal("answer"u8.ToArray(), answer.UdpData.ToArray());
        Assert.Equal((TestGuest.Gateway, PortOf(server)), (answer.Source, answer.SourcePort));
    }

    [Fact]
    public void Udp_AnswersThatAreWaitedFor_AllArriveWhole()
    {
        using var guest = new TestGuest();
        using UdpClient server = Server();
        guest.SendUdp(4000, TestGuest.Gateway, PortOf(server), Hello);
        IPEndPoint? from = null;
        server.Receive(ref from);
        for (byte i = 0; i < 50; i++)
        {
            server.Send([i, (byte)(i + 1)], from);
            Assert.Equal(new byte[] { i, (byte)(i + 1) }, guest.ReceiveUdp(4000).UdpData.ToArray());
        }
    }

    [Fact]
    public void Udp_LargeDatagrams_AreReassembledAndFragmented()
    {
        using var guest = new TestGuest();
        using UdpClient server = Server();
        byte[] data = [.. Enumerable.Range(0, 5000).Select(i => (byte)(i * 7))];
        byte[] datagram = GuestFrames.UdpDatagram(TestGuest.Own, 4000, TestGuest.Gateway, PortOf(server), data);

        for (int at = 0; at < datagram.Length; at += 1480)
        {
            int length = Math.Min(1480, datagram.Length - at);
            guest.SendIp(GuestFrames.Udp, TestGuest.Gateway, datagram.AsSpan(at, length), id: 9,
                fragment: (ushort)((at / 8) | (at + length < datagram.Length ? 0x2000 : 0)));
        }

        IPEndPoint? from = null;
        Assert.Equal(data, server.Receive(ref from));
        server.Send(data, from);
        byte[] answer = new byte[datagram.Length];
        for (int received = 0; received < answer.Length;)
        {
            GuestFrame part = guest.Receive(frame => frame.Protocol == GuestFrames.Udp);
            part.Payload.CopyTo(answer.AsSpan((part.Fragment & 0x1fff) * 8));
            received += part.Payload.Length;
        }

        Assert.Equal(data, answer[8..]);
    }

    [Fact]
    public void Udp_FromSomeoneTheGuestDoesNotKnow_IsDropped()
    {
        using var guest = new TestGuest();
        using UdpClient server = Server();
        using var stranger = new UdpClient(new IPEndPoint(IPAddress.Parse("127.0.0.5"), 0));
        guest.SendUdp(4000, TestGuest.Gateway, PortOf(server), Hello);
        IPEndPoint? from = null;
        server.Receive(ref from);

        stranger.Send(Hello, new IPEndPoint(IPAddress.Loopback, from.Port));

        guest.WaitForDrop(NetDrop.Unsolicited);
    }

    [Fact]
    public void Udp_IdleFlow_EndsAndItsPortWorksAgain()
    {
        using var guest = new TestGuest(timings: new NetTimings { UdpIdle = 50 });
        using UdpClient server = Server();
        guest.SendUdp(4000, TestGuest.Gateway, PortOf(server), Hello);

        Assert.True(SpinWait.SpinUntil(() => guest.Network.UdpFlowCount == 0, TimeSpan.FromSeconds(10)));

        guest.SendUdp(4000, TestGuest.Gateway, PortOf(server), Hello);
        Assert.Equal(1, guest.Network.UdpFlowCount);
    }

    [Fact]
    public void Udp_MoreFlowsThanAllowed_AreDroppedWithOneNotice()
    {
        using var guest = new TestGuest(timings: new NetTimings { MaxUdpFlows = 4 });
        using UdpClient server = Server();

        for (ushort port = 4000; port < 4010; port++)
        {
            guest.SendUdp(port, TestGuest.Gateway, PortOf(server), Hello);
        }

        Assert.Equal(6, guest.Network.Drops[NetDrop.UdpTableFull]);
        Assert.Equal(4, guest.Network.UdpFlowCount);
        Assert.Equal("network n0: too many UDP flows; new ones are dropped until others time out", Assert.Single(guest.Notices));
    }

    [Fact]
    public void Udp_Hostfwd_ReachesTheGuestAndBack()
    {
        var forward = new HostForward(true, new IPEndPoint(IPAddress.Loopback, 0), null, 69);
        using var guest = new TestGuest(new UserNetworkSpec("n0") { HostForwards = [forward], Restrict = true });
        using var client = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));

        client.Send(Hello, guest.Network.ForwardedUdp[0]);
        GuestFrame received = guest.ReceiveUdp(69);
        guest.SendUdp(69, received.Source, received.SourcePort, "back"u8);

        Assert.Equal(TestGuest.Gateway, received.Source);
        IPEndPoint? from = null;
        Assert.Equal("back"u8.ToArray(), client.Receive(ref from));
        Assert.Equal(guest.Network.ForwardedUdp[0], from);
    }

    [Fact]
    public void Dns_Question_IsPassedOnAndAnswered()
    {
        using UdpClient resolver = Server();
        using var guest = new TestGuest(new UserNetworkSpec("n0") { Resolvers = [(IPEndPoint)resolver.Client.LocalEndPoint!] });

        guest.SendUdp(5353, TestGuest.NameServer, 53, "question"u8);
        IPEndPoint? from = null;
        Assert.Equal("question"u8.ToArray(), resolver.Receive(ref from));
        resolver.Send("answer"u8, from);

        GuestFrame answer = guest.ReceiveUdp(5353);
        Assert.Equal("answer"u8.ToArray(), answer.UdpData.ToArray());
        Assert.Equal((TestGuest.NameServer, 53), (answer.Source, answer.SourcePort));
    }

    [Fact]
    public void Restrict_LetsNothingOut()
    {
        using UdpClient server = Server();
        using var guest = new TestGuest(new UserNetworkSpec("n0") { Restrict = true, Resolvers = [(IPEndPoint)server.Client.LocalEndPoint!] });

        guest.SendUdp(4000, TestGuest.Gateway, PortOf(server), Hello);
        guest.SendUdp(4000, TestGuest.NameServer, 53, Hello);
        guest.SendIp(GuestFrames.Icmp, GuestFrames.Address(192, 0, 2, 1), TestGuest.Echo(1, Hello));
        new GuestTcp(guest, 1234, TestGuest.Gateway, PortOf(server)).Send(TestGuest.Syn, []);

        Assert.Equal(4, guest.Network.Drops[NetDrop.Restricted]);
        Assert.Equal(0, guest.Network.UdpFlowCount + guest.Network.Tcp.Count);
        Assert.Equal(TestGuest.Rst | TestGuest.Ack, guest.Receive(frame => frame.IsTcp).Flags);
    }

    [Theory]
    [InlineData(127, 0, 0, 1)]
    [InlineData(0, 0, 0, 0)]
    [InlineData(224, 0, 0, 1)]
    [InlineData(255, 255, 255, 255)]
    [InlineData(10, 0, 2, 99)]
    [InlineData(10, 0, 2, 255)]
    public void Udp_ToAnAddressThatIsNobodys_IsAMartian(byte a, byte b, byte c, byte d)
    {
        using var guest = new TestGuest();

        guest.SendUdp(4000, GuestFrames.Address(a, b, c, d), 4001, Hello);

        Assert.Equal((1, 0), (guest.Network.Drops[NetDrop.Martian], guest.Network.UdpFlowCount));
    }

    [Fact]
    public void Udp_FromAForgedSender_IsAMartian()
    {
        using var guest = new TestGuest();

        guest.SendUdp(4000, TestGuest.Gateway, 4001, Hello, source: GuestFrames.Address(10, 0, 3, 15));
        guest.SendUdp(4000, TestGuest.Gateway, 4001, Hello, source: TestGuest.NameServer);

        Assert.Equal(2, guest.Network.Drops[NetDrop.Martian]);
    }

    [Fact]
    public void Udp_WithAWrongChecksum_IsDropped()
    {
        using var guest = new TestGuest();
        byte[] datagram = GuestFrames.UdpDatagram(TestGuest.Own, 4000, TestGuest.Gateway, 4001, Hello);
        datagram[^1] ^= 1;

        guest.SendIp(GuestFrames.Udp, TestGuest.Gateway, datagram);

        Assert.Equal((1, 0), (guest.Network.Drops[NetDrop.Malformed], guest.Network.UdpFlowCount));
    }

    [Fact]
    public void Frames_RefusedByTheCard_ArriveWhenItHasRoom()
    {
        using var guest = new TestGuest();
        guest.IsFull = true;
        for (ushort id = 0; id < 5; id++)
        {
            guest.SendIp(GuestFrames.Icmp, TestGuest.Gateway, TestGuest.Echo(id, Hello));
        }

        guest.WaitForRefusals(1);
        guest.IsFull = false;
        guest.Network.ReceiverReady();

        for (ushort id = 0; id < 5; id++)
        {
            Assert.Equal(id, BinaryPrimitives.ReadUInt16BigEndian(guest.Receive(frame => frame.Protocol == GuestFrames.Icmp).Payload[4..]));
        }
    }

    private static UdpClient Server()
    {
        var server = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        server.Client.ReceiveTimeout = 20_000;
        return server;
    }

    private static ushort PortOf(UdpClient server) => (ushort)((IPEndPoint)server.Client.LocalEndPoint!).Port;
}
