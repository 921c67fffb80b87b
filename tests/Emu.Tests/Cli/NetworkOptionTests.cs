using System.Net;
using Emu.Cli.Options;
using Emu.Machine;
using Emu.Net;

namespace Emu.Tests.Cli;

public sealed class NetworkOptionTests
{
    [Fact]
    public void Netdev_User_IsReadWhole()
    {
        MachineConfig config = Parse("-netdev", "user,id=n0,net=192.168.5.0/255.255.255.0,host=192.168.5.1,dns=192.168.5.2,dhcpstart=192.168.5.9,hostname=box,"
            + "dnssearch=a.b,dnssearch=c,restrict=on,hostfwd=tcp::2222-:22,hostfwd=udp:127.0.0.1:69-192.168.5.9:69,guestfwd=tcp:192.168.5.100:80-tcp:127.0.0.1:8080");

        var user = Assert.IsType<UserNetworkSpec>(Assert.Single(config.Networks));
        Assert.Equal(("n0", "192.168.5.0", 24, "box", true), (user.Id, user.Network.ToString(), user.PrefixLength, user.HostName, user.Restrict));
        Assert.Equal(("192.168.5.1", "192.168.5.2", "192.168.5.9"), (user.Gateway!.ToString(), user.NameServer!.ToString(), user.DhcpStart!.ToString()));
        Assert.Equal(["a.b", "c"], user.SearchDomains);
        Assert.Equal(
            [
                new HostForward(false, new IPEndPoint(IPAddress.Any, 2222), null, 22),
                new HostForward(true, new IPEndPoint(IPAddress.Loopback, 69), IPAddress.Parse("192.168.5.9"), 69),
            ],
            user.HostForwards);
        Assert.Equal([new GuestForward(IPEndPoint.Parse("192.168.5.100:80"), IPEndPoint.Parse("127.0.0.1:8080"))], user.GuestForwards);
    }

    [Theory]
    [InlineData("pc", "user", "virtio-net-pci")]
    [InlineData("microvm", "user", "virtio-net-device")]
    [InlineData("microvm", "user,model=virtio", "virtio-net-device")]
    [InlineData("microvm", "user,model=virtio-net-device", "virtio-net-device")]
    public void Nic_WithoutACard_TakesTheMachines(string machine, string nic, string card) =>
        Assert.Equal(card, Assert.Single(Parse("-M", machine, "-nic", nic).Devices).Driver);

    [Fact]
    public void Nic_MakesANetworkAndACard()
    {
        MachineConfig config = Parse("-nic", "user,model=virtio-net-pci,mac=52:54:00:12:34:57,hostfwd=tcp::2222-:22", "-nic", "none");

        DeviceSpec card = Assert.Single(config.Devices);
        Assert.Equal(("virtio-net-pci", "-nic", "nic0", "52:54:00:12:34:57"), (card.Driver, card.Option, card.Properties["netdev"], card.Properties["mac"]));
        Assert.Single(Assert.IsType<UserNetworkSpec>(Assert.Single(config.Networks)).HostForwards);
        Assert.DoesNotContain("mac", Assert.Single(Parse("-nic", "user").Devices).Properties.Keys);
    }

    [Fact]
    public void Netdev_SocketAndTapAndDump_AreRead()
    {
        MachineConfig config = Parse("-netdev", "socket,id=s,listen=:1234", "-netdev", "socket,id=u,udp=127.0.0.1:1,localaddr=127.0.0.1:2",
            "-netdev", "tap,id=t,ifname=tap3,script=no", "-object", "filter-dump,id=f,netdev=s,file=x.pcap");

        Assert.Equal(
            [
                new SocketNetworkSpec("s", SocketNetworkKind.Listen, new IPEndPoint(IPAddress.Any, 1234)),
                new SocketNetworkSpec("u", SocketNetworkKind.Udp, IPEndPoint.Parse("127.0.0.1:1")) { LocalAddress = IPEndPoint.Parse("127.0.0.1:2") },
                new TapNetworkSpec("t", "tap3"),
            ],
            config.Networks);
        Assert.Equal([new FilterDumpSpec("f", "s", "x.pcap")], config.NetworkDumps);
    }

    [Theory]
    [InlineData("-netdev user", "-netdev: user has no name; add id=NAME, which the card's netdev=NAME refers to")]
    [InlineData("-netdev usr,id=a", "-netdev: unknown network 'usr'; there is user, socket, tap")]
    [InlineData("-netdev user,id=a,nett=1", "-netdev: network 'user' has no property 'nett'; it has id, net, host, dns, dhcpstart, hostname, domainname, dnssearch, restrict, hostfwd, guestfwd, ipv4")]
    [InlineData("-netdev user,id=a,smb=/x", "-netdev: user: smb= is not there; leave it out")]
    [InlineData("-netdev user,id=a,ipv4=off", "-netdev: user: ipv4=off leaves nothing, because there is no IPv6; leave it out")]
    [InlineData("-netdev user,id=a,net=10.0.2.0/x", "-netdev: net='10.0.2.0/x' is not a network; write for example net=10.0.2.0/24")]
    [InlineData("-netdev user,id=a,dns=5", "-netdev: dns='5' is not an IPv4 address; write for example dns=10.0.2.2")]
    [InlineData("-netdev user,id=a,hostfwd=tcp:22", "-netdev: hostfwd='tcp:22' is not a forward; write tcp:[ADDRESS]:PORT-[GUEST]:PORT, for example hostfwd=tcp:127.0.0.1:2222-:22")]
    [InlineData("-netdev user,id=a,hostfwd=tcp::99999-:22", "-netdev: hostfwd: '99999' is not a port; it is a number up to 65535")]
    [InlineData("-netdev user,id=a,guestfwd=tcp:10.0.2.9:5-cmd:ls", "-netdev: guestfwd='tcp:10.0.2.9:5-cmd:ls': a target of that kind is not there; "
        + "write tcp:SERVER:PORT-tcp:HOST:PORT, for example guestfwd=tcp:10.0.2.100:80-tcp:127.0.0.1:8080 or unix:PATH")]
    [InlineData("-netdev user,id=a -netdev user,id=a", "-netdev: two networks are called 'a'; give each an id of its own")]
    [InlineData("-netdev socket,id=a", "-netdev: socket needs one of listen=[ADDRESS]:PORT, connect=ADDRESS:PORT, udp=ADDRESS:PORT and mcast=ADDRESS:PORT")]
    [InlineData("-netdev socket,id=a,udp=1.2.3.4:5", "-netdev: socket,udp= needs the address of this side; add localaddr=ADDRESS:PORT")]
    [InlineData("-netdev tap,id=a", "-netdev: tap: emu runs no scripts; write script=no and set the interface up before")]
    [InlineData("-nic user,model=e1000", "-nic: there is no card 'e1000'; there is virtio-net-pci, virtio-net-device")]
    [InlineData("-object rng,id=a", "-object: unknown object 'rng'; there is filter-dump")]
    [InlineData("-object filter-dump,id=a,file=x", "-object: filter-dump needs netdev=; write filter-dump,id=NAME,netdev=NETWORK,file=PATH")]
    [InlineData("-object filter-dump,id=a,netdev=n,file=x", "-object: filter-dump: there is no network 'n'; add -netdev TYPE,id=n")]
    public void WrongValue_IsNamedWithItsFix(string line, string message) =>
        Assert.Equal(message, Assert.Throws<OptionException>(() => Parse(line.Split(' '))).Message);

    [Theory]
    [InlineData("-netdev", "user")]
    [InlineData("-nic", "tap")]
    [InlineData("-object", "filter-dump")]
    public void Help_ListsTheNames(string option, string name) =>
        Assert.Contains($"  {name} ", EmuCommandLine.Parse([option, "help"]).Text, StringComparison.Ordinal);

    private static MachineConfig Parse(params string[] arguments) => EmuCommandLine.Parse(arguments).Config!;
}
