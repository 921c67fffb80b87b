using Emu.Frontend.Ir;
using Emu.Frontend.X86.Helpers;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <summary>BMI1, BMI2, ADX, RDRAND, RDSEED (SDM vol. 2). Results are ops where there are some; flags are calls that vanish when they are dead.</summary>
internal sealed unsafe partial class X86Lifter
{
    /// <summary>ANDN.</summary>
    public static void AndNot(X86Lifter lifter, in Instruction instruction, int argument)
    {
        if (!lifter.BeginVexGeneral())
        {
            return;
        }

        IrWidth width = OperandWidth(instruction, 0);
        ushort source = lifter.ReadOperand(instruction, 2, width);
        ushort inverted = lifter.Temporary();
        ref IrOp not = ref lifter._block.Add(IrOpcode.Not, width);
        (not.Dst, not.A) = (inverted, SlotOf(instruction.Op1Register));
        ref IrOp and = ref lifter._block.Add(IrOpcode.And, width);
        (and.Dst, and.A, and.B, and.SetsFlags) = (SlotOf(instruction.Op0Register), inverted, source, true);
        lifter._block.NoteFlags(FlagsKind.Logic, width);
    }

    /// <summary>BLSI, BLSMSK, BLSR: the lowest set bit (<see cref="BitHelpers.LowestBitFlags"/>).</summary>
    public static void LowestSetBit(X86Lifter lifter, in Instruction instruction, int kind)
    {
        if (!lifter.BeginVexGeneral())
        {
            return;
        }

        IrWidth width = OperandWidth(instruction, 0);
        ushort source = lifter.ReadOperand(instruction, 1, width);
        ushort result = lifter.Temporary();
        if (kind == BitHelpers.Isolate)
        {
            ref IrOp negate = ref lifter._block.Add(IrOpcode.Negate, width);
            (negate.Dst, negate.A) = (result, source);
        }
        else
        {
            lifter.Binary(IrOpcode.Add, width, result, source, -1);
        }

        lifter.BinarySlots(kind == BitHelpers.MaskUpTo ? IrOpcode.Xor : IrOpcode.And, width, result, result, source);
        ref IrOp flags = ref lifter.Call(&BitHelpers.LowestBitFlags, IrCallEffects.WritesFlags);
        (flags.A, flags.B, flags.Imm) = (source, result, (long)width | ((long)kind << 8));
        lifter.Move(SlotOf(instruction.Op0Register), width, result);
    }

    /// <summary>BEXTR (0), BZHI (1), PDEP (2), PEXT (3).</summary>
    public static void BitField(X86Lifter lifter, in Instruction instruction, int operation)
    {
        if (!lifter.BeginVexGeneral())
        {
            return;
        }

        // Memory is the source of the first two, and the mask of the others: operand 1 and operand 2.
        IrWidth width = OperandWidth(instruction, 0);
        ushort first = lifter.ReadOperand(instruction, 1, width);
        ushort second = lifter.ReadOperand(instruction, 2, width);
        ushort result = lifter.Temporary();
        IrCallEffects effects = operation < 2 ? IrCallEffects.WritesFlags : IrCallEffects.None;
        delegate*<CpuHeader*, ulong, ulong, ulong, ulong> helper = operation switch
        {
            0 => &BitHelpers.Extract,
            1 => &BitHelpers.ZeroHigh,
            2 => &BitHelpers.Deposit,
            _ => &BitHelpers.Gather,
        };
        ref IrOp op = ref lifter.Call(helper, effects);
        (op.Dst, op.A, op.B, op.Imm) = (result, first, second, (long)width);
        lifter.Move(SlotOf(instruction.Op0Register), width, result);
    }

    /// <summary>RORX, SARX, SHLX, SHRX: without flags.</summary>
    public static void ShiftWithoutFlags(X86Lifter lifter, in Instruction instruction, int opcode)
    {
        if (!lifter.BeginVexGeneral())
        {
            return;
        }

        IrWidth width = OperandWidth(instruction, 0);
        ushort source = lifter.ReadOperand(instruction, 1, width);
        ref IrOp op = ref lifter._block.Add((IrOpcode)opcode, width);
        (op.Dst, op.A) = (SlotOf(instruction.Op0Register), source);
        if (IsImmediate(instruction, 2))
        {
            (op.ImmediateB, op.Imm) = (true, instruction.Immediate8 & (width == IrWidth.W64 ? 63 : 31));
        }
        else
        {
            op.B = SlotOf(instruction.Op2Register);
        }
    }

    /// <summary>MULX: the high half last, which stays when both results go to one register.</summary>
    public static void MultiplyWithoutFlags(X86Lifter lifter, in Instruction instruction, int argument)
    {
        if (!lifter.BeginVexGeneral())
        {
            return;
        }

        IrWidth width = OperandWidth(instruction, 0);
        ushort source = lifter.ReadOperand(instruction, 2, width);
        (ushort low, ushort high) = (lifter.Temporary(), lifter.Temporary());
        ref IrOp op = ref lifter._block.Add(IrOpcode.MultiplyWideUnsigned, width);
        (op.Dst, op.A, op.B, op.C) = (low, X86Slots.Gpr(X86Gpr.Rdx), source, high);
        lifter.Move(SlotOf(instruction.Op1Register), width, low);
        lifter.Move(SlotOf(instruction.Op0Register), width, high);
    }

    /// <summary>ADCX (0), ADOX (1): the carry is CF or OF, the other flags stay.</summary>
    public static void AddWithOneFlag(X86Lifter lifter, in Instruction instruction, int overflow)
    {
        IrWidth width = OperandWidth(instruction, 0);
        ushort source = lifter.ReadOperand(instruction, 1, width);
        ushort destination = SlotOf(instruction.Op0Register);
        ushort result = lifter.Temporary();
        ref IrOp op = ref lifter.Call(&BitHelpers.AddWithOneFlag, IrCallEffects.ReadsFlags | IrCallEffects.WritesFlags);
        (op.Dst, op.A, op.B, op.Imm) = (result, destination, source, (long)width | ((long)overflow << 8));
        lifter.Move(destination, width, result);
    }

    /// <summary>RDRAND, RDSEED: there is always a number.</summary>
    public static void RandomNumber(X86Lifter lifter, in Instruction instruction, int argument)
    {
        ushort value = lifter.Temporary();
        lifter.Call(&BitHelpers.Random, IrCallEffects.WritesFlags).Dst = value;
        lifter.Move(SlotOf(instruction.Op0Register), OperandWidth(instruction, 0), value);
    }

    // VEX-encoded instructions on general registers need protected mode and nothing else.
    private bool BeginVexGeneral()
    {
        if ((_modeKey & X86ModeKey.Protected) != 0 && (_modeKey & X86ModeKey.Vm86) == 0)
        {
            return true;
        }

        RaiseAlways(X86Vector.InvalidOpcode);
        return false;
    }
}
