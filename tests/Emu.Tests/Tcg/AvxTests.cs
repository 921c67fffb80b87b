using Emu.Core.Cpu;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Tests.Tcg;

/// <summary>What AVX needs of the system: when it is enabled, what it leaves of the upper halves, and where they are saved.</summary>
public sealed class AvxTests : IDisposable
{
    private const ulong Osxsave = 1 << 18;
    private const ulong TaskSwitched = 8;
    private const int Upper = 576;

    private readonly TrapBench _bench = new();

    [Theory]
    [InlineData(0UL, 7UL, 0UL, 6)]
    [InlineData(Osxsave, 3UL, 0UL, 6)]
    [InlineData(Osxsave, 7UL, TaskSwitched, 7)]
    [InlineData(Osxsave, 7UL, 0UL, -1)]
    public void Vector_IsThereWhenTheSystemEnabledIt(ulong cr4, ulong xcr0, ulong cr0, int vector)
    {
        X86State start = _bench.Start();
        start = start with { Cr4 = start.Cr4 | cr4, Xcr0 = xcr0, Cr0 = start.Cr0 | cr0 };

        Assert.Equal(vector, _bench.RunFrom(start, c => c.vpaddd(ymm0, ymm1, ymm2)).Vector);
    }

    /// <summary>LOCK, 66, F2, F3 and REX before VEX; a register in VVVV that names none; 256 bits where there are 128.</summary>
    [Theory]
    [InlineData("f0c5fdfec2")]
    [InlineData("66c5fdfec2")]
    [InlineData("f2c5fdfec2")]
    [InlineData("f3c5fdfec2")]
    [InlineData("48c5fdfec2")]
    [InlineData("c5f46fc2")]
    [InlineData("c5e5ebc0c5fc12c1")]
    public void IllegalEncodings_AreUndefined(string code)
    {
        Assert.Equal(6, _bench.RunFrom(Enabled(), Convert.FromHexString(code)).Vector);
    }

    [Fact]
    public void BitManipulation_NeedsNoState()
    {
        Trap trap = _bench.Run(c => c.shlx(rax, rbx, rcx), gpr => (gpr[3], gpr[1]) = (5, 68));

        Assert.Equal((-1, 80UL), (trap.Vector, trap.Gpr[0]));
    }

    [Fact]
    public void RandomNumbers_AreThere()
    {
        Trap trap = _bench.Run(c =>
        {
            c.rdrand(rax);
            c.rdseed(rcx);
        });

        Assert.Equal((-1, 1UL), (trap.Vector, trap.Rflags & 0x8d5));
        Assert.NotEqual(trap.Gpr[0], trap.Gpr[1]);
    }

    [Fact]
    public void LegacySse_KeepsTheUpperHalf_VexClearsIt()
    {
        Trap trap = _bench.RunFrom(Enabled(), c =>
        {
            c.paddd(xmm0, xmm1);
            c.movaps(xmm1, xmm3);
            c.vpaddd(xmm2, xmm1, xmm1);
        });

        Assert.Equal((0x80UL, 0x81UL, 0UL, 0x83UL), (UpperOf(trap, 0), UpperOf(trap, 1), UpperOf(trap, 2), UpperOf(trap, 3)));
    }

    [Fact]
    public void AlignedMove_Misaligned_GeneralProtection()
    {
        X86State start = Enabled();
        start.Gpr[3] = TrapBench.Data + 16;

        Assert.Equal(13, _bench.RunFrom(start, c => c.vmovaps(ymm0, __ymmword_ptr[rbx])).Vector);
        Assert.Equal(-1, _bench.RunFrom(start, c => c.vmovups(ymm0, __ymmword_ptr[rbx])).Vector);
    }

    /// <summary>A store of 32 bytes of which the last ones fault writes none.</summary>
    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(24)]
    public void WideStore_AcrossPages_WritesAllOrNothing(int bytesBefore)
    {
        _bench.Bench.Ram.Slice(TrapBench.Absent - 64, 64).Fill(0xcc);
        X86State start = Enabled();
        start.Gpr[3] = TrapBench.Absent - (uint)bytesBefore;

        Trap trap = _bench.RunFrom(start, c => c.vmovups(__ymmword_ptr[rbx], ymm1));

        Assert.Equal((14, TrapBench.Absent), (trap.Vector, trap.State.Cr2));
        Assert.Equal(-1, _bench.Bench.Ram.Slice(TrapBench.Absent - 64, 64).IndexOfAnyExcept((byte)0xcc));
    }

    /// <summary>XSAVE, XSAVEOPT and XSAVEC write the upper halves behind the header, and XRSTOR takes them from there.</summary>
    [Theory]
    [InlineData("xsave", 6UL, 0UL)]
    [InlineData("xsaveopt", 6UL, 0UL)]
    [InlineData("xsavec", 6UL, 0x8000_0000_0000_0007UL)]
    public void SavedState_HasTheUpperHalves(string instruction, ulong present, ulong format)
    {
        X86State start = Enabled();
        (start.Gpr[0], start.Gpr[3]) = (7, TrapBench.Data);

        Trap trap = _bench.RunFrom(start, c =>
        {
            Save(c, instruction);
            c.vzeroall();
            c.xrstor(__[rbx]);
        });

        Assert.Equal(-1, trap.Vector);
        Assert.Equal((present, format), (_bench.Read(TrapBench.Data + 512), _bench.Read(TrapBench.Data + 520)));
        Assert.Equal((0x81UL, 0x8fUL), (_bench.Read(TrapBench.Data + Upper + 16), _bench.Read(TrapBench.Data + Upper + 240)));
        Assert.Equal((0x81UL, 0x8fUL), (UpperOf(trap, 1), UpperOf(trap, 15)));
    }

    [Theory]
    [InlineData("xsave", 0x3333UL)]
    [InlineData("xsaveopt", 0xccccUL)]
    [InlineData("xsavec", 0xccccUL)]
    public void SavedState_InInitialConfiguration_IsMarkedSo(string instruction, ulong expected)
    {
        X86State start = Enabled();
        (start.Gpr[0], start.Gpr[3]) = (4, TrapBench.Data);
        _bench.Bench.Ram.Slice(TrapBench.Data, 1024).Fill(0xcc);
        _bench.Bench.Ram.Slice(TrapBench.Data + 512, 64).Clear();

        Trap trap = _bench.RunFrom(start, c =>
        {
            c.vzeroupper();
            Save(c, instruction);
        });

        Assert.Equal(-1, trap.Vector);
        Assert.Equal(0UL, _bench.Read(TrapBench.Data + 512));
        Assert.Equal(expected == 0x3333 ? 0UL : expected, _bench.Read(TrapBench.Data + Upper, 2));
    }

    [Fact]
    public void Xgetbv1_TellsWhatIsInUse()
    {
        X86State start = Enabled();
        start.Gpr[1] = 1;
        Assert.Equal(4UL, _bench.RunFrom(start, c => c.xgetbv()).Gpr[0] & 4);
        Assert.Equal(0UL, _bench.RunFrom(start, c =>
        {
            c.vzeroupper();
            c.xgetbv();
        }).Gpr[0] & 4);
    }

    /// <summary>A masked-out exception of one half must not hide behind an unmasked one of the other.</summary>
    [Fact]
    public void UnmaskedException_OfTheHighHalf_WritesNothing()
    {
        X86State start = Enabled();
        start.Xsave[25] = 0x1d; // MXCSR: zero divide unmasked
        BitConverter.TryWriteBytes(start.Xsave.AsSpan(Upper + 16), 1.0);
        BitConverter.TryWriteBytes(start.Xsave.AsSpan(Upper + 24), 1.0);
        start.Xsave.AsSpan(Upper + 32, 16).Clear();

        Trap trap = _bench.RunFrom(start, c => c.vdivpd(ymm3, ymm1, ymm2));

        Assert.Equal(0x83UL, UpperOf(trap, 3));
        Assert.Equal(4, trap.State.Xsave[24] & 4);
        Assert.NotEqual(-1, trap.Vector);
    }

    public void Dispose() => _bench.Dispose();

    private static void Save(Assembler c, string instruction)
    {
        switch (instruction)
        {
            case "xsave": c.xsave(__[rbx]); break;
            case "xsaveopt": c.xsaveopt(__[rbx]); break;
            default: c.xsavec(__[rbx]); break;
        }
    }

    private static ulong UpperOf(Trap trap, int register) => BitConverter.ToUInt64(trap.State.Xsave, Upper + (16 * register));

    // Registers 0–15: 80H–8FH in the upper halves, 1 in the low ones.
    private X86State Enabled()
    {
        X86State start = _bench.Start();
        for (int i = 0; i < 16; i++)
        {
            start.Xsave[160 + (16 * i)] = 1;
            start.Xsave[Upper + (16 * i)] = (byte)(0x80 + i);
        }

        return start with { Cr4 = start.Cr4 | Osxsave, Xcr0 = 7 };
    }
}
