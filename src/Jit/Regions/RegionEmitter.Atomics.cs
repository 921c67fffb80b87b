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

        // The tag of a page has no bits in its low end: one comparison looks at the page and at the alignment.
        _il.Load(_entry);
        _il.Constant4(WriteTagOffset);
        _il.Emit(Il.Add);
        _il.Emit(Il.LoadI8);
        _il.Load(_address);
        _il.Constant8(PageMask | ((1L << (int)op.Width) - 1));
        _il.Emit(Il.And);
        _il.Emit(Il.BranchNotEqual, miss);

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
