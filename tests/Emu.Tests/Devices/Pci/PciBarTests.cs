using Emu.Core.Memory;
using Emu.Devices.Acpi;
using Emu.Devices.Pci;

namespace Emu.Tests.Devices.Pci;

public sealed class PciBarTests : IDisposable
{
    private const int Device = 3;
    private readonly PciBench _bench = new();
    private readonly PciFunction _function = new(0x1234, 0x5678, 0x010000, 0);

    public PciBarTests()
    {
        _function.DefineBar(0, PciBarKind.Io, MemoryRegion.OfIo("io-bar", 0x40, new OffsetRegisters(), IoAccess.UpToDword));
        _function.DefineBar(1, PciBarKind.Memory32, MemoryRegion.OfIo("bar32", 0x1000, new OffsetRegisters(), IoAccess.UpToDword));
        _function.DefineBar(2, PciBarKind.PrefetchableMemory64, MemoryRegion.OfIo("bar64", 0x4000, new OffsetRegisters(), IoAccess.UpToDword));
        _bench.Bus.Plug(Device, 0, _function);
    }

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Bar_AppearsWithItsCommandBit_AndMoves()
    {
        _bench.WriteConfig(Device, 0x10, 0xc001);
        _bench.WriteConfig(Device, 0x14, 0xe000_0000);
        Assert.Equal(0xffUL, _bench.Memory.Read(0xe000_0010, 1));

        _bench.WriteConfig(Device, 0x04, 2, 2);
        Assert.Equal(0x10UL, _bench.Memory.Read(0xe000_0010, 4));
        Assert.Equal(0xffUL, _bench.Ports.Read(0xc004, 1));

        _bench.WriteConfig(Device, 0x04, 3, 2);
        Assert.Equal(4UL, _bench.Ports.Read(0xc004, 1));

        _bench.WriteConfig(Device, 0x14, 0xe100_0000);
        Assert.Equal(0xffUL, _bench.Memory.Read(0xe000_0010, 1));
        Assert.Equal(0x10UL, _bench.Memory.Read(0xe100_0010, 4));

        _bench.WriteConfig(Device, 0x04, 0, 2);
        Assert.Equal(0xffUL, _bench.Memory.Read(0xe100_0010, 1));
    }

    [Fact]
    public void Bar_BeingSized_DecodesNothing()
    {
        _bench.WriteConfig(Device, 0x04, 3, 2);
        _bench.WriteConfig(Device, 0x14, 0xffff_ffff);

        Assert.Equal(0xffff_f000u, _bench.ReadConfig(Device, 0x14));
        Assert.Null(_function.Bars[1]!.Address);
        Assert.Equal(0xffUL, _bench.Memory.Read(0xffff_f010, 1));
    }

    [Fact]
    public void Bar64_Above4GiB_IsDecoded_AndOutsideTheMapIsNot()
    {
        _bench.WriteConfig(Device, 0x04, 2, 2);
        _bench.WriteConfig(Device, 0x18, 0x0000_4000);
        _bench.WriteConfig(Device, 0x1c, 0x10);
        Assert.Equal(0x20UL, _bench.Memory.Read(0x10_0000_4020, 4));

        _bench.WriteConfig(Device, 0x1c, 0x8000_0000);
        Assert.Null(_function.Bars[2]!.Address);
    }

    [Fact]
    public void Bar_OverRam_HidesNothing()
    {
        _bench.Memory.Write(0x1000, 0x55, 1);
        _bench.WriteConfig(Device, 0x04, 2, 2);
        _bench.WriteConfig(Device, 0x14, 0x1000);

        Assert.Equal(0x55UL, _bench.Memory.Read(0x1000, 1));
    }

    [Fact]
    public void Reset_TakesBarsAway()
    {
        _bench.WriteConfig(Device, 0x14, 0xe000_0000);
        _bench.WriteConfig(Device, 0x04, 2, 2);
        _function.Reset();

        Assert.Equal(0xffUL, _bench.Memory.Read(0xe000_0010, 1));
        Assert.Equal(0u, _bench.ReadConfig(Device, 0x14));
    }

    [Fact]
    public void SaveRestore_PutsBarsBack()
    {
        _bench.WriteConfig(Device, 0x14, 0xe000_0000);
        _bench.WriteConfig(Device, 0x04, 2, 2);
        byte[] saved = _function.SaveConfig();
        _function.Reset();

        Assert.True(_function.TryRestoreConfig(saved));
        Assert.Equal(0x10UL, _bench.Memory.Read(0xe000_0010, 4));
    }

    [Fact]
    public void Capabilities_FormAList()
    {
        int first = _function.AddCapability(0x09, 5);
        int second = _function.AddCapability(0x05, 14);

        Assert.Equal((uint)first, _bench.ReadConfig(Device, 0x34, 1));
        Assert.Equal(0x09u | ((uint)second << 8), _bench.ReadConfig(Device, first, 2));
        Assert.Equal(0x0005u, _bench.ReadConfig(Device, second, 2));
        Assert.Equal(0x10u, _bench.ReadConfig(Device, 0x06, 2) & 0x10);
        Assert.Equal(0, second % 4);
    }

    [Fact]
    public void Setup_PlacesEverything_WithoutOverlap()
    {
        for (int device = 4; device < 20; device++)
        {
            var other = new PciFunction(0x1234, (ushort)device, 0x020000, 0);
            other.DefineBar(0, PciBarKind.Memory32, 1UL << (device + 4));
            other.DefineBar(1, PciBarKind.Io, 1UL << (2 + (device % 6)));
            other.DefineInterruptPin((byte)(1 + (device % 4)));
            _bench.Bus.Plug(device, 0, other);
        }

        Assert.Empty(PciSetup.Assign(_bench.Bus, (0xc000_0000, 0xfebf_ffff)));

        PciBar[] bars = [.. _bench.Bus.Functions.SelectMany(entry => entry.Function.Bars.OfType<PciBar>())];
        Assert.All(bars, bar => Assert.Equal(0UL, bar.Address!.Value % bar.Size));
        Assert.All(bars.Where(bar => bar.Kind != PciBarKind.Io), bar => Assert.InRange(bar.Address!.Value, 0xc000_0000UL, 0xfebf_ffffUL));
        foreach (IEnumerable<PciBar> kind in bars.GroupBy(bar => bar.Kind == PciBarKind.Io))
        {
            PciBar[] sorted = [.. kind.OrderBy(bar => bar.Address)];
            Assert.All(sorted.Zip(sorted.Skip(1)), pair => Assert.True(pair.First.Address + pair.First.Size <= pair.Second.Address));
        }
    }

    [Fact]
    public void Setup_BarWithoutRoom_StaysOffAndIsNamed()
    {
        var huge = new PciFunction(0x1234, 1, 0x020000, 0);
        huge.DefineBar(0, PciBarKind.Memory64, 1UL << 31);
        _bench.Bus.Plug(4, 0, huge);

        Assert.Equal([huge], PciSetup.Assign(_bench.Bus, (0xc000_0000, 0xfebf_ffff)));
        Assert.Null(huge.Bars[0]!.Address);
    }

    [Fact]
    public void PowerManagement_PortsAreWherePmBaseSays()
    {
        MemoryRegion block = MemoryRegion.OfIo("pm", 16, new OffsetRegisters(), IoAccess.UpToDword);
        var power = new Piix4Pm(block);
        _bench.Bus.Plug(Piix4Pm.Device, Piix4Pm.Number, power);
        power.WriteConfig(Piix4Pm.BaseOffset, PmDevice.DefaultPort, 4);
        Assert.Equal(0xffUL, _bench.Ports.Read(PmDevice.DefaultPort + 8, 1));

        power.WriteConfig(Piix4Pm.MiscOffset, 1, 1);
        Assert.Equal(8UL, _bench.Ports.Read(PmDevice.DefaultPort + 8, 1));
        Assert.Equal(PmDevice.DefaultPort | 1u, power.ReadConfig(Piix4Pm.BaseOffset, 4));

        power.WriteConfig(Piix4Pm.BaseOffset, 0xb000, 4);
        Assert.Equal(0xffUL, _bench.Ports.Read(PmDevice.DefaultPort + 8, 1));
        Assert.Equal(8UL, _bench.Ports.Read(0xb008, 1));
        power.Reset();
        Assert.Equal(0xffUL, _bench.Ports.Read(0xb008, 1));
    }
}
