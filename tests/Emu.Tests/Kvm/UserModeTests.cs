using Emu.Accel.Kvm;
using Emu.Core.Cpu;

namespace Emu.Tests.Kvm;

/// <summary>
/// 64-bit code at privilege level 3, which every kind of KVM runs on the processor itself. A TSS whose I/O bitmap is all
/// zero lets it use ports (SDM vol. 1, 19.5.2).
/// </summary>
public sealed class UserModeTests
{
    private const ulong Pml4 = 0x10_0000;
    private const ulong Tss = 0x11_0000;
    private const ulong Gdt = 0x11_4000;
    private const ushort TssSize = 0x68 + 0x2000;

    [KvmTheory]
    [InlineData(KernelIrqChipMode.Off)]
    [InlineData(KernelIrqChipMode.Split)]
    [InlineData(KernelIrqChipMode.On)]
    public void PortAndMemoryAccesses_ReachTheDevices(KernelIrqChipMode mode)
    {
        using var bench = new KvmBench(mode: mode);
        bench.Ports.Answer = (_, _) => 0x1234_5678;
        X86State state = UserMode(bench);
        state.Gpr[3] = KvmBench.DeviceAddress;

        // in eax, 80h; mov [rbx+8], eax; mov rcx, [rbx]; popcnt eax, ecx; out 80h, eax; out f4h, al
        bench.Ram.Write(
            KvmBench.CodeAddress,
            [0xE5, 0x80, 0x89, 0x43, 0x08, 0x48, 0x8B, 0x0B, 0xF3, 0x0F, 0xB8, 0xC1, 0xE7, 0x80, 0xE6, 0xF4]);
        bench.Vcpu.SetState(state);

        Assert.Equal(VcpuExitReason.Kicked, bench.Run().Reason);
        Assert.Equal([new Access(true, 8, 0x1234_5678, 4), new Access(false, 0, 0x1122_3344_5566_7788, 8)], bench.Device.Accesses);
        Assert.Equal([0x1234_5678UL, 16UL], bench.Ports.Accesses.Select(access => access.Value));
        Assert.Equal(3, bench.Vcpu.GetState().Segments[1].Selector & 3);
    }

    [KvmFact]
    public void SseAndX87_RunOnTheProcessor_AndAreInTheState()
    {
        using var bench = new KvmBench();
        X86State state = UserMode(bench);
        state.Gpr[0] = 0x0102_0304_0506_0708;

        // movq xmm3, rax; paddb xmm3, xmm3; fld1; out f4h, al
        bench.Ram.Write(KvmBench.CodeAddress, [0x66, 0x48, 0x0F, 0x6E, 0xD8, 0x66, 0x0F, 0xFC, 0xDB, 0xD9, 0xE8, 0xE6, 0xF4]);
        bench.Vcpu.SetState(state);
        bench.Run();

        byte[] xsave = bench.Vcpu.GetState().Xsave;
        Assert.Equal(0x0204_0608_0a0c_0e10UL, BitConverter.ToUInt64(xsave, 160 + (3 * 16)));
        Assert.Equal(0x8000_0000_0000_0000UL, BitConverter.ToUInt64(xsave, 32));
    }

    [KvmFact]
    public void Kick_OfALoopWithoutExits_ComesAtOnce()
    {
        using var bench = new KvmBench();
        bench.Ram.Write(KvmBench.CodeAddress, [0xEB, 0xFE]); // jmp $
        bench.Vcpu.SetState(UserMode(bench));
        for (int i = 0; i < 200; i++)
        {
            int delay = i * 10;
            var kicker = new Thread(() =>
            {
                Thread.SpinWait(delay);
                bench.Vcpu.Kick();
            });
            kicker.Start();
            Assert.Equal(VcpuExitReason.Kicked, bench.Run().Reason);
            kicker.Join();
        }
    }

    // Two MiB of RAM, the device and the ROM, one to one and open to user code, in pages of 2 MiB.
    private static X86State UserMode(KvmBench bench)
    {
        const ulong Open = 7;
        const ulong Large = 0x80;
        bench.Ram.WriteValue(Pml4, (Pml4 + 0x1000) | Open, 8);
        bench.Ram.WriteValue(Pml4 + 0x1000, (Pml4 + 0x2000) | Open, 8);
        for (ulong i = 0; i < 4; i++)
        {
            bench.Ram.WriteValue(Pml4 + 0x2000 + (i * 8), (i << 21) | Large | Open | 0x60, 8);
        }

        bench.Ram.WriteValue(Tss + 0x66, 0x68, 2);
        bench.Ram.WriteValue(Tss + TssSize, 0xff, 1);
        bench.Ram.WriteValue(Gdt + 0x18, 0x00cf_f300_0000_ffff, 8);
        bench.Ram.WriteValue(Gdt + 0x20, 0x00af_fb00_0000_ffff, 8);
        var data = new SegmentState(0x1b, 0, 0xffff_ffff, 0xc0f3);
        X86State state = KvmBench.RealMode() with
        {
            Rip = KvmBench.CodeAddress,
            Cr0 = 0x8000_0033,
            Cr3 = Pml4,
            Cr4 = 0x620,
            Segments = [data, new SegmentState(0x23, 0, 0xffff_ffff, 0xa0fb), data, data, data, data],
            Tr = new SegmentState(0x28, Tss, TssSize, 0x8b),
            Gdtr = new DescriptorTableState(Gdt, 0x3f),
        };
        state.Msrs[0xC000_0080] = 0xD01;
        return state;
    }
}
