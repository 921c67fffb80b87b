using Emu.Core;
using Emu.Machine;

namespace Emu.Tests.MachineTests;

public sealed class DeviceWorkersTests
{
    [Fact]
    public void Work_RunsAfterEachWake_NeverTwiceAtOnce_AndEndsWithTheMachine()
    {
        var workers = new DeviceWorkers(_ => { });
        int inside = 0;
        int seen = 0;
        int posted = 0;
        bool overlapped = false;
        IDeviceWorker worker = workers.Create("w", () =>
        {
            overlapped |= Interlocked.Increment(ref inside) != 1;
            Volatile.Write(ref seen, Volatile.Read(ref posted));
            Interlocked.Decrement(ref inside);
        });
        for (int i = 1; i <= 2000; i++)
        {
            Volatile.Write(ref posted, i);
            worker.Wake();
        }

        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref seen) == 2000, 10_000));
        Assert.True(workers.Stop());
        Assert.False(overlapped);
        Volatile.Write(ref posted, 0);
        worker.Wake();
        Thread.Sleep(20);
        Assert.Equal(2000, seen);
    }

    [Fact]
    public void Fault_InAWorker_IsReported()
    {
        Exception? failure = null;
        var workers = new DeviceWorkers(exception => Volatile.Write(ref failure, exception));
        workers.Create("w", () => throw new InvalidTimeZoneException()).Wake();

        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref failure) is InvalidTimeZoneException, 10_000));
        Assert.True(workers.Stop());
    }
}
