using Emu.Core.Cpu;
using Emu.Tests.Tcg;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Tests.Jit;

/// <summary>Division in compiled code of operands that the compiler knows.</summary>
public sealed class ConstantDivisionTests
{
    [Fact]
    public void WideDividendAndDivisorAreConstants_QuotientFits()
    {
        const ulong Low = 0x0805_7ae7_8cd6_9e9a;
        const ulong High = 0x1701_6e95_218f_f2cd;
        const ulong Divisor = 0x18cf_c8bf_952b_579d;
        using var bench = new TcgBench(options: TierOptions.AtOnce(0));

        X86State end = bench.Run64(c =>
        {
            c.mov(rbx, Divisor);
            c.mov(rdx, High);
            c.mov(rax, Low);
            c.div(rbx);
            c.mov(esi, 7);
            c.mov(r8, rax);
            c.mov(r9, rdx);
            c.mov(edx, 5);
            c.mov(eax, 123_456);
            c.div(esi);
        });

        UInt128 dividend = new(High, Low);
        Assert.Equal(((ulong)(dividend / Divisor), (ulong)(dividend % Divisor)), (end.Gpr[8], end.Gpr[9]));
        Assert.Equal(((5UL << 32) + 123_456) / 7, end.Gpr[0]);
    }
}
