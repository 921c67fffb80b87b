using Emu.Core;
using Emu.Core.Memory;
using Emu.Devices.Pci;

namespace Emu.Tests.Devices.Pci;

/// <summary>A bus with its bridges over 1 MiB of RAM; interrupt lines and messages are remembered.</summary>
internal sealed class PciBench : IIrqSink, IMsiSink, IDisposable
{
    public const ulong RamSize = 1 << 20;

    private readonly bool[] _irqs = new bool[16];

    public PciBench()
    {
        Ram = new GuestRam("ram", RamSize);
        var memory = MemoryRegion.Container("memory", 1UL << 52);
        memory.Add(0, MemoryRegion.OfRam("ram", Ram, 0, RamSize));
        var ports = MemoryRegion.Container("io", 0x10000);
        ports.Add(0xcf8, Bridge.AddressPort);
        ports.Add(0xcfc, Bridge.DataPort);
        memory.Add(0, Bus.Memory, -1);
        ports.Add(0, Bus.Ports, -1);
        Memory = new AddressSpace("memory", memory, Lock);
        Ports = new AddressSpace("io", ports, Lock);
        Isa = new Piix3Isa(this);
        Bus.Plug(Piix3Isa.Device, 0, Isa);
        Bus.PirqOutput = Isa;
    }

    public MachineLock Lock { get; } = new();

    public GuestRam Ram { get; }

    public AddressSpace Memory { get; }

    public AddressSpace Ports { get; }

    public PciHostBridge Bridge { get; } = new("pci");

    public PciBus Bus => Bridge.Bus;

    public Piix3Isa Isa { get; }

    public List<MsiMessage> Messages { get; } = [];

    public int Notifiers { get; private set; }

    public bool Irq(int number) => _irqs[number];

    public void SetIrq(int number, bool level) => _irqs[number] = level;

    public void Send(MsiMessage message)
    {
        lock (Messages)
        {
            Messages.Add(message);
        }
    }

    public IrqNotifier CreateMsi(MsiMessage message)
    {
        Notifiers++;
        return new UserIrqNotifier(Lock, () => Send(message));
    }

    public uint ReadConfig(int device, int register, int size = 4)
    {
        Ports.Write(0xcf8, 0x8000_0000u | (uint)((device << 11) | (register & 0xfc)), 4);
        return (uint)Ports.Read(0xcfcu + (uint)(register & 3), size);
    }

    public void WriteConfig(int device, int register, uint value, int size = 4)
    {
        Ports.Write(0xcf8, 0x8000_0000u | (uint)((device << 11) | (register & 0xfc)), 4);
        Ports.Write(0xcfcu + (uint)(register & 3), value, size);
    }

    public void Dispose() => Ram.Dispose();
}

/// <summary>Registers that read as their offset and remember the last write.</summary>
internal sealed class OffsetRegisters : IIoHandler
{
    public (ulong Offset, ulong Value, int Size) LastWrite { get; private set; }

    public ulong Read(ulong offset, int size) => offset;

    public void Write(ulong offset, ulong value, int size) => LastWrite = (offset, value, size);
}
