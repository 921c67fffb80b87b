using Emu.Jit.Regions;
using Emu.Tests.Tcg;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Tests.Jit;

/// <summary>The same of position-independent translations, and pages that are mapped at several places.</summary>
public sealed class RelativeFlowTests : RegionFlowTests
{
    private const ulong Elsewhere = 0x90000;

    /// <inheritdoc/>
    protected override bool IsRelative => true;

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    public void PageMappedTwice_CodeIsTranslatedOnce_AndSeesItsOwnAddress(int threshold)
    {
        using var rig = new FlowRig(threshold, isRelative: true);
        rig.Bench.Map(Elsewhere, Function);
        rig.Bench.Assemble(Function, c =>
        {
            Label here = c.CreateLabel();
            c.lea(rax, __[here]);
            c.Label(ref here);
            c.add(rbx, rax);
            c.ret();
        });
        Trap end = rig.Bench.Run(c => CallBoth(c, Function, Elsewhere));

        Assert.Equal((-1, 1000 * (Function + Elsewhere + 14)), (end.Vector, end.Gpr[3]));
        Assert.True(rig.Bench.Bench.Vcpu.Statistics.BlocksTranslated < 12);
    }

    // Both callers are one block; what they call is not.
    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    public void RegionMappedTwice_SecondPageDiffers_EachPlaceRunsItsOwn(int threshold)
    {
        const ulong Caller = Function - 0x1000;
        using var rig = new FlowRig(threshold, isRelative: true);
        rig.Bench.Map(Elsewhere - 0x1000, Caller);
        rig.Bench.Map(Elsewhere, OtherFunction);
        rig.Bench.Assemble(Caller, c =>
        {
            c.call(Function);
            c.ret();
        });
        Trap end = rig.Bench.Run(c => CallBoth(c, Caller, Elsewhere - 0x1000));

        Assert.Equal((-1, 101_000UL), (end.Vector, end.Gpr[3]));
        rig.AssertSeveralPages();
    }

    // The jump is inside one page of memory, but not inside one page of addresses.
    [Fact]
    public void PageMappedTwiceInARow_JumpIntoTheNext_GoesThere()
    {
        using var rig = new FlowRig(10, isRelative: true);
        rig.Bench.Map(Elsewhere, Function);
        rig.Bench.Map(Elsewhere + 0x1000, Function);
        rig.Bench.Assemble(Function, c =>
        {
            Label here = c.CreateLabel();
            c.lea(rax, __[here]);
            c.Label(ref here);
            c.test(rax, 0x1000);
            c.jz(Function + 0x1000);
            c.add(rbx, rax);
            c.ret();
        });
        Trap end = rig.Bench.Run(c => CallMany(c, 1000, Elsewhere));

        Assert.Equal((-1, 1000 * (Elsewhere + 0x1007)), (end.Vector, end.Gpr[3]));
    }

    private static void CallBoth(Assembler c, ulong one, ulong other)
    {
        Label again = c.CreateLabel();
        c.mov(ecx, 1000);
        c.Label(ref again);
        c.call(one);
        c.call(other);
        c.dec(ecx);
        c.jnz(again);
    }
}
