namespace Emu.Frontend.X86;

/// <summary>Exception vectors (SDM vol. 3, table 6-1).</summary>
public enum X86Vector : byte
{
    /// <summary>#DE.</summary>
    DivideError = 0,

    /// <summary>#DB.</summary>
    Debug = 1,

    /// <summary>NMI.</summary>
    Nmi = 2,

    /// <summary>#BP.</summary>
    Breakpoint = 3,

    /// <summary>#OF.</summary>
    Overflow = 4,

    /// <summary>#BR.</summary>
    BoundRange = 5,

    /// <summary>#UD.</summary>
    InvalidOpcode = 6,

    /// <summary>#NM.</summary>
    DeviceNotAvailable = 7,

    /// <summary>#DF.</summary>
    DoubleFault = 8,

    /// <summary>#TS.</summary>
    InvalidTss = 10,

    /// <summary>#NP.</summary>
    SegmentNotPresent = 11,

    /// <summary>#SS.</summary>
    StackFault = 12,

    /// <summary>#GP.</summary>
    GeneralProtection = 13,

    /// <summary>#PF.</summary>
    PageFault = 14,

    /// <summary>#MF.</summary>
    X87FloatingPoint = 16,

    /// <summary>#AC.</summary>
    AlignmentCheck = 17,

    /// <summary>#MC.</summary>
    MachineCheck = 18,

    /// <summary>#XM.</summary>
    SimdFloatingPoint = 19,
}

/// <summary>
/// A fault that the current instruction takes, recorded in <see cref="X86Cpu.PendingFault"/> until the dispatcher delivers it.
/// </summary>
/// <param name="Vector">Exception vector.</param>
/// <param name="ErrorCode">Error code; pushed only for vectors that have one.</param>
/// <param name="DebugStatus">Bits to set in DR6 for #DB.</param>
/// <param name="LinearAddress">The address that goes to CR2 when a #PF is delivered, not before: an abandoned walk leaves no trace. For #GP, the address that is not canonical, if that is the reason.</param>
/// <param name="RestartPc">Where the handler returns to when that is not the current instruction: a fault after a task switch belongs to the new task.</param>
public readonly record struct X86Fault(X86Vector Vector, uint ErrorCode, ulong DebugStatus = 0, ulong LinearAddress = 0, ulong? RestartPc = null);

/// <summary>
/// Unwinds a helper to the dispatcher after <see cref="X86Cpu.PendingFault"/> was set. One instance serves all: it carries
/// nothing. Only rare and wide instructions use it; plain loads and stores report faults by status.
/// </summary>
public sealed class GuestFaultException : Exception
{
    /// <summary>The shared instance.</summary>
    internal static readonly GuestFaultException Instance = new();

    /// <summary>Creates an instance.</summary>
    public GuestFaultException()
        : base("A guest instruction faulted.")
    {
    }

    /// <summary>Creates an instance with a message.</summary>
    public GuestFaultException(string message)
        : base(message)
    {
    }

    /// <summary>Creates an instance with a message and a cause.</summary>
    public GuestFaultException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
