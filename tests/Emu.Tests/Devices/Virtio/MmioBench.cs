using Emu.Core;
using Emu.Core.Memory;
using Emu.Devices.Virtio;

namespace Emu.Tests.Devices.Virtio;

/// <summary>A virtio device behind memory-mapped registers over 1 MiB of RAM, and what a driver does with them.</summary>
internal sealed class MmioBench : IIrqSink, IDisposable
{
    public const ulong Registers = 0xfeb0_0000;

    private readonly MachineLock _lock = new();

    public MmioBench(Func<VirtioEnvironment, VirtioDevice> create)
    {
        Ram = new GuestRam("ram", 1 << 20);
        MemoryRegion root = MemoryRegion.Container("memory", 1UL << 40);
        root.Add(0, MemoryRegion.OfRam("ram", Ram, 0, Ram.Size));
        Memory = new AddressSpace("memory", root, _lock);
        Transport = new VirtioMmio(create(new VirtioEnvironment(Memory, _lock, Workers, Log.Add)), new IrqLine(this, 0), _lock, Log.Add);
        root.Add(Registers, Transport.Registers);
    }

    public GuestRam Ram { get; }

    public AddressSpace Memory { get; }

    public VirtioMmio Transport { get; }

    public SteppedWorkers Workers { get; } = new();

    public List<string> Log { get; } = [];

    public bool Irq { get; private set; }

    public uint this[int register]
    {
        get => (uint)Memory.Read(Registers + (ulong)register, 4);
        set => Memory.Write(Registers + (ulong)register, value, 4);
    }

    public void SetIrq(int number, bool level) => Irq = level;

    /// <summary>Steps up to FEATURES_OK; false when that does not stay.</summary>
    public bool Negotiate(ulong features)
    {
        this[0x70] = 0;
        this[0x70] = 3;
        this[0x24] = 0;
        this[0x20] = (uint)features;
        this[0x24] = 1;
        this[0x20] = (uint)(features >> 32);
        this[0x70] = 11;
        return (this[0x70] & 8) != 0;
    }

    public TestRing AddQueue(int queue, ushort size, ulong address, ulong features)
    {
        TestRing ring = TestRing.Create(Ram, size, address, features);
        this[0x30] = (uint)queue;
        this[0x38] = size;
        foreach ((int register, ulong value) in (ReadOnlySpan<(int, ulong)>)[(0x80, ring.Descriptors), (0x90, ring.Driver), (0xa0, ring.Device)])
        {
            this[register] = (uint)value;
            this[register + 4] = (uint)(value >> 32);
        }

        this[0x44] = 1;
        return ring;
    }

    /// <summary>Notifies, and lets the workers work.</summary>
    public void Notify(uint queue)
    {
        this[0x50] = queue;
        while (Workers.Run())
        {
        }
    }

    public void Dispose()
    {
        Transport.Dispose();
        Ram.Dispose();
    }
}
