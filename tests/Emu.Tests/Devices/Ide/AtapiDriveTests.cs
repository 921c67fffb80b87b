using System.Buffers.Binary;
using System.Text;

namespace Emu.Tests.Devices.Ide;

public sealed class AtapiDriveTests : IDisposable
{
    private const int Error = IdeBench.Command1 + 1;
    private const int Status = IdeBench.Command1 + 7;

    private readonly IdeBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void IdentifyDevice_IsAborted_AndTellsByTheSignature()
    {
        _bench.Out(Status, 0xec);

        Assert.Equal(4, _bench.In(Error));
        Assert.Equal([0x14, 0xeb], new[] { _bench.In(IdeBench.Command1 + 4), _bench.In(IdeBench.Command1 + 5) });
    }

    [Fact]
    public void Inquiry_TellsACdRomDrive()
    {
        _bench.Packet(0xfffe, false, 0x12, 0, 0, 0, 36);
        (byte[] data, _) = _bench.ReadReply();

        Assert.Equal(36, data.Length);
        Assert.Equal([5, 0x80], data[..2]);
        Assert.Equal("EMU     EMU CD-ROM", Encoding.ASCII.GetString(data, 8, 18));
    }

    [Fact]
    public void ReadCapacity_AndToc()
    {
        _bench.Packet(0xfffe, false, 0x25);
        (byte[] capacity, _) = _bench.ReadReply();
        Assert.Equal((IdeBench.DiscSectors - 1, 2048), (BinaryPrimitives.ReadInt32BigEndian(capacity), BinaryPrimitives.ReadInt32BigEndian(capacity.AsSpan(4))));

        _bench.Packet(0xfffe, false, 0x43, 0, 0, 0, 0, 0, 0, 0, 20);
        (byte[] toc, _) = _bench.ReadReply();
        Assert.Equal(20, toc.Length);
        Assert.Equal((byte)0xaa, toc[14]);
        Assert.Equal(IdeBench.DiscSectors, BinaryPrimitives.ReadInt32BigEndian(toc.AsSpan(16)));
    }

    [Theory]
    [InlineData(2048, 2048)]
    [InlineData(0, 0xfffe)]
    [InlineData(3001, 3000)]
    public void Read_ComesInPartsOfTheLimit(int limit, int part)
    {
        _bench.Packet(limit, false, 0x28, 0, 0, 0, 0, 10, 0, 0, 80);
        (byte[] data, List<int> parts) = _bench.ReadReply();

        Assert.Equal(_bench.Disc.Content[(10 * 2048)..(90 * 2048)], data);
        Assert.Equal(part, parts[0]);
        Assert.All(parts, size => Assert.InRange(size, 2, part));
    }

    [Fact]
    public void Read12_ByDma()
    {
        _bench.Packet(0, true, 0xa8, 0, 0, 0, 0, 5, 0, 0, 0, 3);
        _bench.StartMaster(1, 0x1000, toMemory: true, (0x2_0000, 4096), (0x4_0000, 2048));

        byte[] expected = _bench.Disc.Content[(5 * 2048)..(8 * 2048)];
        Assert.Equal(expected[..4096], _bench.ReadMemory(0x2_0000, 4096));
        Assert.Equal(expected[4096..], _bench.ReadMemory(0x4_0000, 2048));
        Assert.True(_bench.Irq(15));
        Assert.Equal(IdeBench.DiscReady, _bench.In(Status));
    }

    [Fact]
    public void SmallReply_ByDma_LeavesTheTableOpen()
    {
        _bench.Packet(0, true, 0x25);
        _bench.StartMaster(1, 0x1000, toMemory: true, (0x2_0000, 512));

        Assert.Equal(IdeBench.DiscSectors - 1, BinaryPrimitives.ReadInt32BigEndian(_bench.ReadMemory(0x2_0000, 4)));
        Assert.Equal(5, _bench.In(IdeBench.MasterPort + 8 + 2) & 7);
    }

    [Theory]
    [InlineData(new byte[] { 0x28, 0, 0, 0, 0, 100, 0, 0, 1 }, 5, 0x21)]
    [InlineData(new byte[] { 0x28, 0, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff }, 5, 0x21)]
    [InlineData(new byte[] { 0xa8, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff }, 5, 0x21)]
    [InlineData(new byte[] { 0xff }, 5, 0x20)]
    [InlineData(new byte[] { 0x5a, 0, 0x17, 0, 0, 0, 0, 0, 20 }, 5, 0x24)]
    public void Mistakes_AreToldBySense(byte[] packet, int key, int additional)
    {
        _bench.Packet(0xfffe, false, packet);
        Assert.Equal(IdeBench.DiscReady | IdeBench.Failed, _bench.In(Status));
        Assert.Equal(key, _bench.In(Error) >> 4);

        _bench.Packet(0xfffe, false, 0x03, 0, 0, 0, 18);
        (byte[] sense, _) = _bench.ReadReply();
        Assert.Equal((key, additional), (sense[2], sense[12]));
    }

    [Fact]
    public void ReadFailure_IsAMediumError()
    {
        _bench.Disc.Fails = true;
        _bench.Packet(0xfffe, false, 0x28, 0, 0, 0, 0, 0, 0, 0, 1);

        Assert.Equal(3, _bench.In(Error) >> 4);
    }

    [Fact]
    public void EmptyTray_IsNotReady_AndSaysSoInEvents()
    {
        using var bench = new IdeBench(hasDisc: false);
        bench.Packet(0xfffe, false, 0x00);
        Assert.Equal(2, bench.In(Error) >> 4);
        bench.Packet(0xfffe, false, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8);
        Assert.Equal(0, bench.ReadReply().Data[5]);
        _bench.Packet(0xfffe, false, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8);
        Assert.Equal(2, _bench.ReadReply().Data[5]);
    }

    [Theory]
    [InlineData(new byte[] { 0x5a, 0, 0x3f, 0, 0, 0, 0, 0, 255 }, 36)]
    [InlineData(new byte[] { 0x1a, 0, 0x2a, 0, 255 }, 24)]
    [InlineData(new byte[] { 0x46, 0, 0, 0, 0, 0, 0, 0, 255 }, 40)]
    [InlineData(new byte[] { 0x51, 0, 0, 0, 0, 0, 0, 0, 255 }, 34)]
    [InlineData(new byte[] { 0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 255 }, 8)]
    public void Answers_HaveTheLengthThatTheyTell(byte[] packet, int length)
    {
        _bench.Packet(0xfffe, false, packet);

        Assert.Equal(length, _bench.ReadReply().Data.Length);
    }

    [Fact]
    public void DeviceReset_EndsAPacket()
    {
        _bench.Packet(2048, false, 0x28, 0, 0, 0, 0, 0, 0, 0, 4);
        _bench.Out(Status, 0x08);

        Assert.Equal(0, _bench.In(Status));
        Assert.Equal(0xeb, _bench.In(IdeBench.Command1 + 5));
    }
}
