using System.Text;
using Emu.Core;
using Emu.Devices.Serial;

namespace Emu.Tests.Devices;

public sealed class UartTests
{
    private const ushort Com1 = 0x3f8;
    private const int IrqNumber = 4;

    private readonly PortBench _bench = new();
    private readonly Sink _sink = new();
    private readonly Uart16550 _uart;

    public UartTests()
    {
        _uart = new Uart16550("serial0", _sink, _bench.Irq(IrqNumber), _bench.Timers);
        _bench.Place(Com1, _uart.Registers);
    }

    [Fact]
    public void Uart_WriteThr_ReachesBackendAtOnce()
    {
        foreach (byte b in "Hi"u8)
        {
            _bench.Out(Com1, b);
        }

        Assert.Equal("Hi", _sink.Text.ToString());
        Assert.Equal(0x60, _bench.In(Com1 + 5));
    }

    [Fact]
    public void Uart_WriteThr_RaisesThreInterrupt()
    {
        _bench.Out(Com1 + 1, 0x02);
        _bench.In(Com1 + 2);
        Assert.False(_bench.Level(IrqNumber));

        _bench.Out(Com1, (byte)'x');

        Assert.True(_bench.Level(IrqNumber));
        Assert.Equal(0x02, _bench.In(Com1 + 2));
        Assert.False(_bench.Level(IrqNumber));
        Assert.Equal(0x01, _bench.In(Com1 + 2));
    }

    [Fact]
    public void Uart_WriteThrWithInterruptPending_MakesANewEdge()
    {
        _bench.Out(Com1 + 1, 0x02);

        _bench.Out(Com1, (byte)'x');

        Assert.Equal(2, _bench.Edges(IrqNumber));
    }

    [Fact]
    public void Uart_ThreInterruptEnabledAgain_IsRaisedAgain()
    {
        _bench.Out(Com1 + 1, 0x02);
        Assert.Equal(0x02, _bench.In(Com1 + 2));
        _bench.Out(Com1 + 1, 0x00);

        _bench.Out(Com1 + 1, 0x02);

        Assert.Equal(0x02, _bench.In(Com1 + 2));
    }

    [Fact]
    public void Uart_FcrEnable_IdentifiesAs16550AAndNotAs16750()
    {
        _bench.Out(Com1 + 3, 0x80);
        _bench.Out(Com1 + 2, 0x21);

        Assert.Equal(0xc1, _bench.In(Com1 + 2));
        _bench.Out(Com1 + 2, 0x00);
        Assert.Equal(0x01, _bench.In(Com1 + 2));
    }

    [Fact]
    public void Uart_IerUpperBits_ReadZero()
    {
        _bench.Out(Com1 + 1, 0xf0);

        Assert.Equal(0, _bench.In(Com1 + 1));
    }

    [Fact]
    public void Uart_Dlab_ExposesDivisorAndKeepsIer()
    {
        _bench.Out(Com1 + 1, 0x01);
        _bench.Out(Com1 + 3, 0x83);
        _bench.Out16(Com1, 0x0180);

        Assert.Equal(0x80, _bench.In(Com1));
        Assert.Equal(0x01, _bench.In(Com1 + 1));
        _bench.Out(Com1 + 3, 0x03);
        Assert.Equal(0x01, _bench.In(Com1 + 1));
        Assert.Empty(_sink.Text.ToString());
    }

    [Fact]
    public void Uart_LoopbackModemControl_ShowsInModemStatus()
    {
        _bench.Out(Com1 + 4, 0x1a);

        Assert.Equal(0x90, _bench.In(Com1 + 6) & 0xf0);
    }

    [Fact]
    public void Uart_LoopbackTransmit_IsReceivedAndNotSent()
    {
        _bench.Out(Com1 + 4, 0x10);

        _bench.Out(Com1, 0x5a);

        Assert.Equal(0x61, _bench.In(Com1 + 5));
        Assert.Equal(0x5a, _bench.In(Com1));
        Assert.Equal(0, _uart.CanReceive);
        Assert.Equal(0, _sink.Text.Length);
    }

    [Fact]
    public void Uart_ReceiveWithoutFifo_InterruptsUntilRead()
    {
        _bench.Out(Com1 + 1, 0x01);

        _uart.Receive([0x41]);

        Assert.Equal(0x04, _bench.In(Com1 + 2));
        Assert.Equal(0, _uart.CanReceive);
        Assert.Equal(0x41, _bench.In(Com1));
        Assert.False(_bench.Level(IrqNumber));
    }

    [Fact]
    public void Uart_ReceiveBelowTrigger_TimesOutAfterFourCharacters()
    {
        _bench.Out(Com1 + 3, 0x03);
        _bench.Out(Com1 + 2, 0x81);
        _bench.Out(Com1 + 1, 0x01);
        _uart.Receive([1, 2, 3]);
        Assert.False(_bench.Level(IrqNumber));

        _bench.Advance(4_166_666);

        Assert.Equal(0xcc, _bench.In(Com1 + 2));
        Assert.Equal(1, _bench.In(Com1));
        Assert.False(_bench.Level(IrqNumber));
        _bench.Advance(4_166_666);
        Assert.True(_bench.Level(IrqNumber));
    }

    [Fact]
    public void Uart_ReceiveToTrigger_InterruptsAtOnce()
    {
        _bench.Out(Com1 + 2, 0x41);
        _bench.Out(Com1 + 1, 0x01);

        _uart.Receive([1, 2, 3, 4]);

        Assert.Equal(0xc4, _bench.In(Com1 + 2));
    }

    [Fact]
    public void Uart_ReceiveBeyondFifo_SetsOverrunOnce()
    {
        _bench.Out(Com1 + 2, 0x01);
        _bench.Out(Com1 + 1, 0x04);

        _uart.Receive(new byte[17]);

        Assert.Equal(0xc6, _bench.In(Com1 + 2));
        Assert.Equal(0x63, _bench.In(Com1 + 5));
        Assert.Equal(0x61, _bench.In(Com1 + 5));
    }

    [Fact]
    public void Uart_FifoDrained_TellsBackend()
    {
        int freed = 0;
        _uart.SpaceFreed += () => freed++;
        _bench.Out(Com1 + 2, 0x01);
        freed = 0;
        _uart.Receive([1, 2]);

        _bench.In(Com1);
        Assert.Equal(0, freed);
        _bench.In(Com1);

        Assert.Equal(1, freed);
        Assert.Equal(16, _uart.CanReceive);
    }

    [Fact]
    public void Uart_BreakBehindACharacter_ShowsWhenItReachesTheTop()
    {
        _bench.Out(Com1 + 2, 0x01);
        _uart.Receive([0x41]);
        _uart.ReceiveBreak();

        Assert.Equal(0xe1, _bench.In(Com1 + 5));
        _bench.In(Com1);
        Assert.Equal(0xf1, _bench.In(Com1 + 5));
        Assert.Equal(0x61, _bench.In(Com1 + 5));
    }

    [Fact]
    public void Uart_LcrBreak_ReachesBackend()
    {
        _bench.Out(Com1 + 3, 0x43);
        _bench.Out(Com1 + 3, 0x03);

        Assert.Equal([true, false], _sink.Breaks);
    }

    [Fact]
    public void Uart_ModemLinesChange_SetDeltasAndInterrupt()
    {
        _bench.Out(Com1 + 1, 0x08);

        _uart.SetModemLines(SerialModemLines.Cts | SerialModemLines.Ri);

        Assert.Equal(0x00, _bench.In(Com1 + 2));
        Assert.Equal(0x5a, _bench.In(Com1 + 6));
        _uart.SetModemLines(SerialModemLines.Cts);
        Assert.Equal(0x14, _bench.In(Com1 + 6));
        Assert.False(_bench.Level(IrqNumber));
    }

    [Fact]
    public void Uart_SaveRestore_ContinuesTimeout()
    {
        _bench.Out(Com1 + 2, 0x81);
        _bench.Out(Com1 + 1, 0x01);
        _uart.Receive([7]);
        DeviceState saved = _uart.Save();
        _uart.Reset();

        _uart.Restore(saved);
        _bench.Advance(10_000_000);

        Assert.Equal(0xcc, _bench.In(Com1 + 2));
        Assert.Equal(7, _bench.In(Com1));
    }

    [Fact]
    public void Uart_RestoreHostileState_Throws()
    {
        Assert.Throws<InvalidDeviceStateException>(() => _uart.Restore(new Uart16550State { Ier = 0x80 }));
        Assert.Throws<InvalidDeviceStateException>(() => _uart.Restore(new Uart16550State { FifoData = new byte[17], FifoErrors = new byte[17], Fcr = 1 }));
        Assert.Throws<InvalidDeviceStateException>(() => _uart.Restore(new Uart16550State { FifoData = new byte[1] }));
        Assert.Throws<InvalidDeviceStateException>(() => _uart.Restore(new Uart16550State { TimeoutRemainingNs = long.MaxValue }));
        Assert.Throws<InvalidDeviceStateException>(() => _uart.Restore(new Uart16550State { FifoData = null! }));
    }

    private sealed class Sink : ISerialBackend
    {
        public StringBuilder Text { get; } = new();

        public List<bool> Breaks { get; } = [];

        public void Write(ReadOnlySpan<byte> data) => Text.Append(Encoding.Latin1.GetString(data));

        public void SetBreak(bool asserted) => Breaks.Add(asserted);
    }
}
