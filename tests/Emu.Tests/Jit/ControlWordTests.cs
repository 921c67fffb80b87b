using Emu.Accel.Tcg;
using Emu.Core.Cpu;
using Emu.Tests.Tcg;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Tests.Jit;

/// <summary>LDMXCSR among hot floating-point code: rounding, flush to zero and flags change between operations that are compiled.</summary>
public sealed class ControlWordTests
{
    private const int Controls = 0x20000;
    private const int Saved = 0x21000;
    private const int XmmOffset = 160;

    [Theory]
    [InlineData(0, new uint[] { 0x1f80, 0x3f80, 0x5f80, 0x7f80 })] // all ways to round
    [InlineData(10, new uint[] { 0x1f80, 0x3f80, 0x5f80, 0x7f80 })]
    [InlineData(10, new uint[] { 0x1f80, 0x1f80, 0x1fbf, 0x1f80 })] // flags set and cleared, control as it is
    [InlineData(10, new uint[] { 0x1f80, 0x9f80, 0x1fc0, 0x9fc0 })] // flush to zero, denormals are zeros
    public void ControlChangesInAHotLoop_EndsAsInTier0(int threshold, uint[] controls)
    {
        using var interpreted = new TcgBench(options: new TcgOptions { Jit = false });
        using var compiled = new TcgBench(options: TierOptions.AtOnce(threshold));

        string expected = Run(interpreted, controls);
        string actual = Run(compiled, controls);

        Assert.Equal(expected, actual);
        Assert.True(compiled.Vcpu.Statistics.RegionsCompiled > 0);
    }

    // 400 times: the next control word; a quotient that is not exact, one that is a denormal, sums of them; MXCSR saved.
    private static string Run(TcgBench bench, uint[] controls)
    {
        for (int i = 0; i < controls.Length; i++)
        {
            bench.Ram.WriteValue((ulong)(Controls + (i * 4)), controls[i], 4);
        }

        X86State end = bench.Run64(c =>
        {
            Label again = c.CreateLabel();
            c.mov(ecx, 400);
            c.mov(esi, Controls);
            c.mov(edi, Saved);
            c.mov(eax, 3);
            c.cvtsi2sd(xmm1, eax);
            c.mov(rax, 0x0010_0000_0000_0001);
            c.movq(xmm4, rax);
            c.Label(ref again);
            c.mov(ebx, ecx);
            c.and(ebx, controls.Length - 1);
            c.ldmxcsr(__dword_ptr[rsi + rbx * 4]);
            c.cvtsi2sd(xmm0, ecx);
            c.divsd(xmm0, xmm1);
            c.addsd(xmm2, xmm0);
            c.movapd(xmm5, xmm4);
            c.divsd(xmm5, xmm1);
            c.addsd(xmm3, xmm5);
            c.stmxcsr(__dword_ptr[rdi + rcx * 4]);
            c.dec(ecx);
            c.jnz(again);
        });
        return Convert.ToHexString(bench.Ram.Slice(Saved, 401 * 4)) + " " + Convert.ToHexString(end.Xsave.AsSpan(XmmOffset, 16 * 6));
    }
}
