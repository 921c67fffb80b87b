using System.Diagnostics;
using Emu.Machine;
using Emu.Machine.Host;

namespace Emu.Tests.MachineTests;

public sealed class MachineTimeTests
{
    private const ushort PitChannel0 = 0x40;
    private const ushort PitControl = 0x43;

    [Fact]
    public void Timer_WhileTheCpuIsBusy_Interrupts()
    {
        int taken = 0;
        using var rig = new MachineRig(Script);
        long start = Stopwatch.GetTimestamp();

        rig.Machine.Run();

        // 20 periods of 1 ms.
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalMilliseconds, 19, 2000);
        Assert.Equal(20, taken);

        IEnumerable<GuestStep> Script(FakeVcpu cpu)
        {
            StartTicks(cpu, microseconds: 1000);
            while (taken < 20)
            {
                yield return GuestStep.Next;
                taken += TakeTick(cpu);
            }

            cpu.Out(MachineRig.ExitPort, 0);
        }
    }

    [Fact]
    public void Timer_WhileTheCpuIsHalted_WakesIt()
    {
        int taken = 0;
        using var rig = new MachineRig(Script);
        Assert.Equal(1, rig.Machine.Run());
        Assert.Equal(10, taken);

        IEnumerable<GuestStep> Script(FakeVcpu cpu)
        {
            StartTicks(cpu, microseconds: 4000);
            while (taken < 10)
            {
                yield return GuestStep.Hlt;
                taken += TakeTick(cpu);
            }

            cpu.Out(MachineRig.ExitPort, 0);
        }
    }

    [Fact]
    public void Timer_ArmedByTheGuest_ShortensTheMachinesSleep()
    {
        // The machine thread sleeps for ever until the guest, which comes later, programs a timer.
        using var rig = new MachineRig(Script);
        Assert.Equal(1, rig.Machine.Run());

        static IEnumerable<GuestStep> Script(FakeVcpu cpu)
        {
            Thread.Sleep(50);
            StartTicks(cpu, microseconds: 1000);
            yield return GuestStep.Hlt;
            cpu.Out(MachineRig.ExitPort, 0);
        }
    }

    public static TheoryData<bool> Waiters => [true, false];

    [Theory]
    [MemberData(nameof(Waiters))]
    public void Waiter_SleepsAsLongAsTold(bool portable)
    {
        using HostWaiter waiter = portable ? new PortableWaiter() : HostWaiter.Create();
        foreach (long ns in (long[])[0, 100_000, 700_000, 4_000_000, 30_000_000])
        {
            double ms = Measure(waiter, ns);
            Assert.InRange(ms, ns / 1e6 * 0.9, (ns / 1e6) + 100);
        }
    }

    [Theory]
    [MemberData(nameof(Waiters))]
    public void Waiter_Woken_ReturnsAndSleepsAgain(bool portable)
    {
        using HostWaiter waiter = portable ? new PortableWaiter() : HostWaiter.Create();
        waiter.Wake();
        Assert.InRange(Measure(waiter, HostWaiter.Forever), 0, 1000);

        var waker = new Thread(() =>
        {
            Thread.Sleep(30);
            waiter.Wake();
        });
        waker.Start();
        Assert.InRange(Measure(waiter, HostWaiter.Forever), 0, 5000);
        waker.Join();
        Assert.InRange(Measure(waiter, 20_000_000) + Measure(waiter, 20_000_000), 19, 1000);
    }

    [Theory]
    [MemberData(nameof(Waiters))]
    public void Waiter_ManyWakes_LosesNone(bool portable)
    {
        const int rounds = 20_000;
        using HostWaiter there = portable ? new PortableWaiter() : HostWaiter.Create();
        using HostWaiter back = portable ? new PortableWaiter() : HostWaiter.Create();
        int sent = 0;
        int answered = 0;
        var echo = new Thread(() =>
        {
            while (answered < rounds)
            {
                there.Wait(HostWaiter.Forever);
                Volatile.Write(ref answered, Volatile.Read(ref sent));
                back.Wake();
            }
        }) { IsBackground = true };
        echo.Start();

        for (int i = 1; i <= rounds; i++)
        {
            Volatile.Write(ref sent, i);
            there.Wake();
            long start = Stopwatch.GetTimestamp();
            while (Volatile.Read(ref answered) < i)
            {
                back.Wait(1_000_000_000);
                Assert.True(Stopwatch.GetElapsedTime(start).TotalSeconds < 10, $"wake {i} is lost");
            }
        }

        echo.Join();
    }

    private static double Measure(HostWaiter waiter, long ns)
    {
        long start = Stopwatch.GetTimestamp();
        waiter.Wait(ns);
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    // The 8259 at vectors 20H-2FH with only IRQ 0 open, and channel 0 in mode 2.
    private static void StartTicks(FakeVcpu cpu, int microseconds)
    {
        foreach ((ushort port, uint value) in ((ushort, uint)[])[(0x20, 0x11), (0x21, 0x20), (0x21, 4), (0x21, 1), (0x21, 0xFE)])
        {
            cpu.Out(port, value);
        }

        uint count = (uint)(1_193_182L * microseconds / 1_000_000);
        cpu.Out(PitControl, 0x34);
        cpu.Out(PitChannel0, count & 0xFF);
        cpu.Out(PitChannel0, count >> 8);
    }

    private static int TakeTick(FakeVcpu cpu)
    {
        if (!cpu.Apic.HasPendingInterrupt)
        {
            return 0;
        }

        Assert.Equal(0x20, cpu.Apic.AcknowledgeInterrupt());
        cpu.Out(0x20, 0x20);
        return 1;
    }
}
