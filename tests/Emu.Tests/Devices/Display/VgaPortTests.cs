using Emu.Core.Memory;
using Emu.Devices.Display;

namespace Emu.Tests.Devices.Display;

public sealed class VgaPortTests : IDisposable
{
    private readonly VgaBench _bench = new();

    public VgaPortTests() => _bench.Out(0x3c2, 0x67);

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Attribute_FlipFlop_IndexThenData_StatusStartsOver()
    {
        _bench.In(0x3da);
        _bench.Out(0x3c0, 0x05);
        _bench.Out(0x3c0, 0x2a);
        _bench.Out(0x3c0, 0x06);
        _bench.In(0x3da);
        _bench.Out(0x3c0, 0x05);

        Assert.Equal(0x2a, _bench.In(0x3c1));
        Assert.Equal(0, _bench.Card.Capture().Attribute[6]);
    }

    [Fact]
    public void Crtc_Protect_LocksRegistersBelow8_ButLineCompareBit()
    {
        _bench.Crtc(0, 0x5f);
        _bench.Crtc(0x11, 0x80);
        _bench.Crtc(0, 0x11);
        _bench.Crtc(7, 0xff);

        VgaRegisters registers = _bench.Card.Capture();
        Assert.Equal(0x5f, registers.Crtc[0]);
        Assert.Equal(0x10, registers.Crtc[7]);
    }

    [Fact]
    public void Crtc_IsWhereTheMiscellaneousRegisterSays()
    {
        _bench.Out(0x3c2, 0x66);
        Assert.Equal(0xff, _bench.In(0x3d4));
        _bench.Pci.Ports.Write(0x3b4, 0x420e, 2);

        Assert.Equal(0x42, _bench.In(0x3b5));
        Assert.Equal(0x66, _bench.In(0x3cc));
    }

    [Fact]
    public void Dac_ThreeWritesAColour_SixBits_EightWithDispi()
    {
        _bench.Out(0x3c8, 10);
        foreach (int value in (int[])[0xff, 0x20, 0x10, 0x3f])
        {
            _bench.Out(0x3c9, value);
        }

        _bench.Out(0x3c7, 10);
        Assert.Equal(3, _bench.In(0x3c7));
        Assert.Equal([0x3f, 0x20, 0x10, 0x3f], new[] { _bench.In(0x3c9), _bench.In(0x3c9), _bench.In(0x3c9), _bench.In(0x3c9) });
        _bench.Dispi(4, 0x20);
        _bench.Out(0x3c8, 0);
        _bench.Out(0x3c9, 0xfe);
        Assert.Equal(0xfe, _bench.Card.Capture().Dac[0]);
    }

    [Fact]
    public void Status_FollowsTheClock_RetraceOncePerFrame()
    {
        _bench.Card.SetUpTextMode();
        int rises = 0;
        bool before = false;
        bool sawPicture = false;
        for (int i = 0; i < 10_000; i++)
        {
            _bench.Clock.Advance(10_000);
            byte status = _bench.In(0x3da);
            bool now = (status & 8) != 0;
            rises += now && !before ? 1 : 0;
            Assert.True(!now || (status & 1) != 0, "the picture is off in the retrace");
            sawPicture |= (status & 1) == 0;
            before = now;
        }

        // 100 ms at 28.322 MHz, 900 dots a line, 449 lines: 70.08 frames a second.
        Assert.InRange(rises, 6, 8);
        Assert.True(sawPicture);
    }

    [Fact]
    public void Bar2_ShowsPortsAndDispi()
    {
        _bench.Pci.Memory.Write(VgaBench.Registers + 0x400 + 8, 5, 1);
        _bench.Pci.Memory.Write(VgaBench.Registers + 0x400 + 9, 0x3f, 1);
        _bench.Pci.Memory.Write(VgaBench.Registers + 0x502, 0x0100_0280, 4);

        Assert.Equal(0x3f, _bench.Card.Capture().Dac[15]);
        Assert.Equal(0x280, _bench.Dispi(1));
        Assert.Equal(0x100, _bench.Dispi(2));
        Assert.Equal(0xb0c5UL, _bench.Pci.Memory.Read(VgaBench.Registers + 0x500, 2));
        Assert.Equal(8UL, _bench.Pci.Memory.Read(VgaBench.Registers + 0x600, 4));
    }

    [Fact]
    public void Dispi_Limits_AreToldAndKept()
    {
        Assert.Equal(4 << 20 >> 16, _bench.Dispi(10));
        _bench.Dispi(4, 2);
        Assert.Equal(32, _bench.Dispi(3));
        _bench.SetMode(1024, 4000, 32);

        // 4 MiB are 1,024 lines of 1,024 pixels.
        Assert.Equal(1024, _bench.Dispi(2));
        Assert.Equal(1024, _bench.Dispi(7));
        _bench.Dispi(9, 50);
        _bench.Render();
        Assert.Equal((1024, 1024), (_bench.Surface.Width, _bench.Surface.Height));
    }

    [Fact]
    public void Dispi_Enable_ClearsMemory_UnlessAskedNotTo()
    {
        _bench.VideoMemory.WriteValue(0x1000, 0x55, 1);
        _bench.Dispi(1, 640);
        _bench.Dispi(2, 480);
        _bench.Dispi(3, 8);
        _bench.Dispi(4, 0xc1);
        Assert.Equal(0x55UL, _bench.VideoMemory.ReadValue(0x1000, 1));
        _bench.Dispi(4, 0);
        _bench.Dispi(4, 0x41);
        Assert.Equal(0UL, _bench.VideoMemory.ReadValue(0x1000, 1));
    }

    [Fact]
    public void Rom_ShowsWhenItsBarIsOn()
    {
        using var memory = new GuestRam("rom", 8192);
        memory.Write(0, [0x55, 0xaa, 0x10]);
        using var bench = new VgaBench(rom: MemoryRegion.OfRom("rom", memory, 0, 8192));
        bench.Pci.WriteConfig(VgaBench.Device, 0x30, 0xffff_ffff);
        Assert.Equal(0xffff_e001u, bench.Pci.ReadConfig(VgaBench.Device, 0x30));
        bench.Pci.WriteConfig(VgaBench.Device, 0x30, 0xe800_0000);
        Assert.Equal(0xffUL, bench.Pci.Memory.Read(0xe800_0000, 1));
        bench.Pci.WriteConfig(VgaBench.Device, 0x30, 0xe800_0001);
        Assert.Equal(0xaa55UL, bench.Pci.Memory.Read(0xe800_0000, 2));
        bench.Pci.WriteConfig(VgaBench.Device, 0x04, 0, 2);
        Assert.Equal(0xffUL, bench.Pci.Memory.Read(0xe800_0000, 1));
    }

    [Fact]
    public void SaveRestore_GivesTheSameRegistersAndWindow()
    {
        _bench.SetMode(640, 480, 8);
        _bench.Dispi(5, 2);
        _bench.Pci.Memory.Write(0xa_0004, 0x77, 1);
        VgaCardState saved = _bench.Card.Save();
        _bench.Card.Reset();
        _bench.Card.Restore(saved);

        Assert.Equal(0x77UL, _bench.Pci.Memory.Read(0xa_0004, 1));
        Assert.Equal(0x77UL, _bench.Pci.Memory.Read(VgaBench.FrameBuffer + 0x2_0004, 1));
        Assert.Equal(640, _bench.Dispi(1));
    }
}
