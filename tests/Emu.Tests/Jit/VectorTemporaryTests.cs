using Emu.Frontend.Ir;
using Emu.Frontend.X86;
using Emu.Frontend.X86.Lift;
using Emu.Jit.Regions;

namespace Emu.Tests.Jit;

/// <summary>Where memory operands of vector instructions are loaded to.</summary>
public sealed class VectorTemporaryTests
{
    [Fact]
    public void Temporaries_AreVectorRegistersOfTheirOwn()
    {
        Assert.Equal(CpuHeader.VectorTemporary, RegionPlan.VectorOf(X86Lifter.SourceTemporary));
        Assert.False(X86Slots.IsArchitectural(X86Lifter.SourceTemporary));
    }
}
