using Emu.Accel.Kvm;
using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Memory;

namespace Emu.Tests.Kvm;

/// <summary>Doorbells and interrupt notifiers: the same device code with KVM's eventfds and without.</summary>
public sealed class NotificationTests
{
    [Theory]
    [InlineData(0x10UL, 5UL, 4, 1, 0)]
    [InlineData(0x10UL, 6UL, 4, 0, 1)] // the value does not match
    [InlineData(0x10UL, 5UL, 2, 0, 1)] // nor the size
    [InlineData(0x14UL, 5UL, 4, 0, 1)] // nor the offset
    public void Doorbell_InTheAddressSpace_RingsInsteadOfTheHandler(ulong offset, ulong value, int size, int rings, int writes)
    {
        using var kernel = new FakeKernel();
        using var bench = new KvmBench(kernel);
        int rung = 0;
        Change(bench, () => bench.DeviceRegion.AddDoorbell(new Doorbell(0x10, 4, 5, () => rung++)));

        bench.Memory.Write(KvmBench.DeviceAddress + offset, value, size);

        Assert.Equal((rings, writes), (rung, bench.Device.Accesses.Count));
    }

    [Fact]
    public void Doorbell_ThatCannotBe_IsRefused()
    {
        MemoryRegion region = MemoryRegion.OfIo("device", 0x10, new AccessRecorder(), IoAccess.UpToDword);
        Assert.Throws<ArgumentException>(() => region.AddDoorbell(new Doorbell(0xE, 4, null, () => { })));
        Assert.Throws<ArgumentException>(() => region.AddDoorbell(new Doorbell(0, 3, null, () => { })));
        Assert.Throws<ArgumentException>(() => region.AddDoorbell(new Doorbell(0, 0, 1, () => { })));
    }

    [KvmFact]
    public void Doorbells_UnderKvm_RingWithoutAnExit()
    {
        using var bench = new KvmBench();
        int memoryRings = 0;
        int portRings = 0;
        var memoryBell = new Doorbell(0x10, 4, null, () => memoryRings++);
        Change(bench, () => bench.DeviceRegion.AddDoorbell(memoryBell));
        Change(bench, () => bench.PortRegion.AddDoorbell(new Doorbell(0, 2, 7, () => portRings++)));
        X86State state = Flat();
        state.Gpr[3] = KvmBench.DeviceAddress;

        // mov [ebx+10h], eax; mov eax, 7; out 80h, ax; mov eax, 8; out 80h, ax; out f4h, al
        Run(bench, state, 0x89, 0x43, 0x10, 0xB8, 7, 0, 0, 0, 0x66, 0xE7, 0x80, 0xB8, 8, 0, 0, 0, 0x66, 0xE7, 0x80, 0xE6, 0xF4);

        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref memoryRings) == 1 && Volatile.Read(ref portRings) == 1, 10_000), $"{memoryRings} {portRings}");
        Assert.Empty(bench.Device.Accesses);
        Assert.Equal([8UL], bench.Ports.Accesses.Select(access => access.Value));
        Assert.Equal(2UL, bench.Vcpu.Statistics.Exits["Io"]);

        // Taken off, the register is the device's again.
        Change(bench, () => bench.DeviceRegion.RemoveDoorbell(memoryBell));
        Run(bench, state, 0x89, 0x43, 0x10, 0xE6, 0xF4);
        Assert.Single(bench.Device.Accesses);
        Assert.Equal(1, memoryRings);
    }

    [KvmTheory]
    [InlineData(KernelIrqChipMode.Split)]
    [InlineData(KernelIrqChipMode.On)]
    public void MsiNotifier_UnderKvm_InterruptsTheGuest(KernelIrqChipMode mode)
    {
        using var bench = new KvmBench(mode: mode);
        bench.Ram.WriteValue(0x41 * 4, 0x2000, 4);
        bench.Ram.Write(0x2000, [0x43, 0xCF]); // inc bx; iret
        IrqNotifier? notifier;
        using (bench.Lock.Enter())
        {
            notifier = bench.Accelerator.IrqChip!.CreateNotifier(new MsiMessage(0xFEE0_0000, 0x41));
        }

        Assert.NotNull(notifier);
        bench.Vcpu.SetState(KvmBench.RealMode());
        LocalApicState apic = bench.Vcpu.GetState().Apic!;
        bench.Ram.Write(KvmBench.CodeAddress, [0xFB, 0x83, 0xFB, 0x00, 0x74, 0xFB, 0xE6, 0xF4]); // sti; wait for bx; out f4h, al
        bench.Vcpu.SetState(KvmBench.RealMode() with { Apic = apic with { SpuriousVector = 0x1FF } });
        using var later = new Timer(_ => notifier.Raise(), null, 50, Timeout.Infinite);

        Assert.Equal(VcpuExitReason.Kicked, bench.Run().Reason);
        Assert.Equal(1UL, bench.Vcpu.GetState().Gpr[3]);
        notifier.Dispose();
        notifier.Raise();
    }

    [KvmFact]
    public void LineNotifier_WithResample_UnderKvm_IsToldOfTheEnd()
    {
        using var bench = new KvmBench(mode: KernelIrqChipMode.On);
        int resampled = 0;
        IrqNotifier? notifier;
        using (bench.Lock.Enter())
        {
            notifier = bench.Accelerator.IrqChip!.CreateNotifier(10, () => resampled++);
        }

        Assert.NotNull(notifier);
        bench.Ram.WriteValue(0x41 * 4, 0x2000, 4);

        // Handler: inc bx; mov dword [edi], 0 (EOI); iret
        bench.Ram.Write(0x2000, [0x43, 0x67, 0x66, 0xC7, 0x07, 0, 0, 0, 0, 0xCF]);
        X86State state = KvmBench.RealMode();
        var flat = new SegmentState(0, 0, 0xffff_ffff, 0x8093);
        state = state with { Segments = [flat, state.Segments[1], state.Segments[2], flat, flat, flat] };
        state.Gpr[7] = 0xFEE0_00B0;
        state.Gpr[6] = 0xFEC0_0000;
        bench.Vcpu.SetState(state);
        LocalApicState apic = bench.Vcpu.GetState().Apic!;

        // The 8259s masked: mov al, ffh; out 21h, al; out a1h, al. I/O APIC input 10: vector 41h, level. mov dword [esi], 24h; mov dword [esi+10h], 8041h; sti; wait for bx; out f4h, al
        bench.Ram.Write(KvmBench.CodeAddress,
        [
            0xB0, 0xFF, 0xE6, 0x21, 0xE6, 0xA1, 0x67, 0x66, 0xC7, 0x06, 0x24, 0, 0, 0, 0x67, 0x66, 0xC7, 0x46, 0x10, 0x41, 0x80, 0, 0,
            0xFB, 0x83, 0xFB, 0x00, 0x74, 0xFB, 0xE6, 0xF4,
        ]);
        bench.Vcpu.SetState(state with { Apic = apic with { SpuriousVector = 0x1FF } });
        using var later = new Timer(_ => notifier.Raise(), null, 50, Timeout.Infinite);

        Assert.Equal(VcpuExitReason.Kicked, bench.Run().Reason);
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref resampled) == 1, 10_000), "the end is not told");
        notifier.Dispose();
    }

    [Fact]
    public void UserNotifier_AfterDisposal_IsSilent()
    {
        int raised = 0;
        var notifier = new UserIrqNotifier(new MachineLock(), () => raised++);
        notifier.Raise();
        notifier.Dispose();
        notifier.Raise();
        Assert.Equal(1, raised);
    }

    private static void Change(KvmBench bench, Action change)
    {
        using (bench.Lock.Enter())
        {
            change();
        }
    }

    private static X86State Flat()
    {
        var data = new SegmentState(0x10, 0, 0xffff_ffff, 0xc093);
        return KvmBench.RealMode() with { Cr0 = 0x11, Segments = [data, new SegmentState(8, 0, 0xffff_ffff, 0xc09b), data, data, data, data] };
    }

    private static void Run(KvmBench bench, X86State state, params byte[] code)
    {
        bench.Ram.Write(KvmBench.CodeAddress, code);
        bench.Vcpu.SetState(state);
        Assert.Equal(VcpuExitReason.Kicked, bench.Run().Reason);
    }
}
