namespace Emu.Accel.Kvm.Native;

/// <summary>Request numbers of the KVM API for x86 (linux/kvm.h): direction, size of the argument, type AEH, number.</summary>
internal static class KvmIoctl
{
    private const uint None = 0xAE00;
    private const uint In = 0x4000_AE00;
    private const uint Out = 0x8000_AE00;
    private const uint InOut = 0xC000_AE00;

    // System.
    public const uint GetApiVersion = None | 0x00;
    public const uint CreateVm = None | 0x01;
    public const uint GetMsrIndexList = InOut | (4 << 16) | 0x02;
    public const uint CheckExtension = None | 0x03;
    public const uint GetVcpuMmapSize = None | 0x04;
    public const uint GetSupportedCpuid = InOut | (8 << 16) | 0x05;

    // Virtual machine.
    public const uint CreateVcpu = None | 0x41;
    public const uint GetDirtyLog = In | (16 << 16) | 0x42;
    public const uint SetUserMemoryRegion = In | (32 << 16) | 0x46;
    public const uint SetTssAddress = None | 0x47;
    public const uint SetIdentityMapAddress = In | (8 << 16) | 0x48;
    public const uint CreateIrqchip = None | 0x60;
    public const uint IrqLine = In | (8 << 16) | 0x61;
    public const uint GetIrqchip = InOut | (520 << 16) | 0x62;
    public const uint SetIrqchip = Out | (520 << 16) | 0x63;
    public const uint RegisterCoalescedMmio = In | (16 << 16) | 0x67;
    public const uint UnregisterCoalescedMmio = In | (16 << 16) | 0x68;
    public const uint SetGsiRouting = In | (8 << 16) | 0x6a;
    public const uint IrqFd = In | (32 << 16) | 0x76;
    public const uint CreatePit2 = In | (64 << 16) | 0x77;
    public const uint IoEventFd = In | (64 << 16) | 0x79;
    public const uint SetClock = In | (48 << 16) | 0x7b;
    public const uint GetClock = Out | (48 << 16) | 0x7c;
    public const uint GetPit2 = Out | (112 << 16) | 0x9f;
    public const uint SetPit2 = In | (112 << 16) | 0xa0;
    public const uint EnableCap = In | (104 << 16) | 0xa3;
    public const uint SignalMsi = In | (32 << 16) | 0xa5;

    // Virtual CPU.
    public const uint Run = None | 0x80;
    public const uint SetRegs = In | (144 << 16) | 0x82;
    public const uint SetSregs = In | (312 << 16) | 0x84;
    public const uint Interrupt = In | (4 << 16) | 0x86;
    public const uint GetMsrs = InOut | (8 << 16) | 0x88;
    public const uint SetMsrs = In | (8 << 16) | 0x89;
    public const uint GetLapic = Out | (1024 << 16) | 0x8e;
    public const uint SetLapic = In | (1024 << 16) | 0x8f;
    public const uint SetCpuid2 = In | (8 << 16) | 0x90;
    public const uint GetMpState = Out | (4 << 16) | 0x98;
    public const uint SetMpState = In | (4 << 16) | 0x99;
    public const uint Nmi = None | 0x9a;
    public const uint SetGuestDebug = In | (72 << 16) | 0x9b;
    public const uint SetVcpuEvents = In | (64 << 16) | 0xa0;
    public const uint GetDebugRegs = Out | (128u << 16) | 0xa1;
    public const uint SetDebugRegs = In | (128 << 16) | 0xa2;
    public const uint GetTscKhz = None | 0xa3;
    public const uint GetXsave = Out | (4096u << 16) | 0xa4;
    public const uint SetXsave = In | (4096 << 16) | 0xa5;
    public const uint GetXcrs = Out | (392u << 16) | 0xa6;
    public const uint SetXcrs = In | (392 << 16) | 0xa7;
    public const uint KvmClockCtrl = None | 0xad;
}

/// <summary>Capabilities asked for by KVM_CHECK_EXTENSION.</summary>
internal enum KvmCapability
{
    Irqchip = 0,
    UserMemory = 3,
    SetTssAddress = 4,
    MaxMemorySlots = 10,
    MpState = 14,
    CoalescedMmio = 15,
    UserNmi = 22,
    SetGuestDebug = 23,
    IrqRouting = 25,
    IrqFd = 32,
    Pit2 = 33,
    IoEventFd = 36,
    AdjustClock = 39,
    VcpuEvents = 41,
    DebugRegs = 50,
    Xsave = 55,
    Xcrs = 56,
    TscControl = 60,
    GetTscKhz = 61,
    MaxVcpus = 66,
    TscDeadlineTimer = 72,
    SyncRegs = 74,
    KvmClockCtrl = 76,
    SignalMsi = 77,
    ReadOnlyMemory = 81,
    IrqFdResample = 82,
    SplitIrqchip = 121,
    IoEventFdAnyLength = 122,
    ImmediateExit = 136,
}

/// <summary>Why KVM_RUN returned (KVM API, 5, <c>exit_reason</c>).</summary>
internal enum KvmExitReason
{
    Unknown = 0,
    Exception = 1,
    Io = 2,
    Hypercall = 3,
    Debug = 4,
    Hlt = 5,
    Mmio = 6,
    IrqWindowOpen = 7,
    Shutdown = 8,
    FailEntry = 9,
    Intr = 10,
    SetTpr = 11,
    TprAccess = 12,
    Nmi = 16,
    InternalError = 17,
    SystemEvent = 24,
    IoApicEoi = 26,
}

/// <summary>What KVM_GET_MP_STATE says of a vCPU whose local APIC is in the kernel.</summary>
internal enum KvmMpState : uint
{
    Runnable = 0,
    Uninitialized = 1,
    InitReceived = 2,
    Halted = 3,
    SipiReceived = 4,
}
