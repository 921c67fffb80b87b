using Emu.Core.Cpu;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Tests.Tcg;

/// <summary>Interrupts, shadows, single step, breakpoints at the right instruction.</summary>
public sealed class EventTests
{
    private const ulong InterruptFlag = 0x200;
    private const ulong TrapFlag = 0x100;
    private const ulong Counter = 0x90000;

    [Fact]
    public void Interrupt_EndsATightLoop()
    {
        using var bench = new TrapBench();
        using var device = new Timer(_ => bench.Bench.Apic.Raise(0x20), null, 20, Timeout.Infinite);

        Trap trap = bench.Run([0xeb, 0xfe], rflags: InterruptFlag | 2);

        Assert.Equal((0x20, TrapBench.Code), (trap.Vector, trap.Rip));
        Assert.Equal(InterruptFlag, trap.Rflags & InterruptFlag);
    }

    [Fact]
    public void Interrupt_InALongLoop_LeavesAtAnInstruction()
    {
        using var bench = new TrapBench();
        using var device = new Timer(_ => bench.Bench.Apic.Raise(0x20), null, 20, Timeout.Infinite);

        Trap trap = bench.Run(c =>
        {
            Label again = c.CreateLabel();
            c.Label(ref again);
            c.inc(rax);
            c.inc(rbx);
            c.cmp(rax, rbx);
            c.je(again);
        }, rflags: InterruptFlag | 2);

        Assert.Equal((0x20, TrapBench.Code), (trap.Vector, trap.Rip));
        Assert.Equal(trap.Gpr[0], trap.Gpr[3]);
    }

    [Fact]
    public void Sti_InterruptPending_TakenAfterTheNextInstruction()
    {
        using var bench = new TrapBench();
        bench.Bench.Apic.Raise(0x21);

        Trap trap = bench.Run(c =>
        {
            c.nop();
            c.sti();
            c.inc(eax);
            c.inc(eax);
        });

        Assert.Equal((0x21, TrapBench.Code + 4, 1UL), (trap.Vector, trap.Rip, trap.Gpr[0]));
    }

    [Fact]
    public void StiCli_InterruptPending_NotTaken()
    {
        using var bench = new TrapBench();
        bench.Bench.Apic.Raise(0x21);

        Trap trap = bench.Run(c =>
        {
            c.sti();
            c.cli();
            c.inc(eax);
        });

        Assert.Equal((-1, 1UL), (trap.Vector, trap.Gpr[0]));
    }

    [Fact]
    public void StiHlt_WakesWithTheAddressBehindHlt()
    {
        using var bench = new TrapBench();
        bench.Bench.Apic.Raise(0x21);

        Trap trap = bench.Run(c =>
        {
            c.sti();
            c.hlt();
            c.inc(eax);
        });

        Assert.Equal((0x21, TrapBench.Code + 2), (trap.Vector, trap.Rip));
    }

    [Fact]
    public void PopfOpensInterrupts_TakenBeforeTheNextInstruction()
    {
        using var bench = new TrapBench();
        bench.Bench.Apic.Raise(0x21);

        Trap trap = bench.Run(c =>
        {
            c.push((int)InterruptFlag | 2);
            c.popfq();
            c.inc(eax);
        });

        Assert.Equal((0x21, 0UL), (trap.Vector, trap.Gpr[0]));
    }

    [Fact]
    public void TrapFlag_StopsAfterEachInstruction()
    {
        using var bench = new TrapBench();
        CountTraps(bench, 1);

        Trap trap = bench.Run(c =>
        {
            c.inc(eax);
            c.mov(__[TrapBench.Data], eax);
            c.mov(ecx, 3);
            c.rep.stosb(); // a trap per iteration
            c.add(eax, 1);
        }, gpr => gpr[7] = TrapBench.Data, TrapFlag | 2);

        // The last trap comes after OUT, which ends the run first.
        Assert.Equal((-1, 2UL, 7UL), (trap.Vector, trap.Gpr[0], bench.Read(Counter)));
    }

    [Fact]
    public void TrapFlag_FirstTrapNamesTheSecondInstruction()
    {
        using var bench = new TrapBench();

        Trap trap = bench.Run(c =>
        {
            c.inc(eax);
            c.inc(eax);
        }, rflags: TrapFlag | 2);

        Assert.Equal((1, TrapBench.Code + 2, 1UL, 0x4000UL), (trap.Vector, trap.Rip, trap.Gpr[0], trap.State.Dr[4] & 0x400f));
        Assert.Equal(TrapFlag, trap.Rflags & TrapFlag);
    }

    [Fact]
    public void PopfSetsTrapFlag_TrapsAfterTheInstructionBehindIt()
    {
        using var bench = new TrapBench();

        Trap trap = bench.Run(c =>
        {
            c.push((int)TrapFlag | 2);
            c.popfq();
            c.inc(eax);
            c.inc(eax);
        });

        Assert.Equal((1, 1UL), (trap.Vector, trap.Gpr[0]));
    }

    [Fact]
    public void FaultingInstruction_WithTrapFlag_DoesNotTrap()
    {
        using var bench = new TrapBench();

        Trap trap = bench.Run(c => c.mov(eax, __[TrapBench.Absent]), rflags: TrapFlag | 2);

        Assert.Equal((14, TrapBench.Code), (trap.Vector, trap.Rip));
        Assert.Equal(TrapFlag, trap.Rflags & TrapFlag);
    }

    [Fact]
    public void InstructionBreakpoint_FaultsBeforeIt()
    {
        using var bench = new TrapBench();

        Trap trap = bench.Run(c =>
        {
            c.lea(rdx, __[TrapBench.Code + 21]);
            c.mov(dr0, rdx);
            c.mov(edx, 0x401);
            c.mov(dr7, rdx);
            c.inc(eax);
            c.inc(eax);
        });

        Assert.Equal((1, TrapBench.Code + 21, 1UL), (trap.Vector, trap.Rip, trap.Gpr[0]));
        Assert.Equal(1UL, trap.State.Dr[4] & 0xf);
    }

    [Fact]
    public void WriteBreakpoint_TrapsAfterTheStore()
    {
        using var bench = new TrapBench();

        Trap trap = bench.Run(c =>
        {
            c.mov(edx, (int)TrapBench.Data);
            c.mov(dr1, rdx);
            c.mov(edx, 0xd00404); // DR1: four bytes, writes
            c.mov(dr7, rdx);
            c.mov(ecx, __[TrapBench.Data]);
            c.mov(__dword_ptr[TrapBench.Data + 4], 5);
            c.mov(__byte_ptr[TrapBench.Data + 3], 5);
            c.inc(eax);
        });

        Assert.Equal((1, 0UL, 2UL), (trap.Vector, trap.Gpr[0], trap.State.Dr[4] & 0xf));
        Assert.Equal(0x05000000UL, bench.Read(TrapBench.Data, 4));
    }

    [Fact]
    public void RepInterrupted_RegistersSayHowFar()
    {
        using var bench = new TrapBench();
        using var device = new Timer(_ => bench.Bench.Apic.Raise(0x20), null, 15, Timeout.Infinite);
        const ulong Total = 0x30000;

        Trap trap = bench.Run(c =>
        {
            Label again = c.CreateLabel();
            c.Label(ref again);
            c.mov(esi, 0x160000);
            c.mov(ecx, (int)Total);
            c.rep.lodsb();
            c.jmp(again);
        }, rflags: InterruptFlag | 2);

        Assert.Equal(0x20, trap.Vector);
        Assert.Equal(TrapBench.Code + 10, trap.Rip); // nearly all the time is spent there
        Assert.Equal(0x160000 + Total, trap.Gpr[6] + trap.Gpr[1]);
    }

    [Fact]
    public void RepFaultsMidway_RegistersNameTheFaultingElement()
    {
        using var bench = new TrapBench();

        Trap trap = bench.Run(c => c.rep.stosd(), gpr => (gpr[0], gpr[1], gpr[7]) = (0xabcd, 16, TrapBench.Absent - 12));

        Assert.Equal((14, TrapBench.Code, 13UL, TrapBench.Absent), (trap.Vector, trap.Rip, trap.Gpr[1], trap.Gpr[7]));
        Assert.Equal((TrapBench.Absent, 0xabcdUL), (trap.State.Cr2, bench.Read(TrapBench.Absent - 4, 4)));
    }

    // The handler counts and returns.
    private static void CountTraps(TrapBench bench, int vector)
    {
        bench.Assemble(0x91000, c =>
        {
            c.inc(__qword_ptr[Counter]);
            c.iretq();
        });
        bench.SetGate(vector, 0x91000);
    }
}
