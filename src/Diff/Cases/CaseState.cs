using System.Runtime.InteropServices;

namespace Emu.Diff.Cases;

/// <summary>
/// User-visible registers before or after a case, as the driver loads and stores them: an FXSAVE image, the general registers in encoding
/// order, RFLAGS, how the case ended, and the upper halves of the YMM registers.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = Size)]
internal unsafe struct CaseState
{
    public const int Size = 1024;
    public const int GprOffset = 512;
    public const int RflagsOffset = 640;
    public const int RipOffset = 648;
    public const int FaultOffset = 656;
    public const int FaultErrorOffset = 664;
    public const int FaultAddressOffset = 672;
    public const int ControlOffset = 680;
    public const int UpperVectorOffset = 704;
    public const int UpperVectorBytes = 256;

    /// <summary><see cref="Fault"/> of a case that came to its end.</summary>
    public const long NoFault = -1;

    /// <summary><see cref="Fault"/> of a case that did not end in time.</summary>
    public const long Stuck = 0x100;

    /// <summary><see cref="Fault"/> of a case that the engine could not run on.</summary>
    public const long EngineFailed = 0x101;

    /// <summary>FXSAVE64 image: x87, MXCSR, XMM.</summary>
    [FieldOffset(0)] public fixed byte Fx[512];

    /// <summary>FCW.</summary>
    [FieldOffset(0)] public ushort X87Control;

    /// <summary>FSW.</summary>
    [FieldOffset(2)] public ushort X87Status;

    /// <summary>Abridged tags: a bit per physical register, 1 = valid.</summary>
    [FieldOffset(4)] public byte X87Tags;

    /// <summary>MXCSR.</summary>
    [FieldOffset(24)] public uint Mxcsr;

    /// <summary>RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8–R15.</summary>
    [FieldOffset(GprOffset)] public fixed ulong Gpr[16];

    /// <summary>RFLAGS.</summary>
    [FieldOffset(RflagsOffset)] public ulong Rflags;

    /// <summary>Before: the entry. After: RIP of the exception; unchanged without one.</summary>
    [FieldOffset(RipOffset)] public ulong Rip;

    /// <summary>Exception vector that ended the case, or one of the constants above.</summary>
    [FieldOffset(FaultOffset)] public long Fault;

    /// <summary>Error code of the exception.</summary>
    [FieldOffset(FaultErrorOffset)] public ulong FaultError;

    /// <summary>CR2 of a page fault.</summary>
    [FieldOffset(FaultAddressOffset)] public ulong FaultAddress;

    /// <summary>What the case finds changed in the control registers: bits set in CR0 in the low half, bits cleared in CR4 in the high half.</summary>
    [FieldOffset(ControlOffset)] public ulong Control;

    /// <summary>Upper halves of YMM0–15.</summary>
    [FieldOffset(UpperVectorOffset)] public fixed byte UpperVector[UpperVectorBytes];
}

/// <summary>A case's registers and memory windows, in place: input before a run, result after it.</summary>
[StructLayout(LayoutKind.Explicit, Size = Size)]
internal unsafe struct CaseRecord
{
    public const int Size = 2048;
    public const int MemoryOffset = CaseState.Size;

    [FieldOffset(0)] public CaseState State;

    /// <summary>The windows of <see cref="CaseLayout.Windows"/>, one behind the other.</summary>
    [FieldOffset(MemoryOffset)] public fixed byte Memory[CaseLayout.WindowBytes];
}
