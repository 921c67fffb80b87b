using System.Buffers.Binary;
using System.Text;
using Emu.Core;
using Emu.Core.Memory;
using Emu.Devices.Legacy;

namespace Emu.Tests.Devices;

public sealed class FwCfgTests : IDisposable
{
    private const ushort Selector = 0x510;
    private const ushort Data = 0x511;
    private const ulong Descriptor = 0x100;
    private const uint RamSize = 0x10000;

    private readonly PortBench _bench = new();
    private readonly GuestRam _ram = new("ram", RamSize);
    private readonly MemoryRegion _root = MemoryRegion.Container("memory", 1UL << 40);
    private readonly FwCfg _fwCfg;

    public FwCfgTests()
    {
        _root.Add(0, MemoryRegion.OfRam("ram", _ram, 0, RamSize));
        _fwCfg = new FwCfg("fw_cfg", new AddressSpace("memory", _root, new MachineLock()));
        _bench.Place(Selector, _fwCfg.Registers);
    }

    public void Dispose() => _ram.Dispose();

    [Fact]
    public void FwCfg_SignatureAndId_AreQemus()
    {
        Assert.Equal("QEMU", Encoding.ASCII.GetString(ReadItem(FwCfgKeys.Signature, 4)));
        Assert.Equal([3, 0, 0, 0], ReadItem(FwCfgKeys.Id, 4));
        Assert.Equal("QEMU"u8.ToArray(), BitConverter.GetBytes(_bench.In32(0x514)));
        Assert.Equal(" CFG"u8.ToArray(), BitConverter.GetBytes(_bench.In32(0x518)));
    }

    [Fact]
    public void FwCfg_IntegersAndStrings_AreLittleEndianAndTerminated()
    {
        _fwCfg.AddInt16(FwCfgKeys.CpuCount, 0x0102);
        _fwCfg.AddInt64(FwCfgKeys.RamSize, 0x1_0000_0000);
        _fwCfg.AddString(FwCfgKeys.CommandLineData, "ro");

        Assert.Equal([2, 1, 0], ReadItem(FwCfgKeys.CpuCount, 3));
        Assert.Equal([0, 0, 0, 0, 1, 0, 0, 0], ReadItem(FwCfgKeys.RamSize, 8));
        Assert.Equal("ro\0"u8.ToArray(), ReadItem(FwCfgKeys.CommandLineData, 3));
    }

    [Fact]
    public void FwCfg_DataInABlock_GivesTheItemAndThenZeros()
    {
        _fwCfg.AddString(FwCfgKeys.CommandLineData, "console");
        _bench.Out16(Selector, FwCfgKeys.CommandLineData);
        byte[] data = [.. Enumerable.Repeat((byte)0xee, 12)];
        int never = 0;

        Assert.Equal((byte)'c', _bench.In(Data));
        Assert.Equal(12, _bench.Ports.ReadRepeated(Data, data, 1, in never));
        Assert.Equal("onsole\0\0\0\0\0\0"u8.ToArray(), data);
    }

    [Fact]
    public void FwCfg_UnknownKey_ReadsZeros()
    {
        Assert.Equal([0, 0], ReadItem(0x1234, 2));
    }

    [Fact]
    public void FwCfg_Directory_ListsFiles()
    {
        _fwCfg.AddFile("etc/e820", new byte[20]);
        ushort key = _fwCfg.AddFile("bootorder", "x"u8.ToArray());

        byte[] directory = ReadItem(FwCfgKeys.FileDirectory, 4 + (2 * 64));

        Assert.Equal(2u, BinaryPrimitives.ReadUInt32BigEndian(directory));
        Assert.Equal(1u, BinaryPrimitives.ReadUInt32BigEndian(directory.AsSpan(68)));
        Assert.Equal(key, BinaryPrimitives.ReadUInt16BigEndian(directory.AsSpan(72)));
        Assert.Equal("bootorder", Encoding.ASCII.GetString(directory, 76, 56).TrimEnd('\0'));
        Assert.Equal("x"u8.ToArray(), ReadItem(key, 1));
    }

    [Fact]
    public void Dma_SelectAndRead_CopiesAndPadsWithZeros()
    {
        ushort key = _fwCfg.AddFile("file", [1, 2, 3]);
        _ram.Write(0x2000, [9, 9, 9, 9, 9]);

        uint result = Dma(((uint)key << 16) | 0x0a, 4, 0x2000);

        Assert.Equal(0u, result);
        byte[] read = new byte[5];
        _ram.Read(0x2000, read);
        Assert.Equal([1, 2, 3, 0, 9], read);
    }

    [Fact]
    public void Dma_Skip_MovesTheOffset()
    {
        ushort key = _fwCfg.AddFile("file", [1, 2, 3]);

        Assert.Equal(0u, Dma(((uint)key << 16) | 0x0c, 2, 0));
        Assert.Equal(3, _bench.In(Data));

        Assert.Equal(0u, Dma(((uint)key << 16) | 0x0c, uint.MaxValue, 0));
        Assert.Equal(0, _bench.In(Data));
    }

    [Fact]
    public void Dma_WriteToWritableFile_ChangesItAndCallsBack()
    {
        (int, int)? written = null;
        byte[] content = new byte[4];
        ushort key = _fwCfg.AddFile("vmgenid", content, written: (offset, length) => written = (offset, length));
        _ram.Write(0x3000, [7, 8]);
        Dma(((uint)key << 16) | 0x0c, 1, 0);

        uint result = Dma(0x10, 2, 0x3000);

        Assert.Equal(0u, result);
        Assert.Equal([0, 7, 8, 0], content);
        Assert.Equal((1, 2), written);
    }

    [Fact]
    public void Dma_WriteToReadOnlyOrBeyondEnd_IsAnError()
    {
        ushort readOnly = _fwCfg.AddFile("ro", [1]);
        ushort writable = _fwCfg.AddFile("rw", [1], written: (_, _) => { });

        Assert.Equal(1u, Dma(((uint)readOnly << 16) | 0x18, 1, 0x3000));
        Assert.Equal(1u, Dma(((uint)writable << 16) | 0x18, 2, 0x3000));
        Assert.Equal(1u, Dma(((uint)writable << 16) | 0x18, uint.MaxValue, 0x3000));
    }

    [Theory]
    [InlineData(0x20000ul, 4u)]
    [InlineData(0xfffeul, 4u)]
    [InlineData(0xfffffffffffffffeul, 8u)]
    [InlineData(0x1000ul, uint.MaxValue)]
    public void Dma_ReadOutsideRam_IsAnError(ulong address, uint length)
    {
        ushort key = _fwCfg.AddFile("file", [1, 2, 3, 4]);

        Assert.Equal(1u, Dma(((uint)key << 16) | 0x0a, length, address));
    }

    [Fact]
    public void Dma_DescriptorOutsideRam_IsIgnored()
    {
        _bench.Out32(0x514, uint.MaxValue);
        _bench.Out32(0x518, uint.MaxValue);
        _bench.Out32(0x518, BinaryPrimitives.ReverseEndianness(RamSize - 8));
    }

    [Fact]
    public void FwCfg_SelectedCallback_RunsBeforeTheRead()
    {
        byte[] content = [0];
        ushort key = _fwCfg.AddFile("late", content, selected: () => content[0] = 42);

        Assert.Equal([42], ReadItem(key, 1));
    }

    [Fact]
    public void FwCfg_SaveRestore_KeepsPositionAndWrittenBytes()
    {
        byte[] content = [1, 2];
        ushort key = _fwCfg.AddFile("rw", content, written: (_, _) => { });
        ReadItem(key, 1);
        var saved = (FwCfgState)_fwCfg.Save();
        content[1] = 9;
        _fwCfg.Reset();

        _fwCfg.Restore(saved);

        Assert.Equal(2, _bench.In(Data));
        Assert.Throws<InvalidDeviceStateException>(() => _fwCfg.Restore(saved with { Writable = new() { [1] = [0, 0, 0, 0] } }));
        Assert.Throws<InvalidDeviceStateException>(() => _fwCfg.Restore(saved with { Writable = new() { [key] = null! } }));
        Assert.Throws<InvalidDeviceStateException>(() => _fwCfg.Restore(saved with { Key = 0x4000 }));
    }

    private byte[] ReadItem(ushort key, int length)
    {
        _bench.Out16(Selector, key);
        return [.. Enumerable.Range(0, length).Select(_ => _bench.In(Data))];
    }

    /// <summary>Runs one DMA operation and returns the control field afterwards.</summary>
    private uint Dma(uint control, uint length, ulong address)
    {
        byte[] descriptor = new byte[16];
        BinaryPrimitives.WriteUInt32BigEndian(descriptor, control);
        BinaryPrimitives.WriteUInt32BigEndian(descriptor.AsSpan(4), length);
        BinaryPrimitives.WriteUInt64BigEndian(descriptor.AsSpan(8), address);
        _ram.Write(Descriptor, descriptor);
        _bench.Out32(0x518, BinaryPrimitives.ReverseEndianness((uint)Descriptor));
        return BinaryPrimitives.ReverseEndianness((uint)_ram.ReadValue(Descriptor, 4));
    }
}
