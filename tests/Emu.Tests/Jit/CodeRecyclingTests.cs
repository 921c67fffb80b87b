using Emu.Accel.Tcg;
using Emu.Core.Cpu;
using Emu.Jit;
using Emu.Jit.Interpreter;
using Emu.Tests.Tcg;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Tests.Jit;

/// <summary>Memory of code that is gone is used again, and nothing leads there that is older.</summary>
public sealed unsafe class CodeRecyclingTests
{
    private const ulong First = 0x70000;
    private const ulong Second = 0x70100;

    [Fact]
    public void Arena_GivesPiecesOfTheSizeThatWasFreed()
    {
        using var arena = new CodeArena(int.MaxValue);
        Op* five = arena.Allocate(5);
        Op* six = arena.Allocate(6);
        arena.Free(five, 5);
        arena.Free(six, 6);

        Assert.True(arena.Allocate(6) == six);
        Assert.True(arena.Allocate(5) == five);
        Assert.True(arena.Allocate(5) > six);
    }

    [Fact]
    public void Arena_Cleared_ForgetsWhatWasFreed()
    {
        using var arena = new CodeArena(int.MaxValue);
        Op* five = arena.Allocate(5);
        arena.Free(five, 5);
        arena.Clear();
        Op* again = arena.Allocate(5);

        Assert.True(arena.Allocate(5) == again + 5);
    }

    // A chain of three blocks in one page, of which the first or the second is patched before each run: links lead from and to what is gone.
    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(7)]
    public void LinkedBlocks_PatchedInTurn_ComputeWhatTheySay(int threshold)
    {
        using var bench = new TrapBench(threshold < 0 ? new TcgOptions { Jit = false } : TierOptions.AtOnce(threshold));
        bench.Assemble(First, c =>
        {
            c.mov(ebx, 0);
            c.jmp(Second);
        });
        bench.Assemble(Second, c =>
        {
            c.add(ebx, 0);
            c.add(rdx, rbx);
            c.test(bl, 1);
            c.jnz(First + 0x200);
            c.ret();
        });
        bench.Assemble(First + 0x200, c =>
        {
            c.inc(r8);
            c.ret();
        });

        Trap trap = bench.Run(c =>
        {
            Label again = c.CreateLabel();
            Label skip = c.CreateLabel();
            c.mov(ecx, 3000);
            c.mov(rsi, First);
            c.Label(ref again);
            c.mov(__dword_ptr[rsi + 1], ecx);
            c.test(ecx, 3);
            c.jnz(skip);
            c.mov(__byte_ptr[rsi + 0x102], cl);
            c.Label(ref skip);
            c.call(First);
            c.dec(ecx);
            c.jnz(again);
        });

        (ulong sum, ulong odd) = Expected(3000);
        Assert.Equal((-1, sum, odd), (trap.Vector, trap.Gpr[2], trap.Gpr[8]));
    }

    private static (ulong Sum, ulong Odd) Expected(uint count)
    {
        (ulong sum, ulong odd, long patch) = (0, 0, 0);
        for (uint n = count; n > 0; n--)
        {
            patch = n % 4 == 0 ? (sbyte)n : patch;
            uint value = (uint)(n + patch);
            sum += value;
            odd += value & 1;
        }

        return (sum, odd);
    }
}
