using Emu.Core.Cpu;
using Emu.Frontend.SoftMmu;

namespace Emu.Frontend.X86;

/// <summary>Stacks as control transfers use them: pushed to and popped from before any register changes.</summary>
public sealed unsafe partial class X86Cpu
{
    /// <summary>A cursor over the stack of the current SS:RSP, used with the current privilege.</summary>
    private StackCursor CurrentStack(uint external = 0) =>
        new(this, GetSegment(X86Segment.Ss), State->Gpr[X86Gpr.Rsp], Is64Bit, Mmu.Mode, external);

    /// <summary>The stack for privilege <paramref name="cpl"/> in the current TSS (SDM vol. 3, figures 7-2 and 7-10).</summary>
    private (ushort Selector, ulong Pointer) ReadTssStack(uint cpl, uint external)
    {
        bool wide = (State->Segment[X86Segment.Tr].Attributes & 8) != 0;
        uint offset = wide ? 4 + (cpl * 8) : 2 + (cpl * 4);
        int size = wide ? 4 : 2;
        CheckTssLimit(offset + (uint)(wide ? 5 : 3), external);
        ulong linear = State->TrBase + offset;
        ulong pointer = ReadLinear((uint)linear, size, MmuMode.Supervisor);
        return ((ushort)ReadLinear((uint)(linear + (uint)size), 2, MmuMode.Supervisor), pointer);
    }

    /// <summary>RSP0–RSP2 (<paramref name="index"/> 0–2) or IST1–IST7 (4–10) of the 64-bit TSS (SDM vol. 3, figure 7-11).</summary>
    private ulong ReadTssStack64(int index, uint external)
    {
        uint offset = 4 + ((uint)index * 8);
        CheckTssLimit(offset + 7, external);
        ulong pointer = ReadLinear(State->TrBase + offset, 8, MmuMode.Supervisor);
        if (!IsCanonical(pointer))
        {
            Raise(X86Vector.StackFault, external);
        }

        return pointer;
    }

    private void CheckTssLimit(uint last, uint external)
    {
        ref SegmentCache tr = ref State->Segment[X86Segment.Tr];
        if ((tr.Attributes & SegmentAttributes.Unusable) != 0 || last > tr.Limit)
        {
            Raise(X86Vector.InvalidTss, SelectorError(tr.Selector, external));
        }
    }

    /// <summary>
    /// A stack pointer on the move. Limit and canonical violations raise #SS with <see cref="_error"/>; memory is
    /// written at once, but only below the old stack pointer, and registers only when the caller commits.
    /// </summary>
    private struct StackCursor
    {
        private readonly X86Cpu _cpu;
        private readonly SegmentState _segment;
        private readonly MmuMode _mode;
        private readonly uint _error;
        private readonly bool _is64;
        private readonly ulong _mask;

        public StackCursor(X86Cpu cpu, in SegmentState segment, ulong pointer, bool is64, MmuMode mode, uint error)
        {
            _cpu = cpu;
            _segment = segment;
            _is64 = is64;
            _mode = mode;
            _error = error;
            _mask = is64 ? ulong.MaxValue : (segment.Attributes & SegmentAttributes.Big) != 0 ? 0xffff_ffff : 0xffff;
            Pointer = _mask == 0xffff_ffff ? (uint)pointer : pointer;
        }

        /// <summary>RSP, with the bits above the stack's width untouched.</summary>
        public ulong Pointer { get; private set; }

        public void Push(ulong value, int size)
        {
            Move(-size);
            _cpu.WriteLinear(Translate(Pointer & _mask, size), value, size, _mode);
        }

        public ulong Pop(int size)
        {
            ulong value = _cpu.ReadLinear(Translate(Pointer & _mask, size), size, _mode);
            Move(size);
            return value;
        }

        /// <summary>Reads a value <paramref name="offset"/> bytes above the pointer.</summary>
        public readonly ulong Peek(uint offset, int size) =>
            _cpu.ReadLinear(Translate((Pointer + offset) & _mask, size), size, _mode);

        /// <summary>Releases (or, negative, reserves) bytes.</summary>
        public void Move(long bytes) => Pointer = (Pointer & ~_mask) | ((Pointer + (ulong)bytes) & _mask);

        /// <summary>Makes sure that <paramref name="count"/> pushes of <paramref name="size"/> bytes cannot fault halfway. A fault names the first push that meets it.</summary>
        public readonly void Probe(int count, int size)
        {
            ulong highest = (Pointer - (uint)size) & _mask;
            _cpu.ProbeWrite(Translate(highest, size), size, _mode);
            int bytes = count * size;
            ulong lowest = (Pointer - (uint)bytes) & _mask;
            if (lowest <= highest)
            {
                _cpu.ProbeWrite(Translate(lowest, bytes), bytes, _mode);
            }
        }

        private readonly ulong Translate(ulong offset, int size)
        {
            bool valid = _is64
                ? IsCanonical(offset) && IsCanonical(offset + (uint)size - 1)
                : IsInsideLimit(_segment.Limit, _segment.Attributes, offset, (uint)size) && (_segment.Attributes & SegmentAttributes.Unusable) == 0;
            if (!valid)
            {
                _cpu.Raise(X86Vector.StackFault, _error);
            }

            return _is64 ? offset : (uint)(_segment.Base + offset);
        }
    }
}
