using Emu.Core;
using Emu.Devices.IrqChip;

namespace Emu.Tests.Devices;

public sealed class PicTests
{
    private const int IntPin = 0;

    private readonly PortBench _bench = new();
    private readonly Pic8259 _pic = new("pic");

    public PicTests()
    {
        _pic.Output = _bench.Irq(IntPin);
        _bench.Place(0x20, _pic.MasterRegisters);
        _bench.Place(0xa0, _pic.SlaveRegisters);
        _bench.Place(0x4d0, _pic.ElcrRegisters);
        Initialise(icw4: 0x01);
    }

    [Fact]
    public void Pic_EdgeOnMaster_GivesItsVector()
    {
        _pic.SetIrq(1, true);

        Assert.True(_bench.Level(IntPin));
        Assert.Equal(0x31, _pic.Acknowledge());
        Assert.False(_bench.Level(IntPin));
        Assert.Equal(0x02, ReadIsr(0x20));
    }

    [Fact]
    public void Pic_Pulse_StaysLatched()
    {
        new IrqLine(_pic, 0).Pulse();

        Assert.True(_bench.Level(IntPin));
        Assert.Equal(0x01, _bench.In(0x20));
    }

    [Fact]
    public void Pic_EdgeOnSlave_GoesThroughCascade()
    {
        _pic.SetIrq(12, true);

        Assert.Equal(0x3c, _pic.Acknowledge());
        Assert.Equal(0x04, ReadIsr(0x20));
        Assert.Equal(0x10, ReadIsr(0xa0));
    }

    [Fact]
    public void Pic_SecondSlaveRequestDuringFirst_IsDeliveredAfterEois()
    {
        _pic.SetIrq(12, true);
        _pic.SetIrq(14, true);
        Assert.Equal(0x3c, _pic.Acknowledge());
        Assert.False(_bench.Level(IntPin));

        _bench.Out(0xa0, 0x20);
        _bench.Out(0x20, 0x20);

        Assert.Equal(0x3e, _pic.Acknowledge());
    }

    [Fact]
    public void Pic_LowerPriorityInService_IsInterruptedByHigher()
    {
        _pic.SetIrq(5, true);
        _pic.Acknowledge();
        _pic.SetIrq(6, true);
        Assert.False(_bench.Level(IntPin));

        _pic.SetIrq(0, true);

        Assert.Equal(0x30, _pic.Acknowledge());
    }

    [Fact]
    public void Pic_MaskedRequest_IsDeliveredWhenUnmasked()
    {
        _bench.Out(0x21, 0xff);
        _pic.SetIrq(3, true);
        Assert.False(_bench.Level(IntPin));

        _bench.Out(0x21, 0xf7);

        Assert.Equal(0xf7, _bench.In(0x21));
        Assert.Equal(0x33, _pic.Acknowledge());
    }

    [Fact]
    public void Pic_AcknowledgeWithoutRequest_IsSpuriousSeven()
    {
        Assert.Equal(0x37, _pic.Acknowledge());
        Assert.Equal(0x00, ReadIsr(0x20));
    }

    [Fact]
    public void Pic_SlaveRequestGoneBeforeAcknowledge_IsSpuriousFifteen()
    {
        _bench.Out(0x4d1, 0x02);
        _pic.SetIrq(9, true);
        _pic.SetIrq(9, false);

        Assert.Equal(0x3f, _pic.Acknowledge());
        Assert.Equal(0x04, ReadIsr(0x20));
        Assert.Equal(0x00, ReadIsr(0xa0));
    }

    [Fact]
    public void Pic_LevelTriggered_RequestsAgainAfterEoiWhileHigh()
    {
        _bench.Out(0x4d1, 0x08);
        _pic.SetIrq(11, true);
        Assert.Equal(0x3b, _pic.Acknowledge());
        _bench.Out(0xa0, 0x20);
        _bench.Out(0x20, 0x20);
        Assert.Equal(0x3b, _pic.Acknowledge());

        _pic.SetIrq(11, false);
        _bench.Out(0xa0, 0x20);
        _bench.Out(0x20, 0x20);

        Assert.False(_bench.Level(IntPin));
    }

    [Fact]
    public void Pic_Elcr_KeepsFixedInputsEdge()
    {
        _bench.Out16(0x4d0, 0xffff);

        Assert.Equal(0xdef8, _bench.In16(0x4d0));
    }

    [Fact]
    public void Pic_AutoEoi_LeavesNothingInService()
    {
        Initialise(icw4: 0x03);
        _pic.SetIrq(9, true);
        _pic.SetIrq(10, true);

        Assert.Equal(0x39, _pic.Acknowledge());
        Assert.Equal(0x3a, _pic.Acknowledge());
        Assert.False(_bench.Level(IntPin));
    }

    [Fact]
    public void Pic_SpecificEoiOutOfOrder_EndsOnlyThatLevel()
    {
        _pic.SetIrq(5, true);
        _pic.Acknowledge();
        _pic.SetIrq(1, true);
        _pic.Acknowledge();

        _bench.Out(0x20, 0x65);

        Assert.Equal(0x02, ReadIsr(0x20));
    }

    [Fact]
    public void Pic_RotateOnEoi_MakesTheLevelLowest()
    {
        _pic.SetIrq(0, true);
        _pic.Acknowledge();
        _bench.Out(0x20, 0xa0);
        _pic.SetIrq(0, false);
        _pic.SetIrq(0, true);
        _pic.SetIrq(7, true);

        Assert.Equal(0x37, _pic.Acknowledge());
    }

    [Fact]
    public void Pic_SpecialMask_LetsLowerLevelsThrough()
    {
        _pic.SetIrq(1, true);
        _pic.Acknowledge();
        _pic.SetIrq(6, true);
        _bench.Out(0x21, 0x02);
        Assert.False(_bench.Level(IntPin));

        _bench.Out(0x20, 0x68);

        Assert.Equal(0x36, _pic.Acknowledge());
    }

    [Fact]
    public void Pic_Poll_AcknowledgesAndReportsTheLevel()
    {
        _pic.SetIrq(4, true);

        _bench.Out(0x20, 0x0c);

        Assert.Equal(0x84, _bench.In(0x20));
        Assert.Equal(0x10, ReadIsr(0x20));
        _bench.Out(0x20, 0x0c);
        Assert.Equal(0x07, _bench.In(0x20));
    }

    [Fact]
    public void Pic_Icw1_ForgetsLatchedEdges()
    {
        _pic.SetIrq(3, true);

        Initialise(icw4: 0x01);

        Assert.False(_bench.Level(IntPin));
        _pic.SetIrq(3, true);
        Assert.False(_bench.Level(IntPin));
    }

    [Fact]
    public void Pic_InputOutsideRange_IsIgnored()
    {
        _pic.SetIrq(-1, true);
        _pic.SetIrq(16, true);
        _pic.SetIrq(2, true);

        Assert.False(_bench.Level(IntPin));
    }

    [Fact]
    public void Pic_SaveRestore_KeepsRequestsAndService()
    {
        _pic.SetIrq(1, true);
        _pic.Acknowledge();
        _pic.SetIrq(0, true);
        DeviceState saved = _pic.Save();
        _pic.Reset();

        _pic.Restore(saved);

        Assert.Equal(saved, _pic.Save());
        Assert.Equal(0x30, _pic.Acknowledge());
        Assert.Throws<InvalidDeviceStateException>(() => _pic.Restore(new Pic8259State { Master = null! }));
        Assert.Throws<InvalidDeviceStateException>(() => _pic.Restore(new Pic8259State { Slave = new() { HighestInput = 8 } }));
    }

    private void Initialise(byte icw4)
    {
        foreach ((ushort port, byte vector, byte icw3) in new[] { ((ushort)0x20, (byte)0x30, (byte)4), ((ushort)0xa0, (byte)0x38, (byte)2) })
        {
            _bench.Out(port, 0x11);
            _bench.Out((ushort)(port + 1), vector);
            _bench.Out((ushort)(port + 1), icw3);
            _bench.Out((ushort)(port + 1), icw4);
        }
    }

    private byte ReadIsr(ushort port)
    {
        _bench.Out(port, 0x0b);
        byte value = _bench.In(port);
        _bench.Out(port, 0x0a);
        return value;
    }
}
