using Emu.Accel.Kvm;
using Emu.Core.Cpu;
using Emu.Tests.X86System;

namespace Emu.Tests.Kvm;

/// <summary>Every field of <see cref="X86State"/> set to something telling, put into tcg and kvm, read back and compared.</summary>
public sealed class StateRoundTripTests
{
    // What a KVM without hardware virtualisation, or any KVM, does not give back as it was set; and why.
    private static readonly Dictionary<string, string> NotHeld = new()
    {
        ["msr 10"] = "the TSC runs on, at the host's frequency",
        ["apic TscOffset"] = "a KVM vCPU's TSC is no function of virtual time",
        ["apic PendingErrors"] = "KVM shows only the error status register",
        ["apic TimerElapsedNs"] = "the timer runs on",
        ["halted"] = "a vCPU of KVM that holds an interrupt or exception to deliver does not stay halted",
    };

    [Fact]
    public void Tcg_GivesBackEveryField()
    {
        using var fixture = new SystemFixture();
        X86State state = Telling(fixture.Cpu.GetState(), LongModeMsrs()) with { PendingException = null, PendingInterrupt = null };
        fixture.Cpu.SetState(state);
        AssertSame(state, fixture.Cpu.GetState(), ["msr 10"]);
    }

    [KvmTheory]
    [InlineData(KernelIrqChipMode.Off)]
    [InlineData(KernelIrqChipMode.Split)]
    [InlineData(KernelIrqChipMode.On)]
    public void Kvm_GivesBackEveryField(KernelIrqChipMode mode)
    {
        using var bench = new KvmBench(mode: mode);
        using var fixture = new SystemFixture();
        X86State state = Telling(fixture.Cpu.GetState(), LongModeMsrs());
        bench.Vcpu.SetState(state);
        AssertSame(state, bench.Vcpu.GetState(), NotHeld.Keys);
    }

    [KvmTheory]
    [InlineData(KernelIrqChipMode.Off)]
    [InlineData(KernelIrqChipMode.Split)]
    public void State_TravelsFromTcgToKvmAndBack(KernelIrqChipMode mode)
    {
        using var source = new SystemFixture();
        source.Cpu.SetState(Telling(source.Cpu.GetState(), LongModeMsrs()) with { PendingException = null, PendingInterrupt = null });
        X86State before = source.Cpu.GetState();
        using var bench = new KvmBench(mode: mode);
        bench.Vcpu.SetState(before with { Apic = TellingApic() });
        using var target = new SystemFixture();
        X86State there = bench.Vcpu.GetState();
        target.Cpu.SetState(there);
        AssertSame(before, target.Cpu.GetState(), [.. NotHeld.Keys, "apic"]);
    }

    [KvmFact]
    public void Kvm_RefusesWhatNoCpuCanBe()
    {
        using var bench = new KvmBench();
        X86State good = KvmBench.RealMode();
        Assert.Throws<ArgumentException>(() => bench.Vcpu.SetState(good with { Gpr = new ulong[3] }));
        Assert.Throws<ArgumentException>(() => bench.Vcpu.SetState(good with { Xsave = new byte[100] }));
        Assert.Throws<ArgumentException>(() => bench.Vcpu.SetState(good with { Msrs = new() { [0x9999] = 1 } }));
        Assert.Throws<KvmException>(() => bench.Vcpu.SetState(good with { Cr4 = 1UL << 60 }));
    }

    private static SortedDictionary<uint, ulong> LongModeMsrs() => new()
    {
        [0x10] = 0x1_0000_0000,
        [0x3b] = 0,
        [0x174] = 0x10,
        [0x175] = 0xffff_8000_0000_1000,
        [0x176] = 0xffff_8000_0000_2000,
        [0x1a0] = 1,
        [0x277] = 0x0007_0406_0007_0401,
        [0x2ff] = 0xc06,
        [0x250] = 0x0606_0606_0606_0606,
        [0x200] = 0x1000_0006,
        [0x201] = 0xff_f000_0800,
        [0xc000_0080] = 0xd01,
        [0xc000_0081] = 0x0013_0008_0000_0000,
        [0xc000_0082] = 0xffff_8000_0000_3000,
        [0xc000_0083] = 0xffff_8000_0000_4000,
        [0xc000_0084] = 0x4_7700,
        [0xc000_0102] = 0xffff_8000_0000_5000,
        [0xc000_0103] = 7,
    };

    private static X86State Telling(X86State any, SortedDictionary<uint, ulong> msrs)
    {
        var data = new SegmentState(0x10, 0, 0xffff_ffff, 0xc093);
        byte[] xsave = [.. any.Xsave];
        xsave[0] = 0x7f;
        xsave[1] = 0x02;
        xsave[2] = 0x00;
        xsave[3] = 0x38; // top 7: one register in use
        xsave[4] = 0x80;
        BitConverter.GetBytes(0x1fa0u).CopyTo(xsave, 24);
        BitConverter.GetBytes(0x8123_4567_89ab_cdefUL).CopyTo(xsave, 32);
        xsave[40] = 0x01;
        xsave[41] = 0x40;
        for (int i = 160; i < 416; i++)
        {
            xsave[i] = (byte)(i * 7);
        }

        return any with
        {
            Gpr = [.. Enumerable.Range(1, 16).Select(i => 0x0101_0101_0101_0101UL * (ulong)i)],
            Rip = 0x1234_5678,
            Rflags = 0x246,
            Segments = [data, new SegmentState(0x08, 0, 0xffff_ffff, 0xa09b), data, data, data with { Base = 0x7fff_0000_1000 }, data with { Base = 0xffff_8000_0000_6000 }],
            Ldtr = new SegmentState(0x28, 0x5000, 0xfff, 0x82),
            Tr = new SegmentState(0x30, 0x6000, 0x67, 0x8b),
            Gdtr = new DescriptorTableState(0xffff_8000_0000_7000, 0x7f),
            Idtr = new DescriptorTableState(0xffff_8000_0000_8000, 0xfff),
            Cr0 = 0x8005_0033,
            Cr2 = 0xdead_beef_000,
            Cr3 = 0x10_0000,
            Cr4 = 0x6a0,
            Cr8 = 5,
            Xcr0 = 3,
            Dr = [0x1000, 0x2000, 0x3000, 0x4000, 0xffff_0ff1, 0x401],
            Msrs = msrs,
            Xsave = xsave,
            NmiBlocked = true,
            PendingException = new PendingException(13, 0x18),
            PendingInterrupt = null,
            Apic = TellingApic(),
        };
    }

    private static LocalApicState TellingApic() => new()
    {
        BaseMsr = 0xfee0_0900,
        TaskPriority = 0x50,
        LogicalDestination = 0x0100_0000,
        DestinationFormat = uint.MaxValue,
        SpuriousVector = 0x1ff,
        InService = [0, 0, 0, 1, 0, 0, 0, 0],
        TriggerMode = [0, 0, 0, 0, 1, 0, 0, 0],
        InterruptRequest = [0, 0, 2, 0, 0, 0, 0, 0],
        InterruptCommand = 0x0100_0000_0000_0045,
        Lvt = [0x1_0031, 0x1_0000, 0x1_0000, 0x700, 0x400, 0xfe],
        DivideConfiguration = 0xb,
    };

    private static void AssertSame(X86State expected, X86State actual, IEnumerable<string> ignored)
    {
        var ignore = ignored.ToHashSet();
        var there = Describe(actual).ToDictionary(field => field.Name, field => field.Value);
        string[] differences = [.. Describe(expected)
            .Where(field => !ignore.Contains(field.Name) && !(ignore.Contains("apic") && field.Name.StartsWith("apic", StringComparison.Ordinal)))
            .Where(field => there.GetValueOrDefault(field.Name) != field.Value)
            .Select(field => $"{field.Name}: {field.Value} became {there.GetValueOrDefault(field.Name, "nothing")}")];
        Assert.True(differences.Length == 0, string.Join('\n', differences));
    }

    private static IEnumerable<(string Name, string Value)> Describe(X86State s)
    {
        for (int i = 0; i < 16; i++)
        {
            yield return ($"gpr {i}", $"{s.Gpr[i]:x}");
        }

        for (int i = 0; i < 6; i++)
        {
            yield return ($"segment {i}", $"{s.Segments[i]}");
            yield return ($"dr {i}", $"{s.Dr[i]:x}");
        }

        foreach ((uint index, ulong value) in s.Msrs)
        {
            yield return ($"msr {index:x}", $"{value:x}");
        }

        foreach ((string name, object? value) in ((string, object?)[])[
            ("rip", s.Rip), ("rflags", s.Rflags), ("ldtr", s.Ldtr), ("tr", s.Tr), ("gdtr", s.Gdtr), ("idtr", s.Idtr), ("cr0", s.Cr0), ("cr2", s.Cr2),
            ("cr3", s.Cr3), ("cr4", s.Cr4), ("cr8", s.Cr8), ("xcr0", s.Xcr0), ("halted", s.Halted), ("sipi", s.WaitForSipi), ("shadow", s.InterruptShadow),
            ("nmi pending", s.NmiPending), ("nmi blocked", s.NmiBlocked), ("exception", s.PendingException), ("interrupt", s.PendingInterrupt),
            ("x87", Convert.ToHexString(s.Xsave, 0, 24)), ("mxcsr", BitConverter.ToUInt32(s.Xsave, 24)), ("st", Convert.ToHexString(s.Xsave, 32, 10)),
            ("xmm", Convert.ToHexString(s.Xsave, 160, 256))])
        {
            yield return (name, $"{value}");
        }

        foreach (System.Reflection.PropertyInfo property in s.Apic is null ? [] : typeof(LocalApicState).GetProperties())
        {
            object? value = property.GetValue(s.Apic);
            yield return ($"apic {property.Name}", value is uint[] words ? string.Join(',', words) : $"{value:x}");
        }
    }
}
