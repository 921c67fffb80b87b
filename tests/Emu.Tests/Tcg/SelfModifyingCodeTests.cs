using Emu.Accel.Tcg;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Tests.Tcg;

/// <summary>Code that changes under the translations of it: by the CPU, by a device, by the page tables.</summary>
public class SelfModifyingCodeTests
{
    /// <summary>The tiers that the code runs in.</summary>
    protected virtual TcgOptions Options => TierOptions.Default;

    // mov eax, 1 with its immediate at +1.
    private const ulong Function = 0x70000;

    [Theory]
    [InlineData("mov")]
    [InlineData("xchg")]
    [InlineData("lock add")]
    [InlineData("add")]
    [InlineData("cmpxchg8b")]
    [InlineData("movups")]
    [InlineData("rep stosb")]
    [InlineData("stosb")]
    [InlineData("push")]
    public void WriteToTheNextInstruction_IsSeen(string by)
    {
        using var bench = new TrapBench(Options);
        Label target = default;
        ulong patched = 0;
        byte[] code = bench.Assemble(TrapBench.Code, c =>
        {
            target = c.CreateLabel();
            c.mov(ecx, 1);
            Patch(c, by);
            c.Label(ref target);
            c.mov(ebx, 1);
            c.mov(eax, 0); // room for wide writes
            c.mov(eax, 0);
            c.mov(eax, 0);
            c.@out(0xf4, al);
        });
        patched = TrapBench.Code + (uint)code.AsSpan().IndexOf((byte[])[0xbb, 1, 0, 0, 0]);

        Trap trap = bench.Run(gpr => (gpr[0], gpr[7]) = (7, patched + 1));

        Assert.Equal((-1, 7UL), (trap.Vector, trap.Gpr[3] & 0xff));
    }

    private static void Patch(Assembler c, string by)
    {
        switch (by)
        {
            case "mov": c.mov(__byte_ptr[rdi], 7); break;
            case "xchg": c.xchg(__byte_ptr[rdi], al); break;
            case "add": c.add(__byte_ptr[rdi], 6); break;
            case "lock add": c.@lock.add(__byte_ptr[rdi], 6); break;
            case "rep stosb": c.rep.stosb(); break;
            case "stosb": c.stosb(); break;
            case "cmpxchg8b":
                c.mov(eax, __[rdi]);
                c.mov(edx, __[rdi + 4]);
                c.mov(ebx, 7);
                c.mov(ecx, edx);
                c.cmpxchg8b(__qword_ptr[rdi]);
                break;
            case "movups":
                c.movups(xmm0, __xmmword_ptr[rdi]);
                c.mov(edx, 7);
                c.pinsrb(xmm0, edx, 0);
                c.movups(__xmmword_ptr[rdi], xmm0);
                break;
            case "push":
                c.mov(rdx, __[rdi]);
                c.mov(dl, 7);
                c.lea(rsp, __[rdi + 8]);
                c.push(rdx);
                break;
        }
    }

    [Fact]
    public void FunctionPatchedBetweenCalls_ReturnsTheNewValue()
    {
        using var bench = new TrapBench(Options);
        bench.Assemble(Function, c =>
        {
            c.mov(eax, 1);
            c.ret();
        });

        Trap trap = bench.Run(c =>
        {
            Label again = c.CreateLabel();
            c.mov(ecx, 5);
            c.Label(ref again);
            c.call(Function);
            c.add(ebx, eax);
            c.inc(__dword_ptr[Function + 1]);
            c.dec(ecx);
            c.jnz(again);
        });

        Assert.Equal((-1, 15UL), (trap.Vector, trap.Gpr[3]));
    }

    [Fact]
    public void WriteAcrossPagesIntoCode_IsSeen()
    {
        using var bench = new TrapBench(Options);
        bench.Assemble(Function, c =>
        {
            c.mov(eax, 1);
            c.ret();
        });

        Trap trap = bench.Run(c =>
        {
            c.call(Function);
            c.mov(rdx, __[Function - 6]);
            c.bts(rdx, 57); // immediate: 1 becomes 3
            c.mov(__[Function - 6], rdx);
            c.call(Function);
        });

        Assert.Equal((-1, 3UL), (trap.Vector, trap.Gpr[0]));
    }

    [Fact]
    public void InstructionAcrossPages_SecondPagePatched_IsSeen()
    {
        using var bench = new TrapBench(Options);
        bench.Assemble(Function - 2, c =>
        {
            c.mov(eax, 0x00010101);
            c.ret();
        });

        Trap trap = bench.Run(c =>
        {
            c.call(Function - 2);
            c.mov(ebx, eax);
            c.mov(__byte_ptr[Function], 9);
            c.call(Function - 2);
        });

        Assert.Equal((-1, 0x10101UL, 0x10901UL), (trap.Vector, trap.Gpr[3], trap.Gpr[0]));
    }

    [Fact]
    public void CodeWrittenByDevice_IsSeen()
    {
        using var bench = new TrapBench(Options);
        bench.Assemble(Function, c =>
        {
            c.mov(ebx, 1);
            c.ret();
        });
        Trap first = bench.Run(c =>
        {
            Label again = c.CreateLabel();
            c.Label(ref again);
            c.call(Function);
            c.@out(0xf4, al);
            c.jmp(again);
        });
        bench.Bench.Memory.Write(Function + 1, [2]);
        Trap second = bench.Resume();
        bench.Bench.Memory.Write(Function + 1, 3, 1);
        Trap third = bench.Resume();

        Assert.Equal((1UL, 2UL, 3UL), (first.Gpr[3], second.Gpr[3], third.Gpr[3]));
    }

    [Fact]
    public void AddressSpaceSwitch_SameLinearAddress_RunsTheOtherCode()
    {
        using var bench = new TrapBench(Options);
        WriteTwoFunctions(bench);

        // A second set of tables, which differs in one page.
        foreach ((ulong from, ulong to) in (ReadOnlySpan<(ulong, ulong)>)[(0x100000, 0x110000), (0x101000, 0x111000), (0x102000, 0x112000), (0x103000, 0x113000)])
        {
            bench.Bench.Ram.Write(to, bench.Bench.Ram.Slice(from, 0x1000).ToArray());
        }

        bench.Write(0x110000, 0x111007);
        bench.Write(0x111000, 0x112007);
        bench.Write(0x112000, 0x113007);
        bench.Write(0x113000 + (Function >> 12 << 3), 0x80007);

        Trap trap = bench.Run(c =>
        {
            Label again = c.CreateLabel();
            c.mov(ecx, 4);
            c.Label(ref again);
            c.call(Function);
            c.shl(rbx, 8);
            c.add(rbx, rax);
            c.mov(rdx, cr3);
            c.xor(rdx, 0x10000);
            c.mov(cr3, rdx);
            c.dec(ecx);
            c.jnz(again);
        });

        Assert.Equal((-1, 0x01020102UL), (trap.Vector, trap.Gpr[3]));
    }

    [Fact]
    public void RemapAndInvlpg_RunsTheOtherCode()
    {
        using var bench = new TrapBench(Options);
        WriteTwoFunctions(bench);

        Trap trap = bench.Run(c =>
        {
            Label again = c.CreateLabel();
            c.mov(ecx, 4);
            c.Label(ref again);
            c.call(Function);
            c.shl(rbx, 8);
            c.add(rbx, rax);
            c.xor(__qword_ptr[0x103000 + (Function >> 12 << 3)], (int)(Function ^ 0x80000));
            c.invlpg(__byte_ptr[Function]);
            c.dec(ecx);
            c.jnz(again);
        });

        Assert.Equal((-1, 0x01020102UL), (trap.Vector, trap.Gpr[3]));
    }

    [Fact]
    public void RemapOfData_WithoutInvlpgThenWith_ReadsTheNewPage()
    {
        using var bench = new TrapBench(Options);
        bench.Write(TrapBench.Data, 1);
        bench.Write(0x80000, 2);

        Trap trap = bench.Run(c =>
        {
            c.mov(rbx, __[TrapBench.Data]);
            c.mov(__qword_ptr[0x103000 + (TrapBench.Data >> 9)], 0x80007);
            c.invlpg(__byte_ptr[TrapBench.Data]);
            c.mov(rcx, __[TrapBench.Data]);
        });

        Assert.Equal((-1, 1UL, 2UL), (trap.Vector, trap.Gpr[3], trap.Gpr[1]));
    }

    [Fact]
    public void PageMadeAbsent_FetchFaultsAfterInvlpg()
    {
        using var bench = new TrapBench(Options);
        WriteTwoFunctions(bench);

        Trap trap = bench.Run(c =>
        {
            c.call(Function);
            c.mov(__qword_ptr[0x103000 + (Function >> 9)], 0);
            c.invlpg(__byte_ptr[Function]);
            c.call(Function);
        });

        Assert.Equal((14, Function, Function), (trap.Vector, trap.Rip, trap.State.Cr2));
    }

    private static void WriteTwoFunctions(TrapBench bench)
    {
        foreach ((ulong address, int value) in (ReadOnlySpan<(ulong, int)>)[(Function, 1), (0x80000, 2)])
        {
            bench.Assemble(address, c =>
            {
                c.mov(eax, value);
                c.ret();
            });
        }
    }
}
