using Emu.Frontend.Ir;

namespace Emu.Jit.Regions;

/// <summary>Memory accesses of a block whose addresses differ by constants: one look at the TLB, by the first, serves all.</summary>
internal sealed class AccessGroup
{
    /// <summary>Index of the op that looks.</summary>
    public required int FirstOp { get; init; }

    /// <summary>Index of the last op.</summary>
    public int LastOp { get; set; }

    /// <summary>Number of accesses.</summary>
    public int Count { get; set; }

    /// <summary>Offset of the lowest byte, on the scale of <see cref="AccessGroups.OffsetOf"/>.</summary>
    public long Low { get; set; }

    /// <summary>Offset of the byte behind the highest one.</summary>
    public long High { get; set; }

    /// <summary>Some of the accesses read.</summary>
    public bool Reads { get; set; }

    /// <summary>Some of the accesses write.</summary>
    public bool Writes { get; set; }

    /// <summary>The local with the host address of the lowest byte.</summary>
    public int Host { get; set; }
}

/// <summary>
/// Finds the groups of a block. The values of registers are followed through additions of constants, so that pushes, pops and the accesses
/// to a frame between them belong together. A group whose bytes lie in two pages leaves the region: its span is kept small.
/// </summary>
internal sealed class AccessGroups
{
    private const int MaxSpan = 128;

    private readonly Dictionary<int, Origin> _origins = [];
    private readonly Dictionary<Key, AccessGroup> _open = [];
    private AccessGroup?[] _groups = [];
    private long[] _offsets = [];
    private int _nextOrigin;

    /// <summary>A value as an unknown one plus a constant; modulo 2^32 when some addition was of 32 bits.</summary>
    private readonly record struct Origin(int Number, long Delta, bool Wraps);

    private readonly record struct Key(IrAddress Form, int Base, int Index, byte Scale, int Segment);

    /// <summary>The group of an op, or null for one that touches no memory.</summary>
    public AccessGroup? Of(int op) => _groups[op];

    /// <summary>Where in its group an op's first byte is.</summary>
    public long OffsetOf(int op) => _offsets[op] - _groups[op]!.Low;

    /// <summary>Groups the accesses of the first <paramref name="count"/> ops.</summary>
    public void Find(IrOp[] ops, int count)
    {
        _origins.Clear();
        _open.Clear();
        if (_groups.Length < count)
        {
            (_groups, _offsets) = (new AccessGroup?[count], new long[count]);
        }

        for (int i = 0; i < count; i++)
        {
            _groups[i] = null;
            if (ops[i].IsMemory)
            {
                AddAccess(ops[i], i);
            }

            Follow(ops[i]);
        }
    }

    private void AddAccess(in IrOp op, int index)
    {
        bool indexed = op.Address != IrAddress.Base;
        bool segmented = op.Address is IrAddress.BaseIndexSegment or IrAddress.Wrap32;
        bool wraps = op.Address == IrAddress.Wrap32;
        Origin start = OriginFor(op.A, wraps);
        Origin scaled = indexed ? OriginFor(op.B, wraps) : default;
        Origin segment = segmented ? OriginFor(op.C, wraps) : default;
        var key = new Key(op.Address, start.Number, scaled.Number, indexed ? op.Scale : (byte)0, segment.Number);
        long offset = (int)op.Imm + start.Delta + (scaled.Delta << (indexed ? op.Scale : 0)) + segment.Delta;
        long end = offset + (1 << (int)op.Width);
        if (!_open.TryGetValue(key, out AccessGroup? group) || Math.Max(group.High, end) - Math.Min(group.Low, offset) > MaxSpan)
        {
            group = new AccessGroup { FirstOp = index, Low = offset, High = end };
            _open[key] = group;
        }

        group.Low = Math.Min(group.Low, offset);
        group.High = Math.Max(group.High, end);
        group.Reads |= op.Opcode != IrOpcode.Store && op is not { Opcode: IrOpcode.LoadForWrite, Width: IrWidth.W128 };
        group.Writes |= op.Opcode is IrOpcode.Store or IrOpcode.LoadForWrite;
        group.LastOp = index;
        group.Count++;
        (_groups[index], _offsets[index]) = (group, offset);
    }

    // Followed modulo 2^32, a value is good only for addresses modulo 2^32; for others it is one of its own.
    private Origin OriginFor(int slot, bool wraps)
    {
        Origin origin = OriginOf(slot);
        return origin.Wraps && !wraps ? new Origin(++_nextOrigin, 0, false) : origin;
    }

    private Origin OriginOf(int slot)
    {
        if (slot == CpuHeader.ZeroSlot)
        {
            return default;
        }

        if (slot is < CpuHeader.TemporarySlot or >= CpuHeader.ScalarEnd || (slot & 7) != 0)
        {
            return new Origin(++_nextOrigin, 0, false);
        }

        if (!_origins.TryGetValue(slot, out Origin origin))
        {
            _origins[slot] = origin = new Origin(++_nextOrigin, 0, false);
        }

        return origin;
    }

    private void Follow(in IrOp op)
    {
        if (op.IsCall && (op.Effects & IrCallEffects.WritesRegisters) != 0)
        {
            _origins.Clear();
            _open.Clear();
        }

        switch (op.Opcode)
        {
            case IrOpcode.Nop or IrOpcode.Compare or IrOpcode.Test or IrOpcode.Store:
                return;
            case IrOpcode.Add or IrOpcode.Sub when op.ImmediateB && op.Width is IrWidth.W32 or IrWidth.W64:
                SetOrigin(op, op.A, op.Opcode == IrOpcode.Add ? op.Imm : -op.Imm);
                return;
            case IrOpcode.Increment or IrOpcode.Decrement when op.Width is IrWidth.W32 or IrWidth.W64:
                SetOrigin(op, op.A, op.Opcode == IrOpcode.Increment ? 1 : -1);
                return;
            case IrOpcode.Lea when op.Address == IrAddress.Base && op.Width == IrWidth.W64:
                SetOrigin(op, op.A, (int)op.Imm);
                return;
            case IrOpcode.Move when !op.ImmediateB && op.Width == IrWidth.W64:
                SetOrigin(op, op.B, 0);
                return;
        }

        if (op.WritesTwo)
        {
            _origins.Remove(op.C & ~7);
        }

        if (!op.IsBlockEnd)
        {
            _origins.Remove(op.Dst & ~7);
        }
    }

    private void SetOrigin(in IrOp op, int source, long delta)
    {
        bool narrow = op.Width == IrWidth.W32;
        Origin origin = OriginOf(source);
        _origins[op.Dst & ~7] = new Origin(origin.Number, origin.Delta + (narrow ? (int)delta : delta), origin.Wraps || narrow);
    }
}
