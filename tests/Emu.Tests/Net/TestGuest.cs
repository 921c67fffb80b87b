using System.Buffers.Binary;
using Emu.Core.Net;
using Emu.Net;
using Emu.Net.User;

namespace Emu.Tests.Net;

/// <summary>A guest with a card on a user-mode network: sends frames, and keeps those it receives until a test asks for them.</summary>
internal sealed class TestGuest : INetReceiver, IDisposable
{
    public const ulong Mac = 0x5254_0012_3456;
    public const byte Fin = 1;
    public const byte Syn = 2;
    public const byte Rst = 4;
    public const byte Ack = 16;

    public static readonly uint Own = GuestFrames.Address(10, 0, 2, 15);
    public static readonly uint Gateway = GuestFrames.Address(10, 0, 2, 2);
    public static readonly uint NameServer = GuestFrames.Address(10, 0, 2, 3);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly object _gate = new();
    private readonly List<GuestFrame> _received = [];
    private Exception? _failure;
    private int _refusals;

    public TestGuest(UserNetworkSpec? spec = null, NetTimings? timings = null, bool introduce = true)
    {
        Network = new UserNetwork(spec ?? new UserNetworkSpec("n0"), line => Notices.Add(line), timings ?? new NetTimings());
        Network.Connect(this);
        if (introduce)
        {
            SendArp(1, Own, Gateway);
            Receive(frame => frame.Type == 0x806);
        }
    }

    public UserNetwork Network { get; }

    public List<string> Notices { get; } = [];

    /// <inheritdoc/>
    public NetOffloads Offloads { get; set; }

    /// <summary>While true the card has no room.</summary>
    public bool IsFull { get; set; }

    /// <summary>After a refusal the card says by itself, from another thread, that it has room.</summary>
    public bool IsSoonReady { get; set; }

    /// <summary>Frames that were refused.</summary>
    public int Refused { get; private set; }

    /// <summary>Takes frames instead of the list, when it returns true.</summary>
    public Func<GuestFrame, bool>? Interceptor { get; set; }

    public bool Receive(ReadOnlySpan<byte> frame, in FrameOffload offload)
    {
        lock (_gate)
        {
            if (IsFull || _refusals > 0)
            {
                _refusals = Math.Max(0, _refusals - 1);
                Refused++;
                Monitor.PulseAll(_gate);
                if (IsSoonReady)
                {
                    ThreadPool.QueueUserWorkItem(_ => Network.ReceiverReady());
                }

                return false;
            }
        }

        try
        {
            var received = new GuestFrame(frame, offload);
            if (Interceptor?.Invoke(received) == true)
            {
                return true;
            }

            lock (_gate)
            {
                _received.Add(received);
                Monitor.PulseAll(_gate);
            }
        }
        catch (Exception exception)
        {
            lock (_gate)
            {
                _failure ??= exception;
                Monitor.PulseAll(_gate);
            }
        }

        return true;
    }

    public void Dispose() => Network.Dispose();

    public void RefuseNext(int count)
    {
        lock (_gate)
        {
            _refusals = count;
        }
    }

    public void WaitForRefusals(int count) => WaitFor(() => Refused >= count ? this : null, "a refused frame");

    /// <summary>The first frame that satisfies <paramref name="condition"/>, taken from the list.</summary>
    public GuestFrame Receive(Func<GuestFrame, bool> condition) => WaitFor(
        () =>
        {
            int index = _received.FindIndex(frame => condition(frame));
            GuestFrame? found = index < 0 ? null : _received[index];
            if (found is not null)
            {
                _received.RemoveAt(index);
            }

            return found;
        },
        "a frame");

    /// <summary>Everything received so far that satisfies <paramref name="condition"/>.</summary>
    public List<GuestFrame> Peek(Func<GuestFrame, bool> condition)
    {
        lock (_gate)
        {
            return _received.FindAll(frame => condition(frame));
        }
    }

    /// <summary>Waits until the network has counted a drop.</summary>
    public void WaitForDrop(NetDrop drop, long count = 1) =>
        Assert.True(SpinWait.SpinUntil(() => Network.Drops[drop] >= count, Patience), $"{drop} was not counted");

    public void SendRaw(byte[] frame) => Network.Send(frame, default);

    public void SendArp(ushort operation, uint sender, uint target)
    {
        byte[] packet = new byte[28];
        BinaryPrimitives.WriteUInt64BigEndian(packet, (0x0001_0800_0604UL << 16) | operation);
        GuestFrames.WriteMac(packet.AsSpan(8), Mac);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(14), sender);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(24), target);
        SendRaw(GuestFrames.Ethernet(0xffff_ffff_ffff, Mac, 0x806, packet));
    }

    public void SendIp(int protocol, uint destination, ReadOnlySpan<byte> payload, uint? source = null, ushort id = 0, ushort fragment = 0) =>
        SendRaw(GuestFrames.Ethernet(0x5255_0a00_0202, Mac, 0x800, GuestFrames.Ip(protocol, source ?? Own, destination, payload, id, fragment)));

    public void SendUdp(ushort port, uint destination, ushort destinationPort, ReadOnlySpan<byte> data, uint? source = null) =>
        SendIp(GuestFrames.Udp, destination, GuestFrames.UdpDatagram(source ?? Own, port, destination, destinationPort, data), source);

    public GuestFrame ReceiveUdp(ushort port) => Receive(frame => frame.Protocol == GuestFrames.Udp && frame.DestinationPort == port);

    /// <summary>An echo request.</summary>
    public static byte[] Echo(ushort id, ReadOnlySpan<byte> data)
    {
        byte[] message = new byte[8 + data.Length];
        message[0] = 8;
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(4), id);
        data.CopyTo(message.AsSpan(8));
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(2), GuestFrames.Checksum(message));
        return message;
    }

    private T WaitFor<T>(Func<T?> find, string what)
        where T : class
    {
        DateTime limit = DateTime.UtcNow + Patience;
        lock (_gate)
        {
            while (true)
            {
                if (_failure is not null)
                {
                    throw new InvalidOperationException("A received frame was wrong.", _failure);
                }

                if (find() is T found)
                {
                    return found;
                }

                TimeSpan rest = limit - DateTime.UtcNow;
                Assert.True(rest > TimeSpan.Zero && Monitor.Wait(_gate, rest), $"waited in vain for {what}; received: "
                    + string.Join(" | ", _received.TakeLast(5).Select(frame => Convert.ToHexString(frame.Bytes.AsSpan(0, Math.Min(60, frame.Bytes.Length))))));
            }
        }
    }
}
