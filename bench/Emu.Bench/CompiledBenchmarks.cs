using BenchmarkDotNet.Attributes;
using Emu.Accel.Tcg;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Bench;

/// <summary>
/// Compiled code on the loops of <see cref="InterpreterBenchmarks"/>: time per guest instruction. Each run compiles its loop first, which is
/// some hundredths of the time.
/// </summary>
public class CompiledBenchmarks() : LoopBenchmarks(new TcgOptions { CompileAtOnce = true, Threshold = 1000 }, Iterations)
{
    private const int Iterations = 20_000_000;
    private const int BodyAndLoop = 10;

    /// <summary>Arithmetic on registers.</summary>
    [GlobalSetup(Target = nameof(CompiledInteger))]
    public void SetUpInteger() => SetUp(HotLoops.Integer);

    /// <summary>Loads, stores and read-modify-write.</summary>
    [GlobalSetup(Target = nameof(CompiledMemory))]
    public void SetUpMemory() => SetUp(HotLoops.Memory);

    /// <summary>Compare and branch, taken and not.</summary>
    [GlobalSetup(Target = nameof(CompiledBranch))]
    public void SetUpBranch() => SetUp(c => HotLoops.Branch(c, ecx));

    /// <summary>Calls and returns.</summary>
    [GlobalSetup(Target = nameof(CompiledCall))]
    public void SetUpCall() => SetUp(HotLoops.Call);

    /// <summary>Register arithmetic: 10 instructions an iteration.</summary>
    [Benchmark(OperationsPerInvoke = Iterations * BodyAndLoop)]
    public void CompiledInteger() => Run();

    /// <summary>Memory mix: 11 instructions an iteration.</summary>
    [Benchmark(OperationsPerInvoke = Iterations * (BodyAndLoop + 1))]
    public void CompiledMemory() => Run();

    /// <summary>Branch mix: 8.5 instructions an iteration on average.</summary>
    [Benchmark(OperationsPerInvoke = (int)(Iterations * 8.5))]
    public void CompiledBranch() => Run();

    /// <summary>Call mix: 10 instructions an iteration.</summary>
    [Benchmark(OperationsPerInvoke = Iterations * BodyAndLoop)]
    public void CompiledCall() => Run();
}
