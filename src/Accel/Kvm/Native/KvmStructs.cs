using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Emu.Accel.Kvm.Native;

// The structures of linux/kvm.h and asm/kvm.h, field by field; tests hold their sizes against the ABI.

/// <summary>struct kvm_userspace_memory_region.</summary>
internal struct KvmMemoryRegion
{
    public const uint LogDirtyPages = 1;
    public const uint ReadOnly = 2;

    public uint Slot;
    public uint Flags;
    public ulong GuestAddress;
    public ulong Size;
    public ulong HostAddress;
}

/// <summary>struct kvm_dirty_log.</summary>
internal struct KvmDirtyLog
{
    public uint Slot;
    public uint Padding;
    public nint Bitmap;
}

/// <summary>struct kvm_regs.</summary>
internal struct KvmRegs
{
    public ulong Rax, Rbx, Rcx, Rdx, Rsi, Rdi, Rsp, Rbp, R8, R9, R10, R11, R12, R13, R14, R15, Rip, Rflags;
}

/// <summary>struct kvm_segment.</summary>
internal struct KvmSegment
{
    public ulong Base;
    public uint Limit;
    public ushort Selector;
    public byte Type, Present, Dpl, Db, S, L, G, Avl, Unusable, Padding;
}

/// <summary>struct kvm_dtable.</summary>
internal struct KvmDescriptorTable
{
    public ulong Base;
    public ushort Limit;
    public ushort Padding0, Padding1, Padding2;
}

/// <summary>struct kvm_sregs.</summary>
internal struct KvmSregs
{
    public KvmSegment Cs, Ds, Es, Fs, Gs, Ss, Tr, Ldt;
    public KvmDescriptorTable Gdt, Idt;
    public ulong Cr0, Cr2, Cr3, Cr4, Cr8, Efer, ApicBase;
    public ulong Interrupts0, Interrupts1, Interrupts2, Interrupts3;
}

/// <summary>struct kvm_vcpu_events.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal struct KvmVcpuEvents
{
    public const uint ValidNmiPending = 1;
    public const uint ValidShadow = 4;
    public const byte ShadowSti = 2;

    [FieldOffset(0)] public byte ExceptionInjected;
    [FieldOffset(1)] public byte ExceptionVector;
    [FieldOffset(2)] public byte ExceptionHasError;
    [FieldOffset(3)] public byte ExceptionPending;
    [FieldOffset(4)] public uint ExceptionError;
    [FieldOffset(8)] public byte InterruptInjected;
    [FieldOffset(9)] public byte InterruptVector;
    [FieldOffset(10)] public byte InterruptSoft;
    [FieldOffset(11)] public byte InterruptShadow;
    [FieldOffset(12)] public byte NmiInjected;
    [FieldOffset(13)] public byte NmiPending;
    [FieldOffset(14)] public byte NmiMasked;
    [FieldOffset(16)] public uint SipiVector;
    [FieldOffset(20)] public uint Flags;
}

/// <summary>struct kvm_debugregs.</summary>
internal struct KvmDebugRegs
{
    public ulong Db0, Db1, Db2, Db3, Dr6, Dr7, Flags;
    public Reserved9 Reserved;

    [InlineArray(9)]
    public struct Reserved9
    {
        private ulong _element;
    }
}

/// <summary>struct kvm_xcrs: the first register is all that there is.</summary>
[StructLayout(LayoutKind.Explicit, Size = 392)]
internal struct KvmXcrs
{
    [FieldOffset(0)] public uint Count;
    [FieldOffset(4)] public uint Flags;
    [FieldOffset(8)] public uint Xcr;
    [FieldOffset(16)] public ulong Value;
}

/// <summary>struct kvm_xsave.</summary>
[InlineArray(Size)]
internal struct KvmXsave
{
    public const int Size = 4096;
    private byte _element;
}

/// <summary>struct kvm_lapic_state: the register page, 16 bytes a register.</summary>
[InlineArray(Size)]
internal struct KvmLapicState
{
    public const int Size = 1024;
    private byte _element;
}

/// <summary>struct kvm_msr_entry.</summary>
internal struct KvmMsrEntry
{
    public uint Index;
    public uint Reserved;
    public ulong Data;
}

/// <summary>struct kvm_cpuid_entry2.</summary>
internal struct KvmCpuidEntry
{
    public const uint SignificantIndex = 1;

    public uint Function, Index, Flags, Eax, Ebx, Ecx, Edx;
    public uint Padding0, Padding1, Padding2;
}

/// <summary>struct kvm_irq_level.</summary>
internal struct KvmIrqLevel
{
    public uint Irq;
    public uint Level;
}

/// <summary>struct kvm_irqchip: one of the three chips, as KVM keeps it.</summary>
[StructLayout(LayoutKind.Explicit, Size = 520)]
internal struct KvmIrqchip
{
    public const int Count = 3;

    [FieldOffset(0)] public uint ChipId;
}

/// <summary>struct kvm_pit_config.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal struct KvmPitConfig
{
    public const uint SpeakerPort = 1;

    [FieldOffset(0)] public uint Flags;
}

/// <summary>struct kvm_pit_state2.</summary>
[StructLayout(LayoutKind.Explicit, Size = 112)]
internal struct KvmPitState
{
    public const uint HpetLegacy = 1;

    [FieldOffset(72)] public uint Flags;
}

/// <summary>struct kvm_clock_data.</summary>
[StructLayout(LayoutKind.Explicit, Size = 48)]
internal struct KvmClockData
{
    [FieldOffset(0)] public ulong Clock;
    [FieldOffset(8)] public uint Flags;
}

/// <summary>struct kvm_coalesced_mmio_zone.</summary>
internal struct KvmCoalescedZone
{
    public ulong Address;
    public uint Size;
    public uint IsPort;
}

/// <summary>struct kvm_irq_routing_entry.</summary>
[StructLayout(LayoutKind.Explicit, Size = 48)]
internal struct KvmRoutingEntry
{
    public const uint ToIrqchip = 1;
    public const uint ToMsi = 2;

    [FieldOffset(0)] public uint Gsi;
    [FieldOffset(4)] public uint Type;
    [FieldOffset(8)] public uint Flags;
    [FieldOffset(16)] public uint Chip;
    [FieldOffset(20)] public uint Pin;
    [FieldOffset(16)] public uint AddressLow;
    [FieldOffset(20)] public uint AddressHigh;
    [FieldOffset(24)] public uint Data;
}

/// <summary>struct kvm_irqfd.</summary>
[StructLayout(LayoutKind.Explicit, Size = 32)]
internal struct KvmIrqFd
{
    public const uint Deassign = 1;
    public const uint Resample = 2;

    [FieldOffset(0)] public int Fd;
    [FieldOffset(4)] public uint Gsi;
    [FieldOffset(8)] public uint Flags;
    [FieldOffset(12)] public int ResampleFd;
}

/// <summary>struct kvm_ioeventfd.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal struct KvmIoEventFd
{
    public const uint DataMatch = 1;
    public const uint Port = 2;
    public const uint Deassign = 4;

    [FieldOffset(0)] public ulong Match;
    [FieldOffset(8)] public ulong Address;
    [FieldOffset(16)] public uint Length;
    [FieldOffset(20)] public int Fd;
    [FieldOffset(24)] public uint Flags;
}

/// <summary>struct kvm_msi.</summary>
[StructLayout(LayoutKind.Explicit, Size = 32)]
internal struct KvmMsi
{
    [FieldOffset(0)] public uint AddressLow;
    [FieldOffset(4)] public uint AddressHigh;
    [FieldOffset(8)] public uint Data;
    [FieldOffset(12)] public uint Flags;
}

/// <summary>struct kvm_enable_cap.</summary>
[StructLayout(LayoutKind.Explicit, Size = 104)]
internal struct KvmEnableCap
{
    [FieldOffset(0)] public uint Capability;
    [FieldOffset(8)] public ulong Argument0;
}

/// <summary>struct kvm_guest_debug.</summary>
[StructLayout(LayoutKind.Explicit, Size = 72)]
internal struct KvmGuestDebug
{
    public const uint Enable = 1;
    public const uint SingleStep = 2;

    [FieldOffset(0)] public uint Control;
}
