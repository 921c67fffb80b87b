using System.Text;
using Emu.Accel.Tcg;
using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Memory;
using Emu.Core.Time;
using Iced.Intel;

namespace Emu.Tests.Tcg;

/// <summary>
/// A vCPU with 2 MiB of RAM and nothing else: port 0x3f8 collects text, port 0xf4 ends the run. Code is assembled with Iced or given
/// as bytes, placed at 0x1000 and entered in real, 32-bit flat or 64-bit mode (identity-mapped by 2 MiB pages at 0x100000).
/// </summary>
internal sealed class TcgBench : IDisposable
{
    public const ulong CodeAddress = 0x1000;

    private readonly MachineLock _lock = new();
    private readonly TcgAccelerator _accelerator;
    private readonly StringBuilder _text = new();

    public TcgBench(string model = "max", TcgOptions? options = null, bool isUniprocessor = false)
    {
        Ram = new GuestRam("ram", 2 << 20);
        MemoryRegion root = MemoryRegion.Container("memory", 1UL << 40);
        root.Add(0, MemoryRegion.OfRam("ram", Ram, 0, Ram.Size));
        MemoryRegion ports = Ports;
        ports.Add(0x3f8, MemoryRegion.OfIo("text", 1, new TextPort(this), IoAccess.Bytes));
        ports.Add(0xf4, MemoryRegion.OfIo("exit", 1, new ExitPort(this), IoAccess.Bytes));
        Memory = new AddressSpace("memory", root, _lock);
        var environment = new TcgEnvironment(Memory, new AddressSpace("ports", ports, _lock), Clock, CpuModel.Parse(model), _lock, options ?? TierOptions.Default)
        {
            IsUniprocessor = isUniprocessor,
        };
        _accelerator = new TcgAccelerator(environment);
        Vcpu = _accelerator.CreateVcpu(0, Apic);
    }

    public GuestRam Ram { get; }

    public AddressSpace Memory { get; }

    /// <summary>The port space's tree, to place more in.</summary>
    public MemoryRegion Ports { get; } = MemoryRegion.Container("ports", 0x10000);

    public IVcpu Vcpu { get; }

    public ManualClock Clock { get; } = new();

    public FakeApic Apic { get; } = new();

    /// <summary>Another vCPU on the same memory; the caller disposes of it.</summary>
    public IVcpu CreateAnother() => _accelerator.CreateVcpu(1, new FakeApic());

    /// <summary>What was written to port 0x3f8.</summary>
    public string Text => _text.ToString();

    /// <summary>What was written to port 0xf4.</summary>
    public int? ExitCode { get; private set; }

    /// <summary>Assembles 64-bit code that ends by writing port 0xf4, and runs it.</summary>
    public X86State Run64(Action<Assembler> code, Action<ulong[]>? setRegisters = null)
    {
        Load(64, code);
        X86State state = LongModeState();
        setRegisters?.Invoke(state.Gpr);
        return Run(state);
    }

    /// <summary>Runs from <paramref name="state"/> until port 0xf4 is written, the CPU shuts down or halts for good.</summary>
    public X86State Run(X86State state)
    {
        Vcpu.SetState(state);
        using var watchdog = new Timer(_ => Vcpu.Kick(), null, 20_000, Timeout.Infinite);
        Exit = Vcpu.Run();
        return Vcpu.GetState();
    }

    /// <summary>Why the last run ended.</summary>
    public VcpuExit Exit { get; private set; }

    /// <summary>Places bytes at <see cref="CodeAddress"/>.</summary>
    public void Load(byte[] code) => Ram.Write(CodeAddress, code);

    /// <summary>Assembles code at <see cref="CodeAddress"/>, followed by the exit.</summary>
    public void Load(int bitness, Action<Assembler> code)
    {
        var assembler = new Assembler(bitness);
        code(assembler);
        assembler.@out(0xf4, AssemblerRegisters.al);
        using var stream = new MemoryStream();
        assembler.Assemble(new StreamCodeWriter(stream), CodeAddress);
        Load(stream.ToArray());
    }

    /// <summary>64-bit mode at CPL 0 with the first 2 MiB mapped one to one, stack at 0x80000.</summary>
    public X86State LongModeState()
    {
        Ram.WriteValue(0x100000, 0x101000 | 7, 8);
        Ram.WriteValue(0x101000, 0x102000 | 7, 8);
        Ram.WriteValue(0x102000, 0x87, 8);
        var data = new SegmentState(0x10, 0, 0xffffffff, 0xc093);
        var state = new X86State
        {
            Rip = CodeAddress,
            Rflags = 2,
            Cr0 = 0x80000033,
            Cr3 = 0x100000,
            Cr4 = 0x620,
            Xcr0 = 1,
            Segments = [data, new SegmentState(8, 0, 0xffffffff, 0xa09b), data, data, data, data],
            Ldtr = new SegmentState(0, 0, 0xffff, 0x82),
            Tr = new SegmentState(0, 0, 0xffff, 0x8b),
            Idtr = new DescriptorTableState(0, 0),
        };
        state.Gpr[4] = 0x80000;
        state.Dr[4] = 0xffff0ff0;
        state.Dr[5] = 0x400;
        state.Msrs[0xc0000080] = 0x501;
        state.Xsave[0] = 0x7f;
        state.Xsave[1] = 0x03;
        state.Xsave[24] = 0x80;
        state.Xsave[25] = 0x1f;
        return state;
    }

    /// <summary>Real mode at 0:<see cref="CodeAddress"/>.</summary>
    public static X86State RealModeState()
    {
        var data = new SegmentState(0, 0, 0xffff, 0x93);
        var state = new X86State
        {
            Rip = CodeAddress,
            Rflags = 2,
            Cr0 = 0x10,
            Xcr0 = 1,
            Segments = [data, new SegmentState(0, 0, 0xffff, 0x9b), data, data, data, data],
            Ldtr = new SegmentState(0, 0, 0xffff, 0x82),
            Tr = new SegmentState(0, 0, 0xffff, 0x8b),
            Idtr = new DescriptorTableState(0, 0x3ff),
        };
        state.Gpr[4] = 0x8000;
        state.Dr[4] = 0xffff0ff0;
        state.Dr[5] = 0x400;
        state.Xsave[0] = 0x7f;
        state.Xsave[1] = 0x03;
        state.Xsave[24] = 0x80;
        state.Xsave[25] = 0x1f;
        return state;
    }

    public void Dispose()
    {
        Vcpu.Dispose();
        _accelerator.Dispose();
        Ram.Dispose();
    }

    private sealed class TextPort(TcgBench bench) : IIoHandler
    {
        public ulong Read(ulong offset, int size) => 0xff;

        public void Write(ulong offset, ulong value, int size) => bench._text.Append((char)value);
    }

    private sealed class ExitPort(TcgBench bench) : IIoHandler
    {
        public ulong Read(ulong offset, int size) => 0xff;

        public void Write(ulong offset, ulong value, int size)
        {
            bench.ExitCode = (int)value;
            bench.Vcpu.Kick();
        }
    }
}

/// <summary>An APIC whose pending interrupt the test sets.</summary>
internal sealed class FakeApic : ILocalApic
{
    private IInterruptTarget? _target;
    private int _pending = -1;

    public bool HasPendingInterrupt => Volatile.Read(ref _pending) >= 0;

    public ulong BaseMsr => 0xfee00900;

    public byte TaskPriorityClass { get; set; }

    public void Raise(int vector)
    {
        Volatile.Write(ref _pending, vector);
        _target?.NotifyInterrupt();
    }

    public int AcknowledgeInterrupt() => Interlocked.Exchange(ref _pending, -1);

    public bool TryWriteBaseMsr(ulong value) => true;

    public bool TryReadMsr(uint index, out ulong value)
    {
        value = 0;
        return false;
    }

    public bool TryWriteMsr(uint index, ulong value) => false;

    public LocalApicState GetState() => new() { BaseMsr = BaseMsr, TaskPriority = (byte)(TaskPriorityClass << 4) };

    public void SetState(LocalApicState state)
    {
        TaskPriorityClass = (byte)(state.TaskPriority >> 4);
    }

    public void Connect(IInterruptTarget target) => _target = target;

    public void InitReset()
    {
    }
}
