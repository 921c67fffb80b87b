using Emu.Accel.Kvm;
using Emu.Accel.Kvm.Native;
using Emu.Core.Memory;

namespace Emu.Tests.Kvm;

/// <summary>A KVM that is not there, too old, or out of something: one line each, and nothing left open.</summary>
public sealed class KvmSystemTests
{
    [Theory]
    [InlineData(-Errno.NotFound, "/dev/kvm is missing")]
    [InlineData(-Errno.AccessDenied, "/dev/kvm may not be opened by this user: join its group (usually kvm)")]
    [InlineData(-Errno.NoDevice, "/dev/kvm cannot be opened: No such device (errno 19)")]
    public void Open_Refused_SaysWhy(int result, string message)
    {
        using var kernel = new FakeKernel { OpenResult = result };
        Assert.Equal(message, Failure(kernel));
    }

    [Fact]
    public void Open_OtherApiVersion_SaysWhich()
    {
        using var kernel = new FakeKernel { Answers = { [KvmIoctl.GetApiVersion] = _ => 11 } };
        Assert.Equal("/dev/kvm has version 11 of the KVM API, not 12", Failure(kernel));
    }

    [Fact]
    public void Open_AnotherDevice_SaysSo()
    {
        using var kernel = new FakeKernel { Answers = { [KvmIoctl.GetApiVersion] = _ => -Errno.NoTty } };
        Assert.Equal("/dev/kvm is not a KVM device", Failure(kernel));
    }

    [Fact]
    public void Open_MissingCapabilities_NamesThem()
    {
        using var kernel = new FakeKernel { Capabilities = { [KvmCapability.ReadOnlyMemory] = 0, [KvmCapability.SyncRegs] = 1 } };
        Assert.Equal("/dev/kvm lacks KVM_CAP_READONLY_MEM, KVM_CAP_SYNC_REGS: the host's kernel is too old", Failure(kernel));
    }

    [Theory]
    [InlineData(Errno.NoMemory, "the host is out of memory; use a smaller -m")]
    [InlineData(Errno.Exists, "another slot is there")]
    [InlineData(Errno.Invalid, "Invalid argument (errno 22)")]
    public void Slot_Refused_NamesTheRegion(int errno, string reason)
    {
        using var kernel = new FakeKernel { Answers = { [KvmIoctl.SetUserMemoryRegion] = _ => -errno } };
        Assert.Equal($"KVM cannot add memory slot 0 (ram, 0x200000 bytes at 0x0): {reason}", Failure(kernel));
    }

    [Fact]
    public void Slots_Exhausted_SaysSo()
    {
        using var kernel = new FakeKernel { Capabilities = { [KvmCapability.MaxMemorySlots] = 1 } };
        Assert.Equal("all 1 memory slots of KVM are in use: none is left for rom at 0x300000", Failure(kernel));
    }

    [Fact]
    public void SplitIrqchip_Missing_NamesTheOption()
    {
        using var kernel = new FakeKernel { Capabilities = { [KvmCapability.SplitIrqchip] = 0 } };
        Assert.Equal("the host's KVM lacks kernel-irqchip=split; use -machine kernel-irqchip=off", Failure(kernel, KernelIrqChipMode.Split));
    }

    [Fact]
    public void Vcpu_NoSharedMemory_SaysSo()
    {
        using var kernel = new FakeKernel { RefusesMaps = true };
        Assert.StartsWith("KVM does not share its memory of vCPU 0", Failure(kernel), StringComparison.Ordinal);
    }

    [Fact]
    public void Probe_WithoutADevice_HasAProblemAndCreatesNothing()
    {
        using var kernel = new FakeKernel { OpenResult = -Errno.NotFound };
        KvmProbe probe = KvmProbe.Run(kernel);
        Assert.Equal("/dev/kvm is missing", probe.Problem);
        Assert.Empty(kernel.Requests);
    }

    [Theory]
    [InlineData((int)KvmExitReason.Hlt, 7UL, true)]
    [InlineData((int)KvmExitReason.Hlt, 6UL, false)]
    [InlineData((int)KvmExitReason.InternalError, 0UL, false)]
    [InlineData((int)KvmExitReason.Shutdown, 0UL, false)]
    public void Probe_JudgesByWhatTheGuestDid(int reason, ulong rax, bool privileged)
    {
        using var kernel = new FakeKernel
        {
            OnRun = run =>
            {
                run.Regs.Rax = rax;
                return run.Exit((KvmExitReason)reason);
            },
        };
        KvmProbe probe = KvmProbe.Run(kernel);
        Assert.Equal((null, privileged), (probe.Problem, probe.RunsPrivilegedCode));
        Assert.Empty(kernel.OpenFiles);
    }

    [Fact]
    public void Slots_FollowTheMap()
    {
        using var kernel = new FakeKernel();
        using var bench = new KvmBench(kernel);
        Assert.Equal(
            [(0UL, 0x20_0000UL, 0u), (KvmBench.RomAddress, 0x1000UL, KvmMemoryRegion.ReadOnly)],
            kernel.Slots.Select(slot => (slot.GuestAddress, slot.Size, slot.Flags)));

        // A device over a page in the middle, as a PAM register would do it, and back.
        kernel.Slots.Clear();
        MemoryRegion hole = MemoryRegion.OfIo("hole", 0x1000, bench.Device, Emu.Core.Memory.IoAccess.UpToDword);
        using (bench.Lock.Enter())
        {
            bench.Root.Add(0xA_0000, hole, priority: 1);
        }

        Assert.Equal([(0, 0UL, 0UL), (0, 0UL, 0xA_0000UL), (2, 0xA_1000UL, 0x15_F000UL)], kernel.Slots.Select(Slot));
        kernel.Slots.Clear();
        using (bench.Lock.Enter())
        {
            bench.Root.Remove(hole);
        }

        Assert.Equal([(0, 0UL, 0UL), (2, 0xA_1000UL, 0UL), (0, 0UL, 0x20_0000UL)], kernel.Slots.Select(Slot));
        Assert.Equal(2, bench.Accelerator.SlotCount);
    }

    [Fact]
    public void Slots_PartsOfPages_AreLeftToExits()
    {
        using var kernel = new FakeKernel();
        using var bench = new KvmBench(kernel);
        kernel.Slots.Clear();
        using var ram = new GuestRam("odd", 0x4000);
        using (bench.Lock.Enter())
        {
            bench.Root.Add(0x60_0800, MemoryRegion.OfRam("inside", ram, 0x800, 0x2000));
            bench.Root.Add(0x70_0000, MemoryRegion.OfRam("shifted", ram, 0x800, 0x2000));
            bench.Root.Add(0x80_0000, MemoryRegion.OfRam("small", ram, 0, 0x800));
        }

        Assert.Equal([(2, 0x60_1000UL, 0x1000UL)], kernel.Slots.Select(Slot));
    }

    private static (int Number, ulong Address, ulong Size) Slot(KvmMemoryRegion slot) => ((int)slot.Slot, slot.GuestAddress, slot.Size);

    private static string Failure(FakeKernel kernel, KernelIrqChipMode mode = KernelIrqChipMode.Off)
    {
        string message = Assert.Throws<KvmException>(() => new KvmBench(kernel, mode)).Message;
        if (!kernel.RefusesMaps)
        {
            Assert.Empty(kernel.OpenFiles);
        }

        return message;
    }
}
