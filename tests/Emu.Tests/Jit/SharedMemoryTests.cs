using Emu.Core.Cpu;
using Emu.Tests.Tcg;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Tests.Jit;

/// <summary>Compiled code and memory that somebody else writes.</summary>
public sealed class SharedMemoryTests
{
    private const ulong Cell = 0x2_0000;

    // No interrupt and no request comes to make the vCPU leave the region: only the load itself can end the loop.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void SpinOnMemory_SeesAnothersWrite(bool spinsInside)
    {
        using var bench = new TcgBench(options: TierOptions.AtOnce(10));
        using var writer = new Timer(_ => bench.Ram.WriteValue(Cell, 7, 4), null, 200, Timeout.Infinite);

        X86State end = bench.Run64(
            c =>
            {
                Label again = c.CreateLabel();
                c.Label(ref again);
                c.mov(eax, __dword_ptr[rbx]);
                if (spinsInside)
                {
                    c.lea(rcx, __[rcx + 1]);
                    c.mov(edx, __dword_ptr[rbx + 8]);
                }

                c.test(eax, eax);
                c.jz(again);
            },
            registers => registers[3] = Cell);

        Assert.Equal(7UL, end.Gpr[0]);
        Assert.NotNull(bench.ExitCode);
    }

    // The tags of such a page have bits where an unaligned address has its own.
    [Fact]
    public void LockedInstructions_UnalignedInMmioAndCodePages_TakeTheSlowPath()
    {
        const ulong Nothing = 0x20_0010; // behind the RAM
        const ulong Code = 0x1f00;
        using var bench = new TcgBench(options: TierOptions.AtOnce(2));
        bench.Load(64, c =>
        {
            Label again = c.CreateLabel();
            c.Label(ref again);
            c.mov(eax, 0);
            c.xchg(__dword_ptr[rbx], eax);
            c.@lock.inc(__qword_ptr[rdi]);
            c.inc(rbx);
            c.inc(rdi);
            c.dec(rcx);
            c.jnz(again);
        });
        X86State state = bench.LongModeState();
        bench.Ram.WriteValue(0x102008, 0x20_0087, 8);
        (state.Gpr[1], state.Gpr[3], state.Gpr[7]) = (32, Nothing, Code);

        X86State end = bench.Run(state);

        Assert.Equal((0UL, 0xffff_ffffUL), (end.Gpr[1], end.Gpr[0]));
        Assert.Equal(0x0101_0101_0101_0101UL, bench.Ram.ReadValue(Code, 8));
    }

    /// <summary>Two CPUs add to one cell by instructions that only help when they are atomic, in compiled code.</summary>
    [Fact]
    public void LockedInstructionsOfTwoCpus_LoseNothing()
    {
        const ulong Rounds = 60_000;
        using var bench = new TcgBench(options: TierOptions.AtOnce(10));
        using IVcpu other = bench.CreateAnother();
        bench.Load(64, c =>
        {
            Label again = c.CreateLabel();
            Label retry = c.CreateLabel();
            c.Label(ref again);
            c.mov(eax, 1);
            c.@lock.xadd(__qword_ptr[rbx], rax);
            c.@lock.inc(__dword_ptr[rbx + 8]);
            c.@lock.sub(__word_ptr[rbx + 16], -1);
            c.@lock.xor(__byte_ptr[rbx + 24], 1);
            c.mov(eax, __dword_ptr[rbx + 32]);
            c.Label(ref retry);
            c.lea(edx, __[rax + 3]);
            c.@lock.cmpxchg(__dword_ptr[rbx + 32], edx);
            c.jnz(retry);
            c.dec(rcx);
            c.jnz(again);
            c.cli();
            c.hlt();
        });
        X86State state = bench.LongModeState();
        (state.Gpr[1], state.Gpr[3]) = (Rounds, Cell);
        bench.Vcpu.SetState(state);
        other.SetState(state);
        using var watchdog = new Timer(
            _ =>
            {
                bench.Vcpu.Kick();
                other.Kick();
            },
            null,
            20_000,
            Timeout.Infinite);
        var thread = new Thread(() => other.Run());
        thread.Start();

        _ = bench.Vcpu.Run();
        thread.Join();

        Assert.Equal(0UL, bench.Vcpu.GetState().Gpr[1]);
        Assert.Equal(2 * Rounds, bench.Ram.ReadValue(Cell, 8));
        Assert.Equal((uint)(2 * Rounds), bench.Ram.ReadValue(Cell + 8, 4));
        Assert.Equal((2 * Rounds) & 0xffff, bench.Ram.ReadValue(Cell + 16, 2));
        Assert.Equal(0UL, bench.Ram.ReadValue(Cell + 24, 1));
        Assert.Equal(2 * Rounds * 3, bench.Ram.ReadValue(Cell + 32, 4));
    }
}
