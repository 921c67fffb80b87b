namespace Emu.Frontend.Ir;

/// <summary>Width of an operation's operands.</summary>
public enum IrWidth : byte
{
    /// <summary>8 bits.</summary>
    W8,

    /// <summary>16 bits.</summary>
    W16,

    /// <summary>32 bits.</summary>
    W32,

    /// <summary>64 bits.</summary>
    W64,

    /// <summary>128 bits: vector slots.</summary>
    W128,
}

/// <summary>What an unconditional jump stands for. It jumps all the same; a compiler guesses from it where returns lead.</summary>
public enum IrJumpKind : byte
{
    /// <summary>A jump.</summary>
    Plain,

    /// <summary>A call: a return to the end of its block is to be expected.</summary>
    Call,

    /// <summary>A return from a call.</summary>
    Return,
}

/// <summary>How a memory op (and <see cref="IrOpcode.Lea"/>) computes its linear address.</summary>
public enum IrAddress : byte
{
    /// <summary>A + displacement.</summary>
    Base,

    /// <summary>A + (B &lt;&lt; scale) + displacement.</summary>
    BaseIndex,

    /// <summary>A + (B &lt;&lt; scale) + C + displacement.</summary>
    BaseIndexSegment,

    /// <summary>The same modulo 2^32.</summary>
    Wrap32,
}

/// <summary>
/// The operations of the IR. Conventions: operands Dst, A, B, C are slots; with <see cref="IrOp.ImmediateB"/> the second operand
/// is <see cref="IrOp.Imm"/> (its low 32 bits, sign-extended, where the op also uses the high half). A destination of 8 or 16
/// bits keeps the other bits of its slot, one of 32 bits clears the upper half. Ops marked F set the lazy flags when
/// <see cref="IrOp.SetsFlags"/>.
/// </summary>
public enum IrOpcode : byte
{
    /// <summary>Nothing; left behind by the optimiser and dropped by the consumers.</summary>
    Nop,

    /// <summary>Dst ← B.</summary>
    Move,

    /// <summary>Dst (width Sub) ← A (width Width), zero-extended.</summary>
    ZeroExtend,

    /// <summary>Dst (width Sub) ← A (width Width), sign-extended.</summary>
    SignExtend,

    /// <summary>Dst ← the address computed as <see cref="IrOp.Address"/> says.</summary>
    Lea,

    /// <summary>F: Dst ← A + B.</summary>
    Add,

    /// <summary>F: Dst ← A − B.</summary>
    Sub,

    /// <summary>F: Dst ← A &amp; B.</summary>
    And,

    /// <summary>F: Dst ← A | B.</summary>
    Or,

    /// <summary>F: Dst ← A ^ B.</summary>
    Xor,

    /// <summary>F: Dst ← A + B + carry.</summary>
    Adc,

    /// <summary>F: Dst ← A − B − carry.</summary>
    Sbb,

    /// <summary>F: flags of A − B.</summary>
    Compare,

    /// <summary>F: flags of A &amp; B.</summary>
    Test,

    /// <summary>F: Dst ← −A.</summary>
    Negate,

    /// <summary>Dst ← ~A.</summary>
    Not,

    /// <summary>F: Dst ← A + 1, carry kept.</summary>
    Increment,

    /// <summary>F: Dst ← A − 1, carry kept.</summary>
    Decrement,

    /// <summary>F: Dst ← A &lt;&lt; (B mod 32, or 64 for 64 bits); flags kept when the count is zero.</summary>
    ShiftLeft,

    /// <summary>F: logical right shift, as above.</summary>
    ShiftRight,

    /// <summary>F: arithmetic right shift, as above.</summary>
    ShiftRightArithmetic,

    /// <summary>Dst ← A rotated left by B; no flags.</summary>
    RotateLeft,

    /// <summary>Dst ← A rotated right by B; no flags.</summary>
    RotateRight,

    /// <summary>F: Dst ← low half of A × B; overflow as for signed operands.</summary>
    Multiply,

    /// <summary>F: Dst ← low, C ← high half of unsigned A × B (16 bits and wider).</summary>
    MultiplyWideUnsigned,

    /// <summary>F: the same, signed.</summary>
    MultiplyWideSigned,

    /// <summary>
    /// Dst ← quotient, C ← remainder of unsigned C:A ÷ B (32 and 64 bits). Faults in helper(cpu, A, B, Imm), which also does the rest where
    /// the consumer does not; Target is its address.
    /// </summary>
    DivideUnsigned,

    /// <summary>The same, signed.</summary>
    DivideSigned,

    /// <summary>Dst ← A with its bytes reversed (32 or 64 bits).</summary>
    ByteSwap,

    /// <summary>Dst (64 bits) ← number of the lowest set bit of A; for zero anything.</summary>
    LowestBit,

    /// <summary>Dst (64 bits) ← number of the highest set bit of A; for zero anything.</summary>
    HighestBit,

    /// <summary>F: the six flags are the bits of A at their x86 places.</summary>
    SetFlags,

    /// <summary>Dst (8 bits) ← 1 if condition Sub holds, else 0.</summary>
    SetCondition,

    /// <summary>Dst ← B if condition Sub holds, else A.</summary>
    Select,

    /// <summary>Dst (width Sub) ← memory (width Width), zero-extended when wider.</summary>
    Load,

    /// <summary>Dst (width Sub) ← memory (width Width), sign-extended.</summary>
    LoadSigned,

    /// <summary>As <see cref="Load"/>, after making sure that a store to the same place cannot fault. Of 128 bits nothing is loaded.</summary>
    LoadForWrite,

    /// <summary>Memory ← Dst slot, or the high half of Imm with <see cref="IrOp.ImmediateB"/>.</summary>
    Store,

    /// <summary>
    /// Dst ← memory (width Width) at linear address A, into which <see cref="IrOp.Atomic"/> puts its result in one step that other CPUs see
    /// whole; C is the accumulator of a comparison. So does helper(cpu, A, B, Imm), whose address is Target, where the consumer cannot.
    /// </summary>
    Atomic,

    /// <summary>Faults in helper(cpu, A, B, Imm) unless A is a multiple of Imm, a power of two; Target is its address.</summary>
    CheckAligned,

    /// <summary>Dst ← helper(cpu, A, B, Imm); Target is its address. See <see cref="IrCallEffects"/> in Sub, as for the other calls.</summary>
    Call,

    /// <summary>Vector helper(cpu, &amp;Dst, &amp;A, &amp;B, Imm); Target is its address, <see cref="IrOp.VectorOp"/> what it computes.</summary>
    CallVector,

    /// <summary>Dst ← vector helper(cpu, &amp;A, &amp;B, Imm), as above.</summary>
    CallVectorValue,

    /// <summary>Ends the block: continue at start + high half of Imm. Dst counts the block's instructions.</summary>
    Jump,

    /// <summary>As <see cref="Jump"/> if condition Sub holds, else the next op, which is a <see cref="Jump"/>.</summary>
    JumpIf,

    /// <summary>As <see cref="JumpIf"/> on the flags of A − B, which are also set when <see cref="IrOp.SetsFlags"/>.</summary>
    CompareJump,

    /// <summary>As <see cref="JumpIf"/> on the flags of A &amp; B, which are also set when <see cref="IrOp.SetsFlags"/>.</summary>
    TestJump,

    /// <summary>Ends the block: continue at the address in A. Dst counts the block's instructions.</summary>
    JumpIndirect,

    /// <summary>Ends the block: return to the dispatcher, the program counter being set. Dst counts the block's instructions.</summary>
    Exit,
}

/// <summary>What a helper does beyond computing its result; the optimiser believes it.</summary>
[Flags]
public enum IrCallEffects : byte
{
    /// <summary>Nothing but state that no IR op touches.</summary>
    None = 0,

    /// <summary>May fault, so everything architectural must be in place.</summary>
    MayFault = 1,

    /// <summary>Reads the lazy flags.</summary>
    ReadsFlags = 2,

    /// <summary>Replaces the lazy flags (all of them).</summary>
    WritesFlags = 4,

    /// <summary>Reads guest registers that are not among its operands. One that may fault shows them all anyway.</summary>
    ReadsRegisters = 8,

    /// <summary>Writes guest registers beside its result, segment bases, or what memory accesses go through.</summary>
    WritesRegisters = 16,

    /// <summary>
    /// Reads or changes <see cref="CpuHeader.FloatStatus"/>, or computes with host floats. One that may fault or writes registers is taken
    /// to. A vector operation with this and without <see cref="MayFault"/> runs under default control: all exceptions masked, rounding to
    /// nearest, denormals as they are.
    /// </summary>
    Float = 32,

    /// <summary>May fault, reads and writes any register.</summary>
    System = MayFault | ReadsRegisters | WritesRegisters,

    /// <summary>Everything a helper can do.</summary>
    All = System | ReadsFlags | WritesFlags,
}

/// <summary>One IR operation. Plain data; blocks keep them in pooled arrays.</summary>
public struct IrOp
{
    /// <summary>Operation.</summary>
    public IrOpcode Opcode;

    /// <summary>Operand width.</summary>
    public IrWidth Width;

    /// <summary>Second width, condition or call effects, by opcode.</summary>
    public byte Sub;

    /// <summary>Address form of memory ops.</summary>
    public IrAddress Address;

    /// <summary>Shift of the index in the address; <see cref="IrVectorOp"/> of vector calls; <see cref="IrAtomic"/>.</summary>
    public byte Scale;

    /// <summary>For ops that use a condition or the carry: what set the flags, <see cref="FlagsKind.Materialised"/> when unknown.</summary>
    public FlagsKind Flags;

    /// <summary>The second operand is immediate.</summary>
    public bool ImmediateB;

    /// <summary>The lazy flags are set.</summary>
    public bool SetsFlags;

    /// <summary>Destination slot.</summary>
    public ushort Dst;

    /// <summary>First operand slot.</summary>
    public ushort A;

    /// <summary>Second operand slot.</summary>
    public ushort B;

    /// <summary>Third operand slot.</summary>
    public ushort C;

    /// <summary>Immediate; see the opcode.</summary>
    public long Imm;

    /// <summary>Address of a helper.</summary>
    public nint Target;

    /// <summary>Width of the destination where it differs from <see cref="Width"/>.</summary>
    public readonly IrWidth DestinationWidth => (IrWidth)Sub;

    /// <summary>What a <see cref="IrOpcode.Jump"/> or <see cref="IrOpcode.JumpIndirect"/> stands for.</summary>
    public readonly IrJumpKind JumpKind => (IrJumpKind)Sub;

    /// <summary>Condition of conditional ops.</summary>
    public readonly IrCondition Condition => (IrCondition)Sub;

    /// <summary>What a vector call computes.</summary>
    public readonly IrVectorOp VectorOp => (IrVectorOp)Scale;

    /// <summary>What an atomic op does.</summary>
    public readonly IrAtomic Atomic => (IrAtomic)Scale;

    /// <summary>Effects of calls.</summary>
    public readonly IrCallEffects Effects => (IrCallEffects)Sub;

    /// <summary>True for the ops that touch guest memory.</summary>
    public readonly bool IsMemory => Opcode is IrOpcode.Load or IrOpcode.LoadSigned or IrOpcode.LoadForWrite or IrOpcode.Store;

    /// <summary>True for the ops after which no other op of the block runs, on one path at least.</summary>
    public readonly bool IsBlockEnd => Opcode >= IrOpcode.Jump;

    /// <summary>True when the op may leave the block with a fault.</summary>
    public readonly bool MayFault => IsMemory || Opcode is IrOpcode.CheckAligned or IrOpcode.Atomic || IsDivision || (IsCall && (Effects & IrCallEffects.MayFault) != 0);

    /// <summary>True for the ops with quotient and remainder.</summary>
    public readonly bool IsDivision => Opcode is IrOpcode.DivideUnsigned or IrOpcode.DivideSigned;

    /// <summary>True for the ops that write C beside Dst.</summary>
    public readonly bool WritesTwo => Opcode is IrOpcode.MultiplyWideSigned or IrOpcode.MultiplyWideUnsigned || IsDivision;

    /// <summary>True for the ops that call a helper.</summary>
    public readonly bool IsCall => Opcode is IrOpcode.Call or IrOpcode.CallVector or IrOpcode.CallVectorValue;

    /// <summary>True when the op looks at the lazy flags.</summary>
    public readonly bool ReadsFlags => Opcode is IrOpcode.Adc or IrOpcode.Sbb or IrOpcode.SetCondition or IrOpcode.Select or IrOpcode.JumpIf
        || (SetsFlags && Opcode is IrOpcode.Increment or IrOpcode.Decrement)
        || (Opcode == IrOpcode.Call && (Effects & IrCallEffects.ReadsFlags) != 0);

    /// <summary>True for a call without result whose only effect is on the lazy flags.</summary>
    public readonly bool OnlyChangesFlags => Opcode == IrOpcode.SetFlags || (Opcode == IrOpcode.Call && Dst == 0
        && (Effects & IrCallEffects.WritesFlags) != 0 && (Effects & IrCallEffects.MayFault) == 0);

    /// <summary>True when the op replaces all six flags whatever its operands.</summary>
    public readonly bool ReplacesFlags => Opcode switch
    {
        IrOpcode.Call => (Effects & IrCallEffects.WritesFlags) != 0,
        IrOpcode.ShiftLeft or IrOpcode.ShiftRight or IrOpcode.ShiftRightArithmetic => SetsFlags && ImmediateB,
        _ => SetsFlags,
    };
}
