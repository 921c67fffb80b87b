using Emu.Accel.Kvm;
using Emu.Accel.Kvm.Native;
using Emu.Core;
using Emu.Core.Cpu;

namespace Emu.Tests.Kvm;

/// <summary>Every way out of KVM_RUN, from a KVM that can produce them all.</summary>
public sealed class KvmVcpuExitTests
{
    [Fact]
    public void Io_Out_ReachesThePort()
    {
        using KvmBench bench = Create((run, _) => run.Io(write: true, KvmBench.Port, 2, 0x34, 0x12));

        Assert.Equal(VcpuExitReason.Kicked, bench.Vcpu.Run().Reason);
        Assert.Equal([new Access(true, 0, 0x1234, 2)], bench.Ports.Accesses);
        Assert.Equal(1UL, bench.Vcpu.Statistics.Exits["Io"]);
        Assert.Equal(1UL, bench.Vcpu.Statistics.PortAccesses);
    }

    [Theory]
    [InlineData(1, 0x88UL)]
    [InlineData(2, 0x7788UL)]
    [InlineData(4, 0x55667788UL)]
    public void Io_In_LeavesTheAnswerWhereKvmReadsIt(int size, ulong value)
    {
        KvmRunArea area = default;
        using KvmBench bench = Create((run, _) => (area = run).Io(write: false, KvmBench.Port, size, new byte[size]));

        bench.Vcpu.Run();

        byte[] expected = BitConverter.GetBytes(value)[..size];
        Assert.Equal(expected, area.IoData(size).ToArray());
    }

    [Fact]
    public void Io_StringOut_EveryElementInOrder()
    {
        using KvmBench bench = Create((run, _) => run.Io(write: true, KvmBench.Port, 2, 1, 0, 2, 0, 3, 0));
        bench.Vcpu.Run();
        Assert.Equal([1UL, 2UL, 3UL], bench.Ports.Accesses.Select(access => access.Value));
    }

    [Fact]
    public void Io_StringIn_FillsEveryElement()
    {
        KvmRunArea area = default;
        ulong next = 0x10;
        using KvmBench bench = Create((run, _) => (area = run).Io(write: false, KvmBench.Port, 1, new byte[5]));
        bench.Ports.Answer = (_, _) => next++;

        bench.Vcpu.Run();

        Assert.Equal([0x10, 0x11, 0x12, 0x13, 0x14], area.IoData(5).ToArray());
    }

    [Fact]
    public void Io_OfImpossibleSize_IsAnError()
    {
        using KvmBench bench = Create((run, _) => run.Io(write: true, KvmBench.Port, 3, 1, 2, 3));
        VcpuExit exit = bench.Vcpu.Run();
        Assert.Equal((VcpuExitReason.InternalError, "KVM reports port I/O of 1 × 3 bytes, which cannot be"), (exit.Reason, exit.Detail));
    }

    [Theory]
    [InlineData(1, new[] { 1 })]
    [InlineData(3, new[] { 2, 1 })]
    [InlineData(5, new[] { 4, 1 })]
    [InlineData(7, new[] { 4, 2, 1 })]
    [InlineData(8, new[] { 8 })]
    public void Mmio_Write_IsSplitIntoBusSizes(int length, int[] sizes)
    {
        using KvmBench bench = Create((run, _) => run.Mmio(write: true, KvmBench.DeviceAddress + 8, [.. Enumerable.Range(1, length).Select(i => (byte)i)]));
        bench.Vcpu.Run();
        Assert.Equal(sizes, bench.Device.Accesses.Select(access => access.Size));
        Assert.Equal(8UL, bench.Device.Accesses[0].Offset);
        Assert.Equal(1UL, bench.Device.Accesses[0].Value & 0xff);
    }

    [Fact]
    public void Mmio_Read_AnswersInTheSharedMemory()
    {
        KvmRunArea area = default;
        using KvmBench bench = Create((run, _) => (area = run).Mmio(write: false, KvmBench.DeviceAddress, new byte[8]));
        bench.Vcpu.Run();
        Assert.Equal(0x1122_3344_5566_7788UL, BitConverter.ToUInt64(area.MmioData));
        Assert.Equal(1UL, bench.Vcpu.Statistics.MmioAccesses);
    }

    [Fact]
    public void Mmio_WhereNothingIs_ReadsAllOnes()
    {
        KvmRunArea area = default;
        using KvmBench bench = Create((run, _) => (area = run).Mmio(write: false, 0x9000_0000, new byte[4]));
        bench.Vcpu.Run();
        Assert.Equal(uint.MaxValue, BitConverter.ToUInt32(area.MmioData));
    }

    [Fact]
    public void Hlt_WaitsForAnInterrupt_WhichIsInjected()
    {
        using var kernel = new FakeKernel();
        using var bench = new KvmBench(kernel);
        int step = 0;
        kernel.OnRun = run =>
        {
            run.InterruptFlag = true;
            run.ReadyForInterrupt = true;
            if (step++ == 0)
            {
                return run.Exit(KvmExitReason.Hlt);
            }

            bench.Vcpu.Kick();
            return -Errno.Interrupted;
        };
        EnableApic(bench);
        using var later = new Timer(_ => Raise(bench, 0x41), null, 50, Timeout.Infinite);

        Assert.Equal(VcpuExitReason.Kicked, bench.Run().Reason);
        Assert.Equal([0x41u], kernel.Interrupts);
        Assert.Equal((1UL, 1UL), (bench.Vcpu.Statistics.Halts, bench.Vcpu.Statistics.Interrupts));
    }

    [Fact]
    public void IrqWindow_IsAskedForAndUsed()
    {
        using var kernel = new FakeKernel();
        using var bench = new KvmBench(kernel);
        var asked = new List<bool>();
        kernel.OnRun = run =>
        {
            asked.Add(WindowRequested(run));
            run.InterruptFlag = run.ReadyForInterrupt = asked.Count == 2;
            if (asked.Count == 3)
            {
                bench.Vcpu.Kick();
            }

            return asked.Count == 2 ? run.Exit(KvmExitReason.IrqWindowOpen) : -Errno.Interrupted;
        };
        EnableApic(bench);
        Raise(bench, 0x50);

        bench.Run();

        Assert.Equal([true, true, false], asked);
        Assert.Equal([0x50u], kernel.Interrupts);
    }

    [Fact]
    public void SetTpr_LowerPriority_LetsAnInterruptIn()
    {
        using var kernel = new FakeKernel();
        using var bench = new KvmBench(kernel);
        int step = 0;
        kernel.OnRun = run =>
        {
            run.InterruptFlag = run.ReadyForInterrupt = true;
            if (step++ == 0)
            {
                Assert.Equal(9UL, run.Cr8);
                run.Cr8 = 2;
                return run.Exit(KvmExitReason.SetTpr);
            }

            bench.Vcpu.Kick();
            return -Errno.Interrupted;
        };
        EnableApic(bench);
        bench.Apics[0].TaskPriorityClass = 9;
        Raise(bench, 0x50);

        bench.Run();

        Assert.Equal(2, bench.Apics[0].TaskPriorityClass);
        Assert.Equal([0x50u], kernel.Interrupts);
    }

    [Fact]
    public void Shutdown_EndsTheRun()
    {
        using KvmBench bench = Create((run, _) => run.Exit(KvmExitReason.Shutdown));
        Assert.Equal(new VcpuExit(VcpuExitReason.Shutdown), bench.Vcpu.Run());
    }

    [Theory]
    [InlineData(1u, VcpuExitReason.Shutdown, "the guest asked KVM to shut down")]
    [InlineData(2u, VcpuExitReason.Shutdown, "the guest asked KVM for a reset")]
    [InlineData(3u, VcpuExitReason.InternalError, "system event 3 of KVM, data 0x77")]
    public void SystemEvent_ByType(uint type, VcpuExitReason reason, string detail)
    {
        using KvmBench bench = Create((run, _) => run.Coded(KvmExitReason.SystemEvent, type, 1, 0x77));
        VcpuExit exit = bench.Vcpu.Run();
        Assert.Equal((reason, detail), (exit.Reason, exit.Detail));
    }

    [Fact]
    public void EmulationFailure_OneLineWithTheBytesAndADump()
    {
        using KvmBench bench = Create((run, _) =>
        {
            run.Regs.Rip = 0x1234;
            run.Sregs.Cs.Selector = 8;
            return run.Coded(KvmExitReason.InternalError, 1, 3, 1, 0x00c1_b80f_f304);
        });
        VcpuExit exit = bench.Vcpu.Run();

        Assert.Equal(VcpuExitReason.InternalError, exit.Reason);
        Assert.Equal("KVM cannot run the guest's instruction (f30fb8c1) at 0008:1234", exit.Detail);
        Assert.Contains("rip=0000000000001234", exit.Dump, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData((int)KvmExitReason.FailEntry, "the host's processor refuses to enter the guest, hardware reason 0x200000005")]
    [InlineData((int)KvmExitReason.Unknown, "KVM does not know why the guest was left, hardware reason 0x200000005")]
    [InlineData((int)KvmExitReason.Exception, "unexpected exception 5 in the guest, error code 0x2")]
    [InlineData((int)KvmExitReason.Hypercall, "KVM hands on hypercall 8589934597, which was not asked for")]
    [InlineData((int)KvmExitReason.InternalError, "internal error 5 of KVM, data 77 0")]
    [InlineData(37, "exit reason 37 of KVM is not known")]
    [InlineData(9999, "exit reason 9999 of KVM is not known")]
    public void WhatCannotGoOn_IsOneLineWithADump(int reason, string detail)
    {
        using KvmBench bench = Create((run, _) => run.Coded((KvmExitReason)reason, 5, 2, 0x77, 0));
        VcpuExit exit = bench.Vcpu.Run();
        Assert.Equal((VcpuExitReason.InternalError, detail), (exit.Reason, exit.Detail));
        Assert.StartsWith("rax=", exit.Dump, StringComparison.Ordinal);
    }

    [Fact]
    public void Debug_EndsAStep()
    {
        using KvmBench bench = Create((run, _) => run.Exit(KvmExitReason.Debug));
        Assert.Equal(VcpuExitReason.Stepped, bench.Vcpu.Step().Reason);
    }

    [Fact]
    public void IoApicEoi_ReachesTheBoard()
    {
        using var kernel = new FakeKernel();
        using var bench = new KvmBench(kernel, KernelIrqChipMode.Split);
        var ended = new List<byte>();
        bench.Accelerator.IrqChip!.EndOfInterrupt += ended.Add;
        kernel.OnRun = run =>
        {
            bench.Vcpu.Kick();
            return run.Coded(KvmExitReason.IoApicEoi, 0x61, 0);
        };

        bench.Run();

        Assert.Equal([0x61], ended);
    }

    [Fact]
    public void Sipi_WhileTheInitIsHandled_IsNotLost()
    {
        using var kernel = new FakeKernel();
        using var bench = new KvmBench(kernel, cpus: 2);
        IVcpu second = bench.Vcpus[1];
        bool sent = false;
        kernel.Answers[KvmIoctl.SetXsave] = _ =>
        {
            if (!sent)
            {
                sent = true;
                second.RaiseSipi(9);
            }

            return 0;
        };
        bool ran = false;
        kernel.OnRun = _ =>
        {
            ran = true;
            second.Kick();
            return -Errno.Interrupted;
        };
        using var limit = new Timer(_ => second.Kick(), null, 10_000, Timeout.Infinite);
        second.RaiseInit();

        Assert.Equal(VcpuExitReason.Kicked, second.Run().Reason);
        Assert.True(sent && ran, "the start-up IPI is lost");
    }

    [Fact]
    public void Intr_GoesOn()
    {
        int runs = 0;
        using KvmBench bench = Create((run, vcpu) =>
        {
            if (++runs < 3)
            {
                return run.Exit(KvmExitReason.Intr);
            }

            vcpu.Kick();
            return -Errno.Interrupted;
        }, kick: false);
        Assert.Equal(VcpuExitReason.Kicked, bench.Run().Reason);
        Assert.Equal(2UL, bench.Vcpu.Statistics.Exits["Intr"]);
    }

    [Theory]
    [InlineData(Errno.Interrupted)]
    [InlineData(Errno.Again)]
    public void ErrorStorm_IsRiddenOut(int errno)
    {
        int runs = 0;
        using KvmBench bench = Create((run, vcpu) => ++runs < 10_000 ? -errno : run.Io(write: true, KvmBench.Port, 1, 7));
        bench.Ports.Written = (_, _) => bench.Vcpu.Kick();
        Assert.Equal(VcpuExitReason.Kicked, bench.Run().Reason);
        Assert.Equal(10_000, runs);
        Assert.Single(bench.Ports.Accesses);
    }

    [Fact]
    public void OutOfMemory_IsOneLine()
    {
        using KvmBench bench = Create((_, _) => -Errno.NoMemory);
        VcpuExit exit = bench.Vcpu.Run();
        Assert.Equal((VcpuExitReason.InternalError, "KVM is out of memory while it runs the guest"), (exit.Reason, exit.Detail));
    }

    [Fact]
    public void OtherError_IsOneLine()
    {
        using KvmBench bench = Create((_, _) => -Errno.Invalid);
        VcpuExit exit = bench.Vcpu.Run();
        Assert.Equal((VcpuExitReason.InternalError, "KVM_RUN of vCPU 0 failed: Invalid argument (errno 22)"), (exit.Reason, exit.Detail));
    }

    [Fact]
    public void CoalescedWrites_ComeBeforeTheExit()
    {
        using KvmBench bench = Create((run, _) =>
        {
            run.Coalesce(KvmBench.CoalescedAddress + 4, 11, isPort: false);
            run.Coalesce(KvmBench.CoalescedAddress + 8, 22, isPort: false);
            return run.Io(write: true, KvmBench.Port, 1, 1);
        });
        var order = new List<ulong>();
        bench.Coalesced.Written = (_, value) => order.Add(value);
        bench.Ports.Written = (_, _) => order.Add(99);

        bench.Vcpu.Run();

        Assert.Equal([11, 22, 99UL], order);
    }

    [Fact]
    public void HotPath_AllocatesNothingPerExit()
    {
        const int Exits = 20_000;
        int runs = 0;
        using KvmBench bench = Create((run, vcpu) =>
        {
            if (++runs == Exits)
            {
                vcpu.Kick();
            }

            return run.Io(write: true, 0x300, 1, WrittenByte);
        }, kick: false);
        bench.Vcpu.Run();
        runs = 0;
        long before = GC.GetAllocatedBytesForCurrentThread();

        bench.Vcpu.Run();

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, Exits / 2);
    }

    private static readonly byte[] WrittenByte = [1];

    private static KvmBench Create(Func<KvmRunArea, IVcpu, int> onRun, bool kick = true)
    {
        var kernel = new FakeKernel();
        var bench = new KvmBench(kernel);
        kernel.OnRun = run =>
        {
            int result = onRun(run, bench.Vcpu);
            if (kick && result == 0)
            {
                bench.Vcpu.Kick();
            }

            return result;
        };
        return bench;
    }

    private static unsafe bool WindowRequested(KvmRunArea run) =>
        *((byte*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref run.Regs) - 304) != 0;

    private static void EnableApic(KvmBench bench)
    {
        using (bench.Lock.Enter())
        {
            bench.Memory.Write(0xFEE0_00F0, 0x1FF, 4);
        }
    }

    private static void Raise(KvmBench bench, byte vector)
    {
        using (bench.Lock.Enter())
        {
            bench.Apics.Send(new MsiMessage(0xFEE0_0000, vector));
        }
    }
}
