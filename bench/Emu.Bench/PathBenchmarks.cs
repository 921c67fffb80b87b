using BenchmarkDotNet.Attributes;
using Emu.Accel.Tcg;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Bench;

/// <summary>
/// The ways from block to block and to memory in tier 0: time for one jump or load, with its share of the loop (a quarter of an instruction each).
/// </summary>
public class PathBenchmarks() : LoopBenchmarks(new TcgOptions { Jit = false }, Iterations)
{
    private const int Iterations = 500_000;
    private const int Unrolled = 8;

    /// <summary>Direct jumps inside a page.</summary>
    [GlobalSetup(Target = nameof(ChainedJump))]
    public void SetUpChained() => SetUp(c => Repeat(() =>
    {
        Label next = c.CreateLabel();
        c.jmp(next);
        c.Label(ref next);
    }));

    /// <summary>Indirect jumps, each always to the same place.</summary>
    [GlobalSetup(Target = nameof(JumpCacheHit))]
    public void SetUpIndirect() => SetUp(c => Repeat(() =>
    {
        Label next = c.CreateLabel();
        c.lea(rax, __[next]);
        c.jmp(rax);
        c.Label(ref next);
    }));

    /// <summary>Loads of one page.</summary>
    [GlobalSetup(Target = nameof(TlbHit))]
    public void SetUpHit() => SetUp(c => Repeat(() => c.mov(rax, __[rsi])));

    /// <summary>Loads of one page after the other, four for each entry of the TLB.</summary>
    [GlobalSetup(Target = nameof(TlbMiss))]
    public void SetUpMiss()
    {
        SetUp(c =>
        {
            int page = 0;
            Repeat(() => c.mov(rax, __[rsi + (page++ * 0x1000)]));
            c.add(esi, Unrolled * 0x1000);
            c.and(esi, StreamBase | ((StreamPages - 1) << 12));
        });
        MapStream();
        RequireMisses(Iterations * Unrolled);
    }

    /// <summary>From block to block by a link.</summary>
    [Benchmark(OperationsPerInvoke = Iterations * Unrolled)]
    public void ChainedJump() => Run();

    /// <summary>From block to block through the jump cache (LEA and JMP).</summary>
    [Benchmark(OperationsPerInvoke = Iterations * Unrolled)]
    public void JumpCacheHit() => Run();

    /// <summary>A load that the TLB knows.</summary>
    [Benchmark(OperationsPerInvoke = Iterations * Unrolled)]
    public void TlbHit() => Run();

    /// <summary>A load that walks page tables of four levels.</summary>
    [Benchmark(OperationsPerInvoke = Iterations * Unrolled)]
    public void TlbMiss() => Run();

    private static void Repeat(Action body)
    {
        for (int i = 0; i < Unrolled; i++)
        {
            body();
        }
    }
}
