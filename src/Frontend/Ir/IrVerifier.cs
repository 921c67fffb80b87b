namespace Emu.Frontend.Ir;

/// <summary>
/// Checks what every consumer of the IR relies on. Used by tests over all instructions, and by hand when a frontend grows.
/// </summary>
public static class IrVerifier
{
    /// <summary>The first rule that <paramref name="block"/> breaks, as a line of text, or null.</summary>
    /// <param name="block">A lifted block, before or after optimisation.</param>
    /// <param name="isArchitectural">Tells the slots of guest registers from temporaries, header slots excluded.</param>
    public static string? FindViolation(IrBlock block, Func<ushort, bool> isArchitectural)
    {
        ArgumentNullException.ThrowIfNull(block);
        ArgumentNullException.ThrowIfNull(isArchitectural);
        if (block.OpCount == 0 || block.InstructionCount == 0)
        {
            return "the block is empty";
        }

        for (int i = 0; i < block.OpCount; i++)
        {
            if (FindShapeViolation(block, i) is string shape)
            {
                return $"op {i} ({block.Ops[i].Opcode}): {shape}";
            }
        }

        for (int i = 0; i < block.InstructionCount; i++)
        {
            int first = block.Instructions[i].FirstOp;
            int end = i + 1 < block.InstructionCount ? block.Instructions[i + 1].FirstOp : block.OpCount;
            if (FindEarlyCommit(block.Ops[first..end], isArchitectural) is int early)
            {
                return $"op {first + early} ({block.Ops[first + early].Opcode}) writes state before a later op of its instruction may fault";
            }
        }

        return null;
    }

    // The last op ends the block, and so does no other, but for the conditional jump before it.
    private static string? FindShapeViolation(IrBlock block, int index)
    {
        ref readonly IrOp op = ref block.Ops[index];
        bool last = index == block.OpCount - 1;
        bool conditional = op.Opcode is IrOpcode.JumpIf or IrOpcode.CompareJump or IrOpcode.TestJump;
        if (last != (op.IsBlockEnd && !conditional))
        {
            return last ? "a block must end with an exit" : "an exit in the middle of a block";
        }

        if (conditional && block.Ops[index + 1].Opcode != IrOpcode.Jump)
        {
            return "a conditional jump must be followed by a jump";
        }

        bool needsTarget = op.IsCall || op.IsDivision || op.Opcode is IrOpcode.CheckAligned or IrOpcode.Atomic;
        return needsTarget && op.Target == 0 ? "no helper" : null;
    }

    /// <summary>
    /// The commit rule: within one guest instruction nothing architectural is written before the last op that can fault. A store
    /// after a <see cref="IrOpcode.LoadForWrite"/> of the same instruction cannot fault.
    /// </summary>
    private static int? FindEarlyCommit(ReadOnlySpan<IrOp> ops, Func<ushort, bool> isArchitectural)
    {
        int lastFault = -1;
        bool probed = false;
        for (int i = 0; i < ops.Length; i++)
        {
            probed |= ops[i].Opcode == IrOpcode.LoadForWrite;
            if (ops[i].MayFault && !(probed && ops[i].Opcode == IrOpcode.Store))
            {
                lastFault = i;
            }
        }

        for (int i = 0; i < lastFault; i++)
        {
            if (ops[i].SetsFlags || WritesRegister(ops[i], isArchitectural))
            {
                return i;
            }
        }

        return null;
    }

    // Temporaries and the program counter (which a fault replaces) may be written at any time.
    private static bool WritesRegister(in IrOp op, Func<ushort, bool> isArchitectural)
    {
        if (op.Opcode is IrOpcode.Nop or IrOpcode.Store or IrOpcode.Compare or IrOpcode.Test or IrOpcode.SetFlags or IrOpcode.CheckAligned || op.IsBlockEnd)
        {
            return false;
        }

        return (op.Dst >= CpuHeader.Size && isArchitectural(op.Dst)) || (op.WritesTwo && isArchitectural(op.C));
    }
}
