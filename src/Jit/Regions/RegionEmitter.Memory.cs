using System.Runtime.InteropServices;
using Emu.Frontend.Ir;
using Emu.Frontend.SoftMmu;

namespace Emu.Jit.Regions;

/// <content>Loads and stores: the TLB hit inline, a miss leaves the region.</content>
internal sealed unsafe partial class RegionEmitter
{
    private const long PageMask = ~0xfffL;

    private static readonly int ReadTagOffset = (int)Marshal.OffsetOf<TlbEntry>(nameof(TlbEntry.ReadTag));
    private static readonly int WriteTagOffset = (int)Marshal.OffsetOf<TlbEntry>(nameof(TlbEntry.WriteTag));
    private static readonly int AddendOffset = (int)Marshal.OffsetOf<TlbEntry>(nameof(TlbEntry.Addend));

    private readonly Stack<int> _freeHosts = [];

    private GroupedAccess Access => _plan.Blocks[_number].Accesses[_index];

    private void EmitMove()
    {
        if (TryMoveVector())
        {
            return;
        }

        if (Op.Width != IrWidth.W128)
        {
            PushSecond();
            StoreSlot(Op.Dst, Op.Width, IsWide(Op.Width));
            return;
        }

        PushHeaderAddress(Op.Dst);
        PushHeaderAddress(Op.B);
        _il.Emit(Il.LoadObject, _tokens[RegionTokens.Token.Vector]);
        _il.Emit(Il.StoreObject, _tokens[RegionTokens.Token.Vector]);
    }

    private void EmitLoad()
    {
        IrOp op = Op;
        PrepareAccess();
        bool isProbe = op is { Opcode: IrOpcode.LoadForWrite, Width: IrWidth.W128 };
        if (isProbe || TryLoadVector())
        {
            return;
        }

        if (op.Width == IrWidth.W128)
        {
            PushHeaderAddress(op.Dst);
            PushHost();
            _il.Emit(Il.LoadObject, _tokens[RegionTokens.Token.Vector]);
            _il.Emit(Il.StoreObject, _tokens[RegionTokens.Token.Vector]);
            return;
        }

        PushHost();
        bool signed = op.Opcode == IrOpcode.LoadSigned;
        IrWidth to = op.DestinationWidth;

        // Another CPU may be the one that writes: RyuJIT must not take a load out of a loop.
        _il.Emit(Il.Volatile);
        _il.Emit(LoadOf(op.Width, signed));
        if (IsWide(to) && !IsWide(op.Width))
        {
            _il.Emit(signed ? Il.ConvertI8 : Il.ConvertU8);
        }

        StoreSlot(op.Dst, to, IsWide(to) || IsWide(op.Width));
    }

    private void EmitStore()
    {
        IrOp op = Op;
        PrepareAccess();
        PushHost();
        if (TryStoreVector())
        {
            return;
        }

        if (op.Width == IrWidth.W128)
        {
            PushHeaderAddress(op.Dst);
            _il.Emit(Il.LoadObject, _tokens[RegionTokens.Token.Vector]);
            _il.Emit(Il.StoreObject, _tokens[RegionTokens.Token.Vector]);
            return;
        }

        if (op.ImmediateB)
        {
            PushConstant(op.Imm >> 32, op.Width);
        }
        else
        {
            PushSlot(op.Dst, op.Width);
        }

        _il.Emit(op.Width switch { IrWidth.W8 => Il.StoreI1, IrWidth.W16 => Il.StoreI2, IrWidth.W32 => Il.StoreI4, _ => Il.StoreI8 });
    }

    /// <summary>The check of the group's first access: all its bytes in one page, whose TLB entry allows what the group does.</summary>
    private void PrepareAccess()
    {
        GroupedAccess access = Access;
        if (!access.IsFirst(_number, _index))
        {
            return;
        }

        AccessGroup group = access.Group!;
        int address = AddressLocal(access.OffsetInGroup);
        EmitCheck(address, (int)(group.High - group.Low), group.Reads, group.Writes);
        if (group.Count > 1)
        {
            group.Host = _freeHosts.TryPop(out int local) ? local : _il.NewLocal();
            PushEntryHost(address);
            _il.Store(group.Host);
        }
        else
        {
            group.Host = -1 - address;
        }
    }

    /// <summary>Pushes the host address of the op in emission.</summary>
    private void PushHost()
    {
        AccessGroup group = Access.Group!;
        if (group.Host < 0)
        {
            PushEntryHost(-1 - group.Host);
            return;
        }

        _il.Load(group.Host);
        if (Access.OffsetInGroup is not 0 and long offset)
        {
            _il.Constant4((int)offset);
            _il.Emit(Il.Add);
        }

        if (!group.SpansBlocks && group.LastOp == _index)
        {
            _freeHosts.Push(group.Host);
        }
    }

    /// <summary>Finds the TLB entry of an address, and goes to the stub unless its tags allow the access.</summary>
    private void EmitCheck(int address, int size, bool read, bool write)
    {
        IlLabel miss = StubHere();
        FindEntry(address);
        if (read)
        {
            EmitTagCheck(address, size, ReadTagOffset, miss);
        }

        if (write)
        {
            EmitTagCheck(address, size, WriteTagOffset, miss);
        }
    }

    private void FindEntry(int address)
    {
        // TlbEntry.OffsetOf.
        _il.Load(address);
        _il.Load(address);
        _il.Constant4(TlbEntry.FoldShift);
        _il.Emit(Il.ShiftRightUnsigned);
        _il.Emit(Il.Xor);
        _il.Constant4(TlbEntry.PageShift - TlbEntry.SizeShift);
        _il.Emit(Il.ShiftRightUnsigned);
        _il.Constant8((TlbEntry.Count - 1) * TlbEntry.Size);
        _il.Emit(Il.And);
        _il.Load(_tlb);
        _il.Emit(Il.Add);
        _il.Store(_entry);
    }

    private void EmitTagCheck(int address, int size, int tagOffset, IlLabel miss)
    {
        _il.Load(_entry);
        if (tagOffset != 0)
        {
            _il.Constant4(tagOffset);
            _il.Emit(Il.Add);
        }

        _il.Emit(Il.LoadI8);
        _il.Load(address);
        if (size != 1)
        {
            _il.Constant8(size - 1);
            _il.Emit(Il.Add);
        }

        _il.Constant8(PageMask);
        _il.Emit(Il.And);
        _il.EmitUnlikely(Il.BranchNotEqual, miss);
    }

    private void PushEntryHost(int address)
    {
        _il.Load(address);
        _il.Load(_entry);
        _il.Constant4(AddendOffset);
        _il.Emit(Il.Add);
        _il.Emit(Il.LoadI8);
        _il.Emit(Il.Add);
    }

    /// <summary>A local with the linear address of the memory op less <paramref name="below"/>: the base register's own when that is all.</summary>
    private int AddressLocal(long below)
    {
        ref readonly IrOp op = ref Op;
        if (op.Address == IrAddress.Base && (int)op.Imm == below && IsLocal(op.A) && (op.A & 7) == 0)
        {
            return LocalOf(op.A);
        }

        PushAddress(below);
        _il.Store(_address);
        return _address;
    }

    /// <summary>Pushes the address of the op less <paramref name="below"/>: a 64-bit integer.</summary>
    private void PushAddress(long below = 0)
    {
        ref readonly IrOp op = ref Op;
        int terms = 0;
        AddTerm(op.A, 0, ref terms);
        if (op.Address != IrAddress.Base)
        {
            AddTerm(op.B, op.Scale, ref terms);
        }

        if (op.Address is IrAddress.BaseIndexSegment or IrAddress.Wrap32)
        {
            AddTerm(op.C, 0, ref terms);
        }

        long displacement = (int)op.Imm - below;
        if (displacement != 0 || terms == 0)
        {
            _il.Constant8(displacement);
            Join(ref terms);
        }

        if (op.Address == IrAddress.Wrap32)
        {
            _il.Emit(Il.ConvertU4);
            _il.Emit(Il.ConvertU8);
        }
    }

    private void AddTerm(int slot, int scale, ref int terms)
    {
        if (slot == CpuHeader.ZeroSlot)
        {
            return;
        }

        PushSlot(slot, IrWidth.W64);
        if (scale != 0)
        {
            _il.Constant4(scale);
            _il.Emit(Il.ShiftLeft);
        }

        Join(ref terms);
    }

    private void Join(ref int terms)
    {
        if (terms++ > 0)
        {
            _il.Emit(Il.Add);
        }
    }
}
