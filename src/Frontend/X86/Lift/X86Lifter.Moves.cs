using Emu.Core.Cpu;
using Emu.Frontend.Ir;
using Emu.Frontend.X86.Helpers;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <summary>Data movement, the stack, bit scans and tests.</summary>
internal sealed unsafe partial class X86Lifter
{
    /// <summary>Argument of <see cref="BitTest"/> for BT.</summary>
    public const int BitTestOnly = -1;

    private static readonly ushort Rsp = X86Slots.Gpr(X86Gpr.Rsp);

    private static readonly ushort Rbp = X86Slots.Gpr(X86Gpr.Rbp);

    /// <summary>Instructions without effect.</summary>
    public static void Nothing(X86Lifter lifter, in Instruction instruction, int argument)
    {
    }

    /// <summary>MOV in all forms, MOVNTI.</summary>
    public static void MoveAny(X86Lifter lifter, in Instruction instruction, int argument)
    {
        Register first = instruction.Op0Kind == OpKind.Register ? instruction.Op0Register : Register.None;
        Register second = instruction.Op1Kind == OpKind.Register ? instruction.Op1Register : Register.None;
        if (first.IsSegmentRegister())
        {
            lifter.LoadSegmentRegister(instruction, SegmentNumber(first));
        }
        else if (second.IsSegmentRegister())
        {
            lifter.StoreSelector(instruction, SegmentNumber(second));
        }
        else if (first.IsCR() || first.IsDR() || first.IsTR() || second.IsCR() || second.IsDR() || second.IsTR())
        {
            lifter.MoveControl(instruction, first, second);
        }
        else
        {
            lifter.MoveGeneral(instruction);
        }
    }

    /// <summary>MOVZX, MOVSX, MOVSXD.</summary>
    public static void MoveExtended(X86Lifter lifter, in Instruction instruction, int signed)
    {
        IrWidth to = OperandWidth(instruction, 0);
        IrWidth from = OperandWidth(instruction, 1);
        ushort destination = SlotOf(instruction.Op0Register);
        if (instruction is { Code: Code.Movsxd_r16_rm16, Op1Kind: OpKind.Memory })
        {
            // The operand size cuts the register only: memory is read as a doubleword.
            ushort value = lifter.Temporary();
            lifter.Load(IrOpcode.Load, value, IrWidth.W32, IrWidth.W32, lifter.Memory(instruction, 4, write: false));
            lifter.Move(destination, IrWidth.W16, value);
        }
        else if (instruction.Op1Kind == OpKind.Memory)
        {
            IrOpcode load = signed != 0 && from != to ? IrOpcode.LoadSigned : IrOpcode.Load;
            lifter.Load(load, destination, to, from, lifter.Memory(instruction, BytesOf(from), write: false));
        }
        else if (from >= to)
        {
            lifter.Move(destination, to, SlotOf(instruction.Op1Register)); // MOVSXD without REX.W
        }
        else
        {
            lifter.Extend(signed != 0 ? IrOpcode.SignExtend : IrOpcode.ZeroExtend, destination, to, SlotOf(instruction.Op1Register), from);
        }
    }

    /// <summary>MOVBE.</summary>
    public static void MoveSwapped(X86Lifter lifter, in Instruction instruction, int argument)
    {
        IrWidth width = OperandWidth(instruction, 0);
        ushort value = lifter.Temporary();
        lifter.Move(value, width, lifter.ReadOperand(instruction, 1, width));
        ref IrOp swap = ref lifter._block.Add(IrOpcode.ByteSwap, width);
        (swap.Dst, swap.A) = (value, value);
        lifter.WriteOperand(instruction, 0, width, value);
    }

    /// <summary>BSWAP; of a 16-bit register the result is undefined, and zero on processors.</summary>
    public static void ByteSwap(X86Lifter lifter, in Instruction instruction, int argument)
    {
        IrWidth width = OperandWidth(instruction, 0);
        ushort register = SlotOf(instruction.Op0Register);
        if (width == IrWidth.W16)
        {
            lifter.MoveImmediate(register, width, 0);
            return;
        }

        ref IrOp op = ref lifter._block.Add(IrOpcode.ByteSwap, width);
        (op.Dst, op.A) = (register, register);
    }

    /// <summary>LEA.</summary>
    public static void LoadAddress(X86Lifter lifter, in Instruction instruction, int argument)
    {
        IrWidth width = OperandWidth(instruction, 0);
        ushort destination = SlotOf(instruction.Op0Register);
        MemoryOperand address = lifter.EffectiveAddress(instruction);
        if (width == IrWidth.W16)
        {
            ushort value = lifter.Temporary();
            lifter.EmitLea(value, IrWidth.W32, address);
            lifter.Move(destination, IrWidth.W16, value);
        }
        else
        {
            lifter.EmitLea(destination, width, address);
        }
    }

    /// <summary>XCHG; with memory it is atomic whether or not it is locked.</summary>
    public static void Exchange(X86Lifter lifter, in Instruction instruction, int argument)
    {
        IrWidth width = OperandWidth(instruction, 0);
        ushort second = SlotOf(instruction.Op1Register);
        ushort old = lifter.Temporary();
        if (instruction.Op0Kind == OpKind.Memory)
        {
            lifter.Atomic(IrAtomic.Exchange, width, instruction, second, old);
        }
        else
        {
            ushort first = SlotOf(instruction.Op0Register);
            lifter.Move(old, width, first);
            lifter.Move(first, width, second);
        }

        lifter.Move(second, width, old);
    }

    /// <summary>CBW, CWDE, CDQE.</summary>
    public static void WidenAccumulator(X86Lifter lifter, in Instruction instruction, int bytes)
    {
        ushort rax = X86Slots.Gpr(X86Gpr.Rax);
        lifter.Extend(IrOpcode.SignExtend, rax, WidthOf(bytes * 2), rax, WidthOf(bytes));
    }

    /// <summary>CWD, CDQ, CQO.</summary>
    public static void SignIntoRdx(X86Lifter lifter, in Instruction instruction, int bytes)
    {
        IrWidth width = WidthOf(bytes);
        ushort sign = lifter.Temporary();
        Binary(lifter, IrOpcode.ShiftRightArithmetic, width, sign, X86Slots.Gpr(X86Gpr.Rax), (bytes * 8) - 1);
        lifter.Move(X86Slots.Gpr(X86Gpr.Rdx), width, sign);

        static void Binary(X86Lifter lifter, IrOpcode opcode, IrWidth width, ushort destination, ushort a, int count)
        {
            if (width == IrWidth.W16)
            {
                lifter.Extend(IrOpcode.SignExtend, destination, IrWidth.W64, a, IrWidth.W16);
                a = destination;
            }

            lifter.Binary(opcode, width == IrWidth.W64 ? IrWidth.W64 : IrWidth.W32, destination, a, count);
        }
    }

    /// <summary>XLATB.</summary>
    public static void Translate(X86Lifter lifter, in Instruction instruction, int argument)
    {
        ushort index = lifter.Temporary();
        ushort address = lifter.Temporary();
        lifter.Extend(IrOpcode.ZeroExtend, index, IrWidth.W64, SlotOf(Register.AL), IrWidth.W8);
        var table = new MemoryOperand(IrAddress.BaseIndex, SlotOf(instruction.MemoryBase), index, CpuHeader.ZeroSlot, 0, 0);
        int size = instruction.MemoryBase.GetSize();
        lifter.EmitLea(address, size == 8 ? IrWidth.W64 : IrWidth.W32, table);
        if (size == 2)
        {
            lifter.Extend(IrOpcode.ZeroExtend, address, IrWidth.W64, address, IrWidth.W16);
        }

        var entry = new MemoryOperand(IrAddress.Base, address, CpuHeader.ZeroSlot, CpuHeader.ZeroSlot, 0, 0);
        lifter.Load(IrOpcode.Load, SlotOf(Register.AL), IrWidth.W8, IrWidth.W8, lifter.InSegment(entry, SegmentNumber(instruction.MemorySegment), 1, write: false));
    }

    /// <summary>PUSH.</summary>
    public static void PushOperand(X86Lifter lifter, in Instruction instruction, int argument)
    {
        int bytes = -instruction.StackPointerIncrement;
        if (instruction.Op0Kind == OpKind.Register && instruction.Op0Register.IsSegmentRegister())
        {
            ushort selector = lifter.Temporary();
            ref IrOp read = ref lifter.Call(&SegmentHelpers.ReadSelector, IrCallEffects.None);
            (read.Dst, read.Imm) = (selector, SegmentNumber(instruction.Op0Register));
            lifter.Push(selector, bytes);
            return;
        }

        lifter.Push(lifter.ReadOperand(instruction, 0, WidthOf(bytes)), bytes);
    }

    /// <summary>POP.</summary>
    public static void PopOperand(X86Lifter lifter, in Instruction instruction, int argument)
    {
        int bytes = instruction.StackPointerIncrement;
        IrWidth width = WidthOf(bytes);
        bool direct = instruction.Op0Kind == OpKind.Register && instruction.Op0Register.IsGPR() && instruction.Op0Register.GetFullRegister() != Register.RSP;
        ushort value = direct ? SlotOf(instruction.Op0Register) : lifter.Temporary();
        lifter.LoadFromStack(value, 0, width);
        if (direct)
        {
            lifter.MoveStackPointer(bytes);
            return;
        }

        if (instruction.Op0Kind == OpKind.Memory)
        {
            // The address is computed with RSP already moved; the store may still fault, so RSP is written last.
            int moved = instruction.MemoryBase.GetFullRegister() == Register.RSP ? bytes : 0;
            lifter.Store(lifter.Memory(instruction, bytes, write: true, moved), width, value);
            lifter.MoveStackPointer(bytes);
        }
        else if (instruction.Op0Register.IsSegmentRegister())
        {
            ref IrOp load = ref lifter.Call(&SegmentHelpers.LoadSegment, IrCallEffects.MayFault);
            (load.A, load.Imm) = (value, SegmentNumber(instruction.Op0Register));
            lifter.MoveStackPointer(bytes);
            lifter.EndAtNext();
        }
        else
        {
            lifter.MoveStackPointer(bytes);
            lifter.Move(SlotOf(instruction.Op0Register), width, value); // POP RSP
        }
    }

    /// <summary>PUSHA, PUSHAD.</summary>
    public static void PushAll(X86Lifter lifter, in Instruction instruction, int bytes)
    {
        IrWidth width = WidthOf(bytes);
        for (int register = 0; register < 8; register++)
        {
            lifter.Store(lifter.StackSlot(-bytes * (register + 1), bytes, write: true), width, X86Slots.Gpr(register));
        }

        lifter.MoveStackPointer(-8 * bytes);
    }

    /// <summary>POPA, POPAD.</summary>
    public static void PopAll(X86Lifter lifter, in Instruction instruction, int bytes)
    {
        IrWidth width = WidthOf(bytes);
        Span<ushort> values = stackalloc ushort[8];
        for (int register = 7; register >= 0; register--)
        {
            values[register] = lifter.Temporary();
            lifter.LoadFromStack(values[register], (7 - register) * bytes, width);
        }

        lifter.MoveStackPointer(8 * bytes);
        for (int register = 0; register < 8; register++)
        {
            if (register != X86Gpr.Rsp)
            {
                lifter.Move(X86Slots.Gpr(register), width, values[register]);
            }
        }
    }

    /// <summary>PUSHF.</summary>
    public static void PushFlags(X86Lifter lifter, in Instruction instruction, int bytes)
    {
        ushort value = lifter.Temporary();
        bool mayFault = (lifter._modeKey & X86ModeKey.Vm86) != 0;
        ref IrOp op = ref lifter.Call(&FlagHelpers.ReadFlags, IrCallEffects.ReadsFlags | (mayFault ? IrCallEffects.MayFault : IrCallEffects.None));
        (op.Dst, op.Imm) = (value, bytes);
        lifter.Push(value, bytes);
    }

    /// <summary>POPF. IF may open, and TF be set.</summary>
    public static void PopFlags(X86Lifter lifter, in Instruction instruction, int bytes)
    {
        ushort value = lifter.Temporary();
        lifter.LoadFromStack(value, 0, WidthOf(bytes));
        ref IrOp op = ref lifter.Call(&FlagHelpers.PopFlags, IrCallEffects.All);
        (op.A, op.Imm) = (value, bytes);
        lifter.MoveStackPointer(bytes);
        lifter.EndAtNext();
    }

    /// <summary>ENTER.</summary>
    public static void EnterFrame(X86Lifter lifter, in Instruction instruction, int argument)
    {
        int bytes = instruction.Code switch { Code.Enterw_imm16_imm8 => 2, Code.Enterd_imm16_imm8 => 4, _ => 8 };
        IrWidth width = WidthOf(bytes);
        int level = instruction.Immediate8_2nd & 31;
        ushort frame = lifter.Temporary();
        ushort link = lifter.Temporary();
        lifter.EmitLea(frame, lifter.StackWidth == IrWidth.W64 ? IrWidth.W64 : IrWidth.W32, new MemoryOperand(IrAddress.Base, Rsp, CpuHeader.ZeroSlot, CpuHeader.ZeroSlot, 0, -bytes));
        lifter.Store(lifter.StackSlot(-bytes, bytes, write: true), width, Rbp);
        int reusable = lifter._nextTemporary;
        for (int i = 1; i < level; i++)
        {
            lifter._nextTemporary = reusable;
            lifter.Load(IrOpcode.Load, link, width, width, lifter.FrameSlot(-bytes * i, bytes));
            lifter.Store(lifter.StackSlot(-bytes * (i + 1), bytes, write: true), width, link);
        }

        int used = bytes;
        if (level > 0)
        {
            lifter.Store(lifter.StackSlot(-bytes * (level + 1), bytes, write: true), width, frame);
            used = bytes * (level + 1);
        }

        // The new stack pointer must be writable too (SDM: a push there would have to succeed).
        lifter._nextTemporary = reusable;
        lifter.Load(IrOpcode.LoadForWrite, link, width, width, lifter.StackSlot(-used - instruction.Immediate16, bytes, write: true));
        lifter.MoveStackPointer(-used - instruction.Immediate16);
        lifter.Move(Rbp, lifter.StackWidth == IrWidth.W16 ? IrWidth.W16 : width, frame);
    }

    /// <summary>LEAVE.</summary>
    public static void LeaveFrame(X86Lifter lifter, in Instruction instruction, int argument)
    {
        int bytes = instruction.Code switch { Code.Leavew => 2, Code.Leaved => 4, _ => 8 };
        IrWidth width = WidthOf(bytes);
        ushort value = lifter.Temporary();
        ushort pointer = lifter.Temporary();
        lifter.Load(IrOpcode.Load, value, width, width, lifter.FrameSlot(0, bytes));
        lifter.EmitLea(pointer, lifter.StackWidth == IrWidth.W64 ? IrWidth.W64 : IrWidth.W32, new MemoryOperand(IrAddress.Base, Rbp, CpuHeader.ZeroSlot, CpuHeader.ZeroSlot, 0, bytes));
        lifter.Move(Rsp, lifter.StackWidth, pointer);
        lifter.Move(Rbp, width, value);
    }

    /// <summary>LES, LDS, LSS, LFS, LGS.</summary>
    public static void LoadFarPointer(X86Lifter lifter, in Instruction instruction, int segment)
    {
        IrWidth width = OperandWidth(instruction, 0);
        int bytes = BytesOf(width);
        ushort offset = lifter.Temporary();
        ushort selector = lifter.Temporary();
        lifter.Load(IrOpcode.Load, offset, width, width, lifter.Memory(instruction, bytes, write: false));
        lifter.Load(IrOpcode.Load, selector, IrWidth.W64, IrWidth.W16, lifter.Memory(instruction, 2, write: false, bytes));
        ref IrOp load = ref lifter.Call(&SegmentHelpers.LoadSegment, IrCallEffects.MayFault);
        load.A = selector;
        load.Imm = (uint)segment | (segment == X86Segment.Ss ? (long)X86Cpu.NoShadow : 0);
        lifter.Move(SlotOf(instruction.Op0Register), width, offset);
        lifter.EndAtNext();
    }

    /// <summary>BT, BTS, BTR, BTC.</summary>
    public static void BitTest(X86Lifter lifter, in Instruction instruction, int operation)
    {
        IrWidth width = OperandWidth(instruction, 0);
        ushort bit = lifter.Temporary();
        int bitMask = (BytesOf(width) * 8) - 1;
        if (IsImmediate(instruction, 1))
        {
            lifter.MoveImmediate(bit, IrWidth.W64, instruction.Immediate8 & (ulong)bitMask);
        }
        else
        {
            lifter.Binary(IrOpcode.And, IrWidth.W64, bit, SlotOf(instruction.Op1Register), bitMask);
        }

        ushort value;
        if (instruction.Op0Kind == OpKind.Register)
        {
            ushort register = SlotOf(instruction.Op0Register);
            value = lifter.Temporary();
            lifter.Move(value, width, register);
            if (operation != BitTestOnly)
            {
                lifter.ModifyBit((IrOpcode)operation, width, register, bit);
            }
        }
        else
        {
            value = lifter.BitTestMemory(instruction, width, bit, operation);
        }

        ref IrOp flags = ref lifter.Call(&ShiftHelpers.BitTestFlags, IrCallEffects.ReadsFlags | IrCallEffects.WritesFlags);
        (flags.A, flags.B) = (value, bit);
    }

    /// <summary>BSF, BSR.</summary>
    public static void BitScan(X86Lifter lifter, in Instruction instruction, int reverse)
    {
        IrWidth width = OperandWidth(instruction, 0);
        ushort source = lifter.ReadOperand(instruction, 1, width);
        ushort destination = SlotOf(instruction.Op0Register);
        ushort result = lifter.Temporary();
        ref IrOp op = ref lifter._block.Add(reverse != 0 ? IrOpcode.HighestBit : IrOpcode.LowestBit, width);
        (op.Dst, op.A) = (result, source);
        if (width == IrWidth.W16)
        {
            ushort merged = lifter.Temporary();
            lifter.Move(merged, IrWidth.W64, destination);
            lifter.Move(merged, IrWidth.W16, result);
            result = merged;
        }

        // ZF is defined; the others follow the source, as a logical operation on it would set them.
        ref IrOp test = ref lifter._block.Add(IrOpcode.Test, width);
        (test.A, test.B, test.SetsFlags) = (source, source, true);
        lifter._block.NoteFlags(FlagsKind.Logic, width);

        // A zero source leaves all 64 bits of the destination alone.
        lifter.SelectInto(IrCondition.Equal, destination, result, destination);
    }

    /// <summary>TZCNT, LZCNT, POPCNT; the first two are BSF and BSR where the CPU model lacks them.</summary>
    public static void BitCount(X86Lifter lifter, in Instruction instruction, int operation)
    {
        if (operation < 2 && !lifter._cpu.Environment.Model.Has(operation == 0 ? CpuFeature.Bmi1 : CpuFeature.Abm))
        {
            BitScan(lifter, instruction, operation);
            return;
        }

        IrWidth width = OperandWidth(instruction, 0);
        ushort source = lifter.ReadOperand(instruction, 1, width);
        ushort result = lifter.Temporary();
        ref IrOp op = ref lifter.Call(&ArithmeticHelpers.BitCount, IrCallEffects.WritesFlags);
        (op.Dst, op.A) = (result, source);
        op.Imm = (long)width | ((long)operation << 8);
        lifter.Move(SlotOf(instruction.Op0Register), width, result);
    }

    /// <summary>Width of the stack pointer.</summary>
    private IrWidth StackWidth => Is64 ? IrWidth.W64 : (_modeKey & X86ModeKey.Stack32) != 0 ? IrWidth.W32 : IrWidth.W16;

    /// <summary>Pushes a slot of <paramref name="bytes"/> bytes; RSP is written after the store.</summary>
    private void Push(ushort value, int bytes)
    {
        Store(StackSlot(-bytes, bytes, write: true), WidthOf(bytes), value);
        MoveStackPointer(-bytes);
    }

    private void LoadFromStack(ushort destination, int offset, IrWidth width) =>
        Load(IrOpcode.Load, destination, width, width, StackSlot(offset, BytesOf(width), write: false));

    private MemoryOperand StackSlot(int offset, int bytes, bool write) => RelativeTo(Rsp, offset, bytes, write);

    private MemoryOperand FrameSlot(int offset, int bytes) => RelativeTo(Rbp, offset, bytes, write: false);

    /// <summary>SS:[register + offset] with the width of the stack.</summary>
    private MemoryOperand RelativeTo(ushort register, int offset, int bytes, bool write)
    {
        var address = new MemoryOperand(Is64 ? IrAddress.Base : IrAddress.Wrap32, register, CpuHeader.ZeroSlot, CpuHeader.ZeroSlot, 0, offset);
        if (StackWidth == IrWidth.W16)
        {
            address = Narrow(address, 2);
        }

        return InSegment(address, X86Segment.Ss, bytes, write);
    }

    private void MoveStackPointer(int bytes) => Binary(IrOpcode.Add, StackWidth, Rsp, Rsp, bytes);

    private void MoveGeneral(in Instruction instruction)
    {
        IrWidth width = OperandWidth(instruction, 0);
        if (instruction.Op0Kind == OpKind.Register)
        {
            ushort destination = SlotOf(instruction.Op0Register);
            if (IsImmediate(instruction, 1))
            {
                MoveImmediate(destination, width, instruction.GetImmediate(1));
            }
            else if (instruction.Op1Kind == OpKind.Memory)
            {
                Load(IrOpcode.Load, destination, width, width, Memory(instruction, BytesOf(width), write: false));
            }
            else
            {
                Move(destination, width, SlotOf(instruction.Op1Register));
            }
        }
        else if (IsImmediate(instruction, 1))
        {
            StoreImmediate(Memory(instruction, BytesOf(width), write: true), width, (int)instruction.GetImmediate(1));
        }
        else
        {
            Store(Memory(instruction, BytesOf(width), write: true), width, SlotOf(instruction.Op1Register));
        }
    }

    private void LoadSegmentRegister(in Instruction instruction, int segment)
    {
        ushort selector = ReadOperand(instruction, 1, IrWidth.W16);
        ref IrOp load = ref Call(&SegmentHelpers.LoadSegment, IrCallEffects.MayFault);
        (load.A, load.Imm) = (selector, segment);
        EndAtNext();
    }

    private void StoreSelector(in Instruction instruction, int segment)
    {
        ushort selector = Temporary();
        ref IrOp read = ref Call(&SegmentHelpers.ReadSelector, IrCallEffects.None);
        (read.Dst, read.Imm) = (selector, segment);
        WriteOperand(instruction, 0, instruction.Op0Kind == OpKind.Memory ? IrWidth.W16 : OperandWidth(instruction, 0), selector);
    }

    /// <summary>Sets, clears or flips bit <paramref name="bit"/> of a slot.</summary>
    private void ModifyBit(IrOpcode operation, IrWidth width, ushort slot, ushort bit)
    {
        ushort mask = BitMask(operation, bit);
        BinarySlots(operation, width, slot, slot, mask);
    }

    private ushort BitMask(IrOpcode operation, ushort bit)
    {
        ushort mask = Temporary();
        MoveImmediate(mask, IrWidth.W64, 1);
        BinarySlots(IrOpcode.ShiftLeft, IrWidth.W64, mask, mask, bit);
        if (operation == IrOpcode.And)
        {
            ref IrOp invert = ref _block.Add(IrOpcode.Not, IrWidth.W64);
            (invert.Dst, invert.A) = (mask, mask);
        }

        return mask;
    }

    /// <summary>A register bit number reaches beyond the operand: the address moves by whole operands. Returns the old value.</summary>
    private ushort BitTestMemory(in Instruction instruction, IrWidth width, ushort bit, int operation)
    {
        MemoryOperand memory;
        bool write = operation != BitTestOnly;
        if (IsImmediate(instruction, 1))
        {
            memory = Memory(instruction, BytesOf(width), write);
        }
        else
        {
            ushort address = Temporary();
            ushort step = Temporary();
            if (width == IrWidth.W64)
            {
                Move(step, IrWidth.W64, SlotOf(instruction.Op1Register));
            }
            else
            {
                Extend(IrOpcode.SignExtend, step, IrWidth.W64, SlotOf(instruction.Op1Register), width);
            }

            Binary(IrOpcode.ShiftRightArithmetic, IrWidth.W64, step, step, (int)width + 3);
            Binary(IrOpcode.ShiftLeft, IrWidth.W64, step, step, (int)width);
            EmitLea(address, IrWidth.W64, EffectiveAddress(instruction));
            BinarySlots(IrOpcode.Add, IrWidth.W64, address, address, step);
            var moved = new MemoryOperand(IrAddress.Base, address, CpuHeader.ZeroSlot, CpuHeader.ZeroSlot, 0, 0);
            moved = AddressSize(instruction) == 8 ? moved : Narrow(moved, AddressSize(instruction));
            memory = InSegment(moved, SegmentNumber(instruction.MemorySegment), BytesOf(width), write);
        }

        ushort value = Temporary();
        if (!write)
        {
            Load(IrOpcode.Load, value, width, width, memory);
        }
        else if (IsAtomic(instruction))
        {
            ushort mask = BitMask((IrOpcode)operation, bit);
            IrAtomic kind = (IrOpcode)operation switch { IrOpcode.Or => IrAtomic.Or, IrOpcode.And => IrAtomic.And, _ => IrAtomic.Xor };
            Atomic(kind, width, LinearAddress(memory), mask, value);
        }
        else
        {
            ushort changed = Temporary();
            Load(IrOpcode.LoadForWrite, value, width, width, memory);
            Move(changed, IrWidth.W64, value);
            ModifyBit((IrOpcode)operation, width, changed, bit);
            Store(memory, width, changed);
        }

        return value;
    }
}
