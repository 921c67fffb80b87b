using System.Net;
using System.Net.Sockets;
using Emu.Core.Net;
using Emu.Net;
using Emu.Net.User;

namespace Emu.Tests.Net;

/// <summary>TCP of the user-mode network, segment by segment, against sockets on the host's loopback.</summary>
public sealed class TcpTests : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public TcpTests()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(100);
    }

    private ushort Port => (ushort)((IPEndPoint)_listener.LocalEndPoint!).Port;

    public void Dispose() => _listener.Dispose();

    [Fact]
    public void Connect_ToTheGateway_ReachesTheHostAndDataFlowsBothWays()
    {
        using var guest = new TestGuest();
        (GuestTcp tcp, Socket host) = Connect(guest);
        using Socket server = host;

        tcp.Send(TestGuest.Ack, "to the host"u8);
        Assert.Equal("to the host", ReadText(server, 11));
        tcp.ReceiveAck();
        server.Send("to the guest"u8);

        GuestFrame data = tcp.ReceiveData();
        Assert.Equal("to the guest"u8.ToArray(), data.TcpData.ToArray());
        Assert.Equal(tcp.Expected, data.Sequence);
    }

    [Fact]
    public void Connect_ToAPortWhereNobodyListens_IsReset()
    {
        using var guest = new TestGuest();
        ushort port = Port;
        _listener.Dispose();
        var tcp = new GuestTcp(guest, 1000, TestGuest.Gateway, port);

        tcp.Send(TestGuest.Syn, []);

        GuestFrame answer = tcp.Receive();
        Assert.Equal((TestGuest.Rst | TestGuest.Ack, tcp.Next), (answer.Flags, answer.Acknowledgment));
        WaitUntilGone(guest);
    }

    [Fact]
    public void Segment_OfNoConnection_IsReset()
    {
        using var guest = new TestGuest();
        var tcp = new GuestTcp(guest, 1000, TestGuest.Gateway, Port) { Expected = 77 };

        tcp.Send(TestGuest.Ack, "x"u8);

        GuestFrame answer = tcp.Receive();
        Assert.Equal((TestGuest.Rst, 77u), (answer.Flags, answer.Sequence));
    }

    [Fact]
    public void Hostfwd_OpensAConnectionToTheGuest()
    {
        using var guest = Forwarding();
        using var client = new TcpClient();
        client.Connect(guest.Network.ForwardedTcp[0]);

        GuestTcp tcp = GuestTcp.Accept(guest, 22, windowShift: 7);
        client.Client.Send("hi"u8);
        Assert.Equal("hi"u8.ToArray(), tcp.ReceiveData().TcpData.ToArray());
        tcp.Expected += 2;
        tcp.Send(TestGuest.Ack, "hello"u8);

        Assert.Equal("hello", ReadText(client.Client, 5));
        Assert.Equal(TestGuest.Gateway, tcp.Remote);
        Assert.Equal(4, tcp.PeerWindowShift);
    }

    [Fact]
    public void Hostfwd_ToAGuestThatRefuses_ClosesTheClient()
    {
        using var guest = Forwarding();
        using var client = new TcpClient();
        client.Connect(guest.Network.ForwardedTcp[0]);
        GuestFrame syn = guest.Receive(frame => frame.IsTcp && frame.Flags == TestGuest.Syn);
        var tcp = new GuestTcp(guest, 22, syn.Source, syn.SourcePort) { Expected = syn.Sequence + 1, Next = 0 };

        tcp.Send(TestGuest.Rst | TestGuest.Ack, []);

        Assert.Throws<SocketException>(() => client.Client.Receive(new byte[1]));
        WaitUntilGone(guest);
    }

    [Fact]
    public void Hostfwd_BeforeTheGuestIsKnown_FindsItByArp()
    {
        var forward = new HostForward(false, new IPEndPoint(IPAddress.Loopback, 0), null, 22);
        using var guest = new TestGuest(new UserNetworkSpec("n0") { HostForwards = [forward] }, introduce: false);
        using var client = new TcpClient();

        client.Connect(guest.Network.ForwardedTcp[0]);
        guest.Receive(frame => frame.Type == 0x806);
        guest.SendArp(2, TestGuest.Own, TestGuest.Gateway);

        GuestTcp.Accept(guest, 22);
    }

    [Fact]
    public void Guestfwd_LeadsToItsTarget_AlsoWhenRestricted()
    {
        uint server = GuestFrames.Address(10, 0, 2, 100);
        var forward = new GuestForward(new IPEndPoint(IPAddress.Parse("10.0.2.100"), 80), _listener.LocalEndPoint!);
        using var guest = new TestGuest(new UserNetworkSpec("n0") { GuestForwards = [forward], Restrict = true });

        GuestTcp tcp = GuestTcp.Connect(guest, 1000, server, 80);
        using Socket host = _listener.Accept();
        tcp.Send(TestGuest.Ack, "x"u8);

        Assert.Equal("x", ReadText(host, 1));
    }

    [Fact]
    public void Dns_OverTcp_ReachesTheResolver()
    {
        using var guest = new TestGuest(new UserNetworkSpec("n0") { Resolvers = [(IPEndPoint)_listener.LocalEndPoint!] });

        GuestTcp tcp = GuestTcp.Connect(guest, 1000, TestGuest.NameServer, 53);
        using Socket host = _listener.Accept();
        tcp.Send(TestGuest.Ack, "q"u8);

        Assert.Equal("q", ReadText(host, 1));
    }

    [Fact]
    public void Fin_OfTheGuest_IsAHalfCloseAndTheConnectionEndsWhenTheHostCloses()
    {
        using var guest = new TestGuest();
        (GuestTcp tcp, Socket host) = Connect(guest);
        using Socket server = host;

        tcp.Send(TestGuest.Ack | TestGuest.Fin, "last"u8);
        Assert.Equal("last", ReadText(server, 4));
        Assert.Equal(0, server.Receive(new byte[1]));
        server.Send("still"u8);
        Assert.Equal("still"u8.ToArray(), tcp.ReceiveData().TcpData.ToArray());
        tcp.Expected += 5;
        tcp.Send(TestGuest.Ack, []);
        server.Close();
        GuestFrame fin = tcp.Receive(TestGuest.Fin);
        Assert.Equal(tcp.Expected, fin.Sequence);
        tcp.Expected++;
        tcp.Send(TestGuest.Ack, []);

        WaitUntilGone(guest);
    }

    [Fact]
    public void Fin_OfTheHost_IsAHalfCloseAndTimeWaitAnswersLateFins()
    {
        using var guest = new TestGuest(timings: new NetTimings { TimeWait = 400 });
        (GuestTcp tcp, Socket host) = Connect(guest);
        using Socket server = host;

        server.Shutdown(SocketShutdown.Send);
        tcp.Receive(TestGuest.Fin);
        tcp.Expected++;
        tcp.Send(TestGuest.Ack, "answer"u8);
        Assert.Equal("answer", ReadText(server, 6));
        tcp.Send(TestGuest.Ack | TestGuest.Fin, []);
        tcp.ReceiveAck();
        Assert.Equal(1, guest.Network.Tcp.Count);
        tcp.SendAt(tcp.Next - 1, TestGuest.Ack | TestGuest.Fin, []);
        tcp.ReceiveAck();

        Assert.Equal(0, server.Receive(new byte[1]));
        WaitUntilGone(guest);
    }

    [Fact]
    public void Syn_InTimeWait_OpensANewConnection()
    {
        using var guest = new TestGuest();
        (GuestTcp tcp, Socket host) = Connect(guest);
        host.Close();
        tcp.Receive(TestGuest.Fin);
        tcp.Expected++;
        tcp.Send(TestGuest.Ack | TestGuest.Fin, []);
        tcp.ReceiveAck();

        tcp.Next += 1000;
        tcp.Send(TestGuest.Syn, []);

        tcp.Receive(TestGuest.Syn | TestGuest.Ack);
        _listener.Accept().Dispose();
    }

    [Fact]
    public void Rst_OfTheGuest_ResetsTheHostsPeer()
    {
        using var guest = new TestGuest();
        (GuestTcp tcp, Socket host) = Connect(guest);
        using Socket server = host;

        tcp.Send(TestGuest.Rst, []);

        Assert.Equal(SocketError.ConnectionReset, Assert.Throws<SocketException>(() => server.Receive(new byte[1])).SocketErrorCode);
        WaitUntilGone(guest);
    }

    [Fact]
    public void Rst_ThatIsNotExact_IsChallengedAndChangesNothing()
    {
        using var guest = new TestGuest();
        (GuestTcp tcp, Socket host) = Connect(guest);
        using Socket server = host;

        tcp.SendAt(tcp.Next + 100, TestGuest.Rst, []);
        tcp.ReceiveAck();
        tcp.SendAt(tcp.Next - 100, TestGuest.Rst, []);
        tcp.Send(TestGuest.Ack, "x"u8);

        Assert.Equal("x", ReadText(server, 1));
    }

    [Fact]
    public void Rst_OfTheHostsPeer_ResetsTheGuest()
    {
        using var guest = new TestGuest();
        (GuestTcp tcp, Socket host) = Connect(guest);

        host.LingerState = new LingerOption(true, 0);
        host.Dispose();

        GuestFrame reset = tcp.Receive(TestGuest.Rst);
        Assert.Equal(tcp.Expected, reset.Sequence);
        WaitUntilGone(guest);
    }

    [Fact]
    public void Segments_OutOfOrder_AreAnsweredWithWhatIsMissing()
    {
        using var guest = new TestGuest();
        (GuestTcp tcp, Socket host) = Connect(guest);
        using Socket server = host;

        tcp.SendAt(tcp.Next + 3, TestGuest.Ack, "def"u8);
        tcp.ReceiveAck();
        tcp.Send(TestGuest.Ack, "abc"u8);
        tcp.SendAt(tcp.Next - 3, TestGuest.Ack, "abcdef"u8);
        tcp.Next += 3;
        tcp.ReceiveAck();

        Assert.Equal("abcdef", ReadText(server, 6));
    }

    [Fact]
    public void KeepAlive_OfTheGuest_IsAnswered()
    {
        using var guest = new TestGuest();
        (GuestTcp tcp, Socket host) = Connect(guest);
        using Socket server = host;

        tcp.SendAt(tcp.Next - 1, TestGuest.Ack, []);
        tcp.ReceiveAck();
    }

    [Fact]
    public void KeepAlive_OfASilentGuest_IsSentAndEndsTheConnectionAtLast()
    {
        using var guest = new TestGuest(timings: new NetTimings { KeepAliveIdle = 50, KeepAliveInterval = 20 });
        (GuestTcp tcp, Socket host) = Connect(guest);
        using Socket server = host;

        GuestFrame probe = guest.Receive(frame => tcp.IsMine(frame) && frame.Flags == TestGuest.Ack);
        Assert.Equal((tcp.Expected - 1, 0), (probe.Sequence, probe.TcpData.Length));

        tcp.Receive(TestGuest.Rst);
        WaitUntilGone(guest);
    }

    [Fact]
    public void Data_RefusedByTheCard_IsSentAgainWhenItHasRoom()
    {
        using var guest = new TestGuest(timings: new NetTimings { Retransmit = 60_000 });
        (GuestTcp tcp, Socket host) = Connect(guest);
        using Socket server = host;
        guest.RefuseNext(1);

        server.Send("data"u8);
        guest.WaitForRefusals(1);
        guest.Network.ReceiverReady();

        GuestFrame data = tcp.ReceiveData();
        Assert.Equal((tcp.Expected, "data"), (data.Sequence, System.Text.Encoding.ASCII.GetString(data.TcpData)));
    }

    [Fact]
    public void Data_NotAcknowledged_IsSentAgainByTheTimer()
    {
        using var guest = new TestGuest(timings: new NetTimings { Retransmit = 30 });
        (GuestTcp tcp, Socket host) = Connect(guest);
        using Socket server = host;

        server.Send("data"u8);
        GuestFrame first = tcp.ReceiveData();
        GuestFrame second = tcp.ReceiveData();

        Assert.Equal(first.Sequence, second.Sequence);
        Assert.Equal("data"u8.ToArray(), second.TcpData.ToArray());
    }

    [Fact]
    public void Data_NeverAcknowledged_EndsInAReset()
    {
        using var guest = new TestGuest(timings: new NetTimings { Retransmit = 1, MaxRetransmit = 5, MaxRetries = 4 });
        (GuestTcp tcp, Socket host) = Connect(guest);
        using Socket server = host;

        server.Send("data"u8);

        tcp.Receive(TestGuest.Rst);
        WaitUntilGone(guest);
    }

    [Fact]
    public void ThreeDuplicates_BringALostSegmentAtOnce()
    {
        using var guest = new TestGuest(timings: new NetTimings { Retransmit = 60_000 });
        (GuestTcp tcp, Socket host) = Connect(guest);
        using Socket server = host;
        server.Send(new byte[4000]);
        GuestFrame lost = tcp.ReceiveData();

        for (int i = 0; i < 3; i++)
        {
            tcp.Send(TestGuest.Ack, []);
        }

        guest.Receive(frame => tcp.IsMine(frame) && frame.Sequence == lost.Sequence && frame.TcpData.Length > 0);
    }

    [Fact]
    public void Window_OfZero_IsProbedAndDataFlowsWhenItOpens()
    {
        using var guest = new TestGuest(timings: new NetTimings { Retransmit = 20 });
        (GuestTcp tcp, Socket host) = Connect(guest);
        using Socket server = host;
        tcp.Window = 0;
        tcp.Send(TestGuest.Ack, []);
        byte[] data = [.. Enumerable.Range(0, 3000).Select(i => (byte)i)];

        server.Send(data);
        GuestFrame probe = tcp.ReceiveData();
        Assert.Equal((tcp.Expected, 1), (probe.Sequence, probe.TcpData.Length));
        tcp.Send(TestGuest.Ack, []);
        tcp.Window = 2000;
        tcp.Send(TestGuest.Ack, []);

        byte[] received = new byte[data.Length];
        for (uint start = tcp.Expected; tcp.Expected != start + (uint)data.Length;)
        {
            GuestFrame frame = tcp.ReceiveData();
            Assert.True(frame.Sequence + frame.TcpData.Length <= tcp.Expected + 2001);
            frame.TcpData.CopyTo(received.AsSpan((int)(frame.Sequence - start)));
            tcp.Expected = Math.Max(tcp.Expected, frame.Sequence + (uint)frame.TcpData.Length);
            tcp.Send(TestGuest.Ack, []);
        }

        Assert.Equal(data, received);
    }

    [Fact]
    public void Window_OfThisSide_ClosesWhenTheHostDoesNotRead_AndOpensAgain()
    {
        using var guest = new TestGuest();
        (GuestTcp tcp, Socket host) = Connect(guest, windowShift: 0);
        using Socket server = host;
        byte[] data = new byte[60_000];
        long sent = 0;
        uint edge = tcp.Next;
        GuestFrame last;
        do
        {
            tcp.SendLarge(data);
            sent += data.Length;
            last = tcp.ReceiveAck();
            Assert.False((int)(last.Acknowledgment + ((uint)last.Window << 4) - edge) < 0, "the window shrank");
            edge = last.Acknowledgment + ((uint)last.Window << 4);
        }
        while (edge - tcp.Next >= data.Length);

        long read = 0;
        while (read < sent)
        {
            read += server.Receive(new byte[1 << 20]);
        }

        guest.Receive(frame => tcp.IsMine(frame) && frame.Acknowledgment == tcp.Next && (uint)frame.Window << 4 >= 200_000);
        Assert.Equal(sent, read);
        Assert.Equal(0, guest.Network.Tcp.ChunksInUse);
    }

    [Fact]
    public void MoreConnectionsThanAllowed_AreResetWithOneNotice()
    {
        using var guest = new TestGuest(timings: new NetTimings { MaxTcpConnections = 3 });
        for (ushort port = 1000; port < 1003; port++)
        {
            GuestTcp.Connect(guest, port, TestGuest.Gateway, Port);
        }

        var fourth = new GuestTcp(guest, 1003, TestGuest.Gateway, Port);
        fourth.Send(TestGuest.Syn, []);

        Assert.Equal(TestGuest.Rst | TestGuest.Ack, fourth.Receive().Flags);
        Assert.Equal("network n0: too many TCP connections; new ones are refused until others end", Assert.Single(guest.Notices));
    }

    [Theory]
    [InlineData(NetOffloads.None, 10 << 20)]
    [InlineData(NetOffloads.Checksum, 2 << 20)]
    [InlineData(NetOffloads.Checksum | NetOffloads.Tso4, 10 << 20)]
    public void Transfer_ToTheGuest_ArrivesWholeWithRefusedFramesInBetween(NetOffloads offloads, int length)
    {
        using var guest = new TestGuest { Offloads = offloads };
        (GuestTcp tcp, Socket host) = Connect(guest, windowShift: 7);
        using Socket server = host;
        byte[] data = RandomBytes(length);
        using var sink = new GuestSink(guest, tcp, length);

        var sending = new Thread(() =>
        {
            server.Send(data);
            server.Shutdown(SocketShutdown.Send);
        });
        sending.Start();

        Assert.True(sink.Finished.Wait(TimeSpan.FromSeconds(60)), $"{sink.Received} of {length} bytes arrived");
        sending.Join();
        Assert.True(sink.Data.AsSpan().SequenceEqual(data));
        Assert.True(guest.Refused > 3, $"{guest.Refused} frames were refused");
        Assert.Equal(offloads.HasFlag(NetOffloads.Tso4), sink.Largest > 60_000);
    }

    [Fact]
    public void Transfer_ToTheGuest_InPiecesThatAreWaitedFor_LosesNothing()
    {
        using var guest = new TestGuest();
        (GuestTcp tcp, Socket host) = Connect(guest);
        using Socket server = host;
        for (int i = 0; i < 50; i++)
        {
            server.Send([(byte)i, (byte)(i + 1)]);
            GuestFrame frame = tcp.ReceiveData();
            Assert.Equal(new[] { (byte)i, (byte)(i + 1) }, frame.TcpData.ToArray());
            tcp.Expected += 2;
            tcp.Send(TestGuest.Ack, []);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Transfer_ToTheHost_ArrivesWhole(bool large)
    {
        using var guest = new TestGuest();
        (GuestTcp tcp, Socket host) = Connect(guest, windowShift: 7);
        using Socket server = host;
        byte[] data = RandomBytes(10 << 20);
        byte[] received = new byte[data.Length];
        var reading = new Thread(() => ReadAll(server, received));
        reading.Start();

        GuestSource.Send(guest, tcp, data, large ? 64_000 : 1460);
        tcp.Send(TestGuest.Ack | TestGuest.Fin, []);

        Assert.True(reading.Join(TimeSpan.FromSeconds(60)));
        Assert.True(received.AsSpan().SequenceEqual(data));
        Assert.Equal(0, server.Receive(new byte[1]));
    }

    [Fact]
    public void Dispose_WithConnectionsInEveryState_Ends()
    {
        var guest = Forwarding();
        (GuestTcp _, Socket host) = Connect(guest);
        using Socket server = host;
        using var client = new TcpClient();
        client.Connect(guest.Network.ForwardedTcp[0]);
        server.Send(new byte[100_000]);
        guest.IsFull = true;

        guest.Dispose();

        Assert.Equal(0, guest.Network.Tcp.Count);
    }

    private static TestGuest Forwarding() => new(
        new UserNetworkSpec("n0") { HostForwards = [new HostForward(false, new IPEndPoint(IPAddress.Loopback, 0), null, 22)] });

    private static byte[] RandomBytes(int length)
    {
        byte[] data = new byte[length];
        new Random(length).NextBytes(data);
        return data;
    }

    private static void ReadAll(Socket socket, byte[] buffer)
    {
        for (int at = 0; at < buffer.Length;)
        {
            int length = socket.Receive(buffer.AsSpan(at));
            Assert.NotEqual(0, length);
            at += length;
        }
    }

    private static string ReadText(Socket socket, int length)
    {
        byte[] buffer = new byte[length];
        socket.ReceiveTimeout = 20_000;
        ReadAll(socket, buffer);
        return System.Text.Encoding.ASCII.GetString(buffer);
    }

    private static void WaitUntilGone(TestGuest guest) =>
        Assert.True(SpinWait.SpinUntil(() => guest.Network.Tcp.Count == 0, TimeSpan.FromSeconds(20)), "the connection is still there");

    private (GuestTcp Guest, Socket Host) Connect(TestGuest guest, int windowShift = -1)
    {
        GuestTcp tcp = GuestTcp.Connect(guest, 1000, TestGuest.Gateway, Port, windowShift);
        Socket host = _listener.Accept();
        host.ReceiveTimeout = 20_000;
        return (tcp, host);
    }
}
