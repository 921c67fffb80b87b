using System.Numerics;
using Emu.Frontend.Ir;
using Emu.Jit.Regions;
using Emu.Tests.Tcg;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Tests.Jit;

/// <summary>Which blocks a hot block takes along, and how they are connected.</summary>
public sealed class RegionFormationTests
{
    [Fact]
    public void Diamond_BothSides_EachWithItsWayBack()
    {
        Region region = FirstRegion(c =>
        {
            Label again = c.CreateLabel();
            Label odd = c.CreateLabel();
            Label join = c.CreateLabel();
            c.mov(ecx, 1000);
            c.Label(ref again);
            c.test(ecx, 1);
            c.jnz(odd);
            c.add(eax, 1);
            c.jmp(join);
            c.Label(ref odd);
            c.add(ebx, 1);
            c.Label(ref join);
            c.dec(ecx);
            c.jnz(again);
        });

        Assert.Equal(4, region.Blocks.Length);
        Assert.Equal(9, region.InstructionCount); // the two of the join follow one side, and are a block of their own for the other
        (int From, RegionEdge Edge)[] inside = InnerEdges(region);
        Assert.Equal(5, inside.Length);
        Assert.Equal([0, 0], inside.Where(edge => edge.Edge.IsBackward).Select(edge => edge.Edge.Block));
        AssertWellFormed(region);
    }

    [Fact]
    public void NestedLoops_RegionOfTheOuterOneHoldsBoth()
    {
        using var recorder = new RegionRecorder();
        using var bench = new TcgBench(options: recorder.Options(threshold: 30));
        bench.Run64(c =>
        {
            Label outer = c.CreateLabel();
            Label inner = c.CreateLabel();
            c.mov(ecx, 100);
            c.Label(ref outer);
            c.mov(edx, 5);
            c.Label(ref inner);
            c.add(eax, edx);
            c.dec(edx);
            c.jnz(inner);
            c.dec(ecx);
            c.jnz(outer);
        });

        Region first = recorder.Regions[0];
        AssertWellFormed(first);
        Assert.Equal(3, first.Blocks.Length); // the inner loop, what follows it, and the way back
        Assert.Equal(3, InnerEdges(first).Count(edge => edge.Edge.IsBackward));
    }

    [Fact]
    public void Call_Callee_IsTakenAlong_AndReturnsBehindTheCall()
    {
        using var recorder = new RegionRecorder();
        using var bench = new TcgBench(options: recorder.Options());
        bench.Run64(c =>
        {
            Label again = c.CreateLabel();
            Label function = c.CreateLabel();
            Label end = c.CreateLabel();
            c.mov(ecx, 1000);
            c.Label(ref again);
            c.call(function);
            c.dec(ecx);
            c.jnz(again);
            c.jmp(end);
            c.Label(ref function);
            c.add(eax, 1);
            c.ret();
            c.Label(ref end);
        });

        Region region = recorder.Regions.First(region => region.Blocks.Any(block => block.Ops[^1].JumpKind == IrJumpKind.Call));
        RegionBlock callee = Assert.Single(region.Blocks, block => block.Ops[^1].Opcode == IrOpcode.JumpIndirect);
        RegionEdge back = Assert.Single(callee.Edges);
        RegionBlock caller = Assert.Single(region.Blocks, block => block.Ops[^1].JumpKind == IrJumpKind.Call);
        Assert.Equal(caller.Pc + 5, region.Blocks[back.Block].Pc);
        AssertWellFormed(region);
    }

    [Fact]
    public void FunctionInAnotherPage_ReturnsToBothCalls()
    {
        const ulong Far = 0x70000;
        using var recorder = new RegionRecorder();
        using var bench = new TrapBench(recorder.Options(threshold: 50));
        bench.Assemble(Far, c => c.ret());
        Trap trap = bench.Run(c =>
        {
            Label again = c.CreateLabel();
            c.mov(ecx, 1000);
            c.Label(ref again);
            c.call(Far);
            c.add(eax, 1);
            c.call(Far);
            c.add(eax, 1);
            c.dec(ecx);
            c.jnz(again);
        });

        Assert.Equal((-1, 2000UL), (trap.Vector, trap.Gpr[0]));
        Region first = recorder.Regions.First(region => region.Blocks.Length == 4); // the loop's start, the function, and behind each call
        RegionBlock function = Assert.Single(first.Blocks, block => block.Pc == Far);
        Assert.Equal(2, function.Edges.Length);
        Assert.Equal(2, first.Pages.Count);
        Assert.All(recorder.Regions, AssertWellFormed);
    }

    [Fact]
    public void BlockInsideARegion_HotByItself_BecomesAnEntry_WithTheOldOnes()
    {
        // The stand-in for the compiler runs only the entry's head, so the other blocks of the loop go on counting.
        using var recorder = new RegionRecorder();
        using var bench = new TcgBench(options: recorder.Options(threshold: 50));
        bench.Run64(c =>
        {
            Label again = c.CreateLabel();
            Label next = c.CreateLabel();
            c.mov(ecx, 1000);
            c.Label(ref again);
            c.add(eax, 1);
            c.jmp(next);
            c.Label(ref next);
            c.dec(ecx);
            c.jnz(again);
        });

        Assert.Equal([1, 2], recorder.Regions.Select(region => region.Entries.Length));
        Assert.All(recorder.Regions, AssertWellFormed);
        Assert.Equal((2UL, 0UL), (bench.Vcpu.Statistics.RegionsCompiled, bench.Vcpu.Statistics.RegionsDropped));
    }

    [Fact]
    public void TargetInAnotherPage_IsInTheRegion()
    {
        using var recorder = new RegionRecorder();
        using var bench = new TcgBench(options: recorder.Options());
        bench.Run64(c =>
        {
            Label again = c.CreateLabel();
            Label far = c.CreateLabel();
            Label end = c.CreateLabel();
            c.mov(ecx, 1000);
            c.Label(ref again);
            c.jmp(far);
            c.nop(0x1000);
            c.Label(ref far);
            c.dec(ecx);
            c.jz(end);
            c.jmp(again);
            c.Label(ref end);
        });

        Region first = recorder.Regions[0];
        Assert.Equal(2, first.Blocks.Select(block => block.Pc >> 12).Distinct().Count());
        Assert.Equal(2, first.Pages.Count);
        Assert.All(recorder.Regions, AssertWellFormed);
    }

    [Fact]
    public void ColdSide_StaysOut()
    {
        Region region = FirstRegion(c =>
        {
            Label again = c.CreateLabel();
            Label rare = c.CreateLabel();
            Label next = c.CreateLabel();
            c.mov(ecx, 1000);
            c.Label(ref again);
            c.cmp(ecx, 1000);
            c.je(rare);
            c.Label(ref next);
            c.dec(ecx);
            c.jnz(again);
            c.@out(0xf4, al);
            c.Label(ref rare);
            c.mov(eax, 1);
            c.jmp(next);
        }, threshold: 100);

        Assert.Equal(2, region.Blocks.Length);
    }

    [Fact]
    public void RegionSize_BoundsTheRegion()
    {
        using var recorder = new RegionRecorder();
        using var bench = new TcgBench(options: recorder.Options() with { RegionSize = 5 });
        bench.Run64(c =>
        {
            Label again = c.CreateLabel();
            c.mov(ecx, 1000);
            c.Label(ref again);
            for (int i = 0; i < 6; i++)
            {
                Label next = c.CreateLabel();
                c.add(eax, 1);
                c.jmp(next);
                c.Label(ref next);
            }

            c.dec(ecx);
            c.jnz(again);
        });

        Assert.NotEmpty(recorder.Regions);
        Assert.All(recorder.Regions, region => Assert.InRange(region.InstructionCount, 1, 5));
    }

    [Fact]
    public void HelperBeforeAnEdge_MakesItLookForRequests()
    {
        Region region = FirstRegion(c =>
        {
            Label again = c.CreateLabel();
            Label next = c.CreateLabel();
            c.mov(esi, 1000);
            c.mov(edi, 0x20000);
            c.Label(ref again);
            c.mov(ecx, 1);
            c.rep.stosb();
            c.jmp(next);
            c.Label(ref next);
            c.dec(esi);
            c.jnz(again);
        });

        RegionBlock block = Assert.Single(region.Blocks, block => block.Ops.Any(op => op.Opcode == IrOpcode.Call));
        Assert.All(block.Edges.Where(edge => edge.Block >= 0), edge => Assert.True(edge.IsBackward));
    }

    [Theory]
    [InlineData("shift", 0)]
    [InlineData("mul", 2)]
    public void ExcludedFamily_BlocksWithItStayOut(string excluded, int blocks)
    {
        using var recorder = new RegionRecorder();
        using var bench = new TcgBench(options: recorder.Options() with { JitOff = [excluded] });
        bench.Run64(c =>
        {
            Label again = c.CreateLabel();
            Label odd = c.CreateLabel();
            c.mov(ecx, 1000);
            c.Label(ref again);
            c.shl(eax, 3);
            c.test(ecx, 1);
            c.jnz(odd);
            c.imul(ebx, ecx);
            c.Label(ref odd);
            c.shr(edx, 3);
            c.dec(ecx);
            c.jnz(again);
        });

        Assert.Equal(blocks, recorder.Regions.Count == 0 ? 0 : recorder.Regions[0].Blocks.Length);
        Assert.All(recorder.Regions.SelectMany(region => region.Blocks).SelectMany(block => block.Ops), op => Assert.Equal(OpFamilies.None, OpFamily.Names[excluded] & OpFamily.Of(op)));
    }

    [Theory]
    [InlineData("float", true)]
    [InlineData("vector", false)]
    public void ExcludedFloats_IntegersOnVectorsAreCompiled(string excluded, bool integersAreCompiled)
    {
        using var recorder = new RegionRecorder();
        using var bench = new TcgBench(options: recorder.Options() with { JitOff = [excluded] });
        bench.Run64(c =>
        {
            Label integers = c.CreateLabel();
            Label floats = c.CreateLabel();
            c.mov(ecx, 100);
            c.Label(ref integers);
            c.paddd(xmm0, xmm1);
            c.dec(ecx);
            c.jnz(integers);
            c.mov(ecx, 100);
            c.Label(ref floats);
            c.mulsd(xmm2, xmm3);
            c.dec(ecx);
            c.jnz(floats);
        });

        Assert.Equal(integersAreCompiled ? 1 : 0, recorder.Regions.Count);
    }

    [Fact]
    public void IndirectJump_IsFollowedToWhereItWent()
    {
        Region region = FirstRegion(c =>
        {
            Label again = c.CreateLabel();
            Label even = c.CreateLabel();
            Label odd = c.CreateLabel();
            c.mov(ecx, 1000);
            c.Label(ref again);
            c.lea(rax, __[even]);
            c.lea(rdx, __[odd]);
            c.test(ecx, 1);
            c.cmovnz(rax, rdx);
            c.jmp(rax);
            c.nop();
            c.Label(ref even);
            c.dec(ecx);
            c.jnz(again);
            c.@out(0xf4, al);
            c.Label(ref odd);
            c.dec(ecx);
            c.jmp(again);
        }, threshold: 50);

        RegionBlock dispatch = Assert.Single(region.Blocks, block => block.Ops[^1].Opcode == IrOpcode.JumpIndirect);
        Assert.Equal(2, dispatch.Edges.Count(edge => edge.Block >= 0));
        Assert.NotEqual(0, dispatch.History);
        AssertWellFormed(region);
    }

    // From outside nothing is known of the flags, inside they are those of the comparison before.
    [Fact]
    public void EntryThatReadsTheFlagsFirst_IsThereTwice()
    {
        using var recorder = new RegionRecorder();
        using var bench = new TcgBench(options: recorder.Options(threshold: 50));
        bench.Run64(c =>
        {
            Label again = c.CreateLabel();
            Label middle = c.CreateLabel();
            Label low = c.CreateLabel();
            c.mov(ecx, 1000);
            c.cmp(ecx, 7);
            c.lea(rax, __[middle]);
            c.jmp(rax);
            c.nop();
            c.Label(ref again);
            c.cmp(ecx, 500);
            c.je(low);
            c.Label(ref middle);
            c.jb(low);
            c.inc(eax);
            c.Label(ref low);
            c.sub(ecx, 1);
            c.jnz(again);
            c.hlt();
        });

        Region region = recorder.Regions.First(region => region.Entries.Any(number => ReadsFlagsFirst(region.Blocks[number])));
        int entry = region.Entries.First(number => ReadsFlagsFirst(region.Blocks[number]));
        RegionBlock[] same = [.. region.Blocks.Where(block => block.Pc == region.Blocks[entry].Pc)];
        Assert.Equal(2, same.Length);
        Assert.DoesNotContain(InnerEdges(region), edge => edge.Edge.Block == entry);
        AssertWellFormed(region);
    }

    private static bool ReadsFlagsFirst(RegionBlock block) => block.Ops[0].ReadsFlags;

    private static Region FirstRegion(Action<Assembler> code, int threshold = 10)
    {
        using var recorder = new RegionRecorder();
        using var bench = new TcgBench(options: recorder.Options(threshold));
        bench.Run64(code);
        return recorder.Regions[0];
    }

    private static (int From, RegionEdge Edge)[] InnerEdges(Region region) =>
        [.. region.Blocks.SelectMany((block, number) => block.Edges.Where(edge => edge.Block >= 0).Select(edge => (number, edge)))];

    // What the compiler relies on.
    private static void AssertWellFormed(Region region)
    {
        foreach (RegionBlock block in region.Blocks)
        {
            Assert.DoesNotContain(block.Ops, op => op.Opcode == IrOpcode.Nop);
            Assert.Equal(0, block.Instructions[0]);
            Assert.True(block.Instructions.Zip(block.Instructions.Skip(1)).All(pair => pair.First <= pair.Second));
            int[] jumps = [.. block.Ops.Index().Where(op => op.Item.Opcode is >= IrOpcode.Jump and <= IrOpcode.TestJump).Select(op => op.Index)];
            Assert.Equal(jumps, block.Edges.Where(edge => block.Ops[edge.Op].Opcode != IrOpcode.JumpIndirect).Select(edge => edge.Op));
            foreach (RegionEdge edge in block.Edges.Where(edge => edge.Block >= 0 && block.Ops[edge.Op].Opcode != IrOpcode.JumpIndirect))
            {
                Assert.Equal(region.Blocks[edge.Block].Pc, IrBlock.JumpTarget(block.Pc, region.PcMask, block.Ops[edge.Op].Imm));
            }
        }

        Assert.All(region.Blocks, block => Assert.InRange(BitOperations.PopCount(block.Pages), 1, 2));
        Assert.All(region.Blocks, block => Assert.True(block.Pages < 1U << region.Pages.Count));
        Assert.False(HasUnmarkedCycle(region), RegionDump.Format(region));
    }

    // Without the backward edges the blocks can be put in order.
    private static bool HasUnmarkedCycle(Region region)
    {
        var left = Enumerable.Range(0, region.Blocks.Length).ToHashSet();
        while (left.RemoveWhere(number => !region.Blocks[number].Edges.Any(edge => !edge.IsBackward && left.Contains(edge.Block))) > 0)
        {
        }

        return left.Count != 0;
    }
}
