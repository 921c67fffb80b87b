using Emu.Frontend.Ir;
using Emu.Frontend.X86.Helpers;
using Emu.Frontend.X86.Simd;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <summary>VEX-encoded instructions whose halves are not two of SSE's, or that SSE has not.</summary>
internal sealed unsafe partial class X86Lifter
{
    /// <summary>Conversions to wider lanes, and PMOVSX and PMOVZX: the low half of the source becomes the whole. The argument is the legacy mnemonic.</summary>
    public static void VexWiden(X86Lifter lifter, in Instruction instruction, int legacy)
    {
        SimdEntry entry = SimdTable.TryGet((Mnemonic)legacy, SimdForm.Xmm, out SimdEntry known) ? known : VexEntry((Mnemonic)legacy);
        if (lifter.BeginVex())
        {
            lifter.Widen(instruction, entry);
        }
    }

    private static SimdEntry VexEntry(Mnemonic mnemonic)
    {
        delegate*<CpuHeader*, byte*, byte*, byte*, int, void> helper = mnemonic == Mnemonic.Vcvtph2ps ? &HalfPrecision.Cvtph2ps : &HalfPrecision.Cvtps2ph;
        return new SimdEntry((nint)helper, 8, SimdResult.Vector, Aligned: false, MayRaise: true, IrVectorOp.None);
    }

    private void Widen(in Instruction instruction, in SimdEntry entry)
    {
        bool wide = IsWide(instruction);
        ushort destination = VectorSlotOf(instruction.Op0Register);
        ushort source = VexSource(instruction, 1, wide ? 2 * entry.MemoryBytes : entry.MemoryBytes);
        if (wide)
        {
            // The second part of the source, in the temporary's high half.
            EmitHelper(&XmmShuffle.Psrldq, High(OtherTemporary), source, source, entry.MemoryBytes, IrVectorOp.ShiftRightBytes);
            Move(OtherTemporary, IrWidth.W128, source);
            source = OtherTemporary;
        }

        EmitHalves(entry, new VexOperands(destination, destination, source, X86Slots.HighHalf), 0, 0, wide);
    }

    /// <summary>VCVTPD2PS, VCVTPD2DQ, VCVTTPD2DQ: each half of the source becomes a quarter.</summary>
    public static void VexNarrow(X86Lifter lifter, in Instruction instruction, int legacy)
    {
        if (lifter.BeginVex() && SimdTable.TryGet((Mnemonic)legacy, SimdForm.Xmm, out SimdEntry entry))
        {
            ushort result = lifter.Narrow(instruction, entry, lifter.VexSource(instruction, 1, IsWide(instruction) ? WideBytes : 16));
            ushort destination = VectorSlotOf(instruction.Op0Register);
            lifter.Move(destination, IrWidth.W128, result);
            lifter.ClearHigh(destination);
        }
    }

    /// <summary>VCVTPS2PH.</summary>
    public static void ConvertToHalf(X86Lifter lifter, in Instruction instruction, int argument)
    {
        if (!lifter.BeginVex())
        {
            return;
        }

        ushort source = VectorSlotOf(instruction.Op1Register);
        if (instruction.Op0Kind == OpKind.Memory)
        {
            // A store that faults leaves no exception flags: it is tried first.
            int bytes = IsWide(instruction) ? 16 : 8;
            MemoryOperand memory = lifter.Memory(instruction, bytes, write: true);
            lifter.Load(IrOpcode.LoadForWrite, SourceTemporary, WidthOf(bytes), WidthOf(bytes), memory);
            lifter.Store(memory, WidthOf(bytes), lifter.Narrow(instruction, VexEntry(Mnemonic.Vcvtps2ph), source));
            return;
        }

        ushort result = lifter.Narrow(instruction, VexEntry(Mnemonic.Vcvtps2ph), source);
        ushort destination = VectorSlotOf(instruction.Op0Register);
        lifter.Move(destination, IrWidth.W128, result);
        lifter.ClearHigh(destination);
    }

    /// <summary>Both halves narrowed to 64 bits each, and put together in a temporary.</summary>
    private ushort Narrow(in Instruction instruction, in SimdEntry entry, ushort source)
    {
        bool wide = IsWide(instruction);
        bool gathers = wide && (_modeKey & X86ModeKey.FloatDefault) == 0;
        int immediate = (int)SimdImmediate(instruction);
        BeginGather(gathers);
        EmitHalf(entry, ResultTemporary, ResultTemporary, source, immediate, gathers);
        if (wide)
        {
            EmitHalf(entry, High(ResultTemporary), High(ResultTemporary), High(source), immediate, gathers);
            EmitHelper(&XmmShuffle.Punpcklqdq, ResultTemporary, ResultTemporary, High(ResultTemporary), 0, IrVectorOp.InterleaveLowI64);
        }

        EndGather(gathers);
        return ResultTemporary;
    }

    /// <summary>VCMPPS and relatives: the predicates above 7 are AVX's own.</summary>
    public static void VexCompare(X86Lifter lifter, in Instruction instruction, int legacy)
    {
        if (!lifter.BeginVex() || !SimdTable.TryGet((Mnemonic)legacy, SimdForm.Xmm, out SimdEntry entry))
        {
            return;
        }

        if ((instruction.Immediate8 & 0x18) != 0)
        {
            delegate*<CpuHeader*, byte*, byte*, byte*, int, void> helper = (Mnemonic)legacy switch
            {
                Mnemonic.Cmpps => &FloatCompare<float, Packed>.CompareExtended,
                Mnemonic.Cmppd => &FloatCompare<double, Packed>.CompareExtended,
                Mnemonic.Cmpss => &FloatCompare<float, Scalar>.CompareExtended,
                _ => &FloatCompare<double, Scalar>.CompareExtended,
            };
            entry = entry with { Helper = (nint)helper, Operation = IrVectorOp.None };
        }

        lifter.VexVector(instruction, entry);
    }

    /// <summary>VBLENDVPS, VBLENDVPD, VPBLENDVB: the mask is the fourth operand, given to the helper in the place of its result.</summary>
    public static void VexBlendVariable(X86Lifter lifter, in Instruction instruction, int bytes)
    {
        if (!lifter.BeginVex())
        {
            return;
        }

        bool wide = IsWide(instruction);
        ushort second = lifter.VexSource(instruction, 2, wide ? WideBytes : 16);
        lifter.MoveWide(ResultTemporary, VectorSlotOf(instruction.Op3Register));
        delegate*<CpuHeader*, byte*, byte*, byte*, int, void> helper = bytes switch
        {
            1 => &VexLanesHelpers.BlendBytes,
            4 => &VexLanesHelpers.BlendDwords,
            _ => &VexLanesHelpers.BlendQwords,
        };
        IrVectorOp operation = bytes switch { 1 => IrVectorOp.BlendSignI8, 4 => IrVectorOp.BlendSignI32, _ => IrVectorOp.BlendSignI64 };
        var entry = new SimdEntry((nint)helper, 16, SimdResult.Vector, Aligned: false, MayRaise: false, operation);
        lifter.ThroughResult(instruction, entry, VectorSlotOf(instruction.Op1Register), second, wide, 0);
    }

    /// <summary>FMA. The argument says which operands are multiplied, what is negated, and the lanes (<see cref="Simd.FusedMultiply"/>).</summary>
    public static void FusedMultiplyAdd(X86Lifter lifter, in Instruction instruction, int argument)
    {
        if (!lifter.BeginVex())
        {
            return;
        }

        bool wide = IsWide(instruction);
        int bytes = (argument & FusedMultiply.Scalar) == 0 ? (wide ? WideBytes : 16) : (argument & FusedMultiply.Double) != 0 ? 8 : 4;
        ushort third = lifter.VexSource(instruction, 2, bytes);
        lifter.MoveWide(ResultTemporary, VectorSlotOf(instruction.Op0Register));
        lifter.ThroughResult(instruction, FusedEntry(argument), VectorSlotOf(instruction.Op1Register), third, wide, argument);
    }

    private static SimdEntry FusedEntry(int argument)
    {
        delegate*<CpuHeader*, byte*, byte*, byte*, int, void> helper;
        IrVectorOp operation;
        switch (argument & (FusedMultiply.Scalar | FusedMultiply.Double))
        {
            case 0:
                helper = &FusedMultiply<float, Packed>.Compute;
                operation = IrVectorOp.FusedMultiplyAddF32;
                break;
            case FusedMultiply.Double:
                helper = &FusedMultiply<double, Packed>.Compute;
                operation = IrVectorOp.FusedMultiplyAddF64;
                break;
            case FusedMultiply.Scalar:
                helper = &FusedMultiply<float, Scalar>.Compute;
                operation = IrVectorOp.FusedMultiplyAddScalarF32;
                break;
            default:
                helper = &FusedMultiply<double, Scalar>.Compute;
                operation = IrVectorOp.FusedMultiplyAddScalarF64;
                break;
        }

        return new SimdEntry((nint)helper, 16, SimdResult.Vector, Aligned: false, MayRaise: true, operation);
    }

    /// <summary>A helper with a third operand, which is in the temporary where its result goes.</summary>
    private void ThroughResult(in Instruction instruction, in SimdEntry entry, ushort first, ushort second, bool wide, int immediate)
    {
        ushort destination = VectorSlotOf(instruction.Op0Register);
        if (wide)
        {
            EmitHalves(entry, new VexOperands(ResultTemporary, first, second, X86Slots.HighHalf), immediate, immediate, wide: true);
            MoveWide(destination, ResultTemporary);
            return;
        }

        EmitHalf(entry, ResultTemporary, first, second, immediate);
        Move(destination, IrWidth.W128, ResultTemporary);
        ClearHigh(destination);
    }

    /// <summary>Helpers on lanes that SSE has not: the argument is an index into <see cref="VexTable"/>.</summary>
    public static void VexHelper(X86Lifter lifter, in Instruction instruction, int index)
    {
        if (lifter.BeginVex())
        {
            lifter.VexVector(instruction, VexTable.Helpers[index]);
        }
    }

    /// <summary>VPERMILPS, VPERMILPD: by an immediate they are shuffles of one operand.</summary>
    public static void PermuteInLane(X86Lifter lifter, in Instruction instruction, int bytes)
    {
        if (!lifter.BeginVex())
        {
            return;
        }

        bool wide = IsWide(instruction);
        if (instruction.GetOpKind(2) != OpKind.Immediate8)
        {
            delegate*<CpuHeader*, byte*, byte*, byte*, int, void> helper = bytes == 4 ? &VexLanesHelpers.PermuteDwords : &VexLanesHelpers.PermuteQwords;
            lifter.VexVector(instruction, new SimdEntry((nint)helper, 16, SimdResult.Vector, Aligned: false, MayRaise: false, IrVectorOp.None));
            return;
        }

        ushort source = lifter.VexSource(instruction, 1, wide ? WideBytes : 16);
        delegate*<CpuHeader*, byte*, byte*, byte*, int, void> shuffle = bytes == 4 ? &XmmShuffle.Pshufd : &XmmShuffle.Shufpd;
        IrVectorOp operation = bytes == 4 ? IrVectorOp.ShuffleI32 : IrVectorOp.ShufflePairI64;
        var entry = new SimdEntry((nint)shuffle, 16, SimdResult.Vector, Aligned: false, MayRaise: false, operation);
        var operands = new VexOperands(VectorSlotOf(instruction.Op0Register), source, source, X86Slots.HighHalf);
        lifter.EmitHalves(entry, operands, instruction.Immediate8, HighImmediate(instruction), wide);
    }

    /// <summary>VPERMD, VPERMPS: lanes of both halves chosen by index.</summary>
    public static void PermuteAcross(X86Lifter lifter, in Instruction instruction, int argument)
    {
        if (!lifter.BeginVex())
        {
            return;
        }

        ushort index = VectorSlotOf(instruction.Op1Register);
        ushort source = lifter.VexSource(instruction, 2, WideBytes);
        lifter.EmitHelper(&VexLanesHelpers.PermuteAcross, ResultTemporary, index, source);
        lifter.EmitHelper(&VexLanesHelpers.PermuteAcross, High(ResultTemporary), High(index), source);
        lifter.MoveWide(VectorSlotOf(instruction.Op0Register), ResultTemporary);
    }

    /// <summary>VMOVMSKPS (4), VMOVMSKPD (8), VPMOVMSKB (1): the sign bits of so many bytes a lane.</summary>
    public static void SignMask(X86Lifter lifter, in Instruction instruction, int bytes)
    {
        if (!lifter.BeginVex())
        {
            return;
        }

        delegate*<CpuHeader*, byte*, byte*, int, ulong> helper = bytes switch
        {
            1 => &PackedShuffle<Xmm>.Pmovmskb,
            4 => &XmmShuffle.Movmskps,
            _ => &XmmShuffle.Movmskpd,
        };
        IrVectorOp operation = bytes switch { 1 => IrVectorOp.SignMaskI8, 4 => IrVectorOp.SignMaskI32, _ => IrVectorOp.SignMaskI64 };
        ushort source = VectorSlotOf(instruction.Op1Register);
        ushort value = lifter.VectorValue((nint)helper, source, source, operation);
        if (IsWide(instruction))
        {
            ushort upper = lifter.VectorValue((nint)helper, High(source), High(source), operation);
            lifter.Binary(IrOpcode.ShiftLeft, IrWidth.W64, upper, upper, 16 / bytes);
            lifter.BinarySlots(IrOpcode.Or, IrWidth.W64, value, value, upper);
        }

        lifter.Move(SlotOf(instruction.Op0Register), IrWidth.W32, value);
    }

    /// <summary>VPTEST (0), VTESTPS (4), VTESTPD (8): ZF and CF hold when they do for both halves.</summary>
    public static void VexTest(X86Lifter lifter, in Instruction instruction, int bytes)
    {
        if (!lifter.BeginVex())
        {
            return;
        }

        delegate*<CpuHeader*, byte*, byte*, int, ulong> helper = bytes switch
        {
            0 => &XmmShuffle.Ptest,
            4 => &VexLanesHelpers.TestDwords,
            _ => &VexLanesHelpers.TestQwords,
        };
        bool wide = IsWide(instruction);
        ushort first = VectorSlotOf(instruction.Op0Register);
        ushort second = lifter.VexSource(instruction, 1, wide ? WideBytes : 16);
        ushort value = lifter.VectorValue((nint)helper, first, second, IrVectorOp.None);
        if (wide)
        {
            ushort upper = lifter.VectorValue((nint)helper, High(first), High(second), IrVectorOp.None);
            lifter.BinarySlots(IrOpcode.And, IrWidth.W64, value, value, upper);
        }

        lifter.SetFlags(value);
    }

    /// <summary>VZEROUPPER (0), VZEROALL (1).</summary>
    public static void ZeroVectors(X86Lifter lifter, in Instruction instruction, int all)
    {
        if (lifter.BeginVex())
        {
            delegate*<CpuHeader*, byte*, byte*, int, ulong> helper = &VexHelpers.ZeroVectors;
            lifter.VectorValue((nint)helper, X86Slots.Vector(0), X86Slots.Vector(0), IrVectorOp.None, all | (lifter.Is64 ? 16 : 8) << 8);
        }
    }

    private ushort VectorValue(nint helper, ushort first, ushort second, IrVectorOp operation, int immediate = 0, IrCallEffects effects = IrCallEffects.None)
    {
        ushort value = Temporary();
        ref IrOp op = ref _block.Add(IrOpcode.CallVectorValue, IrWidth.W128);
        (op.Dst, op.A, op.B, op.Imm, op.Target) = (value, first, second, immediate, helper);
        (op.Scale, op.Sub) = ((byte)operation, (byte)effects);
        return value;
    }
}
