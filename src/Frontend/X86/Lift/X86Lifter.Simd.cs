using Emu.Frontend.Ir;
using Emu.Frontend.X86.Helpers;
using Emu.Frontend.X86.Simd;
using Emu.Frontend.X86.X87;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <summary>MMX and SSE: moves as ops, everything else as calls from <see cref="SimdTable"/>.</summary>
internal sealed unsafe partial class X86Lifter
{
    /// <summary>Instructions of <see cref="SimdTable"/>.</summary>
    public static void Simd(X86Lifter lifter, in Instruction instruction, int argument)
    {
        if (!SimdTable.TryGet(instruction, out SimdEntry entry))
        {
            lifter.Undefined(instruction);
            return;
        }

        if (!lifter.BeginSimd(instruction))
        {
            return;
        }

        if (entry.Result == SimdResult.Vector)
        {
            lifter.VectorResult(instruction, entry);
        }
        else
        {
            lifter.ValueResult(instruction, entry);
        }
    }

    /// <summary>MOVAPS, MOVUPS and relatives: 16 bytes; the argument is 1 for the forms that need alignment.</summary>
    public static void MoveVector(X86Lifter lifter, in Instruction instruction, int aligned)
    {
        if (!lifter.BeginSimd(instruction))
        {
            return;
        }

        if (instruction.Op0Kind == OpKind.Memory)
        {
            lifter.Store(lifter.VectorMemory(instruction, 16, write: true, aligned != 0), IrWidth.W128, VectorSlotOf(instruction.Op1Register));
        }
        else if (instruction.Op1Kind == OpKind.Memory)
        {
            lifter.Load(IrOpcode.Load, VectorSlotOf(instruction.Op0Register), IrWidth.W128, IrWidth.W128, lifter.VectorMemory(instruction, 16, write: false, aligned != 0));
        }
        else
        {
            lifter.Move(VectorSlotOf(instruction.Op0Register), IrWidth.W128, VectorSlotOf(instruction.Op1Register));
        }
    }

    /// <summary>MOVSS (4), MOVSD (8): from memory the rest of the register is cleared, from a register it is kept.</summary>
    public static void MoveScalar(X86Lifter lifter, in Instruction instruction, int bytes)
    {
        if (!lifter.BeginSimd(instruction))
        {
            return;
        }

        IrWidth width = WidthOf(bytes);
        if (instruction.Op0Kind == OpKind.Memory)
        {
            lifter.Store(lifter.Memory(instruction, bytes, write: true), width, VectorSlotOf(instruction.Op1Register));
        }
        else if (instruction.Op1Kind == OpKind.Memory)
        {
            lifter.LoadLow(instruction, bytes);
        }
        else if (bytes == 8)
        {
            lifter.Move(VectorSlotOf(instruction.Op0Register), IrWidth.W64, VectorSlotOf(instruction.Op1Register));
        }
        else
        {
            lifter.MergeLow32(VectorSlotOf(instruction.Op0Register), VectorSlotOf(instruction.Op1Register));
        }
    }

    /// <summary>MOVQ, MOVD between XMM or MMX registers, general registers and memory.</summary>
    public static void MoveQuadOrDouble(X86Lifter lifter, in Instruction instruction, int bytes)
    {
        if (lifter.BeginSimd(instruction))
        {
            lifter.MoveLow(instruction, bytes);
        }
    }

    private void MoveLow(in Instruction instruction, int bytes)
    {
        Register first = instruction.Op0Kind == OpKind.Register ? instruction.Op0Register : Register.None;
        if (first == Register.None)
        {
            Store(Memory(instruction, bytes, write: true), WidthOf(bytes), VectorSlotOf(instruction.Op1Register));
        }
        else if (!first.IsXMM() && !first.IsMM())
        {
            Move(SlotOf(first), WidthOf(first.GetSize()), VectorSlotOf(instruction.Op1Register));
        }
        else if (instruction.Op1Kind == OpKind.Memory)
        {
            LoadLow(instruction, bytes);
        }
        else
        {
            Register second = instruction.Op1Register;
            ushort source = second.IsXMM() || second.IsMM() ? VectorSlotOf(second) : SlotOf(second);
            int size = second.IsXMM() || second.IsMM() ? 8 : second.GetSize();
            Move(VectorSlotOf(first), WidthOf(size), source);
            FinishLow(first);
        }
    }

    /// <summary>MOVLPS, MOVLPD, MOVHPS, MOVHPD: half a register to or from memory. The argument is the half's offset.</summary>
    public static void MoveHalf(X86Lifter lifter, in Instruction instruction, int offset)
    {
        if (!lifter.BeginSimd(instruction))
        {
            return;
        }

        if (instruction.Op0Kind == OpKind.Memory)
        {
            lifter.Store(lifter.Memory(instruction, 8, write: true), IrWidth.W64, (ushort)(VectorSlotOf(instruction.Op1Register) + offset));
        }
        else
        {
            lifter.Load(IrOpcode.Load, (ushort)(VectorSlotOf(instruction.Op0Register) + offset), IrWidth.W64, IrWidth.W64, lifter.Memory(instruction, 8, write: false));
        }
    }

    /// <summary>MOVHLPS (from 8, to 0), MOVLHPS (from 0, to 8). The argument is the source offset.</summary>
    public static void MoveAcross(X86Lifter lifter, in Instruction instruction, int from)
    {
        if (lifter.BeginSimd(instruction))
        {
            lifter.Move((ushort)(VectorSlotOf(instruction.Op0Register) + (8 - from)), IrWidth.W64, (ushort)(VectorSlotOf(instruction.Op1Register) + from));
        }
    }

    /// <summary>MOVDQ2Q, MOVQ2DQ.</summary>
    public static void MoveBetweenFiles(X86Lifter lifter, in Instruction instruction, int argument)
    {
        if (lifter.BeginSimd(instruction))
        {
            lifter.Move(VectorSlotOf(instruction.Op0Register), IrWidth.W64, VectorSlotOf(instruction.Op1Register));
            lifter.FinishLow(instruction.Op0Register);
        }
    }

    /// <summary>
    /// The checks before any MMX or SSE instruction (SDM vol. 2, 2.4): #UD with CR0.EM or without CR4.OSFXSR, #NM with CR0.TS. MMX
    /// also takes a pending x87 exception and makes the stack valid. False when the instruction can only fault.
    /// </summary>
    private bool BeginSimd(in Instruction instruction)
    {
        bool sse = UsesVector(instruction, Register.XMM0, Register.XMM15) || SimdTable.IsConversionToGeneral(instruction.Mnemonic)
            || instruction.Mnemonic is Mnemonic.Ldmxcsr or Mnemonic.Stmxcsr;
        bool mmx = UsesVector(instruction, Register.MM0, Register.MM7);
        if ((_modeKey & X86ModeKey.Emulation) != 0 || (sse && (_modeKey & X86ModeKey.Osfxsr) == 0))
        {
            RaiseAlways(X86Vector.InvalidOpcode);
            return false;
        }

        if ((_modeKey & X86ModeKey.TaskSwitched) != 0)
        {
            RaiseAlways(X86Vector.DeviceNotAvailable);
            return false;
        }

        if (mmx)
        {
            Call(&X87Control.CheckMmx, IrCallEffects.MayFault);
            _touchesMmx = true;
        }

        return true;
    }

    /// <summary>The x87 side of an MMX instruction, after the last op that may fault.</summary>
    private void FinishMmx(in Instruction instruction)
    {
        ushort written = CpuHeader.ZeroSlot;
        if (instruction.Op0Register.IsMM())
        {
            written = Temporary();
            MoveImmediate(written, IrWidth.W64, 1UL << (instruction.Op0Register - Register.MM0));
        }

        Call(&X87Control.EnterMmx, IrCallEffects.None).A = written;
    }

    private static bool UsesVector(in Instruction instruction, Register first, Register last)
    {
        for (int i = 0; i < instruction.OpCount; i++)
        {
            if (instruction.GetOpKind(i) == OpKind.Register && instruction.GetOpRegister(i) >= first && instruction.GetOpRegister(i) <= last)
            {
                return true;
            }
        }

        return false;
    }

    private void VectorResult(in Instruction instruction, in SimdEntry entry)
    {
        ushort destination = VectorSlotOf(instruction.Op0Register);
        ushort source = SimdSource(instruction, instruction.OpCount > 1 ? 1 : 0, entry);
        if (_touchesMmx && entry.MayRaise)
        {
            Call(&X87Control.EnterMmx, IrCallEffects.None); // CVTPS2PI and relatives leave x87 mode even when they end in #XM
        }

        ref IrOp op = ref _block.Add(IrOpcode.CallVector, IrWidth.W128);
        (op.Dst, op.A, op.B) = (destination, destination, source);
        op.Imm = SimdImmediate(instruction);
        op.Target = entry.Helper;
        op.Scale = (byte)entry.Operation;
        op.Sub = (byte)SimdEffects(instruction, entry);
    }

    private void ValueResult(in Instruction instruction, in SimdEntry entry)
    {
        bool firstIsVector = instruction.Op0Kind == OpKind.Register && (instruction.Op0Register.IsXMM() || instruction.Op0Register.IsMM());
        ushort source = SimdSource(instruction, 1, entry);
        ushort first = firstIsVector ? VectorSlotOf(instruction.Op0Register) : source;
        ushort value = Temporary();
        ref IrOp op = ref _block.Add(IrOpcode.CallVectorValue, IrWidth.W128);
        (op.Dst, op.A, op.B) = (value, first, source);
        op.Imm = SimdImmediate(instruction);
        op.Target = entry.Helper;
        op.Scale = (byte)entry.Operation;
        op.Sub = (byte)SimdEffects(instruction, entry);
        if (entry.Result == SimdResult.Value)
        {
            WriteOperand(instruction, 0, instruction.Op0Kind == OpKind.Memory ? WidthOf(entry.MemoryBytes) : OperandWidth(instruction, 0), value);
            return;
        }

        SetFlags(value);
        if (entry.Result == SimdResult.FlagsAndEcx)
        {
            Binary(IrOpcode.ShiftRight, IrWidth.W64, X86Slots.Gpr(X86Gpr.Rcx), value, 32);
        }
    }

    // PCMPESTRI and PCMPESTRM take lengths from RAX and RDX.
    private IrCallEffects SimdEffects(in Instruction instruction, in SimdEntry entry) =>
        (!entry.MayRaise ? IrCallEffects.None : (_modeKey & X86ModeKey.FloatDefault) != 0 ? IrCallEffects.Float : IrCallEffects.Float | IrCallEffects.MayFault)
        | (instruction.Mnemonic is Mnemonic.Pcmpestri or Mnemonic.Pcmpestrm or Mnemonic.Pcmpestri64 or Mnemonic.Pcmpestrm64
            or Mnemonic.Vpcmpestri or Mnemonic.Vpcmpestrm or Mnemonic.Vpcmpestri64 or Mnemonic.Vpcmpestrm64 ? IrCallEffects.ReadsRegisters : IrCallEffects.None);

    private static long SimdImmediate(in Instruction instruction)
    {
        int last = instruction.OpCount - 1;
        return last >= 0 && instruction.GetOpKind(last) == OpKind.Immediate8 ? instruction.Immediate8 : 0;
    }

    /// <summary>The slot of a source operand: its register, or a temporary that memory was loaded to.</summary>
    private ushort SimdSource(in Instruction instruction, int operand, in SimdEntry entry)
    {
        switch (instruction.GetOpKind(operand))
        {
            case OpKind.Register:
                Register register = instruction.GetOpRegister(operand);
                return register.IsXMM() || register.IsMM() ? VectorSlotOf(register) : SlotOf(register);
            case OpKind.Memory:
                ushort slot = SourceTemporary;
                IrWidth width = WidthOf(entry.MemoryBytes);
                MemoryOperand memory = VectorMemory(instruction, entry.MemoryBytes, write: false, entry.Aligned);
                Load(IrOpcode.Load, slot, width < IrWidth.W32 ? IrWidth.W64 : width, width, memory);
                return slot;
            default:
                return VectorSlotOf(instruction.Op0Register);
        }
    }

    /// <summary>A memory operand of a vector instruction, with the alignment check where the form has one.</summary>
    private MemoryOperand VectorMemory(in Instruction instruction, int bytes, bool write, bool aligned)
    {
        if (!aligned || bytes < 16)
        {
            return Memory(instruction, bytes, write);
        }

        MemoryOperand memory = Memory(instruction, bytes, write, alignment: OwnCheck);
        CheckAligned(&StateHelpers.CheckAligned, LinearAddress(memory), bytes);
        return memory;
    }

    /// <summary>Loads 4 or 8 bytes into the low part of an XMM or MMX register and clears the rest.</summary>
    private void LoadLow(in Instruction instruction, int bytes)
    {
        ushort destination = VectorSlotOf(instruction.Op0Register);
        Load(IrOpcode.Load, destination, WidthOf(bytes), WidthOf(bytes), Memory(instruction, bytes, write: false));
        FinishLow(instruction.Op0Register);
    }

    private void FinishLow(Register register)
    {
        if (register.IsXMM())
        {
            MoveImmediate((ushort)(VectorSlotOf(register) + 8), IrWidth.W64, 0);
        }
    }

    // MOVSS between registers: a 32-bit move would clear bits 63:32.
    private void MergeLow32(ushort destination, ushort source)
    {
        delegate*<CpuHeader*, byte*, byte*, byte*, int, void> helper = &XmmShuffle.Movss;
        ref IrOp op = ref _block.Add(IrOpcode.CallVector, IrWidth.W128);
        (op.Dst, op.A, op.B) = (destination, destination, source);
        op.Target = (nint)helper;
        op.Scale = (byte)IrVectorOp.MergeLowI32;
    }
}

/// <content>MMX and SSE rows.</content>
internal static unsafe partial class LiftTable
{
    private static void AddFloatingPoint(LiftRow[] rows)
    {
        void Row(Mnemonic mnemonic, LiftMethod method, int argument = 0) => rows[(int)mnemonic] = new LiftRow(method, argument);
        foreach (Code code in X87Table.Codes)
        {
            Row(code.Mnemonic(), X86Lifter.X87);
        }

        Row(Mnemonic.Emms,       X86Lifter.EmptyMmx);
        Row(Mnemonic.Maskmovq,   X86Lifter.StoreMasked,      8);
        Row(Mnemonic.Maskmovdqu, X86Lifter.StoreMasked,      16);
        Row(Mnemonic.Crc32,      X86Lifter.Checksum);
        Row(Mnemonic.Ldmxcsr,    X86Lifter.LoadMxcsr);
        Row(Mnemonic.Stmxcsr,    X86Lifter.StoreMxcsr);
        Row(Mnemonic.Movntdqa,   X86Lifter.MoveVector,       1);
        foreach (Mnemonic mnemonic in Enum.GetValues<Mnemonic>())
        {
            if (rows[(int)mnemonic].Method is null && SimdTable.Knows(mnemonic))
            {
                Row(mnemonic, X86Lifter.Simd);
            }
        }

        Row(Mnemonic.Movaps,   X86Lifter.MoveVector,       1);
        Row(Mnemonic.Movapd,   X86Lifter.MoveVector,       1);
        Row(Mnemonic.Movdqa,   X86Lifter.MoveVector,       1);
        Row(Mnemonic.Movntps,  X86Lifter.MoveVector,       1);
        Row(Mnemonic.Movntpd,  X86Lifter.MoveVector,       1);
        Row(Mnemonic.Movntdq,  X86Lifter.MoveVector,       1);
        Row(Mnemonic.Movups,   X86Lifter.MoveVector,       0);
        Row(Mnemonic.Movupd,   X86Lifter.MoveVector,       0);
        Row(Mnemonic.Movdqu,   X86Lifter.MoveVector,       0);
        Row(Mnemonic.Lddqu,    X86Lifter.MoveVector,       0);
        Row(Mnemonic.Movss,    X86Lifter.MoveScalar,       4);
        Row(Mnemonic.Movq,     X86Lifter.MoveQuadOrDouble, 8);
        Row(Mnemonic.Movntq,   X86Lifter.MoveQuadOrDouble, 8);
        Row(Mnemonic.Movd,     X86Lifter.MoveQuadOrDouble, 4);
        Row(Mnemonic.Movlps,   X86Lifter.MoveHalf,         0);
        Row(Mnemonic.Movlpd,   X86Lifter.MoveHalf,         0);
        Row(Mnemonic.Movhps,   X86Lifter.MoveHalf,         8);
        Row(Mnemonic.Movhpd,   X86Lifter.MoveHalf,         8);
        Row(Mnemonic.Movhlps,  X86Lifter.MoveAcross,       8);
        Row(Mnemonic.Movlhps,  X86Lifter.MoveAcross,       0);
        Row(Mnemonic.Movdq2q,  X86Lifter.MoveBetweenFiles);
        Row(Mnemonic.Movq2dq,  X86Lifter.MoveBetweenFiles);
    }
}
