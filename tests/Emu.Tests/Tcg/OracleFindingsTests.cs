using Emu.Core.Cpu;

namespace Emu.Tests.Tcg;

/// <summary>What comparison with the processor found, one test a bug.</summary>
public sealed class OracleFindingsTests
{
    private const ulong Memory = TrapBench.Data;

    [Fact]
    public void Cmpxchg32_Registers_Failing_KeepsTheUpperHalfOfTheDestination()
    {
        using var bench = new TrapBench();

        Trap trap = bench.Run([0x0f, 0xb1, 0xcb], gpr => (gpr[0], gpr[1], gpr[3]) = (0xaaaa_aaaa_0000_0001, 5, 0xbbbb_bbbb_0000_0002)); // cmpxchg ebx, ecx

        Assert.Equal((0xbbbb_bbbb_0000_0002UL, 2UL), (trap.Gpr[3], trap.Gpr[0]));
    }

    [Fact]
    public void Cmpxchg32_Registers_Succeeding_ClearsTheUpperHalfOfTheDestinationOnly()
    {
        using var bench = new TrapBench();

        Trap trap = bench.Run([0x0f, 0xb1, 0xcb], gpr => (gpr[0], gpr[1], gpr[3]) = (0xaaaa_aaaa_0000_0002, 5, 0xbbbb_bbbb_0000_0002));

        Assert.Equal((5UL, 0xaaaa_aaaa_0000_0002UL), (trap.Gpr[3], trap.Gpr[0]));
    }

    [Fact]
    public void Cmpxchg8_HighByteDestination_IsExchanged()
    {
        using var bench = new TrapBench();

        Trap trap = bench.Run([0x0f, 0xb0, 0xcf], gpr => (gpr[0], gpr[1], gpr[3]) = (0x77, 0x55, 0x1234_7733)); // cmpxchg bh, cl

        Assert.Equal((0x1234_5533UL, 0x77UL), (trap.Gpr[3], trap.Gpr[0]));
    }

    public static TheoryData<string, byte[]> Hints() => new()
    {
        { "0f 18 /6", [0x0f, 0x18, 0x37] },
        { "0f 18 /7", [0x0f, 0x18, 0x3f] },
        { "prefetchwt1", [0x0f, 0x0d, 0x17] },
        { "prefetch /3", [0x0f, 0x0d, 0x1f] },
        { "prefetch /7", [0x0f, 0x0d, 0x3f] },
        { "cldemote", [0x0f, 0x1c, 0x07] },
        { "0f 1c /1", [0x0f, 0x1c, 0x0f] },
        { "rdsspq", [0xf3, 0x48, 0x0f, 0x1e, 0xc8] },
        { "0f 1f", [0x0f, 0x1f, 0x07] },
    };

    [Theory]
    [MemberData(nameof(Hints))]
    public void HintsOfOtherProcessors_DoNothing(string text, byte[] instruction)
    {
        using var bench = new TrapBench();

        Trap trap = bench.Run(instruction, gpr => (gpr[0], gpr[7]) = (0x1234, Memory));

        Assert.True(trap.Vector == -1, text);
        Assert.Equal(0x1234UL, trap.Gpr[0]);
    }

    [Theory]
    [InlineData(new byte[] { 0xf2, 0x48, 0x0f, 0x2c, 0x07 }, 42UL)]
    [InlineData(new byte[] { 0xf2, 0x0f, 0x2d, 0x07 }, 43UL)]
    [InlineData(new byte[] { 0xf3, 0x0f, 0x2c, 0x47, 0x08 }, 7UL)]
    public void ConversionToGeneralRegister_FromMemory(byte[] instruction, ulong expected)
    {
        using var bench = new TrapBench();
        bench.Write(Memory, BitConverter.DoubleToUInt64Bits(42.75));
        bench.Write(Memory + 8, BitConverter.SingleToUInt32Bits(7.5f));

        Trap trap = bench.Run(instruction, gpr => gpr[7] = Memory);

        Assert.Equal((-1, expected), (trap.Vector, trap.Gpr[0]));
    }

    [Fact]
    public void Emms_ResetsTopOfStack()
    {
        using var bench = new TrapBench();

        Trap trap = bench.Run([0xd9, 0xe8, 0x0f, 0x77], _ => { }); // fld1; emms

        Assert.Equal((0, 0), (trap.State.Xsave[3] & 0x38, trap.State.Xsave[4]));
    }

    [Fact]
    public void ConversionToMmx_EndingInXm_StillEntersMmxState()
    {
        using var bench = new TrapBench();
        bench.Write(Memory, 0x1f00); // invalid unmasked
        bench.Write(Memory + 8, 0x7fc0_0000);

        Trap trap = bench.Run([0xd9, 0xe8, 0x0f, 0xae, 0x17, 0x0f, 0x2d, 0x4f, 0x08], gpr => gpr[7] = Memory); // fld1; ldmxcsr; cvtps2pi mm1, [rdi+8]

        Assert.Equal((19, 0, 0xff), (trap.Vector, trap.State.Xsave[3] & 0x38, trap.State.Xsave[4]));
    }

    [Fact]
    public void Movsxd16_ReadsADoubleword()
    {
        using var bench = new TrapBench();
        bench.Write(TrapBench.Absent - 8, 0x1122_3344_5566_7788);

        Trap inside = bench.Run([0x66, 0x63, 0x47, 0xfc], gpr => (gpr[0], gpr[7]) = (0xaaaa_0000, TrapBench.Absent));
        Trap across = bench.Run([0x66, 0x63, 0x47, 0xfe], gpr => gpr[7] = TrapBench.Absent);

        Assert.Equal(0xaaaa_3344UL, inside.Gpr[0]);
        Assert.Equal((14, TrapBench.Absent), (across.Vector, across.State.Cr2));
    }

    [Fact]
    public void Fist_StoreHeldBackByUnmaskedException_StillFaultsOnTheAbsentPage()
    {
        using var bench = new TrapBench();
        bench.Write(Memory, 0x037e); // invalid unmasked

        Trap trap = bench.Run([0xd9, 0x2f, 0xdf, 0x97, .. BitConverter.GetBytes((int)(TrapBench.Absent - Memory))], gpr => gpr[7] = Memory); // fldcw; fist word

        Assert.Equal((14, 0), (trap.Vector, trap.State.Xsave[2] & 0x41));
    }

    [Fact]
    public void Lzcnt_CountsLeadingZeros()
    {
        using var bench = new TrapBench();

        Trap trap = bench.Run([0xf3, 0x0f, 0xbd, 0xc3], gpr => gpr[3] = 0x0001_0000);

        Assert.Equal(15UL, trap.Gpr[0]);
    }

    [Theory]
    [InlineData(0xa4, 17, 0xa126UL, 0x0066UL, 0x00ccUL)] // SHLD
    [InlineData(0xac, 17, 0x0000UL, 0x0002UL, 0x0001UL)] // SHRD
    [InlineData(0xa4, 16, 0xa126UL, 0x0066UL, 0x0066UL)]
    public void DoubleShift16_ByMoreThanTheWidth_GoesOnWithTheSource(byte opcode, byte count, ulong destination, ulong source, ulong expected)
    {
        using var bench = new TrapBench();

        Trap trap = bench.Run([0x66, 0x0f, opcode, 0xcb, count], gpr => (gpr[3], gpr[1]) = (destination, source)); // bx, cx

        Assert.Equal(expected, trap.Gpr[3]);
    }

    [Fact]
    public void UnmaskedOverflow_ExactResult_DoesNotSetPrecision()
    {
        using var bench = new TrapBench();
        bench.Write(Memory, 0x1b80); // overflow unmasked
        bench.Write(Memory + 8, 0x7f00_0000); // 2^127

        Trap trap = bench.Run([0x0f, 0xae, 0x17, 0xf3, 0x0f, 0x10, 0x47, 0x08, 0xf3, 0x0f, 0x58, 0xc0], gpr => gpr[7] = Memory); // addss xmm0, xmm0

        Assert.Equal((19, 8), (trap.Vector, trap.State.Xsave[24] & 0x3f));
    }
}
