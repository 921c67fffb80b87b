using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Emu.Core.Net;
using Emu.Net;
using Emu.Net.Tap;

namespace Emu.Tests.Net;

/// <summary>Networks that are wires to something else, and captures.</summary>
public sealed class WireTests : IDisposable
{
    private static readonly byte[] Frame = [.. Enumerable.Range(0, 60).Select(i => (byte)i)];
    private static readonly IPEndPoint AnyPort = new(IPAddress.Loopback, 0);

    private readonly string _folder = Directory.CreateTempSubdirectory("emu-net-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Socket_ListenAndConnect_CarryFramesBothWays_AlsoToACardThatWaits()
    {
        using var first = SocketNetwork.Create(new SocketNetworkSpec("a", SocketNetworkKind.Listen, AnyPort));
        using var second = SocketNetwork.Create(new SocketNetworkSpec("b", SocketNetworkKind.Connect, first.LocalEndPoint!));
        var firstCard = new Card();
        var secondCard = new Card { Refusals = 1 };
        first.Connect(firstCard);
        second.Connect(secondCard);

        second.Send(Frame, default);
        Assert.Equal(Frame, firstCard.Take());
        first.Send(Frame, default);
        Assert.True(SpinWait.SpinUntil(() => secondCard.Refusals == 0, TimeSpan.FromSeconds(10)));
        second.ReceiverReady();

        Assert.Equal(Frame, secondCard.Take());
    }

    [Fact]
    public void Socket_PeerThatIsOutOfStep_IsLeftAndTheNextIsServed()
    {
        using var network = SocketNetwork.Create(new SocketNetworkSpec("a", SocketNetworkKind.Listen, AnyPort));
        var card = new Card();
        network.Connect(card);
        using var wrong = new TcpClient();
        wrong.Connect(network.LocalEndPoint!);
        wrong.Client.Send([0x7f, 0xff, 0xff, 0xff]);
        wrong.Client.ReceiveTimeout = 10_000;
        Assert.Equal(0, wrong.Client.Receive(new byte[1]));

        using var right = new TcpClient();
        right.Connect(network.LocalEndPoint!);
        right.Client.Send([0, 0, 0, 60, .. Frame]);

        Assert.Equal(Frame, card.Take());
    }

    [Fact]
    public void Udp_CarriesAFrameInEachDatagram()
    {
        using var other = new UdpClient(AnyPort);
        using var network = DatagramNetwork.Create(
            new SocketNetworkSpec("a", SocketNetworkKind.Udp, (IPEndPoint)other.Client.LocalEndPoint!) { LocalAddress = AnyPort });
        var card = new Card();
        network.Connect(card);

        network.Send(Frame, default);
        IPEndPoint? from = null;
        other.Client.ReceiveTimeout = 10_000;
        Assert.Equal(Frame, other.Receive(ref from));
        other.Send(Frame, network.LocalEndPoint);

        Assert.Equal(Frame, card.Take());
    }

    [Fact]
    public void FilterDump_WritesBothDirectionsAndShortensLongFrames()
    {
        string path = Path.Combine(_folder, "capture.pcap");
        var network = new Loop();
        using (var dump = FilterDump.Create(new FilterDumpSpec("f", "n", path, 50), network))
        {
            var card = new Card();
            dump.Connect(card);
            dump.Send(Frame, default);
            Assert.Equal(Frame, card.Take());
            Assert.Equal(NetOffloads.Tso4, dump.Offloads);
        }

        ReadOnlySpan<byte> file = File.ReadAllBytes(path);
        Assert.Equal(24 + (2 * (16 + 50)), file.Length);
        Assert.Equal((0xa1b2c3d4u, 1u), (BinaryPrimitives.ReadUInt32LittleEndian(file), BinaryPrimitives.ReadUInt32LittleEndian(file[20..])));
        for (int at = 24; at < file.Length; at += 66)
        {
            Assert.Equal((50, 60), (BinaryPrimitives.ReadInt32LittleEndian(file[(at + 8)..]), BinaryPrimitives.ReadInt32LittleEndian(file[(at + 12)..])));
            Assert.Equal(Frame[..50], file.Slice(at + 16, 50).ToArray());
        }
    }

    [Fact]
    public void HostNetworks_GiveEachNetworkToOneCard_AndNameWhatFails()
    {
        var user = new UserNetworkSpec("n0");
        string path = Path.Combine(_folder, "capture.pcap");
        using HostNetworks networks = HostNetworks.Create([user], [new FilterDumpSpec("f", "n0", path)], _ => { });

        Assert.Equal(["n0"], networks.Unused);
        Assert.True(networks.TryTake("n0", out INetBackend? network));
        Assert.IsType<FilterDump>(network);
        Assert.False(networks.TryTake("n0", out _));
        Assert.False(networks.TryTake("n1", out _));
        Assert.Empty(networks.Unused);
        var wrong = user with { Gateway = IPAddress.Parse("10.0.3.2") };
        Assert.Equal("-netdev: n0: host=10.0.3.2 is not a host's address of the network 10.0.2.0; choose one of those",
            Assert.Throws<NetworkException>(() => HostNetworks.Create([wrong], [], _ => { })).Message);
    }

    [Fact]
    public void Hostfwd_PortThatIsTaken_IsNamed()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(AnyPort);
        taken.Listen();
        var spec = new UserNetworkSpec("n0") { HostForwards = [new HostForward(false, (IPEndPoint)taken.LocalEndPoint!, null, 22)] };

        string message = Assert.Throws<NetworkException>(() => HostNetworks.Create([spec], [], _ => { })).Message;

        Assert.StartsWith($"-netdev: n0: hostfwd: cannot listen at {taken.LocalEndPoint}: ", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tap_WithoutLinuxOrPrivilege_IsRefusedByName()
    {
        if (OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess)
        {
            // Root may make interfaces: a name that cannot be is refused all the same.
            Assert.Contains("ifname=", Assert.Throws<NetworkException>(() => TapNetwork.Create(new TapNetworkSpec("t", new string('x', 20)))).Message, StringComparison.Ordinal);
            return;
        }

        Assert.Contains("user", Assert.Throws<NetworkException>(() => TapNetwork.Create(new TapNetworkSpec("t", "emu-none"))).Message, StringComparison.Ordinal);
    }

    private sealed class Card : INetReceiver
    {
        private readonly System.Collections.Concurrent.BlockingCollection<byte[]> _frames = [];

        public int Refusals { get; set; }

        public bool Receive(ReadOnlySpan<byte> frame, in FrameOffload offload)
        {
            if (Refusals > 0)
            {
                Refusals--;
                return false;
            }

            _frames.Add(frame.ToArray());
            return true;
        }

        public byte[] Take() => _frames.TryTake(out byte[]? frame, TimeSpan.FromSeconds(10)) ? frame : throw new TimeoutException("no frame came");
    }

    private sealed class Loop : INetBackend
    {
        private INetReceiver? _receiver;

        public NetOffloads Offloads => NetOffloads.Tso4;

        public void Connect(INetReceiver receiver) => _receiver = receiver;

        public void Send(ReadOnlySpan<byte> frame, in FrameOffload offload) => _receiver!.Receive(frame, offload);

        public void ReceiverReady()
        {
        }

        public void Dispose()
        {
        }
    }
}
