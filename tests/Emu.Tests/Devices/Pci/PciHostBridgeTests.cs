using Emu.Core;
using Emu.Devices.Acpi;
using Emu.Devices.Pci;

namespace Emu.Tests.Devices.Pci;

public sealed class PciHostBridgeTests
{
    private readonly PortBench _bench = new();
    private readonly PciHostBridge _bridge = new("pci");

    public PciHostBridgeTests()
    {
        _bench.Place(0xcf8, _bridge.AddressPort);
        _bench.Place(0xcfc, _bridge.DataPort);
    }

    [Fact]
    public void Pci_HostBridge_IsI440Fx()
    {
        Select(0, 0, 0x00);

        Assert.Equal(0x12378086u, _bench.In32(0xcfc));
        Assert.Equal(0x1237, _bench.In16(0xcfe));
        Assert.Equal(0x12, _bench.In(0xcff));
        Select(0, 0, 0x08);
        Assert.Equal(0x06000002u, _bench.In32(0xcfc));
    }

    [Fact]
    public void Pci_AddressRegister_ReadsBackWithEnable()
    {
        _bench.Out32(0xcf8, 0xffffffff);

        Assert.Equal(0x80fffffcu, _bench.In32(0xcf8));
        _bench.Out(0xcf8, 0x55);
        Assert.Equal(0x80fffffcu, _bench.In32(0xcf8));
    }

    [Fact]
    public void Pci_ResetControl_TakesBytesAtCf9Only()
    {
        int resets = 0;
        _bridge.ResetControl = new ResetRegister("reset", () => resets++);

        _bench.Out32(0xcf8, 0x80000600);
        Assert.Equal(0, resets);
        _bench.Out(0xcf9, 0x02);
        Assert.Equal(0x02, _bench.In(0xcf9));
        _bench.Out(0xcf9, 0x06);

        Assert.Equal(1, resets);
        Assert.Equal(0x80000600u, _bench.In32(0xcf8));
    }

    [Theory]
    [InlineData(0x80000800u)]
    [InlineData(0x80010000u)]
    [InlineData(0x00000000u)]
    public void Pci_NothingThere_ReadsAllOnes(uint address)
    {
        _bench.Out32(0xcf8, address);
        _bench.Out32(0xcfc, 0);

        Assert.Equal(uint.MaxValue, _bench.In32(0xcfc));
    }

    [Fact]
    public void Pci_ReadOnlyBits_Stay()
    {
        Select(0, 0, 0x00);
        _bench.Out32(0xcfc, 0);
        Assert.Equal(0x12378086u, _bench.In32(0xcfc));

        Select(0, 0, 0x04);
        _bench.Out16(0xcfc, 0xffff);

        Assert.Equal(0x0106, _bench.In16(0xcfc));
    }

    [Fact]
    public void Pci_PamWrite_IsStoredAndReported()
    {
        var writes = new List<(int, int)>();
        _bridge.Host.ConfigWritten = (offset, size) => writes.Add((offset, size));
        Select(0, 0, 0x58);

        _bench.Out(0xcfd, 0x30);
        _bench.Out16(0xcfe, 0x3333);

        Assert.Equal(0x33333000u, _bench.In32(0xcfc));
        Assert.Equal([(0x59, 1), (0x5a, 2)], writes);
    }

    [Fact]
    public void Pci_BarSizing_AnswersTheProtocol()
    {
        var function = new PciFunction(0x1af4, 0x1000, 0x020000, 0);
        function.DefineBar(0, PciBarKind.Io, 0x20);
        function.DefineBar(1, PciBarKind.Memory32, 0x1000);
        function.DefineBar(4, PciBarKind.PrefetchableMemory64, 0x2_0000_0000);
        _bridge.Bus.Plug(3, 0, function);

        uint[] sizes = [.. Enumerable.Range(0, 6).Select(bar =>
        {
            Select(3, 0, 0x10 + (4 * bar));
            _bench.Out32(0xcfc, 0xffffffff);
            return _bench.In32(0xcfc);
        })];

        Assert.Equal([0xffffffe1u, 0xfffff000u, 0u, 0u, 0x0000000cu, 0xfffffffeu], sizes);
    }

    [Fact]
    public void Pci_SaveRestore_KeepsAddressAndConfig()
    {
        Select(0, 0, 0x58);
        _bench.Out(0xcfd, 0x30);
        var saved = (PciHostBridgeState)_bridge.Save();
        _bridge.Reset();

        _bridge.Restore(saved);

        Assert.Equal(0x30, _bench.In(0xcfd));
        byte[] forged = [.. saved.HostConfig];
        forged[0] = 0;
        Assert.Throws<InvalidDeviceStateException>(() => _bridge.Restore(saved with { HostConfig = forged }));
        Assert.Throws<InvalidDeviceStateException>(() => _bridge.Restore(saved with { HostConfig = [] }));
        Assert.Throws<InvalidDeviceStateException>(() => _bridge.Restore(saved with { Address = 1 }));
    }

    private void Select(int device, int function, int register) =>
        _bench.Out32(0xcf8, 0x80000000u | (uint)((device << 11) | (function << 8) | register));
}
