using Emu.Frontend.Ir;

namespace Emu.Jit.Regions;

/// <content>Vector registers in locals: whole, in parts, and what must not become a constant.</content>
internal sealed unsafe partial class RegionEmitter
{
    private readonly int[] _vectors = new int[CpuHeader.VectorCount]; // local number, 0 for none
    private ulong _usedVectors;
    private ulong _dirtyVectors;
    private int _vectorScratch;

    private bool IsVector(int slot) => RegionPlan.VectorOf(slot) is int number and >= 0 && _vectors[number] != 0;

    private int VectorLocal(int slot) => _vectors[RegionPlan.VectorOf(slot)];

    private static int VectorSlot(int number) => CpuHeader.ScalarEnd + (number * CpuHeader.VectorStride);

    private static int OffsetInVector(int slot) => (slot - CpuHeader.ScalarEnd) % CpuHeader.VectorStride;

    // Only where the host has the instructions; elsewhere vectors stay in the state block.
    private void MakeVectorLocals()
    {
        if (!System.Runtime.Intrinsics.X86.Sse2.X64.IsSupported)
        {
            return;
        }

        _usedVectors = _plan.UsedVectors;
        for (int i = 0; i < CpuHeader.VectorCount; i++)
        {
            _vectors[i] = (_usedVectors >> i & 1) != 0 ? _il.NewLocal(isVector: true) : 0;
        }

        _vectorScratch = _usedVectors != 0 ? _il.NewLocal(isVector: true) : 0;
    }

    /// <summary>A zero that RyuJIT does not know to be one: <see cref="CpuHeader.Zero"/>.</summary>
    private void LoadOpaqueZero()
    {
        if (_plan.UsesFloat)
        {
            (_zero, _zeroVector) = (_il.NewLocal(), _il.NewLocal(isVector: true));
            LoadHeader(CpuHeader.ZeroSlot, _zero);
            _il.Load(_zero);
            _il.Emit(Il.Call, _tokens.Of(Methods.FromInt64));
            _il.Store(_zeroVector);
        }
    }

    /// <summary>Pops a vector to a register.</summary>
    private void StoreVector(int slot)
    {
        NoteVectorWrite(slot);
        _il.Store(VectorLocal(slot));
    }

    private void NoteVectorWrite(int slot)
    {
        int number = RegionPlan.VectorOf(slot);
        ushort whole = (ushort)VectorSlot(number);
        if (number >= CpuHeader.VectorTemporary && !_writtenTemporaries.Contains(whole))
        {
            _writtenTemporaries.Add(whole);
        }
    }

    private void StoreTemporary(int slot)
    {
        if (IsVector(slot))
        {
            StoreVectors(RegionPlan.VectorBit(slot));
        }
        else
        {
            StoreHeader(slot, LocalOf(slot));
        }
    }

    /// <summary>Stores the vector registers of <paramref name="mask"/> to the state block.</summary>
    private void StoreVectors(ulong mask)
    {
        for (int i = 0; i < _vectors.Length; i++)
        {
            if ((mask >> i & 1) != 0 && _vectors[i] != 0)
            {
                PushHeaderAddress(VectorSlot(i));
                _il.Load(_vectors[i]);
                _il.Emit(Il.StoreObject, _tokens[RegionTokens.Token.Vector]);
            }
        }
    }

    private void LoadVectors(ulong mask)
    {
        for (int i = 0; i < _vectors.Length; i++)
        {
            if ((mask >> i & 1) != 0 && _vectors[i] != 0)
            {
                PushHeaderAddress(VectorSlot(i));
                _il.Emit(Il.LoadObject, _tokens[RegionTokens.Token.Vector]);
                _il.Store(_vectors[i]);
            }
        }
    }

    /// <summary>Pushes an integer that is part of a vector register.</summary>
    private void PushVectorPart(int slot, IrWidth width)
    {
        int offset = OffsetInVector(slot);
        if (offset is not (0 or 8))
        {
            StoreVectors(RegionPlan.VectorBit(slot));
            PushHeaderAddress(slot);
            _il.Emit(LoadOf(width, signed: false));
            return;
        }

        _il.Load(VectorLocal(slot));
        if (offset == 8)
        {
            _il.Load(VectorLocal(slot));
            _il.Emit(Il.Call, _tokens.Of(Methods.UnpackHigh));
        }

        _il.Emit(Il.Call, _tokens.Of(width == IrWidth.W64 ? Methods.ToInt64 : Methods.ToInt32));
        if (width <= IrWidth.W16)
        {
            Truncate(width);
        }
    }

    /// <summary>Pops an integer to part of a vector register, as <see cref="StoreSlot"/> does.</summary>
    private void StoreVectorPart(int slot, IrWidth width, bool wide)
    {
        int offset = OffsetInVector(slot);
        if (offset is not (0 or 8) || width < IrWidth.W32)
        {
            StoreVectors(RegionPlan.VectorBit(slot)); // with the value on the evaluation stack, which is no branch
            StoreSlotMemory(slot, width, wide);
            LoadVectors(RegionPlan.VectorBit(slot));
            NoteVectorWrite(slot);
            return;
        }

        if (!wide)
        {
            _il.Emit(Il.ConvertU8);
        }
        else if (width == IrWidth.W32)
        {
            _il.Emit(Il.ConvertU4);
            _il.Emit(Il.ConvertU8);
        }

        MakeScalarOpaque(wide: true);
        _il.Emit(Il.Call, _tokens.Of(Methods.FromInt64));
        if (offset == 0 && ReplacesAll(slot))
        {
            StoreVector(slot);
            return;
        }

        _il.Store(_vectorScratch);
        _il.Load(VectorLocal(slot));
        _il.Load(_vectorScratch);
        _il.Emit(Il.Call, _tokens.Of(offset == 0 ? Methods.MergeLow : Methods.UnpackLow));
        StoreVector(slot);
    }

    /// <summary>
    /// The op in emission, which writes the low half of a register, may write all of it: a temporary, or the next op clears the high
    /// half, and is then skipped.
    /// </summary>
    private bool ReplacesAll(int slot)
    {
        if (RegionPlan.VectorOf(slot) >= CpuHeader.VectorTemporary)
        {
            return true;
        }

        if (!ClearsHighHalf(_index + 1, slot))
        {
            return false;
        }

        _skipNext = true;
        return true;
    }

    private bool ClearsHighHalf(int index, int slot)
    {
        if (index >= _plan.Blocks[_number].OpCount || (_instruction < _block.Instructions.Length && _block.Instructions[_instruction] == index))
        {
            return false;
        }

        return RegionPlan.ClearsHighHalf(_block.Ops, index, slot);
    }

    /// <summary>Moves between vector registers, whole or halves. False when the move is another.</summary>
    private bool TryMoveVector()
    {
        IrOp op = Op;
        if (op.ImmediateB)
        {
            if (!IsVector(op.Dst) || op.Imm != 0 || op.Width != IrWidth.W64 || OffsetInVector(op.Dst) != 8)
            {
                return false;
            }

            _il.Load(VectorLocal(op.Dst));
            _il.Emit(Il.Call, _tokens.Of(Methods.KeepLow));
            StoreVector(op.Dst);
            return true;
        }

        if (IsVector(op.Dst) && op.B == CpuHeader.ZeroVectorSlot && op.Width == IrWidth.W128)
        {
            PushConstantVector(ConstantVector.Zero, op);
            StoreVector(op.Dst);
            return true;
        }

        if (!IsVector(op.Dst) || !IsVector(op.B) || op.Width < IrWidth.W64)
        {
            return false;
        }

        if (op.Width == IrWidth.W128)
        {
            _il.Load(VectorLocal(op.B));
            StoreVector(op.Dst);
            return true;
        }

        return TryMoveHalf(op);
    }

    private bool TryMoveHalf(in IrOp op)
    {
        (int to, int from) = (OffsetInVector(op.Dst), OffsetInVector(op.B));
        if (to is not (0 or 8) || from is not (0 or 8))
        {
            return false;
        }

        if (to == 0 && from == 0 && ReplacesAll(op.Dst))
        {
            _il.Load(VectorLocal(op.B));
            _il.Emit(Il.Call, _tokens.Of(Methods.KeepLow));
            StoreVector(op.Dst);
            return true;
        }

        _il.Load(VectorLocal(op.Dst));
        _il.Load(VectorLocal(op.B));
        switch (to, from)
        {
            case (0, 0):
                _il.Emit(Il.Call, _tokens.Of(Methods.MergeLow));
                break;
            case (0, 8):
                _il.Emit(Il.Call, _tokens.Of(Methods.MoveHighToLow));
                break;
            case (8, 0):
                _il.Emit(Il.Call, _tokens.Of(Methods.UnpackLow));
                break;
            default:
                _il.Constant4(2);
                _il.Emit(Il.Call, _tokens.Of(Methods.ShufflePair));
                break;
        }

        StoreVector(op.Dst);
        return true;
    }

    /// <summary>Loads whole vectors and what instructions can put in a part of one. The access is prepared.</summary>
    private bool TryLoadVector()
    {
        IrOp op = Op;
        if (!IsVector(op.Dst) || op.Opcode != IrOpcode.Load)
        {
            return false;
        }

        int offset = OffsetInVector(op.Dst);
        if (op.Width == IrWidth.W128)
        {
            PushHost();
            _il.Emit(Il.LoadObject, _tokens[RegionTokens.Token.Vector]);
        }
        else if (op.Width is IrWidth.W32 or IrWidth.W64 && offset == 0 && ReplacesAll(op.Dst))
        {
            PushHost();
            _il.Emit(Il.Call, _tokens.Of(op.Width == IrWidth.W64 ? Methods.LoadScalar64 : Methods.LoadScalar32));
        }
        else if (op.Width == IrWidth.W64 && offset is 0 or 8)
        {
            _il.Load(VectorLocal(op.Dst));
            PushHost();
            _il.Emit(Il.Call, _tokens.Of(offset == 0 ? Methods.LoadLow : Methods.LoadHigh));
        }
        else
        {
            return false;
        }

        StoreVector(op.Dst);
        return true;
    }

    /// <summary>Stores vectors and parts of them to the host address on the evaluation stack.</summary>
    private bool TryStoreVector()
    {
        IrOp op = Op;
        if (op.ImmediateB || !IsVector(op.Dst))
        {
            return false;
        }

        int offset = OffsetInVector(op.Dst);
        if (op.Width == IrWidth.W128)
        {
            _il.Load(VectorLocal(op.Dst));
            _il.Emit(Il.StoreObject, _tokens[RegionTokens.Token.Vector]);
            return true;
        }

        if (op.Width < IrWidth.W32 || (offset != 0 && (offset != 8 || op.Width != IrWidth.W64)))
        {
            return false;
        }

        _il.Load(VectorLocal(op.Dst));
        _il.Emit(Il.Call, _tokens.Of(offset == 8 ? Methods.StoreHigh : op.Width == IrWidth.W64 ? Methods.StoreScalar64 : Methods.StoreScalar32));
        return true;
    }

    private void PushConstantVector(ConstantVector constant, in IrOp op)
    {
        // In a region without floating point the constant is one to RyuJIT too.
        int zero = _plan.UsesFloat ? _zeroVector : VectorLocal(op.Dst);
        _il.Load(zero);
        if (!_plan.UsesFloat)
        {
            _il.Load(zero);
            _il.Emit(Il.Call, _tokens.Of(Methods.Xor));
        }

        if (constant == ConstantVector.Ones)
        {
            _il.Constant8(-1);
            _il.Emit(Il.Call, _tokens.Of(Methods.Broadcast));
            _il.Emit(Il.Call, _tokens.Of(Methods.Xor));
        }
    }

    /// <summary>
    /// Hides the vector on the evaluation stack from RyuJIT, which would compute floating-point operations on constants itself and drop
    /// their exceptions. Constants enter through scalars and through operations on equal operands, and nowhere else.
    /// </summary>
    private void MakeOpaque()
    {
        _il.Load(_zeroVector);
        _il.Emit(Il.Call, _tokens.Of(Methods.Xor));
    }

    private void MakeScalarOpaque(bool wide)
    {
        if (_plan.UsesFloat)
        {
            _il.Load(_zero);
            if (!wide)
            {
                _il.Emit(Il.ConvertU4);
            }

            _il.Emit(Il.Xor);
        }
    }
}
