using System.Runtime.InteropServices;

namespace Emu.Tests.VexOracle;

/// <summary>
/// User-visible registers before or after a snippet, laid out as the native driver loads and stores them: an FXSAVE image, the
/// general registers in encoding order, RFLAGS, and how the snippet ended.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = Size)]
internal unsafe struct OracleState
{
    public const int Size = 960;
    public const int UpperOffset = 704;
    public const int GprOffset = 512;
    public const int RflagsOffset = 640;
    public const int NoFault = -1;

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

    /// <summary>Exception vector that ended the snippet, or <see cref="NoFault"/>.</summary>
    [FieldOffset(648)] public long Fault;

    /// <summary>RIP of the fault.</summary>
    [FieldOffset(656)] public ulong FaultRip;

    /// <summary>Error code of the fault.</summary>
    [FieldOffset(664)] public ulong FaultError;

    /// <summary>CR2 of a page fault.</summary>
    [FieldOffset(672)] public ulong FaultAddress;

    /// <summary>Upper halves of YMM0–15; all zeros where the host has no AVX.</summary>
    [FieldOffset(UpperOffset)] public fixed byte Upper[256];
}
