using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Bench;

/// <content>Loops of AVX2 and FMA code.</content>
internal static partial class RegionComparison
{
    private static void WideBlur(Assembler c)
    {
        c.vpxor(ymm7, ymm7, ymm7);
        c.mov(ecx, 1024);
        Repeat(c, () =>
        {
            c.vmovdqu(ymm0, __ymmword_ptr[rsi + rcx - 1]);
            c.vpavgb(ymm0, ymm0, __ymmword_ptr[rsi + rcx + 1]);
            c.vmovdqu(ymm1, __ymmword_ptr[rsi + rcx - 1024]);
            c.vpavgb(ymm1, ymm1, __ymmword_ptr[rsi + rcx + 1024]);
            c.vpavgb(ymm0, ymm0, ymm1);
            c.vpavgb(ymm0, ymm0, __ymmword_ptr[rsi + rcx]);
            c.vmovdqu(__ymmword_ptr[rdi + rcx], ymm0);
            c.vpsadbw(ymm0, ymm0, ymm7);
            c.vpaddq(ymm6, ymm6, ymm0);
            c.add(ecx, 32);
            c.and(ecx, 0x3fe0);
            c.or(ecx, 1024);
        });
    }

    // A string length: what a C library does with 256 bits.
    private static void WideScan(Assembler c)
    {
        c.vpxor(ymm0, ymm0, ymm0);
        Repeat(c, () =>
        {
            Label found = c.CreateLabel();
            c.vpcmpeqb(ymm1, ymm0, __ymmword_ptr[rsi + rcx]);
            c.vpmovmskb(eax, ymm1);
            c.test(eax, eax);
            c.jnz(found);
            c.nop();
            c.Label(ref found);
            c.add(ecx, 32);
            c.and(ecx, 0x1fe0);
        });
    }

    private static void FusedDot(Assembler c)
    {
        Clear(c);
        c.vxorpd(ymm0, ymm0, ymm0);
        c.xor(ecx, ecx);
        Repeat(c, () =>
        {
            c.vmovupd(ymm1, __ymmword_ptr[rsi + rcx]);
            c.vmovupd(ymm2, __ymmword_ptr[rsi + rcx + 32]);
            c.vfmadd231pd(ymm0, ymm1, __ymmword_ptr[rdi + rcx]);
            c.vfmadd231pd(ymm3, ymm2, __ymmword_ptr[rdi + rcx + 32]);
            c.add(ecx, 64);
            c.and(ecx, 0x1fc0);
        });
    }
}
