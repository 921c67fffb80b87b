using Emu.Frontend.X86;

namespace Emu.Tests.X86System;

public sealed unsafe class TaskTests : IDisposable
{
    private const ulong Next = SystemFixture.SecondTssBase;

    private readonly SystemFixture _f = new();

    public TaskTests()
    {
        _f.EnterProtected();
        PrepareSecondTask();
    }

    public void Dispose() => _f.Dispose();

    [Fact]
    public void Call_ToTss_SavesTheOldTaskLinksAndReturns()
    {
        _f.State->Gpr[0] = 0x1111;
        _f.Cpu.SetRflags(Rflags.Cf | 2);

        _f.Cpu.FarCall(0, SystemFixture.SecondTss, 4);

        Assert.Equal((0x6000UL, 0xaaaaUL, 0x7800UL), (_f.Rip, _f.State->Gpr[0], _f.Rsp));
        Assert.Equal(Rflags.Nt | 2, _f.Cpu.GetRflags());
        Assert.Equal((SystemFixture.SecondTss, 0x8bUL, 0x8bUL), (_f.Selector(X86Segment.Tr), Access(SystemFixture.SecondTss), Access(SystemFixture.Tss)));
        Assert.Equal((0x4000UL, 0x1111UL, 3UL), (Old(0x20), Old(0x28), Old(0x24)));
        Assert.Equal(SystemFixture.Tss, _f.Read(Next, 2));
        Assert.True((_f.State->Cr0 & ControlBits.Cr0Ts) != 0);

        _f.Cpu.Iret(4);
        Assert.Equal((0x4000UL, 0x1111UL, SystemFixture.Tss, 3UL), (_f.Rip, _f.State->Gpr[0], _f.Selector(X86Segment.Tr), _f.Cpu.GetRflags()));
        Assert.Equal((0x89UL, 0x8bUL), (Access(SystemFixture.SecondTss), Access(SystemFixture.Tss)));
    }

    [Fact]
    public void Jump_ThroughTaskGate_ClearsTheOldBusyFlagAndDoesNotNest()
    {
        _f.Cpu.FarJump(0, SystemFixture.TaskGate, 4);

        Assert.Equal((0x89UL, 0x8bUL), (Access(SystemFixture.Tss), Access(SystemFixture.SecondTss)));
        Assert.Equal(2UL, _f.Cpu.GetRflags());
        Assert.Equal(SystemFixture.SecondTss, _f.Fault(() => _f.Cpu.FarJump(0, SystemFixture.SecondTss, 4)).ErrorCode);
    }

    [Fact]
    public void Exception_ThroughTaskGate_PushesTheErrorCodeInTheNewTask()
    {
        _f.SetIdt(13, SystemFixture.Gate(5, SystemFixture.SecondTss, 0));

        Assert.True(_f.Cpu.DeliverException(new X86Fault(X86Vector.GeneralProtection, 0x1234)));

        Assert.Equal((0x6000UL, 0x77fcUL, 0x1234UL), (_f.Rip, _f.Rsp, _f.Read(0x77fc, 4)));
        Assert.Equal(Rflags.Rf | 2, Old(0x24));
    }

    [Fact]
    public void Switch_16BitTss_LoadsWords()
    {
        _f.SetGdt(SystemFixture.SecondTss, SystemFixture.Segment((uint)Next, 0x2b, 0x81, 0));
        ushort[] words = [0x6000, 2, 1, 2, 3, 4, 0x7800, 6, 7, 8, SystemFixture.Data32, SystemFixture.Code32, SystemFixture.Data32, SystemFixture.Data32, 0];
        for (int i = 0; i < words.Length; i++)
        {
            _f.Write(Next + 0xe + ((ulong)i * 2), words[i], 2);
        }

        _f.Cpu.FarCall(0, SystemFixture.SecondTss, 4);

        Assert.Equal((0x6000UL, 1UL, 0x7800UL, 0), (_f.Rip, _f.State->Gpr[0], _f.Rsp, (int)_f.Selector(X86Segment.Fs)));
    }

    [Fact]
    public void Switch_BadSegmentInTheNewTask_FaultsThere()
    {
        _f.Write(Next + 0x50, SystemFixture.UserData32, 4);

        X86Fault fault = _f.Fault(() => _f.Cpu.FarCall(0, SystemFixture.SecondTss, 4));
        _f.State->Header.Pc = 0x3ffb;
        Assert.Equal((X86Vector.InvalidTss, 0x20u, 0x6000UL), (fault.Vector, fault.ErrorCode, fault.RestartPc));
        Assert.Equal(SystemFixture.SecondTss, _f.Selector(X86Segment.Tr));

        // The #TS handler needs a stack, and the new task has none: stack fault in delivery, then #DF, then shutdown.
        Assert.False(_f.Cpu.DeliverException(fault));
        Assert.Equal(0x6000UL, _f.Rip);
    }

    [Theory]
    [InlineData(0x66u, 0x89u, X86Vector.InvalidTss)]
    [InlineData(0x67u, 0x09u, X86Vector.SegmentNotPresent)]
    [InlineData(0x67u, 0x8bu, X86Vector.GeneralProtection)]
    public void Switch_BadDescriptor_FaultsInTheOldTask(uint limit, uint access, X86Vector vector)
    {
        _f.SetGdt(SystemFixture.SecondTss, SystemFixture.Segment((uint)Next, limit, access, 0));

        Assert.Equal(new X86Fault(vector, SystemFixture.SecondTss), _f.Fault(() => _f.Cpu.FarCall(0, SystemFixture.SecondTss, 4)));
        Assert.Equal((SystemFixture.Tss, 0x4000UL), (_f.Selector(X86Segment.Tr), _f.Rip));
    }

    [Fact]
    public void Switch_TrapBit_LeavesADebugTrapPending()
    {
        _f.Write(Next + 0x64, 1, 2);

        _f.Cpu.FarCall(0, SystemFixture.SecondTss, 4);
        Assert.True(_f.Cpu.TakeDebugTrap());

        Assert.Equal(SystemFixture.Handler + 1, _f.Rip);
        Assert.True((_f.State->Dr[6] & 0x8000) != 0);
    }

    [Fact]
    public void Switch_ToVm86Task_LoadsRealSegments()
    {
        _f.Write(Next + 0x24, Rflags.Vm | 2, 4);
        _f.Write(Next + 0x4c, 0x1000, 4);

        _f.Cpu.FarJump(0, SystemFixture.SecondTss, 4);

        Assert.Equal((0x1_0000UL, 3u), (_f.State->SegmentBase[X86Segment.Cs], _f.State->Cpl));
    }

    private ulong Access(ushort selector) => _f.Read(SystemFixture.Gdt + selector + 5, 1);

    private ulong Old(uint offset) => _f.Read(SystemFixture.TssBase + offset, 4);

    private void PrepareSecondTask()
    {
        _f.Write(Next + 0x20, 0x6000, 4);
        _f.Write(Next + 0x24, 2, 4);
        _f.Write(Next + 0x28, 0xaaaa, 4);
        _f.Write(Next + 0x38, 0x7800, 4);
        for (uint offset = 0x48; offset <= 0x5c; offset += 4)
        {
            _f.Write(Next + offset, SystemFixture.Data32, 4);
        }

        _f.Write(Next + 0x4c, SystemFixture.Code32, 4);
    }
}
