using Emu.Frontend.Ir;

namespace Emu.Jit.Regions;

/// <content>Vector registers, and which floating-point results nobody uses.</content>
internal sealed partial class RegionPlan
{
    /// <summary>The vector temporaries, a bit each.</summary>
    public const ulong VectorTemporaries = AllVectors & (~0UL << CpuHeader.VectorTemporary);

    private const ulong AllVectors = (1UL << CpuHeader.VectorCount) - 1;

    /// <summary>Vector registers that compiled ops write, a bit each.</summary>
    public ulong WrittenVectors { get; private set; }

    /// <summary>Vector registers that compiled ops name, a bit each.</summary>
    public ulong UsedVectors { get; private set; }

    /// <summary>Host instructions raise floating-point exceptions for the guest: <see cref="HostFloat"/>.</summary>
    public bool UsesFloat { get; private set; }

    /// <summary>The number of the vector register that a slot lies in, or −1.</summary>
    public static int VectorOf(int slot) => slot is >= CpuHeader.ScalarEnd and < CpuHeader.VectorEnd ? (slot - CpuHeader.ScalarEnd) / CpuHeader.VectorStride : -1;

    /// <summary>The bit of the vector register that a slot lies in, or zero.</summary>
    public static ulong VectorBit(int slot) => VectorOf(slot) is int number and >= 0 ? 1UL << number : 0;

    /// <summary>The vector registers that <paramref name="op"/> writes.</summary>
    public static ulong VectorsWrittenBy(in IrOp op) =>
        op.IsBlockEnd || op.Opcode is IrOpcode.Nop or IrOpcode.Compare or IrOpcode.Test or IrOpcode.Store ? 0 : VectorBit(op.Dst);

    /// <summary>The host instruction for an op, or null.</summary>
    public VectorInstruction? InstructionFor(int block, int op) => Blocks[block].VectorInstructions[op];

    /// <summary>The op calls a helper that finds vector registers in the state block.</summary>
    public bool StoresVectors(int block, int index)
    {
        ref readonly IrOp op = ref _region.Blocks[block].Ops[index];
        return op.IsCall && InstructionFor(block, index) is null && (op.Opcode != IrOpcode.Call || ReadsAllRegisters(op));
    }

    private void PlanVectors()
    {
        foreach (int number in _order)
        {
            BlockPlan plan = Blocks[number];
            IrOp[] ops = _region.Blocks[number].Ops;
            plan.VectorInstructions = new VectorInstruction?[ops.Length];
            plan.Pinned = new bool[ops.Length];
            for (int i = 0; i < plan.OpCount; i++)
            {
                ref readonly IrOp op = ref ops[i];
                VectorInstruction? instruction = FindInstruction(op);
                plan.VectorInstructions[i] = instruction;
                UsesFloat |= instruction is not null && IrVectorOps.IsFloat(op.VectorOp);
                WrittenVectors |= VectorsWrittenBy(op);
                UsedVectors |= VectorBit(op.Dst) | VectorBit(op.A) | VectorBit(op.B);
            }
        }

        foreach (int number in _order)
        {
            PinUnusedResults(number);
        }
    }

    private static VectorInstruction? FindInstruction(in IrOp op)
    {
        bool isVector = op.Opcode == IrOpcode.CallVector;
        if ((!isVector && op.Opcode != IrOpcode.CallVectorValue) || VectorInstructions.Find(op) is not VectorInstruction instruction)
        {
            return null;
        }

        if (IrVectorOps.IsFloat(op.VectorOp) && ((op.Effects & IrCallEffects.MayFault) != 0 || !HostFloat.IsAvailable))
        {
            return null;
        }

        bool scalarSource = instruction.Shape is VectorShape.Scalar32 or VectorShape.Scalar64 or VectorShape.Scalar32Immediate or VectorShape.Scalar64Immediate;
        return (!isVector || IsWhole(op.Dst)) && (IsWhole(op.A) || !isVector) && (IsWhole(op.B) || scalarSource) ? instruction : null;
    }

    private static bool IsWhole(int slot) => VectorOf(slot) >= 0 && (slot - CpuHeader.ScalarEnd) % CpuHeader.VectorStride == 0;

    // RyuJIT drops what is computed for nothing, and with it the exceptions. So results are pinned unless something in the same block
    // uses them for certain: a store, a helper, another floating-point operation. What comes behind a branch is not certain, nor are the
    // places where the region can be left, for RyuJIT may know more of branches than this does (a loop that runs once, a page looked up before).
    private void PinUnusedResults(int number)
    {
        BlockPlan plan = Blocks[number];
        RegionEdge[] edges = _region.Blocks[number].Edges;
        bool leaves = plan.LeavesEarly || edges.All(edge => edge.Block < 0);
        Liveness live = leaves ? Liveness.All : default;
        bool isBranchIdle = edges is [RegionEdge { Block: >= 0 } taken, RegionEdge other] && taken.Block == other.Block;
        for (int i = plan.OpCount - 1; i >= 0; i--)
        {
            ref readonly IrOp op = ref _region.Blocks[number].Ops[i];
            VectorInstruction? instruction = plan.VectorInstructions[i];
            if (StoresVectors(number, i))
            {
                live = (ReadsAllRegisters(op) ? Liveness.All : live.WithAllVectors()).With(op.A).With(op.B);
                continue;
            }

            bool isFloat = instruction is not null && IrVectorOps.IsFloat(op.VectorOp);
            plan.Pinned[i] = isFloat && !live.Has(op.Dst);
            bool uses = isFloat || op.Opcode == IrOpcode.Store || (op.IsBlockEnd && !isBranchIdle) || (op.IsCall && instruction is null)
                || (live.Has(op.Dst) && !MayForget(op))
                || (op.Opcode == IrOpcode.SetFlags && OrderIsTested(number, i - 1));
            if (!op.IsBlockEnd && op.Opcode != IrOpcode.Store && (WritesWhole(op) || ClearsHighHalf(_region.Blocks[number].Ops, i + 1, op.Dst)))
            {
                live = live.Without(op.Dst);
                live = op.WritesTwo ? live.Without(op.C) : live;
            }

            if (uses)
            {
                live = WithOperands(live, op, instruction);
            }
        }
    }

    // Whatever the operand, the result may be known: x & 0, x ^ x, x << 0 >> 64. RyuJIT sees that through locals.
    private static bool MayForget(in IrOp op) => op.Opcode is IrOpcode.And or IrOpcode.Or or IrOpcode.Xor or IrOpcode.Sub or IrOpcode.Sbb or IrOpcode.Select
        or IrOpcode.ShiftLeft or IrOpcode.ShiftRight or IrOpcode.ShiftRightArithmetic or IrOpcode.Multiply || op.WritesTwo;

    /// <summary>True when the op at <paramref name="index"/> is an ordered comparison whose flags the block's jump tests at once, as the host can.</summary>
    public bool OrderIsTested(int number, int index)
    {
        IrOp[] ops = _region.Blocks[number].Ops;
        RegionEdge[] edges = _region.Blocks[number].Edges;
        bool isIdle = edges is [RegionEdge { Block: >= 0 } taken, RegionEdge other] && taken.Block == other.Block;
        return index >= 0 && index + 2 < Blocks[number].OpCount && !isIdle
            && InstructionFor(number, index) is { Shape: VectorShape.Order }
            && ops[index + 1].Opcode == IrOpcode.SetFlags && ops[index + 1].A == ops[index].Dst
            && ops[index + 2].Opcode == IrOpcode.JumpIf
            && ops[index + 2].Condition is IrCondition.Above or IrCondition.BelowOrEqual or IrCondition.AboveOrEqual or IrCondition.Below;
    }

    private static Liveness WithOperands(Liveness live, in IrOp op, VectorInstruction? instruction)
    {
        if (instruction is null)
        {
            live = op.Opcode == IrOpcode.Store && !op.ImmediateB ? live.With(op.Dst) : live;
            bool writesThird = op.WritesTwo && !op.IsDivision;
            return live.With(op.A).With(op.ImmediateB ? 0 : op.B).With(writesThird ? 0 : op.C);
        }

        // Where RyuJIT finds the operands equal, or the result known, it needs neither.
        if (VectorInstructions.MayBecomeConstant(op.VectorOp) || VectorInstructions.ConstantResult(op) is not null)
        {
            return live;
        }

        live = IrVectorOps.ReadsDestination(op.VectorOp) ? live.With(op.Dst) : live;
        live = instruction.ReadsFirst ? live.With(op.A) : live;
        return instruction.ReadsSecond ? live.With(op.B) : live;
    }

    /// <summary>True when the op at <paramref name="index"/> clears the half of a vector register above <paramref name="slot"/>.</summary>
    public static bool ClearsHighHalf(IrOp[] ops, int index, int slot) =>
        index < ops.Length && ops[index] is { Opcode: IrOpcode.Move, Width: IrWidth.W64, ImmediateB: true, Imm: 0 } && ops[index].Dst == slot + 8;

    // Of its slot, so that an older value there is gone. What an older instruction left in a temporary is, whatever the width.
    private static bool WritesWhole(in IrOp op) => op.Opcode switch
    {
        IrOpcode.CallVector or IrOpcode.CallVectorValue or IrOpcode.Call => true,
        IrOpcode.Compare or IrOpcode.Test or IrOpcode.SetFlags or IrOpcode.SetCondition or IrOpcode.Nop => false,
        _ when op.Dst is >= CpuHeader.TemporarySlot and < CpuHeader.Size => true,
        _ => op.Width is IrWidth.W32 or IrWidth.W64 ? VectorOf(op.Dst) < 0 && (op.Dst & 7) == 0 : op.Width == IrWidth.W128,
    };

    /// <summary>Slots whose value is used: a bit for each scalar cell and each vector register.</summary>
    private readonly record struct Liveness(UInt128 Cells, ulong Vectors)
    {
        /// <summary>All registers; temporaries end with their instruction.</summary>
        public static readonly Liveness All = new(UInt128.MaxValue << (CpuHeader.Size >> 3), AllVectors & ~VectorTemporaries);

        public bool Has(int slot) => (Cells & CellBit(slot)) != 0 || (Vectors & VectorBit(slot)) != 0;

        public Liveness WithAllVectors() => new(Cells, Vectors | All.Vectors);

        public Liveness With(int slot) => new(Cells | CellBit(slot), Vectors | VectorBit(slot));

        public Liveness Without(int slot) => new(Cells & ~CellBit(slot), Vectors & ~VectorBit(slot));

        private static UInt128 CellBit(int slot) => slot is >= CpuHeader.TemporarySlot and < CpuHeader.ScalarEnd ? UInt128.One << (slot >> 3) : 0;
    }
}
