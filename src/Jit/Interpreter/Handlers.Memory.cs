using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Emu.Frontend.Ir;
using Emu.Frontend.SoftMmu;

namespace Emu.Jit.Interpreter;

/// <summary>Loads and stores: the softmmu hit path inline, everything else in a call that takes over.</summary>
internal static unsafe partial class Handlers
{
    private const ulong PageMask = ~0xfffUL;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TlbEntry* EntryFor(byte* cpu, ulong linear) =>
        (TlbEntry*)((byte*)((CpuHeader*)cpu)->Tlb + TlbEntry.OffsetOf(linear));

    [MethodImpl(Hot)]
    public static Op* Load<TWidth, TTo, TAddress>(Op* op, byte* cpu)
        where TWidth : IWidth
        where TTo : IWidth
        where TAddress : IAddressForm
    {
        ulong linear = TAddress.Compute(op, cpu);
        TlbEntry* entry = EntryFor(cpu, linear);
        if (entry->ReadTag != ((linear + ((uint)TWidth.Bits / 8) - 1) & PageMask))
        {
            return ((delegate*<Op*, byte*, ulong, Op*>)&LoadSlow<TWidth, TTo>)(op, cpu, linear);
        }

        TTo.StoreSlot(cpu + op->Dst, TWidth.Load((byte*)(linear + (ulong)entry->Addend)));
        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* LoadSigned<TWidth, TTo, TAddress>(Op* op, byte* cpu)
        where TWidth : IWidth
        where TTo : IWidth
        where TAddress : IAddressForm
    {
        ulong linear = TAddress.Compute(op, cpu);
        TlbEntry* entry = EntryFor(cpu, linear);
        if (entry->ReadTag != ((linear + ((uint)TWidth.Bits / 8) - 1) & PageMask))
        {
            return ((delegate*<Op*, byte*, ulong, Op*>)&LoadSignedSlow<TWidth, TTo>)(op, cpu, linear);
        }

        TTo.StoreSlot(cpu + op->Dst, TWidth.SignExtend(TWidth.Load((byte*)(linear + (ulong)entry->Addend))));
        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* LoadForWrite<TWidth, TTo, TAddress>(Op* op, byte* cpu)
        where TWidth : IWidth
        where TTo : IWidth
        where TAddress : IAddressForm
    {
        ulong linear = TAddress.Compute(op, cpu);
        TlbEntry* entry = EntryFor(cpu, linear);
        ulong tag = (linear + ((uint)TWidth.Bits / 8) - 1) & PageMask;
        if (entry->WriteTag != tag || entry->ReadTag != tag)
        {
            return ((delegate*<Op*, byte*, ulong, Op*>)&LoadForWriteSlow<TWidth, TTo>)(op, cpu, linear);
        }

        TTo.StoreSlot(cpu + op->Dst, TWidth.Load((byte*)(linear + (ulong)entry->Addend)));
        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* Store<TWidth, TImmediate, TAddress>(Op* op, byte* cpu)
        where TWidth : IWidth
        where TImmediate : IFlag
        where TAddress : IAddressForm
    {
        ulong linear = TAddress.Compute(op, cpu);
        TlbEntry* entry = EntryFor(cpu, linear);
        ulong value = TImmediate.Value ? (ulong)op->ImmHigh : TWidth.Load(cpu + op->Dst);
        if (entry->WriteTag != ((linear + ((uint)TWidth.Bits / 8) - 1) & PageMask))
        {
            return ((delegate*<Op*, byte*, ulong, ulong, Op*>)&StoreSlow<TWidth>)(op, cpu, linear, value);
        }

        TWidth.StoreMemory((byte*)(linear + (ulong)entry->Addend), value);
        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* LoadVector<TAddress>(Op* op, byte* cpu)
        where TAddress : IAddressForm
    {
        ulong linear = TAddress.Compute(op, cpu);
        TlbEntry* entry = EntryFor(cpu, linear);
        if (entry->ReadTag != ((linear + 15) & PageMask))
        {
            return ((delegate*<Op*, byte*, ulong, Op*>)&LoadVectorSlow)(op, cpu, linear);
        }

        Vector128.Load((byte*)(linear + (ulong)entry->Addend)).Store(cpu + op->Dst);
        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* StoreVector<TAddress>(Op* op, byte* cpu)
        where TAddress : IAddressForm
    {
        ulong linear = TAddress.Compute(op, cpu);
        TlbEntry* entry = EntryFor(cpu, linear);
        if (entry->WriteTag != ((linear + 15) & PageMask))
        {
            return ((delegate*<Op*, byte*, ulong, Op*>)&StoreVectorSlow)(op, cpu, linear);
        }

        Vector128.Load(cpu + op->Dst).Store((byte*)(linear + (ulong)entry->Addend));
        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* ProbeVector<TAddress>(Op* op, byte* cpu)
        where TAddress : IAddressForm
    {
        ulong linear = TAddress.Compute(op, cpu);
        if (EntryFor(cpu, linear)->WriteTag != ((linear + 15) & PageMask))
        {
            return ((delegate*<Op*, byte*, ulong, Op*>)&ProbeVectorSlow)(op, cpu, linear);
        }

        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    private static SoftMmu MmuOf(byte* cpu) => Unsafe.As<SoftMmu>(GCHandle.FromIntPtr(((CpuHeader*)cpu)->Mmu).Target!);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Op* LeaveWith(Op* op, byte* cpu, LeaveReason reason)
    {
        CpuHeader* header = (CpuHeader*)cpu;
        header->CurrentOp = (nint)op;
        header->Leave = reason;
        return op;
    }

    // The slow handlers end in tail calls too, or a loop over device registers would eat up the host's stack. The JIT makes none
    // in a method with a local whose address is taken, as by "out" (hence the loads are calls of their own), nor in one marked
    // NoInlining (the runtime keeps those for stack traces). The fast handlers go to them through a pointer, which the JIT does
    // not inline: inlined they would make the fast handlers save registers.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool TryLoad<TWidth, TTo>(Op* op, byte* cpu, ulong linear)
        where TWidth : IWidth
        where TTo : IWidth
    {
        SoftMmu mmu = MmuOf(cpu);
        ((CpuHeader*)cpu)->CurrentOp = (nint)op;
        if (!mmu.TryRead(linear, TWidth.Bits / 8, mmu.Mode, out ulong value))
        {
            return false;
        }

        TTo.StoreSlot(cpu + op->Dst, value);
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool TryLoadSigned<TWidth, TTo>(Op* op, byte* cpu, ulong linear)
        where TWidth : IWidth
        where TTo : IWidth
    {
        SoftMmu mmu = MmuOf(cpu);
        ((CpuHeader*)cpu)->CurrentOp = (nint)op;
        if (!mmu.TryRead(linear, TWidth.Bits / 8, mmu.Mode, out ulong value))
        {
            return false;
        }

        TTo.StoreSlot(cpu + op->Dst, TWidth.SignExtend(value));
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool TryLoadVector(Op* op, byte* cpu, ulong linear)
    {
        SoftMmu mmu = MmuOf(cpu);
        ((CpuHeader*)cpu)->CurrentOp = (nint)op;
        if (!mmu.TryRead(linear, 8, mmu.Mode, out ulong low) || !mmu.TryRead(linear + 8, 8, mmu.Mode, out ulong high))
        {
            return false;
        }

        *(ulong*)(cpu + op->Dst) = low;
        *(ulong*)(cpu + op->Dst + 8) = high;
        return true;
    }

    [MethodImpl(Hot)]
    private static Op* LoadSlow<TWidth, TTo>(Op* op, byte* cpu, ulong linear)
        where TWidth : IWidth
        where TTo : IWidth
    {
        if (!TryLoad<TWidth, TTo>(op, cpu, linear))
        {
            return LeaveWith(op, cpu, LeaveReason.Fault);
        }

        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    private static Op* LoadSignedSlow<TWidth, TTo>(Op* op, byte* cpu, ulong linear)
        where TWidth : IWidth
        where TTo : IWidth
    {
        if (!TryLoadSigned<TWidth, TTo>(op, cpu, linear))
        {
            return LeaveWith(op, cpu, LeaveReason.Fault);
        }

        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    private static Op* LoadForWriteSlow<TWidth, TTo>(Op* op, byte* cpu, ulong linear)
        where TWidth : IWidth
        where TTo : IWidth
    {
        SoftMmu mmu = MmuOf(cpu);
        ((CpuHeader*)cpu)->CurrentOp = (nint)op;
        if (!mmu.TryProbe(linear, TWidth.Bits / 8, MmuAccess.Write, mmu.Mode))
        {
            return LeaveWith(op, cpu, LeaveReason.Fault);
        }

        if (HitsCurrentBlock(mmu, linear, TWidth.Bits / 8))
        {
            return LeaveWith(op, cpu, LeaveReason.SelfModify);
        }

        if (!TryLoad<TWidth, TTo>(op, cpu, linear))
        {
            return LeaveWith(op, cpu, LeaveReason.Fault);
        }

        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    private static Op* StoreSlow<TWidth>(Op* op, byte* cpu, ulong linear, ulong value)
        where TWidth : IWidth
    {
        SoftMmu mmu = MmuOf(cpu);
        ((CpuHeader*)cpu)->CurrentOp = (nint)op;
        if (!mmu.TryProbe(linear, TWidth.Bits / 8, MmuAccess.Write, mmu.Mode))
        {
            return LeaveWith(op, cpu, LeaveReason.Fault);
        }

        // Asks the TLB, which the probe has filled: the first write to a page may be the one that hits this block.
        if (HitsCurrentBlock(mmu, linear, TWidth.Bits / 8))
        {
            return LeaveWith(op, cpu, LeaveReason.SelfModify);
        }

        if (!mmu.TryWrite(linear, TWidth.Truncate(value), TWidth.Bits / 8, mmu.Mode))
        {
            return LeaveWith(op, cpu, LeaveReason.Fault);
        }

        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    private static Op* LoadVectorSlow(Op* op, byte* cpu, ulong linear)
    {
        if (!TryLoadVector(op, cpu, linear))
        {
            return LeaveWith(op, cpu, LeaveReason.Fault);
        }

        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    private static Op* ProbeVectorSlow(Op* op, byte* cpu, ulong linear)
    {
        SoftMmu mmu = MmuOf(cpu);
        ((CpuHeader*)cpu)->CurrentOp = (nint)op;
        if (!mmu.TryProbe(linear, 16, MmuAccess.Write, mmu.Mode))
        {
            return LeaveWith(op, cpu, LeaveReason.Fault);
        }

        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    private static Op* StoreVectorSlow(Op* op, byte* cpu, ulong linear)
    {
        SoftMmu mmu = MmuOf(cpu);
        ((CpuHeader*)cpu)->CurrentOp = (nint)op;
        if (!mmu.TryProbe(linear, 16, MmuAccess.Write, mmu.Mode))
        {
            return LeaveWith(op, cpu, LeaveReason.Fault);
        }

        if (HitsCurrentBlock(mmu, linear, 8) || HitsCurrentBlock(mmu, linear + 8, 8))
        {
            return LeaveWith(op, cpu, LeaveReason.SelfModify);
        }

        ulong* value = (ulong*)(cpu + op->Dst);
        if (!mmu.TryWrite(linear, value[0], 8, mmu.Mode) || !mmu.TryWrite(linear + 8, value[1], 8, mmu.Mode))
        {
            return LeaveWith(op, cpu, LeaveReason.Fault);
        }

        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    /// <summary>True when a write would change the code of the block in execution; looks at both pages of a split write.</summary>
    private static bool HitsCurrentBlock(SoftMmu mmu, ulong linear, int size)
    {
        int inPage = (int)Math.Min((ulong)size, 0x1000 - (linear & 0xfff));
        return mmu.WriteHitsCurrentBlock(linear, inPage, mmu.Mode)
            || (inPage < size && mmu.WriteHitsCurrentBlock(linear + (uint)inPage, size - inPage, mmu.Mode));
    }
}
