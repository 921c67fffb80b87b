using System.Buffers;
using Emu.Net.Wire;

namespace Emu.Net.User;

/// <summary>Sends packets to the guest as queued frames, in fragments when they are larger than the MTU. Any thread.</summary>
/// <param name="plan">The network.</param>
/// <param name="thread">Where frames go.</param>
internal sealed class PacketSender(AddressPlan plan, NetworkThread thread)
{
    /// <summary>Bytes in front of what an IPv4 packet carries.</summary>
    public const int Headroom = Ethernet.HeaderBytes + Ipv4.HeaderBytes;

    private const int FragmentBytes = (Ethernet.Mtu - Ipv4.HeaderBytes) & ~7;

    private int _lastId;

    /// <summary>Sends <paramref name="payload"/>, with its own header complete, to a MAC address.</summary>
    public void Post(ulong mac, IpProtocol protocol, uint source, uint destination, ReadOnlySpan<byte> payload)
    {
        if (payload.Length > Ipv4.MaxPacketBytes - Ipv4.HeaderBytes)
        {
            throw new ArgumentException("More than an IPv4 packet holds.", nameof(payload));
        }

        bool fits = payload.Length <= Ethernet.Mtu - Ipv4.HeaderBytes;
        ushort id = fits ? (ushort)0 : (ushort)Interlocked.Increment(ref _lastId);
        Span<byte> frame = stackalloc byte[Ethernet.HeaderBytes + Ethernet.Mtu];
        for (int at = 0; at == 0 || at < payload.Length; at += FragmentBytes)
        {
            ReadOnlySpan<byte> part = fits ? payload : payload.Slice(at, Math.Min(FragmentBytes, payload.Length - at));
            bool more = at + part.Length < payload.Length;
            ushort fragment = fits ? Ipv4.DontFragment : (ushort)((at / 8) | (more ? Ipv4.MoreFragments : 0));
            Ethernet.WriteHeader(frame, mac, plan.GatewayMac, EtherType.Ipv4);
            Ipv4.WriteHeader(frame[Ethernet.HeaderBytes..], Ipv4.HeaderBytes + part.Length, protocol, source, destination, id, fragment);
            part.CopyTo(frame[Headroom..]);
            thread.Post(frame[..(Headroom + part.Length)]);
            if (fits)
            {
                break;
            }
        }
    }

    /// <summary>Sends a UDP datagram with this <paramref name="data"/>.</summary>
    public void PostUdp(ulong mac, uint source, ushort sourcePort, uint destination, ushort destinationPort, ReadOnlySpan<byte> data)
    {
        int length = UdpDatagram.HeaderBytes + data.Length;
        byte[] buffer = ArrayPool<byte>.Shared.Rent(length);
        Span<byte> datagram = buffer.AsSpan(0, length);
        data.CopyTo(datagram[UdpDatagram.HeaderBytes..]);
        UdpDatagram.WriteHeader(datagram, source, sourcePort, destination, destinationPort);
        Post(mac, IpProtocol.Udp, source, destination, datagram);
        ArrayPool<byte>.Shared.Return(buffer);
    }
}
