namespace Emu.Frontend.X86.Lift;

/// <summary>How an x87 helper gets its memory operand.</summary>
public enum X87Memory : byte
{
    /// <summary>There is none.</summary>
    None,

    /// <summary>Loaded by the lifter: zero-extended in <c>a</c>; of 10 bytes the first 8 in <c>a</c> and the last 2 in <c>b</c>.</summary>
    Value,

    /// <summary>
    /// The linear address (segment checks done) in <c>a</c>: the helper loads or stores <see cref="X87Entry.MemoryBytes"/> itself, and faults before any
    /// x87 state has changed. An unmasked exception suppresses a store, which a returned value could not.
    /// </summary>
    Address,

    /// <summary>
    /// As <see cref="Address"/>; where all exceptions are masked, the lifter stores what <see cref="X87Entry.Value"/> returns and then calls
    /// <see cref="X87.X87Store.Finish"/>.
    /// </summary>
    Store,

    /// <summary>The lifter stores the low <see cref="X87Entry.MemoryBytes"/> of the helper's result (FNSTCW, FNSTSW): no state changes.</summary>
    Result,
}

/// <summary>Where an x87 helper's result goes.</summary>
public enum X87Result : byte
{
    /// <summary>Nowhere.</summary>
    None,

    /// <summary>To memory (<see cref="X87Memory.Result"/>).</summary>
    Memory,

    /// <summary>To AX.</summary>
    Ax,

    /// <summary>It is the six arithmetic flags (FCOMI).</summary>
    Flags,
}

/// <summary>
/// One x87 instruction: first <see cref="Check"/>, then the memory operand is loaded or its address formed, then
/// <see cref="Helper"/>. Both have the signature <c>ulong (CpuHeader* cpu, ulong a, ulong b, ulong imm)</c>.
/// </summary>
/// <param name="Helper">Does the instruction.</param>
/// <param name="Check">Raises #NM or #MF where the instruction must.</param>
/// <param name="Memory">Memory operand.</param>
/// <param name="MemoryBytes">Its size.</param>
/// <param name="Result">Use of the result.</param>
/// <param name="A">Argument <c>a</c> when there is no memory operand: a stack index.</param>
/// <param name="Imm">Argument <c>imm</c>.</param>
/// <param name="SetsPointers">The last instruction (and data) pointer follow this instruction; the lifter stores them.</param>
public readonly record struct X87Entry(
    nint Helper, nint Check, X87Memory Memory, byte MemoryBytes, X87Result Result, ulong A, ulong Imm, bool SetsPointers)
{
    /// <summary>With <see cref="X87Memory.Store"/>: gives what is stored, without changing any state but <see cref="Ir.CpuHeader.Scratch"/>.</summary>
    public nint Value { get; init; }

    /// <summary>The control word may change, and with it what later instructions are translated to.</summary>
    public bool ChangesMode { get; init; }

    /// <summary>The helper looks at the arithmetic flags.</summary>
    public bool ReadsFlags { get; init; }

    /// <summary>The helper computes with host floats.</summary>
    public bool UsesHostFloat { get; init; }
}
