using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Emu.Core.Net;
using Emu.Net.User;
using Emu.Net.Wire;

namespace Emu.Bench;

/// <summary>A guest's TCP with one connection and no memory of its own: what arrives is copied, as a card would, and forgotten.</summary>
internal sealed class BenchGuest : INetReceiver
{
    private const ulong Mac = 0x5254_0012_3456;
    private const uint Own = 0x0a00_020f;
    private const uint Gateway = 0x0a00_0202;
    private const ushort OwnPort = 1000;
    private const int HeaderBytes = 54;
    private const int WindowShift = 7;
    private const ushort Window = 32768;

    private readonly UserNetwork _network;
    private readonly ushort _port;
    private readonly byte[] _card = new byte[1 << 16];
    private readonly byte[] _ack = new byte[HeaderBytes];
    private readonly AutoResetEvent _progress = new(false);
    private uint _next = 1;
    private uint _expected;
    private uint _acknowledged;
    private uint _window;
    private int _shift;
    private long _received;

    /// <summary>Connects to <paramref name="listener"/>.</summary>
    public BenchGuest(UserNetwork network, Socket listener, NetOffloads offloads)
    {
        _network = network;
        _port = (ushort)((IPEndPoint)listener.LocalEndPoint!).Port;
        Offloads = offloads;
        network.Connect(this);
        byte[] syn = new byte[HeaderBytes + 8];
        BinaryPrimitives.WriteUInt64BigEndian(syn.AsSpan(HeaderBytes), 0x0204_05b4_0103_0300 | WindowShift);
        SendFrame(syn, TcpFlags.Syn, 28, default);
        _next++;
        _progress.WaitOne();
        SendFrame(_ack, TcpFlags.Ack, 20, default);
    }

    /// <inheritdoc/>
    public NetOffloads Offloads { get; }

    /// <inheritdoc/>
    public bool Receive(ReadOnlySpan<byte> frame, in FrameOffload offload)
    {
        frame.CopyTo(_card);
        if (!Ipv4Packet.TryRead(frame[Ethernet.HeaderBytes..], offload, out Ipv4Packet packet)
            || !TcpSegment.TryRead(packet.Source, packet.Destination, packet.Payload, verify: false, out TcpSegment segment))
        {
            return true;
        }

        bool isSyn = segment.Has(TcpFlags.Syn);
        _expected = segment.Sequence + segment.SequenceLength;
        _shift = isSyn ? Math.Max(0, segment.ReadSynOptions().WindowShift) : _shift;
        Volatile.Write(ref _acknowledged, segment.Acknowledgment);
        Volatile.Write(ref _window, (uint)segment.Window << (isSyn ? 0 : _shift));
        if (segment.Payload.Length > 0)
        {
            Volatile.Write(ref _received, _received + segment.Payload.Length);
            SendFrame(_ack, TcpFlags.Ack, 20, default);
        }

        _progress.Set();
        return true;
    }

    /// <summary>Sends so many bytes as fast as the window allows.</summary>
    public void Send(long length, int segmentBytes)
    {
        byte[] frame = new byte[HeaderBytes + segmentBytes];
        var offload = new FrameOffload(true, PacketSender.Headroom, TcpSegment.ChecksumOffset, (ushort)(segmentBytes > 1460 ? 1460 : 0), false);
        for (long sent = 0; sent < length; sent += segmentBytes)
        {
            while ((int)(Volatile.Read(ref _acknowledged) + Volatile.Read(ref _window) - _next) < segmentBytes)
            {
                _progress.WaitOne();
            }

            SendFrame(frame, TcpFlags.Ack, 20, offload);
            _next += (uint)segmentBytes;
        }
    }

    /// <summary>Waits until so many bytes have arrived.</summary>
    public void WaitForBytes(long length)
    {
        while (Volatile.Read(ref _received) < length)
        {
            _progress.WaitOne();
        }
    }

    private void SendFrame(byte[] frame, TcpFlags flags, int tcpHeaderBytes, in FrameOffload offload)
    {
        Ethernet.WriteHeader(frame, 0x5255_0a00_0202, Mac, EtherType.Ipv4);
        Ipv4.WriteHeader(frame.AsSpan(Ethernet.HeaderBytes), frame.Length - Ethernet.HeaderBytes, IpProtocol.Tcp, Own, Gateway);
        Span<byte> tcp = frame.AsSpan(PacketSender.Headroom);
        TcpSegment.WriteHeader(tcp, OwnPort, _port, _next, _expected, flags, Window, tcpHeaderBytes);
        if (!offload.NeedsChecksum)
        {
            uint pseudo = InternetChecksum.PseudoHeader(Own, Gateway, IpProtocol.Tcp, tcp.Length);
            BinaryPrimitives.WriteUInt16BigEndian(tcp[TcpSegment.ChecksumOffset..], InternetChecksum.Compute(tcp, pseudo));
        }

        _network.Send(frame, offload);
    }
}
