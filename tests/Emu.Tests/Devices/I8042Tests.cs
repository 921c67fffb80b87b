using Emu.Core;
using Emu.Devices.Legacy;

namespace Emu.Tests.Devices;

public sealed class I8042Tests
{
    private readonly PortBench _bench = new();
    private readonly I8042 _controller;

    public I8042Tests()
    {
        _controller = new I8042("i8042", _bench.Irq(1), _bench.Irq(12));
        _bench.Place(0x60, _controller.DataPort);
        _bench.Place(0x64, _controller.CommandPort);
    }

    [Fact]
    public void I8042_SelfTest_PassesAndSetsSystemFlag()
    {
        _bench.Out(0x64, 0xaa);

        Assert.Equal([0x55], Drain());
        Assert.Equal(0x1c, _bench.In(0x64));
    }

    [Theory]
    [InlineData(0xa9, 0x00)]
    [InlineData(0xab, 0x00)]
    [InlineData(0xc0, 0x80)]
    [InlineData(0x20, 0x03)]
    public void I8042_QueryCommand_Answers(byte command, byte expected)
    {
        _bench.Out(0x64, command);

        Assert.Equal([expected], Drain());
    }

    [Fact]
    public void I8042_AuxiliaryDisableAndEnable_ShowInConfiguration()
    {
        _bench.Out(0x64, 0xa7);
        Assert.Equal(0x23, ReadConfiguration());

        _bench.Out(0x64, 0xa8);
        _bench.Out(0x64, 0xad);

        Assert.Equal(0x13, ReadConfiguration());
    }

    [Fact]
    public void I8042_AuxiliaryLoop_RaisesIrq12WithAuxStatus()
    {
        Command(0xd3, 0x5a);

        Assert.True(_bench.Level(12));
        Assert.False(_bench.Level(1));
        Assert.Equal(0x21, _bench.In(0x64) & 0x21);
        Assert.Equal(0x5a, _bench.In(0x60));
        Assert.False(_bench.Level(12));
        Assert.Equal(0x00, _bench.In(0x64) & 0x21);
    }

    [Fact]
    public void I8042_A20ThroughOutputPort_CallsBack()
    {
        var levels = new List<bool>();
        _controller.A20Changed = levels.Add;

        Command(0xd1, 0xdd);
        Command(0xd1, 0xdf);
        _bench.Out(0x64, 0xdd);
        _bench.Out(0x64, 0xd0);

        Assert.Equal([false, true, false], levels);
        Assert.Equal(0x01, _bench.In(0x60) & 0x03);
    }

    [Theory]
    [InlineData(0xfe, 1)]
    [InlineData(0xf0, 1)]
    [InlineData(0xff, 0)]
    public void I8042_PulseOutputPort_ResetsWhenBit0IsPulsed(byte command, int expected)
    {
        int resets = 0;
        _controller.ResetRequested = () => resets++;

        _bench.Out(0x64, command);

        Assert.Equal(expected, resets);
    }

    [Fact]
    public void Keyboard_Reset_AcknowledgesAndPasses()
    {
        _bench.Out(0x60, 0xff);

        Assert.Equal([0xfa, 0xaa], Drain());
    }

    [Fact]
    public void Keyboard_Identify_IsTranslatedOnlyWhenAsked()
    {
        _bench.Out(0x60, 0xf2);
        Assert.Equal([0xfa, 0xab, 0x83], Drain());

        Command(0x60, 0x43);
        _bench.Out(0x60, 0xf2);

        Assert.Equal([0xfa, 0xab, 0x41], Drain());
    }

    [Fact]
    public void Keyboard_SetLedsAndEcho_Work()
    {
        _bench.Out(0x60, 0xed);
        _bench.Out(0x60, 0x05);
        _bench.Out(0x60, 0xee);

        Assert.Equal([0xfa, 0xfa, 0xee], Drain());
        Assert.Equal(5, _controller.KeyboardLeds);
    }

    [Fact]
    public void Keyboard_ScanCodeSet_CanBeAskedAndSet()
    {
        foreach (byte value in new byte[] { 0xf0, 0x00, 0xf0, 0x01, 0xf0, 0x03 })
        {
            _bench.Out(0x60, value);
        }

        Assert.Equal([0xfa, 0xfa, 0x02, 0xfa, 0xfa, 0xfa, 0xfe], Drain());
        _controller.InjectKey(Ps2Key.A, pressed: true);
        _controller.InjectKey(Ps2Key.A, pressed: false);
        Assert.Equal([0x1e, 0x9e], Drain());
    }

    [Fact]
    public void Keyboard_Keys_AreSet2WithoutTranslation()
    {
        Tap(Ps2Key.A);
        Tap(Ps2Key.Up);

        Assert.Equal([0x1c, 0xf0, 0x1c, 0xe0, 0x75, 0xe0, 0xf0, 0x75], Drain());
    }

    [Fact]
    public void Keyboard_Keys_AreSet1WithTranslation()
    {
        Command(0x60, 0x43);

        Tap(Ps2Key.A);
        Tap(Ps2Key.Up);
        Tap(Ps2Key.F7);
        Tap(Ps2Key.Pause);

        Assert.Equal([0x1e, 0x9e, 0xe0, 0x48, 0xe0, 0xc8, 0x41, 0xc1, 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5], Drain());
    }

    [Fact]
    public void Keyboard_EachByte_IsAnEdgeOfIrq1()
    {
        Tap(Ps2Key.A);
        int before = _bench.Edges(1);

        Drain();

        Assert.Equal(1, before);
        Assert.Equal(3, _bench.Edges(1));
        Assert.False(_bench.Level(1));
    }

    [Fact]
    public void Keyboard_DisabledScanning_LosesKeys()
    {
        _bench.Out(0x60, 0xf5);

        Assert.False(_controller.InjectKey(Ps2Key.A, pressed: true));
        Assert.Equal([0xfa], Drain());
        _bench.Out(0x60, 0xf4);
        Assert.True(_controller.InjectKey(Ps2Key.A, pressed: true));
        Assert.Equal([0xfa, 0x1c], Drain());
    }

    [Fact]
    public void Keyboard_NobodyReads_QueueStaysBounded()
    {
        for (int i = 0; i < 1000; i++)
        {
            _controller.InjectKey(Ps2Key.A, pressed: true);
            _bench.Out(0x60, 0xee);
            _bench.Out(0x64, 0xaa);
        }

        Assert.InRange(Drain().Length, 256, 600);
    }

    [Fact]
    public void Keyboard_InterfaceDisabled_HoldsKeysBack()
    {
        _bench.Out(0x64, 0xad);
        _controller.InjectKey(Ps2Key.A, pressed: true);
        Assert.Empty(Drain());

        _bench.Out(0x64, 0xae);

        Assert.Equal([0x1c], Drain());
    }

    [Fact]
    public void Mouse_ResetAndIdentify_Answer()
    {
        Command(0xd4, 0xff);
        Assert.True(_bench.Level(12));
        Assert.Equal([0xfa, 0xaa, 0x00], Drain());

        Command(0xd4, 0xf2);

        Assert.Equal([0xfa, 0x00], Drain());
    }

    [Fact]
    public void Mouse_Status_ShowsSettings()
    {
        foreach (byte value in new byte[] { 0xf3, 200, 0xe8, 3, 0xe7, 0xf4, 0xe9 })
        {
            Command(0xd4, value);
        }

        Assert.Equal([0xfa, 0xfa, 0xfa, 0xfa, 0xfa, 0xfa, 0xfa, 0x30, 3, 200], Drain());
    }

    [Fact]
    public void Mouse_Movement_IsReportedOnlyWhenEnabled()
    {
        _controller.InjectMouse(5, 5, Ps2MouseButtons.None);
        Assert.Empty(Drain());
        Command(0xd4, 0xff);
        Command(0xd4, 0xf4);
        Drain();

        _controller.InjectMouse(3, -2, Ps2MouseButtons.Left);

        Assert.Equal([0x29, 0x03, 0xfe], Drain());
    }

    [Fact]
    public void I8042_SaveRestore_KeepsQueues()
    {
        Command(0x60, 0x43);
        Tap(Ps2Key.A);
        Command(0xd4, 0xf2);
        DeviceState saved = _controller.Save();
        _controller.Reset();

        _controller.Restore(saved);

        Assert.True(_bench.Level(1));
        Assert.Equal([0x1e, 0x9e, 0xfa, 0x00], Drain());
    }

    [Fact]
    public void I8042_RestoreHostileState_Throws()
    {
        Assert.Throws<InvalidDeviceStateException>(() => _controller.Restore(new I8042State { Status = 0x80 }));
        Assert.Throws<InvalidDeviceStateException>(() => _controller.Restore(new I8042State { Replies = new I8042Reply[17] }));
        Assert.Throws<InvalidDeviceStateException>(() => _controller.Restore(new I8042State { Keyboard = null! }));
        Assert.Throws<InvalidDeviceStateException>(() => _controller.Restore(new I8042State { Keyboard = new() { ScanCodeSet = 3 } }));
        Assert.Throws<InvalidDeviceStateException>(() => _controller.Restore(new I8042State { Mouse = new() { Events = new byte[257] } }));
    }

    private void Tap(Ps2Key key)
    {
        _controller.InjectKey(key, pressed: true);
        _controller.InjectKey(key, pressed: false);
    }

    private byte ReadConfiguration()
    {
        _bench.Out(0x64, 0x20);
        return Assert.Single(Drain());
    }

    private void Command(byte command, byte value)
    {
        _bench.Out(0x64, command);
        _bench.Out(0x60, value);
    }

    private byte[] Drain()
    {
        var bytes = new List<byte>();
        while ((_bench.In(0x64) & 1) != 0)
        {
            bytes.Add(_bench.In(0x60));
        }

        return [.. bytes];
    }
}
