using Emu.Core.Memory;
using Emu.Core.Time;
using Emu.Devices.Display;
using Emu.Tests.Devices.Pci;

namespace Emu.Tests.Devices.Display;

/// <summary>A VGA on a PCI bus, with its ports and window, a stepped clock, and a picture of it.</summary>
internal sealed class VgaBench : IDisposable
{
    public const int Device = 2;
    public const ulong FrameBuffer = 0xe000_0000;
    public const ulong Registers = 0xf000_0000;

    private readonly ScreenRenderer _renderer;

    public VgaBench(bool hasVga = true, int megabytes = 4, MemoryRegion? rom = null)
    {
        VideoMemory = new GuestRam("vram", (ulong)megabytes << 20);
        Card = new VgaCard("vga0", hasVga, VideoMemory, rom, Clock);
        Pci.Bus.Plug(Device, 0, Card.Function);
        Pci.Memory.Root.Add(VgaCard.WindowAddress, Card.Window, 1);
        Pci.Ports.Root.Add(VgaCard.FirstPort, Card.Ports);
        Pci.Ports.Root.Add(VgaCard.DispiPort, Card.DispiPorts);
        PlaceBars();
        _renderer = new ScreenRenderer(VideoMemory, hasVga);
    }

    public PciBench Pci { get; } = new();

    public ManualClock Clock { get; } = new();

    public GuestRam VideoMemory { get; }

    public VgaCard Card { get; }

    public DisplaySurface Surface { get; } = new();

    public DirtyBands Dirty { get; } = new();

    public void PlaceBars()
    {
        Pci.WriteConfig(Device, 0x10, (uint)FrameBuffer);
        Pci.WriteConfig(Device, 0x18, (uint)Registers);
        Pci.WriteConfig(Device, 0x04, 2, 2);
    }

    public void Out(ushort port, int value) => Pci.Ports.Write(port, (ulong)value, 1);

    public byte In(ushort port) => (byte)Pci.Ports.Read(port, 1);

    public void Sequencer(int index, int value) => Pci.Ports.Write(0x3c4, (ulong)(index | (value << 8)), 2);

    public void Graphics(int index, int value) => Pci.Ports.Write(0x3ce, (ulong)(index | (value << 8)), 2);

    public void Crtc(int index, int value) => Pci.Ports.Write(0x3d4, (ulong)(index | (value << 8)), 2);

    public void Attribute(int index, int value)
    {
        In(0x3da);
        Out(0x3c0, index);
        Out(0x3c0, value);
        Out(0x3c0, 0x20);
        In(0x3da);
    }

    public void Dispi(int index, int value)
    {
        Pci.Ports.Write(VgaCard.DispiPort, (ulong)index, 2);
        Pci.Ports.Write(VgaCard.DispiPort + 1, (ulong)value, 2);
    }

    public int Dispi(int index)
    {
        Pci.Ports.Write(VgaCard.DispiPort, (ulong)index, 2);
        return (int)Pci.Ports.Read(VgaCard.DispiPort + 1, 2);
    }

    public void SetMode(int width, int height, int bits)
    {
        Dispi(4, 0);
        Dispi(1, width);
        Dispi(2, height);
        Dispi(3, bits);
        Dispi(4, 0x41);
        Out(0x3c0, 0x20);
    }

    /// <summary>Mode 13H as a BIOS sets it, with a grey ramp for colours.</summary>
    public void SetMode13()
    {
        Card.SetUpTextMode();
        Sequencer(4, 0x0e);
        Sequencer(2, 0x0f);
        Sequencer(1, 0x01);
        Graphics(5, 0x40);
        Graphics(6, 0x05);
        Crtc(0x11, 0x0e);
        Crtc(0x09, 0x41);
        Crtc(0x14, 0x40);
        Crtc(0x17, 0xa3);
        Out(0x3c8, 0);
        for (int i = 0; i < 768; i++)
        {
            Out(0x3c9, i / 3 / 4);
        }
    }

    public void Render() => _renderer.Update(Card.Capture(), Clock.NowNs, Surface, Dirty);

    public void Dispose()
    {
        Pci.Dispose();
        VideoMemory.Dispose();
    }
}
