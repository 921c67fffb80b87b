using Emu.Accel.Tcg;
using Emu.Core.Cpu;
using Emu.Jit.Regions;
using Emu.Tests.Tcg;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Tests.Jit;

/// <summary>Counting, installation and the end of regions, with a compiler that makes code of no use.</summary>
public sealed class RegionTieringTests
{
    private const ulong Function = 0x70000;

    [Fact]
    public void Loop_IsCompiledOnceAtTheThreshold_AndEnteredFromThenOn()
    {
        using var recorder = new RegionRecorder();
        using var bench = new TcgBench(options: recorder.Options(threshold: 10));

        X86State end = bench.Run64(CountTo(100));

        Assert.Equal(100UL, end.Gpr[0]);
        Assert.Single(recorder.Regions);
        Assert.Equal(100 - 1 - 10 + 1, recorder.Entries); // the first iteration belongs to the block before the loop
        Assert.Equal((1UL, 0UL), (bench.Vcpu.Statistics.RegionsCompiled, bench.Vcpu.Statistics.RegionsDropped));
    }

    [Fact]
    public void InstructionCount_IsTheSameAsWithoutCompilation()
    {
        using var recorder = new RegionRecorder();
        using var compiled = new TcgBench(options: recorder.Options(threshold: 0));
        using var interpreted = new TcgBench(options: new TcgOptions { Jit = false });

        compiled.Run64(CountTo(100));
        interpreted.Run64(CountTo(100));

        Assert.True(recorder.Entries > 90);
        Assert.Equal(interpreted.Vcpu.Statistics.Instructions, compiled.Vcpu.Statistics.Instructions);
    }

    [Fact]
    public void JitOff_CompilesNothing()
    {
        using var recorder = new RegionRecorder();
        using var bench = new TcgBench(options: recorder.Options() with { Jit = false });

        bench.Run64(CountTo(1000));

        Assert.Empty(recorder.Regions);
    }

    [Fact]
    public void LogOfExecutedBlocks_CompilesNothing()
    {
        using var recorder = new RegionRecorder();
        var lines = new List<string>();
        using var bench = new TcgBench(options: recorder.Options() with { Log = lines.Add, DebugLogItems = new HashSet<string> { "exec" } });

        bench.Run64(CountTo(100));

        Assert.Empty(recorder.Regions);
        Assert.True(lines.Count >= 100);
    }

    [Fact]
    public void LogOfRegions_NamesBlocksAndEdges()
    {
        using var recorder = new RegionRecorder();
        var lines = new List<string>();
        using var bench = new TcgBench(options: recorder.Options() with { Log = lines.Add, DebugLogItems = new HashSet<string> { "op_opt" } });

        bench.Run64(CountTo(100));

        string region = Assert.Single(lines);
        Assert.StartsWith("region 1005: 1 blocks, 3 instructions", region, StringComparison.Ordinal);
        Assert.Contains("(block 0, looks for requests)", region, StringComparison.Ordinal);
    }

    [Fact]
    public void RefusedRegion_IsTriedSmaller_ThenNeverAgain()
    {
        using var recorder = new RegionRecorder { Refuses = _ => true };
        using var bench = new TcgBench(options: recorder.Options());

        bench.Run64(c =>
        {
            Label again = c.CreateLabel();
            Label next = c.CreateLabel();
            c.mov(ecx, 10_000);
            c.Label(ref again);
            for (int i = 0; i < 40; i++)
            {
                c.add(eax, 1);
            }

            c.jmp(next);
            c.Label(ref next);
            for (int i = 0; i < 40; i++)
            {
                c.add(eax, 1);
            }

            c.dec(ecx);
            c.jnz(again);
        });

        Assert.Equal(0, recorder.Entries);
        Assert.InRange(recorder.Regions.Count, 3, 6);
        Assert.Equal((ulong)recorder.Regions.Count, bench.Vcpu.Statistics.RegionsRefused);
    }

    [Fact]
    public void WriteToTheRegion_DropsIt_AndTheNextOneComesLater()
    {
        using var recorder = new RegionRecorder();
        using var bench = new TrapBench(recorder.Options());
        bench.Assemble(Function, c =>
        {
            c.mov(eax, 1);
            c.ret();
        });

        // A hundred calls for each value of the function.
        Trap trap = bench.Run(c =>
        {
            Label patched = c.CreateLabel();
            Label again = c.CreateLabel();
            c.mov(esi, 40);
            c.Label(ref patched);
            c.mov(ecx, 100);
            c.Label(ref again);
            c.call(Function);
            c.add(rbx, rax);
            c.dec(ecx);
            c.jnz(again);
            c.inc(__dword_ptr[Function + 1]);
            c.dec(esi);
            c.jnz(patched);
        });

        Assert.Equal((-1, 100UL * 40 * 41 / 2), (trap.Vector, trap.Gpr[3]));
        int compiled = recorder.Regions.Count(region => region.Blocks.Any(block => block.Pc == Function)); // its own, and those of its caller
        Assert.InRange(compiled, 2, 16); // 10, 20, 40, 80 calls; more than a hundred never come
        Assert.InRange(bench.Bench.Vcpu.Statistics.RegionsDropped, 2UL, (ulong)compiled); // the others were replaced
    }

    [Fact]
    public void DeviceWritesTheRegion_TheNewCodeRuns()
    {
        using var recorder = new RegionRecorder();
        using var bench = new TrapBench(recorder.Options());
        bench.Assemble(Function, c =>
        {
            c.mov(ebx, 1);
            c.ret();
        });
        Trap first = bench.Run(c =>
        {
            Label resumed = c.CreateLabel();
            Label again = c.CreateLabel();
            c.Label(ref resumed);
            c.mov(ecx, 100);
            c.Label(ref again);
            c.call(Function);
            c.dec(ecx);
            c.jnz(again);
            c.@out(0xf4, al);
            c.jmp(resumed);
        });
        long entries = recorder.Entries;
        bench.Bench.Memory.Write(Function + 1, [2]);
        Trap second = bench.Resume();

        Assert.True(entries > 100);
        Assert.Equal((1UL, 2UL), (first.Gpr[3], second.Gpr[3]));
        Assert.InRange(bench.Bench.Vcpu.Statistics.RegionsDropped, 1UL, (ulong)recorder.Regions.Count(region => region.Blocks.Any(block => block.Pc == Function)));
    }

    [Fact]
    public void RegionWritesAheadOfItself_TheNewCodeRuns()
    {
        using var recorder = new RegionRecorder();
        using var bench = new TrapBench(recorder.Options(threshold: 5));
        Trap trap = bench.Run(c =>
        {
            Label again = c.CreateLabel();
            Label next = c.CreateLabel();
            c.mov(ecx, 200);
            c.Label(ref again);
            c.lea(rdi, __[next]);
            c.inc(__byte_ptr[rdi + 1]);
            c.jmp(next);
            c.Label(ref next);
            c.mov(eax, 0);
            c.movzx(eax, al);
            c.add(rbx, rax);
            c.dec(ecx);
            c.jnz(again);
        });

        Assert.Equal((-1, 200UL * 201 / 2), (trap.Vector, trap.Gpr[3]));
        Assert.InRange(recorder.Regions.Count, 1, 12);
    }

    [Fact]
    public void NewState_ForgetsAllRegions()
    {
        using var recorder = new RegionRecorder();
        using var bench = new TcgBench(options: recorder.Options());
        bench.Run64(CountTo(100));
        long entries = recorder.Entries;

        bench.Run64(CountTo(10));

        Assert.Equal(entries, recorder.Entries);
    }

    [Fact]
    public void CompilerThatThrows_LosesNothingButSpeed()
    {
        var lines = new List<string>();
        using var bench = new TcgBench(options: new TcgOptions
        {
            CompileAtOnce = true,
            Threshold = 5,
            Log = lines.Add,
            CompileRegion = _ => throw new NotSupportedException("as a test"),
        });

        X86State end = bench.Run64(CountTo(100));

        Assert.Equal(100UL, end.Gpr[0]);
        Assert.Contains("as a test", Assert.Single(lines), StringComparison.Ordinal);
    }

    [Fact]
    public void BackgroundCompilation_IsInstalledWhileTheLoopRuns()
    {
        using var recorder = new RegionRecorder();
        using var bench = new TcgBench(options: recorder.Options() with { CompileAtOnce = false });

        // Runs until the region was entered: the watchdog of Run ends it otherwise.
        bench.Load(64, c =>
        {
            Label again = c.CreateLabel();
            c.Label(ref again);
            c.inc(rax);
            c.jmp(again);
        });
        using var watcher = new Timer(_ =>
        {
            if (recorder.Entries > 1000)
            {
                bench.Vcpu.Kick();
            }
        }, null, 1, 1);
        bench.Run(bench.LongModeState());

        Assert.True(recorder.Entries > 1000);
        Assert.Equal(1UL, bench.Vcpu.Statistics.RegionsCompiled);
    }

    [Fact]
    public void BackgroundCompilation_EndOfTheMachineWhileCompiling_IsClean()
    {
        using var started = new ManualResetEventSlim();
        using var release = new ManualResetEventSlim();
        using var recorder = new RegionRecorder();
        var bench = new TcgBench(options: recorder.Options() with
        {
            CompileAtOnce = false,
            CompileRegion = region =>
            {
                started.Set();
                release.Wait(TimeSpan.FromSeconds(20));
                return recorder.Compile(region);
            },
        });
        bench.Run64(CountTo(100_000));
        Assert.True(started.Wait(TimeSpan.FromSeconds(20)));
        bench.Vcpu.Dispose();
        release.Set();
        bench.Dispose();

        Assert.Equal(0, recorder.Entries);
    }

    // Add, dec, jnz at 0x1005.
    private static Action<Assembler> CountTo(int count) => c =>
    {
        Label again = c.CreateLabel();
        c.mov(ecx, count);
        c.Label(ref again);
        c.add(eax, 1);
        c.dec(ecx);
        c.jnz(again);
    };
}
