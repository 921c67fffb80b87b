using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Memory;
using Emu.Core.Time;
using Emu.Frontend.X86;

namespace Emu.Tests.X86System;

/// <summary>A local APIC that only remembers.</summary>
internal sealed class FakeApic : ILocalApic
{
    public bool HasPendingInterrupt => false;

    public ulong BaseMsr { get; private set; } = 0xfee0_0900;

    public byte TaskPriorityClass { get; set; }

    public Dictionary<uint, ulong> Msrs { get; } = [];

    public int AcknowledgeInterrupt() => -1;

    public bool TryWriteBaseMsr(ulong value)
    {
        bool valid = (value & 0xff) == 0;
        BaseMsr = valid ? value : BaseMsr;
        return valid;
    }

    public bool TryReadMsr(uint index, out ulong value) => Msrs.TryGetValue(index, out value);

    public bool TryWriteMsr(uint index, ulong value)
    {
        Msrs[index] = value;
        return true;
    }

    private LocalApicState _state = new();

    public LocalApicState GetState() => _state with { BaseMsr = BaseMsr, TaskPriority = (byte)(TaskPriorityClass << 4) };

    public void SetState(LocalApicState state)
    {
        _state = state;
        BaseMsr = state.BaseMsr;
        TaskPriorityClass = (byte)(state.TaskPriority >> 4);
    }

    public void Connect(IInterruptTarget target)
    {
    }

    public void InitReset()
    {
    }
}

/// <summary>
/// A CPU with 8 MiB of RAM and hand-made system structures: GDT at 1000h, TSS at 2000h, a second TSS at 2200h, IDT at 3000h.
/// </summary>
internal sealed unsafe class SystemFixture : IDisposable
{
    public const ushort Code32 = 0x08;
    public const ushort Data32 = 0x10;
    public const ushort UserCode32 = 0x1b;
    public const ushort UserData32 = 0x23;
    public const ushort Tss = 0x28;
    public const ushort Code64 = 0x30;
    public const ushort UserCode64 = 0x3b;
    public const ushort AbsentData = 0x40;
    public const ushort AbsentCode = 0x48;
    public const ushort Conforming32 = 0x50;
    public const ushort SecondTss = 0x58;
    public const ushort TaskGate = 0x60;
    public const ushort CallGate = 0x68;
    public const ushort ExpandDown = 0x70;
    public const ushort Ldt = 0x78;
    public const ushort Tss64 = 0x80;
    public const ushort CallGate64 = 0x90;
    public const ulong Gdt = 0x1000;
    public const ulong TssBase = 0x2000;
    public const ulong SecondTssBase = 0x2200;
    public const ulong Idt = 0x3000;
    public const ulong KernelStack = 0x9000;
    public const ulong Handler = 0x5000;
    public const uint Present = 0x80;

    private readonly GuestRam _ram = new("ram", 8 << 20);

    public SystemFixture(string model = "max")
    {
        var machineLock = new MachineLock();
        MemoryRegion root = MemoryRegion.Container("memory", 1UL << 52);
        root.Add(0, MemoryRegion.OfRam("ram", _ram, 0, _ram.Size));
        MemoryRegion ports = MemoryRegion.Container("ports", 0x10000);
        ports.Add(0x80, MemoryRegion.OfIo("port", 4, Port, IoAccess.UpToDword));
        Memory = new AddressSpace("memory", root, machineLock);
        Cpu = new X86Cpu(new X86CpuEnvironment(0, Memory, new AddressSpace("ports", ports, machineLock), Apic, Clock, CpuModel.Parse(model)));
        BuildGdt();
    }

    public X86Cpu Cpu { get; }

    public X86CpuState* State => Cpu.State;

    public AddressSpace Memory { get; }

    public FakeApic Apic { get; } = new();

    public ManualClock Clock { get; } = new();

    public PortRecorder Port { get; } = new();

    public ulong Rip => State->Header.Pc;

    public ref ulong Rsp => ref State->Gpr[X86Gpr.Rsp];

    public ushort Selector(int segment) => State->Segment[segment].Selector;

    public void Write(ulong address, ulong value, int size = 8) => Memory.Write(address, value, size);

    public ulong Read(ulong address, int size = 8) => Memory.Read(address, size);

    /// <summary>A descriptor from base, 20-bit limit, access byte and the flags nibble.</summary>
    public static ulong Segment(uint start, uint limit, uint access, uint flags) =>
        (limit & 0xffff) | ((ulong)(start & 0xff_ffff) << 16) | ((ulong)access << 40) | ((ulong)(limit >> 16) << 48) | ((ulong)flags << 52) | ((ulong)(start >> 24) << 56);

    public static ulong Gate(uint type, ushort selector, uint offset, uint dpl = 0, uint low = 0) =>
        (offset & 0xffff) | ((ulong)selector << 16) | ((ulong)low << 32) | ((ulong)(Present | (dpl << 5) | type) << 40) | ((ulong)(offset >> 16) << 48);

    public void SetGdt(ushort selector, ulong descriptor) => Write(Gdt + (selector & ~7u), descriptor);

    public void SetIdt(int vector, ulong gate) => Write(Idt + ((ulong)vector * 8), gate);

    public void SetIdt64(int vector, ulong gate)
    {
        Write(Idt + ((ulong)vector * 16), gate);
        Write(Idt + ((ulong)vector * 16) + 8, 0);
    }

    /// <summary>32-bit protected mode at ring 0, flat, all vectors through interrupt gates to <see cref="Handler"/> + vector.</summary>
    public void EnterProtected()
    {
        State->Cr0 |= 1;
        LoadTables(0x7ff);
        for (int vector = 0; vector < 256; vector++)
        {
            SetIdt(vector, Gate(0xe, Code32, (uint)Handler + (uint)vector));
        }

        SetFlat(Code32, Data32, 0);
        Cpu.Ltr(Tss);
        Rsp = 0x8000;
        State->Header.Pc = 0x4000;
    }

    /// <summary>64-bit mode at ring 0 with the first 8 MiB mapped for user and supervisor alike.</summary>
    public void EnterLong()
    {
        BuildPageTables64();
        State->Cr3 = 0x10_0000;
        State->Cr4 = ControlBits.Cr4Pae;
        State->Efer = ControlBits.EferLme | ControlBits.EferLma | ControlBits.EferSce | ControlBits.EferNxe;
        State->Cr0 = ControlBits.Cr0Pe | ControlBits.Cr0Pg | ControlBits.Cr0Et | ControlBits.Cr0Wp;
        Cpu.Mmu.Flush(true);
        LoadTables(0xfff);
        for (int vector = 0; vector < 256; vector++)
        {
            SetIdt64(vector, Gate(0xe, Code64, (uint)Handler + (uint)vector));
        }

        SetFlat(Code64, Data32, 0);
        Cpu.Ltr(Tss64);
        Rsp = 0x8000;
        State->Header.Pc = 0x4000;
    }

    /// <summary>Identity map: one 2 MiB page per entry, user and writable.</summary>
    public void BuildPageTables64()
    {
        Write(0x10_0000, 0x10_1007);
        Write(0x10_1000, 0x10_2007);
        for (ulong i = 0; i < 4; i++)
        {
            Write(0x10_2000 + (i * 8), (i << 21) | 0x87);
        }
    }

    public void SetFlat(ushort code, ushort data, uint cpl)
    {
        Descriptor(code, out SegmentState codeSegment);
        Descriptor(data, out SegmentState dataSegment);
        State->Cpl = cpl;
        Cpu.SetSegment(X86Segment.Cs, codeSegment);
        foreach (int segment in new[] { X86Segment.Ss, X86Segment.Ds, X86Segment.Es, X86Segment.Fs, X86Segment.Gs })
        {
            Cpu.SetSegment(segment, dataSegment);
        }

        Cpu.UpdateMode();
    }

    /// <summary>Runs something that must fault and returns the fault.</summary>
    public X86Fault Fault(Action action)
    {
        Assert.Throws<GuestFaultException>(action);
        return Cpu.PendingFault;
    }

    public void Dispose()
    {
        Cpu.Dispose();
        _ram.Dispose();
    }

    private void Descriptor(ushort selector, out SegmentState segment)
    {
        Assert.True(Cpu.TryReadDescriptor(selector, out Descriptor descriptor));
        segment = descriptor.ToSegment(selector);
    }

    private void LoadTables(ushort idtLimit)
    {
        State->GdtrBase = Gdt;
        State->GdtrLimit = 0xff;
        State->IdtrBase = Idt;
        State->IdtrLimit = idtLimit;
    }

    public void BuildGdt()
    {
        SetGdt(Code32, Segment(0, 0xfffff, 0x9b, 0xc));
        SetGdt(Data32, Segment(0, 0xfffff, 0x93, 0xc));
        SetGdt(UserCode32, Segment(0, 0xfffff, 0xfb, 0xc));
        SetGdt(UserData32, Segment(0, 0xfffff, 0xf3, 0xc));
        SetGdt(Tss, Segment((uint)TssBase, 0x87, 0x89, 0));
        SetGdt(Code64, Segment(0, 0xfffff, 0x9b, 0xa));
        SetGdt(UserCode64, Segment(0, 0xfffff, 0xfb, 0xa));
        SetGdt(AbsentData, Segment(0, 0xfffff, 0x13, 0xc));
        SetGdt(AbsentCode, Segment(0, 0xfffff, 0x1b, 0xc));
        SetGdt(Conforming32, Segment(0, 0xfffff, 0x9e, 0xc));
        SetGdt(SecondTss, Segment((uint)SecondTssBase, 0x67, 0x89, 0));
        SetGdt(TaskGate, Gate(5, SecondTss, 0, dpl: 3));
        SetGdt(CallGate, Gate(0xc, Code32, 0x6000, dpl: 3, low: 2));
        SetGdt(ExpandDown, Segment(0, 0x0fff, 0x97, 0x4));
        SetGdt(Ldt, Segment(0x2800, 0x0f, 0x82, 0));
        SetGdt(Tss64, Segment((uint)TssBase, 0x87, 0x89, 0));
        SetGdt(Tss64 + 8, 0);
        SetGdt(CallGate64, Gate(0xc, Code64, 0x6000, dpl: 3));
        SetGdt(CallGate64 + 8, 0);
        Write(TssBase + 4, KernelStack, 4);
        Write(TssBase + 8, Data32, 4);
        Write(TssBase + 0x24, 0xa000);
        Write(TssBase + 0x66, 0x68, 2);
        for (ulong offset = 0x68; offset < 0x88; offset += 8)
        {
            Write(TssBase + offset, ulong.MaxValue);
        }
    }
}

/// <summary>Four ports that remember what was written.</summary>
internal sealed class PortRecorder : IIoHandler
{
    public List<ulong> Writes { get; } = [];

    public ulong Read(ulong offset, int size) => 0x5a + offset;

    public void Write(ulong offset, ulong value, int size) => Writes.Add(value);
}
