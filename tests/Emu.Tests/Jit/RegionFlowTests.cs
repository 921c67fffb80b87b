using Emu.Accel.Tcg;
using Emu.Core.Cpu;
using Emu.Jit.Regions;
using Emu.Tests.Tcg;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Tests.Jit;

/// <summary>Calls, returns and jumps of compiled code, over pages that may become other pages.</summary>
public class RegionFlowTests
{
    protected const ulong Function = 0x70000;
    protected const ulong OtherFunction = 0x72000;
    private const ulong PageTable = 0x103000;
    private const ulong Global = 0x100;
    private const ulong Pge = 0x80;
    private const ulong Pcide = 0x20000;

    /// <summary>Program counters are relative to pages.</summary>
    protected virtual bool IsRelative => false;

    [Fact]
    public void RandomFunctions_EndAsInTier0()
    {
        ulong cases = RegionSnippetTests.Cases / 8;
        for (ulong seed = RegionSnippetTests.FirstSeed; seed < RegionSnippetTests.FirstSeed + cases; seed++)
        {
            Trap expected = RunProgram(seed, new TcgOptions { Jit = false, RelativeKernel = IsRelative && seed % 2 == 0 });
            Trap actual = RunProgram(seed, TierOptions.AtOnce((int)(seed % 3) * 4) with { RelativeKernel = IsRelative });
            Assert.Equal(-1, expected.Vector);
            Assert.Equal(expected.Gpr, actual.Gpr);
            Assert.Equal((expected.Vector, expected.State.Rip, expected.State.Rflags), (actual.Vector, actual.State.Rip, actual.State.Rflags));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    public void SecondPageRemapped_ByInvlpg_OtherCodeRuns(int threshold)
    {
        using var rig = new FlowRig(threshold, IsRelative);
        Trap end = rig.Bench.Run(c =>
        {
            CallMany(c);
            c.mov(rax, OtherFunction | 7);
            c.mov(__qword_ptr[PageTable + (Function >> 12 << 3)], rax);
            c.invlpg(__byte_ptr[Function]);
            CallMany(c);
        });

        Assert.Equal((-1, 1000UL + 100_000), (end.Vector, end.Gpr[3]));
        rig.AssertSeveralPages();
    }

    // The same region before and after: its own look at the page must see the change.
    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    public void SecondPageRemapped_RegionThatIsThere_LooksAgain(int threshold)
    {
        using var rig = new FlowRig(threshold, IsRelative);
        Trap end = rig.Bench.Run(c =>
        {
            Label twice = c.CreateLabel();
            c.mov(esi, 2);
            c.Label(ref twice);
            CallMany(c);
            c.mov(rax, OtherFunction | 7);
            c.mov(__qword_ptr[PageTable + (Function >> 12 << 3)], rax);
            c.invlpg(__byte_ptr[Function]);
            c.dec(esi);
            c.jnz(twice);
        });

        Assert.Equal((-1, 1000UL + 100_000), (end.Vector, end.Gpr[3]));
        rig.AssertSeveralPages();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    public void SecondPageRemapped_ByCr3Write_OtherCodeRuns(int threshold)
    {
        using var rig = new FlowRig(threshold, IsRelative);
        Trap end = rig.Bench.Run(c =>
        {
            CallMany(c);
            c.mov(rax, OtherFunction | 7);
            c.mov(__qword_ptr[PageTable + (Function >> 12 << 3)], rax);
            c.mov(rax, cr3);
            c.mov(cr3, rax);
            CallMany(c);
        });

        Assert.Equal((-1, 1000UL + 100_000), (end.Vector, end.Gpr[3]));
        rig.AssertSeveralPages();
    }

    [Fact]
    public void GlobalSecondPage_StaysOverCr3Writes_AndGoesByInvlpg()
    {
        using var rig = new FlowRig(10, IsRelative);
        rig.Bench.Map(Function, Function, 7 | Global);
        Trap end = rig.Bench.RunFrom(rig.Bench.Start() with { Cr4 = 0x620 | Pge }, c =>
        {
            c.mov(rsp, TrapBench.StackTop);
            CallMany(c);
            c.mov(rax, cr3);
            c.mov(cr3, rax);
            CallMany(c);
            c.mov(rax, OtherFunction | 7 | Global);
            c.mov(__qword_ptr[PageTable + (Function >> 12 << 3)], rax);
            c.invlpg(__byte_ptr[Function]);
            CallMany(c);
        });

        Assert.Equal((-1, 2000UL + 100_000), (end.Vector, end.Gpr[3]));
        rig.AssertSeveralPages();
        Assert.Equal(!IsRelative, rig.Regions.Exists(region => region.Pages.Any(page => page.IsGlobal)));
    }

    [Fact]
    public void SecondPage_DiffersByPcid_EachContextRunsItsOwn()
    {
        const ulong OtherTables = 0x110000;
        using var rig = new FlowRig(10, IsRelative);
        TrapBench bench = rig.Bench;
        bench.Write(OtherTables, (OtherTables + 0x1000) | 7);
        bench.Write(OtherTables + 0x1000, (OtherTables + 0x2000) | 7);
        bench.Write(OtherTables + 0x2000, (OtherTables + 0x3000) | 7);
        for (ulong page = 0; page < 512; page++)
        {
            bench.Write(OtherTables + 0x3000 + (page * 8), page == Function >> 12 ? OtherFunction | 7 : (page << 12) | 7);
        }

        Trap end = bench.RunFrom(bench.Start() with { Cr4 = 0x620 | Pcide }, c =>
        {
            Label again = c.CreateLabel();
            c.mov(rsp, TrapBench.StackTop);
            c.mov(r8d, 50);
            c.Label(ref again);
            c.mov(rax, 0x8000_0000_0010_0000);
            c.mov(cr3, rax);
            CallMany(c, 20);
            c.mov(rax, 0x8000_0000_0000_0001 | OtherTables);
            c.mov(cr3, rax);
            CallMany(c, 20);
            c.dec(r8d);
            c.jnz(again);
        });

        Assert.Equal((-1, 50 * 20 * 101UL), (end.Vector, end.Gpr[3]));
        rig.AssertSeveralPages();
    }

    [Fact]
    public void SecondPageWritten_NewCodeRuns()
    {
        using var rig = new FlowRig(10, IsRelative);
        Trap end = rig.Bench.Run(c =>
        {
            CallMany(c);
            c.mov(__byte_ptr[Function + 3], 100);
            CallMany(c);
        });

        Assert.Equal((-1, 1000UL + 100_000), (end.Vector, end.Gpr[3]));
        rig.AssertSeveralPages();
    }

    [Fact]
    public void InstructionAcrossThePageEnd_SecondHalfRemapped_NewBytesRun()
    {
        const ulong Across = Function + 0x1000 - 4;
        using var rig = new FlowRig(10, IsRelative);
        byte[] code = rig.Bench.Assemble(Across, c =>
        {
            c.add(rbx, 0x01000000); // the last three bytes of the immediate lie in the second page
            c.ret();
        });
        byte[] other = [.. code];
        other[6] = 2;
        rig.Bench.Bench.Ram.Write(0x74000, other.AsSpan(4).ToArray());
        Trap end = rig.Bench.Run(c =>
        {
            CallMany(c, 1000, Across);
            c.mov(rax, 0x74000 | 7UL);
            c.mov(__qword_ptr[PageTable + ((Function + 0x1000) >> 12 << 3)], rax);
            c.invlpg(__byte_ptr[Function + 0x1000]);
            CallMany(c, 1000, Across);
        });

        Assert.Equal((-1, 3000UL << 24), (end.Vector, end.Gpr[3]));
        Assert.Contains(rig.Regions, region => region.Pages.Count >= 3);
    }

    [Fact]
    public void SecondPageUnmapped_FaultsThere()
    {
        using var rig = new FlowRig(10, IsRelative);
        Trap end = rig.Bench.Run(c =>
        {
            CallMany(c);
            c.mov(__qword_ptr[PageTable + (Function >> 12 << 3)], 0);
            c.invlpg(__byte_ptr[Function]);
            CallMany(c);
        });

        Assert.Equal((14, Function, Function, 1000UL), (end.Vector, end.Rip, end.State.Cr2, end.Gpr[3]));
        rig.AssertSeveralPages();
    }

    [Fact]
    public void ReturnAddressChangedOnTheStack_ReturnsThere()
    {
        using var rig = new FlowRig(10, IsRelative);
        rig.Bench.Assemble(Function, c =>
        {
            Label even = c.CreateLabel();
            c.test(ecx, 1);
            c.jz(even);
            c.add(__qword_ptr[rsp], 4); // over what follows the call
            c.Label(ref even);
            c.ret();
        });
        Trap end = rig.Bench.Run(c =>
        {
            Label again = c.CreateLabel();
            c.mov(ecx, 1000);
            c.Label(ref again);
            c.call(Function);
            c.add(rbx, 1); // four bytes
            c.dec(ecx);
            c.jnz(again);
        });

        Assert.Equal((-1, 500UL), (end.Vector, end.Gpr[3]));
        rig.AssertSeveralPages();
    }

    [Fact]
    public void ReturnsToMoreCallsThanAreCompared_ReachThemAll()
    {
        using var rig = new FlowRig(10, IsRelative);
        Trap end = rig.Bench.Run(c =>
        {
            Label again = c.CreateLabel();
            c.mov(ecx, 1000);
            c.Label(ref again);
            for (int i = 0; i < 6; i++)
            {
                c.call(Function);
                c.add(rax, 1 << i);
            }

            c.dec(ecx);
            c.jnz(again);
        });

        Assert.Equal((-1, 6000UL, 63_000UL), (end.Vector, end.Gpr[3], end.Gpr[0]));
    }

    protected static void CallMany(Assembler c, int count = 1000, ulong function = Function)
    {
        Label again = c.CreateLabel();
        c.mov(ecx, count);
        c.Label(ref again);
        c.call(function);
        c.dec(ecx);
        c.jnz(again);
    }

    private static Trap RunProgram(ulong seed, TcgOptions options)
    {
        const ulong End = 0x2f000;
        using var bench = new TrapBench(options);
        foreach ((ulong address, byte[] code) in new RegionFlowProgram(seed).Assemble(TrapBench.Code, End))
        {
            bench.Bench.Ram.Write(address, code);
        }

        bench.Assemble(End, c => c.@out(0xf4, al));
        return bench.Run();
    }

    /// <summary>A function that adds 1 to RBX in a page of its own, and one that adds 100 to be mapped there.</summary>
    private protected sealed class FlowRig : IDisposable
    {
        public FlowRig(int threshold, bool isRelative)
        {
            Bench = new TrapBench(TierOptions.AtOnce(threshold) with { CompileRegion = Compile, RelativeKernel = isRelative });
            foreach ((ulong address, int value) in (ReadOnlySpan<(ulong, int)>)[(Function, 1), (OtherFunction, 100)])
            {
                Bench.Assemble(address, c =>
                {
                    c.add(rbx, value);
                    c.ret();
                });
            }
        }

        public TrapBench Bench { get; }

        public List<Region> Regions { get; } = [];

        public void AssertSeveralPages() => Assert.Contains(Regions, region => region.Pages.Count > 1);

        public void Dispose() => Bench.Dispose();

        private CompiledRegion? Compile(Region region)
        {
            Regions.Add(region);
            return RegionCompiler.Compile(region);
        }
    }
}
