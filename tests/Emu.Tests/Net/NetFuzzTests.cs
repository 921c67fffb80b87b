using System.Buffers.Binary;
using System.Net;
using Emu.Core.Net;
using Emu.Net;
using Emu.Net.User;

namespace Emu.Tests.Net;

/// <summary>Frames of a hostile guest: nothing throws, nothing hangs, tables stay within their limits, and the network goes on working.</summary>
public sealed class NetFuzzTests
{
    private const int Frames = 150_000;
    private const ushort DiscardPort = 9;

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public void Frames_Mutated_DoNoHarm(int seed, bool restrict)
    {
        // Discard port of the loopback and nobody else: what gets out goes nowhere.
        var spec = new UserNetworkSpec("n0") { Restrict = restrict, Resolvers = [new IPEndPoint(IPAddress.Loopback, 9)] };
        using var guest = new TestGuest(spec, new NetTimings { MaxTcpConnections = 64, MaxUdpFlows = 64, Retransmit = 5, MaxRetries = 2 });
        guest.Interceptor = frame => frame.Protocol != GuestFrames.Icmp;
        var random = new Random(seed);
        byte[][] seeds = Seeds();
        for (int i = 0; i < Frames; i++)
        {
            byte[] frame = Mutate(random, seeds[random.Next(seeds.Length)]);
            FrameOffload offload = random.Next(8) == 0
                ? new FrameOffload(random.Next(2) == 0, (ushort)random.Next(65536), (ushort)random.Next(65536), (ushort)random.Next(3000), false) : default;
            guest.Network.Send(frame, offload);
            Assert.InRange(guest.Network.Tcp.Count, 0, 65);
            Assert.InRange(guest.Network.UdpFlowCount, 0, 65);
        }

        // The first few may find the queue full of answers.
        Assert.True(SpinWait.SpinUntil(() => IsAlive(guest), TimeSpan.FromSeconds(20)), "no answer any more");
        Assert.True(guest.Network.Drops[NetDrop.Malformed] > 1000);
    }

    private static bool IsAlive(TestGuest guest)
    {
        guest.SendArp(1, TestGuest.Own, TestGuest.Gateway);
        guest.SendIp(GuestFrames.Icmp, TestGuest.Gateway, TestGuest.Echo(0x4242, []));
        Thread.Sleep(10);
        return guest.Peek(frame => frame.Protocol == GuestFrames.Icmp && BinaryPrimitives.ReadUInt16BigEndian(frame.Payload[4..]) == 0x4242).Count > 0;
    }

    // Half of the mutated packets get right checksums, or nothing behind them would ever be reached.
    private static byte[] Mutate(Random random, byte[] seed)
    {
        byte[] frame = random.Next(10) == 0 ? seed[..random.Next(seed.Length)] : [.. seed];
        for (int n = random.Next(6); n > 0 && frame.Length > 0; n--)
        {
            frame[random.Next(frame.Length)] = random.Next(3) switch { 0 => 0, 1 => 255, _ => (byte)random.Next(256) };
        }

        if (random.Next(4) != 0 && frame.Length >= 34 && (frame[14] & 15) >= 5 && 14 + ((frame[14] & 15) * 4) <= frame.Length)
        {
            KeepAtHome(frame);
            frame.AsSpan(24, 2).Clear();
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(24), GuestFrames.Checksum(frame.AsSpan(14, (frame[14] & 15) * 4)));
            FixTransport(frame);
        }

        return frame;
    }

    // A mutated address could be somebody's: packets with a right header stay in the guest's network or on the loopback.
    private static void KeepAtHome(byte[] frame)
    {
        uint destination = BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(30));
        if (destination >> 8 != 0x0a0002 && destination >> 24 is not (0 or 127) && destination >> 28 < 14)
        {
            BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(30), TestGuest.Gateway);
        }
    }

    private static void FixTransport(byte[] frame)
    {
        Span<byte> payload = frame.AsSpan(34);
        int field = frame[23] switch { GuestFrames.Tcp => 16, GuestFrames.Udp => 6, GuestFrames.Icmp => 2, _ => -1 };
        if (field < 0 || payload.Length < field + 2)
        {
            return;
        }

        uint source = BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(26));
        uint destination = BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(30));
        if (field != 2 && destination == TestGuest.Gateway && BinaryPrimitives.ReadUInt16BigEndian(payload[2..]) != 67)
        {
            BinaryPrimitives.WriteUInt16BigEndian(payload[2..], DiscardPort);
        }

        payload.Slice(field, 2).Clear();
        uint pseudo = field == 2 ? 0 : GuestFrames.Pseudo(source, destination, frame[23], payload.Length);
        BinaryPrimitives.WriteUInt16BigEndian(payload[field..], GuestFrames.Checksum(payload, pseudo));
    }

    private static byte[][] Seeds()
    {
        byte[] arp = new byte[28];
        BinaryPrimitives.WriteUInt64BigEndian(arp, (0x0001_0800_0604UL << 16) | 1);
        BinaryPrimitives.WriteUInt32BigEndian(arp.AsSpan(24), TestGuest.Gateway);
        byte[] dhcp = new byte[300];
        (dhcp[0], dhcp[1], dhcp[2], dhcp[33]) = (1, 1, 6, 1);
        BinaryPrimitives.WriteUInt64BigEndian(dhcp.AsSpan(236), 0x6382_5363_3501_01ff);
        return
        [
            GuestFrames.Ethernet(0xffff_ffff_ffff, TestGuest.Mac, 0x806, arp),
            Packet(GuestFrames.Udp, uint.MaxValue, GuestFrames.UdpDatagram(0, 68, uint.MaxValue, 67, dhcp), source: 0),
            Packet(GuestFrames.Udp, TestGuest.Gateway, GuestFrames.UdpDatagram(TestGuest.Own, 99, TestGuest.Gateway, 9, new byte[20])),
            Packet(GuestFrames.Udp, TestGuest.NameServer, GuestFrames.UdpDatagram(TestGuest.Own, 99, TestGuest.NameServer, 53, new byte[20])),
            Packet(GuestFrames.Icmp, TestGuest.Gateway, TestGuest.Echo(1, new byte[30])),
            Packet(GuestFrames.Icmp, TestGuest.Gateway, new byte[32], fragment: 0x2001),
            Tcp(TestGuest.Syn), Tcp(TestGuest.Ack), Tcp(TestGuest.Fin | TestGuest.Ack), Tcp(TestGuest.Rst),
        ];
    }

    private static byte[] Tcp(byte flags)
    {
        byte[] segment = new byte[40];
        BinaryPrimitives.WriteUInt16BigEndian(segment, 1000);
        BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(2), 9);
        (segment[12], segment[13]) = (0x70, flags);
        BinaryPrimitives.WriteUInt64BigEndian(segment.AsSpan(20), 0x0204_05b4_0103_0307);
        return Packet(GuestFrames.Tcp, TestGuest.Gateway, segment);
    }

    private static byte[] Packet(int protocol, uint destination, byte[] payload, uint? source = null, ushort fragment = 0) =>
        GuestFrames.Ethernet(0x5255_0a00_0202, TestGuest.Mac, 0x800, GuestFrames.Ip(protocol, source ?? TestGuest.Own, destination, payload, 1, fragment));
}
