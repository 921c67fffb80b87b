using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Tests.Tcg;

/// <summary>Where interrupts get in although blocks go on without the dispatcher, interpreted and compiled.</summary>
public sealed class InterruptWindowTests
{
    private const int InterruptFlag = 0x200;

    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    public void StiBeforeAJump_TakenAtItsTarget(int threshold)
    {
        Trap trap = RunUntilInterrupt(threshold, c =>
        {
            Label again = c.CreateLabel();
            c.Label(ref again);
            c.cli();
            c.inc(rax);
            c.sti();
            c.jmp(again);
        });

        Assert.Equal((0x20, TrapBench.Code), (trap.Vector, trap.Rip));
        Assert.NotEqual(0UL, trap.Gpr[0]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    public void OneInstructionBetweenStiAndCli_IsEnough(int threshold)
    {
        Trap trap = RunUntilInterrupt(threshold, c =>
        {
            Label again = c.CreateLabel();
            c.Label(ref again);
            c.sti();
            c.inc(rax);
            c.cli();
            c.jmp(again);
        });

        Assert.Equal((0x20, TrapBench.Code + 4), (trap.Vector, trap.Rip));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    public void PopfThatOpensTheWindow_TakenBehindIt(int threshold)
    {
        Trap trap = RunUntilInterrupt(threshold, c =>
        {
            Label again = c.CreateLabel();
            c.Label(ref again);
            c.push(InterruptFlag | 2);
            c.popfq();
            c.cli();
            c.jmp(again);
        });

        Assert.Equal((0x20, TrapBench.Code + 6), (trap.Vector, trap.Rip));
    }

    [Fact]
    public void StiAtThePageEnd_InterruptPending_TakenAfterTheNextInstruction()
    {
        const ulong NearEnd = 0x71ff0;
        using var bench = new TrapBench();
        bench.Bench.Apic.Raise(0x21);
        bench.Assemble(NearEnd, c =>
        {
            c.sti();
            c.inc(eax);
            c.inc(eax);
        });

        Trap trap = bench.Run(c => c.jmp(NearEnd));

        Assert.Equal((0x21, NearEnd + 3, 1UL), (trap.Vector, trap.Rip, trap.Gpr[0]));
    }

    private static Trap RunUntilInterrupt(int threshold, Action<Assembler> code)
    {
        using var bench = new TrapBench(TierOptions.AtOnce(threshold));
        using var device = new Timer(_ => bench.Bench.Apic.Raise(0x20), null, 50, Timeout.Infinite);
        return bench.Run(code);
    }
}
