using Emu.Core;
using Emu.Devices.Pci;

namespace Emu.Tests.Devices.Pci;

public sealed class PciInterruptTests : IDisposable
{
    private readonly PciBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData(1, 1, 0)]
    [InlineData(2, 1, 1)]
    [InlineData(4, 1, 3)]
    [InlineData(5, 1, 0)]
    [InlineData(2, 4, 0)]
    [InlineData(0, 1, 3)]
    public void Pirq_IsSwizzledByDevice(int device, int pin, int pirq) => Assert.Equal(pirq, PciBus.PirqOf(device, pin));

    [Fact]
    public void Pin_IsALevelOnTheRoutedIrq_SharedByAll()
    {
        PciFunction one = Plug(2);
        PciFunction two = Plug(6);
        _bench.WriteConfig(Piix3Isa.Device, 0x61, 11, 1);

        one.SetInterrupt(true);
        two.SetInterrupt(true);
        Assert.True(_bench.Irq(11));
        one.SetInterrupt(false);
        Assert.True(_bench.Irq(11));
        two.SetInterrupt(false);
        Assert.False(_bench.Irq(11));
    }

    [Fact]
    public void Route_Changed_MovesTheLevel_AndReservedIrqsTakeNone()
    {
        PciFunction function = Plug(2);
        function.SetInterrupt(true);
        Assert.DoesNotContain(true, Enumerable.Range(0, 16).Select(_bench.Irq));

        _bench.WriteConfig(Piix3Isa.Device, 0x61, 10, 1);
        Assert.True(_bench.Irq(10));
        _bench.WriteConfig(Piix3Isa.Device, 0x61, 5, 1);
        Assert.True(!_bench.Irq(10) && _bench.Irq(5));
        _bench.WriteConfig(Piix3Isa.Device, 0x61, 8, 1);
        Assert.True(!_bench.Irq(5) && !_bench.Irq(8));
        _bench.WriteConfig(Piix3Isa.Device, 0x61, 0x8a, 1);
        Assert.False(_bench.Irq(10));
    }

    [Fact]
    public void TwoPirqs_OnOneIrq_AreOred()
    {
        _bench.WriteConfig(Piix3Isa.Device, 0x60, 0x0b0b_0a0a);
        PciFunction one = Plug(4);
        PciFunction two = Plug(3);

        one.SetInterrupt(true);
        two.SetInterrupt(true);
        one.SetInterrupt(false);
        Assert.True(_bench.Irq(11));
        two.SetInterrupt(false);
        Assert.False(_bench.Irq(11));
    }

    [Fact]
    public void InterruptDisable_CutsThePin_ButStatusTells()
    {
        _bench.WriteConfig(Piix3Isa.Device, 0x60, 0x0a0a_0a0a);
        PciFunction function = Plug(2);
        function.SetInterrupt(true);

        _bench.WriteConfig(2, 0x04, 0x400, 2);
        Assert.False(_bench.Irq(10));
        Assert.Equal(8u, _bench.ReadConfig(2, 0x06, 2) & 8);
        _bench.WriteConfig(2, 0x04, 0, 2);
        Assert.True(_bench.Irq(10));
        function.Reset();
        Assert.False(_bench.Irq(10));
    }

    [Fact]
    public void Msi_SendsItsMessage_WhileEnabledAndMaster()
    {
        PciFunction function = Plug(2);
        var msi = new MsiCapability(function, _bench);
        _bench.WriteConfig(2, 0x44, 0xfee0_1000);
        _bench.WriteConfig(2, 0x4c, 0x4123, 2);
        msi.Raise();
        Assert.Empty(_bench.Messages);

        _bench.WriteConfig(2, 0x42, 1, 2);
        msi.Raise();
        Assert.Empty(_bench.Messages);
        _bench.WriteConfig(2, 0x04, 4, 2);
        msi.Raise();

        Assert.Equal([new MsiMessage(0xfee0_1000, 0x4123)], _bench.Messages);
    }

    [Fact]
    public void Msix_MaskedVector_IsPendingUntilUnmasked()
    {
        MsixCapability msix = PlugMsix(out ulong table);
        SetEntry(table, 1, 0xfee0_0000, 0x31, masked: true);
        _bench.WriteConfig(2, 0x42, 0x8000, 2);
        msix.Raise(1);
        msix.Raise(1);

        Assert.Empty(_bench.Messages);
        Assert.Equal(2UL, _bench.Memory.Read(table + 0x800, 4));
        _bench.Memory.Write(table + 16 + 12, 0, 4);
        Assert.Equal([new MsiMessage(0xfee0_0000, 0x31)], _bench.Messages);
        Assert.Equal(0UL, _bench.Memory.Read(table + 0x800, 4));
        msix.Raise(1);
        Assert.Equal(2, _bench.Messages.Count);
    }

    [Fact]
    public void Msix_FunctionMask_HoldsAll()
    {
        MsixCapability msix = PlugMsix(out ulong table);
        SetEntry(table, 0, 0xfee0_0000, 0x30, masked: false);
        _bench.WriteConfig(2, 0x42, 0xc000, 2);
        msix.Raise(0);
        Assert.Empty(_bench.Messages);

        _bench.WriteConfig(2, 0x42, 0x8000, 2);
        Assert.Equal([0x30u], _bench.Messages.Select(message => message.Data));
    }

    [Fact]
    public void Msix_ChangedMessage_IsTheOneSent_AndMaskingMakesNoNotifier()
    {
        MsixCapability msix = PlugMsix(out ulong table);
        _bench.WriteConfig(2, 0x42, 0x8000, 2);
        SetEntry(table, 2, 0xfee0_0000, 0x30, masked: false);
        int made = _bench.Notifiers;
        _bench.Memory.Write(table + 32 + 12, 1, 4);
        _bench.Memory.Write(table + 32 + 12, 0, 4);
        Assert.Equal(made, _bench.Notifiers);

        SetEntry(table, 2, 0xfee0_2000, 0x40, masked: false);
        msix.Raise(2);
        Assert.Equal([new MsiMessage(0xfee0_2000, 0x40)], _bench.Messages);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(0xffff)]
    [InlineData(-1)]
    public void Msix_VectorThatIsNotThere_IsIgnored(int vector)
    {
        MsixCapability msix = PlugMsix(out _);
        _bench.WriteConfig(2, 0x42, 0x8000, 2);
        msix.Raise(vector);
        Assert.Empty(_bench.Messages);
    }

    private PciFunction Plug(int device)
    {
        var function = new PciFunction(0x1234, 0x5678, 0x010000, 0);
        function.DefineInterruptPin(1);
        _bench.Bus.Plug(device, 0, function);
        return function;
    }

    private MsixCapability PlugMsix(out ulong table)
    {
        var function = new MsixFunction();
        function.Msix = new MsixCapability(function, 3, 1, _bench.CreateMsi);
        function.DefineBar(1, PciBarKind.Memory32, function.Msix.Region);
        _bench.Bus.Plug(2, 0, function);
        table = 0xe000_0000;
        _bench.WriteConfig(2, 0x14, (uint)table);
        _bench.WriteConfig(2, 0x04, 6, 2);
        return function.Msix;
    }

    private void SetEntry(ulong table, int vector, ulong address, uint data, bool masked)
    {
        ulong entry = table + (ulong)(16 * vector);
        _bench.Memory.Write(entry + 12, 1, 4);
        _bench.Memory.Write(entry, address, 8);
        _bench.Memory.Write(entry + 8, data, 4);
        _bench.Memory.Write(entry + 12, masked ? 1u : 0u, 4);
    }

    private sealed class MsixFunction() : PciFunction(0x1234, 0x5678, 0x010000, 0)
    {
        public MsixCapability? Msix { get; set; }

        protected override void OnConfigChanged(int offset, int size)
        {
            base.OnConfigChanged(offset, size);
            Msix?.Update();
        }
    }
}
