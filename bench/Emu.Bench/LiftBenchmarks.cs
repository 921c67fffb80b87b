using BenchmarkDotNet.Attributes;
using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Memory;
using Emu.Core.Time;
using Emu.Frontend.Ir;
using Emu.Frontend.X86;
using Emu.Frontend.X86.Lift;
using Emu.Jit;
using Emu.Jit.Interpreter;
using Emu.Tests.Tcg;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Bench;

/// <summary>The cost of a translation: decode, IR, dead-flag removal, tier-0 ops, per guest instruction of a 32-instruction block.</summary>
public unsafe class LiftBenchmarks : IDisposable
{
    private const int Instructions = 32;

    private readonly GuestRam _ram = new("ram", 1 << 20);
    private readonly IrBlock _block = new();
    private readonly X86Cpu _cpu;
    private readonly IGuestFrontend _frontend;
    private readonly CodeArena _arena = new(int.MaxValue);
    private readonly IrBlock _optimised = new();
    private readonly IrOp[] _lifted;
    private readonly Op* _ops;

    /// <summary>A CPU in 64-bit mode over code with the usual mix.</summary>
    public LiftBenchmarks()
    {
        var machineLock = new MachineLock();
        MemoryRegion root = MemoryRegion.Container("memory", 1UL << 40);
        root.Add(0, MemoryRegion.OfRam("ram", _ram, 0, _ram.Size));
        var memory = new AddressSpace("memory", root, machineLock);
        var ports = new AddressSpace("ports", MemoryRegion.Container("ports", 0x10000), machineLock);
        _cpu = new X86Cpu(new X86CpuEnvironment(0, memory, ports, new FakeApic(), new ManualClock(), CpuModel.Parse("max")));
        _frontend = X86Frontend.Create(_cpu, memory);
        using var bench = new TcgBench();
        X86State state = bench.LongModeState();
        _ram.Write(TcgBench.CodeAddress, Code());
        _cpu.SetState(state);
        _frontend.TryLift(_block, TcgBench.CodeAddress, TcgBench.CodeAddress, Instructions);
        _lifted = _block.Ops.ToArray();
        _frontend.TryLift(_optimised, TcgBench.CodeAddress, TcgBench.CodeAddress, Instructions);
        IrOptimizer.Run(_optimised);
        _ops = _arena.Allocate(_lifted.Length);
    }

    /// <summary>Decode and lift.</summary>
    [Benchmark(OperationsPerInvoke = Instructions)]
    public int Lift()
    {
        _frontend.TryLift(_block, TcgBench.CodeAddress, TcgBench.CodeAddress, Instructions);
        return _block.OpCount;
    }

    /// <summary>Optimise, with a copy of the ops, which it changes.</summary>
    [Benchmark(OperationsPerInvoke = Instructions)]
    public int Optimise()
    {
        _lifted.CopyTo(_block.Ops);
        IrOptimizer.Run(_block);
        return _block.OpCount;
    }

    /// <summary>Write the optimised ops as tier 0 runs them.</summary>
    [Benchmark(OperationsPerInvoke = Instructions)]
    public int Encode()
    {
        int count = 0;
        foreach (ref readonly IrOp op in _optimised.Ops)
        {
            if (op.Opcode != IrOpcode.Nop)
            {
                OpEncoder.Encode(op, _ops + count++, _optimised);
            }
        }

        return count;
    }

    /// <inheritdoc/>
    [GlobalCleanup]
    public void Dispose()
    {
        _arena.Dispose();
        _cpu.Dispose();
        _ram.Dispose();
        GC.SuppressFinalize(this);
    }

    private static byte[] Code()
    {
        var c = new Assembler(64);
        for (int i = 0; i < Instructions / 8; i++)
        {
            c.mov(rax, __[rsi + rcx * 8 + 16]);
            c.add(rax, rdx);
            c.mov(__[rdi], rax);
            c.movzx(ebx, al);
            c.shr(rax, 5);
            c.cmp(rax, rbx);
            c.sete(bl);
            c.lea(rdx, __[rax + rbx]);
        }

        using var stream = new MemoryStream();
        c.Assemble(new StreamCodeWriter(stream), TcgBench.CodeAddress);
        return stream.ToArray();
    }
}
