using Emu.Frontend.X86;
using Emu.Frontend.X86.Helpers;

namespace Emu.Tests.X86System;

public sealed unsafe class ControlRegisterTests : IDisposable
{
    private static readonly X86Fault GeneralProtection = new(X86Vector.GeneralProtection, 0);

    private readonly SystemFixture _f = new();

    public void Dispose() => _f.Dispose();

    [Theory]
    [InlineData(0, 0x8000_0000UL)]
    [InlineData(0, 0x2000_0001UL)]
    [InlineData(0, 0x1_0000_0001UL)]
    [InlineData(3, 1UL << 45)]
    [InlineData(4, 1UL << 13)]
    [InlineData(4, ControlBits.Cr4Vme)]
    [InlineData(4, ControlBits.Cr4Pcide)]
    [InlineData(8, 16UL)]
    public void Write_ReservedOrContradictory_Faults(int number, ulong value) =>
        Assert.Equal(GeneralProtection, _f.Fault(() => _f.Cpu.WriteControl(number, value)));

    [Fact]
    public void Access_FromUserMode_FaultsAndUnknownRegisterIsInvalid()
    {
        _f.EnterProtected();
        _f.SetFlat(SystemFixture.UserCode32, SystemFixture.UserData32, 3);

        Assert.Equal(GeneralProtection, _f.Fault(() => _f.Cpu.ReadControl(0)));
        Assert.Equal(GeneralProtection, _f.Fault(() => _f.Cpu.Clts()));
        Assert.Equal(GeneralProtection, _f.Fault(() => _f.Cpu.Hlt()));
        Assert.Equal(GeneralProtection, _f.Fault(() => _f.Cpu.Invlpg(0)));
        Assert.Equal(X86Vector.InvalidOpcode, _f.Fault(() => _f.Cpu.ReadControl(1)).Vector);
    }

    [Fact]
    public void EnteringLongMode_SetsLmaAndLeavingClearsIt()
    {
        _f.EnterProtected();
        _f.BuildPageTables64();
        _f.State->Cr3 = 0x10_0000;
        Wrmsr(0xc000_0080, ControlBits.EferLme);
        Assert.Equal(GeneralProtection, _f.Fault(() => _f.Cpu.WriteControl(0, ControlBits.Cr0Pe | ControlBits.Cr0Pg)));

        _f.Cpu.WriteControl(4, ControlBits.Cr4Pae);
        _f.Cpu.WriteControl(0, ControlBits.Cr0Pe | ControlBits.Cr0Pg);

        Assert.Equal(ControlBits.EferLme | ControlBits.EferLma, _f.State->Efer);
        Assert.Equal(X86ModeKey.Code32 | X86ModeKey.LongMode, _f.State->Header.ModeKey & (X86ModeKey.CodeSizeMask | X86ModeKey.LongMode));
        Assert.Equal(GeneralProtection, _f.Fault(() => _f.Cpu.WriteControl(4, 0)));
        Assert.False(_f.Cpu.TryWriteMsr(0xc000_0080, 0));

        _f.Cpu.WriteControl(0, ControlBits.Cr0Pe);
        Assert.Equal(ControlBits.EferLme, _f.State->Efer);
    }

    [Fact]
    public void In64BitMode_PagingCannotBeTurnedOff()
    {
        _f.EnterLong();

        Assert.Equal(GeneralProtection, _f.Fault(() => _f.Cpu.WriteControl(0, ControlBits.Cr0Pe)));
    }

    [Fact]
    public void Pcid_Cr3Bit63_IsTakenAndDroppedOnlyWithPcide()
    {
        _f.EnterLong();
        Assert.Equal(GeneralProtection, _f.Fault(() => _f.Cpu.WriteControl(3, (1UL << 63) | 0x10_0000)));
        _f.Cpu.WriteControl(4, _f.State->Cr4 | ControlBits.Cr4Pcide);

        _f.Cpu.WriteControl(3, (1UL << 63) | 0x10_0001);

        Assert.Equal(0x10_0001UL, _f.State->Cr3);
        Assert.Equal(GeneralProtection, _f.Fault(() => _f.Cpu.WriteControl(4, _f.State->Cr4 | (1UL << 40))));
    }

    [Theory]
    [InlineData(4UL, 0UL, 0UL, false)]
    [InlineData(0UL, 1UL, 0UL, false)]
    [InlineData(0UL, 0UL, 1UL << 50, false)]
    [InlineData(2UL, 0x1000UL, 0UL, false)]
    [InlineData(0UL, 0UL, 0x1000UL, true)]
    [InlineData(2UL, 0UL, 0UL, true)]
    public void Invpcid_ChecksTypeAndDescriptor(ulong type, ulong pcid, ulong linear, bool valid)
    {
        _f.EnterLong();
        _f.Write(0x6000, pcid);
        _f.Write(0x6008, linear);

        if (valid)
        {
            _f.Cpu.Invpcid(type, 0x6000);
        }
        else
        {
            Assert.Equal(GeneralProtection, _f.Fault(() => _f.Cpu.Invpcid(type, 0x6000)));
        }
    }

    [Fact]
    public void Lmsw_SetsButDoesNotClearPe()
    {
        _f.Cpu.Lmsw(0xfff1);
        _f.Cpu.Lmsw(0x000e);

        Assert.Equal(0xfUL, _f.State->Cr0 & 0xf);
        _f.Cpu.Clts();
        Assert.Equal(0x7UL, _f.State->Cr0 & 0xf);
    }

    [Fact]
    public void Cr8_IsTheApicsTaskPriority()
    {
        _f.EnterLong();
        ControlHelpers.WriteControl(&_f.State->Header, 9, 0, 8);

        Assert.Equal(9, _f.Apic.TaskPriorityClass);
        Assert.Equal(9UL, ControlHelpers.ReadControl(&_f.State->Header, 0, 0, 8));
    }

    [Theory]
    [InlineData(0UL, false)]
    [InlineData(2UL, false)]
    [InlineData(5UL, false)]
    [InlineData(15UL, false)]
    [InlineData(1UL, true)]
    [InlineData(3UL, true)]
    [InlineData(7UL, true)]
    public void Xsetbv_AcceptsX87SseAndAvxOnTopOfSse(ulong value, bool valid)
    {
        Assert.Equal(X86Vector.InvalidOpcode, _f.Fault(() => _f.Cpu.Xgetbv()).Vector);
        _f.Cpu.WriteControl(4, ControlBits.Cr4Osxsave);
        _f.State->Gpr[0] = value;
        _f.State->Gpr[2] = 0;
        if (!valid)
        {
            Assert.Equal(GeneralProtection, _f.Fault(() => _f.Cpu.Xsetbv()));
            return;
        }

        _f.Cpu.Xsetbv();
        _f.State->Gpr[0] = 0;
        _f.Cpu.Xgetbv();
        Assert.Equal(value, _f.State->Gpr[0]);
    }

    [Fact]
    public void DebugRegisters_AliasesReservedBitsAndGeneralDetect()
    {
        _f.EnterProtected();
        _f.Cpu.WriteDebug(7, 0x2000);
        X86Fault fault = _f.Fault(() => _f.Cpu.ReadDebug(0));
        Assert.Equal((X86Vector.Debug, 0x2000UL), (fault.Vector, fault.DebugStatus));
        Assert.True(_f.Cpu.DeliverException(fault));
        Assert.Equal((0UL, 0x2000UL), (_f.State->Dr[7] & 0x2000, _f.State->Dr[6] & 0x2000));

        _f.Cpu.WriteDebug(4, 0xffff_ffff);
        Assert.Equal(0xffff_efffUL & ~0x1_0000UL | 0x1_0000, _f.Cpu.ReadDebug(6) | 0);
        _f.State->Cr4 |= ControlBits.Cr4De;
        Assert.Equal(X86Vector.InvalidOpcode, _f.Fault(() => _f.Cpu.ReadDebug(4)).Vector);
        Assert.Equal(GeneralProtection, _f.Fault(() => _f.Cpu.WriteDebug(7, 1UL << 32)));
    }

    [Fact]
    public void InstructionBreakpoint_MatchesUnlessRf()
    {
        _f.Cpu.WriteDebug(1, 0x4000);
        _f.Cpu.WriteDebug(7, 4);

        Assert.True(_f.Cpu.HasInstructionBreakpoints);
        Assert.Equal(2UL, _f.Cpu.MatchInstructionBreakpoint(0x4000));
        Assert.Equal(0UL, _f.Cpu.MatchInstructionBreakpoint(0x4001));
        _f.State->SystemFlags |= Rflags.Rf;
        Assert.Equal(0UL, _f.Cpu.MatchInstructionBreakpoint(0x4000));
    }

    [Fact]
    public void DataBreakpoint_WriteInTheWatchedRange_TrapsAfterwards()
    {
        _f.EnterProtected();
        _f.Cpu.WriteDebug(2, 0x6004);
        _f.Cpu.WriteDebug(7, 0x10 | (0xdUL << 24));

        _f.Cpu.WriteLinear(0x6000, 1, 4);
        _f.Cpu.ReadLinear(0x6004, 4);
        Assert.Equal(0UL, _f.State->PendingDebugTraps);
        _f.Cpu.WriteLinear(0x6006, 1, 1);
        Assert.Equal(4UL, _f.State->PendingDebugTraps);

        _f.Cpu.NoteSingleStep();
        Assert.True(_f.Cpu.TakeDebugTrap());
        Assert.Equal((SystemFixture.Handler + 1, 0x4004UL), (_f.Rip, _f.State->Dr[6] & 0xf00f));
        Assert.Equal(0UL, _f.State->PendingDebugTraps);
        Assert.Equal(2UL, _f.Read(_f.Rsp + 8, 4));
    }

    [Fact]
    public void DataBreakpoint_TurnedOff_StopsWatching()
    {
        _f.Cpu.WriteDebug(0, 0x6000);
        _f.Cpu.WriteDebug(7, 2 | (3UL << 16));
        _f.Cpu.ReadLinear(0x6000, 1);
        Assert.Equal(1UL, _f.State->PendingDebugTraps);
        _f.State->PendingDebugTraps = 0;

        _f.Cpu.WriteDebug(7, 0);
        _f.Cpu.ReadLinear(0x6000, 1);

        Assert.Equal(0UL, _f.State->PendingDebugTraps);
    }

    private void Wrmsr(uint index, ulong value) => Assert.True(_f.Cpu.TryWriteMsr(index, value));
}
