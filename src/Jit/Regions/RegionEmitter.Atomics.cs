using System.Reflection;
using Emu.Frontend.Ir;

namespace Emu.Jit.Regions;

/// <content>Atomic operations on guest memory: the host's own where the TLB knows the page and the operand is aligned; tier 0 does the others.</content>
internal sealed unsafe partial class RegionEmitter
{
    private void EmitAtomic()
    {
        IrOp op = Op;
        PushSlot(op.A, IrWidth.W64);
        _il.Store(_address);
        IlLabel miss = StubHere();
        FindEntry(_address);

        // Apart: the tag of a page that needs the slow path has bits in its low end, which an address has where it is not aligned.
        if (op.Width != IrWidth.W8)
        {
            _il.Load(_address);
            _il.Constant8((1L << (int)op.Width) - 1);
            _il.Emit(Il.And);
            _il.Constant8(0);
            _il.EmitUnlikely(Il.BranchNotEqual, miss);
        }

        EmitTagCheck(_address, 1, WriteTagOffset, miss);
        PushEntryHost(_address);
        if (HostAtomics.Find(op.Atomic, op.Width) is MethodInfo method)
        {
            PushSlot(op.B, op.Width);
            if (op.Atomic == IrAtomic.CompareExchange)
            {
                PushSlot(op.C, op.Width);
            }

            _il.Emit(Il.Call, _tokens.Of(method));
            StoreSlot(op.Dst, op.Width, IsWide(op.Width));
            return;
        }

        PushSlot(op.B, op.Width);
        ToZeroExtended64(op.Width);
        PushSlot(op.C, op.Width);
        ToZeroExtended64(op.Width);
        _il.Constant4((int)op.Atomic);
        _il.Constant4((int)op.Width);
        _il.Emit(Il.Call, _tokens.Of(HostAtomics.Any));
        StoreSlot(op.Dst, op.Width, wide: true);
    }
}
