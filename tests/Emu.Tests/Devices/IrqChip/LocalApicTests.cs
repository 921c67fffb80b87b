using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Time;
using Emu.Devices.IrqChip;

namespace Emu.Tests.Devices.IrqChip;

public sealed class LocalApicTests
{
    [Fact]
    public void FixedIpi_ToPhysicalId_NotifiesOnlyThatCpu()
    {
        var rig = new ApicRig();

        rig.Write(0x310, 1u << 24);
        rig.Write(ApicRig.Icr, 0x4050);

        Assert.True(rig.Apics[1].HasPendingInterrupt);
        Assert.False(rig.Apics[0].HasPendingInterrupt);
        Assert.Equal(["irq"], rig.Cpus[1].Events);
        Assert.Equal([0x50], rig.Take(1));
    }

    [Theory]
    [InlineData(0x44050u, "0")]
    [InlineData(0x84050u, "0,1,2")]
    [InlineData(0xC4050u, "1,2")]
    public void Ipi_Shorthand_ReachesItsCpus(uint command, string expected)
    {
        var rig = new ApicRig(3);

        rig.Write(ApicRig.Icr, command);

        Assert.Equal(expected, Pending(rig));
    }

    [Theory]
    [InlineData(0xFFFF_FFFFu, 0x06u, "1,2")]
    [InlineData(0xFFFF_FFFFu, 0xFFu, "0,1,2")]
    [InlineData(0x0FFF_FFFFu, 0x06u, "1,2")]
    [InlineData(0x0FFF_FFFFu, 0x16u, "")]
    [InlineData(0x0FFF_FFFFu, 0xF4u, "2")]
    public void Ipi_LogicalDestination_FollowsTheModel(uint format, uint destination, string expected)
    {
        var rig = new ApicRig(3);
        for (int cpu = 0; cpu < 3; cpu++)
        {
            rig.Write(0xE0, format, cpu);
            rig.Write(0xD0, 1u << (24 + cpu), cpu);
        }

        rig.Write(0x310, destination << 24);
        rig.Write(ApicRig.Icr, 0x4850);

        Assert.Equal(expected, Pending(rig));
    }

    [Fact]
    public void Ipi_LowestPriority_PrefersTheCpuWithTheLowerTpr()
    {
        var rig = new ApicRig(3);
        rig.Write(0x80, 0x40, 0);
        rig.Write(0x80, 0x10, 1);
        rig.Write(0x80, 0x20, 2);

        rig.Apics.Send(new MsiMessage(0xFEEF_F000, 0x0150));

        Assert.Equal("1", Pending(rig));
    }

    [Fact]
    public void InitSipiNmi_GoToTheCpu()
    {
        var rig = new ApicRig();

        rig.Write(0x310, 1u << 24);
        rig.Write(ApicRig.Icr, 0x4500);
        rig.Write(ApicRig.Icr, 0x8500);
        rig.Write(ApicRig.Icr, 0x4608);
        rig.Write(ApicRig.Icr, 0x4400);

        Assert.Equal(["init", "sipi 08", "nmi"], rig.Cpus[1].Events);
    }

    [Fact]
    public void Priority_HigherClassNests_SameClassWaits()
    {
        var rig = new ApicRig();
        rig.Write(ApicRig.Icr, 0x44051);
        Assert.Equal(0x51, rig.Apics[0].AcknowledgeInterrupt());

        rig.Write(ApicRig.Icr, 0x4405F);
        Assert.False(rig.Apics[0].HasPendingInterrupt);
        Assert.Equal(-1, rig.Apics[0].AcknowledgeInterrupt());
        Assert.Equal(0x50u, rig.Read(0xA0));

        rig.Write(ApicRig.Icr, 0x44060);
        Assert.Equal(0x60, rig.Apics[0].AcknowledgeInterrupt());
        rig.Write(0xB0, 0);
        rig.Write(0xB0, 0);
        Assert.Equal(0x5F, rig.Apics[0].AcknowledgeInterrupt());
    }

    [Fact]
    public void Cr8_AtTheInterruptsClass_HoldsItUntilLowered()
    {
        var rig = new ApicRig();
        rig.Apics[0].TaskPriorityClass = 5;
        rig.Write(ApicRig.Icr, 0x44050);
        Assert.False(rig.Apics[0].HasPendingInterrupt);
        Assert.Equal(0x50u, rig.Read(0x80));

        rig.Apics[0].TaskPriorityClass = 4;

        Assert.True(rig.Apics[0].HasPendingInterrupt);
        Assert.Equal(["irq"], rig.Cpus[0].Events);
    }

    [Fact]
    public void Timer_OneShot_FiresOnceAfterTheDividedCount()
    {
        var rig = new ApicRig();
        rig.Write(0x320, 0x30);
        rig.Write(0x3E0, 0b0011);
        rig.Write(0x380, 1000);

        rig.Clock.Advance(15_000, rig.Timers);
        Assert.Equal(63u, rig.Read(0x390));
        Assert.Empty(rig.Take());
        rig.Clock.Advance(1_000, rig.Timers);

        Assert.Equal([0x30], rig.Take());
        Assert.Equal(0u, rig.Read(0x390));
        rig.Clock.Advance(1_000_000, rig.Timers);
        Assert.Empty(rig.Take());
    }

    [Fact]
    public void Timer_Periodic_DoesNotDriftWhenTheCallbackIsLate()
    {
        var rig = new ApicRig();
        rig.Write(0x320, 0x20030);
        rig.Write(0x3E0, 0b1011);
        rig.Write(0x380, 1_000_000);

        rig.Clock.Advance(2_300_000);
        rig.Timers.RunExpired();

        Assert.Equal([0x30], rig.Take());
        Assert.Equal(3_000_000, rig.Timers.NextDeadlineNs);
        Assert.Equal(700_000u, rig.Read(0x390));
    }

    [Fact]
    public void Timer_TinyPeriod_IsFloored()
    {
        var rig = new ApicRig();
        rig.Write(0x320, 0x20030);
        rig.Write(0x3E0, 0b1011);
        rig.Write(0x380, 1);

        rig.Clock.Advance(5_000_000);
        Assert.Equal(1, rig.Timers.RunExpired());

        Assert.Equal(5_100_000, rig.Timers.NextDeadlineNs);
    }

    [Fact]
    public void Timer_TscDeadline_FiresWhenTheGuestsTscReachesIt()
    {
        var rig = new ApicRig();
        rig.Clock.Advance(10_000);
        rig.Apics[0].TscOffset = -10_000;
        rig.Write(0x320, 0x40031);
        Assert.True(rig.Apics[0].TryWriteMsr(0x6E0, 500));

        rig.Clock.Advance(499, rig.Timers);
        Assert.Empty(rig.Take());
        Assert.True(rig.Apics[0].TryReadMsr(0x6E0, out ulong armed));
        Assert.Equal(500UL, armed);
        rig.Clock.Advance(1, rig.Timers);

        Assert.Equal([0x31], rig.Take());
        Assert.True(rig.Apics[0].TryReadMsr(0x6E0, out ulong after));
        Assert.Equal(0UL, after);
    }

    [Theory]
    [InlineData(ulong.MaxValue, false)]
    [InlineData(1UL, true)]
    public void Timer_TscDeadlineFarOrPast_NeverOrAtOnce(ulong deadline, bool fires)
    {
        var rig = new ApicRig();
        rig.Clock.Advance(1000);
        rig.Write(0x320, 0x40031);

        rig.Apics[0].TryWriteMsr(0x6E0, deadline);

        Assert.Equal(fires, rig.Apics[0].HasPendingInterrupt);
    }

    [Fact]
    public void Pic_ThroughLint0_ReachesTheBootProcessorUntilMasked()
    {
        var rig = new ApicRig();
        rig.Apics.Reset();
        rig.Apics.AcknowledgePic = () =>
        {
            rig.Apics.PicOutput.Set(false);
            return 0x08;
        };

        rig.Apics.PicOutput.Set(true);
        Assert.True(rig.Apics[0].HasPendingInterrupt);
        Assert.False(rig.Apics[1].HasPendingInterrupt);
        Assert.Equal(0x08, rig.Apics[0].AcknowledgeInterrupt());
        Assert.False(rig.Apics[0].HasPendingInterrupt);

        rig.Write(0xF0, 0x1FF);
        rig.Write(0x350, 0x10700);
        rig.Apics.PicOutput.Set(true);
        Assert.False(rig.Apics[0].HasPendingInterrupt);
        Assert.True(rig.Apics[0].TryWriteBaseMsr(0xFEE0_0100));
        Assert.True(rig.Apics[0].HasPendingInterrupt);
    }

    [Theory]
    [InlineData(0xFEE0_0800UL, 0xFEE0_0C00UL, true)]
    [InlineData(0xFEE0_0C00UL, 0xFEE0_0800UL, false)]
    [InlineData(0xFEE0_0C00UL, 0xFEE0_0000UL, true)]
    [InlineData(0xFEE0_0000UL, 0xFEE0_0C00UL, false)]
    [InlineData(0xFEE0_0800UL, 0xFEE0_0400UL, false)]
    [InlineData(0xFEE0_0800UL, 0xFEE0_0A00UL, false)]
    [InlineData(0xFEE0_0800UL, 0xFFF0_0000_FEE0_0800UL, false)]
    public void BaseMsr_Transition_FaultsWhereTheManualSays(ulong from, ulong to, bool legal)
    {
        var rig = new ApicRig();
        Assert.True(rig.Apics[0].TryWriteBaseMsr(from));

        Assert.Equal(legal, rig.Apics[0].TryWriteBaseMsr(to));
        Assert.Equal(legal ? to : from, rig.Apics[0].BaseMsr);
    }

    [Fact]
    public void X2Apic_RegistersAreMsrsAndThePageIsGone()
    {
        var rig = new ApicRig(18);
        Assert.False(rig.Apics[17].TryReadMsr(0x802, out _));
        rig.EnterX2Apic(17);

        Assert.True(rig.Apics[17].TryReadMsr(0x802, out ulong id));
        Assert.True(rig.Apics[17].TryReadMsr(0x80D, out ulong logical));
        Assert.Equal(17UL, id);
        Assert.Equal(0x1_0002UL, logical);
        Assert.Equal(uint.MaxValue, rig.Read(0x20, 17));
    }

    [Theory]
    [InlineData(0x80Eu, 0UL)]
    [InlineData(0x802u, 0UL)]
    [InlineData(0x80Bu, 1UL)]
    [InlineData(0x808u, 0x100UL)]
    [InlineData(0x831u, 0UL)]
    [InlineData(0x838u, 0x1_0000_0000UL)]
    [InlineData(0x840u, 0UL)]
    [InlineData(0x8FFu, 0UL)]
    [InlineData(0x10u, 0UL)]
    public void X2Apic_IllegalWrite_Faults(uint index, ulong value)
    {
        var rig = new ApicRig();
        rig.EnterX2Apic();

        Assert.False(rig.Apics[0].TryWriteMsr(index, value));
    }

    [Fact]
    public void X2Apic_IcrAndSelfIpi_Deliver()
    {
        var rig = new ApicRig();
        rig.EnterX2Apic(0);
        rig.EnterX2Apic(1);

        Assert.True(rig.Apics[0].TryWriteMsr(0x830, (1UL << 32) | 0x50));
        Assert.True(rig.Apics[0].TryWriteMsr(0x83F, 0x60));
        Assert.True(rig.Apics[0].TryWriteMsr(0x830, (2UL << 32) | 0x851));

        Assert.Equal(0x60, rig.Apics[0].AcknowledgeInterrupt());
        Assert.Equal(0x51, rig.Apics[1].AcknowledgeInterrupt());
    }

    [Fact]
    public void IllegalVector_SetsEsrOnWriteAndRaisesTheErrorInterrupt()
    {
        var rig = new ApicRig();
        rig.Write(0x370, 0x33);

        rig.Write(ApicRig.Icr, 0x44005);

        Assert.Equal([0x33], rig.Take());
        Assert.Equal(0u, rig.Read(0x280));
        rig.Write(0x280, 0);
        Assert.Equal(0x20u, rig.Read(0x280));
    }

    [Fact]
    public void ErrorEntryWithIllegalVector_DoesNotRecurse()
    {
        var rig = new ApicRig();
        rig.Write(0x370, 0x03);

        rig.Write(ApicRig.Icr, 0x44005);
        rig.Write(0x280, 0);

        Assert.Equal(0x60u, rig.Read(0x280));
    }

    [Fact]
    public void SoftwareDisabled_MasksLvtsAndDropsFixedInterrupts()
    {
        var rig = new ApicRig();
        rig.Write(0x320, 0x30);

        rig.Write(0xF0, 0xFF);
        rig.Apics.Send(new MsiMessage(0xFEE0_0000, 0x50));

        Assert.Equal(0x10030u, rig.Read(0x320));
        Assert.False(rig.Apics[0].HasPendingInterrupt);
    }

    [Theory]
    [InlineData(0xFEE0_1000UL, 0x0000_0041u, "1")]
    [InlineData(0xFEEF_F000UL, 0x0000_0041u, "0,1")]
    [InlineData(0xFEE0_1000UL, 0x0000_8041u, "")]
    [InlineData(0xFED0_1000UL, 0x0000_0041u, "")]
    [InlineData(0x1_FEE0_1000UL, 0x0000_0041u, "")]
    public void Msi_Address_SelectsTheCpu(ulong address, uint data, string expected)
    {
        var rig = new ApicRig();

        rig.Apics.Send(new MsiMessage(address, data));

        Assert.Equal(expected, Pending(rig));
    }

    // The host's clock goes on between two looks at it, longer than the shortest counts that guests use.
    [Fact]
    public void Timer_OneShotEndsWhileItIsBeingSet_StillInterrupts()
    {
        var timers = new TimerQueue(new RestlessClock());
        int fired = 0;
        var timer = new LocalApicTimer(timers, () => fired++) { DivideConfiguration = 0b1011 };

        timer.InitialCount = 15;

        Assert.NotNull(timers.NextDeadlineNs);
        timers.RunExpired();
        Assert.Equal((1, 0u), (fired, timer.CurrentCount));
        timer.DivideConfiguration = 0;
        Assert.Null(timers.NextDeadlineNs);
    }

    [Fact]
    public void SaveRestore_KeepsPendingInterruptsAndTheRunningTimer()
    {
        var rig = new ApicRig();
        rig.Write(0x320, 0x20030);
        rig.Write(0x3E0, 0b1011);
        rig.Write(0x380, 1_000_000);
        rig.Clock.Advance(250_000, rig.Timers);
        rig.Write(ApicRig.Icr, 0x44050);
        LocalApicState saved = rig.Apics[0].Save();

        var other = new ApicRig();
        other.Clock.Advance(77);
        other.Apics[0].Restore(saved);

        Assert.Equal([0x50], other.Take());
        other.Clock.Advance(749_999, other.Timers);
        Assert.Empty(other.Take());
        other.Clock.Advance(1, other.Timers);
        Assert.Equal([0x30], other.Take());
    }

    [Fact]
    public void Restore_HostileRecord_ThrowsAndLeavesTheDevice()
    {
        var rig = new ApicRig();
        LocalApicState good = rig.Apics[0].Save();

        foreach (LocalApicState bad in new[]
        {
            good with { Lvt = [] },
            good with { InterruptRequest = [1, 0, 0, 0, 0, 0, 0, 0] },
            good with { InService = null! },
            good with { BaseMsr = ulong.MaxValue },
            good with { TimerElapsedNs = -1 },
            good with { DivideConfiguration = 0x100 },
        })
        {
            Assert.Throws<InvalidDeviceStateException>(() => rig.Apics[0].Restore(bad));
        }

        Assert.Equal(good.BaseMsr, rig.Apics[0].BaseMsr);
    }

    [Fact]
    public void Page_EveryOffsetAndValue_NeverThrows()
    {
        var rig = new ApicRig();
        for (uint offset = 0; offset < 0x1000; offset += 4)
        {
            rig.Read(offset);
            rig.Write(offset, uint.MaxValue);
            rig.Write(offset, 0);
        }
    }

    private static string Pending(ApicRig rig) =>
        string.Join(',', Enumerable.Range(0, rig.Apics.Count).Where(cpu => rig.Apics[cpu].HasPendingInterrupt));
}
