using System.Buffers.Binary;
using Emu.Core.Net;
using Emu.Devices.Virtio;

namespace Emu.Tests.Devices.Virtio;

public sealed class VirtioNetTests : IDisposable
{
    private const ulong Mergeable = 1UL << 15;
    private const ulong ControlVlan = 1UL << 19;
    private const ulong Data = 0x4_0000;
    private const ulong HeaderSize = 12;

    private static readonly byte[] Address = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];

    private readonly Wire _wire = new();
    private readonly VirtioBench _bench;
    private VirtioNet _card = null!;
    private TestRing _receive = null!;
    private TestRing _transmit = null!;
    private TestRing _control = null!;

    public VirtioNetTests() =>
        _bench = new VirtioBench(environment => _card = new VirtioNet("net0", _wire, Address, VirtioBench.RingFeatures, environment));

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Config_HasAddressAndLink()
    {
        Assert.Equal(0x1200_5452UL, _bench.ReadDevice(0, 4));
        Assert.Equal(0x5634UL, _bench.ReadDevice(4, 2));
        Assert.Equal(1UL, _bench.ReadDevice(6, 2));
    }

    [Fact]
    public void Offloads_AreThoseOfTheBackEnd()
    {
        Assert.Equal(0UL, _bench.OfferedFeatures & ((1 << 8) | (1 << 12)));
        Assert.Equal(0x883UL, _bench.OfferedFeatures & 0x883);
        Start(~0UL);
        Assert.Equal(NetOffloads.Checksum | NetOffloads.Tso4, _card.Offloads);
        Start(Mergeable);
        Assert.Equal(NetOffloads.None, _card.Offloads);
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(VirtioFeature.PackedRing)]
    public void Frame_FromTheGuest_GoesOut(ulong ring)
    {
        Start(~0UL, ring);
        byte[] frame = Frame(100);
        Transmit(frame, new byte[12]);

        Assert.Equal(frame, Assert.Single(_wire.Sent).Frame);
        Assert.True(_transmit.TryTake(out _, out uint written));
        Assert.Equal(0u, written);
    }

    [Fact]
    public void Offload_OfAFrame_ReachesTheBackEnd()
    {
        Start(~0UL);
        byte[] header = new byte[12];
        header[0] = 1;
        header[1] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(4), 1448);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(6), 34);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(8), 16);
        Transmit(Frame(3000), header);
        Assert.Equal(new FrameOffload(true, 34, 16, 1448, false), Assert.Single(_wire.Sent).Offload);
    }

    [Theory]
    [InlineData(1, 0, 0, 90, 9, ~0UL)] // the sum lies outside
    [InlineData(1, 0, 0, 0xffff, 0xffff, ~0UL)]
    [InlineData(0, 1, 100, 0, 0, ~0UL)] // segments without a sum
    [InlineData(1, 1, 0, 14, 2, ~0UL)] // segments of nothing
    [InlineData(1, 4, 100, 14, 2, ~0UL)] // TSO6 was never offered
    [InlineData(1, 3, 100, 14, 2, ~0UL)] // UFO neither
    [InlineData(1, 0, 0, 14, 2, Mergeable)] // not negotiated
    public void Frame_WithUnsoundOffload_IsDropped(byte flags, byte type, ushort size, ushort start, ushort offset, ulong features)
    {
        Start(features);
        byte[] header = [flags, type, 0, 0, (byte)size, (byte)(size >> 8), (byte)start, (byte)(start >> 8), (byte)offset, (byte)(offset >> 8), 0, 0];
        Transmit(Frame(100), header);

        Assert.Empty(_wire.Sent);
        Assert.True(_transmit.TryTake(out _, out _));
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(VirtioFeature.PackedRing)]
    public void Frame_ForTheGuest_IsSpreadOverMergedBuffers(ulong ring)
    {
        Start(Mergeable, ring);
        for (ushort i = 0; i < 6; i++)
        {
            _receive.Add(i, [new Part(Data + (0x1000UL * i), 100, true)]);
        }

        byte[] frame = Frame(300);
        Assert.True(_card.Receive(frame, default));
        byte[] got = new byte[400];
        int length = 0;
        for (int i = 0; i < 4; i++)
        {
            Assert.True(_receive.TryTake(out ushort id, out uint written));
            _bench.Pci.Ram.Read(Data + (0x1000UL * id), got.AsSpan(length, (int)written));
            length += (int)written;
        }

        Assert.False(_receive.TryTake(out _, out _));
        Assert.Equal(312, length);
        Assert.Equal(4, BinaryPrimitives.ReadUInt16LittleEndian(got.AsSpan(10)));
        Assert.True(frame.AsSpan().SequenceEqual(got.AsSpan(12, 300)));
        Assert.Single(_bench.Pci.Messages);
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(VirtioFeature.PackedRing)]
    public void Frame_WithoutRoom_IsRefused_AndNoBufferIsLost(ulong ring)
    {
        Start(Mergeable, ring);
        _receive.Add(0, [new Part(Data, 100, true)]);
        Assert.False(_card.Receive(Frame(300), default));
        Assert.False(_receive.TryTake(out _, out _));

        for (ushort i = 1; i < 4; i++)
        {
            _receive.Add(i, [new Part(Data + (0x1000UL * i), 100, true)]);
        }

        _bench.Notify(0);
        Assert.Equal(1, _wire.Ready);
        Assert.True(_card.Receive(Frame(300), default));
        Assert.True(_receive.TryTake(out ushort first, out _));
        Assert.Equal(0, first);
    }

    [Fact]
    public void Frame_TooLargeForTheBuffer_IsDropped()
    {
        Start(0);
        _receive.Add(0, [new Part(Data, 100, true)]);
        Assert.True(_card.Receive(Frame(300), default));
        Assert.False(_receive.TryTake(out _, out _));
        Assert.True(_card.Receive(Frame(60), default));
        Assert.True(_receive.TryTake(out _, out uint written));
        Assert.Equal(72u, written);
    }

    [Theory]
    [InlineData(~0UL, 0x08, 0x00, 1500, true)]
    [InlineData(~0UL, 0x86, 0xdd, 1500, false)] // TSO6 was never offered
    [InlineData(~(1UL << 7), 0x08, 0x00, 1500, false)]
    [InlineData(~(1UL << 7), 0x08, 0x00, 0, true)]
    [InlineData(~1UL << 1, 0x08, 0x00, 0, false)]
    public void Offload_ThatTheDriverDidNotTake_DropsTheFrame(ulong features, byte typeHigh, byte typeLow, ushort segment, bool arrives)
    {
        Start(features);
        Supply(10);
        byte[] frame = Frame(3000);
        (frame[12], frame[13]) = (typeHigh, typeLow);
        Assert.True(_card.Receive(frame, new FrameOffload(true, 34, 16, segment, false)));

        Assert.Equal(arrives, _receive.TryTake(out ushort id, out _));
        Assert.Equal(arrives ? 1UL : 0, _bench.Pci.Ram.ReadValue(Data + 0x2_0000 + (0x800UL * id), 1));
    }

    [Fact]
    public void Frame_AfterTheMachineIsGone_TouchesNothing()
    {
        Start(~0UL);
        Supply(4);
        _bench.Transport.Dispose();
        Assert.True(_card.Receive(Frame(60), default));
        Assert.False(_receive.TryTake(out _, out _));
    }

    [Fact]
    public void Frame_BeforeTheDriverIsThere_IsDropped() => Assert.True(_card.Receive(Frame(60), default));

    [Fact]
    public void ReceiveModes_FilterFrames()
    {
        Start(~0UL & ~ControlVlan);
        Supply(20);
        Assert.True(Receives(To(0x52, 0x54, 0, 9, 9, 9)));
        Assert.Equal(0, Command(0, 0, [0]));
        Assert.False(Receives(To(0x52, 0x54, 0, 9, 9, 9)));
        Assert.True(Receives(To(Address)));
        Assert.True(Receives(To(0xff, 0xff, 0xff, 0xff, 0xff, 0xff)));
        Assert.False(Receives(To(0x33, 0x33, 0, 0, 0, 1)));

        Assert.Equal(0, Command(1, 0, [1, 0, 0, 0, 0x52, 0x54, 0, 9, 9, 9, 1, 0, 0, 0, 0x33, 0x33, 0, 0, 0, 1]));
        Assert.True(Receives(To(0x52, 0x54, 0, 9, 9, 9)));
        Assert.True(Receives(To(0x33, 0x33, 0, 0, 0, 1)));
        Assert.False(Receives(To(0x33, 0x33, 0, 0, 0, 2)));
        Assert.Equal(0, Command(0, 1, [1]));
        Assert.True(Receives(To(0x33, 0x33, 0, 0, 0, 2)));
        Assert.Equal(0, Command(1, 1, [2, 0, 0, 0, 0, 7]));
        Assert.True(Receives(To(2, 0, 0, 0, 0, 7)));
        Assert.Equal(2UL, _bench.ReadDevice(0, 1));
    }

    [Fact]
    public void Vlans_PassOnceAdded()
    {
        Start(~0UL);
        Supply(10);
        byte[] tagged = Frame(64);
        (tagged[12], tagged[13], tagged[14], tagged[15]) = (0x81, 0x00, 0x20, 0x05);
        Assert.False(Receives(tagged));
        Assert.Equal(0, Command(2, 0, [5, 0]));
        Assert.True(Receives(tagged));
        Assert.Equal(0, Command(2, 1, [5, 0]));
        Assert.False(Receives(tagged));
    }

    [Theory]
    [InlineData(0, 77, new byte[] { 1 })]
    [InlineData(0, 0, new byte[0])]
    [InlineData(1, 0, new byte[] { 255, 255, 255, 255, 0, 0, 0, 0 })]
    [InlineData(1, 1, new byte[] { 1, 2 })]
    [InlineData(2, 0, new byte[] { 0, 16 })]
    [InlineData(9, 0, new byte[] { 0 })]
    public void Command_ThatMakesNoSense_IsRefused(byte group, byte command, byte[] data)
    {
        Start(~0UL);
        Assert.Equal(1, Command(group, command, data));
        Assert.Empty(_bench.Log);
    }

    private static byte[] Frame(int length)
    {
        byte[] frame = [.. Enumerable.Range(0, length).Select(i => (byte)(i * 7))];
        Address.CopyTo(frame, 0);
        return frame;
    }

    private static byte[] To(params byte[] address) => [.. address, .. Frame(64)[6..]];

    private void Start(ulong features, ulong ring = 0)
    {
        ulong accepted = (_bench.OfferedFeatures & features & ~VirtioBench.RingFeatures) | ring | VirtioFeature.Version1;
        Assert.True(_bench.Negotiate(accepted));
        _bench.Pci.Ram.Slice(0x1_0000, 0x3000).Clear();
        _receive = _bench.AddQueue(0, 32, 0x1_0000, accepted, 0);
        _transmit = _bench.AddQueue(1, 32, 0x1_1000, accepted, 1);
        _control = _bench.AddQueue(2, 32, 0x1_2000, accepted, 2);
        _bench.EnableMsix(3);
        _bench.GoLive();
        while (_bench.Workers.Run())
        {
        }

        _wire.Ready = 0;
    }

    private void Transmit(byte[] frame, byte[] header)
    {
        _bench.Pci.Ram.Write(Data, header);
        _bench.Pci.Ram.Write(Data + HeaderSize, frame);
        _transmit.Add(0, [new Part(Data, (uint)HeaderSize, false), new Part(Data + HeaderSize, (uint)frame.Length, false)]);
        _bench.Notify(1);
    }

    private void Supply(ushort count)
    {
        for (ushort i = 0; i < count; i++)
        {
            _receive.Add(i, [new Part(Data + 0x2_0000 + (0x800UL * i), 0x800, true)]);
        }
    }

    private bool Receives(byte[] frame)
    {
        Assert.True(_card.Receive(frame, default));
        return _receive.TryTake(out _, out _);
    }

    private byte Command(byte group, byte command, byte[] data)
    {
        _bench.Pci.Ram.Write(Data, [group, command, .. data]);
        _control.Add(0, [new Part(Data, (uint)(2 + data.Length), false), new Part(Data + 0x1000, 1, true)]);
        _bench.Notify(2);
        Assert.True(_control.TryTake(out _, out _));
        return (byte)_bench.Pci.Ram.ReadValue(Data + 0x1000, 1);
    }

    private sealed class Wire : INetBackend
    {
        public List<(byte[] Frame, FrameOffload Offload)> Sent { get; } = [];

        public int Ready { get; set; }

        public NetOffloads Offloads => NetOffloads.Checksum | NetOffloads.Tso4;

        public void Connect(INetReceiver receiver)
        {
        }

        public void Send(ReadOnlySpan<byte> frame, in FrameOffload offload) => Sent.Add((frame.ToArray(), offload));

        public void ReceiverReady() => Ready++;

        public void Dispose()
        {
        }
    }
}
