using System.Runtime.InteropServices;
using Emu.Frontend.Ir;
using Emu.Frontend.SoftMmu;

namespace Emu.Jit.Regions;

/// <content>Loads and stores: the TLB hit inline, a miss leaves the region.</content>
internal sealed unsafe partial class RegionEmitter
{
    private const long PageMask = ~0xfffL;
    private const int PageShift = 12;

    private static readonly int ReadTagOffset = (int)Marshal.OffsetOf<TlbEntry>(nameof(TlbEntry.ReadTag));
    private static readonly int WriteTagOffset = (int)Marshal.OffsetOf<TlbEntry>(nameof(TlbEntry.WriteTag));
    private static readonly int AddendOffset = (int)Marshal.OffsetOf<TlbEntry>(nameof(TlbEntry.Addend));

    private readonly int _host;
    private PendingStore _pendingStore;

    /// <summary>
    /// A read-modify-write instruction has loaded from here and the host address is in a local: the store to the same place needs no
    /// check. Void once a register of the address is written.
    /// </summary>
    private readonly record struct PendingStore(bool Valid, IrAddress Form, ushort A, ushort B, ushort C, byte Scale, int Displacement, IrWidth Width)
    {
        public PendingStore(in IrOp op)
            : this(true, op.Address, op.A, op.B, op.C, op.Scale, (int)op.Imm, op.Width)
        {
        }

        /// <summary>What is left after a write to <paramref name="slot"/>.</summary>
        public PendingStore After(int slot) => ((slot ^ A) & ~7) == 0 || ((slot ^ B) & ~7) == 0 || ((slot ^ C) & ~7) == 0 ? default : this;
    }

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
        int address = AddressLocal();
        bool forWrite = op.Opcode == IrOpcode.LoadForWrite;
        EmitCheck(address, op.Width, read: true, write: forWrite);
        if (TryLoadVector(address))
        {
            return;
        }

        if (op.Width == IrWidth.W128)
        {
            PushHeaderAddress(op.Dst);
            PushHost(address);
            _il.Emit(Il.LoadObject, _tokens[RegionTokens.Token.Vector]);
            _il.Emit(Il.StoreObject, _tokens[RegionTokens.Token.Vector]);
            return;
        }

        PushHost(address);
        if (forWrite)
        {
            _il.Emit(Il.Duplicate);
            _il.Store(_host);
        }

        bool signed = op.Opcode == IrOpcode.LoadSigned;
        IrWidth to = op.DestinationWidth;
        _il.Emit(LoadOf(op.Width, signed));
        if (IsWide(to) && !IsWide(op.Width))
        {
            _il.Emit(signed ? Il.ConvertI8 : Il.ConvertU8);
        }

        StoreSlot(op.Dst, to, IsWide(to) || IsWide(op.Width));
        if (forWrite)
        {
            _pendingStore = new PendingStore(op).After(op.Dst);
        }
    }

    private void EmitStore()
    {
        IrOp op = Op;
        if (_pendingStore.Valid && _pendingStore == new PendingStore(op))
        {
            _il.Load(_host);
        }
        else
        {
            int address = AddressLocal();
            EmitCheck(address, op.Width, read: false, write: true);
            PushHost(address);
        }

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

    /// <summary>Finds the TLB entry of an address, and goes to the stub unless its tags allow the access.</summary>
    private void EmitCheck(int address, IrWidth width, bool read, bool write)
    {
        IlLabel miss = StubHere();
        _il.Load(address);
        _il.Constant4(PageShift - 5);
        _il.Emit(Il.ShiftRightUnsigned);
        _il.Constant8((TlbEntry.Count - 1) * TlbEntry.Size);
        _il.Emit(Il.And);
        _il.Load(_tlb);
        _il.Emit(Il.Add);
        _il.Store(_entry);
        if (read)
        {
            EmitTagCheck(address, width, ReadTagOffset, miss);
        }

        if (write)
        {
            EmitTagCheck(address, width, WriteTagOffset, miss);
        }
    }

    private void EmitTagCheck(int address, IrWidth width, int tagOffset, IlLabel miss)
    {
        _il.Load(_entry);
        if (tagOffset != 0)
        {
            _il.Constant4(tagOffset);
            _il.Emit(Il.Add);
        }

        _il.Emit(Il.LoadI8);
        _il.Load(address);
        if (width != IrWidth.W8)
        {
            _il.Constant8((1 << (int)width) - 1);
            _il.Emit(Il.Add);
        }

        _il.Constant8(PageMask);
        _il.Emit(Il.And);
        _il.Emit(Il.BranchNotEqual, miss);
    }

    private void PushHost(int address)
    {
        _il.Load(address);
        _il.Load(_entry);
        _il.Constant4(AddendOffset);
        _il.Emit(Il.Add);
        _il.Emit(Il.LoadI8);
        _il.Emit(Il.Add);
    }

    /// <summary>A local with the linear address of the memory op: the base register's own when that is all.</summary>
    private int AddressLocal()
    {
        ref readonly IrOp op = ref Op;
        if (op.Address == IrAddress.Base && (int)op.Imm == 0 && IsLocal(op.A) && (op.A & 7) == 0)
        {
            return LocalOf(op.A);
        }

        PushAddress();
        _il.Store(_address);
        return _address;
    }

    /// <summary>Pushes the address of the op: a 64-bit integer.</summary>
    private void PushAddress()
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

        if ((int)op.Imm != 0 || terms == 0)
        {
            _il.Constant8((int)op.Imm);
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
