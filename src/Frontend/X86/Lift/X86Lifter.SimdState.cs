using Emu.Frontend.Ir;
using Emu.Frontend.X86.Helpers;
using Emu.Frontend.X86.Simd;
using Emu.Frontend.X86.X87;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <summary>MXCSR, masked stores, CRC32 and EMMS.</summary>
internal sealed unsafe partial class X86Lifter
{
    /// <summary>MASKMOVQ, MASKMOVDQU: selected bytes to DS:rDI.</summary>
    public static void StoreMasked(X86Lifter lifter, in Instruction instruction, int bytes)
    {
        if (lifter.BeginSimd(instruction))
        {
            StoreMaskedBytes(lifter, instruction, bytes);
        }
    }

    /// <summary>VMASKMOVDQU.</summary>
    public static void VexStoreMasked(X86Lifter lifter, in Instruction instruction, int argument)
    {
        if (lifter.BeginVex())
        {
            StoreMaskedBytes(lifter, instruction, 16);
        }
    }

    private static void StoreMaskedBytes(X86Lifter lifter, in Instruction instruction, int bytes)
    {
        IrWidth width = WidthOf(StringAddressSize(instruction));
        ushort offset = lifter.ZeroExtended(X86Slots.Gpr(X86Gpr.Rdi), width);
        var target = new MemoryOperand(lifter.Is64 ? IrAddress.Base : IrAddress.Wrap32, offset, CpuHeader.ZeroSlot, CpuHeader.ZeroSlot, 0, 0);
        Register segment = instruction.MemorySegment is var used && used.IsSegmentRegister() ? used : Register.DS;
        ushort address = lifter.LinearAddress(lifter.InSegment(target, SegmentNumber(segment), bytes, write: true, alignment: 8));
        ushort operands = lifter.Temporary();
        lifter.MoveImmediate(operands, IrWidth.W64, VectorSlotOf(instruction.GetOpRegister(1)) | ((ulong)VectorSlotOf(instruction.GetOpRegister(2)) << 16));
        ref IrOp op = ref lifter.Call(&StateHelpers.MaskedStore, IrCallEffects.MayFault);
        (op.A, op.B, op.Imm) = (address, operands, bytes);
        if (lifter._touchesMmx)
        {
            lifter.FinishMmx(instruction);
            lifter._touchesMmx = false;
        }

        lifter.EndWithJump(lifter.NextPc); // it may have written code
    }

    /// <summary>STMXCSR.</summary>
    public static void StoreMxcsr(X86Lifter lifter, in Instruction instruction, int argument)
    {
        if (lifter.BeginSimd(instruction))
        {
            lifter.StoreMxcsr(instruction);
        }
    }

    /// <summary>LDMXCSR.</summary>
    public static void LoadMxcsr(X86Lifter lifter, in Instruction instruction, int argument)
    {
        if (lifter.BeginSimd(instruction))
        {
            lifter.LoadMxcsr(instruction);
        }
    }

    /// <summary>VLDMXCSR (0), VSTMXCSR (1).</summary>
    public static void VexMxcsr(X86Lifter lifter, in Instruction instruction, int store)
    {
        if (!lifter.BeginVex())
        {
            return;
        }

        if (store != 0)
        {
            lifter.StoreMxcsr(instruction);
        }
        else
        {
            lifter.LoadMxcsr(instruction);
        }
    }

    private void StoreMxcsr(in Instruction instruction)
    {
        ushort value = Temporary();
        Call(&StateHelpers.ReadMxcsr, IrCallEffects.Float).Dst = value;
        Store(Memory(instruction, 4, write: true), IrWidth.W32, value);
    }

    // The mode may change, so the next block is looked up.
    private void LoadMxcsr(in Instruction instruction)
    {
        ushort value = ReadOperand(instruction, 0, IrWidth.W32);
        Call(&StateHelpers.WriteMxcsr, IrCallEffects.MayFault).A = value;
        ushort next = Temporary();
        MovePc(next, NextPc);
        EndWithIndirectJump(next);
    }

    /// <summary>CRC32.</summary>
    public static void Checksum(X86Lifter lifter, in Instruction instruction, int argument)
    {
        IrWidth width = OperandWidth(instruction, 1);
        ushort data = lifter.ReadOperand(instruction, 1, width);
        ushort destination = SlotOf(instruction.Op0Register);
        ref IrOp op = ref lifter.Call(&Crypto.Crc32, IrCallEffects.None);
        (op.Dst, op.A, op.B, op.Imm) = (destination, destination, data, BytesOf(width));
    }

    /// <summary>EMMS: all x87 registers empty.</summary>
    public static void EmptyMmx(X86Lifter lifter, in Instruction instruction, int argument)
    {
        if (lifter.BeginSimd(instruction))
        {
            lifter.Call(&X87Control.CheckMmx, IrCallEffects.MayFault);
            lifter.Call(&X87Control.Emms, IrCallEffects.None);
        }
    }
}
