using Emu.Frontend.Ir;

namespace Emu.Jit.Regions;

/// <content>Slots: locals for registers and temporaries, memory for the rest.</content>
internal sealed unsafe partial class RegionEmitter
{
    private readonly int[] _cells; // by slot / 8: local number, 0 for none
    private readonly List<ushort> _registers = []; // slots of the registers used
    private readonly List<ushort> _writtenTemporaries = []; // of the instruction in emission
    private readonly int _scratch;

    private static bool IsWide(IrWidth width) => width == IrWidth.W64;

    private static bool IsLocal(int slot) => slot is >= CpuHeader.TemporarySlot and < CpuHeader.ScalarEnd;

    private static long MaskOf(IrWidth width) => (long)(ulong.MaxValue >> (64 - (8 << (int)width)));

    private static int BitsOf(IrWidth width) => 8 << (int)width;

    private int LocalOf(int slot)
    {
        ref int local = ref _cells[slot >> 3];
        return local != 0 ? local : local = _il.NewLocal();
    }

    // Register locals are made first, in one go, because entry and tail need to know them all.
    private void CollectRegisters()
    {
        foreach (int number in _plan.Order)
        {
            for (int i = 0; i < _plan.Blocks[number].OpCount; i++)
            {
                ref readonly IrOp op = ref _region.Blocks[number].Ops[i];
                CollectRegister(op.IsBlockEnd && op.Opcode != IrOpcode.JumpIndirect ? 0 : op.Dst);
                CollectRegister(op.A);
                CollectRegister(op.B);
                CollectRegister(op.C);
            }
        }
    }

    private void CollectRegister(int slot)
    {
        if (RegionPlan.IsRegister(slot) && _cells[slot >> 3] == 0)
        {
            _ = LocalOf(slot);
            _registers.Add((ushort)(slot & ~7));
        }
    }

    private void LoadRegisters()
    {
        foreach (ushort slot in _registers)
        {
            LoadHeader(slot, LocalOf(slot));
        }
    }

    /// <summary>Stores the registers of <paramref name="mask"/> to the state block.</summary>
    private void StoreRegisters(ulong mask)
    {
        foreach (ushort slot in _registers)
        {
            if ((RegionPlan.RegisterBit(slot) & mask) != 0)
            {
                StoreHeader(slot, LocalOf(slot));
            }
        }
    }

    private void PushHeaderAddress(int offset)
    {
        _il.Emit(Il.LoadArgument1);
        if (offset != 0)
        {
            _il.Constant4(offset);
            _il.Emit(Il.Add);
        }
    }

    private void LoadHeader(int offset)
    {
        PushHeaderAddress(offset);
        _il.Emit(Il.LoadI8);
    }

    private void LoadHeader(int offset, int local)
    {
        LoadHeader(offset);
        _il.Store(local);
    }

    private void StoreHeader(int offset, int local)
    {
        PushHeaderAddress(offset);
        _il.Load(local);
        _il.Emit(Il.StoreI8);
    }

    private void StoreHeaderConstant(int offset, long value)
    {
        PushHeaderAddress(offset);
        _il.Constant8(value);
        _il.Emit(Il.StoreI8);
    }

    private void PushConstant(long value, IrWidth width)
    {
        if (IsWide(width))
        {
            _il.Constant8(value);
        }
        else
        {
            _il.Constant4((int)(value & MaskOf(width)));
        }
    }

    /// <summary>Pushes a slot's value, zero-extended to the stack type of the width.</summary>
    private void PushSlot(int slot, IrWidth width)
    {
        if (slot == CpuHeader.ZeroSlot)
        {
            PushConstant(0, width);
        }
        else if (IsVector(slot))
        {
            PushVectorPart(slot, width);
        }
        else if (IsLocal(slot))
        {
            _il.Load(LocalOf(slot));
            if ((slot & 7) != 0)
            {
                _il.Constant4((slot & 7) * 8);
                _il.Emit(Il.ShiftRightUnsigned);
            }

            Truncate(width);
        }
        else
        {
            PushHeaderAddress(slot);
            _il.Emit(LoadOf(width, signed: false));
        }
    }

    /// <summary>The same, sign-extended.</summary>
    private void PushSlotSigned(int slot, IrWidth width)
    {
        PushSlot(slot, width);
        SignExtend(width);
    }

    /// <summary>Pushes the second operand.</summary>
    private void PushSecond() => PushSecond(Op.Width);

    private void PushSecond(IrWidth width)
    {
        if (Op.ImmediateB)
        {
            PushConstant(Op.IsBlockEnd ? (int)Op.Imm : Op.Imm, width);
        }
        else
        {
            PushSlot(Op.B, width);
        }
    }

    /// <summary>64-bit local → zero-extended value of the stack type.</summary>
    private void Truncate(IrWidth width)
    {
        if (!IsWide(width))
        {
            _il.Emit(width switch { IrWidth.W8 => Il.ConvertU1, IrWidth.W16 => Il.ConvertU2, _ => Il.ConvertU4 });
        }
    }

    /// <summary>Zero-extended or dirty value of the stack type → sign-extended in the same type.</summary>
    private void SignExtend(IrWidth width)
    {
        if (width <= IrWidth.W16)
        {
            _il.Emit(width == IrWidth.W8 ? Il.ConvertI1 : Il.ConvertI2);
        }
    }

    /// <summary>Value of the stack type with dirty upper bits → zero-extended 64 bits.</summary>
    private void ToZeroExtended64(IrWidth width)
    {
        if (width <= IrWidth.W16)
        {
            Truncate(width);
        }

        if (!IsWide(width))
        {
            _il.Emit(Il.ConvertU8);
        }
    }

    /// <summary>Pops a value to a slot: 8 and 16 bits merge, 32 bits clear the upper half.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="width">Bits written.</param>
    /// <param name="wide">The value is a 64-bit integer; its upper bits do not matter.</param>
    private void StoreSlot(int slot, IrWidth width, bool wide)
    {
        if (IsVector(slot))
        {
            StoreVectorPart(slot, width, wide);
            return;
        }

        if (!IsLocal(slot))
        {
            StoreSlotMemory(slot, width, wide);
            return;
        }

        NoteWrite(slot);
        int local = LocalOf(slot);
        if (width == IrWidth.W64)
        {
            _il.Store(local);
            return;
        }

        if (wide || width != IrWidth.W32)
        {
            Truncate(width);
        }

        _il.Emit(Il.ConvertU8);
        if (width != IrWidth.W32)
        {
            Merge(slot, width, local);
        }

        _il.Store(local);
    }

    private void Merge(int slot, IrWidth width, int local)
    {
        int shift = (slot & 7) * 8;
        if (shift != 0)
        {
            _il.Constant4(shift);
            _il.Emit(Il.ShiftLeft);
        }

        _il.Load(local);
        _il.Constant8(~(MaskOf(width) << shift));
        _il.Emit(Il.And);
        _il.Emit(Il.Or);
    }

    private void StoreSlotMemory(int slot, IrWidth width, bool wide)
    {
        if (!wide)
        {
            _il.Emit(Il.ConvertU8);
        }
        else if (width == IrWidth.W32)
        {
            _il.Emit(Il.ConvertU4);
            _il.Emit(Il.ConvertU8);
        }

        _il.Store(_scratch);
        PushHeaderAddress(slot);
        _il.Load(_scratch);
        _il.Emit(width switch { IrWidth.W8 => Il.StoreI1, IrWidth.W16 => Il.StoreI2, _ => Il.StoreI8 });
    }

    private void NoteWrite(int slot)
    {
        if (RegionPlan.IsTemporary(slot) && !_writtenTemporaries.Contains((ushort)(slot & ~7)))
        {
            _writtenTemporaries.Add((ushort)(slot & ~7));
        }
    }

    private static Il LoadOf(IrWidth width, bool signed) => width switch
    {
        IrWidth.W8 => signed ? Il.LoadI1 : Il.LoadU1,
        IrWidth.W16 => signed ? Il.LoadI2 : Il.LoadU2,
        IrWidth.W32 => signed ? Il.LoadI4 : Il.LoadU4,
        _ => Il.LoadI8,
    };
}
