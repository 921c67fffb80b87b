using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Emu.Accel.Kvm.Native;

namespace Emu.Tests.Kvm;

/// <summary>Sizes and offsets against linux/kvm.h of x86-64: 64-bit KVM refuses an ioctl whose size is not the one in its number.</summary>
public sealed class KvmStructTests
{
    [Fact]
    public void Sizes_AreThoseOfTheAbi()
    {
        Assert.Equal(32, Unsafe.SizeOf<KvmMemoryRegion>());
        Assert.Equal(16, Unsafe.SizeOf<KvmDirtyLog>());
        Assert.Equal(144, Unsafe.SizeOf<KvmRegs>());
        Assert.Equal(24, Unsafe.SizeOf<KvmSegment>());
        Assert.Equal(16, Unsafe.SizeOf<KvmDescriptorTable>());
        Assert.Equal(312, Unsafe.SizeOf<KvmSregs>());
        Assert.Equal(64, Unsafe.SizeOf<KvmVcpuEvents>());
        Assert.Equal(128, Unsafe.SizeOf<KvmDebugRegs>());
        Assert.Equal(392, Unsafe.SizeOf<KvmXcrs>());
        Assert.Equal(4096, Unsafe.SizeOf<KvmXsave>());
        Assert.Equal(1024, Unsafe.SizeOf<KvmLapicState>());
        Assert.Equal(16, Unsafe.SizeOf<KvmMsrEntry>());
        Assert.Equal(40, Unsafe.SizeOf<KvmCpuidEntry>());
        Assert.Equal(8, Unsafe.SizeOf<KvmIrqLevel>());
        Assert.Equal(520, Unsafe.SizeOf<KvmIrqchip>());
        Assert.Equal(64, Unsafe.SizeOf<KvmPitConfig>());
        Assert.Equal(112, Unsafe.SizeOf<KvmPitState>());
        Assert.Equal(48, Unsafe.SizeOf<KvmClockData>());
        Assert.Equal(16, Unsafe.SizeOf<KvmCoalescedZone>());
        Assert.Equal(48, Unsafe.SizeOf<KvmRoutingEntry>());
        Assert.Equal(32, Unsafe.SizeOf<KvmIrqFd>());
        Assert.Equal(64, Unsafe.SizeOf<KvmIoEventFd>());
        Assert.Equal(32, Unsafe.SizeOf<KvmMsi>());
        Assert.Equal(104, Unsafe.SizeOf<KvmEnableCap>());
        Assert.Equal(72, Unsafe.SizeOf<KvmGuestDebug>());
    }

    [Fact]
    public void Offsets_OfScatteredFields_AreThoseOfTheAbi()
    {
        Assert.Equal(11, Marshal.OffsetOf<KvmVcpuEvents>(nameof(KvmVcpuEvents.InterruptShadow)));
        Assert.Equal(20, Marshal.OffsetOf<KvmVcpuEvents>(nameof(KvmVcpuEvents.Flags)));
        Assert.Equal(16, Marshal.OffsetOf<KvmSegment>(nameof(KvmSegment.Dpl)));
        Assert.Equal(256, Marshal.OffsetOf<KvmSregs>(nameof(KvmSregs.Cr8)));
    }
}
