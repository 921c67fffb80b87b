using Emu.Frontend.Ir;
using Emu.Frontend.X86.Helpers;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <content>
/// Locked instructions. On the only CPU of a machine most are what they are without the prefix: nothing comes between the operations of one
/// instruction. Two kinds stay atomic there, for they order memory against devices that work on other threads: XCHG, and operations that
/// change nothing, which guests use as fences.
/// </content>
internal sealed unsafe partial class X86Lifter
{
    /// <summary>XADD.</summary>
    public static void ExchangeAdd(X86Lifter lifter, in Instruction instruction, int argument)
    {
        IrWidth width = OperandWidth(instruction, 0);
        ushort source = SlotOf(instruction.Op1Register);
        ushort old = lifter.Temporary();
        ushort sum = lifter.Temporary();
        bool toMemory = instruction.Op0Kind == OpKind.Memory;
        bool isAtomic = lifter.IsAtomic(instruction);
        MemoryOperand memory = lifter.ReadOrExchange(instruction, IrAtomic.Add, width, source, old);

        ref IrOp op = ref lifter._block.Add(IrOpcode.Add, width);
        (op.Dst, op.A, op.B, op.SetsFlags) = (sum, old, source, true);
        lifter._block.NoteFlags(FlagsKind.Add, width);
        if (toMemory && !isAtomic)
        {
            lifter.Store(memory, width, sum);
        }

        lifter.Move(source, width, old);
        if (!toMemory)
        {
            lifter.Move(SlotOf(instruction.Op0Register), width, sum); // last, as XADD AL, AL keeps the sum
        }
    }

    /// <summary>CMPXCHG.</summary>
    public static void CompareExchange(X86Lifter lifter, in Instruction instruction, int argument)
    {
        IrWidth width = OperandWidth(instruction, 0);
        ushort rax = X86Slots.Gpr(X86Gpr.Rax);
        ushort source = SlotOf(instruction.Op1Register);
        ushort old = lifter.Temporary();
        ushort accumulator = lifter.Temporary();
        bool toMemory = instruction.Op0Kind == OpKind.Memory;
        bool isAtomic = lifter.IsAtomic(instruction);
        MemoryOperand memory = lifter.ReadOrExchange(instruction, IrAtomic.CompareExchange, width, source, old);

        ref IrOp compare = ref lifter._block.Add(IrOpcode.Compare, width);
        (compare.A, compare.B, compare.SetsFlags) = (rax, old, true);
        lifter._block.NoteFlags(FlagsKind.Sub, width);
        if (!toMemory)
        {
            lifter.ExchangeIfEqual(instruction, width, source);
        }
        else if (!isAtomic)
        {
            ushort chosen = lifter.Temporary();
            lifter.Move(chosen, width, source);
            lifter.SelectInto(IrCondition.Equal, chosen, old, chosen);
            lifter.Store(memory, width, chosen);
        }

        // Only a failing exchange writes the accumulator; its upper half survives a successful 32-bit one.
        lifter.Move(accumulator, IrWidth.W64, rax);
        lifter.Move(accumulator, width, old);
        lifter.SelectInto(IrCondition.NotEqual, rax, rax, accumulator);
    }

    // The old value of the destination to a temporary: atomic operations have exchanged it then, others store to the operand returned.
    private MemoryOperand ReadOrExchange(in Instruction instruction, IrAtomic operation, IrWidth width, ushort source, ushort old)
    {
        if (IsAtomic(instruction))
        {
            Atomic(operation, width, instruction, source, old);
            return default;
        }

        if (instruction.Op0Kind != OpKind.Memory)
        {
            Move(old, width, SlotOf(instruction.Op0Register));
            return default;
        }

        MemoryOperand memory = Memory(instruction, BytesOf(width), write: true);
        Load(IrOpcode.LoadForWrite, old, width, width, memory);
        return memory;
    }

    /// <summary>CMPXCHG8B, CMPXCHG16B.</summary>
    public static void CompareExchangeWide(X86Lifter lifter, in Instruction instruction, int bytes)
    {
        if (lifter._cpu.Environment.IsUniprocessor)
        {
            lifter.CompareExchangePair(instruction, bytes);
            return;
        }

        ref IrOp op = ref lifter.CallWithAddress(&AtomicHelpers.CompareExchangeWide, instruction, bytes, write: true, IrCallEffects.All, OwnAlignment(bytes));
        op.Imm = bytes;
        lifter.EndWithJump(lifter.NextPc);
    }

    /// <summary>Whether the memory operand of a locked instruction must be changed by an atomic operation of the host.</summary>
    private bool IsAtomic(in Instruction instruction)
    {
        if (!instruction.HasLockPrefix)
        {
            return false;
        }

        bool isFence = IsImmediate(instruction, 1) && instruction.GetImmediate(1) == 0 && instruction.Mnemonic is Mnemonic.Or or Mnemonic.Add;
        return !_cpu.Environment.IsUniprocessor || isFence;
    }

    private static int? OwnAlignment(int bytes) => bytes == 16 ? OwnCheck : null;

    private void CompareExchangePair(in Instruction instruction, int bytes)
    {
        IrWidth half = WidthOf(bytes / 2);
        ushort address = LinearAddress(instruction, bytes, write: true, OwnAlignment(bytes));
        if (bytes == 16)
        {
            CheckAligned(&StateHelpers.CheckAligned, address, bytes);
        }

        var memory = new MemoryOperand(IrAddress.Base, address, CpuHeader.ZeroSlot, CpuHeader.ZeroSlot, 0, 0);
        (ushort low, ushort high, ushort differs) = (Temporary(), Temporary(), Temporary());
        (ushort rax, ushort rdx) = (X86Slots.Gpr(X86Gpr.Rax), X86Slots.Gpr(X86Gpr.Rdx));
        Load(IrOpcode.LoadForWrite, low, half, half, memory);
        Load(IrOpcode.LoadForWrite, high, half, half, memory with { Displacement = bytes / 2 });
        ushort other = Temporary();
        BinarySlots(IrOpcode.Xor, half, differs, low, rax);
        BinarySlots(IrOpcode.Xor, half, other, high, rdx);
        BinarySlots(IrOpcode.Or, IrWidth.W64, differs, differs, other);

        // All ones where the values differ: x | -x has its top bit set unless x is zero.
        ref IrOp negate = ref _block.Add(IrOpcode.Negate, IrWidth.W64);
        (negate.Dst, negate.A) = (other, differs);
        BinarySlots(IrOpcode.Or, IrWidth.W64, differs, differs, other);
        Binary(IrOpcode.ShiftRightArithmetic, IrWidth.W64, differs, differs, 63);
        Store(memory, half, SelectByMask(differs, low, X86Slots.Gpr(X86Gpr.Rbx)));
        Store(memory with { Displacement = bytes / 2 }, half, SelectByMask(differs, high, X86Slots.Gpr(X86Gpr.Rcx)));
        Move(rax, IrWidth.W64, SelectByMask(differs, low, rax));
        Move(rdx, IrWidth.W64, SelectByMask(differs, high, rdx));
        SetZeroFlag(differs);
    }

    /// <summary>A temporary with <paramref name="whenSet"/> where <paramref name="mask"/> is all ones, else <paramref name="otherwise"/>.</summary>
    private ushort SelectByMask(ushort mask, ushort whenSet, ushort otherwise)
    {
        ushort result = Temporary();
        BinarySlots(IrOpcode.Xor, IrWidth.W64, result, whenSet, otherwise);
        BinarySlots(IrOpcode.And, IrWidth.W64, result, result, mask);
        BinarySlots(IrOpcode.Xor, IrWidth.W64, result, result, otherwise);
        return result;
    }

    /// <summary>ZF ← the complement of <paramref name="mask"/>; the other flags stay.</summary>
    private void SetZeroFlag(ushort mask)
    {
        ushort flags = Temporary();
        ushort zero = Temporary();
        Call(&FlagHelpers.ArithmeticFlags, IrCallEffects.ReadsFlags).Dst = flags;
        Binary(IrOpcode.And, IrWidth.W64, flags, flags, ~(long)Rflags.Zf);
        ref IrOp invert = ref _block.Add(IrOpcode.Not, IrWidth.W64);
        (invert.Dst, invert.A) = (zero, mask);
        Binary(IrOpcode.And, IrWidth.W64, zero, zero, (long)Rflags.Zf);
        BinarySlots(IrOpcode.Or, IrWidth.W64, flags, flags, zero);
        SetFlags(flags);
    }

    // In 64 bits, so that a failing 32-bit exchange keeps the upper half of the destination, as AMD processors do.
    private void ExchangeIfEqual(in Instruction instruction, IrWidth width, ushort source)
    {
        ushort chosen = Temporary();
        ushort destination = SlotOf(instruction.Op0Register);
        ushort whole = WholeSlot(instruction.Op0Register);
        Move(chosen, IrWidth.W64, whole);
        Move((ushort)(chosen + (destination - whole)), width, source);
        SelectInto(IrCondition.Equal, chosen, whole, chosen);
        Move(whole, IrWidth.W64, chosen);
    }

    /// <summary>A locked two-operand instruction: the memory operation is atomic, the flags are computed afterwards from the old value.</summary>
    private void Locked(IrOpcode opcode, IrWidth width, in Instruction instruction, ushort source)
    {
        if (IsImmediate(instruction, 1))
        {
            source = Temporary();
            MoveImmediate(source, width, instruction.GetImmediate(1));
        }

        IrAtomic operation = opcode switch
        {
            IrOpcode.Add or IrOpcode.Adc => IrAtomic.Add,
            IrOpcode.Sub or IrOpcode.Sbb => IrAtomic.Subtract,
            IrOpcode.And => IrAtomic.And,
            IrOpcode.Or => IrAtomic.Or,
            _ => IrAtomic.Xor,
        };
        ushort operand = source;
        if (opcode is IrOpcode.Adc or IrOpcode.Sbb)
        {
            operand = Temporary();
            MoveImmediate(operand, IrWidth.W64, 0);
            ref IrOp carry = ref _block.AddCondition(IrOpcode.SetCondition, IrWidth.W8, IrCondition.Below);
            carry.Dst = operand;
            BinarySlots(IrOpcode.Add, width, operand, operand, source);
        }

        ushort old = Temporary();
        Atomic(operation, width, instruction, operand, old);
        ref IrOp op = ref _block.Add(opcode, width);
        (op.Dst, op.A, op.B, op.SetsFlags) = (old, old, source, true);
        _block.NoteFlags(FlagsOf(opcode), width);
    }

    private void LockedUnary(IrOpcode opcode, IrWidth width, in Instruction instruction)
    {
        ushort operand = Temporary();
        MoveImmediate(operand, IrWidth.W64, opcode == IrOpcode.Not ? ulong.MaxValue : 1);
        ushort old = Temporary();
        IrAtomic operation = opcode switch
        {
            IrOpcode.Increment => IrAtomic.Add,
            IrOpcode.Decrement => IrAtomic.Subtract,
            IrOpcode.Not => IrAtomic.Xor,
            _ => IrAtomic.Negate,
        };
        Atomic(operation, width, instruction, operand, old);
        UnaryOp(opcode, width, old);
    }

    private void Atomic(IrAtomic operation, IrWidth width, in Instruction instruction, ushort operand, ushort old) =>
        Atomic(operation, width, LinearAddress(instruction, BytesOf(width), write: true), operand, old);

    private void Atomic(IrAtomic operation, IrWidth width, ushort address, ushort operand, ushort old)
    {
        delegate*<CpuHeader*, ulong, ulong, ulong, ulong> helper = &AtomicHelpers.ReadModifyWrite;
        ref IrOp op = ref _block.Add(IrOpcode.Atomic, width);
        (op.Dst, op.A, op.B, op.C) = (old, address, operand, X86Slots.Gpr(X86Gpr.Rax));
        (op.Scale, op.Target) = ((byte)operation, (nint)helper);
        op.Imm = (long)width | ((long)operation << 8);
    }
}
