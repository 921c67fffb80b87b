using Emu.Frontend.Ir;
using Emu.Frontend.X86.Helpers;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <summary>Integer arithmetic, shifts, multiplication, division.</summary>
internal sealed unsafe partial class X86Lifter
{
    private static FlagsKind FlagsOf(IrOpcode opcode) => opcode switch
    {
        IrOpcode.Add => FlagsKind.Add,
        IrOpcode.Adc => FlagsKind.Adc,
        IrOpcode.Sub or IrOpcode.Compare or IrOpcode.Negate => FlagsKind.Sub,
        IrOpcode.Sbb => FlagsKind.Sbb,
        IrOpcode.Increment => FlagsKind.Inc,
        IrOpcode.Decrement => FlagsKind.Dec,
        IrOpcode.ShiftLeft => FlagsKind.Shl,
        IrOpcode.ShiftRight => FlagsKind.Shr,
        IrOpcode.ShiftRightArithmetic => FlagsKind.Sar,
        IrOpcode.Multiply or IrOpcode.MultiplyWideSigned or IrOpcode.MultiplyWideUnsigned => FlagsKind.Mul,
        _ => FlagsKind.Logic,
    };

    /// <summary>ADD, OR, ADC, SBB, AND, SUB, XOR.</summary>
    public static void Arithmetic(X86Lifter lifter, in Instruction instruction, int opcode)
    {
        IrWidth width = OperandWidth(instruction, 0);
        ushort source = IsImmediate(instruction, 1) ? (ushort)0 : lifter.ReadOperand(instruction, 1, width);
        if (instruction.Op0Kind == OpKind.Register)
        {
            ushort destination = SlotOf(instruction.Op0Register);
            lifter.ArithmeticOp((IrOpcode)opcode, width, destination, destination, instruction, source);
        }
        else if (lifter.IsAtomic(instruction))
        {
            lifter.Locked((IrOpcode)opcode, width, instruction, source);
        }
        else
        {
            MemoryOperand memory = lifter.Memory(instruction, BytesOf(width), write: true);
            ushort value = lifter.Temporary();
            lifter.Load(IrOpcode.LoadForWrite, value, width, width, memory);
            lifter.ArithmeticOp((IrOpcode)opcode, width, value, value, instruction, source);
            lifter.Store(memory, width, value);
        }
    }

    /// <summary>CMP, TEST.</summary>
    public static void FlagsOnly(X86Lifter lifter, in Instruction instruction, int opcode)
    {
        IrWidth width = OperandWidth(instruction, 0);
        ushort first = lifter.ReadOperand(instruction, 0, width);
        ushort second = IsImmediate(instruction, 1) ? (ushort)0 : lifter.ReadOperand(instruction, 1, width);
        lifter.ArithmeticOp((IrOpcode)opcode, width, 0, first, instruction, second);
    }

    /// <summary>INC, DEC, NEG, NOT.</summary>
    public static void Unary(X86Lifter lifter, in Instruction instruction, int opcode)
    {
        IrWidth width = OperandWidth(instruction, 0);
        if (instruction.Op0Kind == OpKind.Register)
        {
            lifter.UnaryOp((IrOpcode)opcode, width, SlotOf(instruction.Op0Register));
            return;
        }

        if (lifter.IsAtomic(instruction))
        {
            lifter.LockedUnary((IrOpcode)opcode, width, instruction);
            return;
        }

        MemoryOperand memory = lifter.Memory(instruction, BytesOf(width), write: true);
        ushort value = lifter.Temporary();
        lifter.Load(IrOpcode.LoadForWrite, value, width, width, memory);
        lifter.UnaryOp((IrOpcode)opcode, width, value);
        lifter.Store(memory, width, value);
    }

    /// <summary>SHL, SHR, SAR.</summary>
    public static void Shift(X86Lifter lifter, in Instruction instruction, int opcode)
    {
        IrWidth width = OperandWidth(instruction, 0);
        bool toMemory = instruction.Op0Kind == OpKind.Memory;
        MemoryOperand memory = toMemory ? lifter.Memory(instruction, BytesOf(width), write: true) : default;
        ushort value = toMemory ? lifter.Temporary() : SlotOf(instruction.Op0Register);
        if (toMemory)
        {
            lifter.Load(IrOpcode.LoadForWrite, value, width, width, memory);
        }

        ref IrOp op = ref lifter._block.Add((IrOpcode)opcode, width);
        (op.Dst, op.A) = (value, value);
        if (IsImmediate(instruction, 1))
        {
            op.ImmediateB = true;
            op.Imm = instruction.Immediate8 & (width == IrWidth.W64 ? 63 : 31);
            op.SetsFlags = op.Imm != 0;
            if (op.SetsFlags)
            {
                lifter._block.NoteFlags(FlagsOf((IrOpcode)opcode), width);
            }
        }
        else
        {
            op.B = SlotOf(Register.CL);
            op.SetsFlags = true;
            lifter._block.ForgetFlags(); // a count of zero keeps the old ones
        }

        if (toMemory)
        {
            lifter.Store(memory, width, value);
        }
    }

    /// <summary>ROL, ROR: the rotation is an op, its flags a call that vanishes when they are dead.</summary>
    public static void Rotate(X86Lifter lifter, in Instruction instruction, int opcode)
    {
        IrWidth width = OperandWidth(instruction, 0);
        ushort count = lifter.ShiftCount(instruction, 1);
        lifter.ReadModifyWrite(instruction, width, value =>
        {
            lifter.BinarySlots((IrOpcode)opcode, width, value, value, count);
            ref IrOp flags = ref lifter.Call(&ShiftHelpers.RotateFlags, IrCallEffects.ReadsFlags | IrCallEffects.WritesFlags);
            (flags.A, flags.B) = (value, count);
            flags.Imm = (long)width | ((IrOpcode)opcode == IrOpcode.RotateLeft ? ShiftHelpers.Left : 0);
        });
    }

    /// <summary>RCL, RCR.</summary>
    public static void RotateCarry(X86Lifter lifter, in Instruction instruction, int left)
    {
        IrWidth width = OperandWidth(instruction, 0);
        ushort count = lifter.ShiftCount(instruction, 1);
        lifter.ReadModifyWrite(instruction, width, value =>
        {
            ushort result = lifter.Temporary();
            ref IrOp op = ref lifter.Call(&ShiftHelpers.RotateThroughCarry, IrCallEffects.ReadsFlags | IrCallEffects.WritesFlags);
            (op.Dst, op.A, op.B) = (result, value, count);
            op.Imm = (long)width | (left != 0 ? ShiftHelpers.Left : 0);
            lifter.Move(value, width, result);
        });
    }

    /// <summary>SHLD, SHRD.</summary>
    public static void DoubleShift(X86Lifter lifter, in Instruction instruction, int left)
    {
        IrWidth width = OperandWidth(instruction, 0);
        ushort source = SlotOf(instruction.Op1Register);
        long count = IsImmediate(instruction, 2) ? instruction.Immediate8 : ShiftHelpers.CountInCl;
        int masked = (int)count & (width == IrWidth.W64 ? 63 : 31);
        if (count != ShiftHelpers.CountInCl && masked != 0 && width >= IrWidth.W32)
        {
            lifter.ReadModifyWrite(instruction, width, value => lifter.DoubleShiftBy(masked, width, value, source, left));
            return;
        }

        lifter.ReadModifyWrite(instruction, width, value =>
        {
            ushort result = lifter.Temporary();
            ref IrOp op = ref lifter.Call(&ShiftHelpers.DoubleShift, IrCallEffects.ReadsFlags | IrCallEffects.WritesFlags | (count == ShiftHelpers.CountInCl ? IrCallEffects.ReadsRegisters : 0));
            (op.Dst, op.A, op.B) = (result, value, source);
            op.Imm = (long)width | (left != 0 ? ShiftHelpers.Left : 0) | (count << 8);
            lifter.Move(value, width, result);
        });
    }

    /// <summary>By a constant other than zero: the shifts are ops, the flags a call that vanishes when they are dead.</summary>
    private void DoubleShiftBy(int count, IrWidth width, ushort value, ushort source, int left)
    {
        ushort first = Temporary();
        ushort second = Temporary();
        Binary(left != 0 ? IrOpcode.ShiftLeft : IrOpcode.ShiftRight, width, first, value, count);
        Binary(left != 0 ? IrOpcode.ShiftRight : IrOpcode.ShiftLeft, width, second, source, (BytesOf(width) * 8) - count);
        ref IrOp flags = ref Call(&ShiftHelpers.DoubleShift, IrCallEffects.WritesFlags);
        (flags.A, flags.B) = (value, source);
        flags.Imm = (long)width | (left != 0 ? ShiftHelpers.Left : 0) | ((long)count << 8);
        BinarySlots(IrOpcode.Or, width, value, first, second);
    }

    /// <summary>IMUL with one, two or three operands.</summary>
    public static void MultiplySigned(X86Lifter lifter, in Instruction instruction, int argument)
    {
        if (instruction.OpCount == 1)
        {
            MultiplyWide(lifter, instruction, (int)IrOpcode.MultiplyWideSigned);
            return;
        }

        IrWidth width = OperandWidth(instruction, 0);
        ushort destination = SlotOf(instruction.Op0Register);
        ushort first = instruction.OpCount == 3 ? lifter.ReadOperand(instruction, 1, width) : destination;
        int second = instruction.OpCount - 1;
        ushort source = IsImmediate(instruction, second) ? (ushort)0 : lifter.ReadOperand(instruction, second, width);
        ref IrOp op = ref lifter._block.Add(IrOpcode.Multiply, width);
        (op.Dst, op.A, op.SetsFlags) = (destination, first, true);
        SetSecond(ref op, instruction, second, source);
        lifter._block.NoteFlags(FlagsKind.Mul, width);
    }

    /// <summary>MUL and IMUL into RDX:RAX.</summary>
    public static void MultiplyWide(X86Lifter lifter, in Instruction instruction, int opcode)
    {
        IrWidth width = OperandWidth(instruction, 0);
        ushort source = lifter.ReadOperand(instruction, 0, width);
        ushort rax = X86Slots.Gpr(X86Gpr.Rax);
        if (width == IrWidth.W8)
        {
            ushort product = lifter.Temporary();
            ref IrOp call = ref lifter.Call(&ArithmeticHelpers.MultiplyBytes, IrCallEffects.WritesFlags);
            (call.Dst, call.A, call.B) = (product, rax, source);
            call.Imm = (IrOpcode)opcode == IrOpcode.MultiplyWideSigned ? 1 : 0;
            lifter.Move(rax, IrWidth.W16, product);
            return;
        }

        ref IrOp op = ref lifter._block.Add((IrOpcode)opcode, width);
        (op.Dst, op.A, op.B, op.C, op.SetsFlags) = (rax, rax, source, X86Slots.Gpr(X86Gpr.Rdx), true);
        lifter._block.NoteFlags(FlagsKind.Mul, width);
    }

    /// <summary>DIV, IDIV.</summary>
    public static void Divide(X86Lifter lifter, in Instruction instruction, int signed)
    {
        IrWidth width = OperandWidth(instruction, 0);
        ushort divisor = lifter.ReadOperand(instruction, 0, width);
        delegate*<CpuHeader*, ulong, ulong, ulong, ulong> helper = &ArithmeticHelpers.Divide;
        ref IrOp op = ref width < IrWidth.W32
            ? ref lifter.Call(helper, IrCallEffects.System)
            : ref lifter._block.Add(signed != 0 ? IrOpcode.DivideSigned : IrOpcode.DivideUnsigned, width);
        if (width >= IrWidth.W32)
        {
            (op.Dst, op.C, op.Target) = (X86Slots.Gpr(X86Gpr.Rax), X86Slots.Gpr(X86Gpr.Rdx), (nint)helper);
        }

        (op.A, op.B) = (X86Slots.Gpr(X86Gpr.Rax), divisor);
        op.Imm = (long)width | (signed != 0 ? ArithmeticHelpers.Signed : 0);
    }

    /// <summary>AAA, AAS, DAA, DAS, AAM, AAD.</summary>
    public static void Decimal(X86Lifter lifter, in Instruction instruction, int operation)
    {
        ref IrOp op = ref lifter.Call(&ArithmeticHelpers.DecimalAdjust, IrCallEffects.All);
        op.Imm = operation | (instruction.OpCount > 0 ? instruction.Immediate8 << 8 : 0);
    }

    /// <summary>CLC, STC, CMC.</summary>
    public static void Carry(X86Lifter lifter, in Instruction instruction, int operation) =>
        lifter.Call(&ShiftHelpers.ChangeCarry, IrCallEffects.ReadsFlags | IrCallEffects.WritesFlags).Imm = operation;

    /// <summary>LAHF.</summary>
    public static void LoadFlags(X86Lifter lifter, in Instruction instruction, int argument)
    {
        ushort value = lifter.Temporary();
        lifter.Call(&FlagHelpers.Lahf, IrCallEffects.ReadsFlags).Dst = value;
        lifter.Move(SlotOf(Register.AH), IrWidth.W8, value);
    }

    /// <summary>SAHF.</summary>
    public static void StoreFlags(X86Lifter lifter, in Instruction instruction, int argument)
    {
        ushort value = lifter.Temporary();
        lifter.Extend(IrOpcode.ZeroExtend, value, IrWidth.W64, SlotOf(Register.AH), IrWidth.W8);
        lifter.Call(&FlagHelpers.Sahf, IrCallEffects.ReadsFlags | IrCallEffects.WritesFlags).A = value;
    }

    /// <summary>SALC: AL ← CF ? FFH : 0.</summary>
    public static void SetAlFromCarry(X86Lifter lifter, in Instruction instruction, int argument)
    {
        ushort al = SlotOf(Register.AL);
        ref IrOp op = ref lifter._block.AddCondition(IrOpcode.SetCondition, IrWidth.W8, IrCondition.Below);
        op.Dst = al;
        ref IrOp negate = ref lifter._block.Add(IrOpcode.Negate, IrWidth.W8);
        (negate.Dst, negate.A) = (al, al);
    }

    private void SelectInto(IrCondition condition, ushort destination, ushort otherwise, ushort value)
    {
        ref IrOp op = ref _block.AddCondition(IrOpcode.Select, IrWidth.W64, condition);
        (op.Dst, op.A, op.B) = (destination, otherwise, value);
    }

    private void ArithmeticOp(IrOpcode opcode, IrWidth width, ushort destination, ushort a, in Instruction instruction, ushort source)
    {
        ref IrOp op = ref _block.Add(opcode, width);
        (op.Dst, op.A, op.SetsFlags) = (destination, a, true);
        SetSecond(ref op, instruction, 1, source);
        _block.NoteFlags(FlagsOf(opcode), width);
    }

    private void UnaryOp(IrOpcode opcode, IrWidth width, ushort slot)
    {
        ref IrOp op = ref _block.Add(opcode, width);
        (op.Dst, op.A) = (slot, slot);
        if (opcode != IrOpcode.Not)
        {
            op.SetsFlags = true;
            _block.NoteFlags(FlagsOf(opcode), width);
        }
    }

    /// <summary>The count of a shift or rotation in a slot of its own, safe from the write of the result.</summary>
    private ushort ShiftCount(in Instruction instruction, int operand)
    {
        ushort count = Temporary();
        if (IsImmediate(instruction, operand))
        {
            MoveImmediate(count, IrWidth.W64, instruction.Immediate8);
        }
        else
        {
            Extend(IrOpcode.ZeroExtend, count, IrWidth.W64, SlotOf(Register.CL), IrWidth.W8);
        }

        return count;
    }

    /// <summary>Applies <paramref name="modify"/> to operand 0 in place: a register's slot, or a temporary between load and store.</summary>
    private void ReadModifyWrite(in Instruction instruction, IrWidth width, Action<ushort> modify)
    {
        if (instruction.Op0Kind == OpKind.Register)
        {
            modify(SlotOf(instruction.Op0Register));
            return;
        }

        MemoryOperand memory = Memory(instruction, BytesOf(width), write: true);
        ushort value = Temporary();
        Load(IrOpcode.LoadForWrite, value, width, width, memory);
        modify(value);
        Store(memory, width, value);
    }

    /// <summary>A helper call with the linear address of the memory operand in A.</summary>
    private ref IrOp CallWithAddress(
        delegate*<CpuHeader*, ulong, ulong, ulong, ulong> helper, in Instruction instruction, int bytes, bool write, IrCallEffects effects, int? alignment = null)
    {
        ushort address = LinearAddress(instruction, bytes, write, alignment);
        ref IrOp op = ref Call(helper, effects);
        op.A = address;
        return ref op;
    }
}
