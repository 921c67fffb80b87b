using Emu.Core.Cpu;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Tests.Tcg;

/// <summary>
/// Handlers end in tail calls. One that does not costs host stack each time it runs, until the vCPU leaves translated code:
/// a loop that runs long enough would end the process. Hence long loops on a small stack.
/// </summary>
public sealed class HandlerStackTests
{
    private const int StackBytes = 256 << 10;
    private const int Iterations = 40_000;

    // The first page behind the RAM: mapped, but no memory, so that every access goes the long way.
    private const ulong NoMemory = 0x20_0000;

    private static readonly Dictionary<string, Action<Assembler>> Bodies = new()
    {
        ["arithmetic"] = c =>
        {
            c.add(rax, rbx);
            c.adc(eax, 5);
            c.sbb(ax, bx);
            c.neg(al);
            c.inc(rdx);
            c.cmp(rax, rdx);
            c.cmovb(rax, rdx);
            c.seto(bl);
        },
        ["multiply"] = c =>
        {
            c.imul(rax, rbx);
            c.seto(dl);
            c.imul(eax, ebx, 7);
            c.mul(rbx);
            c.setc(cl);
            c.imul(rbx);
            c.setc(cl);
            c.mul(bl);
            c.imul(bx);
        },
        ["divide"] = c =>
        {
            c.xor(edx, edx);
            c.mov(esi, 3);
            c.div(rsi);
            c.xor(edx, edx);
            c.mov(eax, 100);
            c.idiv(esi);
        },
        ["shift"] = c =>
        {
            c.shl(rax, 3);
            c.sar(eax, cl);
            c.rol(ax, 5);
            c.rcr(rax, 1);
            c.shld(rax, rbx, 7);
            c.shrd(eax, ebx, cl);
        },
        ["bits"] = c =>
        {
            c.bsf(rax, rbx);
            c.bsr(eax, ebx);
            c.bts(rax, rbx);
            c.popcnt(rax, rbx);
            c.bswap(rax);
            c.xchg(rax, rbx);
        },
        ["ram"] = c =>
        {
            c.mov(__qword_ptr[0x3000], rax);
            c.movsx(rax, __byte_ptr[0x3001]);
            c.movzx(eax, __word_ptr[0x3ffe]);
            c.mov(rax, __qword_ptr[0x3ffd]);
            c.mov(__dword_ptr[0x3ffe], eax);
            c.add(__dword_ptr[0x3010], eax);
            c.movsx(rax, __word_ptr[0x3fff]);
            c.push(rax);
            c.pop(rax);
        },
        ["devices"] = c =>
        {
            c.mov(rsi, NoMemory);
            c.mov(rax, __qword_ptr[rsi]);
            c.movsx(eax, __byte_ptr[rsi + 1]);
            c.mov(__byte_ptr[rsi], al);
            c.add(__dword_ptr[rsi + 8], eax);
            c.xchg(__dword_ptr[rsi], eax);
        },
        ["locked"] = c =>
        {
            c.@lock.add(__dword_ptr[0x3000], eax);
            c.@lock.xadd(__qword_ptr[0x3008], rax);
            c.@lock.cmpxchg(__dword_ptr[0x3000], ebx);
        },
        ["vector"] = c =>
        {
            c.movups(xmm0, __xmmword_ptr[0x3003]);
            c.paddd(xmm0, xmm1);
            c.mulpd(xmm0, xmm1);
            c.movups(__xmmword_ptr[0x3ff8], xmm0);
            c.movups(xmm2, __xmmword_ptr[0x3ff8]);
            c.mov(rsi, NoMemory);
            c.movups(xmm0, __xmmword_ptr[rsi]);
            c.movups(__xmmword_ptr[rsi], xmm0);
            c.movd(eax, xmm0);
            c.pmovmskb(eax, xmm0);
        },
        ["x87"] = c =>
        {
            c.fld1();
            c.fldpi();
            c.faddp(st1, st0);
            c.fstp(__qword_ptr[0x3000]);
        },
        ["jumps"] = c =>
        {
            Label routine = c.CreateLabel();
            Label over = c.CreateLabel();
            Label indirect = c.CreateLabel();
            c.jmp(over);
            c.Label(ref routine);
            c.ret();
            c.Label(ref over);
            c.call(routine);
            c.lea(rax, __[indirect]);
            c.jmp(rax);
            c.Label(ref indirect);
            c.test(eax, eax);
        },
    };

    public static TheoryData<string> Names() => [.. Bodies.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Loop_Long_NeedsNoStack(string name)
    {
        using var bench = new TcgBench();
        X86State state = bench.LongModeState();
        bench.Ram.WriteValue(0x102008, NoMemory | 0x87, 8);
        bench.Load(64, c =>
        {
            Label loop = c.CreateLabel();
            c.mov(ebp, Iterations);
            c.Label(ref loop);
            Bodies[name](c);
            c.dec(ebp);
            c.jne(loop);
        });

        X86State? end = null;
        var thread = new Thread(() => end = bench.Run(state), StackBytes);
        thread.Start();
        thread.Join();

        Assert.NotNull(bench.ExitCode);
        Assert.Equal(0UL, end!.Gpr[5]);
    }
}
