using Emu.Frontend.Ir;
using Emu.Frontend.X86.Helpers;
using Emu.Frontend.X86.Simd;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <summary>
/// VEX-encoded instructions that do to each 128-bit half what an SSE instruction does: two calls of the same helper. An instruction on XMM
/// registers clears the upper half of its destination.
/// </summary>
internal sealed unsafe partial class X86Lifter
{
    private const int WideBytes = 32;

    // A memory operand, and results that must not be seen before the last fault.
    internal static readonly ushort SourceTemporary = X86Slots.Vector(16);
    private static readonly ushort ResultTemporary = X86Slots.Vector(17);
    private static readonly ushort OtherTemporary = X86Slots.Vector(18);

    /// <summary>An instruction with the semantics of the legacy mnemonic <paramref name="legacy"/>, half by half.</summary>
    public static void VexLanes(X86Lifter lifter, in Instruction instruction, int legacy)
    {
        SimdForm form = VexForm(instruction);
        if (!SimdTable.TryGet((Mnemonic)legacy, form, out SimdEntry entry) && !SimdTable.TryGet((Mnemonic)legacy, SimdForm.Xmm, out entry))
        {
            lifter.Undefined(instruction);
        }
        else if (lifter.BeginVex())
        {
            lifter.VexLanes(instruction, entry with { Aligned = false });
        }
    }

    private void VexLanes(in Instruction instruction, in SimdEntry entry)
    {
        if (entry.Result == SimdResult.Vector)
        {
            VexVector(instruction, entry);
        }
        else
        {
            ValueResult(instruction, entry);
            if (entry.Result == SimdResult.FlagsAndXmm0)
            {
                ClearHigh(X86Slots.Vector(0));
            }
        }
    }

    private static SimdForm VexForm(in Instruction instruction) =>
        instruction.OpCount == 3 && instruction.Op2Kind == OpKind.Immediate8 && instruction.Op1Kind == OpKind.Register ? SimdForm.XmmImmediate
        : instruction.Mnemonic == Mnemonic.Vinsertps && instruction.Op2Kind == OpKind.Memory ? SimdForm.XmmMemory
        : IsQwordConversion(instruction.Code) ? SimdForm.XmmQword
        : SimdForm.Xmm;

    private static bool IsQwordConversion(Code code) => code is
        Code.VEX_Vcvtsi2ss_xmm_xmm_rm64 or Code.VEX_Vcvtsi2sd_xmm_xmm_rm64 or
        Code.VEX_Vcvtss2si_r64_xmmm32 or Code.VEX_Vcvtsd2si_r64_xmmm64 or
        Code.VEX_Vcvttss2si_r64_xmmm32 or Code.VEX_Vcvttsd2si_r64_xmmm64;

    private void VexVector(in Instruction instruction, in SimdEntry entry)
    {
        bool wide = IsWide(instruction);
        int sources = SourceCount(instruction);
        ushort destination = VectorSlotOf(instruction.Op0Register);
        ushort first = sources > 1 || entry.MemoryBytes == 0 ? VectorSlotOf(instruction.Op1Register) : destination;
        bool oneCount = IsShiftByRegister(instruction);
        int bytes = wide && !oneCount ? WideBytes : entry.MemoryBytes;
        ushort second = entry.MemoryBytes == 0 && sources == 1 ? destination : VexSource(instruction, sources, bytes);
        var lanes = new VexOperands(destination, first, second, oneCount ? (ushort)0 : X86Slots.HighHalf);
        EmitHalves(entry, lanes, (int)SimdImmediate(instruction), HighImmediate(instruction), wide);
    }

    /// <summary>What the halves of an instruction work on; <paramref name="SecondStep"/> is from the low to the high half of the second operand.</summary>
    private readonly record struct VexOperands(ushort Destination, ushort First, ushort Second, ushort SecondStep);

    /// <summary>
    /// One or two calls. Where both may raise an exception, theirs are gathered, and nothing is written to the destination before the second
    /// is known to raise none.
    /// </summary>
    private void EmitHalves(in SimdEntry entry, in VexOperands operands, int low, int high, bool wide)
    {
        (ushort destination, ushort first, ushort second, ushort step) = operands;
        if (!wide)
        {
            EmitHalf(entry, destination, first, second, low);
            ClearHigh(destination);
            return;
        }

        bool gathers = entry.MayRaise && (_modeKey & X86ModeKey.FloatDefault) == 0;
        bool early = destination != ResultTemporary && (gathers || (step == 0 && second == destination));
        ushort target = early ? ResultTemporary : destination;
        BeginGather(gathers);
        EmitHalf(entry, target, first, second, low, gathers);
        EmitHalf(entry, High(target), High(first), (ushort)(second + step), high, gathers);
        EndGather(gathers);
        if (early)
        {
            MoveWide(destination, target);
        }
    }

    private void EmitHalf(in SimdEntry entry, ushort destination, ushort first, ushort second, int immediate, bool gathers = false)
    {
        ref IrOp op = ref _block.Add(IrOpcode.CallVector, IrWidth.W128);
        (op.Dst, op.A, op.B, op.Imm, op.Target) = (destination, first, second, immediate, entry.Helper);
        bool byDefault = (_modeKey & X86ModeKey.FloatDefault) != 0;
        op.Scale = (byte)(gathers ? IrVectorOp.None : entry.Operation);
        op.Sub = (byte)(!entry.MayRaise ? IrCallEffects.None : byDefault || gathers ? IrCallEffects.Float : IrCallEffects.Float | IrCallEffects.MayFault);
    }

    private void EmitHelper(delegate*<CpuHeader*, byte*, byte*, byte*, int, void> helper, ushort destination, ushort first, ushort second, int immediate = 0, IrVectorOp operation = IrVectorOp.None) =>
        EmitHalf(new SimdEntry((nint)helper, 16, SimdResult.Vector, Aligned: false, MayRaise: false, operation), destination, first, second, immediate);

    private void BeginGather(bool gathers)
    {
        if (gathers)
        {
            Call(&VexHelpers.BeginGather, IrCallEffects.Float);
        }
    }

    private void EndGather(bool gathers)
    {
        if (gathers)
        {
            Call(&VexHelpers.EndGather, IrCallEffects.Float | IrCallEffects.MayFault);
        }
    }

    /// <summary>
    /// The checks before any AVX instruction (SDM vol. 2, 2.4): #UD unless CR4.OSXSAVE and XCR0 enable AVX, and outside protected mode; #NM with
    /// CR0.TS. False when the instruction can only fault.
    /// </summary>
    private bool BeginVex()
    {
        if ((_modeKey & X86ModeKey.Avx) == 0)
        {
            RaiseAlways(X86Vector.InvalidOpcode);
            return false;
        }

        if ((_modeKey & X86ModeKey.TaskSwitched) != 0)
        {
            RaiseAlways(X86Vector.DeviceNotAvailable);
            return false;
        }

        return true;
    }

    private static ushort High(ushort slot) => (ushort)(slot + X86Slots.HighHalf);

    /// <summary>VEX.L of an instruction, told by its registers, or its memory operand where that is the only wide one.</summary>
    private static bool IsWide(in Instruction instruction)
    {
        for (int i = 0; i < instruction.OpCount; i++)
        {
            OpKind kind = instruction.GetOpKind(i);
            if ((kind == OpKind.Register && instruction.GetOpRegister(i).IsYMM()) || (kind == OpKind.Memory && instruction.MemorySize.GetSize() == WideBytes))
            {
                return true;
            }
        }

        return false;
    }

    // Operands other than the destination and a trailing immediate.
    private static int SourceCount(in Instruction instruction) =>
        instruction.OpCount - 1 - (instruction.GetOpKind(instruction.OpCount - 1) == OpKind.Immediate8 ? 1 : 0);

    private static bool IsShiftByRegister(in Instruction instruction) => instruction.Op2Kind != OpKind.Immediate8 && instruction.Mnemonic is
        Mnemonic.Vpsllw or Mnemonic.Vpslld or Mnemonic.Vpsllq or Mnemonic.Vpsrlw or Mnemonic.Vpsrld or Mnemonic.Vpsrlq or Mnemonic.Vpsraw or Mnemonic.Vpsrad;

    // Some immediates have a part for each half.
    private static int HighImmediate(in Instruction instruction)
    {
        int immediate = (int)SimdImmediate(instruction);
        return instruction.Mnemonic switch
        {
            Mnemonic.Vblendps or Mnemonic.Vpblendd => immediate >> 4,
            Mnemonic.Vblendpd or Mnemonic.Vshufpd or Mnemonic.Vpermilpd => immediate >> 2,
            Mnemonic.Vmpsadbw => immediate >> 3,
            _ => immediate,
        };
    }

    /// <summary>The slot of a source: its register, or a temporary of both halves that <paramref name="bytes"/> of memory were loaded to.</summary>
    private ushort VexSource(in Instruction instruction, int operand, int bytes)
    {
        if (instruction.GetOpKind(operand) == OpKind.Register)
        {
            Register register = instruction.GetOpRegister(operand);
            return register.IsXMM() || register.IsYMM() ? VectorSlotOf(register) : SlotOf(register);
        }

        LoadVector(SourceTemporary, Memory(instruction, bytes, write: false), bytes);
        return SourceTemporary;
    }

    private void LoadVector(ushort slot, in MemoryOperand memory, int bytes)
    {
        if (bytes == WideBytes)
        {
            Load(IrOpcode.Load, slot, IrWidth.W128, IrWidth.W128, memory);
            Load(IrOpcode.Load, High(slot), IrWidth.W128, IrWidth.W128, memory with { Displacement = memory.Displacement + 16 });
            return;
        }

        IrWidth width = WidthOf(bytes);
        Load(IrOpcode.Load, slot, width < IrWidth.W32 ? IrWidth.W64 : width, width, memory);
    }

    /// <summary>Stores 16 or 32 bytes. Of the latter both halves are known to be writable before the first is written.</summary>
    private void StoreVector(in MemoryOperand memory, ushort slot, bool wide)
    {
        MemoryOperand upper = memory with { Displacement = memory.Displacement + 16 };
        if (wide)
        {
            Load(IrOpcode.LoadForWrite, SourceTemporary, IrWidth.W128, IrWidth.W128, memory);
            Load(IrOpcode.LoadForWrite, SourceTemporary, IrWidth.W128, IrWidth.W128, upper);
        }

        Store(memory, IrWidth.W128, slot);
        if (wide)
        {
            Store(upper, IrWidth.W128, High(slot));
        }
    }

    private void ClearHigh(ushort slot) => Move(High(slot), IrWidth.W128, CpuHeader.ZeroVectorSlot);

    private void MoveWide(ushort destination, ushort source)
    {
        Move(destination, IrWidth.W128, source);
        Move(High(destination), IrWidth.W128, High(source));
    }

    /// <summary>Makes both halves, or the low one with the upper cleared, of what the low one is.</summary>
    private void Repeat(ushort destination, bool wide) => Move(High(destination), IrWidth.W128, wide ? destination : CpuHeader.ZeroVectorSlot);
}
