using Emu.Frontend.X86;

namespace Emu.Tests.X86System;

public sealed unsafe class FarTransferTests : IDisposable
{
    private readonly SystemFixture _f = new();

    public void Dispose() => _f.Dispose();

    [Fact]
    public void RealMode_FarCallAndReturn_RoundTrip()
    {
        _f.State->Header.Pc = 0x105;
        _f.Rsp = 0x1_2000;

        _f.Cpu.FarCall(0x1_0200, 0x3000, 2);
        Assert.Equal((0x200UL, 0x3_0000UL, 0x1_1ffcUL), (_f.Rip, _f.State->SegmentBase[X86Segment.Cs], _f.Rsp));
        _f.Cpu.FarReturn(4, 2);
        Assert.Equal((0x105UL, 0xf_0000UL, 0x1_2004UL), (_f.Rip, _f.State->SegmentBase[X86Segment.Cs], _f.Rsp));
    }

    [Fact]
    public void RealMode_SwitchToProtectedMode_LoadsCode32()
    {
        _f.State->GdtrBase = SystemFixture.Gdt;
        _f.State->GdtrLimit = 0xff;
        _f.Cpu.WriteControl(0, 1);
        Assert.Equal(0UL, _f.State->Header.ModeKey & X86ModeKey.Code32);

        _f.Cpu.FarJump(0x1234_5678, SystemFixture.Code32, 4);

        Assert.Equal((0x1234_5678UL, X86ModeKey.Code32), (_f.Rip, _f.State->Header.ModeKey & X86ModeKey.CodeSizeMask));
    }

    [Theory]
    [InlineData(0, X86Vector.GeneralProtection, 0u)]
    [InlineData(SystemFixture.Data32, X86Vector.GeneralProtection, 0x10u)]
    [InlineData(SystemFixture.AbsentCode, X86Vector.SegmentNotPresent, 0x48u)]
    [InlineData(SystemFixture.UserCode32, X86Vector.GeneralProtection, 0x18u)]
    [InlineData(SystemFixture.Ldt, X86Vector.GeneralProtection, 0x78u)]
    [InlineData(0x300, X86Vector.GeneralProtection, 0x300u)]
    public void FarJump_BadTarget_FaultsAndLeavesRip(int selector, X86Vector vector, uint error)
    {
        _f.EnterProtected();

        Assert.Equal(new X86Fault(vector, error), _f.Fault(() => _f.Cpu.FarJump(0, (ushort)selector, 4)));
        Assert.Equal(0x4000UL, _f.Rip);
    }

    [Fact]
    public void CallGate_InnerLevel_CopiesParametersToTheTssStack()
    {
        _f.EnterProtected();
        EnterUser(0x7000);
        _f.Write(0x7000, 0x2222_2222_1111_1111);

        _f.Cpu.FarCall(0xdead, SystemFixture.CallGate, 4);

        Assert.Equal((0x6000UL, 0u, SystemFixture.Code32, SystemFixture.KernelStack - 24), (_f.Rip, _f.State->Cpl, _f.Selector(X86Segment.Cs), _f.Rsp));
        uint[] stack = [.. Enumerable.Range(0, 6).Select(i => (uint)_f.Read(_f.Rsp + ((ulong)i * 4), 4))];
        Assert.Equal([0x4000u, SystemFixture.UserCode32, 0x1111_1111u, 0x2222_2222u, 0x7000u, SystemFixture.UserData32], stack);

        _f.Cpu.FarReturn(8, 4);
        Assert.Equal((0x4000UL, 3u, 0x7008UL), (_f.Rip, _f.State->Cpl, _f.Rsp));
    }

    [Fact]
    public void CallGate_JumpToInnerLevel_Faults()
    {
        _f.EnterProtected();
        EnterUser(0x7000);

        Assert.Equal(new X86Fault(X86Vector.GeneralProtection, 0x08), _f.Fault(() => _f.Cpu.FarJump(0, SystemFixture.CallGate, 4)));
    }

    [Fact]
    public void CallGate64_InnerLevel_UsesRsp0AndNullSs()
    {
        _f.EnterLong();
        _f.SetFlat(SystemFixture.UserCode64, SystemFixture.UserData32, 3);
        _f.Write(SystemFixture.TssBase + 4, 0x9000);

        _f.Cpu.FarCall(0, SystemFixture.CallGate64, 4);

        Assert.Equal((0x6000UL, 0, 0x9000UL - 32), (_f.Rip, _f.Selector(X86Segment.Ss), _f.Rsp));
        _f.Cpu.FarReturn(0, 8);
        Assert.Equal((0x4000UL, 3u, 0x8000UL), (_f.Rip, _f.State->Cpl, _f.Rsp));
    }

    [Fact]
    public void FarReturn_ToInnerLevel_Faults()
    {
        _f.EnterProtected();
        EnterUser(0x7000);
        _f.Write(0x7000, 0x0000_0008_0000_1234);

        Assert.Equal(new X86Fault(X86Vector.GeneralProtection, 8), _f.Fault(() => _f.Cpu.FarReturn(0, 4)));
        Assert.Equal(0x7000UL, _f.Rsp);
    }

    [Fact]
    public void Iret_NonCanonicalTarget_FaultsBeforeAnythingChanges()
    {
        _f.EnterLong();
        PushFrame(1UL << 47, SystemFixture.UserCode64, 0x202, 0x7000, SystemFixture.UserData32);

        Assert.Equal(new X86Fault(X86Vector.GeneralProtection, 0), _f.Fault(() => _f.Cpu.Iret(8)));
        Assert.Equal((0u, 0x4000UL), (_f.State->Cpl, _f.Rip));
    }

    [Fact]
    public void Iret_UserCannotChangeIopl()
    {
        _f.EnterLong();
        _f.SetFlat(SystemFixture.UserCode64, SystemFixture.UserData32, 3);
        _f.Cpu.SetRflags(Rflags.If | 2);
        PushFrame(0x1000, SystemFixture.UserCode64, 0x3000, 0x7000, SystemFixture.UserData32);

        _f.Cpu.Iret(8);

        Assert.Equal(Rflags.If | 2, _f.Cpu.GetRflags());
    }

    [Fact]
    public void Iret_NestedTaskInLongMode_Faults()
    {
        _f.EnterLong();
        _f.Cpu.SetRflags(Rflags.Nt | 2);

        Assert.Equal(X86Vector.GeneralProtection, _f.Fault(() => _f.Cpu.Iret(8)).Vector);
    }

    [Fact]
    public void SyscallAndSysret_RoundTripThroughStar()
    {
        _f.EnterLong();
        _f.State->Star = 0x0020_0030_0000_0000;
        _f.State->Lstar = 0xffff_ffff_8000_0000;
        _f.State->Fmask = Rflags.If | Rflags.Df;
        _f.SetFlat(SystemFixture.UserCode64, SystemFixture.UserData32, 3);
        _f.Cpu.SetRflags(Rflags.If | Rflags.Cf | 2);

        _f.Cpu.Syscall();

        Assert.Equal((0xffff_ffff_8000_0000UL, 0u, 0x30, 0x38), (_f.Rip, _f.State->Cpl, (int)_f.Selector(X86Segment.Cs), (int)_f.Selector(X86Segment.Ss)));
        Assert.Equal((0x4000UL, 0x203UL, 3UL), (_f.State->Gpr[1], _f.State->Gpr[11], _f.Cpu.GetRflags()));

        _f.Cpu.Sysret(8);
        Assert.Equal((0x4000UL, 3u, 0x33, 0x2b, 0x203UL), (_f.Rip, _f.State->Cpl, (int)_f.Selector(X86Segment.Cs), (int)_f.Selector(X86Segment.Ss), _f.Cpu.GetRflags()));
        Assert.Equal(X86ModeKey.Code64, _f.State->Header.ModeKey & X86ModeKey.CodeSizeMask);
    }

    [Fact]
    public void Sysret_NonCanonicalRcx_FaultsAtRingZero()
    {
        _f.EnterLong();
        _f.State->Gpr[1] = 0x8000_0000_0000;

        Assert.Equal(new X86Fault(X86Vector.GeneralProtection, 0), _f.Fault(() => _f.Cpu.Sysret(8)));
        Assert.Equal(0u, _f.State->Cpl);
    }

    [Fact]
    public void Sysret_To32Bit_EntersCompatibilityMode()
    {
        _f.EnterLong();
        _f.State->Star = 0x0020UL << 48;
        _f.State->Gpr[1] = 0xffff_ffff_0000_1234;

        _f.Cpu.Sysret(4);

        Assert.Equal((0x1234UL, X86ModeKey.Code32 | X86ModeKey.LongMode), (_f.Rip, _f.State->Header.ModeKey & (X86ModeKey.CodeSizeMask | X86ModeKey.LongMode)));
    }

    [Fact]
    public void Syscall_WithoutSce_IsInvalidOpcode()
    {
        _f.EnterLong();
        _f.State->Efer &= ~ControlBits.EferSce;

        Assert.Equal(X86Vector.InvalidOpcode, _f.Fault(() => _f.Cpu.Syscall()).Vector);
    }

    [Fact]
    public void SysenterAndSysexit_UseTheMsrs()
    {
        _f.EnterProtected();
        Assert.Equal(X86Vector.GeneralProtection, _f.Fault(() => _f.Cpu.Sysenter()).Vector);
        _f.State->SysenterCs = SystemFixture.Code32;
        _f.State->SysenterEsp = 0x9000;
        _f.State->SysenterEip = 0x5555;
        EnterUser(0x7000);

        _f.Cpu.Sysenter();
        Assert.Equal((0x5555UL, 0x9000UL, 0u), (_f.Rip, _f.Rsp, _f.State->Cpl));

        _f.State->Gpr[2] = 0x4002;
        _f.State->Gpr[1] = 0x7000;
        _f.Cpu.Sysexit(4);
        Assert.Equal((0x4002UL, 0x7000UL, 3u, SystemFixture.UserCode32), (_f.Rip, _f.Rsp, _f.State->Cpl, _f.Selector(X86Segment.Cs)));
    }

    [Fact]
    public void Swapgs_ExchangesBasesOnlyInKernel64()
    {
        _f.EnterLong();
        _f.State->SegmentBase[X86Segment.Gs] = 1;
        _f.State->KernelGsBase = 2;

        _f.Cpu.Swapgs();
        Assert.Equal((2UL, 1UL), (_f.State->SegmentBase[X86Segment.Gs], _f.State->KernelGsBase));
        _f.SetFlat(SystemFixture.UserCode64, SystemFixture.UserData32, 3);
        Assert.Equal(X86Vector.GeneralProtection, _f.Fault(() => _f.Cpu.Swapgs()).Vector);
        _f.SetFlat(SystemFixture.Code32, SystemFixture.Data32, 0);
        Assert.Equal(X86Vector.InvalidOpcode, _f.Fault(() => _f.Cpu.Swapgs()).Vector);
    }

    [Fact]
    public void Bound_SignedComparison()
    {
        _f.Write(0x6000, 0x0000_0005_ffff_fffe);

        _f.Cpu.Bound(0xffff_ffff, 0x6000, 4);
        Assert.Equal(X86Vector.BoundRange, _f.Fault(() => _f.Cpu.Bound(6, 0x6000, 4)).Vector);
    }

    private void EnterUser(ulong rsp)
    {
        _f.SetFlat(SystemFixture.UserCode32, SystemFixture.UserData32, 3);
        _f.Rsp = rsp;
    }

    private void PushFrame(params ulong[] frame)
    {
        _f.Rsp = 0x7800;
        for (int i = 0; i < frame.Length; i++)
        {
            _f.Write(0x7800 + ((ulong)i * 8), frame[i]);
        }
    }
}
