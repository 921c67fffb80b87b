using Emu.Frontend.Ir;
using Emu.Frontend.X86.Helpers;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <summary>Branches, conditions, string instructions.</summary>
internal sealed unsafe partial class X86Lifter
{
    /// <summary>JMP.</summary>
    public static void Jump(X86Lifter lifter, in Instruction instruction, int argument)
    {
        if (IsNearBranch(instruction))
        {
            lifter.EndWithJump(instruction.NearBranchTarget & lifter.PcMask);
        }
        else if (IsFar(instruction))
        {
            lifter.Far(instruction, &TransferHelpers.FarJump);
        }
        else
        {
            lifter.EndWithIndirectJump(lifter.IndirectTarget(instruction));
        }
    }

    /// <summary>CALL.</summary>
    public static void CallNearOrFar(X86Lifter lifter, in Instruction instruction, int argument)
    {
        if (IsFar(instruction))
        {
            lifter.Far(instruction, &TransferHelpers.FarCall);
            return;
        }

        ushort target = IsNearBranch(instruction) ? (ushort)0 : lifter.IndirectTarget(instruction);
        lifter.PushReturnAddress(-instruction.StackPointerIncrement);
        if (target == 0)
        {
            lifter.EndWithJump(instruction.NearBranchTarget & lifter.PcMask, IrJumpKind.Call);
        }
        else
        {
            lifter.EndWithIndirectJump(target, IrJumpKind.Call);
        }
    }

    /// <summary>RET.</summary>
    public static void Return(X86Lifter lifter, in Instruction instruction, int argument)
    {
        int release = instruction.OpCount > 0 ? instruction.Immediate16 : 0;
        int bytes = instruction.Code switch
        {
            Code.Retnw or Code.Retnw_imm16 => 2,
            Code.Retnd or Code.Retnd_imm16 => 4,
            _ => 8,
        };
        ushort target = lifter.Temporary();
        lifter.LoadFromStack(target, 0, WidthOf(bytes));
        lifter.MoveStackPointer(bytes + release);
        lifter.EndWithIndirectJump(lifter.ZeroExtended(target, WidthOf(bytes)), IrJumpKind.Return);
    }

    /// <summary>RETF.</summary>
    public static void ReturnFar(X86Lifter lifter, in Instruction instruction, int argument)
    {
        ushort release = lifter.Temporary();
        lifter.MoveImmediate(release, IrWidth.W64, instruction.OpCount > 0 ? instruction.Immediate16 : 0UL);
        int bytes = instruction.Code switch
        {
            Code.Retfw or Code.Retfw_imm16 => 2,
            Code.Retfd or Code.Retfd_imm16 => 4,
            _ => 8,
        };
        ref IrOp op = ref lifter.Transfer(&TransferHelpers.FarReturn, bytes);
        op.A = release;
        lifter.EndWithExit();
    }

    /// <summary>IRET.</summary>
    public static void InterruptReturn(X86Lifter lifter, in Instruction instruction, int bytes)
    {
        lifter.Transfer(&TransferHelpers.Iret, bytes);
        lifter.EndWithLookup();
    }

    /// <summary>Jcc.</summary>
    public static void JumpIf(X86Lifter lifter, in Instruction instruction, int condition) =>
        lifter.EndWithBranch((IrCondition)condition, instruction.NearBranchTarget & lifter.PcMask);

    /// <summary>SETcc.</summary>
    public static void SetIf(X86Lifter lifter, in Instruction instruction, int condition)
    {
        ushort value = instruction.Op0Kind == OpKind.Register ? SlotOf(instruction.Op0Register) : lifter.Temporary();
        lifter._block.AddCondition(IrOpcode.SetCondition, IrWidth.W8, (IrCondition)condition).Dst = value;
        if (instruction.Op0Kind == OpKind.Memory)
        {
            lifter.Store(lifter.Memory(instruction, 1, write: true), IrWidth.W8, value);
        }
    }

    /// <summary>CMOVcc: the source is read in any case.</summary>
    public static void MoveIf(X86Lifter lifter, in Instruction instruction, int condition)
    {
        IrWidth width = OperandWidth(instruction, 0);
        ushort destination = SlotOf(instruction.Op0Register);
        ushort source = lifter.ReadOperand(instruction, 1, width);
        ref IrOp op = ref lifter._block.AddCondition(IrOpcode.Select, width, (IrCondition)condition);
        (op.Dst, op.A, op.B) = (destination, destination, source);
    }

    /// <summary>LOOP (0), LOOPE (1), LOOPNE (2).</summary>
    public static void LoopWhile(X86Lifter lifter, in Instruction instruction, int kind)
    {
        IrWidth width = WidthOf(instruction.Code.ToOpCode().AddressSize / 8);
        ushort rcx = X86Slots.Gpr(X86Gpr.Rcx);
        ushort more = lifter.Temporary();
        lifter.Binary(IrOpcode.Sub, width, rcx, rcx, 1);
        ushort count = lifter.Temporary();
        lifter.Move(count, IrWidth.W64, lifter.ZeroExtended(rcx, width));
        ref IrOp op = ref lifter.Call(&ShiftHelpers.LoopContinues, IrCallEffects.ReadsFlags);
        (op.Dst, op.A, op.Imm) = (more, count, kind);
        lifter.EndWithSlotBranch(IrCondition.NotEqual, more, instruction.NearBranchTarget & lifter.PcMask, lifter.NextPc);
    }

    /// <summary>JCXZ, JECXZ, JRCXZ.</summary>
    public static void JumpIfCountZero(X86Lifter lifter, in Instruction instruction, int bytes)
    {
        ushort count = lifter.Temporary();
        lifter.Move(count, IrWidth.W64, lifter.ZeroExtended(X86Slots.Gpr(X86Gpr.Rcx), WidthOf(bytes)));
        lifter.EndWithSlotBranch(IrCondition.Equal, count, instruction.NearBranchTarget & lifter.PcMask, lifter.NextPc);
    }

    /// <summary>String instructions: the helper runs as many iterations as it can and says whether some are left.</summary>
    public static void String(X86Lifter lifter, in Instruction instruction, int packed)
    {
        Register segment = instruction.MemorySegment is var used && used.IsSegmentRegister() ? used : Register.DS;
        int repeat = instruction.HasRepnePrefix ? 2 : instruction.HasRepePrefix ? 1 : 0;
        ushort more = lifter.Temporary();
        ref IrOp op = ref lifter.Call(&StringHelpers.Run, IrCallEffects.All);
        op.Dst = more;
        op.Imm = (uint)packed | ((long)repeat << 16) | ((long)SegmentNumber(segment) << 24) | ((long)StringAddressSize(instruction) << 32);
        if (repeat != 0)
        {
            lifter.EndWithSlotBranch(IrCondition.NotEqual, more, lifter.Pc, lifter.NextPc);
        }
        else
        {
            lifter.EndWithJump(lifter.NextPc); // it may have written code
        }
    }

    /// <summary>MOVSD and CMPSD name a string and an SSE instruction each.</summary>
    public static void StringOrSse(X86Lifter lifter, in Instruction instruction, int packed)
    {
        if (instruction.IsStringInstruction)
        {
            String(lifter, instruction, packed);
        }
        else if (instruction.Mnemonic == Mnemonic.Movsd)
        {
            MoveScalar(lifter, instruction, 8);
        }
        else
        {
            Simd(lifter, instruction, 0);
        }
    }

    private static bool IsNearBranch(in Instruction instruction) =>
        instruction.Op0Kind is OpKind.NearBranch16 or OpKind.NearBranch32 or OpKind.NearBranch64;

    private static bool IsFar(in Instruction instruction) => instruction.Op0Kind is OpKind.FarBranch16 or OpKind.FarBranch32
        || (instruction.Op0Kind == OpKind.Memory && instruction.MemorySize is MemorySize.SegPtr16 or MemorySize.SegPtr32 or MemorySize.SegPtr64);

    private static int StringAddressSize(in Instruction instruction)
    {
        for (int i = 0; i < instruction.OpCount; i++)
        {
            switch (instruction.GetOpKind(i))
            {
                case OpKind.MemorySegSI or OpKind.MemorySegDI or OpKind.MemoryESDI: return 2;
                case OpKind.MemorySegESI or OpKind.MemorySegEDI or OpKind.MemoryESEDI: return 4;
                case OpKind.MemorySegRSI or OpKind.MemorySegRDI or OpKind.MemoryESRDI: return 8;
            }
        }

        return 8;
    }

    /// <summary>A slot with the target of an indirect branch, safe from the push of a CALL.</summary>
    private ushort IndirectTarget(in Instruction instruction)
    {
        IrWidth width = OperandWidth(instruction, 0);
        ushort target = ZeroExtended(ReadOperand(instruction, 0, width), width);
        if (target != Rsp)
        {
            return target;
        }

        ushort copy = Temporary();
        Move(copy, IrWidth.W64, target);
        return copy;
    }

    private void PushReturnAddress(int bytes)
    {
        if ((long)NextPc == (int)NextPc && !_block.IsRelative)
        {
            StoreImmediate(StackSlot(-bytes, bytes, write: true), WidthOf(bytes), (int)NextPc);
            MoveStackPointer(-bytes);
            return;
        }

        ushort address = Temporary();
        MovePc(address, NextPc);
        Push(address, bytes);
    }

    private void Far(in Instruction instruction, delegate*<CpuHeader*, ulong, ulong, ulong, ulong> helper)
    {
        ushort offset = Temporary();
        ushort selector = Temporary();
        int bytes;
        if (instruction.Op0Kind == OpKind.Memory)
        {
            bytes = instruction.MemorySize switch { MemorySize.SegPtr16 => 2, MemorySize.SegPtr32 => 4, _ => 8 };
            Load(IrOpcode.Load, offset, IrWidth.W64, WidthOf(bytes), Memory(instruction, bytes, write: false));
            Load(IrOpcode.Load, selector, IrWidth.W64, IrWidth.W16, Memory(instruction, 2, write: false, bytes));
        }
        else
        {
            bytes = instruction.Op0Kind == OpKind.FarBranch16 ? 2 : 4;
            MoveImmediate(offset, IrWidth.W64, bytes == 2 ? instruction.FarBranch16 : instruction.FarBranch32);
            MoveImmediate(selector, IrWidth.W64, instruction.FarBranchSelector);
        }

        ref IrOp op = ref Transfer(helper, bytes);
        (op.A, op.B) = (offset, selector);
        EndWithExit();
    }

    /// <summary>A call that moves the program counter; it finds the next instruction's address there.</summary>
    private ref IrOp Transfer(delegate*<CpuHeader*, ulong, ulong, ulong, ulong> helper, int operandBytes)
    {
        MovePc(CpuHeader.PcSlot, NextPc);
        ref IrOp op = ref Call(helper, IrCallEffects.All);
        op.Imm = operandBytes;
        return ref op;
    }

    /// <summary>Branches on a slot compared with zero, leaving the flags alone.</summary>
    private void EndWithSlotBranch(IrCondition condition, ushort slot, ulong target, ulong otherwise)
    {
        _block.AddSlotBranch(condition, slot, target, _block.InstructionCount);
        EndWithJump(otherwise);
    }
}
