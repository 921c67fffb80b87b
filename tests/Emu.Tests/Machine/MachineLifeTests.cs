using System.Diagnostics;
using Emu.Core.Cpu;
using Emu.Machine;

namespace Emu.Tests.MachineTests;

public sealed class MachineLifeTests
{
    private const ushort Pm1Control = 0x604;
    private const uint SoftOff = (1 << 13) | (5 << 10);

    [Fact]
    public void Run_GuestPowersOff_ReturnsZero()
    {
        using var rig = new MachineRig(PowerOff);

        Assert.Equal(MachineStatus.Created, rig.Machine.Status);
        Assert.Equal(0, rig.Machine.Run());
        Assert.Equal(MachineStatus.Finished, rig.Machine.Status);
        Assert.Throws<InvalidOperationException>(() => rig.Machine.Run());
    }

    [Fact]
    public void Run_PowerOffWithNoShutdown_Pauses()
    {
        using var rig = new MachineRig(PowerOff, MachineRig.Config with { NoShutdown = true });
        rig.Start();
        rig.WaitFor(() => rig.Machine.Status == MachineStatus.Paused);

        rig.Machine.RequestStop(7);

        Assert.Equal(7, rig.WaitForExit());
    }

    [Theory]
    [InlineData(0u, 1)]
    [InlineData(0x10u, 33)]
    public void Run_DebugExit_ReturnsOddCode(uint value, int expected)
    {
        using var rig = new MachineRig(Script);
        Assert.Equal(expected, rig.Machine.Run());

        IEnumerable<GuestStep> Script(FakeVcpu cpu)
        {
            cpu.Out(MachineRig.ExitPort, value, 4);
            yield return GuestStep.Next;
            yield return Fail("the guest went on after its exit");
        }
    }

    [Fact]
    public void Run_Start_GivesCpusTheirStates()
    {
        using var rig = new MachineRig(PowerOff, MachineRig.Config with { Smp = new SmpSpec(2) });
        rig.Machine.Run();

        X86State boot = Assert.Single(rig.Accelerator.Vcpus[0].States);
        Assert.Equal((MachineRig.ImageAddress, false), (boot.Rip, boot.WaitForSipi));
        Assert.True(Assert.Single(rig.Accelerator.Vcpus[1].States).WaitForSipi);
        Assert.Equal(0x3322_11F4u, rig.Machine.Memory.Read(MachineRig.ImageAddress, 4));
        Assert.Equal(2, rig.Machine.VcpuCount);
        Assert.Equal(boot, rig.Machine.GetVcpuState(0));
    }

    public static TheoryData<ushort, uint> ResetPorts => new() { { 0x64, 0xFE }, { 0xCF9, 0x06 }, { 0x92, 0x01 } };

    [Theory]
    [MemberData(nameof(ResetPorts))]
    public void Reset_ByPort_StartsOver(ushort port, uint value)
    {
        int starts = 0;
        using var rig = new MachineRig(Script);

        Assert.Equal(1, rig.Machine.Run());
        Assert.Equal(3, starts);
        Assert.Equal(MachineResetCause.Requested, rig.Machine.LastResetCause);

        IEnumerable<GuestStep> Script(FakeVcpu cpu)
        {
            yield return GuestStep.Next;
            Assert.Equal(0xF4u, cpu.Load(MachineRig.ImageAddress));
            Assert.Equal(0xFFu, cpu.In(0x21) | 0xFFu);
            if (++starts == 3)
            {
                cpu.Out(MachineRig.ExitPort, 0);
                yield return GuestStep.Next;
            }

            cpu.Store(MachineRig.ImageAddress, 0xCC);
            cpu.Out(port, value);
            cpu.Out(port, value);
            yield return GuestStep.Next;
        }
    }

    [Fact]
    public void Reset_Devices_AreReset()
    {
        uint first = 0;
        uint? second = null;
        using var rig = new MachineRig(Script, MachineRig.Config with { Serials = [new CharSpec(CharKind.Null)] });
        rig.Machine.Run();

        Assert.Equal((0x5Au, 0u), (first, second));

        IEnumerable<GuestStep> Script(FakeVcpu cpu)
        {
            yield return GuestStep.Next;
            if (first != 0)
            {
                second = cpu.In(0x3FF);
                cpu.Out(MachineRig.ExitPort, 0);
            }

            cpu.Out(0x3FF, 0x5A);
            first = cpu.In(0x3FF);
            yield return GuestStep.TripleFault;
        }
    }

    [Fact]
    public void TripleFault_Loop_StillObeysStop()
    {
        int starts = 0;
        using var rig = new MachineRig(Script, MachineRig.Config with { Smp = new SmpSpec(2) });
        rig.Start();
        rig.WaitFor(() => Volatile.Read(ref starts) > 100);

        rig.Machine.RequestStop();

        Assert.Equal(0, rig.WaitForExit());

        IEnumerable<GuestStep> Script(FakeVcpu cpu)
        {
            Interlocked.Increment(ref starts);
            yield return GuestStep.TripleFault;
        }
    }

    [Fact]
    public void TripleFault_WithNoReboot_ReturnsZero()
    {
        using var rig = new MachineRig(_ => [GuestStep.TripleFault], MachineRig.Config with { NoReboot = true });
        Assert.Equal(MachineResetCause.None, rig.Machine.LastResetCause);
        Assert.Equal(0, rig.Machine.Run());
        Assert.Single(rig.Cpu.States);
        Assert.Equal(MachineResetCause.TripleFault, rig.Machine.LastResetCause);
    }

    [Fact]
    public void RequestStop_GuestLoopsForEver_EndsAtOnce()
    {
        using var rig = new MachineRig(Loop, MachineRig.Config with { Smp = new SmpSpec(4) });
        rig.Start();
        rig.WaitFor(() => rig.Cpu.Statistics.Instructions > 1000);

        long start = Stopwatch.GetTimestamp();
        rig.Machine.RequestStop(143);
        int code = rig.WaitForExit();

        Assert.Equal(143, code);
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromMilliseconds(100));
    }

    [Fact]
    public void RequestStop_BeforeAndAfterTheRun_IsHarmless()
    {
        var rig = new MachineRig(Loop);
        rig.Machine.RequestStop(3);
        Assert.Equal(3, rig.Machine.Run());
        rig.Dispose();
        rig.Machine.RequestStop();
        rig.Machine.RequestReset();
        rig.Machine.Dispose();
    }

    [Fact]
    public void PauseAndResume_StopTheGuestAndTime()
    {
        using var rig = new MachineRig(Loop);
        rig.Start();
        rig.WaitFor(() => rig.Cpu.Statistics.Instructions > 0);
        Assert.Throws<InvalidOperationException>(() => rig.Machine.GetVcpuState(0));

        rig.Machine.Pause();
        (ulong instructions, long time) = (rig.Cpu.Statistics.Instructions, rig.Machine.Clock.NowNs);
        Thread.Sleep(30);
        Assert.Equal((instructions, time), (rig.Cpu.Statistics.Instructions, rig.Machine.Clock.NowNs));
        Assert.Equal(MachineStatus.Paused, rig.Machine.Status);
        _ = rig.Machine.GetVcpuState(0);

        rig.Machine.Resume();
        rig.WaitFor(() => rig.Cpu.Statistics.Instructions > instructions);
        Assert.InRange(rig.Machine.Clock.NowNs, time, time + 29_000_000);
    }

    [Fact]
    public void StartPaused_RunsNothingUntilResume()
    {
        using var rig = new MachineRig(PowerOff, MachineRig.Config with { StartPaused = true });
        rig.Start();
        rig.WaitFor(() => rig.Machine.Status == MachineStatus.Paused);
        long time = rig.Machine.Clock.NowNs;
        Thread.Sleep(20);
        Assert.Equal((0UL, time), (rig.Cpu.Statistics.Instructions, rig.Machine.Clock.NowNs));

        rig.Machine.RequestReset();
        rig.Machine.Resume();

        Assert.Equal(0, rig.WaitForExit());
    }

    [Fact]
    public void Run_CpuOrDeviceThrows_EndsWithOneLine()
    {
        using var rig = new MachineRig(Script);

        Assert.Equal(1, rig.Machine.Run());

        string failure = rig.Machine.Failure!;
        Assert.StartsWith("internal error: vcpu0: FormatException: bad thing", failure, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure);

        static IEnumerable<GuestStep> Script(FakeVcpu cpu)
        {
            yield return GuestStep.Next;
            throw new FormatException("bad\nthing");
        }
    }

    [Fact]
    public void Run_CpuGivesUp_EndsWithItsReason()
    {
        using var rig = new MachineRig(_ => [Fail("cannot go on")]);

        Assert.Equal(1, rig.Machine.Run());
        Assert.Equal("internal error: vcpu0: cannot go on", rig.Machine.Failure);
    }

    [Fact]
    public void PowerButtonAndNmi_ReachTheGuest()
    {
        using var rig = new MachineRig(Loop);
        rig.Start();
        rig.WaitFor(() => rig.Cpu.Statistics.Instructions > 0);

        rig.Machine.PressPowerButton();
        rig.Machine.PulseNmi();

        Assert.Equal(0x01u, rig.Machine.Ports.Read(0x601, 1));
    }

    [Fact]
    public void Statistics_Format_AlignsColumns()
    {
        using var rig = new MachineRig(PowerOff, MachineRig.Config with { Smp = new SmpSpec(2) });
        rig.Machine.Run();
        rig.Accelerator.Vcpus[0].Statistics.Instructions = 1_234_567;
        rig.Accelerator.Vcpus[1].Statistics.Instructions = 1;

        MachineStatistics statistics = rig.Machine.Statistics;

        string[] lines = statistics.Format().Split('\n');
        Assert.StartsWith("accelerator fake, wall time 0.", lines[0], StringComparison.Ordinal);
        Assert.Equal("instructions        1,234,567      1  1,234,568", lines[2]);
        Assert.Equal(lines[1].Length, lines[2].Length);
        Assert.Equal(1_234_568UL, statistics.Instructions);
    }

    private static IEnumerable<GuestStep> PowerOff(FakeVcpu cpu)
    {
        cpu.Out(Pm1Control, SoftOff, 2);
        yield return GuestStep.Next;
        yield return Fail("the guest went on without power");
    }

    private static IEnumerable<GuestStep> Loop(FakeVcpu cpu)
    {
        while (true)
        {
            yield return GuestStep.Next;
        }
    }

    private static GuestStep Fail(string detail) => new(false, new VcpuExit(VcpuExitReason.InternalError, detail));
}
