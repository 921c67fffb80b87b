using Emu.Frontend.X86;

namespace Emu.Tests.X86System;

public sealed unsafe class InterruptTests : IDisposable
{
    private readonly SystemFixture _f = new();

    public void Dispose() => _f.Dispose();

    [Fact]
    public void RealMode_Interrupt_PushesThreeWordsAndFollowsTheTable()
    {
        _f.Write(0x20 * 4, 0x1234_5678, 4);
        _f.State->SegmentBase[X86Segment.Cs] = 0xf_0000;
        _f.State->Header.Pc = 0x100;
        _f.Rsp = 0x1000;
        _f.Cpu.SetRflags(Rflags.If | Rflags.Tf | Rflags.Cf | 2);

        Assert.True(_f.Cpu.DeliverInterrupt(0x20));

        Assert.Equal((0x5678UL, 0x1_2340UL, 0xffaUL), (_f.Rip, _f.State->SegmentBase[X86Segment.Cs], _f.Rsp));
        Assert.Equal((0x100UL, 0xf000UL, 0x303UL), (_f.Read(0xffa, 2), _f.Read(0xffc, 2), _f.Read(0xffe, 2)));
        Assert.Equal(Rflags.Cf | 2, _f.Cpu.GetRflags());

        _f.Cpu.Iret(2);
        Assert.Equal((0x100UL, 0x1000UL, 0x303UL), (_f.Rip, _f.Rsp, _f.Cpu.GetRflags()));
    }

    [Fact]
    public void RealMode_VectorOutsideTheTable_TripleFaults()
    {
        _f.State->IdtrLimit = 3;

        Assert.False(_f.Cpu.DeliverException(new X86Fault(X86Vector.InvalidOpcode, 0)));
    }

    [Fact]
    public void Protected_FaultSameLevel_PushesErrorCodeAndRf()
    {
        _f.EnterProtected();
        _f.Cpu.SetRflags(Rflags.If | 2);

        Assert.True(_f.Cpu.DeliverException(new X86Fault(X86Vector.GeneralProtection, 0x1234)));

        Assert.Equal((SystemFixture.Handler + 13, 0x7ff0UL), (_f.Rip, _f.Rsp));
        Assert.Equal((0x1234UL, 0x4000UL, (ulong)SystemFixture.Code32, 0x1_0202UL), (Pushed(0), Pushed(1), Pushed(2), Pushed(3)));
        Assert.Equal(2UL, _f.Cpu.GetRflags());
    }

    [Fact]
    public void Protected_TrapGate_LeavesIf()
    {
        _f.EnterProtected();
        _f.SetIdt(0x40, SystemFixture.Gate(0xf, SystemFixture.Code32, 0x5555));
        _f.Cpu.SetRflags(Rflags.If | Rflags.Nt | 2);

        Assert.True(_f.Cpu.DeliverInterrupt(0x40));

        Assert.Equal(0x5555UL, _f.Rip);
        Assert.Equal(Rflags.If | 2, _f.Cpu.GetRflags());
    }

    [Fact]
    public void Protected_16BitGate_PushesWords()
    {
        _f.EnterProtected();
        _f.SetIdt(0x40, SystemFixture.Gate(6, SystemFixture.Code32, 0xdead_5555));

        Assert.True(_f.Cpu.DeliverInterrupt(0x40));

        Assert.Equal((0x5555UL, 0x7ffaUL), (_f.Rip, _f.Rsp));
        Assert.Equal(0x4000UL, _f.Read(_f.Rsp, 2));
    }

    [Fact]
    public void Protected_FromRingThree_SwitchesToTheTssStackAndBack()
    {
        _f.EnterProtected();
        EnterUser();
        _f.Cpu.SetRflags(Rflags.If | 2);

        Assert.True(_f.Cpu.DeliverInterrupt(0x50));

        Assert.Equal((SystemFixture.Code32, SystemFixture.Data32, 0u), (_f.Selector(X86Segment.Cs), _f.Selector(X86Segment.Ss), _f.State->Cpl));
        Assert.Equal(SystemFixture.KernelStack - 20, _f.Rsp);
        Assert.Equal((0x4000UL, (ulong)SystemFixture.UserCode32, 0x202UL, 0x7000UL, (ulong)SystemFixture.UserData32), (Pushed(0), Pushed(1), Pushed(2), Pushed(3), Pushed(4)));

        _f.Cpu.LoadSegment(X86Segment.Ds, SystemFixture.Data32, false);
        _f.Cpu.Iret(4);
        Assert.Equal((0x4000UL, 0x7000UL, 3u, SystemFixture.UserData32), (_f.Rip, _f.Rsp, _f.State->Cpl, _f.Selector(X86Segment.Ss)));
        Assert.Equal(0, _f.Selector(X86Segment.Ds));
        Assert.Equal(SystemFixture.UserData32, _f.Selector(X86Segment.Es));
    }

    [Theory]
    [InlineData(0, 0x10u, X86Vector.InvalidTss, 0x21u)]
    [InlineData(8, 0x23u, X86Vector.InvalidTss, 0x21u)]
    [InlineData(8, 0x40u, X86Vector.StackFault, 0x41u)]
    [InlineData(8, 0x00u, X86Vector.InvalidTss, 0x01u)]
    public void Protected_BadTssStack_FaultsWithExternalBit(int offset, uint selector, X86Vector vector, uint error)
    {
        _f.EnterProtected();
        if (offset == 0)
        {
            // The stack field lies beyond the limit.
            _f.Cpu.SetSegment(X86Segment.Tr, new Emu.Core.Cpu.SegmentState(0x20, SystemFixture.TssBase, 7, 0x8b));
        }
        else
        {
            _f.Write(SystemFixture.TssBase + 8, selector, 4);
        }

        EnterUser();
        Deliverer(vector);

        Assert.True(_f.Cpu.DeliverInterrupt(0x50));

        Assert.Equal(SystemFixture.Handler + (ulong)vector, _f.Rip);
        Assert.Equal(error, (uint)_f.Read(_f.Rsp, 4));
    }

    [Fact]
    public void SoftwareInterrupt_GateOfRingZero_FaultsFromRingThreeWithVectorError()
    {
        _f.EnterProtected();
        EnterUser();

        Assert.Equal(new X86Fault(X86Vector.GeneralProtection, (0x50 * 8) + 2), _f.Fault(() => _f.Cpu.SoftwareInterrupt(0x50, SoftwareInterruptKind.IntN)));
        Assert.Equal(new X86Fault(X86Vector.GeneralProtection, (3 * 8) + 2), _f.Fault(() => _f.Cpu.SoftwareInterrupt(3, SoftwareInterruptKind.Int3)));
        _f.Cpu.SoftwareInterrupt(1, SoftwareInterruptKind.Int1);
        Assert.Equal(SystemFixture.Handler + 1, _f.Rip);
    }

    [Theory]
    [InlineData(0x0000_0000_0000_0000UL, X86Vector.GeneralProtection, 0x283u)]
    [InlineData(0x0000_0e00_0008_0000UL, X86Vector.SegmentNotPresent, 0x283u)]
    [InlineData(0x0000_8e00_0000_0000UL, X86Vector.GeneralProtection, 0x001u)]
    [InlineData(0x0000_8e00_0010_0000UL, X86Vector.GeneralProtection, 0x011u)]
    [InlineData(0x0000_8e00_0048_0000UL, X86Vector.SegmentNotPresent, 0x049u)]
    [InlineData(0x0000_8e00_0200_0000UL, X86Vector.GeneralProtection, 0x201u)]
    public void Protected_BadGate_RaisesTheSecondFault(ulong gate, X86Vector vector, uint error)
    {
        _f.EnterProtected();
        _f.SetIdt(0x50, gate);

        Assert.True(_f.Cpu.DeliverInterrupt(0x50));

        Assert.Equal(SystemFixture.Handler + (ulong)vector, _f.Rip);
        Assert.Equal(error, (uint)Pushed(0));
    }

    [Fact]
    public void ContributoryDuringContributory_IsDoubleFault()
    {
        _f.EnterProtected();
        _f.SetIdt(13, 0);

        Assert.True(_f.Cpu.DeliverException(new X86Fault(X86Vector.GeneralProtection, 0x10)));

        Assert.Equal((SystemFixture.Handler + 8, 0UL), (_f.Rip, Pushed(0)));
    }

    [Fact]
    public void BenignThenContributory_DeliversTheSecond()
    {
        _f.EnterProtected();
        _f.SetIdt(6, 0);

        Assert.True(_f.Cpu.DeliverException(new X86Fault(X86Vector.InvalidOpcode, 0)));

        Assert.Equal(SystemFixture.Handler + 13, _f.Rip);
    }

    [Fact]
    public void FaultDuringDoubleFault_IsTripleFault()
    {
        _f.EnterProtected();
        _f.SetIdt(13, 0);
        _f.SetIdt(8, 0);

        Assert.False(_f.Cpu.DeliverException(new X86Fault(X86Vector.GeneralProtection, 0x10)));
    }

    [Fact]
    public void PageFaultInDelivery_OfPageFault_IsDoubleFaultAndCr2IsTheSecond()
    {
        _f.EnterLong();
        _f.Rsp = 0x4000_0000;
        _f.SetIdt64(8, SystemFixture.Gate(0xe, SystemFixture.Code64, 0x5008, low: 1));

        Assert.True(_f.Cpu.DeliverException(new X86Fault(X86Vector.PageFault, 2, LinearAddress: 0x1234)));

        Assert.Equal(0x5008UL, _f.Rip);
        Assert.Equal(0x3fff_fff8UL, _f.State->Cr2);
        Assert.Equal(0xa000UL - 48, _f.Rsp);
    }

    [Fact]
    public void Long_Interrupt_AlignsTheStackAndPushesFiveQwords()
    {
        _f.EnterLong();
        _f.Rsp = 0x7ffb;

        Assert.True(_f.Cpu.DeliverException(new X86Fault(X86Vector.PageFault, 6, LinearAddress: 0xabc)));

        Assert.Equal(0x7ff0UL - 48, _f.Rsp);
        Assert.Equal((6UL, 0x4000UL, (ulong)SystemFixture.Code64, 0x7ffbUL), (Quad(0), Quad(1), Quad(2), Quad(4)));
        Assert.Equal(0xabcUL, _f.State->Cr2);
        Assert.Equal(SystemFixture.Data32, _f.Selector(X86Segment.Ss));

        _f.Rsp += 8;
        _f.Cpu.Iret(8);
        Assert.Equal((0x4000UL, 0x7ffbUL), (_f.Rip, _f.Rsp));
    }

    [Fact]
    public void Long_FromRingThree_LoadsNullSsAndReturnsToUser()
    {
        _f.EnterLong();
        _f.SetFlat(SystemFixture.UserCode64, SystemFixture.UserData32, 3);
        _f.Write(SystemFixture.TssBase + 4, 0x9000);

        Assert.True(_f.Cpu.DeliverInterrupt(0x30));

        Assert.Equal((0, 0u, 0x9000UL - 40), (_f.Selector(X86Segment.Ss), _f.State->Cpl, _f.Rsp));
        _f.Cpu.Iret(8);
        Assert.Equal((3u, SystemFixture.UserCode64, 0x8000UL), (_f.State->Cpl, _f.Selector(X86Segment.Cs), _f.Rsp));
        Assert.Equal(Frontend.SoftMmu.MmuMode.User, _f.Cpu.Mmu.Mode);
    }

    [Fact]
    public void Long_GateToCompatibilityCode_IsGeneralProtection()
    {
        _f.EnterLong();
        _f.SetIdt64(0x30, SystemFixture.Gate(0xe, SystemFixture.Code32, 0x100));

        Assert.True(_f.Cpu.DeliverInterrupt(0x30));

        Assert.Equal(SystemFixture.Handler + 13, _f.Rip);
        Assert.Equal(9UL, Quad(0));
    }

    [Fact]
    public void Long_NonCanonicalKernelStack_IsStackFault()
    {
        _f.EnterLong();
        _f.Rsp = 1UL << 63;
        _f.SetIdt64(8, SystemFixture.Gate(0xe, SystemFixture.Code64, 0x5008, low: 1));
        _f.SetIdt64(12, SystemFixture.Gate(0xe, SystemFixture.Code64, 0x500c, low: 1));

        Assert.True(_f.Cpu.DeliverInterrupt(0x30));

        Assert.Equal(0x500cUL, _f.Rip);
    }

    [Fact]
    public void SoftwareInterrupt_WhileStepping_DoesNotTrapInTheHandler()
    {
        _f.EnterProtected();
        _f.Cpu.SetRflags(Rflags.Tf | 2);

        _f.Cpu.SoftwareInterrupt(0x50, SoftwareInterruptKind.IntN);
        _f.Cpu.NoteSingleStep();
        Assert.Equal(0UL, _f.State->PendingDebugTraps);
        _f.Cpu.NoteSingleStep();

        Assert.Equal(1UL << 14, _f.State->PendingDebugTraps);
        Assert.Equal(Rflags.Tf | 2, Pushed(2));
    }

    [Fact]
    public void Nmi_IsBlockedUntilIret()
    {
        _f.EnterProtected();
        _f.State->NmiPending = 1;
        _f.State->Halted = 1;

        Assert.True(_f.Cpu.DeliverNmi());
        Assert.Equal((1u, 0u, 0u), (_f.State->NmiBlocked, _f.State->NmiPending, _f.State->Halted));
        _f.Cpu.Iret(4);

        Assert.Equal(0u, _f.State->NmiBlocked);
    }

    [Fact]
    public void Vm86_EntryAndExit_SaveAndRestoreSegments()
    {
        _f.EnterProtected();
        EnterVm86(iopl: 3);
        Assert.Equal((0x2_0000UL, 3u), (_f.State->SegmentBase[X86Segment.Ds], _f.State->Cpl));
        Assert.True((_f.State->Header.ModeKey & X86ModeKey.Vm86) != 0);

        _f.SetIdt(0x50, SystemFixture.Gate(0xe, SystemFixture.Code32, 0x5050, dpl: 3));
        _f.Cpu.SoftwareInterrupt(0x50, SoftwareInterruptKind.IntN);

        Assert.Equal((0x5050UL, 0u, SystemFixture.KernelStack - 36), (_f.Rip, _f.State->Cpl, _f.Rsp));
        Assert.Equal((0x100UL, 0x1000UL), (Pushed(0), Pushed(1)));
        Assert.Equal((0x800UL, 0x3000UL, 0x2000UL + 1, 0x2000UL, 0x2002UL, 0x2003UL), (Pushed(3), Pushed(4), Pushed(5), Pushed(6), Pushed(7), Pushed(8)));
        Assert.Equal(0, _f.Selector(X86Segment.Ds));

        _f.Cpu.Iret(4);
        Assert.Equal((0x100UL, 0x800UL, 0x1000), (_f.Rip, _f.Rsp, _f.Selector(X86Segment.Cs)));
        Assert.True((_f.Cpu.GetRflags() & Rflags.Vm) != 0);
    }

    [Fact]
    public void Vm86_LowIopl_FaultsSensitiveInstructions()
    {
        _f.EnterProtected();
        EnterVm86(iopl: 0);

        var gp = new X86Fault(X86Vector.GeneralProtection, 0);
        Assert.Equal(gp, _f.Fault(() => _f.Cpu.SoftwareInterrupt(0x21, SoftwareInterruptKind.IntN)));
        Assert.Equal(gp, _f.Fault(() => _f.Cpu.Iret(2)));
        Assert.Equal(gp, _f.Fault(() => _f.Cpu.Cli()));
        Assert.Equal(gp, _f.Fault(() => _f.Cpu.ReadFlagsImage(2)));
        Assert.Equal(gp, _f.Fault(() => _f.Cpu.PopFlagsImage(0, 2)));
        Assert.Equal(X86Vector.InvalidOpcode, _f.Fault(() => _f.Cpu.Lldt(0)).Vector);
    }

    private ulong Pushed(int index) => _f.Read(_f.Rsp + ((ulong)index * 4), 4);

    private ulong Quad(int index) => _f.Read(_f.Rsp + ((ulong)index * 8));

    private void EnterUser()
    {
        _f.SetFlat(SystemFixture.UserCode32, SystemFixture.UserData32, 3);
        _f.Rsp = 0x7000;
    }

    /// <summary>Makes a vector deliverable without the broken TSS stack: a conforming handler runs at ring 3.</summary>
    private void Deliverer(X86Vector vector) =>
        _f.SetIdt((int)vector, SystemFixture.Gate(0xe, SystemFixture.Conforming32, (uint)SystemFixture.Handler + (uint)vector));

    private void EnterVm86(ulong iopl)
    {
        ulong[] frame = [0x100, 0x1000, Rflags.Vm | (iopl << 12) | 2, 0x800, 0x3000, 0x2001, 0x2000, 0x2002, 0x2003];
        _f.Rsp = 0x7000;
        for (int i = 0; i < frame.Length; i++)
        {
            _f.Write(0x7000 + ((ulong)i * 4), frame[i], 4);
        }

        _f.Cpu.Iret(4);
    }
}
