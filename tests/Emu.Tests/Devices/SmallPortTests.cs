using System.Text;
using Emu.Core;
using Emu.Devices.Legacy;
using Emu.Devices.Serial;

namespace Emu.Tests.Devices;

public sealed class SmallPortTests
{
    private readonly PortBench _bench = new();

    [Fact]
    public void Port92_A20Bit_IsReportedOnChange()
    {
        var levels = new List<bool>();
        var port = new Port92("port92") { A20Changed = levels.Add };
        _bench.Place(0x92, port.Registers);

        _bench.Out(0x92, 0x02);
        _bench.Out(0x92, 0x02);
        _bench.Out(0x92, 0x00);

        Assert.Equal([true, false], levels);
        Assert.Equal(0x00, _bench.In(0x92));
    }

    [Fact]
    public void Port92_RisingBit0_AsksForReset()
    {
        int resets = 0;
        var port = new Port92("port92") { ResetRequested = () => resets++ };
        _bench.Place(0x92, port.Registers);

        _bench.Out(0x92, 0x01);
        _bench.Out(0x92, 0x01);

        Assert.Equal(1, resets);
        port.Restore(port.Save());
        Assert.Throws<InvalidDeviceStateException>(() => port.Restore(new StatelessDeviceState()));
    }

    [Theory]
    [InlineData(1, 0x10u, 0x21)]
    [InlineData(2, 0x0100u, 0x201)]
    [InlineData(4, 0xffffffffu, -1)]
    public void DebugExit_Write_GivesOddExitCode(int size, uint value, int expected)
    {
        int? code = null;
        var device = new IsaDebugExit("exit", c => code = c, 0xf4, 4);
        _bench.Place(device.IoBase, device.Registers);

        switch (size)
        {
            case 1: _bench.Out(0xf4, (byte)value); break;
            case 2: _bench.Out16(0xf4, (ushort)value); break;
            default: _bench.Out32(0xf4, value); break;
        }

        Assert.Equal(expected, code);
    }

    [Fact]
    public void DebugCon_Write_ReachesBackendAndReadIdentifies()
    {
        var sink = new Sink();
        _bench.Place(0xe9, new DebugCon("debugcon", sink).Registers);

        _bench.Out(0xe9, (byte)'o');
        _bench.Out(0xe9, (byte)'k');

        Assert.Equal("ok", sink.Text.ToString());
        Assert.Equal(0xe9, _bench.In(0xe9));
    }

    [Fact]
    public void Port80_Write_IsSwallowed()
    {
        byte last = 0;
        _bench.Place(0x80, new Port80("post") { Written = code => last = code }.Registers);

        _bench.Out(0x80, 0x55);

        Assert.Equal(0x55, last);
        Assert.Equal(0xff, _bench.In(0x80));
    }

    private sealed class Sink : ISerialBackend
    {
        public StringBuilder Text { get; } = new();

        public void Write(ReadOnlySpan<byte> data) => Text.Append(Encoding.Latin1.GetString(data));
    }
}
