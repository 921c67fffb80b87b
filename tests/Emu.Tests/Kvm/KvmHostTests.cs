using Emu.Accel.Kvm;
using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Memory;

namespace Emu.Tests.Kvm;

/// <summary>Guests of a few instructions on the host's own KVM: only what every kind of it runs.</summary>
public sealed class KvmHostTests
{
    [KvmTheory]
    [InlineData(KernelIrqChipMode.Off)]
    [InlineData(KernelIrqChipMode.Split)]
    [InlineData(KernelIrqChipMode.On)]
    public void PortIo_AllSizesBothWays(KernelIrqChipMode mode)
    {
        using var bench = new KvmBench(mode: mode);
        bench.Ports.Answer = (_, _) => 0x1234_5678;

        // in al, 80h; in ax, 80h; in eax, 80h; out 80h, eax; out 80h, ax; out 80h, al; out f4h, al
        bench.RunReal(0xE4, 0x80, 0xE5, 0x80, 0x66, 0xE5, 0x80, 0x66, 0xE7, 0x80, 0xE7, 0x80, 0xE6, 0x80, 0xE6, 0xF4);

        Assert.Equal(
            [(false, 1), (false, 2), (false, 4), (true, 4), (true, 2), (true, 1)],
            bench.Ports.Accesses.Select(access => (access.Write, access.Size)));
        Assert.Equal([0x1234_5678UL, 0x5678UL, 0x78UL], bench.Ports.Accesses.Skip(3).Select(access => access.Value));
        Assert.Equal(0x1234_5678UL, bench.Vcpu.GetState().Gpr[0]);
        Assert.Equal(7UL, bench.Vcpu.Statistics.Exits["Io"]);
    }

    [KvmFact]
    public void StringIo_RepBothWays_EveryElement()
    {
        using var bench = new KvmBench();
        bench.Ram.Write(0x2000, "hello, string I/O"u8);
        ulong next = 0x40;
        bench.Ports.Answer = (_, _) => next++;

        // mov dx, 80h; mov si, 2000h; mov cx, 17; rep outsb; mov di, 3000h; mov cx, 9; rep insb; out f4h, al
        bench.RunReal(
            0xBA, 0x80, 0x00, 0xBE, 0x00, 0x20, 0xB9, 17, 0, 0xF3, 0x6E, 0xBF, 0x00, 0x30, 0xB9, 9, 0, 0xF3, 0x6C, 0xE6, 0xF4);

        Assert.Equal("hello, string I/O"u8.ToArray(), bench.Ports.Accesses.Where(access => access.Write).Select(access => (byte)access.Value));
        byte[] read = new byte[9];
        bench.Ram.Read(0x3000, read);
        Assert.Equal("@ABCDEFGH"u8.ToArray(), read);
        Assert.Equal(0UL, bench.Vcpu.GetState().Gpr[1] & 0xffff);
    }

    [KvmFact]
    public void Rom_ReadsFromTheSlot_WritesGoToTheDevice()
    {
        using var bench = new KvmBench();
        bench.RomBytes.WriteValue(0x10, 0x5A, 1);
        X86State state = Protected();
        state.Gpr[3] = KvmBench.RomAddress + 0x10;

        // mov al, [ebx]; mov byte [ebx], 77h; mov ah, [ebx]; out f4h, al
        Run32(bench, state, 0x8A, 0x03, 0xC6, 0x03, 0x77, 0x8A, 0x23, 0xE6, 0xF4);

        Assert.Equal([new Access(true, 0x10, 0x77, 1)], bench.RomWrites.Accesses);
        Assert.Equal(0x5A5AUL, bench.Vcpu.GetState().Gpr[0] & 0xffff);
    }

    [KvmFact]
    public void Mmio_AndHoles_AreDeviceAccesses()
    {
        using var bench = new KvmBench();
        X86State state = Protected();
        state.Gpr[3] = KvmBench.DeviceAddress;
        state.Gpr[6] = 0x9000_0000;

        // mov eax, [ebx+8]; mov [ebx+10h], ax; mov cl, [ebx+1]; mov edx, [esi]; mov [esi], edx; out f4h, al
        Run32(bench, state, 0x8B, 0x43, 0x08, 0x66, 0x89, 0x43, 0x10, 0x8A, 0x4B, 0x01, 0x8B, 0x16, 0x89, 0x16, 0xE6, 0xF4);

        Assert.Equal(
            [new Access(false, 8, 0x5566_7790, 4), new Access(true, 0x10, 0x7790, 2), new Access(false, 1, 0x89, 1)],
            bench.Device.Accesses);
        Assert.Equal(0xffff_ffffUL, bench.Vcpu.GetState().Gpr[2]);
    }

    [KvmFact]
    public void GetState_BetweenAnAccessAndItsCompletion_SeesItComplete()
    {
        using var bench = new KvmBench();
        bench.Ports.Answer = (_, _) =>
        {
            bench.Vcpu.Kick();
            return 0x42;
        };

        // in al, 80h; jmp $
        bench.RunReal(0xE4, 0x80, 0xEB, 0xFE);

        X86State state = bench.Vcpu.GetState();
        Assert.Equal((0x42UL, KvmBench.CodeAddress + 2), (state.Gpr[0] & 0xff, state.Rip));
        bench.Vcpu.SetState(KvmBench.RealMode());
        Assert.Equal(0UL, bench.Vcpu.GetState().Gpr[0]);
    }

    [KvmFact]
    public void Hlt_InUserSpaceApic_WakesByItsTimerLikeInterrupt()
    {
        using var bench = new KvmBench();
        PrepareInterruptTable(bench);
        bench.Memory.Write(0xFEE0_00F0, 0x1FF, 4);
        using var later = new Timer(_ => Send(bench, 0x41), null, 50, Timeout.Infinite);

        // sti; hlt; out f4h, al    handler at 2000h: inc bx; iret
        VcpuExit exit = bench.RunReal(0xFB, 0xF4, 0xE6, 0xF4);

        Assert.Equal(VcpuExitReason.Kicked, exit.Reason);
        Assert.Equal(1UL, bench.Vcpu.GetState().Gpr[3]);
        Assert.Equal((1UL, 1UL), (bench.Vcpu.Statistics.Halts, bench.Vcpu.Statistics.Interrupts));
    }

    [KvmTheory]
    [InlineData(KernelIrqChipMode.Split)]
    [InlineData(KernelIrqChipMode.On)]
    public void Msi_ToTheKernelsApic_WakesHlt(KernelIrqChipMode mode)
    {
        using var bench = new KvmBench(mode: mode);
        PrepareInterruptTable(bench);
        bench.Vcpu.SetState(KvmBench.RealMode());
        LocalApicState apic = bench.Vcpu.GetState().Apic!;
        bench.Ram.Write(KvmBench.CodeAddress, [0xFB, 0xF4, 0xE6, 0xF4]);
        bench.Vcpu.SetState(KvmBench.RealMode() with { Apic = apic with { SpuriousVector = 0x1FF } });
        using var later = new Timer(_ => bench.Accelerator.IrqChip!.Send(new MsiMessage(0xFEE0_0000, 0x41)), null, 50, Timeout.Infinite);

        Assert.Equal(VcpuExitReason.Kicked, bench.Run().Reason);
        Assert.Equal(1UL, bench.Vcpu.GetState().Gpr[3]);
    }

    [KvmFact]
    public void Split_8259_InjectsByTheInterruptWindow()
    {
        using var bench = new KvmBench(mode: KernelIrqChipMode.Split);
        PrepareInterruptTable(bench);
        IKernelIrqChip chip = bench.Accelerator.IrqChip!;
        chip.AcknowledgePic = () =>
        {
            chip.PicOutput.Set(false);
            return 0x41;
        };
        chip.PicOutput.Set(true);

        // sti; cmp bx, 0; je $-3; out f4h, al
        VcpuExit exit = bench.RunReal(0xFB, 0x83, 0xFB, 0x00, 0x74, 0xFB, 0xE6, 0xF4);

        Assert.Equal(VcpuExitReason.Kicked, exit.Reason);
        Assert.Equal(1UL, bench.Vcpu.GetState().Gpr[3]);
        Assert.Equal(1UL, bench.Vcpu.Statistics.Interrupts);
    }

    [KvmFact]
    public void Kicks_TenThousandDuringIo_LoseNothing()
    {
        const int Kicks = 10_000;
        using var bench = new KvmBench();
        uint sum = 0;
        ulong expected = 0;
        bench.Ports.Written = (_, value) =>
        {
            // The guest counts up: a lost or repeated access would show.
            Assert.Equal(expected++, value);
            sum++;
        };

        // out 80h, eax; inc eax; jmp back
        bench.Ram.Write(KvmBench.CodeAddress, [0x66, 0xE7, 0x80, 0x66, 0x40, 0xEB, 0xF9]);
        bench.Vcpu.SetState(KvmBench.RealMode());
        int returned = 0;
        using var stop = new CancellationTokenSource();
        var kicker = new Thread(() =>
        {
            for (int i = 0; i < Kicks; i++)
            {
                int before = Volatile.Read(ref returned);
                bench.Vcpu.Kick();
                long deadline = Environment.TickCount64 + 10_000;
                while (Volatile.Read(ref returned) == before)
                {
                    Assert.True(Environment.TickCount64 < deadline, $"kick {i} is lost");
                    Thread.Yield();
                }
            }

            stop.Cancel();
            bench.Vcpu.Kick();
        });
        kicker.Start();
        while (!stop.IsCancellationRequested)
        {
            Assert.Equal(VcpuExitReason.Kicked, bench.Vcpu.Run().Reason);
            Interlocked.Increment(ref returned);
        }

        kicker.Join();
        Assert.InRange(returned, Kicks, Kicks + 1);

        // Stopped between the OUT and the INC, or elsewhere.
        Assert.InRange(bench.Vcpu.GetState().Gpr[0], sum - 1, sum);
    }

    [KvmFact]
    public void TwoVcpus_RunAtOnce()
    {
        using var bench = new KvmBench(cpus: 2);
        bench.Exit.Written = null;

        // lock inc word [3000h]; cmp word [3000h], 2; jb $-5; out f4h, al; jmp $
        bench.Ram.Write(KvmBench.CodeAddress, [0xF0, 0xFF, 0x06, 0x00, 0x30, 0x83, 0x3E, 0x00, 0x30, 0x02, 0x72, 0xF9, 0xE6, 0xF4, 0xEB, 0xFE]);
        Thread[] threads = [.. bench.Vcpus.Select(vcpu => new Thread(() =>
        {
            vcpu.SetState(KvmBench.RealMode());
            Assert.Equal(VcpuExitReason.Kicked, vcpu.Run().Reason);
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Assert.True(SpinWait.SpinUntil(() => bench.Exit.Accesses.Count == 2, 10_000), "the vCPUs do not meet");
        bench.Vcpus.ForEach(vcpu => vcpu.Kick());
        Array.ForEach(threads, thread => thread.Join());
        Assert.Equal(2UL, bench.Ram.ReadValue(0x3000, 2));
    }

    [KvmFact]
    public void InitSipi_InUserSpace_StartsTheSecondCpu()
    {
        using var bench = new KvmBench(cpus: 2);
        bench.Vcpus[1].SetState(KvmBench.RealMode() with { WaitForSipi = true });

        // At 3:0 (SIPI vector 3): mov ax, cs; out 80h, ax; out f4h, al
        bench.Ram.Write(0x3000, [0x8C, 0xC8, 0xE7, 0x80, 0xE6, 0xF4]);
        var thread = new Thread(() => bench.Vcpus[1].Run());
        thread.Start();
        bench.Vcpus[1].RaiseInit();
        Thread.Sleep(20);
        bench.Vcpus[1].RaiseSipi(3);
        Assert.True(thread.Join(10_000), "the CPU does not start");
        Assert.Equal([0x300UL], bench.Ports.Accesses.Select(access => access.Value));
    }

    [KvmFact]
    public void DirtyLog_HasExactlyThePagesWritten()
    {
        using var bench = new KvmBench();
        bench.Ram.SetDirtyLogging(true);
        bench.Accelerator.SetDirtyLogging(true);
        bench.Ram.TakeDirtyPages();

        // mov [5000h], al; mov [7ffeh], eax; out f4h, al
        bench.RunReal(0xA2, 0x00, 0x50, 0x66, 0xA3, 0xFE, 0x7F, 0xE6, 0xF4);
        bench.Ram.TakeDirtyPages();
        bench.Accelerator.CollectDirtyPages();

        Assert.Equal([5UL, 7UL, 8UL], bench.Ram.TakeDirtyPages());
        bench.Accelerator.SetDirtyLogging(false);
    }

    [KvmFact]
    public void MapChange_WhileAVcpuRuns_IsFollowed()
    {
        using var bench = new KvmBench();
        bench.Ram.Write(KvmBench.CodeAddress, [0xFE, 0x06, 0x00, 0x90, 0xEB, 0xFA]); // inc byte [9000h]; jmp back
        bench.Vcpu.SetState(KvmBench.RealMode());
        VcpuExit exit = default;
        var thread = new Thread(() => exit = bench.Vcpu.Run());
        thread.Start();
        MemoryRegion cover = MemoryRegion.OfIo("cover", 0x1000, bench.Device, IoAccess.UpToDword);
        for (int i = 0; i < 50; i++)
        {
            using (bench.Lock.Enter())
            {
                bench.Root.Add(0x9000, cover, priority: 1);
            }

            int before = bench.Device.Accesses.Count;
            Assert.True(SpinWait.SpinUntil(() => bench.Device.Accesses.Count > before, 10_000), "the device is not seen");
            using (bench.Lock.Enter())
            {
                bench.Root.Remove(cover);
            }

            Thread.Sleep(1);
        }

        bench.Vcpu.Kick();
        Assert.True(thread.Join(10_000));
        Assert.Equal(VcpuExitReason.Kicked, exit.Reason);
    }

    [KvmFact]
    public void CoalescedWrites_ArriveInOrderWithoutExits()
    {
        using var bench = new KvmBench();
        X86State state = Protected();
        state.Gpr[7] = KvmBench.CoalescedAddress;
        state.Gpr[1] = 100;

        // mov [edi], ecx; loop back; out f4h, al
        Run32(bench, state, 0x89, 0x0F, 0xE2, 0xFC, 0xE6, 0xF4);

        Assert.Equal(Enumerable.Range(1, 100).Reverse().Select(i => (ulong)i), bench.Coalesced.Accesses.Select(access => access.Value));
        Assert.False(bench.Vcpu.Statistics.Exits.ContainsKey("Mmio"));
    }

    [KvmFact]
    public void Step_ExecutesOneInstruction()
    {
        using var bench = new KvmBench();
        bench.Ram.Write(KvmBench.CodeAddress, [0x40, 0x43, 0xE6, 0x80, 0x41]); // inc ax; inc bx; out 80h, al; inc cx
        bench.Vcpu.SetState(KvmBench.RealMode());
        var steps = new List<(ulong, ulong, ulong, ulong)>();
        for (int i = 0; i < 4; i++)
        {
            Assert.Equal(VcpuExitReason.Stepped, bench.Vcpu.Step().Reason);
            X86State s = bench.Vcpu.GetState();
            steps.Add((s.Rip - KvmBench.CodeAddress, s.Gpr[0], s.Gpr[3], s.Gpr[1]));
        }

        Assert.Equal([(1UL, 1UL, 0UL, 0UL), (2UL, 1UL, 1UL, 0UL), (4UL, 1UL, 1UL, 0UL), (5UL, 1UL, 1UL, 1UL)], steps);
    }

    [KvmFact]
    public void TripleFault_IsShutdown()
    {
        using var bench = new KvmBench();
        bench.Ram.Write(KvmBench.CodeAddress, [0x0F, 0x0B]); // ud2 with an empty interrupt table
        bench.Vcpu.SetState(Protected() with { Idtr = new DescriptorTableState(0, 0) });
        Assert.Equal(VcpuExitReason.Shutdown, bench.Run().Reason);
    }

    [KvmFact]
    public void Statistics_TellTimeInTheGuestFromDevices()
    {
        using var bench = new KvmBench();
        bench.Ports.Written = (_, _) => Thread.SpinWait(2_000_000);
        bench.RunReal(0xE6, 0x80, 0xE6, 0xF4);
        VcpuTimes times = bench.Vcpu.Statistics.Times!;
        Assert.True(times.User > TimeSpan.FromMilliseconds(1), $"{times}");
        Assert.True(times.User > times.Guest, $"{times}");
    }

    private static void PrepareInterruptTable(KvmBench bench)
    {
        bench.Ram.WriteValue(0x41 * 4, 0x2000, 4);
        bench.Ram.Write(0x2000, [0x43, 0xCF]);
    }

    private static void Send(KvmBench bench, byte vector)
    {
        using (bench.Lock.Enter())
        {
            bench.Apics.Send(new MsiMessage(0xFEE0_0000, vector));
        }
    }

    private static X86State Protected()
    {
        var data = new SegmentState(0x10, 0, 0xffff_ffff, 0xc093);
        return KvmBench.RealMode() with
        {
            Cr0 = 0x11,
            Segments = [data, new SegmentState(8, 0, 0xffff_ffff, 0xc09b), data, data, data, data],
        };
    }

    private static void Run32(KvmBench bench, X86State state, params byte[] code)
    {
        bench.Ram.Write(KvmBench.CodeAddress, code);
        bench.Vcpu.SetState(state);
        Assert.Equal(VcpuExitReason.Kicked, bench.Run().Reason);
    }
}
