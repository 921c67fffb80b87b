using Emu.Core.Cpu;
using Emu.Frontend.X86;
using Emu.Frontend.X86.Helpers;

namespace Emu.Tests.X86System;

public sealed unsafe class StateTests : IDisposable
{
    private readonly SystemFixture _f = new();

    public void Dispose() => _f.Dispose();

    [Fact]
    public void Reset_State_IsThePowerOnState()
    {
        X86State state = _f.Cpu.GetState();

        Assert.Equal((0xfff0UL, 2UL, 0x6000_0010UL, 0x0006_0fb1UL), (state.Rip, state.Rflags, state.Cr0, state.Gpr[2]));
        Assert.Equal(new SegmentState(0xf000, 0xffff_0000, 0xffff, 0x9b), state.Segments[1]);
        Assert.Equal(new SegmentState(0, 0, 0xffff, 0x93), state.Segments[3]);
        Assert.Equal((0xffff_0ff0UL, 0x400UL), (state.Dr[4], state.Dr[5]));
        Assert.Equal((0xffff_0000UL << 32) | X86ModeKey.FloatDefault, _f.State->Header.ModeKey);
    }

    [Fact]
    public void Init_KeepsMsrsAndSipiStarts()
    {
        _f.EnterLong();
        _f.State->Star = 5;

        _f.Cpu.InitReset();
        Assert.Equal((0UL, 5UL, 0UL, 0xfff0UL), (_f.State->Efer, _f.State->Star, _f.State->Cr3, _f.Rip));
        _f.Cpu.StartFromSipi(0x9a);

        Assert.Equal((0UL, 0x9_a000UL, 0x9a00), (_f.Rip, _f.State->SegmentBase[X86Segment.Cs], (int)_f.Selector(X86Segment.Cs)));
    }

    [Fact]
    public void State_LongMode_RoundTripsThroughTheRecord()
    {
        _f.EnterLong();
        _f.State->Gpr[15] = 0x1234_5678_9abc_def0;
        _f.State->KernelGsBase = 0xffff_8000_0000_0000;
        _f.State->X87Top = 3;
        _f.State->Vector[X86CpuState.VectorStride] = 0x77;
        _f.Cpu.SetRflags(Rflags.If | Rflags.Zf | 2);
        _f.State->NmiBlocked = 1;
        X86State first = _f.Cpu.GetState();

        using var other = new SystemFixture();
        other.Cpu.SetState(first);
        X86State second = other.Cpu.GetState();

        Assert.Equal(first.Gpr, second.Gpr);
        Assert.Equal(first.Segments, second.Segments);
        Assert.Equal(first.Msrs, second.Msrs);
        Assert.Equal(first.Xsave, second.Xsave);
        Assert.Equal(first.Dr, second.Dr);
        Assert.Equal((first.Rip, first.Rflags, first.Cr0, first.Cr3, first.Cr4, first.Tr), (second.Rip, second.Rflags, second.Cr0, second.Cr3, second.Cr4, second.Tr));
        Assert.True(second.NmiBlocked);
        Assert.Equal(_f.State->Header.ModeKey, other.State->Header.ModeKey);
    }

    [Fact]
    public void State_UserMode_TakesCplFromSs()
    {
        _f.EnterLong();
        _f.SetFlat(SystemFixture.UserCode64, SystemFixture.UserData32, 3);
        X86State state = _f.Cpu.GetState();
        _f.Cpu.Reset();

        _f.Cpu.SetState(state);

        Assert.Equal(3u, _f.State->Cpl);
    }

    public static TheoryData<string> BadStates => ["cr0", "cr4", "efer", "rip", "cr3", "cr8", "xcr0", "rflags", "segment", "gpr", "xsave", "msr", "lstar", "cs", "vm", "null"];

    [Theory]
    [MemberData(nameof(BadStates))]
    public void SetState_Impossible_IsRefusedWithoutChange(string what)
    {
        _f.EnterLong();
        X86State good = _f.Cpu.GetState();
        X86State bad = what switch
        {
            "cr0" => good with { Cr0 = ControlBits.Cr0Pg },
            "cr4" => good with { Cr4 = 1UL << 60 },
            "rip" => good with { Rip = 1UL << 63 },
            "cr3" => good with { Cr3 = 1UL << 60 },
            "cr8" => good with { Cr8 = 16 },
            "xcr0" => good with { Xcr0 = 4 },
            "rflags" => good with { Rflags = 1UL << 40 },
            "vm" => good with { Rflags = Rflags.Vm },
            "gpr" => good with { Gpr = new ulong[3] },
            "null" => good with { Msrs = null! },
            "xsave" => good with { Xsave = new byte[100] },
            "efer" => good with { Msrs = new() { [0xc000_0080] = ControlBits.EferLma } },
            "msr" => good with { Msrs = new(good.Msrs) { [0x9999] = 0 } },
            "lstar" => good with { Msrs = new(good.Msrs) { [0xc000_0082] = 1UL << 47 } },
            "cs" => good with { Segments = [.. good.Segments.Select((s, i) => i == 1 ? s with { Attributes = 0x1_0000 } : s)] },
            _ => good with { Segments = [.. good.Segments.Select(s => s with { Base = 1UL << 60 })] },
        };

        Assert.ThrowsAny<ArgumentException>(() => _f.Cpu.SetState(bad));
        Assert.Equal((good.Rip, good.Cr0, good.Cr4), (_f.Rip, _f.State->Cr0, _f.State->Cr4));
    }

    [Fact]
    public void Cpuid_Helper_AnswersInTheRegisters()
    {
        _f.State->Gpr[0] = 0xffff_ffff_8000_0000;

        MsrHelpers.CpuidHelper(&_f.State->Header, 0, 0, 0);

        Assert.Equal((0x8000_0008UL, 0x6874_7541UL), (_f.State->Gpr[0], _f.State->Gpr[3]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Garbage_InAllSystemStructures_NeverEscapes(int seed)
    {
        var random = new Random(seed);
        byte[] noise = new byte[0x4000];
        for (int round = 0; round < 300; round++)
        {
            random.NextBytes(noise);
            _f.Memory.Write(0x1000, noise);
            _f.BuildGdt();
            _f.Cpu.Reset();
            if (round % 3 == 1)
            {
                _f.EnterProtected();
            }
            else if (round % 3 == 2)
            {
                _f.EnterLong();
            }

            // The structures stay partly sane, so that the deeper checks are reached too.
            _f.Memory.Write(0x1000 + (ulong)random.Next(0x100), noise.AsSpan(0, random.Next(64)));
            _f.Memory.Write(0x2000, noise.AsSpan(0, random.Next(0x300)));
            _f.Memory.Write(0x3000, noise.AsSpan(0, random.Next(0x1000)));
            for (int step = 0; step < 40; step++)
            {
                Poke(random);
            }
        }
    }

    private void Poke(Random random)
    {
        ulong a = random.Next(4) == 0 ? (ulong)random.NextInt64() : (ulong)random.Next(0x9000);
        ushort selector = (ushort)random.Next(0x100);
        int size = 1 << random.Next(1, 4);
        try
        {
            switch (random.Next(14))
            {
                case 0: _f.Cpu.FarJump(a, selector, size); break;
                case 1: _f.Cpu.FarCall(a, selector, size); break;
                case 2: _f.Cpu.FarReturn((uint)random.Next(16), size); break;
                case 3: _f.Cpu.Iret(size); break;
                case 4: _f.Cpu.SoftwareInterrupt((byte)a, SoftwareInterruptKind.IntN); break;
                case 5: _f.Cpu.LoadSegment(random.Next(8), selector, true); break;
                case 6: _f.Cpu.WriteControl(random.Next(9), (ulong)random.NextInt64() & 0x8000_0000_803f_ffff); break;
                case 7: _f.Cpu.Lldt(selector); break;
                case 8: _f.Cpu.Ltr(selector); break;
                case 9: _f.Cpu.Syscall(); break;
                case 10: _f.Cpu.Sysret(8); break;
                case 11: _f.Rsp = a; break;
                case 12: _f.Cpu.SetRflags(a); break;
                default: _f.Cpu.TryWriteMsr(0xc000_0080 + (uint)random.Next(5), a); break;
            }
        }
        catch (GuestFaultException)
        {
            if (!_f.Cpu.DeliverException(_f.Cpu.PendingFault))
            {
                _f.Cpu.Reset();
            }
        }
    }
}
