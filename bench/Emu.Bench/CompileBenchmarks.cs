using BenchmarkDotNet.Attributes;
using Emu.Accel.Tcg;
using Emu.Core.Cpu;
using Emu.Jit.Regions;
using Emu.Tests.Tcg;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Bench;

/// <summary>The cost of a region per guest instruction: writing its IL, and with RyuJIT's work on that. A loop of 10 instructions on registers and memory.</summary>
public class CompileBenchmarks : IDisposable
{
    private const int Instructions = 10;

    private readonly TcgBench _bench;
    private Region? _region;

    /// <summary>A vCPU that gives the regions it forms.</summary>
    public CompileBenchmarks() => _bench = new TcgBench(options: new TcgOptions { CompileAtOnce = true, Threshold = 10, CompileRegion = Keep });

    /// <summary>Forms the region.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        X86State end = _bench.Run64(c =>
        {
            Label again = c.CreateLabel();
            c.mov(ecx, 100);
            c.mov(esi, 0x20000);
            c.Label(ref again);
            c.mov(rax, __[rsi + 8]);
            c.add(rax, rcx);
            c.mov(__[rsi + 16], rax);
            c.movzx(edx, __byte_ptr[rsi]);
            c.imul(rdx, rax);
            c.shr(rdx, 3);
            c.xor(rbx, rdx);
            c.lea(rdi, __[rbx + rax * 2 + 5]);
            c.dec(ecx);
            c.jnz(again);
        });
        if (_region?.InstructionCount != Instructions)
        {
            throw new InvalidOperationException($"A region of {_region?.InstructionCount} instructions instead of {Instructions}; the guest ended at {end.Rip:x}.");
        }
    }

    /// <summary>Plan and IL.</summary>
    [Benchmark(OperationsPerInvoke = Instructions)]
    public object? EmitIl() => RegionCompiler.Emit(_region!);

    /// <summary>Plan, IL and RyuJIT.</summary>
    [Benchmark(OperationsPerInvoke = Instructions)]
    public object? Compile() => RegionCompiler.Compile(_region!);

    /// <inheritdoc/>
    [GlobalCleanup]
    public void Dispose()
    {
        _bench.Dispose();
        GC.SuppressFinalize(this);
    }

    private CompiledRegion? Keep(Region region)
    {
        _region = region;
        return null;
    }
}
