using System.Buffers.Binary;
using System.Text;
using Emu.Devices.Virtio;

namespace Emu.Tests.Devices.Virtio;

public sealed class VirtioBlkTests
{
    private const uint Read = 0;
    private const uint Write = 1;
    private const uint Flush = 4;
    private const uint GetId = 8;
    private const uint Discard = 11;
    private const uint WriteZeroes = 13;

    private readonly MemoryDisk _disk = new(256 << 10);

    public static TheoryData<ulong> Rings =>
        [0UL, VirtioFeature.EventIndex, VirtioFeature.PackedRing, VirtioFeature.PackedRing | VirtioFeature.EventIndex,
         VirtioFeature.IndirectDescriptors, VirtioFeature.IndirectDescriptors | VirtioFeature.PackedRing];

    [Theory]
    [MemberData(nameof(Rings))]
    public void Data_GoesThereAndBack_OnEveryRing(ulong ring)
    {
        using var driver = new BlkDriver(_disk, ring);
        var random = new Random(1);
        byte[] model = new byte[_disk.Length];
        bool indirect = (ring & VirtioFeature.IndirectDescriptors) != 0;
        for (int step = 0; step < 500; step++)
        {
            int sectors = random.Next(1, 33);
            int sector = random.Next((int)(_disk.Length / 512) - sectors);
            int pieces = random.Next(1, 6);
            byte[] data = new byte[sectors * 512];
            if (random.Next(2) == 0)
            {
                random.NextBytes(data);
                driver.Ram.Write(BlkDriver.DataAddress, data);
                data.CopyTo(model, sector * 512);
                Assert.Equal(((byte)0, 1u), driver.Run(Write, (ulong)sector, data.Length, isRead: false, pieces, indirect));
            }
            else
            {
                Assert.Equal(((byte)0, (uint)data.Length + 1), driver.Run(Read, (ulong)sector, data.Length, isRead: true, pieces, indirect));
                driver.Ram.Read(BlkDriver.DataAddress, data);
                Assert.True(model.AsSpan(sector * 512, data.Length).SequenceEqual(data), $"step {step}");
            }
        }

        Assert.Equal(model, _disk.Content);
        Assert.Empty(driver.Bench.Log);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void LargeTransfer_InPiecesOfAnySize_IsWhole(int pieces)
    {
        using var driver = new BlkDriver(_disk);
        const int length = 192 << 10;
        byte[] data = new byte[length];
        new Random(pieces).NextBytes(data);
        driver.Ram.Write(BlkDriver.DataAddress, data);
        Assert.Equal((byte)0, driver.Run(Write, 8, length, isRead: false, pieces).Status);
        Assert.True(data.AsSpan().SequenceEqual(_disk.Content.AsSpan(4096, length)));

        driver.Ram.Slice(BlkDriver.DataAddress, length).Clear();
        Assert.Equal((byte)0, driver.Run(Read, 8, length, isRead: true, pieces).Status);
        Assert.True(data.AsSpan().SequenceEqual(driver.Ram.Slice(BlkDriver.DataAddress, length)));
    }

    [Fact]
    public void Config_TellsCapacityAndLimits()
    {
        using var driver = new BlkDriver(_disk);
        Assert.Equal(512UL, driver.Bench.ReadDevice(0, 4));
        Assert.Equal(254UL, driver.Bench.ReadDevice(12, 4));
        Assert.Equal(512UL, driver.Bench.ReadDevice(20, 4));
        Assert.Equal(1UL, driver.Bench.ReadDevice(32, 1));
        Assert.Equal(0UL, driver.Bench.ReadDevice(100, 4));
    }

    [Fact]
    public void Flush_ReachesTheDisk()
    {
        using var driver = new BlkDriver(_disk);
        Assert.Equal(((byte)0, 1u), driver.Run(Flush, 0, 0, isRead: false));
        Assert.Equal(1, _disk.Flushes);
    }

    [Theory]
    [InlineData(true, ulong.MaxValue, 0)]
    [InlineData(false, ulong.MaxValue, 1)]
    [InlineData(true, ~(1UL << 9), 1)] // a driver that cannot flush
    public void Write_IsFlushed_WhenTheCacheWritesThrough(bool writeBack, ulong accept, int flushes)
    {
        using var driver = new BlkDriver(_disk, options: new VirtioBlkOptions { WriteBack = writeBack }, accept: accept);
        Assert.Equal((byte)0, driver.Run(Write, 0, 512, isRead: false).Status);
        Assert.Equal(flushes, _disk.Flushes);
    }

    [Fact]
    public void WritebackField_SwitchesTheCache()
    {
        using var driver = new BlkDriver(_disk);
        driver.Bench.WriteDevice(32, 0, 1);
        driver.Run(Write, 0, 512, isRead: false);
        Assert.Equal(1, _disk.Flushes);
        Assert.Equal(0UL, driver.Bench.ReadDevice(32, 1));
    }

    [Fact]
    public void GetId_GivesTheSerial()
    {
        using var driver = new BlkDriver(_disk, options: new VirtioBlkOptions { Serial = "EMU-0123456789-and-more" });
        Assert.Equal((byte)0, driver.Run(GetId, 0, 20, isRead: true).Status);
        Assert.Equal("EMU-0123456789-and-m", Encoding.ASCII.GetString(driver.Ram.Slice(BlkDriver.DataAddress, 20)));
    }

    [Theory]
    [InlineData(Read, 512UL, 512)]
    [InlineData(Read, 511UL, 1024)]
    [InlineData(Write, ulong.MaxValue, 512)]
    [InlineData(Write, 1UL << 55, 512)]
    [InlineData(Read, 0UL, 100)]
    [InlineData(Write, 0UL, 513)]
    public void Range_OutsideTheDiskOrUneven_IsAnError(uint type, ulong sector, int length)
    {
        using var driver = new BlkDriver(_disk);
        Assert.Equal((byte)1, driver.Run(type, sector, length, type == Read).Status);
    }

    [Fact]
    public void DiskThatFails_IsAnErrorForTheGuest()
    {
        using var driver = new BlkDriver(_disk);
        _disk.Fails = true;
        Assert.Equal((byte)1, driver.Run(Read, 0, 512, isRead: true).Status);
        Assert.Equal((byte)1, driver.Run(Write, 0, 512, isRead: false).Status);
        Assert.Equal((byte)1, driver.Run(Flush, 0, 0, isRead: false).Status);
    }

    [Fact]
    public void UnknownRequest_IsUnsupported()
    {
        using var driver = new BlkDriver(_disk);
        Assert.Equal((byte)2, driver.Run(99, 0, 0, isRead: false).Status);
    }

    [Fact]
    public void ReadOnlyDisk_SaysSo_AndRefusesWrites()
    {
        var disk = new MemoryDisk(4096) { IsReadOnly = true };
        using var driver = new BlkDriver(disk);
        Assert.NotEqual(0UL, driver.Features & (1UL << 5));
        Assert.Equal((byte)1, driver.Run(Write, 0, 512, isRead: false).Status);
    }

    [Theory]
    [InlineData(Discard, 0u, 0)]
    [InlineData(Discard, 1u, 2)] // unmap means nothing there
    [InlineData(WriteZeroes, 1u, 0)]
    [InlineData(WriteZeroes, 2u, 2)]
    public void Ranges_AreCleared(uint type, uint flags, byte status)
    {
        using var driver = new BlkDriver(_disk);
        _disk.Content.AsSpan().Fill(0x77);
        driver.Ram.Write(BlkDriver.DataAddress, [.. Range(1, 2, flags), .. Range(10, 1, flags)]);

        Assert.Equal(status, driver.Run(type, 0, 32, isRead: false).Status);
        bool[] cleared = [.. Enumerable.Range(0, 12).Select(sector => !_disk.Content.AsSpan(sector * 512, 512).ContainsAnyExcept((byte)0))];
        Assert.Equal(status == 0 ? [1, 2, 10] : [], Enumerable.Range(0, 12).Where(sector => cleared[sector]));
    }

    [Theory]
    [InlineData(0xffff_ffffUL, 1u)]
    [InlineData(0UL, 0xffff_ffffu)]
    public void Range_OutsideTheDisk_IsNotCleared(ulong sector, uint count)
    {
        using var driver = new BlkDriver(_disk);
        driver.Ram.Write(BlkDriver.DataAddress, Range(sector, count, 0));
        Assert.Equal((byte)1, driver.Run(Discard, 0, 16, isRead: false).Status);
        Assert.Equal((byte)1, driver.Run(WriteZeroes, 0, 15, isRead: false).Status);
    }

    [Theory]
    [MemberData(nameof(Rings))]
    public void Interrupt_ComesForEachAnswer_UnlessSuppressed(ulong ring)
    {
        using var driver = new BlkDriver(_disk, ring);
        for (int i = 0; i < 40; i++)
        {
            driver.Run(Flush, 0, 0, isRead: false);
        }

        Assert.Equal(Enumerable.Repeat(1u, 40), driver.Bench.Pci.Messages.Select(message => message.Data));
        if ((ring & VirtioFeature.EventIndex) == 0)
        {
            driver.Ring.SuppressInterrupts();
            driver.Run(Flush, 0, 0, isRead: false);
            Assert.Equal(40, driver.Bench.Pci.Messages.Count);
        }
    }

    [Fact]
    public void Interrupt_WithoutMsix_IsTheIsrAndThePin()
    {
        using var driver = new BlkDriver(_disk);
        driver.Bench.Pci.WriteConfig(2, 0x42, 0, 2);
        driver.Run(Flush, 0, 0, isRead: false);

        Assert.True(driver.Bench.Pci.Irq(10));
        Assert.Equal(1, driver.Bench.ReadIsr());
        Assert.False(driver.Bench.Pci.Irq(10));
        Assert.Equal(0, driver.Bench.ReadIsr());
    }

    [Fact]
    public void Dma_IntoCode_IsNoticed()
    {
        using var driver = new BlkDriver(_disk);
        var writes = new List<ulong>();
        driver.Ram.AddPageFlags(BlkDriver.DataAddress, Emu.Core.Memory.RamPageFlags.Code);
        driver.Ram.CodeWritten += (_, offset, _) => writes.Add(offset);

        driver.Run(Read, 0, 512, isRead: true);
        Assert.Equal([BlkDriver.DataAddress], writes);
    }

    [Fact]
    public void SaveRestore_GoesOnWhereItWas()
    {
        using var driver = new BlkDriver(_disk, VirtioFeature.PackedRing);
        for (int i = 0; i < 7; i++)
        {
            driver.Run(Flush, 0, 0, isRead: false);
        }

        var saved = driver.Bench.Transport.Save();
        driver.Bench.Transport.Reset();
        Assert.Equal(0xff, driver.Bench.Status);
        driver.Bench.Transport.Restore(saved);

        Assert.Equal(15, driver.Bench.Status);
        Assert.Equal((byte)0, driver.Run(Write, 3, 512, isRead: false).Status);
        Assert.Equal(8, driver.Bench.Pci.Messages.Count);
    }

    private static byte[] Range(ulong sector, uint count, uint flags)
    {
        byte[] range = new byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(range, sector);
        BinaryPrimitives.WriteUInt32LittleEndian(range.AsSpan(8), count);
        BinaryPrimitives.WriteUInt32LittleEndian(range.AsSpan(12), flags);
        return range;
    }
}
