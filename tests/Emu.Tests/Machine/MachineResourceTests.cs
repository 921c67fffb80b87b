using System.Diagnostics;
using Emu.Machine;

namespace Emu.Tests.MachineTests;

public sealed class MachineResourceTests
{
    [Fact]
    public void Machines_TwoHundred_LeaveNothingBehind()
    {
        MachineConfig config = MachineRig.Config with { MemoryBytes = 64 << 20, Smp = new SmpSpec(2) };
        RunSome(10, config);
        (int threads, int files, long bytes) = Measure();

        RunSome(200, config);

        (int threadsAfter, int filesAfter, long bytesAfter) = Measure();

        // Other tests run at the same time; a leak would be of hundreds of each, and of gigabytes.
        Assert.InRange(threadsAfter - threads, int.MinValue, 100);
        Assert.InRange(filesAfter - files, int.MinValue, 100);
        Assert.InRange(bytesAfter - bytes, long.MinValue, 1L << 30);
    }

    [Fact]
    public void Constructor_ThatFailsLate_FreesWhatItMade()
    {
        (_, int files, _) = Measure();
        for (int i = 0; i < 200; i++)
        {
            Assert.Throws<InvalidTimeZoneException>(() => new Machine.Machine(MachineRig.Config, null, _ => throw new InvalidTimeZoneException()));
        }

        Assert.InRange(Measure().Files - files, int.MinValue, 100);
    }

    // Every machine touches 8 MiB of its memory.
    private static void RunSome(int count, MachineConfig config)
    {
        for (int i = 0; i < count; i++)
        {
            using var rig = new MachineRig(Script, config);
            rig.Machine.Run();
        }

        static IEnumerable<GuestStep> Script(FakeVcpu cpu)
        {
            for (ulong address = 0x20_0000; address < 0xA0_0000 && cpu.Index == 0; address += 4096)
            {
                cpu.Store(address, 1);
            }

            yield return GuestStep.Next;
            cpu.Out(MachineRig.ExitPort, 0);
        }
    }

    private static (int Threads, int Files, long Bytes) Measure()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        using var process = Process.GetCurrentProcess();
        int files = Directory.Exists("/proc/self/fd") ? Directory.GetFiles("/proc/self/fd").Length : 0;
        return (process.Threads.Count, files, process.WorkingSet64);
    }
}
