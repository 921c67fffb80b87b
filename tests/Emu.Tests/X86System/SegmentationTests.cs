using Emu.Frontend.X86;

namespace Emu.Tests.X86System;

public sealed unsafe class SegmentationTests : IDisposable
{
    private readonly SystemFixture _f = new();

    public void Dispose() => _f.Dispose();

    [Fact]
    public void RealMode_Load_ShiftsSelectorAndKeepsUnrealLimit()
    {
        _f.Cpu.SetSegment(X86Segment.Ds, new Emu.Core.Cpu.SegmentState(0, 0, uint.MaxValue, 0x93));

        _f.Cpu.LoadSegment(X86Segment.Ds, 0x1234, shadow: false);

        Assert.Equal(0x12340UL, _f.State->SegmentBase[X86Segment.Ds]);
        Assert.Equal(uint.MaxValue, _f.State->Segment[X86Segment.Ds].Limit);
        Assert.Equal(0x112340UL, _f.Cpu.SegmentTranslate(X86Segment.Ds, 0x10_0000, 4, write: true));
    }

    [Fact]
    public void FlatProtectedMode_ModeKey_SaysFlat32()
    {
        _f.EnterProtected();

        ulong key = _f.State->Header.ModeKey;
        Assert.Equal(X86ModeKey.Code32 | X86ModeKey.Stack32 | X86ModeKey.Flat | X86ModeKey.FsSimple | X86ModeKey.GsSimple | X86ModeKey.Protected | X86ModeKey.FloatDefault, key);
    }

    [Fact]
    public void LoadedSegmentWithBase_ModeKey_IsNotFlat()
    {
        _f.EnterProtected();
        _f.SetGdt(SystemFixture.AbsentData, SystemFixture.Segment(0x1000, 0xfffff, 0x92, 0xc));

        _f.Cpu.LoadSegment(X86Segment.Ds, SystemFixture.AbsentData, false);

        Assert.Equal(0UL, _f.State->Header.ModeKey & X86ModeKey.Flat);
        Assert.Equal(0x93UL, _f.Read(SystemFixture.Gdt + SystemFixture.AbsentData + 5, 1));
    }

    [Theory]
    [InlineData(X86Segment.Ds, 0x200, X86Vector.GeneralProtection, 0x200u)]
    [InlineData(X86Segment.Ds, SystemFixture.AbsentData, X86Vector.SegmentNotPresent, 0x40u)]
    [InlineData(X86Segment.Ss, SystemFixture.AbsentData, X86Vector.StackFault, 0x40u)]
    [InlineData(X86Segment.Ss, 0, X86Vector.GeneralProtection, 0u)]
    [InlineData(X86Segment.Ss, SystemFixture.UserData32, X86Vector.GeneralProtection, 0x20u)]
    [InlineData(X86Segment.Ss, SystemFixture.Code32, X86Vector.GeneralProtection, 0x08u)]
    [InlineData(X86Segment.Es, SystemFixture.Tss, X86Vector.GeneralProtection, 0x28u)]
    [InlineData(X86Segment.Es, 0x0c, X86Vector.GeneralProtection, 0x0cu)]
    [InlineData(X86Segment.Cs, SystemFixture.Code32, X86Vector.InvalidOpcode, 0u)]
    public void Load_Wrong_FaultsWithSelectorAndChangesNothing(int segment, int selector, X86Vector vector, uint error)
    {
        _f.EnterProtected();
        ushort before = _f.Selector(segment);

        X86Fault fault = _f.Fault(() => _f.Cpu.LoadSegment(segment, (ushort)selector, true));

        Assert.Equal(new X86Fault(vector, error), fault);
        Assert.Equal(before, _f.Selector(segment));
    }

    [Fact]
    public void Load_RingZeroDataFromRingThree_Faults()
    {
        _f.EnterProtected();
        _f.SetFlat(SystemFixture.UserCode32, SystemFixture.UserData32, 3);

        Assert.Equal(SystemFixture.Data32, _f.Fault(() => _f.Cpu.LoadSegment(X86Segment.Ds, SystemFixture.Data32, false)).ErrorCode);
        _f.Cpu.LoadSegment(X86Segment.Ds, 3, false);
        Assert.Equal(new X86Fault(X86Vector.GeneralProtection, 0), _f.Fault(() => _f.Cpu.SegmentTranslate(X86Segment.Ds, 0, 1, false)));
    }

    [Fact]
    public void LoadSs_SetsInterruptShadow_ButLssDoesNot()
    {
        _f.EnterProtected();
        Frontend.X86.Helpers.SegmentHelpers.LoadSegment(&_f.State->Header, SystemFixture.Data32, 0, X86Segment.Ss | X86Cpu.NoShadow);
        Assert.Equal(0u, _f.State->InterruptShadow);

        Frontend.X86.Helpers.SegmentHelpers.LoadSegment(&_f.State->Header, SystemFixture.Data32, 0, X86Segment.Ss);
        Assert.Equal(1u, _f.State->InterruptShadow);
    }

    [Fact]
    public void LongMode_NullSs_IsAllowedBelowRingThree()
    {
        _f.EnterLong();

        _f.Cpu.LoadSegment(X86Segment.Ss, 0, false);
        Assert.Equal(X86Vector.GeneralProtection, _f.Fault(() => _f.Cpu.LoadSegment(X86Segment.Ss, 1, false)).Vector);
    }

    [Theory]
    [InlineData(0xfffu, 1u, false)]
    [InlineData(0x1000u, 1u, true)]
    [InlineData(0xffff_fffcu, 4u, true)]
    [InlineData(0xffff_fffdu, 4u, false)]
    public void Translate_ExpandDown_AllowsAboveTheLimit(uint offset, uint size, bool allowed)
    {
        _f.EnterProtected();
        _f.Cpu.LoadSegment(X86Segment.Es, SystemFixture.ExpandDown, false);

        if (allowed)
        {
            Assert.Equal(offset, _f.Cpu.SegmentTranslate(X86Segment.Es, offset, size, true));
        }
        else
        {
            Assert.Equal(new X86Fault(X86Vector.GeneralProtection, 0), _f.Fault(() => _f.Cpu.SegmentTranslate(X86Segment.Es, offset, size, true)));
        }
    }

    [Fact]
    public void Translate_WriteThroughCode_FaultsAndStackViolationIsStackFault()
    {
        _f.EnterProtected();
        _f.Cpu.SetSegment(X86Segment.Ss, new Emu.Core.Cpu.SegmentState(SystemFixture.Data32, 0, 0xfff, 0x4093));

        Assert.Equal(X86Vector.GeneralProtection, _f.Fault(() => _f.Cpu.SegmentTranslate(X86Segment.Cs, 0, 1, true)).Vector);
        Assert.Equal(X86Vector.StackFault, _f.Fault(() => _f.Cpu.SegmentTranslate(X86Segment.Ss, 0xffe, 4, false)).Vector);
    }

    [Fact]
    public void LongMode_NonCanonicalThroughSs_IsStackFault()
    {
        _f.EnterLong();

        Assert.Equal(X86Vector.StackFault, _f.Fault(() => _f.Cpu.SegmentTranslate(X86Segment.Ss, 1UL << 47, 8, false)).Vector);
        Assert.Equal(X86Vector.GeneralProtection, _f.Fault(() => _f.Cpu.SegmentTranslate(X86Segment.Ds, (1UL << 47) - 4, 8, false)).Vector);
    }

    [Fact]
    public void Selectors_LarLslVerr_AnswerThroughZf()
    {
        _f.EnterProtected();

        Assert.Equal(0x00cf_9b00UL, _f.Cpu.Lar(SystemFixture.Code32, 0x77));
        Assert.True(ZeroFlag);
        Assert.Equal(0xffff_ffffUL, _f.Cpu.Lsl(SystemFixture.Data32, 0));
        Assert.Equal(0x77UL, _f.Cpu.Lsl(SystemFixture.CallGate, 0x77));
        Assert.False(ZeroFlag);
        _f.Cpu.Verify(SystemFixture.Data32, write: true);
        Assert.True(ZeroFlag);
        _f.Cpu.Verify(SystemFixture.Code32, write: true);
        Assert.False(ZeroFlag);
        Assert.Equal(0x23UL, _f.Cpu.Arpl(0x20, 0x1b));
        Assert.True(ZeroFlag);
    }

    [Fact]
    public void Ldt_SelectorsResolveThroughItAndNullLdtHidesThem()
    {
        _f.EnterProtected();
        _f.Write(0x2808, SystemFixture.Segment(0x7000, 0xff, 0x93, 0x4));
        _f.Cpu.Lldt(SystemFixture.Ldt);

        _f.Cpu.LoadSegment(X86Segment.Fs, 0x0c, false);
        Assert.Equal(0x7000UL, _f.State->SegmentBase[X86Segment.Fs]);
        Assert.Equal(0x14u, _f.Fault(() => _f.Cpu.LoadSegment(X86Segment.Fs, 0x14, false)).ErrorCode);
        _f.Cpu.Lldt(0);
        Assert.Equal(0x0cu, _f.Fault(() => _f.Cpu.LoadSegment(X86Segment.Fs, 0x0c, false)).ErrorCode);
    }

    [Fact]
    public void Ltr_MarksTheTssBusyAndRefusesItTwice()
    {
        _f.EnterProtected();

        Assert.Equal(0x8bUL, _f.Read(SystemFixture.Gdt + SystemFixture.Tss + 5, 1));
        Assert.Equal(SystemFixture.Tss, _f.Fault(() => _f.Cpu.Ltr(SystemFixture.Tss)).ErrorCode);
    }

    [Fact]
    public void Umip_StoreInstructionsInUserMode_Fault()
    {
        _f.EnterProtected();
        _f.SetFlat(SystemFixture.UserCode32, SystemFixture.UserData32, 3);
        Assert.Equal(SystemFixture.Tss, _f.Cpu.StoreSystemSelector(X86Segment.Tr));
        _f.Cpu.StoreDescriptorTable(0x6000, 4, idt: true);
        Assert.Equal(0x3000_07ffUL, _f.Read(0x6000, 4) | (_f.Read(0x6002, 4) << 16));

        _f.State->Cr4 |= ControlBits.Cr4Umip;
        Assert.Equal(X86Vector.GeneralProtection, _f.Fault(() => _f.Cpu.StoreSystemSelector(X86Segment.Tr)).Vector);
        Assert.Equal(X86Vector.GeneralProtection, _f.Fault(() => _f.Cpu.Smsw()).Vector);
    }

    [Fact]
    public void LoadDescriptorTable_16BitOperand_KeepsTwentyFourBitsOfBase()
    {
        _f.Write(0x6000, 0x1234_5678_0fff);

        _f.Cpu.LoadDescriptorTable(0x6000, 2, idt: false);

        Assert.Equal(0x34_5678UL, _f.State->GdtrBase);
        Assert.Equal(0xfff, _f.State->GdtrLimit);
    }

    private bool ZeroFlag => (_f.Cpu.GetRflags() & Rflags.Zf) != 0;
}
