using System.Text;
using Emu.Tests.Devices.Virtio;

namespace Emu.Tests.Devices.Ide;

public sealed class AtaDiskTests : IDisposable
{
    private const int Data = IdeBench.Command0;
    private const int Error = Data + 1;
    private const int Count = Data + 2;
    private const int Device = Data + 6;
    private const int Status = Data + 7;
    private const int Control = 0x3f6;
    private const uint Table = 0x1000;
    private const uint Buffer = 0x2_0000;

    private readonly IdeBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Identify_TellsSizeGeometryAndNames()
    {
        _bench.Command(0xec);
        byte[] identity = _bench.ReadBlocks(512, 512);

        Assert.Equal((uint)IdeBench.DiskSectors, BitConverter.ToUInt32(identity, 2 * 60));
        Assert.Equal(IdeBench.DiskSectors, BitConverter.ToInt64(identity, 2 * 100));
        Assert.Equal((4, 16, 63), (BitConverter.ToUInt16(identity, 2), BitConverter.ToUInt16(identity, 6), BitConverter.ToUInt16(identity, 12)));
        Assert.Equal("S-1", Text(identity, 10, 20));
        Assert.Equal("EMU HARDDISK", Text(identity, 27, 40));
        Assert.Equal(IdeBench.Ready, _bench.In(Status));
    }

    [Fact]
    public void DataRegister_InBlocks_IsTheSameAndStopsAtTheEndOfASector()
    {
        int never = 0;
        byte[] data = new byte[1024];
        _bench.Command(0x20, lba: 5, count: 2);
        _bench.Workers.Run();
        _ = _bench.In(Status);
        Assert.Equal(0UL, _bench.Ports.Read(Data, 2) ^ BitConverter.ToUInt16(_bench.Disk.Content, 5 * 512));

        int stop = 1;
        Assert.Equal(255, _bench.Ports.ReadRepeated(Data, data.AsSpan(2, 1022), 2, in stop));
        _bench.Workers.Run();
        Assert.True(_bench.Irq(14));
        Assert.Equal(128, _bench.Ports.ReadRepeated(Data, data.AsSpan(512), 4, in never));
        Assert.Equal(_bench.Disk.Content.AsSpan((5 * 512) + 2, 1022).ToArray(), data[2..]);

        _bench.Command(0x30, lba: 9, count: 1);
        Assert.Equal(256, _bench.Ports.WriteRepeated(Data, data.AsSpan(512), 2, in never));
        _bench.Workers.Run();
        Assert.Equal(data[512..], _bench.Disk.Content.AsSpan(9 * 512, 512).ToArray());
        Assert.Equal(IdeBench.Ready, _bench.In(Status));
    }

    [Theory]
    [InlineData(0x20, 1, false)]
    [InlineData(0xc4, 8, false)]
    [InlineData(0x24, 1, true)]
    [InlineData(0x29, 8, true)]
    public void Read_GivesTheSectors(byte command, int multiple, bool wide)
    {
        _bench.Command(0xc6, count: 8);
        const int sectors = 300;
        Issue(command, wide, 17, wide ? sectors : 200);
        int bytes = (wide ? sectors : 200) * 512;

        Assert.Equal(_bench.Disk.Content[(17 * 512)..((17 * 512) + bytes)], _bench.ReadBlocks(bytes, multiple * 512));
        Assert.Equal(IdeBench.Ready, _bench.In(Status));
        Assert.False(_bench.Irq(14));
    }

    [Theory]
    [InlineData(0x30, 1, false)]
    [InlineData(0xc5, 16, false)]
    [InlineData(0x34, 1, true)]
    [InlineData(0x39, 16, true)]
    public void Write_PutsTheSectors_AndInterruptsAtTheEnd(byte command, int multiple, bool wide)
    {
        byte[] data = new byte[25 * 512];
        new Random(3).NextBytes(data);
        byte[] expected = [.. _bench.Disk.Content];
        data.CopyTo(expected, 1000 * 512);

        Issue(command, wide, 1000, 25);
        _bench.WriteBlocks(data, multiple * 512);

        Assert.True(_bench.Irq(14));
        Assert.Equal(IdeBench.Ready, _bench.In(Status));
        Assert.Equal(expected, _bench.Disk.Content);
    }

    [Fact]
    public void Read_ByCylinder_FollowsTheGeometryThatIsSet()
    {
        _bench.Command(0x91, count: 17, device: 0xa3); // 4 heads of 17 sectors
        _ = _bench.In(Status);
        _bench.Command(0x20, lba: 5 | (9 << 8), count: 1, device: 0xa2); // cylinder 9, head 2, sector 5
        int sector = (((9 * 4) + 2) * 17) + 4;

        Assert.Equal(_bench.Disk.Content[(sector * 512)..((sector + 1) * 512)], _bench.ReadBlocks(512, 512));
    }

    [Theory]
    [InlineData(0xc8, false)]
    [InlineData(0x25, true)]
    public void ReadDma_ScattersByTheTable(byte command, bool wide)
    {
        Issue(command, wide, 8, 6);
        _bench.StartMaster(0, Table, toMemory: true, (Buffer, 512), (Buffer + 0x1000, 2048), (Buffer + 0x4000, 512));

        byte[] expected = _bench.Disk.Content[(8 * 512)..(14 * 512)];
        Assert.Equal(expected[..512], _bench.ReadMemory(Buffer, 512));
        Assert.Equal(expected[512..2560], _bench.ReadMemory(Buffer + 0x1000, 2048));
        Assert.Equal(expected[2560..], _bench.ReadMemory(Buffer + 0x4000, 512));
        Assert.Equal(4, _bench.In(IdeBench.MasterPort + 2) & 7);
        Assert.Equal(IdeBench.Ready, _bench.In(Status));
    }

    [Fact]
    public void WriteDma_StartedBeforeTheCommand_GathersByTheTable()
    {
        byte[] data = new byte[128 * 512];
        new Random(4).NextBytes(data);
        _bench.Memory.Write(Buffer, data);
        _bench.StartMaster(0, Table, toMemory: false, (Buffer, 0)); // 0 stands for 64 KiB
        Assert.Equal(1, _bench.In(IdeBench.MasterPort + 2) & 7);

        _bench.Command(0xca, lba: 100, count: 128);
        Assert.Equal(0x80, _bench.In(Control));
        _bench.Workers.Run();

        Assert.Equal(data, _bench.Disk.Content[(100 * 512)..(228 * 512)]);
        Assert.True(_bench.Irq(14));
        Assert.Equal(4, _bench.In(IdeBench.MasterPort + 2) & 7);
    }

    [Fact]
    public void Dma_TableTooLong_StaysActive_AndTooShort_TransfersNothing()
    {
        _bench.Command(0xc8, lba: 0, count: 1);
        _bench.StartMaster(0, Table, toMemory: true, (Buffer, 1024));
        Assert.Equal(5, _bench.In(IdeBench.MasterPort + 2) & 7);
        _bench.Out(IdeBench.MasterPort, 0);
        Assert.Equal(4, _bench.In(IdeBench.MasterPort + 2) & 7);
        _ = _bench.In(Status);

        _bench.Command(0xc8, lba: 8, count: 2);
        _bench.StartMaster(0, Table, toMemory: true, (Buffer + 0x8000, 512));
        Assert.Equal(0, _bench.In(IdeBench.MasterPort + 2) & 7);
        Assert.False(_bench.Irq(14));
        Assert.Equal(new byte[512], _bench.ReadMemory(Buffer + 0x8000, 512));
    }

    [Theory]
    [InlineData(0xc000_0000u, Buffer)] // the table in nothing
    [InlineData(Table, 0xf000_0000u)] // the buffer in nothing
    public void Dma_OutsideRam_IsABusError(uint table, uint buffer)
    {
        _bench.Command(0xc8, lba: 0, count: 1);
        _bench.StartMaster(0, table, toMemory: true, (buffer, 512));

        Assert.Equal(6, _bench.In(IdeBench.MasterPort + 2) & 7);
        Assert.Equal(IdeBench.Ready | IdeBench.Failed, _bench.In(Status));
        Assert.Equal(4, _bench.In(Error));
    }

    [Fact]
    public void Dma_NotBusMaster_IsABusError()
    {
        _bench.Ide.Function.WriteConfig(4, 1, 2);
        _bench.Command(0xc8, lba: 0, count: 1);
        _bench.StartMaster(0, Table, toMemory: true, (Buffer, 512));

        Assert.Equal(6, _bench.In(IdeBench.MasterPort + 2) & 7);
    }

    [Fact]
    public void Dma_Stopped_BeforeTheWorkerComes_ReachesNothing()
    {
        _bench.Command(0xc8, lba: 0, count: 1);
        _bench.Memory.Write(Table, Buffer, 4);
        _bench.Memory.Write(Table + 4, 0x8000_0200, 4);
        _bench.Ports.Write(IdeBench.MasterPort + 4, Table, 4);
        _bench.Out(IdeBench.MasterPort, 9);
        _bench.Out(IdeBench.MasterPort, 0);
        _bench.Workers.Run();

        Assert.Equal(new byte[512], _bench.ReadMemory(Buffer, 512));
        Assert.Equal(IdeBench.Ready | IdeBench.Failed, _bench.In(Status));
    }

    [Fact]
    public void Reset_WhileTheWorkerIsOnTheWay_ReachesNothing()
    {
        _bench.Command(0xc8, lba: 0, count: 1);
        _bench.Memory.Write(Table, Buffer, 4);
        _bench.Memory.Write(Table + 4, 0x8000_0200, 4);
        _bench.Ports.Write(IdeBench.MasterPort + 4, Table, 4);
        _bench.Out(IdeBench.MasterPort, 9);
        _bench.Ide.Reset();
        _bench.Workers.Run();

        Assert.Equal(new byte[512], _bench.ReadMemory(Buffer, 512));
        Assert.Equal(IdeBench.Ready, _bench.In(Status));
        Assert.False(_bench.Irq(14));
    }

    [Theory]
    [InlineData(0x20, IdeBench.DiskSectors, 1)]
    [InlineData(0xc8, IdeBench.DiskSectors - 1, 2)]
    [InlineData(0x40, IdeBench.DiskSectors, 1)]
    [InlineData(0x30, 0xfff_ffff, 1)]
    public void Transfer_BeyondTheEnd_FindsNoId(byte command, long lba, int count)
    {
        _bench.Command(command, lba, count);

        Assert.True(_bench.Irq(14));
        Assert.Equal(IdeBench.Ready | IdeBench.Failed, _bench.In(Status));
        Assert.Equal(0x10, _bench.In(Error));
    }

    [Fact]
    public void DiskErrors_AreToldToTheGuest()
    {
        _bench.Disk.Fails = true;
        _bench.Command(0x20, 0, 1);
        _bench.Workers.Run();
        Assert.Equal(0x40, _bench.In(Error));
        Assert.Equal(IdeBench.Ready | IdeBench.Failed, _bench.In(Status));

        _bench.Command(0xe7);
        _bench.Workers.Run();
        Assert.Equal(4, _bench.In(Error));
    }

    [Fact]
    public void WriteCacheOff_FlushesEachCommand()
    {
        _bench.Command(0xef, features: 0x82);
        _bench.Workers.Run();
        Assert.Equal(1, _bench.Disk.Flushes);

        _bench.Command(0x30, 0, 3);
        _bench.WriteBlocks(new byte[3 * 512], 512);
        Assert.Equal(2, _bench.Disk.Flushes);

        _bench.Command(0xef, features: 0x02);
        _ = _bench.In(Status);
        _bench.Command(0x30, 0, 1);
        _bench.WriteBlocks(new byte[512], 512);
        Assert.Equal(2, _bench.Disk.Flushes);
        _ = _bench.In(Status);

        _bench.Command(0xe7);
        _bench.Workers.Run();
        Assert.Equal(3, _bench.Disk.Flushes);
        Assert.Equal(IdeBench.Ready, _bench.In(Status));
    }

    [Fact]
    public void ReadOnlyDisk_RefusesWrites()
    {
        using var bench = new IdeBench(new MemoryDisk(1 << 20) { IsReadOnly = true });
        bench.Command(0x30, 0, 1);

        Assert.Equal(4, bench.In(Error));
    }

    [Fact]
    public void SoftwareReset_ShowsBusy_ThenTheSignature()
    {
        _bench.Command(0x20, 5, 1);
        _bench.Out(Control, 4);
        Assert.Equal(0x80, _bench.In(Status));
        _bench.Out(Control, 0);

        Assert.Equal(IdeBench.Ready, _bench.In(Status));
        Assert.Equal([1, 1, 1, 0, 0], new[] { _bench.In(Error), _bench.In(Count), _bench.In(Data + 3), _bench.In(Data + 4), _bench.In(Data + 5) });
        Assert.Equal([0x14, 0xeb], new[] { _bench.In(IdeBench.Command1 + 4), _bench.In(IdeBench.Command1 + 5) });
    }

    [Fact]
    public void NoSlave_ReadsAsZero()
    {
        _bench.Out(Device, 0xb0);

        Assert.Equal(0, _bench.In(Status));
        _bench.Out(Status, 0xec);
        Assert.False(_bench.Irq(14));
    }

    [Fact]
    public void InterruptDisable_KeepsTheLineDown_AndAlternateStatusKeepsItUp()
    {
        _bench.Out(Control, 2);
        _bench.Command(0xec);
        Assert.False(_bench.Irq(14));
        _bench.Out(Control, 0);
        Assert.True(_bench.Irq(14));
        _ = _bench.In(Control);
        Assert.True(_bench.Irq(14));
        _ = _bench.In(Status);
        Assert.False(_bench.Irq(14));
    }

    [Fact]
    public void NativeMax_AndHighOrderBytes()
    {
        _bench.WideCommand(0x27, 0, 0);
        int low = _bench.In(Data + 3) | (_bench.In(Data + 4) << 8);
        Assert.Equal(IdeBench.DiskSectors - 1, low);

        _bench.Out(Count, 0x12);
        _bench.Out(Count, 0x34);
        Assert.Equal(0x34, _bench.In(Count));
        _bench.Out(Control, 0x80);
        Assert.Equal(0x12, _bench.In(Count));
    }

    [Fact]
    public void SaveRestore_InTheMiddle_GoesOn()
    {
        _bench.Command(0x20, 40, 3);
        byte[] first = _bench.ReadBlocks(512, 512);
        var state = _bench.Ide.Save();
        _bench.Ide.Reset();
        _bench.Ide.Restore(state);

        Assert.True(_bench.Irq(14));
        byte[] rest = _bench.ReadBlocks(1024, 512);
        Assert.Equal(_bench.Disk.Content[(40 * 512)..(43 * 512)], first.Concat(rest));
    }

    [Fact]
    public void SaveRestore_WithATransferUnderWay_DoesItAgain()
    {
        _bench.Command(0xc8, 3, 1);
        _bench.Memory.Write(Table, Buffer, 4);
        _bench.Memory.Write(Table + 4, 0x8000_0200, 4);
        _bench.Ports.Write(IdeBench.MasterPort + 4, Table, 4);
        _bench.Out(IdeBench.MasterPort, 9);
        var state = _bench.Ide.Save();
        _bench.Ide.Reset();
        _bench.Ide.Restore(state);
        _bench.Workers.Run();

        Assert.Equal(_bench.Disk.Content[(3 * 512)..(4 * 512)], _bench.ReadMemory(Buffer, 512));
        Assert.True(_bench.Irq(14));
    }

    private void Issue(byte command, bool wide, long lba, int count)
    {
        if (wide)
        {
            _bench.WideCommand(command, lba, count);
        }
        else
        {
            _bench.Command(command, lba, count);
        }
    }

    private static string Text(byte[] identity, int word, int length) =>
        Encoding.ASCII.GetString([.. Enumerable.Range(0, length).Select(i => identity[(2 * word) + (i ^ 1)])]).TrimEnd();
}
