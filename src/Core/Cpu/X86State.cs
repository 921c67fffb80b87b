namespace Emu.Core.Cpu;

/// <summary>A segment register: the visible selector and the hidden descriptor cache (SDM vol. 3, 3.4.3).</summary>
/// <param name="Selector">Visible selector.</param>
/// <param name="Base">Linear base address.</param>
/// <param name="Limit">Limit in bytes, granularity already applied.</param>
/// <param name="Attributes">Descriptor bits 55:52 and 47:40 as in the VMX/KVM layout: type 3:0, S 4, DPL 6:5, P 7, AVL 12, L 13, D/B 14, G 15, unusable 16.</param>
public readonly record struct SegmentState(ushort Selector, ulong Base, uint Limit, uint Attributes);

/// <summary>GDTR or IDTR.</summary>
public readonly record struct DescriptorTableState(ulong Base, ushort Limit);

/// <summary>
/// The architectural state of one vCPU, the same for every accelerator: the currency of snapshots, comparison and
/// debuggers. A plain record of values; taking or setting it has no side effects in the guest.
/// </summary>
public sealed record X86State
{
    /// <summary>RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8–R15 in encoding order.</summary>
    public ulong[] Gpr { get; init; } = new ulong[16];

    /// <summary>RIP (not a linear address: CS base excluded).</summary>
    public ulong Rip { get; init; }

    /// <summary>RFLAGS.</summary>
    public ulong Rflags { get; init; }

    /// <summary>ES, CS, SS, DS, FS, GS in encoding order.</summary>
    public SegmentState[] Segments { get; init; } = new SegmentState[6];

    /// <summary>LDTR.</summary>
    public SegmentState Ldtr { get; init; }

    /// <summary>Task register.</summary>
    public SegmentState Tr { get; init; }

    /// <summary>GDTR.</summary>
    public DescriptorTableState Gdtr { get; init; }

    /// <summary>IDTR.</summary>
    public DescriptorTableState Idtr { get; init; }

    /// <summary>CR0.</summary>
    public ulong Cr0 { get; init; }

    /// <summary>CR2.</summary>
    public ulong Cr2 { get; init; }

    /// <summary>CR3.</summary>
    public ulong Cr3 { get; init; }

    /// <summary>CR4.</summary>
    public ulong Cr4 { get; init; }

    /// <summary>CR8 (task priority class).</summary>
    public ulong Cr8 { get; init; }

    /// <summary>XCR0.</summary>
    public ulong Xcr0 { get; init; }

    /// <summary>DR0–DR3, then DR6 and DR7 at indices 4 and 5.</summary>
    public ulong[] Dr { get; init; } = new ulong[6];

    /// <summary>MSRs by index, those with storage in the CPU.</summary>
    public SortedDictionary<uint, ulong> Msrs { get; init; } = [];

    /// <summary>x87, MMX, SSE (and wider) state as a standard-format XSAVE image (SDM vol. 1, 13.4): at least 576 bytes, 832 with AVX.</summary>
    public byte[] Xsave { get; init; } = new byte[832];

    /// <summary>True while HLT waits for an interrupt.</summary>
    public bool Halted { get; init; }

    /// <summary>True while the CPU waits for a SIPI.</summary>
    public bool WaitForSipi { get; init; }

    /// <summary>True in the one-instruction interrupt shadow of STI or MOV SS.</summary>
    public bool InterruptShadow { get; init; }

    /// <summary>True when an NMI is latched.</summary>
    public bool NmiPending { get; init; }

    /// <summary>True from NMI delivery until IRET.</summary>
    public bool NmiBlocked { get; init; }

    /// <summary>An exception that was raised but whose handler has not been entered yet, or null.</summary>
    public PendingException? PendingException { get; init; }

    /// <summary>Vector of an external interrupt that was acknowledged but whose handler has not been entered yet, or null.</summary>
    public byte? PendingInterrupt { get; init; }

    /// <summary>The local APIC. Null leaves it as it is when the state is set.</summary>
    public LocalApicState? Apic { get; init; }
}

/// <summary>An exception between being raised and its handler. For #PF CR2, and for #DB DR6, are set already.</summary>
/// <param name="Vector">Vector.</param>
/// <param name="ErrorCode">Error code, or null for vectors that have none.</param>
public readonly record struct PendingException(byte Vector, uint? ErrorCode);
