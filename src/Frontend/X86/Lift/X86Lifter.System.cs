using Emu.Frontend.Ir;
using Emu.Frontend.X86.Helpers;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <summary>Privileged and mode-changing instructions: each is a helper call, and most end the block.</summary>
internal sealed unsafe partial class X86Lifter
{
    /// <summary>INT n, INT3, INT1.</summary>
    public static void Interrupt(X86Lifter lifter, in Instruction instruction, int kind)
    {
        int vector = (SoftwareInterruptKind)kind switch
        {
            SoftwareInterruptKind.Int3 => 3,
            SoftwareInterruptKind.Int1 => 1,
            _ => instruction.Immediate8,
        };
        lifter.SoftwareInterrupt(vector, (SoftwareInterruptKind)kind);
        lifter.EndWithExit();
    }

    /// <summary>INTO: an interrupt if OF is set.</summary>
    public static void InterruptOnOverflow(X86Lifter lifter, in Instruction instruction, int argument)
    {
        ushort overflow = lifter.Temporary();
        lifter.MoveImmediate(overflow, IrWidth.W64, 0);
        lifter._block.AddCondition(IrOpcode.SetCondition, IrWidth.W8, IrCondition.Overflow).Dst = overflow;
        lifter.MovePc(CpuHeader.PcSlot, lifter.NextPc);
        lifter.Call(&ConditionalHelpers.InterruptIf, IrCallEffects.All).A = overflow;
        lifter.EndWithExit();
    }

    /// <summary>Instructions that transfer control through a helper: SYSCALL, SYSRET, SYSENTER, SYSEXIT.</summary>
    public static void SystemTransfer(X86Lifter lifter, in Instruction instruction, int which)
    {
        int bytes = instruction.Code is Code.Sysretq or Code.Sysexitq ? 8 : 4;
        switch (instruction.Mnemonic)
        {
            case Mnemonic.Syscall: lifter.Transfer(&TransferHelpers.Syscall, bytes); break;
            case Mnemonic.Sysenter: lifter.Transfer(&TransferHelpers.Sysenter, bytes); break;
            case Mnemonic.Sysexit or Mnemonic.Sysexitq: lifter.Transfer(&TransferHelpers.Sysexit, bytes); break;
            default: lifter.Transfer(&TransferHelpers.Sysret, bytes); break;
        }

        lifter.EndWithLookup();
    }

    /// <summary>Instructions without explicit operands, after which the block goes on or ends (<paramref name="index"/> into <see cref="SystemTable"/>).</summary>
    public static void Plain(X86Lifter lifter, in Instruction instruction, int index)
    {
        SystemEntry entry = SystemTable.Entries[index];
        if (entry.Ends)
        {
            lifter.MovePc(CpuHeader.PcSlot, lifter.NextPc); // HLT resumes there
        }

        lifter.Call((delegate*<CpuHeader*, ulong, ulong, ulong, ulong>)entry.Helper, entry.Effects);
        if (entry.Ends)
        {
            lifter.EndWithLookup();
        }
    }

    /// <summary>
    /// STI. Interrupts stay off for one more instruction, which therefore goes into the same block. Where that is not certain to be possible, the
    /// dispatcher executes it alone.
    /// </summary>
    public static void SetInterruptFlag(X86Lifter lifter, in Instruction instruction, int index)
    {
        const int LongestPair = 2 * MaxInstructionLength;
        bool hasRoom = lifter._block.InstructionCount < lifter._maxInstructions && (lifter.Pc & 0xfff) + LongestPair <= 0x1000;
        if (!hasRoom || !lifter._block.MayChain)
        {
            Plain(lifter, instruction, index);
            return;
        }

        lifter.Call(&FlagHelpers.StiInBlock, IrCallEffects.System);
        lifter._afterSti = true;
    }

    /// <summary>Instructions with one register or memory source: LLDT, LTR, LMSW, VERR, VERW, WRFSBASE, WRGSBASE.</summary>
    public static void FromOperand(X86Lifter lifter, in Instruction instruction, int index)
    {
        SystemEntry entry = SystemTable.Entries[index];
        IrWidth width = OperandWidth(instruction, 0) is IrWidth.W64 ? IrWidth.W64 : entry.Argument >= 0 ? IrWidth.W32 : IrWidth.W16;
        ushort source = lifter.ZeroExtended(lifter.ReadOperand(instruction, 0, width), width);
        ref IrOp op = ref lifter.Call((delegate*<CpuHeader*, ulong, ulong, ulong, ulong>)entry.Helper, entry.Effects);
        op.A = source;
        op.Imm = Math.Max(entry.Argument, 0);
        if (entry.Ends)
        {
            lifter.EndAtNext();
        }
    }

    /// <summary>Instructions with one register or memory destination: SLDT, STR, SMSW, RDFSBASE, RDGSBASE, RDPID.</summary>
    public static void ToOperand(X86Lifter lifter, in Instruction instruction, int index)
    {
        SystemEntry entry = SystemTable.Entries[index];
        ushort value = lifter.Temporary();
        ref IrOp op = ref lifter.Call((delegate*<CpuHeader*, ulong, ulong, ulong, ulong>)entry.Helper, entry.Effects);
        (op.Dst, op.Imm) = (value, Math.Max(entry.Argument, 0));
        lifter.WriteOperand(instruction, 0, instruction.Op0Kind == OpKind.Memory ? IrWidth.W16 : OperandWidth(instruction, 0), value);
    }

    /// <summary>Instructions on a memory area: LGDT, LIDT, SGDT, SIDT, INVLPG, FXSAVE and relatives.</summary>
    public static void OnMemory(X86Lifter lifter, in Instruction instruction, int index)
    {
        SystemEntry entry = SystemTable.Entries[index];
        bool write = entry.WritesMemory;
        int bytes = Math.Max(entry.MemoryBytes, 1);
        ref IrOp op = ref lifter.CallWithAddress((delegate*<CpuHeader*, ulong, ulong, ulong, ulong>)entry.Helper, instruction, bytes, write, entry.Effects);
        op.Imm = entry.Argument switch
        {
            SystemTable.OperandSize => lifter.DescriptorOperandSize(instruction),
            SystemTable.RexW => instruction.Code.ToOpCode().W != 0 && lifter.Is64 ? 1 : 0,
            _ => Math.Max(entry.Argument, 0),
        };
        lifter.EndAtNext();
    }

    /// <summary>RDTSC.</summary>
    public static void ReadTimeStamp(X86Lifter lifter, in Instruction instruction, int index)
    {
        SystemEntry entry = SystemTable.Entries[index];
        ushort value = lifter.Temporary();
        lifter.Call((delegate*<CpuHeader*, ulong, ulong, ulong, ulong>)entry.Helper, entry.Effects).Dst = value;
        lifter.Move(X86Slots.Gpr(X86Gpr.Rax), IrWidth.W32, value);
        lifter.Binary(IrOpcode.ShiftRight, IrWidth.W64, value, value, 32);
        lifter.Move(X86Slots.Gpr(X86Gpr.Rdx), IrWidth.W32, value);
    }

    /// <summary>LAR, LSL: the destination keeps its value when the selector is no good.</summary>
    public static void SelectorQuery(X86Lifter lifter, in Instruction instruction, int index)
    {
        SystemEntry entry = SystemTable.Entries[index];
        ushort selector = lifter.ReadOperand(instruction, 1, IrWidth.W16);
        ushort destination = SlotOf(instruction.Op0Register);
        ushort result = lifter.Temporary();
        ref IrOp op = ref lifter.Call((delegate*<CpuHeader*, ulong, ulong, ulong, ulong>)entry.Helper, IrCallEffects.All);
        (op.Dst, op.A, op.B) = (result, selector, destination);
        lifter.Move(destination, OperandWidth(instruction, 0), result);
    }

    /// <summary>ARPL.</summary>
    public static void AdjustRpl(X86Lifter lifter, in Instruction instruction, int argument)
    {
        ushort source = SlotOf(instruction.Op1Register);
        lifter.ReadModifyWrite(instruction, IrWidth.W16, value =>
        {
            ushort result = lifter.Temporary();
            ref IrOp op = ref lifter.Call(&SegmentHelpers.Arpl, IrCallEffects.ReadsFlags | IrCallEffects.WritesFlags);
            (op.Dst, op.A, op.B) = (result, value, source);
            lifter.Move(value, IrWidth.W16, result);
        });
    }

    /// <summary>BOUND.</summary>
    public static void Bound(X86Lifter lifter, in Instruction instruction, int argument)
    {
        IrWidth width = OperandWidth(instruction, 0);
        ushort index = lifter.ZeroExtended(SlotOf(instruction.Op0Register), width);
        ushort address = lifter.LinearAddress(instruction, 2 * BytesOf(width), write: false, BytesOf(width));
        ref IrOp op = ref lifter.Call(&TransferHelpers.Bound, IrCallEffects.MayFault);
        (op.A, op.B, op.Imm) = (index, address, BytesOf(width));
    }

    /// <summary>INVPCID.</summary>
    public static void InvalidatePcid(X86Lifter lifter, in Instruction instruction, int argument)
    {
        ushort address = lifter.LinearAddress(lifter.Memory(instruction, 16, write: false));
        ref IrOp op = ref lifter.Call(&ControlHelpers.Invpcid, IrCallEffects.MayFault);
        (op.A, op.B) = (SlotOf(instruction.Op0Register), address);
        lifter.EndAtNext();
    }

    /// <summary>IN.</summary>
    public static void Input(X86Lifter lifter, in Instruction instruction, int argument)
    {
        IrWidth width = OperandWidth(instruction, 0);
        ushort port = lifter.PortNumber(instruction, 1);
        ushort value = lifter.Temporary();
        ref IrOp op = ref lifter.Call(&PortHelpers.In, IrCallEffects.MayFault);
        (op.Dst, op.A, op.Imm) = (value, port, BytesOf(width));
        lifter.Move(X86Slots.Gpr(X86Gpr.Rax), width, value);
        lifter.EndAtNext();
    }

    /// <summary>OUT. The device may have raised an interrupt or changed the memory map: back to the dispatcher.</summary>
    public static void Output(X86Lifter lifter, in Instruction instruction, int argument)
    {
        IrWidth width = OperandWidth(instruction, 1);
        ushort port = lifter.PortNumber(instruction, 0);
        ushort value = lifter.ZeroExtended(X86Slots.Gpr(X86Gpr.Rax), width);
        ref IrOp op = ref lifter.Call(&PortHelpers.Out, IrCallEffects.MayFault);
        (op.A, op.B, op.Imm) = (port, value, BytesOf(width));
        lifter.EndAtNext();
    }

    private ushort PortNumber(in Instruction instruction, int operand)
    {
        if (!IsImmediate(instruction, operand))
        {
            return ZeroExtended(X86Slots.Gpr(X86Gpr.Rdx), IrWidth.W16);
        }

        ushort port = Temporary();
        MoveImmediate(port, IrWidth.W64, instruction.Immediate8);
        return port;
    }

    private void SoftwareInterrupt(int vector, SoftwareInterruptKind kind)
    {
        ushort number = Temporary();
        MoveImmediate(number, IrWidth.W64, (ulong)vector);
        ref IrOp op = ref Transfer(&TransferHelpers.SoftwareInterrupt, (int)kind);
        op.A = number;
    }

    // LGDT and relatives: 2 bytes of limit and 3, 4 or 8 of base.
    private int DescriptorOperandSize(in Instruction instruction) => Is64 ? 8 : instruction.Code switch
    {
        Code.Lgdt_m1632_16 or Code.Lidt_m1632_16 or Code.Sgdt_m1632_16 or Code.Sidt_m1632_16 => 2,
        _ => 4,
    };

    private void MoveControl(in Instruction instruction, Register first, Register second)
    {
        Register special = first.IsCR() || first.IsDR() || first.IsTR() ? first : second;
        if (special.IsTR())
        {
            RaiseAlways(X86Vector.InvalidOpcode); // test registers went with the 486
            return;
        }

        int number = special.IsCR() ? special - Register.CR0 : special - Register.DR0;
        if (special == first)
        {
            ushort value = ZeroExtended(SlotOf(second), Is64 ? IrWidth.W64 : IrWidth.W32);
            ref IrOp op = ref Call(special.IsCR() ? &ControlHelpers.WriteControl : &ControlHelpers.WriteDebug, IrCallEffects.MayFault);
            (op.A, op.Imm) = (value, number);
            EndAtNext();
        }
        else
        {
            ref IrOp op = ref Call(special.IsCR() ? &ControlHelpers.ReadControl : &ControlHelpers.ReadDebug, IrCallEffects.MayFault);
            ushort value = Temporary();
            (op.Dst, op.Imm) = (value, number);
            Move(SlotOf(first), Is64 ? IrWidth.W64 : IrWidth.W32, value);
        }
    }
}
