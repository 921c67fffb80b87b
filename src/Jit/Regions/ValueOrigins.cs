using Emu.Frontend.Ir;

namespace Emu.Jit.Regions;

/// <summary>A value as an unknown one plus a constant.</summary>
/// <param name="Number">Names the unknown value.</param>
/// <param name="Delta">What was added to it.</param>
/// <param name="Wraps">Some addition was modulo 2^32.</param>
internal readonly record struct Origin(long Number, long Delta, bool Wraps);

/// <summary>
/// What registers and temporaries hold at one place of a region, followed through additions of constants. Two places where a register
/// has the same origin see the same value, as long as the region has not come through the place again that made it.
/// </summary>
internal sealed class ValueOrigins(ValueOrigins.Counter counter)
{
    private const long PcPageNumber = long.MinValue;

    private readonly Dictionary<int, Origin> _changed = []; // by slot; others hold what they held at the epoch's start
    private long _epoch;

    /// <summary>What <see cref="CpuHeader.PcPage"/> is more than in block 0 of the region.</summary>
    public ulong Page { get; set; }

    /// <summary>A copy without what is known of temporaries, which do not outlive a block.</summary>
    public ValueOrigins CopyForSuccessor()
    {
        var copy = new ValueOrigins(counter) { _epoch = _epoch };
        foreach ((int slot, Origin origin) in _changed)
        {
            if (RegionPlan.IsRegister(slot))
            {
                copy._changed.Add(slot, origin);
            }
        }

        return copy;
    }

    /// <summary>Keeps what <paramref name="other"/> knows too.</summary>
    public void Meet(ValueOrigins other)
    {
        if (other._epoch != _epoch)
        {
            ForgetAll();
            return;
        }

        foreach (int slot in _changed.Keys.Union(other._changed.Keys).Where(RegionPlan.IsRegister).ToArray())
        {
            if (OriginOf(slot) != other.OriginOf(slot))
            {
                Forget(slot);
            }
        }
    }

    /// <summary>Forgets everything: helpers may have written any register.</summary>
    public void ForgetAll()
    {
        _changed.Clear();
        _epoch = counter.Next();
    }

    /// <summary>Forgets registers, a bit each (<see cref="RegionPlan.RegisterBit"/>).</summary>
    public void Forget(ulong registers)
    {
        for (int slot = CpuHeader.Size; registers != 0; slot += 8, registers >>= 1)
        {
            if ((registers & 1) != 0)
            {
                Forget(slot);
            }
        }
    }

    /// <summary>The value of an address's term. Followed modulo 2^32 it is good only for addresses modulo 2^32; for others it is one of its own.</summary>
    public Origin TermOf(int slot, bool wraps)
    {
        Origin origin = OriginOf(slot);
        return origin.Wraps && !wraps ? Fresh() : origin;
    }

    /// <summary>Takes note of what <paramref name="op"/> writes.</summary>
    public void Follow(in IrOp op)
    {
        if (op.IsCall && (op.Effects & IrCallEffects.WritesRegisters) != 0)
        {
            ForgetAll();
        }

        switch (op.Opcode)
        {
            case IrOpcode.Nop or IrOpcode.Compare or IrOpcode.Test or IrOpcode.Store:
                return;
            case IrOpcode.Add or IrOpcode.Sub when op.ImmediateB && op.Width is IrWidth.W32 or IrWidth.W64:
                Set(op, op.A, op.Opcode == IrOpcode.Add ? op.Imm : -op.Imm);
                return;
            case IrOpcode.Increment or IrOpcode.Decrement when op.Width is IrWidth.W32 or IrWidth.W64:
                Set(op, op.A, op.Opcode == IrOpcode.Increment ? 1 : -1);
                return;
            case IrOpcode.Lea when op.Address == IrAddress.Base && op.Width == IrWidth.W64:
                Set(op, op.A, (int)op.Imm);
                return;
            case IrOpcode.Move when !op.ImmediateB && op.Width == IrWidth.W64:
                Set(op, op.B, 0);
                return;
        }

        if (op.WritesTwo)
        {
            Forget(op.C & ~7);
        }

        if (!op.IsBlockEnd)
        {
            Forget(op.Dst & ~7);
        }
    }

    private Origin OriginOf(int slot)
    {
        if (slot == CpuHeader.ZeroSlot)
        {
            return default;
        }

        if (slot == CpuHeader.PcPageSlot)
        {
            return new Origin(PcPageNumber, (long)Page, false);
        }

        if (slot is < CpuHeader.TemporarySlot or >= CpuHeader.ScalarEnd || (slot & 7) != 0)
        {
            return Fresh();
        }

        return _changed.TryGetValue(slot, out Origin origin) ? origin : new Origin(~((_epoch * CpuHeader.ScalarEnd) + slot), 0, false);
    }

    private void Set(in IrOp op, int source, long delta)
    {
        bool narrow = op.Width == IrWidth.W32;
        Origin origin = OriginOf(source);
        _changed[op.Dst & ~7] = new Origin(origin.Number, origin.Delta + (narrow ? (int)delta : delta), origin.Wraps || narrow);
    }

    private void Forget(int slot) => _changed[slot] = Fresh();

    private Origin Fresh() => new(counter.Next(), 0, false);

    /// <summary>Numbers for unknown values, each given out once.</summary>
    public sealed class Counter
    {
        private long _last;

        /// <summary>A new number, positive.</summary>
        public long Next() => ++_last;
    }
}
