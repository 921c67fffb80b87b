using System.Buffers.Binary;
using Emu.Core;
using Emu.Frontend.X86;
using Emu.Frontend.X86.Simd;
using Emu.Frontend.X86.X87;

namespace Emu.Tests.Fpu;

/// <summary>Saved images, availability checks, and exceptions of the FPU and SSE state.</summary>
public sealed unsafe class FpuStateTests : IDisposable
{
    private const ulong Area = 0x1000;

    private readonly FpuTestCpu _cpu = new();

    public void Dispose() => _cpu.Dispose();

    [Fact]
    public void FxsaveFxrstor_RandomState_RoundTrips()
    {
        FillState(seed: 1);
        byte[] before = _cpu.Owner.GetXsaveImage();
        _cpu.State->Efer = ControlBits.EferLma;
        _cpu.State->Segment[X86Segment.Cs].Attributes = SegmentAttributes.Long;

        _cpu.Owner.Fxsave(Area, wide: true);
        FillState(seed: 2);
        _cpu.Owner.Fxrstor(Area, wide: true);

        Assert.Equal(before, _cpu.Owner.GetXsaveImage());
    }

    [Fact]
    public void Fxsave_In32BitCode_LeavesUpperRegistersOfTheImageAlone()
    {
        FillState(seed: 3);
        _cpu.Memory(Area, 512).Fill(0xcc);

        _cpu.Owner.Fxsave(Area, wide: false);

        Assert.Equal(*_cpu.Vector(7), _cpu.Memory(Area + 160 + 112, 1)[0]);
        Assert.True(_cpu.Memory(Area + 288, 224).IndexOfAnyExcept((byte)0xcc) < 0);
    }

    [Fact]
    public void Xrstor_ComponentsNotInImage_AreInitialised()
    {
        EnableXsave();
        FillState(seed: 4);
        _cpu.Memory(Area, 576).Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(_cpu.Memory(Area + 24, 4), 0x1f80);

        _cpu.Owner.Xrstor(Area, requested: 3, wide: true);

        Assert.Equal(0x37f, _cpu.State->X87Control);
        Assert.Equal(0xff, _cpu.State->X87Empty);
        Assert.Equal(UInt128.Zero, *(UInt128*)_cpu.Vector(3));
    }

    [Fact]
    public void Xsave_OneComponentRequested_WritesNoOther()
    {
        EnableXsave();
        FillState(seed: 5);
        _cpu.Memory(Area, 576).Clear();

        _cpu.Owner.Xsave(Area, requested: 1, wide: true);

        Assert.Equal(1UL, BitConverter.ToUInt64(_cpu.Memory(Area + 512, 8)));
        Assert.True(_cpu.Memory(Area + 160, 256).IndexOfAnyExcept((byte)0) < 0);
    }

    [Theory]
    [InlineData(Area + 8, X86Vector.GeneralProtection)]
    [InlineData(FpuTestCpu.MemorySize - 256, X86Vector.PageFault)]
    public void Fxsave_BadAddress_FaultsAndWritesNothing(ulong address, X86Vector expected)
    {
        _cpu.Memory(FpuTestCpu.MemorySize - 256, 256).Fill(0xcc);

        Assert.Equal(expected, _cpu.Faults(() => _cpu.Owner.Fxsave(address, wide: true)));
        Assert.True(_cpu.Memory(FpuTestCpu.MemorySize - 256, 256).IndexOfAnyExcept((byte)0xcc) < 0);
    }

    [Fact]
    public void Fxrstor_ReservedMxcsrBits_FaultsAndChangesNothing()
    {
        FillState(seed: 6);
        byte[] before = _cpu.Owner.GetXsaveImage();
        _cpu.Memory(Area, 512).Fill(0xff);

        Assert.Equal(X86Vector.GeneralProtection, _cpu.Faults(() => _cpu.Owner.Fxrstor(Area, wide: true)));
        Assert.Equal(before, _cpu.Owner.GetXsaveImage());
    }

    [Fact]
    public void SetXsaveImage_HostileImages_AreRefused()
    {
        byte[] image = _cpu.Owner.GetXsaveImage();

        Assert.Throws<InvalidDeviceStateException>(() => _cpu.Owner.SetXsaveImage(image.AsSpan(0, 575)));
        Assert.Throws<InvalidDeviceStateException>(() => _cpu.Owner.SetXsaveImage(With(image, 27, 1)));
        Assert.Throws<InvalidDeviceStateException>(() => _cpu.Owner.SetXsaveImage(With(image, 512, 8)));
        Assert.Throws<InvalidDeviceStateException>(() => _cpu.Owner.SetXsaveImage(With(image, 527, 0x80)));
    }

    [Theory]
    [InlineData(0UL, 0, 0)]
    [InlineData(ControlBits.Cr0Ts, 7, 7)]
    [InlineData(ControlBits.Cr0Em, 7, 0)]
    public void Checks_UnavailableUnit_RaiseNm(ulong cr0, int instruction, int wait)
    {
        _cpu.State->Cr0 = ControlBits.Cr0Pe | ControlBits.Cr0Mp | cr0;

        Assert.Equal(instruction, (int)(_cpu.Faults(() => X87Control.CheckWaiting(_cpu.Header, 0, 0, 0)) ?? 0));
        Assert.Equal(wait, (int)(_cpu.Faults(() => X87Control.Fwait(_cpu.Header, 0, 0, 0)) ?? 0));
    }

    [Fact]
    public void Divide_UnmaskedByZero_IsReportedByTheNextWaitingInstruction()
    {
        X87Move.FldConstant(_cpu.Header, 0, 0, (ulong)X87Constant.One);
        X87Control.Fldcw(_cpu.Header, 0x37b, 0, 0);

        X87Binary<X87Divide>.Int16(_cpu.Header, 0, 0, 0);

        Assert.Null(_cpu.Faults(() => X87Control.CheckNotWaiting(_cpu.Header, 0, 0, 0)));
        Assert.Equal(X86Vector.X87FloatingPoint, _cpu.Faults(() => X87Control.CheckWaiting(_cpu.Header, 0, 0, 0)));
        Assert.Equal((0x8000000000000000UL, (ushort)0x3fff), X87Stack.ReadRaw(_cpu.State, 0));
    }

    [Fact]
    public void Fnstenv_RealMode16_SplitsThePointers()
    {
        _cpu.State->Cr0 = 0;
        _cpu.State->X87InstructionPointer = 0x51234;
        _cpu.State->X87DataPointer = 0xa6789;
        _cpu.State->X87Opcode = 0x123;

        X87Control.Fnstenv(_cpu.Header, Area, 0, 0);

        Assert.Equal([0x7f, 0x03, 0, 0, 0xff, 0xff, 0x34, 0x12, 0x23, 0x51, 0x89, 0x67, 0, 0xa0], _cpu.Memory(Area, 14).ToArray());
    }

    [Fact]
    public void FstpExtended_ToUnmappedMemory_LeavesTheStack()
    {
        X87Move.FldConstant(_cpu.Header, 0, 0, (ulong)X87Constant.Pi);
        ushort status = X87Status.Read(_cpu.State);

        Assert.Equal(X86Vector.PageFault, _cpu.Faults(() => X87Move.FstpExtended(_cpu.Header, FpuTestCpu.MemorySize - 4, 0, 0)));
        Assert.Equal(status, X87Status.Read(_cpu.State));
        Assert.False(X87Stack.IsEmpty(_cpu.State, 0));
    }

    [Fact]
    public void EnterMmx_AfterX87Code_ResetsTopAndTags()
    {
        X87Move.FldConstant(_cpu.Header, 0, 0, (ulong)X87Constant.One);

        X87Control.EnterMmx(_cpu.Header, 1 << 2, 0, 0);

        Assert.Equal(0, _cpu.State->X87Top | _cpu.State->X87Empty);
        Assert.Equal(0xffff, *(ushort*)(_cpu.Mmx(2) + 8));
        X87Control.Emms(_cpu.Header, 0, 0, 0);
        Assert.Equal(0xff, _cpu.State->X87Empty);
    }

    [Theory]
    [InlineData(ControlBits.Cr4Osxmmexcpt, X86Vector.SimdFloatingPoint)]
    [InlineData(0UL, X86Vector.InvalidOpcode)]
    public void Divss_UnmaskedZeroDivide_RaisesBeforeTheDestinationIsWritten(ulong cr4, X86Vector expected)
    {
        _cpu.State->Cr4 = cr4;
        _cpu.State->Mxcsr = 0x1f80 & ~(4u << 7);
        *(float*)_cpu.Vector(0) = 1;
        *(float*)_cpu.Vector(1) = 0;

        Assert.Equal(expected, _cpu.Faults(() => FloatArithmetic<float, Scalar>.Divide(_cpu.Header, _cpu.Vector(0), _cpu.Vector(0), _cpu.Vector(1), 0)));
        Assert.Equal(1f, *(float*)_cpu.Vector(0));
        Assert.Equal(4u, _cpu.State->Mxcsr & 63);
    }

    [Fact]
    public void Approximations_RandomOperands_AreWithinTheManualsBound()
    {
        const double bound = 1.5 / 4096;
        var random = new Random(7);
        for (int i = 0; i < 10000; i++)
        {
            float x = BitConverter.UInt32BitsToSingle((uint)random.Next(0x01000000, 0x7e000000));
            *(float*)_cpu.Vector(1) = x;
            FloatApproximations<float, Scalar>.Reciprocal(_cpu.Header, _cpu.Vector(0), _cpu.Vector(0), _cpu.Vector(1), 0);
            Assert.True(Math.Abs((*(float*)_cpu.Vector(0) * (double)x) - 1) <= bound);
            FloatApproximations<float, Scalar>.ReciprocalSquareRoot(_cpu.Header, _cpu.Vector(0), _cpu.Vector(0), _cpu.Vector(1), 0);
            Assert.True(Math.Abs((*(float*)_cpu.Vector(0) * Math.Sqrt(x)) - 1) <= bound);
        }
    }

    private static byte[] With(byte[] image, int offset, byte value)
    {
        byte[] copy = [.. image];
        copy[offset] = value;
        return copy;
    }

    private void EnableXsave()
    {
        _cpu.State->Cr4 |= ControlBits.Cr4Osxsave;
        _cpu.State->Xcr0 = 3;
    }

    private void FillState(int seed)
    {
        var random = new Random(seed);
        for (int i = 0; i < 16; i++)
        {
            random.NextBytes(new Span<byte>(_cpu.Vector(i), 16));
        }

        for (int i = 0; i < 8; i++)
        {
            random.NextBytes(new Span<byte>(_cpu.Mmx(i), 10));
        }

        _cpu.State->X87Top = (byte)random.Next(8);
        _cpu.State->X87Empty = (byte)random.Next(256);
        _cpu.State->X87InstructionPointer = (ulong)random.NextInt64();
        _cpu.State->Mxcsr = 0x1f80 | (uint)random.Next(64);
    }
}
