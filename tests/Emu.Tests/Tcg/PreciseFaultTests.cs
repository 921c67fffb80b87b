using Emu.Accel.Tcg;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Tests.Tcg;

/// <summary>Faults in the middle of a block: everything before is committed, nothing of the faulting instruction is, RIP is exact.</summary>
public class PreciseFaultTests
{
    /// <summary>The tiers that the code runs in.</summary>
    protected virtual TcgOptions Options => TierOptions.Default;

    private const ulong Carry = 1;
    private const ulong Zero = 0x40;

    [Fact]
    public void DivideByZero_MidBlock_CommitsWhatCameBefore()
    {
        using var bench = new TrapBench(Options);

        Trap trap = bench.Run(c =>
        {
            c.mov(eax, 5);
            c.mov(ebx, 7);
            c.xor(ecx, ecx);
            c.mov(edx, 1);
            c.div(ecx);
            c.mov(ebx, 8);
        });

        Assert.Equal((0, TrapBench.Code + 17), (trap.Vector, trap.Rip));
        Assert.Equal((5UL, 7UL, 1UL), (trap.Gpr[0], trap.Gpr[3], trap.Gpr[2]));
        Assert.Equal(Zero, trap.Rflags & (Zero | Carry));
    }

    [Fact]
    public void Ud2_AfterCompareWithDeadFlags_ShowsThem()
    {
        using var bench = new TrapBench(Options);

        Trap trap = bench.Run(c =>
        {
            c.stc();
            c.cmp(eax, eax);
            c.ud2();
            c.add(eax, 1);
        });

        Assert.Equal((6, TrapBench.Code + 3), (trap.Vector, trap.Rip));
        Assert.Equal(Zero, trap.Rflags & (Zero | Carry));
    }

    [Fact]
    public void NonCanonicalLoad_GeneralProtection()
    {
        using var bench = new TrapBench(Options);

        Trap trap = bench.Run(c =>
        {
            c.mov(ebx, 3);
            c.mov(rbx, __[rax]);
        }, gpr => gpr[0] = 0x8000_0000_0000_0000);

        Assert.Equal((13, 0UL, TrapBench.Code + 5, 3UL), (trap.Vector, trap.Error, trap.Rip, trap.Gpr[3]));
    }

    [Fact]
    public void LoadFromAbsentPage_PageFaultWithAddressAndCode()
    {
        using var bench = new TrapBench(Options);

        Trap trap = bench.Run(c =>
        {
            c.mov(ebx, 3);
            c.add(rbx, __[TrapBench.Absent + 0x123]);
        });

        Assert.Equal((14, 0UL, TrapBench.Code + 5, 3UL), (trap.Vector, trap.Error, trap.Rip, trap.Gpr[3]));
        Assert.Equal(TrapBench.Absent + 0x123, trap.State.Cr2);
    }

    public static TheoryData<string, byte[]> ReadModifyWrites() => new()
    {
        { "add [rdi], eax", [0x01, 0x07] },
        { "adc byte [rdi], 1", [0x80, 0x17, 0x01] },
        { "lock xadd [rdi], rax", [0xf0, 0x48, 0x0f, 0xc1, 0x07] },
        { "xadd [rdi], rax", [0x48, 0x0f, 0xc1, 0x07] },
        { "cmpxchg [rdi], ecx", [0x0f, 0xb1, 0x0f] },
        { "cmpxchg8b [rdi]", [0x0f, 0xc7, 0x0f] },
        { "cmpxchg16b [rdi]", [0x48, 0x0f, 0xc7, 0x0f] },
        { "xchg [rdi], eax", [0x87, 0x07] },
        { "inc word [rdi]", [0x66, 0xff, 0x07] },
        { "lock neg dword [rdi]", [0xf0, 0xf7, 0x1f] },
        { "not qword [rdi]", [0x48, 0xf7, 0x17] },
        { "shl dword [rdi], cl", [0xd3, 0x27] },
        { "rol byte [rdi], 3", [0xc0, 0x07, 0x03] },
        { "rcr dword [rdi], 1", [0xd1, 0x1f] },
        { "shld [rdi], eax, 5", [0x0f, 0xa4, 0x07, 0x05] },
        { "bts dword [rdi], 5", [0x0f, 0xba, 0x2f, 0x05] },
        { "lock btr dword [rdi], 3", [0xf0, 0x0f, 0xba, 0x37, 0x03] },
        { "setc [rdi]", [0x0f, 0x92, 0x07] },
        { "mov [rdi], eax", [0x89, 0x07] },
        { "stosd", [0xab] },
        { "rep stosb", [0xf3, 0xaa] },
        { "pop [rdi]", [0x8f, 0x07] },
        { "movaps [rdi], xmm0", [0x0f, 0x29, 0x07] },
        { "fistp dword [rdi]", [0xdb, 0x1f] },
        { "fstp tword [rdi]", [0xdb, 0x3f] },
    };

    [Theory]
    [MemberData(nameof(ReadModifyWrites))]
    public void WriteToReadOnlyPage_LeavesFlagsRegistersAndMemory(string text, byte[] instruction)
    {
        using var bench = new TrapBench(Options);
        for (ulong i = 0; i < 32; i += 8)
        {
            bench.Write(TrapBench.ReadOnly + i, 0x1122334455667788UL);
        }

        Trap trap = bench.Run([0xf9, .. instruction], gpr => (gpr[0], gpr[1], gpr[2], gpr[3], gpr[7]) = (0x55667788, 4, 0x11223344, 9, TrapBench.ReadOnly));

        Assert.True(trap.Vector == 14, text);
        Assert.Equal((3UL, TrapBench.Code + 1, TrapBench.ReadOnly), (trap.Error, trap.Rip, trap.State.Cr2));
        Assert.Equal((0x55667788UL, 4UL, 0x11223344UL, TrapBench.ReadOnly, TrapBench.StackTop), (trap.Gpr[0], trap.Gpr[1], trap.Gpr[2], trap.Gpr[7], trap.Rsp));
        Assert.Equal(Carry, trap.Rflags & 0x8d5);
        Assert.Equal(0x1122334455667788UL, bench.Read(TrapBench.ReadOnly));
        Assert.Equal(0x3800, ((trap.State.Xsave[3] << 8) & 0x3800) ^ 0x3800); // x87 TOP still 0
    }

    public static TheoryData<string, byte[]> Pushes() => new()
    {
        { "push rax", [0x50] },
        { "push imm8", [0x6a, 0x01] },
        { "push [rdi]", [0xff, 0x37] },
        { "pushfq", [0x9c] },
        { "call next", [0xe8, 0, 0, 0, 0] },
        { "call rax", [0xff, 0xd0] },
        { "enter 16, 0", [0xc8, 16, 0, 0] },
        { "push fs", [0x0f, 0xa0] },
    };

    [Theory]
    [MemberData(nameof(Pushes))]
    public void PushToAbsentStack_LeavesStackPointer(string text, byte[] instruction)
    {
        using var bench = new TrapBench(Options);
        ulong top = TrapBench.Absent + 0x1000;

        Trap trap = bench.Run([0xf9, .. instruction], gpr => (gpr[4], gpr[5], gpr[7]) = (top, 77, TrapBench.Data));

        Assert.True(trap.Vector == 14, text);
        Assert.Equal((top, 77UL, TrapBench.Code + 1, 2UL), (trap.Rsp, trap.Gpr[5], trap.Rip, trap.Error));
        Assert.Equal(top - 8, trap.State.Cr2);
    }

    [Fact]
    public void StoreAcrossIntoReadOnlyPage_WritesNothing()
    {
        using var bench = new TrapBench(Options);
        bench.Map(TrapBench.Data + 0x1000, TrapBench.ReadOnly, 5);

        Trap trap = bench.Run(c => c.mov(__[TrapBench.Data + 0xffc], rax), gpr => gpr[0] = ulong.MaxValue);

        Assert.Equal((14, 3UL, TrapBench.Data + 0x1000), (trap.Vector, trap.Error, trap.State.Cr2));
        Assert.Equal(0UL, bench.Read(TrapBench.Data + 0xff8));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    public void AccessAcrossPages_UsesBothMappings(int inFirst)
    {
        using var bench = new TrapBench(Options);
        bench.Map(TrapBench.Data + 0x1000, 0x70000);
        bench.Write(TrapBench.Data + 0xff0, 0x1111111111111111);
        bench.Write(TrapBench.Data + 0xff8, 0x1111111111111111);
        bench.Write(0x70000, 0x2222222222222222);
        ulong address = TrapBench.Data + 0x1000 - (uint)inFirst;

        Trap trap = bench.Run(c =>
        {
            c.mov(rbx, __[rdi]);
            c.mov(__[rdi], rax);
            c.mov(rcx, __[rdi]);
            c.movups(xmm0, __xmmword_ptr[rdi - 3]);
            c.movq(rdx, xmm0);
        }, gpr => (gpr[0], gpr[7]) = (0x8877665544332211, address));

        Assert.Equal(-1, trap.Vector);
        ulong old = (0x1111111111111111UL >> (64 - (8 * inFirst))) | (0x2222222222222222UL << (8 * inFirst));
        Assert.Equal((old, 0x8877665544332211UL, 0x5544332211111111UL), (trap.Gpr[3], trap.Gpr[1], trap.Gpr[2]));
        Assert.Equal(0x2222222222222222UL & (ulong.MaxValue << (64 - (8 * inFirst))), bench.Read(0x70000) & (ulong.MaxValue << (64 - (8 * inFirst))));
        Assert.Equal(0x8877665544332211UL >> (8 * inFirst), bench.Read(0x70000) & (ulong.MaxValue >> (8 * inFirst)));
    }

    [Fact]
    public void InstructionAcrossIntoAbsentPage_FaultsThereAfterTheOthersRan()
    {
        using var bench = new TrapBench(Options);
        bench.Assemble(TrapBench.Absent - 6, c =>
        {
            c.inc(ebx);
            c.mov(eax, 0x12345678); // five bytes, the last in the absent page
            c.nop();
        });
        bench.Map(TrapBench.Absent, 0, 0);

        Trap trap = bench.Run(c =>
        {
            c.mov(ebx, 1);
            c.jmp(TrapBench.Absent - 6);
        });

        Assert.Equal((14, TrapBench.Absent - 4, TrapBench.Absent), (trap.Vector, trap.Rip, trap.State.Cr2));
        Assert.Equal((2UL, 0UL), (trap.Gpr[3], trap.Gpr[0]));
    }

    public static TheoryData<string, byte[]> IllegalLocks() => new()
    {
        { "lock add eax, ebx", [0xf0, 0x01, 0xd8] },
        { "lock mov [rdi], eax", [0xf0, 0x89, 0x07] },
        { "lock cmp [rdi], eax", [0xf0, 0x39, 0x07] },
        { "lock test [rdi], eax", [0xf0, 0x85, 0x07] },
        { "lock nop", [0xf0, 0x90] },
        { "lock bt dword [rdi], 1", [0xf0, 0x0f, 0xba, 0x27, 0x01] },
        { "lock add eax, [rdi]", [0xf0, 0x03, 0x07] },
        { "lock xchg eax, ebx", [0xf0, 0x87, 0xd8] },
        { "lock shl dword [rdi], 1", [0xf0, 0xd1, 0x27] },
        { "lock mul dword [rdi]", [0xf0, 0xf7, 0x27] },
        { "lock stosd", [0xf0, 0xab] },
        { "lock cmpxchg8b with register", [0xf0, 0x0f, 0xc7, 0xc8] },
    };

    [Theory]
    [MemberData(nameof(IllegalLocks))]
    public void LockOnIllegalForm_InvalidOpcode(string text, byte[] instruction)
    {
        using var bench = new TrapBench(Options);

        Trap trap = bench.Run(instruction, gpr => gpr[7] = TrapBench.Data);

        Assert.True(trap.Vector == 6 && trap.Rip == TrapBench.Code, text);
    }

    [Fact]
    public void FifteenBytes_AreLegal_SixteenAreNot()
    {
        using var bench = new TrapBench(Options);
        byte[] prefixes = [.. Enumerable.Repeat((byte)0x66, 14)];

        Trap fits = bench.Run([.. prefixes, 0x90]);
        Trap tooLong = bench.Run([0x66, .. prefixes, 0x90]);

        Assert.Equal(-1, fits.Vector);
        Assert.Equal((13, 0UL, TrapBench.Code), (tooLong.Vector, tooLong.Error, tooLong.Rip));
    }
}
