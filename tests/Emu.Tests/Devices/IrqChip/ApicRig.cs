using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Memory;
using Emu.Core.Time;
using Emu.Devices.IrqChip;

namespace Emu.Tests.Devices.IrqChip;

/// <summary>APICs and an IOAPIC on a memory map with a stepped clock, and a recorder in place of each CPU.</summary>
internal sealed class ApicRig
{
    public const uint Icr = 0x300;

    public ApicRig(int cpus = 2)
    {
        var machineLock = new MachineLock();
        Timers = new TimerQueue(Clock);
        Apics = new LocalApicSet(machineLock, Timers, cpus);
        IoApic = new IoApic("ioapic", Apics);
        Cpus = [.. Enumerable.Range(0, cpus).Select(_ => new Target())];
        MemoryRegion root = MemoryRegion.Container("root", 1UL << 32);
        root.Add(LocalApicSet.RegionAddress, Apics.Region);
        root.Add(IoApic.RegionAddress, IoApic.Region);
        Memory = new AddressSpace("memory", root, machineLock);
        for (int cpu = 0; cpu < cpus; cpu++)
        {
            Apics[cpu].Connect(Cpus[cpu]);
            Write(0xF0, 0x1FF, cpu);
        }
    }

    public ManualClock Clock { get; } = new();

    public TimerQueue Timers { get; }

    public LocalApicSet Apics { get; }

    public IoApic IoApic { get; }

    public Target[] Cpus { get; }

    public AddressSpace Memory { get; }

    public uint Read(uint register, int cpu = 0) => As(cpu, () => (uint)Memory.Read(LocalApicSet.RegionAddress + register, 4));

    public void Write(uint register, uint value, int cpu = 0) => As(cpu, () =>
    {
        Memory.Write(LocalApicSet.RegionAddress + register, value, 4);
        return 0;
    });

    public uint ReadIo(byte index)
    {
        Memory.Write(IoApic.RegionAddress, index, 4);
        return (uint)Memory.Read(IoApic.RegionAddress + 0x10, 4);
    }

    public void WriteIo(byte index, uint value)
    {
        Memory.Write(IoApic.RegionAddress, index, 4);
        Memory.Write(IoApic.RegionAddress + 0x10, value, 4);
    }

    /// <summary>Acknowledges and ends every interrupt that CPU <paramref name="cpu"/> has, returning the vectors.</summary>
    public int[] Take(int cpu = 0)
    {
        var vectors = new List<int>();
        while (Apics[cpu].HasPendingInterrupt)
        {
            vectors.Add(Apics[cpu].AcknowledgeInterrupt());
            Write(0xB0, 0, cpu);
        }

        return [.. vectors];
    }

    public void EnterX2Apic(int cpu = 0) => Assert.True(Apics[cpu].TryWriteBaseMsr(Apics[cpu].BaseMsr | 0x400));

    private static T As<T>(int cpu, Func<T> access)
    {
        int before = CurrentVcpu.Index;
        CurrentVcpu.Index = cpu;
        try
        {
            return access();
        }
        finally
        {
            CurrentVcpu.Index = before;
        }
    }

    internal sealed class Target : IInterruptTarget
    {
        public List<string> Events { get; } = [];

        public void NotifyInterrupt() => Events.Add("irq");

        public void RaiseNmi() => Events.Add("nmi");

        public void RaiseInit() => Events.Add("init");

        public void RaiseSipi(byte vector) => Events.Add($"sipi {vector:x2}");
    }
}
