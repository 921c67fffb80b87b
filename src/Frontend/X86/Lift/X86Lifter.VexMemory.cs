using Emu.Frontend.Ir;
using Emu.Frontend.X86.Helpers;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <summary>VEX-encoded accesses to chosen lanes: masked loads and stores, gathers.</summary>
internal sealed unsafe partial class X86Lifter
{
    /// <summary>VMASKMOVPS, VPMASKMOVD (4), VMASKMOVPD, VPMASKMOVQ (8): lanes whose mask is clear are not accessed.</summary>
    public static void MaskedMove(X86Lifter lifter, in Instruction instruction, int bytes)
    {
        if (!lifter.BeginVex())
        {
            return;
        }

        bool wide = IsWide(instruction);
        int size = wide ? WideBytes : 16;
        bool store = instruction.Op0Kind == OpKind.Memory;
        int segment = SegmentNumber(instruction.MemorySegment);
        bool checkLanes = lifter.NeedsChecks(segment, store);
        ushort address = lifter.LinearAddress(checkLanes ? lifter.EffectiveAddress(instruction) : lifter.Memory(instruction, size, store, alignment: 1));
        int form = bytes | (checkLanes ? (segment + 1) << 16 : 0);
        ushort mask = VectorSlotOf(instruction.Op1Register);
        if (store)
        {
            delegate*<CpuHeader*, byte*, byte*, int, ulong> write = &VexMemory.StoreMasked;
            ushort operands = lifter.Temporary();
            lifter.MoveImmediate(operands, IrWidth.W64, mask | ((ulong)VectorSlotOf(instruction.Op2Register) << 16));
            lifter.VectorValue((nint)write, address, operands, IrVectorOp.None, form | (size << 8), IrCallEffects.MayFault);
            lifter.EndWithJump(lifter.NextPc); // it may have written code
            return;
        }

        delegate*<CpuHeader*, byte*, byte*, byte*, int, void> read = &VexMemory.LoadMasked;
        var entry = new SimdEntry((nint)read, 16, SimdResult.Vector, Aligned: false, MayRaise: false, IrVectorOp.None);
        ushort destination = VectorSlotOf(instruction.Op0Register);
        lifter.EmitMaskedLoad(entry, ResultTemporary, address, mask, form);
        if (wide)
        {
            lifter.EmitMaskedLoad(entry, High(ResultTemporary), address, High(mask), form | (16 << 8));
        }

        lifter.Move(destination, IrWidth.W128, ResultTemporary);
        lifter.Move(High(destination), IrWidth.W128, wide ? High(ResultTemporary) : CpuHeader.ZeroVectorSlot);
    }

    private void EmitMaskedLoad(in SimdEntry entry, ushort destination, ushort address, ushort mask, int immediate)
    {
        EmitHalf(entry, destination, address, mask, immediate);
        _block.Ops[^1].Sub = (byte)IrCallEffects.MayFault;
    }

    /// <summary>VGATHERDPS and relatives. The argument: bytes of an element in bits 7:0, of an index above.</summary>
    public static void Gather(X86Lifter lifter, in Instruction instruction, int sizes)
    {
        int destination = VectorNumber(instruction.Op0Register);
        int index = VectorNumber(instruction.MemoryIndex);
        int mask = VectorNumber(instruction.Op2Register);
        if (destination == index || destination == mask || index == mask)
        {
            lifter.RaiseAlways(X86Vector.InvalidOpcode);
            return;
        }

        if (!lifter.BeginVex())
        {
            return;
        }

        bool wideIndex = instruction.MemoryIndex.IsYMM();
        (int element, int indexSize) = (sizes & 0xff, sizes >> 8);
        int count = Math.Min((instruction.Op0Register.IsYMM() ? WideBytes : 16) / element, (wideIndex ? WideBytes : 16) / indexSize);
        ushort start = lifter.Temporary();
        lifter.MoveImmediate(start, IrWidth.W64, instruction.MemoryDisplacement64);
        if (instruction.MemoryBase != Register.None)
        {
            lifter.BinarySlots(IrOpcode.Add, IrWidth.W64, start, start, SlotOf(instruction.MemoryBase));
        }

        var form = new GatherForm(destination, mask, index, element, indexSize, count, instruction.MemoryIndexScale,
            instruction.MemoryBase.IsGPR32() || !lifter.Is64, SegmentNumber(instruction.MemorySegment));
        ushort packed = lifter.Temporary();
        lifter.MoveImmediate(packed, IrWidth.W64, form.Pack());
        delegate*<CpuHeader*, byte*, byte*, int, ulong> helper = &VexMemory.Gather;
        lifter.VectorValue((nint)helper, start, packed, IrVectorOp.None, 0, IrCallEffects.MayFault);
    }

    private static int VectorNumber(Register register) => register - (register.IsYMM() ? Register.YMM0 : Register.XMM0);
}
