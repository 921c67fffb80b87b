using Emu.Frontend.Ir;

namespace Emu.Frontend.X86.Lift;

/// <summary>Which variant of a mnemonic an instruction is; the helper differs.</summary>
public enum SimdForm
{
    /// <summary>SSE registers.</summary>
    Xmm,

    /// <summary>MMX registers.</summary>
    Mmx,

    /// <summary>SSE shift with an immediate count.</summary>
    XmmImmediate,

    /// <summary>MMX shift with an immediate count.</summary>
    MmxImmediate,

    /// <summary>Memory source that the immediate does not index (INSERTPS).</summary>
    XmmMemory,

    /// <summary>Conversion to or from a 64-bit general register or qword in memory (REX.W).</summary>
    XmmQword,
}

/// <summary>What becomes of a helper's result, and with it the helper's signature.</summary>
public enum SimdResult : byte
{
    /// <summary>
    /// <c>void (CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)</c>: writes all of an XMM or MMX register (16 or 8 bytes) at <c>dst</c>.
    /// </summary>
    Vector,

    /// <summary><c>ulong (CpuHeader* cpu, byte* a, byte* b, int imm)</c>: zero-extended value for a general register, or for memory of <see cref="SimdEntry.MemoryBytes"/>.</summary>
    Value,

    /// <summary>As <see cref="Value"/>; the result holds the six arithmetic flags at their places in RFLAGS.</summary>
    Flags,

    /// <summary>As <see cref="Value"/>: the arithmetic flags in bits 31:0, the new ECX in bits 63:32 (PCMPESTRI, PCMPISTRI).</summary>
    FlagsAndEcx,

    /// <summary>As <see cref="Flags"/>; the helper has written XMM0 itself (PCMPESTRM, PCMPISTRM).</summary>
    FlagsAndXmm0,
}

/// <summary>
/// One packed or scalar instruction. Operand <c>a</c> is the first operand when that is an MMX or XMM register, otherwise the
/// source; <c>b</c> is operand 1 (XMM0 of the blends is read by the helper). A register is passed
/// as the address of its slot, a general register likewise, memory as the address of a copy.
/// </summary>
/// <param name="Helper">Function pointer; <paramref name="Result"/> tells its signature. Zero when the entry is empty.</param>
/// <param name="MemoryBytes">Size of the memory operand, source or (PEXTRx, EXTRACTPS) destination; 0 when there is none.</param>
/// <param name="Result">Kind of result.</param>
/// <param name="Aligned">A memory operand of 16 bytes must be aligned, else #GP.</param>
/// <param name="MayRaise">Reads and sets MXCSR, and may raise #XM (#UD when CR4.OSXMMEXCPT is clear).</param>
/// <param name="Operation">What the helper computes, for consumers with an instruction for it.</param>
public readonly record struct SimdEntry(nint Helper, byte MemoryBytes, SimdResult Result, bool Aligned, bool MayRaise, IrVectorOp Operation);
