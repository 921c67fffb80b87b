using BenchmarkDotNet.Attributes;
using Emu.Accel.Tcg;
using Emu.Core.Cpu;
using Emu.Tests.Tcg;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Bench;

/// <summary>
/// Tier 0 on hot loops: time per guest instruction. Each benchmark runs a loop of known length in 64-bit mode with paging on; loop
/// overhead (DEC, JNZ) counts as two of its instructions.
/// </summary>
public class InterpreterBenchmarks : IDisposable
{
    private const int Iterations = 1_000_000;
    private const int BodyAndLoop = 10;

    private readonly TcgBench _bench = new(options: new TcgOptions { Jit = false });
    private X86State _start = new();

    /// <summary>Arithmetic on registers.</summary>
    [GlobalSetup(Target = nameof(Integer))]
    public void SetUpInteger() => SetUp(HotLoops.Integer);

    /// <summary>Loads, stores and read-modify-write.</summary>
    [GlobalSetup(Target = nameof(Memory))]
    public void SetUpMemory() => SetUp(HotLoops.Memory);

    /// <summary>Compare and branch, taken and not.</summary>
    [GlobalSetup(Target = nameof(Branch))]
    public void SetUpBranch() => SetUp(c => HotLoops.Branch(c, ecx));

    /// <summary>Calls and returns.</summary>
    [GlobalSetup(Target = nameof(Call))]
    public void SetUpCall() => SetUp(HotLoops.Call);

    /// <summary>Register arithmetic: 10 instructions an iteration.</summary>
    [Benchmark(OperationsPerInvoke = Iterations * BodyAndLoop)]
    public void Integer() => Run();

    /// <summary>Memory mix: 11 instructions an iteration.</summary>
    [Benchmark(OperationsPerInvoke = Iterations * (BodyAndLoop + 1))]
    public void Memory() => Run();

    /// <summary>Branch mix: 8.5 instructions an iteration on average.</summary>
    [Benchmark(OperationsPerInvoke = (int)(Iterations * 8.5))]
    public void Branch() => Run();

    /// <summary>Call mix: 10 instructions an iteration.</summary>
    [Benchmark(OperationsPerInvoke = Iterations * BodyAndLoop)]
    public void Call() => Run();

    /// <inheritdoc/>
    [GlobalCleanup]
    public void Dispose()
    {
        _bench.Dispose();
        GC.SuppressFinalize(this);
    }

    private void SetUp(Action<Assembler> body)
    {
        _bench.Load(64, c =>
        {
            Label again = c.CreateLabel();
            c.mov(ecx, Iterations);
            c.Label(ref again);
            body(c);
            c.dec(ecx);
            c.jnz(again);
        });
        _start = _bench.LongModeState();
        (_start.Gpr[6], _start.Gpr[7]) = (0x20000, 0x30000);
    }

    private void Run()
    {
        _bench.Run(_start);
        if (_bench.Exit.Reason != VcpuExitReason.Kicked || _bench.ExitCode is null)
        {
            throw new InvalidOperationException($"The guest ended with {_bench.Exit}.");
        }
    }
}
