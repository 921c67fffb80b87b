using System.Buffers.Binary;
using Emu.Core.Net;

namespace Emu.Tests.Net;

/// <summary>One TCP connection of a <see cref="TestGuest"/>, segment by segment.</summary>
internal sealed class GuestTcp
{
    private readonly TestGuest _guest;

    public GuestTcp(TestGuest guest, ushort port, uint remote, ushort remotePort, int windowShift = -1)
    {
        _guest = guest;
        Port = port;
        Remote = remote;
        RemotePort = remotePort;
        WindowShift = windowShift;
    }

    public ushort Port { get; }

    public uint Remote { get; }

    public ushort RemotePort { get; }

    public int WindowShift { get; }

    /// <summary>Next sequence number to send.</summary>
    public uint Next { get; set; } = 0xffff_fff0;

    /// <summary>Next sequence number expected.</summary>
    public uint Expected { get; set; }

    /// <summary>The window given, not scaled.</summary>
    public ushort Window { get; set; } = 65535;

    public int PeerWindowShift { get; private set; }

    /// <summary>Connects to the outside.</summary>
    public static GuestTcp Connect(TestGuest guest, ushort port, uint remote, ushort remotePort, int windowShift = -1)
    {
        var tcp = new GuestTcp(guest, port, remote, remotePort, windowShift);
        tcp.Send(TestGuest.Syn, []);
        GuestFrame answer = tcp.Receive();
        Assert.Equal(TestGuest.Syn | TestGuest.Ack, answer.Flags);
        tcp.TakeSyn(answer);
        tcp.Send(TestGuest.Ack, []);
        return tcp;
    }

    /// <summary>Takes a connection from outside.</summary>
    public static GuestTcp Accept(TestGuest guest, ushort port, int windowShift = -1)
    {
        GuestFrame syn = guest.Receive(frame => frame.IsTcp && frame.Flags == TestGuest.Syn && frame.DestinationPort == port);
        var tcp = new GuestTcp(guest, port, syn.Source, syn.SourcePort, windowShift);
        tcp.TakeSyn(syn);
        tcp.Send(TestGuest.Syn | TestGuest.Ack, []);
        GuestFrame answer = tcp.Receive();
        Assert.Equal((TestGuest.Ack, tcp.Next), (answer.Flags, answer.Acknowledgment));
        return tcp;
    }

    public bool IsMine(GuestFrame frame) =>
        frame.IsTcp && frame.Source == Remote && frame.SourcePort == RemotePort && frame.DestinationPort == Port;

    /// <summary>The next segment of this connection.</summary>
    public GuestFrame Receive() => _guest.Receive(IsMine);

    /// <summary>The next segment with all of these flags.</summary>
    public GuestFrame Receive(byte flags) => _guest.Receive(frame => IsMine(frame) && (frame.Flags & flags) == flags);

    /// <summary>The next segment with data.</summary>
    public GuestFrame ReceiveData() => _guest.Receive(frame => IsMine(frame) && frame.TcpData.Length > 0);

    /// <summary>Waits for an acknowledgment of everything sent.</summary>
    public GuestFrame ReceiveAck() => _guest.Receive(frame => IsMine(frame) && (frame.Flags & TestGuest.Ack) != 0 && frame.Acknowledgment == Next);

    /// <summary>Sends a segment and moves on.</summary>
    public void Send(byte flags, ReadOnlySpan<byte> data)
    {
        SendAt(Next, flags, data);
        Next += (uint)data.Length + ((flags & (TestGuest.Syn | TestGuest.Fin)) != 0 ? 1u : 0);
    }

    /// <summary>Sends a segment from anywhere in the stream.</summary>
    public void SendAt(uint sequence, byte flags, ReadOnlySpan<byte> data) => _guest.SendIp(GuestFrames.Tcp, Remote, Segment(sequence, flags, data, true));

    /// <summary>Sends a segment that the other side is to split and complete.</summary>
    public void SendLarge(ReadOnlySpan<byte> data)
    {
        byte[] packet = GuestFrames.Ip(GuestFrames.Tcp, TestGuest.Own, Remote, Segment(Next, TestGuest.Ack, data, false));
        byte[] frame = GuestFrames.Ethernet(0x5255_0a00_0202, TestGuest.Mac, 0x800, packet);
        _guest.Network.Send(frame, new FrameOffload(true, 34, 16, 1460, false));
        Next += (uint)data.Length;
    }

    private byte[] Segment(uint sequence, byte flags, ReadOnlySpan<byte> data, bool complete)
    {
        bool isSyn = (flags & TestGuest.Syn) != 0;
        int header = isSyn ? (WindowShift < 0 ? 24 : 28) : 20;
        byte[] segment = new byte[header + data.Length];
        BinaryPrimitives.WriteUInt16BigEndian(segment, Port);
        BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(2), RemotePort);
        BinaryPrimitives.WriteUInt32BigEndian(segment.AsSpan(4), sequence);
        BinaryPrimitives.WriteUInt32BigEndian(segment.AsSpan(8), (flags & TestGuest.Ack) != 0 ? Expected : 0);
        segment[12] = (byte)(header << 2);
        segment[13] = flags;
        BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(14), Window);
        if (isSyn)
        {
            BinaryPrimitives.WriteUInt32BigEndian(segment.AsSpan(20), 0x0204_05b4);
        }

        if (header == 28)
        {
            BinaryPrimitives.WriteUInt32BigEndian(segment.AsSpan(24), 0x0103_0300u | (uint)WindowShift);
        }

        data.CopyTo(segment.AsSpan(header));
        uint pseudo = GuestFrames.Pseudo(TestGuest.Own, Remote, GuestFrames.Tcp, segment.Length);
        BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(16), complete ? GuestFrames.Checksum(segment, pseudo) : (ushort)pseudo);
        return segment;
    }

    private void TakeSyn(GuestFrame syn)
    {
        Expected = syn.Sequence + 1;
        ReadOnlySpan<byte> options = syn.Bytes.AsSpan(54, syn.Bytes.Length - 54);
        Assert.Equal(0x0204_05b4u, BinaryPrimitives.ReadUInt32BigEndian(options));
        PeerWindowShift = WindowShift >= 0 && options[5] == 3 ? options[7] : 0;
    }
}
