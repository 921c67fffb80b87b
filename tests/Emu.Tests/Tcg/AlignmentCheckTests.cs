using Emu.Core.Cpu;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Tests.Tcg;

/// <summary>#AC: CPL 3 with CR0.AM and RFLAGS.AC (SDM vol. 3, 6.15, interrupt 17).</summary>
public sealed class AlignmentCheckTests
{
    private const ulong AlignmentCheckFlag = 1 << 18;
    private const ulong AlignmentMask = 1 << 18;

    [Theory]
    [InlineData(TrapBench.Data + 1, 17)]
    [InlineData(TrapBench.Data + 4, -1)]
    public void UserLoad_FaultsOnlyWhenMisaligned(ulong address, int expectedVector) =>
        Assert.Equal(expectedVector, RunUserLoad(address, AlignmentCheckFlag, AlignmentMask));

    [Theory]
    [InlineData(0, AlignmentMask)]
    [InlineData(AlignmentCheckFlag, 0)]
    public void MisalignedUserLoad_WithoutBothBits_IsFine(ulong rflags, ulong cr0) =>
        Assert.Equal(-1, RunUserLoad(TrapBench.Data + 1, rflags, cr0));

    // -1 when the load went through: the code then ends in UD2, whose vector is 6.
    private static int RunUserLoad(ulong address, ulong rflags, ulong cr0)
    {
        using var bench = new TrapBench();
        X86State start = bench.Start(2 | rflags);
        var data = new SegmentState(0x23, 0, 0xffffffff, 0xc0f3);
        start = start with
        {
            Cr0 = start.Cr0 | cr0,
            Segments = [data, new SegmentState(0x1b, 0, 0xffffffff, 0xa0fb), data, data, data, data],
        };
        start.Gpr[3] = address;
        int vector = bench.RunFrom(start, c =>
        {
            c.mov(eax, __[rbx]);
            c.ud2();
        }).Vector;
        return vector == 6 ? -1 : vector;
    }
}
