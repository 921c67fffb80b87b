using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Bench;

/// <summary>Bodies of loops that several benchmarks run; RSI and RDI point to memory, the loop around them counts in a register.</summary>
internal static class HotLoops
{
    /// <summary>Arithmetic on registers: 8 instructions.</summary>
    public static void Integer(Assembler c)
    {
        c.mov(rax, rcx);
        c.imul(rax, rcx);
        c.add(rdx, rax);
        c.shr(rax, 3);
        c.xor(rdx, rax);
        c.lea(rbx, __[rdx + rax * 2 + 5]);
        c.sub(rbx, rcx);
        c.and(ebx, 0xffffff);
    }

    /// <summary>Loads, stores and read-modify-write: 9 instructions.</summary>
    public static void Memory(Assembler c)
    {
        c.mov(rax, __[rsi]);
        c.add(rax, rcx);
        c.mov(__[rsi + 8], rax);
        c.mov(rbx, __[rsi + 8]);
        c.mov(__[rdi], ebx);
        c.movzx(edx, __byte_ptr[rdi]);
        c.add(__qword_ptr[rdi + 16], 1);
        c.push(rax);
        c.pop(rax);
    }

    /// <summary>Compare and branch, taken and not: 6.5 instructions on average.</summary>
    public static void Branch(Assembler c, AssemblerRegister32 counter)
    {
        Label odd = c.CreateLabel();
        Label small = c.CreateLabel();
        c.test(counter, 1);
        c.jz(odd);
        c.add(eax, 1);
        c.Label(ref odd);
        c.cmp(counter, 77);
        c.jb(small);
        c.add(eax, 2);
        c.Label(ref small);
        c.mov(ebx, eax);
    }

    /// <summary>A call and a return: 8 instructions.</summary>
    public static void Call(Assembler c)
    {
        Label function = c.CreateLabel();
        Label end = c.CreateLabel();
        c.call(function);
        c.jmp(end);
        c.Label(ref function);
        c.push(rbx);
        c.mov(rbx, rcx);
        c.add(rax, rbx);
        c.pop(rbx);
        c.ret();
        c.Label(ref end);
        c.mov(rdx, rax);
    }
}
