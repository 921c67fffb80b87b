using Emu.Core;
using Emu.Core.Memory;

namespace Emu.Tests.Core;

public sealed class FlatViewTests
{
    private readonly MachineLock _lock = new();

    [Fact]
    public void View_HigherPriorityChild_SplitsTheLowerOne()
    {
        using var ram = new GuestRam("ram", 0x10000);
        MemoryRegion root = MemoryRegion.Container("root", 0x100000);
        root.Add(0, MemoryRegion.OfRam("low", ram, 0, 0x10000));
        root.Add(0x4000, MemoryRegion.OfIo("device", 0x1000, new Recorder(), IoAccess.UpToDword), priority: 1);

        var space = new AddressSpace("memory", root, _lock);

        Assert.Equal(["low@0+4000", "device@4000+1000", "low@5000+b000"], Describe(space));
        Assert.Equal(0x5000UL, space.View.Ranges[2].RamOffset(0x5000));
    }

    [Fact]
    public void View_AliasOfOffset_ShowsTheTargetsBytes()
    {
        using var ram = new GuestRam("ram", 0x10000);
        MemoryRegion root = MemoryRegion.Container("root", 0x1_0000_0000);
        MemoryRegion all = MemoryRegion.OfRam("all", ram, 0, 0x10000);
        root.Add(0, MemoryRegion.Alias("below", all, 0, 0x8000));
        root.Add(0x1000_0000, MemoryRegion.Alias("above", all, 0x8000, 0x8000));
        var space = new AddressSpace("memory", root, _lock);

        space.Write(0x1000_0004, 0x11223344, 4);

        Assert.Equal(0x11223344UL, ram.ReadValue(0x8004, 4));
        Assert.Equal(["all@0+8000", "all@10000000+8000"], Describe(space));
    }

    [Fact]
    public void Listener_DisablingARegion_SeesWhatWasRemovedAndAdded()
    {
        using var ram = new GuestRam("ram", 0x2000);
        MemoryRegion root = MemoryRegion.Container("root", 0x10000);
        MemoryRegion device = MemoryRegion.OfIo("device", 0x1000, new Recorder(), IoAccess.Bytes);
        root.Add(0, MemoryRegion.OfRam("low", ram, 0, 0x2000));
        root.Add(0, device, priority: 1);
        var space = new AddressSpace("memory", root, _lock);
        var listener = new Listener();
        space.AddListener(listener);

        device.Enabled = false;

        Assert.Equal(["-device", "-low", "+low"], listener.Changes.Skip(2));
    }

    [Fact]
    public void Access_WiderThanDevice_IsSplitAndNarrowerIsWidened()
    {
        var device = new Recorder();
        MemoryRegion root = MemoryRegion.Container("root", 0x1000);
        root.Add(0, MemoryRegion.OfIo("bytes", 0x10, device, IoAccess.Bytes));
        root.Add(0x10, MemoryRegion.OfIo("dwords", 0x10, device, IoAccess.Dwords));
        var space = new AddressSpace("memory", root, _lock);

        space.Write(2, 0xaabb, 2);
        ulong read = space.Read(0x15, 1);

        Assert.Equal(["w2:bb/1", "w3:aa/1", "r4/4"], device.Log);
        Assert.Equal(0x33UL, read);
    }

    [Fact]
    public void Access_WhereNothingLies_ReadsAllOnes()
    {
        var space = new AddressSpace("memory", MemoryRegion.Container("root", 0x1000), _lock);

        Assert.Equal(0xffffUL, space.Read(0x800, 2));
        Assert.Equal(ulong.MaxValue, space.Read(0xfffff000, 8));
    }

    [Fact]
    public void Rom_Write_IsIgnored()
    {
        using var ram = new GuestRam("rom", 0x1000);
        ram.WriteValue(0, 0x55, 1);
        MemoryRegion root = MemoryRegion.Container("root", 0x1000);
        root.Add(0, MemoryRegion.OfRom("rom", ram, 0, 0x1000));
        var space = new AddressSpace("memory", root, _lock);

        space.Write(0, 0xff, 1);
        space.Write(0, [0xff]);

        Assert.Equal(0x55UL, space.Read(0, 1));
    }

    [Fact]
    public void DirtyLog_Write_ReportsEachTouchedPageOnce()
    {
        using var ram = new GuestRam("ram", 0x4000);
        ram.SetDirtyLogging(true);

        ram.Write(0xfff, [1, 2]);
        ram.WriteValue(0x3000, 1, 8);

        Assert.Equal([0UL, 1UL, 3UL], ram.TakeDirtyPages());
        Assert.Empty(ram.TakeDirtyPages());
    }

    [Fact]
    public void Slice_OutsideTheBlock_Throws()
    {
        using var ram = new GuestRam("ram", 0x1000);

        Assert.Throws<ArgumentOutOfRangeException>(() => ram.ReadValue(0xffd, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => ram.ReadValue(ulong.MaxValue, 1));
    }

    private static string[] Describe(AddressSpace space) =>
        [.. space.View.Ranges.ToArray().Select(range => $"{range.Region.Name}@{range.Start:x}+{range.Size:x}")];

    private sealed class Recorder : IIoHandler
    {
        public List<string> Log { get; } = [];

        public ulong Read(ulong offset, int size)
        {
            Log.Add($"r{offset:x}/{size}");
            return 0x11223344;
        }

        public void Write(ulong offset, ulong value, int size) => Log.Add($"w{offset:x}:{value:x}/{size}");
    }

    private sealed class Listener : IMemoryListener
    {
        public List<string> Changes { get; } = [];

        public void OnMapChanged(FlatView before, FlatView after, IReadOnlyList<FlatRange> removed, IReadOnlyList<FlatRange> added)
        {
            Changes.AddRange(removed.Select(range => "-" + range.Region.Name));
            Changes.AddRange(added.Select(range => "+" + range.Region.Name));
        }
    }
}
