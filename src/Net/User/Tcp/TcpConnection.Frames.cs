using System.Buffers.Binary;
using Emu.Core.Net;
using Emu.Net.Wire;

namespace Emu.Net.User.Tcp;

/// <summary>Segments as frames: their fields, their headers, and what it means when the guest does not take one.</summary>
internal sealed partial class TcpConnection
{
    // With the gate held: what the segment says, with SND.NXT behind it, because the guest may answer before it has been handed over wholly.
    private Outgoing Begin(TcpFlags flags, uint sequenceLength)
    {
        uint sequence = _next;
        _next += sequenceLength;
        _highest = IsAfter(_next, _highest) ? _next : _highest;
        int shift = (flags & TcpFlags.Syn) != 0 ? 0 : _ownShift;
        uint edge = _expected + (uint)Math.Min(OwnRoom(), MaxUnscaledWindow << shift);
        edge = IsAfter(_advertised, edge) ? _advertised : edge;
        uint window = Math.Min((edge - _expected) >> shift, MaxUnscaledWindow);
        edge = _expected + (window << shift);
        _advertised = IsAfter(edge, _advertised) ? edge : _advertised;
        bool acknowledges = (flags & TcpFlags.Ack) != 0;
        _ackNow &= !acknowledges;
        return new Outgoing(sequence, acknowledges ? _expected : 0, flags, (ushort)window, sequenceLength);
    }

    // A segment that the guest did not take has not been sent.
    private bool Finish(in Outgoing segment, bool sent)
    {
        if (!sent)
        {
            lock (_gate)
            {
                if (_next == segment.Sequence + segment.SequenceLength && segment.SequenceLength > 0)
                {
                    _next = IsAfter(_unacknowledged, segment.Sequence) ? _unacknowledged : segment.Sequence;
                }

                _ackNow |= (segment.Flags & TcpFlags.Ack) != 0;
                if (!_isUnresolved)
                {
                    // It is asked again as soon as it says that it has room, which may have been just now.
                    _context.Thread.Queue(this);
                }
            }
        }

        return sent;
    }

    private bool Deliver(Span<byte> frame, in Outgoing segment, int tcpHeaderBytes)
    {
        _isUnresolved = !_context.Arp.TryResolve(Key.GuestAddress, out ulong mac);
        if (_isUnresolved)
        {
            return false;
        }

        WriteHeaders(frame, segment, tcpHeaderBytes, mac);
        Span<byte> tcp = frame[PacketSender.Headroom..];
        uint pseudo = InternetChecksum.PseudoHeader(Key.RemoteAddress, Key.GuestAddress, IpProtocol.Tcp, tcp.Length);
        if (!_offloads.HasFlag(NetOffloads.Checksum))
        {
            BinaryPrimitives.WriteUInt16BigEndian(tcp[TcpSegment.ChecksumOffset..], InternetChecksum.Compute(tcp, pseudo));
            return _context.Thread.TryDeliver(frame, default);
        }

        // The field holds the sum of the pseudo header; whoever completes it adds the rest (virtio 1.2, 5.1.6.2).
        BinaryPrimitives.WriteUInt16BigEndian(tcp[TcpSegment.ChecksumOffset..], (ushort)pseudo);
        int size = tcp.Length - tcpHeaderBytes > _segmentBytes ? _segmentBytes : 0;
        return _context.Thread.TryDeliver(frame, new FrameOffload(true, PacketSender.Headroom, TcpSegment.ChecksumOffset, (ushort)size, false));
    }

    private void WriteHeaders(Span<byte> frame, in Outgoing segment, int tcpHeaderBytes, ulong mac)
    {
        Ethernet.WriteHeader(frame, mac, _context.Plan.GatewayMac, EtherType.Ipv4);
        Ipv4.WriteHeader(frame[Ethernet.HeaderBytes..], frame.Length - Ethernet.HeaderBytes, IpProtocol.Tcp, Key.RemoteAddress, Key.GuestAddress);
        TcpSegment.WriteHeader(frame[PacketSender.Headroom..], Key.RemotePort, Key.GuestPort, segment.Sequence, segment.Acknowledgment,
            segment.Flags, segment.Window, tcpHeaderBytes);
    }

    private readonly record struct Outgoing(uint Sequence, uint Acknowledgment, TcpFlags Flags, ushort Window, uint SequenceLength);
}
