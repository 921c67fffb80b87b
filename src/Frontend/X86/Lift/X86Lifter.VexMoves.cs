using Emu.Frontend.Ir;
using Emu.Frontend.X86.Simd;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <summary>VEX-encoded moves, and shuffles between the halves that are moves of halves.</summary>
internal sealed unsafe partial class X86Lifter
{
    /// <summary>VMOVAPS, VMOVUPS and relatives; the argument is 1 for the forms that need alignment.</summary>
    public static void VexMove(X86Lifter lifter, in Instruction instruction, int aligned)
    {
        if (!lifter.BeginVex())
        {
            return;
        }

        bool wide = IsWide(instruction);
        int bytes = wide ? WideBytes : 16;
        if (instruction.Op0Kind == OpKind.Memory)
        {
            lifter.StoreVector(lifter.VectorMemory(instruction, bytes, write: true, aligned != 0), VectorSlotOf(instruction.Op1Register), wide);
            return;
        }

        ushort destination = VectorSlotOf(instruction.Op0Register);
        bool load = instruction.Op1Kind == OpKind.Memory;
        if (load && wide)
        {
            MemoryOperand memory = lifter.VectorMemory(instruction, bytes, write: false, aligned != 0);
            lifter.LoadVector(SourceTemporary, memory, 16);
            lifter.LoadVector(High(destination), memory with { Displacement = memory.Displacement + 16 }, 16);
            lifter.Move(destination, IrWidth.W128, SourceTemporary);
            return;
        }

        if (load)
        {
            lifter.LoadVector(destination, lifter.VectorMemory(instruction, bytes, write: false, aligned != 0), bytes);
        }
        else
        {
            lifter.Move(destination, IrWidth.W128, VectorSlotOf(instruction.Op1Register));
        }

        lifter.Move(High(destination), IrWidth.W128, load || !wide ? CpuHeader.ZeroVectorSlot : High(VectorSlotOf(instruction.Op1Register)));
    }

    /// <summary>VMOVSS (4), VMOVSD (8): between registers the rest comes from the second operand.</summary>
    public static void VexMoveScalar(X86Lifter lifter, in Instruction instruction, int bytes)
    {
        if (!lifter.BeginVex())
        {
            return;
        }

        if (instruction.Op0Kind == OpKind.Memory)
        {
            lifter.Store(lifter.Memory(instruction, bytes, write: true), WidthOf(bytes), VectorSlotOf(instruction.Op1Register));
            return;
        }

        ushort destination = VectorSlotOf(instruction.Op0Register);
        if (instruction.Op1Kind == OpKind.Memory)
        {
            lifter.LoadLow(instruction, bytes);
        }
        else if (bytes == 8)
        {
            lifter.EmitHelper(&XmmShuffle.Blendpd, destination, VectorSlotOf(instruction.Op1Register), VectorSlotOf(instruction.Op2Register), 1, IrVectorOp.BlendI64);
        }
        else
        {
            lifter.EmitHelper(&XmmShuffle.Blendps, destination, VectorSlotOf(instruction.Op1Register), VectorSlotOf(instruction.Op2Register), 1, IrVectorOp.BlendI32);
        }

        lifter.ClearHigh(destination);
    }

    /// <summary>VMOVD, VMOVQ.</summary>
    public static void VexMoveLow(X86Lifter lifter, in Instruction instruction, int bytes)
    {
        if (lifter.BeginVex())
        {
            lifter.MoveLow(instruction, bytes);
            if (instruction.Op0Register.IsXMM())
            {
                lifter.ClearHigh(VectorSlotOf(instruction.Op0Register));
            }
        }
    }

    /// <summary>VMOVLPS and relatives: half an XMM register from memory, the other from the second operand. The argument is the half's offset.</summary>
    public static void VexMoveHalf(X86Lifter lifter, in Instruction instruction, int offset)
    {
        if (!lifter.BeginVex())
        {
            return;
        }

        if (instruction.Op0Kind == OpKind.Memory)
        {
            lifter.Store(lifter.Memory(instruction, 8, write: true), IrWidth.W64, (ushort)(VectorSlotOf(instruction.Op1Register) + offset));
            return;
        }

        ushort destination = VectorSlotOf(instruction.Op0Register);
        ushort kept = VectorSlotOf(instruction.Op1Register);
        ushort loaded = lifter.VexSource(instruction, 2, 8);
        if (offset == 0)
        {
            lifter.EmitHelper(&XmmShuffle.Blendpd, destination, kept, loaded, 1, IrVectorOp.BlendI64);
        }
        else
        {
            lifter.EmitHelper(&XmmShuffle.Punpcklqdq, destination, kept, loaded, 0, IrVectorOp.InterleaveLowI64);
        }

        lifter.ClearHigh(destination);
    }

    /// <summary>VBROADCASTSS and relatives: the lowest lane, of so many bytes, in all lanes.</summary>
    public static void Broadcast(X86Lifter lifter, in Instruction instruction, int bytes)
    {
        if (!lifter.BeginVex())
        {
            return;
        }

        ushort destination = VectorSlotOf(instruction.Op0Register);
        ushort source = lifter.VexSource(instruction, 1, bytes);
        switch (bytes)
        {
            case 1:
                lifter.Move(OtherTemporary, IrWidth.W128, CpuHeader.ZeroVectorSlot);
                lifter.EmitHelper(&PackedShuffle<Xmm>.Pshufb, destination, source, OtherTemporary, 0, IrVectorOp.ShuffleBytes);
                break;
            case 2:
                lifter.EmitHelper(&XmmShuffle.Pshuflw, destination, source, source, 0, IrVectorOp.ShuffleLowI16);
                lifter.EmitHelper(&XmmShuffle.Punpcklqdq, destination, destination, destination, 0, IrVectorOp.InterleaveLowI64);
                break;
            case 4:
                lifter.EmitHelper(&XmmShuffle.Pshufd, destination, source, source, 0, IrVectorOp.ShuffleI32);
                break;
            case 8:
                lifter.EmitHelper(&XmmShuffle.Movddup, destination, source, source, 0, IrVectorOp.DuplicateLowI64);
                break;
            default:
                lifter.Move(destination, IrWidth.W128, source);
                break;
        }

        lifter.Repeat(destination, IsWide(instruction));
    }

    /// <summary>VINSERTF128, VINSERTI128.</summary>
    public static void InsertHalf(X86Lifter lifter, in Instruction instruction, int argument)
    {
        if (!lifter.BeginVex())
        {
            return;
        }

        ushort destination = VectorSlotOf(instruction.Op0Register);
        ushort kept = VectorSlotOf(instruction.Op1Register);
        ushort inserted = lifter.VexSource(instruction, 2, 16);
        bool high = (instruction.Immediate8 & 1) != 0;

        // The high half first: only the low half of the inserted register is read, and that may be the destination.
        lifter.Move(High(destination), IrWidth.W128, high ? inserted : High(kept));
        lifter.Move(destination, IrWidth.W128, high ? kept : inserted);
    }

    /// <summary>VEXTRACTF128, VEXTRACTI128.</summary>
    public static void ExtractHalf(X86Lifter lifter, in Instruction instruction, int argument)
    {
        if (!lifter.BeginVex())
        {
            return;
        }

        ushort source = VectorSlotOf(instruction.Op1Register);
        source = (instruction.Immediate8 & 1) != 0 ? High(source) : source;
        if (instruction.Op0Kind == OpKind.Memory)
        {
            lifter.Store(lifter.Memory(instruction, 16, write: true), IrWidth.W128, source);
            return;
        }

        ushort destination = VectorSlotOf(instruction.Op0Register);
        lifter.Move(destination, IrWidth.W128, source);
        lifter.ClearHigh(destination);
    }

    /// <summary>VPERM2F128, VPERM2I128: each half is one of the four, or zero.</summary>
    public static void PermuteHalves(X86Lifter lifter, in Instruction instruction, int argument)
    {
        if (!lifter.BeginVex())
        {
            return;
        }

        ushort first = VectorSlotOf(instruction.Op1Register);
        ushort second = lifter.VexSource(instruction, 2, WideBytes);
        int control = instruction.Immediate8;
        ushort Choose(int bits) => (bits & 8) != 0 ? CpuHeader.ZeroVectorSlot
            : (bits & 3) switch { 0 => first, 1 => High(first), 2 => second, _ => High(second) };
        lifter.Move(ResultTemporary, IrWidth.W128, Choose(control));
        lifter.Move(High(ResultTemporary), IrWidth.W128, Choose(control >> 4));
        lifter.MoveWide(VectorSlotOf(instruction.Op0Register), ResultTemporary);
    }

    /// <summary>VPERMQ, VPERMPD: each half is a pair of qwords of any half.</summary>
    public static void PermuteQwords(X86Lifter lifter, in Instruction instruction, int argument)
    {
        if (!lifter.BeginVex())
        {
            return;
        }

        ushort source = lifter.VexSource(instruction, 1, WideBytes);
        int control = instruction.Immediate8;
        lifter.PermutePair(ResultTemporary, source, control);
        lifter.PermutePair(High(ResultTemporary), source, control >> 4);
        lifter.MoveWide(VectorSlotOf(instruction.Op0Register), ResultTemporary);
    }

    private void PermutePair(ushort destination, ushort source, int control)
    {
        ushort low = (control & 2) != 0 ? High(source) : source;
        ushort high = (control & 8) != 0 ? High(source) : source;
        EmitHelper(&XmmShuffle.Shufpd, destination, low, high, (control & 1) | ((control >> 1) & 2), IrVectorOp.ShufflePairI64);
    }
}
