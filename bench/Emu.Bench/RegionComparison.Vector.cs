using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Bench;

/// <content>Loops of SSE2 code, as a C compiler writes them.</content>
internal static partial class RegionComparison
{
    private static void LoadInteger(Assembler c, AssemblerRegisterXMM register, int value)
    {
        c.mov(eax, value);
        c.cvtsi2sd(register, eax);
    }

    // z = z * z + c, a few rounds from the origin.
    private static void Mandel(Assembler c)
    {
        LoadInteger(c, xmm8, 4);
        LoadInteger(c, xmm9, -1);
        LoadInteger(c, xmm10, 0);
        Repeat(c, () =>
        {
            Label inner = c.CreateLabel();
            Label escaped = c.CreateLabel();
            c.pxor(xmm0, xmm0);
            c.pxor(xmm1, xmm1);
            c.mov(ecx, 20);
            c.Label(ref inner);
            c.movapd(xmm2, xmm1);
            c.mulsd(xmm2, xmm1);
            c.movapd(xmm3, xmm0);
            c.mulsd(xmm3, xmm0);
            c.movapd(xmm4, xmm2);
            c.addsd(xmm4, xmm3);
            c.comisd(xmm4, xmm8);
            c.ja(escaped);
            c.addsd(xmm1, xmm1);
            c.mulsd(xmm0, xmm1);
            c.addsd(xmm0, xmm10);
            c.subsd(xmm2, xmm3);
            c.movapd(xmm1, xmm2);
            c.addsd(xmm1, xmm9);
            c.dec(ecx);
            c.jnz(inner);
            c.Label(ref escaped);
            c.add(edx, ecx);
        });
    }

    private static void Matmul(Assembler c)
    {
        Clear(c);
        Repeat(c, () =>
        {
            Label inner = c.CreateLabel();
            c.pxor(xmm0, xmm0);
            c.mov(rax, rsi);
            c.mov(rdx, rdi);
            c.mov(ecx, 16);
            c.Label(ref inner);
            c.movsd(xmm1, __qword_ptr[rax]);
            c.mulsd(xmm1, __qword_ptr[rdx]);
            c.add(rax, 8);
            c.add(rdx, 384);
            c.addsd(xmm0, xmm1);
            c.dec(ecx);
            c.jnz(inner);
            c.movsd(__qword_ptr[rsi + 2048], xmm0);
        });
    }

    private static void Bodies(Assembler c)
    {
        Clear(c);
        LoadInteger(c, xmm9, 1);
        Repeat(c, () =>
        {
            c.movsd(xmm0, __qword_ptr[rsi]);
            c.subsd(xmm0, __qword_ptr[rdi]);
            c.movapd(xmm1, xmm0);
            c.mulsd(xmm1, xmm0);
            c.addsd(xmm1, xmm9);
            c.sqrtsd(xmm2, xmm1);
            c.mulsd(xmm1, xmm2);
            c.movapd(xmm3, xmm9);
            c.divsd(xmm3, xmm1);
            c.mulsd(xmm0, xmm3);
            c.movsd(xmm4, __qword_ptr[rsi + 8]);
            c.subsd(xmm4, xmm0);
            c.movsd(__qword_ptr[rsi + 8], xmm4);
            c.addsd(xmm0, __qword_ptr[rdi + 8]);
            c.movsd(__qword_ptr[rdi + 8], xmm0);
        });
    }

    private static void Convert(Assembler c)
    {
        LoadInteger(c, xmm3, 1000000000);
        LoadInteger(c, xmm4, 3);
        Repeat(c, () =>
        {
            Label small = c.CreateLabel();
            c.pxor(xmm1, xmm1);
            c.cvtsi2sd(xmm1, r15);
            c.divsd(xmm1, xmm4);
            c.addsd(xmm0, xmm1);
            c.pxor(xmm1, xmm1);
            c.cvtsi2ss(xmm1, r15d);
            c.addss(xmm2, xmm1);
            c.cvttsd2si(rax, xmm0);
            c.add(rdx, rax);
            c.comisd(xmm0, xmm3);
            c.jbe(small);
            c.pxor(xmm0, xmm0);
            c.Label(ref small);
            c.nop();
        });
    }

    private static void Blur(Assembler c)
    {
        c.pxor(xmm7, xmm7);
        c.mov(ecx, 1024);
        Repeat(c, () =>
        {
            c.movdqu(xmm0, __[rsi + rcx - 1]);
            c.movdqu(xmm1, __[rsi + rcx + 1]);
            c.pavgb(xmm0, xmm1);
            c.movdqu(xmm1, __[rsi + rcx - 1024]);
            c.movdqu(xmm2, __[rsi + rcx + 1024]);
            c.pavgb(xmm1, xmm2);
            c.pavgb(xmm0, xmm1);
            c.movdqu(xmm2, __[rsi + rcx]);
            c.pavgb(xmm0, xmm2);
            c.movups(__[rdi + rcx], xmm0);
            c.psadbw(xmm0, xmm7);
            c.paddq(xmm6, xmm0);
            c.add(ecx, 16);
            c.and(ecx, 0x3ff0);
            c.or(ecx, 1024);
        });
    }

    private static void PackedInteger(Assembler c) => Repeat(c, () =>
    {
        c.movdqa(xmm0, __[rsi + rcx]);
        c.movdqa(xmm1, xmm0);
        c.pmullw(xmm1, xmm5);
        c.movdqa(xmm2, xmm0);
        c.pmaddwd(xmm2, xmm1);
        c.movdqa(xmm3, xmm0);
        c.pand(xmm3, xmm6);
        c.punpcklbw(xmm3, xmm1);
        c.pcmpgtw(xmm0, xmm1);
        c.paddd(xmm7, xmm2);
        c.pshufd(xmm3, xmm3, 0x4e);
        c.pxor(xmm7, xmm3);
        c.psubw(xmm7, xmm0);
        c.psrld(xmm2, 7);
        c.paddd(xmm7, xmm2);
        c.movdqa(xmm0, xmm7);
        c.pslld(xmm0, 1);
        c.packssdw(xmm7, xmm0);
        c.add(ecx, 16);
        c.and(ecx, 0x1ff0);
    });

    // Doubles in both arrays instead of random bytes.
    private static void Clear(Assembler c)
    {
        Label next = c.CreateLabel();
        c.mov(ecx, 0x2000);
        c.Label(ref next);
        c.mov(rax, 0x3ff0000000000000);
        c.lea(rax, __[rax + rcx * 8]);
        c.mov(__[rsi + rcx * 8 - 8], rax);
        c.mov(__[rdi + rcx * 8 - 8], rax);
        c.dec(ecx);
        c.jnz(next);
    }
}
