using BenchmarkDotNet.Attributes;
using Emu.Accel.Tcg;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Bench;

/// <summary>Tier 0 on hot loops: time per guest instruction. Loop overhead (DEC, JNZ) counts as two of its instructions.</summary>
public class InterpreterBenchmarks() : LoopBenchmarks(new TcgOptions { Jit = false }, Iterations)
{
    private const int Iterations = 1_000_000;
    private const int BodyAndLoop = 10;

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
}
