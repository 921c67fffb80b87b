using Emu.Core;
using Emu.Core.Memory;
using Emu.Core.Time;

namespace Emu.Tests.Devices;

/// <summary>A port space, a clock moved by hand, and sixteen interrupt inputs that remember: all a device test needs.</summary>
internal sealed class PortBench : IIrqSink
{
    private readonly MemoryRegion _root = MemoryRegion.Container("io", 0x10000);
    private readonly AddressSpace _ports;
    private readonly bool[] _levels = new bool[16];
    private readonly int[] _edges = new int[16];

    public PortBench()
    {
        _ports = new AddressSpace("io", _root, new MachineLock());
        Timers = new TimerQueue(Clock);
    }

    public ManualClock Clock { get; } = new();

    public TimerQueue Timers { get; }

    public AddressSpace Ports => _ports;

    public IrqLine Irq(int number) => new(this, number);

    public bool Level(int number) => _levels[number];

    /// <summary>Rising edges seen on an input so far.</summary>
    public int Edges(int number) => _edges[number];

    public void SetIrq(int number, bool level)
    {
        _edges[number] += level && !_levels[number] ? 1 : 0;
        _levels[number] = level;
    }

    public void Place(ushort port, MemoryRegion region) => _root.Add(port, region);

    public void Out(ushort port, byte value) => _ports.Write(port, value, 1);

    public void Out16(ushort port, ushort value) => _ports.Write(port, value, 2);

    public void Out32(ushort port, uint value) => _ports.Write(port, value, 4);

    public byte In(ushort port) => (byte)_ports.Read(port, 1);

    public ushort In16(ushort port) => (ushort)_ports.Read(port, 2);

    public uint In32(ushort port) => (uint)_ports.Read(port, 4);

    public void Advance(long ns) => Clock.Advance(ns, Timers);
}
