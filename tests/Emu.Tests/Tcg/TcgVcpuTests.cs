using Emu.Core.Cpu;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Tests.Tcg;

public sealed class TcgVcpuTests
{
    [Fact]
    public void RealMode_TinyKernel_PrintsTheSum()
    {
        using var bench = new TcgBench();
        bench.Load([0xba, 0xf8, 0x03, 0x00, 0xd8, 0x04, 0x30, 0xee, 0xb0, 0x0a, 0xee, 0xe6, 0xf4]);
        X86State state = TcgBench.RealModeState();
        (state.Gpr[0], state.Gpr[3]) = (2, 2);

        bench.Run(state);

        Assert.Equal("4\n", bench.Text);
    }

    [Fact]
    public void LongMode_Loop_ComputesTheSumOfSquares()
    {
        using var bench = new TcgBench();

        X86State end = bench.Run64(c =>
        {
            Label again = c.CreateLabel();
            c.xor(eax, eax);
            c.mov(ecx, 1000);
            c.Label(ref again);
            c.mov(rdx, rcx);
            c.imul(rdx, rcx);
            c.add(rax, rdx);
            c.dec(ecx);
            c.jnz(again);
        });

        Assert.Equal(VcpuExitReason.Kicked, bench.Exit.Reason);
        Assert.Equal(333833500UL, end.Gpr[0]);
    }

    [Fact]
    public void Store_FirstWriteToThePageHitsTheNextInstruction_RunsTheNewCode()
    {
        using var bench = new TcgBench();

        // mov byte [rip + 1], 7; mov al, 1
        bench.Load([0xc6, 0x05, 0x01, 0x00, 0x00, 0x00, 0x07, 0xb0, 0x01, 0xe6, 0xf4]);

        X86State end = bench.Run(bench.LongModeState());

        Assert.Equal(7UL, end.Gpr[0]);
    }

    [Fact]
    public void Step_OverAReturnToCodeThatRanBefore_ExecutesOneInstruction()
    {
        using var bench = new TcgBench();
        X86State end = bench.Run64(c =>
        {
            Label start = c.CreateLabel();
            Label again = c.CreateLabel();
            Label function = c.CreateLabel();
            c.Label(ref start);
            c.mov(ecx, 100);
            c.Label(ref again);
            c.call(function);
            c.inc(eax);
            c.dec(ecx);
            c.jnz(again);
            c.@out(0xf4, al);
            c.jmp(start);
            c.Label(ref function);
            c.ret();
        });

        // jmp, mov, call, ret: the code behind the call is in the jump cache.
        for (int i = 0; i < 4; i++)
        {
            Assert.Equal(VcpuExitReason.Stepped, bench.Vcpu.Step().Reason);
        }

        Assert.Equal(end.Gpr[0], bench.Vcpu.GetState().Gpr[0]);
        Assert.Equal(VcpuExitReason.Stepped, bench.Vcpu.Step().Reason);
        Assert.Equal(end.Gpr[0] + 1, bench.Vcpu.GetState().Gpr[0]);
    }

    [Fact]
    public void DataBreakpoint_Hit_TrapsRightAfterTheWrite()
    {
        using var bench = new TcgBench();
        bench.Ram.WriteValue(4, 0x2000, 4);
        // The handler: mov al, bl; out 0xf4, al
        bench.Ram.Write(0x2000, [0x88, 0xd8, 0xe6, 0xf4]);
        // mov byte [0x3000], 5; inc bx; inc bx
        bench.Load([0xc6, 0x06, 0x00, 0x30, 0x05, 0x43, 0x43]);
        X86State state = TcgBench.RealModeState();
        state.Dr[0] = 0x3000;
        state.Dr[5] = 0x1_0401;

        X86State end = bench.Run(state);

        Assert.Equal((0UL, 1UL), (end.Gpr[0], end.Dr[4] & 0xf));
    }
}
