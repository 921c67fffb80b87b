using Emu.Core.Cpu;

namespace Emu.Tests.Tcg;

/// <summary>Events that another accelerator had raised and not delivered when its state was taken.</summary>
public sealed class PendingEventTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Pending_InTheState_IsDeliveredBeforeTheFirstInstruction(bool exception)
    {
        using var bench = new TcgBench();

        // Vector 41h or 6: inc bx; out f4h, al. At the start: mov cx, 1.
        bench.Ram.WriteValue(exception ? 6UL * 4 : 0x41 * 4, 0x2000, 4);
        bench.Ram.Write(0x2000, [0x43, 0xE6, 0xF4]);
        bench.Load([0xB9, 0x01, 0x00, 0xE6, 0xF4]);
        X86State state = TcgBench.RealModeState() with
        {
            Idtr = new DescriptorTableState(0, 0xffff),
            PendingException = exception ? new PendingException(6, null) : null,
            PendingInterrupt = exception ? null : (byte)0x41,
        };
        state.Gpr[4] = 0x8000;
        bench.Vcpu.SetState(state);
        X86State held = bench.Vcpu.GetState();

        X86State after = bench.Run(state);

        Assert.Equal((state.PendingException, state.PendingInterrupt), (held.PendingException, held.PendingInterrupt));
        Assert.Equal((1UL, 0UL), (after.Gpr[3], after.Gpr[1]));
        Assert.Null(after.PendingException);
        Assert.Null(after.PendingInterrupt);
    }
}
