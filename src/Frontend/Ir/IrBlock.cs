using System.Runtime.CompilerServices;

namespace Emu.Frontend.Ir;

/// <summary>Where a guest instruction begins: the index of its first op, and its distance in bytes from the block's start.</summary>
public readonly record struct IrInstruction(ushort FirstOp, ushort PcOffset);

/// <summary>
/// A lifted block of guest code: a straight line of instructions with exits at its end. Reused from one lift to the next;
/// the consumer copies what it keeps.
/// </summary>
public sealed class IrBlock
{
    /// <summary>Most guest instructions in a block.</summary>
    public const int MaxInstructions = 64;

    private IrOp[] _ops = new IrOp[512];
    private IrInstruction[] _instructions = new IrInstruction[MaxInstructions];

    // The op that set the flags last, while that is known: its kind and width let conditions be evaluated directly.
    private FlagsKind _flagsKind;
    private IrWidth _flagsWidth;
    private int _flagsOp;

    /// <summary>Program counter of the first instruction.</summary>
    public ulong StartPc { get; private set; }

    /// <summary>Mode key the block was lifted for.</summary>
    public ulong ModeKey { get; private set; }

    /// <summary>Applied to every program counter that leaves the block.</summary>
    public ulong PcMask { get; private set; }

    /// <summary>
    /// The block holds whatever page it lies in: program counters in it are <see cref="CpuHeader.PcPage"/> plus a constant, apart from the
    /// targets of direct jumps, which are relative anyway.
    /// </summary>
    public bool IsRelative { get; private set; }

    /// <summary>The page of <see cref="StartPc"/>.</summary>
    public ulong StartPage => StartPc & ~0xfffUL;

    /// <summary>Bytes of guest code.</summary>
    public int ByteLength { get; set; }

    /// <summary>False when exits must go through the dispatcher, because it checks something at every entry.</summary>
    public bool MayChain { get; set; }

    /// <summary>The operations.</summary>
    public Span<IrOp> Ops => _ops.AsSpan(0, OpCount);

    /// <summary>Number of operations.</summary>
    public int OpCount { get; private set; }

    /// <summary>The guest instructions.</summary>
    public ReadOnlySpan<IrInstruction> Instructions => _instructions.AsSpan(0, InstructionCount);

    /// <summary>Number of guest instructions.</summary>
    public int InstructionCount { get; private set; }

    /// <summary>Empties the block for a new lift.</summary>
    public void Begin(ulong startPc, ulong modeKey, ulong pcMask, bool isRelative)
    {
        StartPc = startPc;
        ModeKey = modeKey;
        PcMask = pcMask;
        IsRelative = isRelative;
        ByteLength = 0;
        OpCount = 0;
        InstructionCount = 0;
        MayChain = true;
        ForgetFlags();
    }

    /// <summary>Begins the next guest instruction.</summary>
    public void BeginInstruction(int pcOffset) => _instructions[InstructionCount++] = new IrInstruction((ushort)OpCount, (ushort)pcOffset);

    /// <summary>Takes back the instruction begun last, with its ops.</summary>
    public void CancelInstruction()
    {
        OpCount = _instructions[--InstructionCount].FirstOp;
        ForgetFlags();
    }

    /// <summary>Adds an op and returns it for filling in.</summary>
    public ref IrOp Add(IrOpcode opcode, IrWidth width)
    {
        if (OpCount == _ops.Length)
        {
            Array.Resize(ref _ops, _ops.Length * 2);
        }

        ref IrOp op = ref _ops[OpCount++];
        op = default;
        op.Opcode = opcode;
        op.Width = width;
        op.Flags = opcode is IrOpcode.Adc or IrOpcode.Sbb ? _flagsKind : FlagsKind.Materialised;
        return ref op;
    }

    /// <summary>Records that the op added last sets the flags in a known way.</summary>
    public void NoteFlags(FlagsKind kind, IrWidth width)
    {
        _flagsKind = kind;
        _flagsWidth = width;
        _flagsOp = OpCount - 1;
    }

    /// <summary>Records that the flags come from somewhere unknown.</summary>
    public void ForgetFlags()
    {
        _flagsKind = FlagsKind.Materialised;
        _flagsOp = -1;
    }

    /// <summary>Adds an op that evaluates <paramref name="condition"/>, with what is known of the flags.</summary>
    public ref IrOp AddCondition(IrOpcode opcode, IrWidth width, IrCondition condition)
    {
        ref IrOp op = ref Add(opcode, width);
        op.Sub = (byte)condition;
        op.Flags = _flagsKind;
        op.Scale = (byte)_flagsWidth;
        return ref op;
    }

    /// <summary>Adds a conditional jump to <paramref name="target"/>, fused with a compare or test just before it.</summary>
    public void AddJumpIf(IrCondition condition, ulong target, int instructionCount)
    {
        if (_flagsOp == OpCount - 1 && _flagsOp >= 0 && _ops[_flagsOp] is { Opcode: IrOpcode.Compare or IrOpcode.Test } last
            && (!last.ImmediateB || last.Imm == (int)last.Imm))
        {
            ref IrOp fused = ref _ops[_flagsOp];
            fused.Opcode = last.Opcode == IrOpcode.Compare ? IrOpcode.CompareJump : IrOpcode.TestJump;
            fused.Sub = (byte)condition;
            fused.Dst = (ushort)instructionCount;
            fused.Imm = PackJump(target, last.ImmediateB ? (int)last.Imm : 0);
            return;
        }

        ref IrOp op = ref AddCondition(IrOpcode.JumpIf, IrWidth.W64, condition);
        op.Dst = (ushort)instructionCount;
        op.Imm = PackJump(target, 0);
    }

    /// <summary>Adds a jump to <paramref name="target"/> taken when a slot, compared with zero, meets the condition; the flags stay.</summary>
    public void AddSlotBranch(IrCondition condition, ushort slot, ulong target, int instructionCount)
    {
        ref IrOp op = ref Add(IrOpcode.TestJump, IrWidth.W64);
        (op.A, op.B, op.Sub, op.Dst) = (slot, slot, (byte)condition, (ushort)instructionCount);
        op.Imm = PackJump(target, 0);
    }

    /// <summary>Adds the jump that ends the block.</summary>
    public void AddJump(ulong target, int instructionCount, IrJumpKind kind = IrJumpKind.Plain)
    {
        ref IrOp op = ref Add(IrOpcode.Jump, IrWidth.W64);
        op.Sub = (byte)kind;
        op.Dst = (ushort)instructionCount;
        op.Imm = PackJump(target, 0);
    }

    /// <summary>The program counter that a jump's <see cref="IrOp.Imm"/> stands for.</summary>
    public static ulong JumpTarget(ulong startPc, ulong pcMask, long imm) => (startPc + (ulong)(imm >> 32)) & pcMask;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private long PackJump(ulong target, int immediate)
    {
        long delta = (long)(target - StartPc);
        if (PcMask <= uint.MaxValue)
        {
            delta = (int)delta; // modulo 2^32 is enough: the mask is applied afterwards
        }

        if (delta != (int)delta)
        {
            throw new InvalidOperationException("A direct jump further than 2 GiB cannot be encoded.");
        }

        return (delta << 32) | (uint)immediate;
    }
}
