using Emu.Frontend.X86;

namespace Emu.Tests.X86System;

public sealed unsafe class MsrAndPortTests : IDisposable
{
    private static readonly X86Fault GeneralProtection = new(X86Vector.GeneralProtection, 0);

    private readonly SystemFixture _f = new();

    public void Dispose() => _f.Dispose();

    [Fact]
    public void Unknown_Msr_FaultsAndIsReported()
    {
        var seen = new List<string>();
        _f.Cpu.Unimplemented = seen.Add;
        _f.State->Gpr[1] = 0x1234_5678;

        Assert.Equal(GeneralProtection, _f.Fault(() => _f.Cpu.Rdmsr()));
        Assert.Equal(GeneralProtection, _f.Fault(() => _f.Cpu.Wrmsr()));
        Assert.Equal(["RDMSR 12345678", "WRMSR 12345678 = 60fb100000000"], seen);
    }

    [Fact]
    public void Msr_FromUserMode_Faults()
    {
        _f.EnterProtected();
        _f.SetFlat(SystemFixture.UserCode32, SystemFixture.UserData32, 3);

        Assert.Equal(GeneralProtection, _f.Fault(() => _f.Cpu.Rdmsr()));
    }

    [Theory]
    [InlineData(0xc000_0080u, 1UL << 1)]
    [InlineData(0xc000_0082u, 1UL << 47)]
    [InlineData(0xc000_0084u, 1UL << 32)]
    [InlineData(0xc000_0100u, 1UL << 63)]
    [InlineData(0xc000_0103u, 1UL << 32)]
    [InlineData(0x277u, 2UL)]
    [InlineData(0x2ffu, 1UL << 12)]
    [InlineData(0xfeu, 0UL)]
    [InlineData(0x175u, 1UL << 47)]
    [InlineData(0x1bu, 1UL)]
    public void Write_ReservedOrNotCanonical_IsRefused(uint index, ulong value) => Assert.False(_f.Cpu.TryWriteMsr(index, value));

    [Theory]
    [InlineData(0x10u, 77UL)]
    [InlineData(0x174u, 8UL)]
    [InlineData(0x200u, 6UL)]
    [InlineData(0x268u, 0x0606_0606_0606_0606UL)]
    [InlineData(0x277u, 0x0007_0106_0007_0106UL)]
    [InlineData(0x808u, 0x20UL)]
    [InlineData(0xc000_0080u, ControlBits.EferLme | ControlBits.EferSce)]
    [InlineData(0xc000_0081u, 0x0023_0010_0000_0000UL)]
    [InlineData(0xc000_0101u, 0xffff_8000_0000_0000UL)]
    [InlineData(0xc000_0102u, 1UL)]
    [InlineData(0xc000_0103u, 5UL)]
    public void Write_ThenRead_GivesTheValue(uint index, ulong value)
    {
        Assert.True(_f.Cpu.TryWriteMsr(index, value));
        Assert.True(_f.Cpu.TryReadMsr(index, out ulong read));
        Assert.Equal(value, read);
    }

    [Fact]
    public void Tsc_FollowsVirtualTimeAndAdjust()
    {
        _f.Clock.Advance(1000);
        _f.Cpu.TryWriteMsr(0x10, 5000);
        _f.Cpu.TryReadMsr(0x3b, out ulong adjust);
        Assert.Equal(4000UL, adjust);

        _f.Clock.Advance(7);
        _f.State->TscAux = 3;
        _f.Cpu.Rdtscp();
        Assert.Equal((5007UL, 0UL, 3UL), (_f.State->Gpr[0], _f.State->Gpr[2], _f.State->Gpr[1]));
        _f.Cpu.TryWriteMsr(0x3b, 0);
        Assert.Equal(1007UL, _f.Cpu.TimeStamp);
    }

    [Fact]
    public void Rdtsc_UserModeWithTsd_Faults()
    {
        _f.EnterProtected();
        _f.SetFlat(SystemFixture.UserCode32, SystemFixture.UserData32, 3);
        _f.Cpu.Rdtsc();
        _f.State->Cr4 |= ControlBits.Cr4Tsd;

        Assert.Equal(GeneralProtection, _f.Fault(() => _f.Cpu.Rdtsc()));
    }

    [Fact]
    public void Fsgsbase_NeedsTheCr4BitAndCanonicalValues()
    {
        _f.EnterLong();
        Assert.Equal(X86Vector.InvalidOpcode, _f.Fault(() => _f.Cpu.ReadSegmentBase(X86Segment.Fs)).Vector);
        _f.State->Cr4 |= ControlBits.Cr4Fsgsbase;

        _f.Cpu.WriteSegmentBase(X86Segment.Gs, 0x1234);
        Assert.Equal(0x1234UL, _f.Cpu.ReadSegmentBase(X86Segment.Gs));
        Assert.Equal(GeneralProtection, _f.Fault(() => _f.Cpu.WriteSegmentBase(X86Segment.Gs, 1UL << 47)));
    }

    [Fact]
    public void Ports_UserMode_FollowTheBitmap()
    {
        _f.EnterProtected();
        _f.SetFlat(SystemFixture.UserCode32, SystemFixture.UserData32, 3);
        Assert.Equal(GeneralProtection, _f.Fault(() => _f.Cpu.In(0x80, 1)));

        // Ports 80h–81h allowed: byte 16 of the bitmap.
        _f.Write(SystemFixture.TssBase + 0x68 + 16, 0xfc, 1);
        Assert.Equal(0x5aUL, _f.Cpu.In(0x80, 1));
        _f.Cpu.Out(0x80, 0x1_1234, 2);
        Assert.Equal([0x1234UL], _f.Port.Writes);
        Assert.Equal(GeneralProtection, _f.Fault(() => _f.Cpu.In(0x81, 2)));
        Assert.Equal(GeneralProtection, _f.Fault(() => _f.Cpu.In(0xffff, 1)));

        _f.State->SystemFlags |= Rflags.Iopl;
        Assert.Equal(0x5bUL, _f.Cpu.In(0x81, 1));
    }

    [Fact]
    public void Popf_AtUserLevel_KeepsIfAndIopl()
    {
        _f.EnterProtected();
        _f.SetFlat(SystemFixture.UserCode32, SystemFixture.UserData32, 3);
        _f.Cpu.SetRflags(Rflags.If | 2);

        _f.Cpu.PopFlagsImage(Rflags.Iopl | Rflags.Cf | Rflags.Df | Rflags.Vm | Rflags.Rf | Rflags.Ac, 4);

        Assert.Equal(Rflags.If | Rflags.Cf | Rflags.Df | Rflags.Ac | 2, _f.Cpu.GetRflags());
        Assert.Equal(-1L, _f.State->StringStep);
        Assert.Equal(GeneralProtection, _f.Fault(() => _f.Cpu.Sti()));
    }

    [Fact]
    public void Sti_OpensTheShadowOnlyWhenIfWasClear()
    {
        _f.Cpu.Sti();
        Assert.Equal(1u, _f.State->InterruptShadow);
        _f.State->InterruptShadow = 0;

        _f.Cpu.Sti();

        Assert.Equal(0u, _f.State->InterruptShadow);
    }

    [Fact]
    public void LahfAndSahf_KeepOverflow()
    {
        _f.Cpu.SetRflags(Rflags.Of | Rflags.Cf | 2);
        Assert.Equal(3UL, _f.Cpu.Lahf());

        _f.Cpu.Sahf(0xff);

        Assert.Equal(Rflags.Arithmetic | 2, _f.Cpu.GetRflags());
    }
}
