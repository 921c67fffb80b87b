using System.Buffers.Binary;
using Emu.Core.Cpu;
using Emu.Frontend.SoftMmu;

namespace Emu.Frontend.X86;

/// <summary>Hardware task switching (SDM vol. 3, ch. 8). Not available in long mode.</summary>
public sealed unsafe partial class X86Cpu
{
    // Layout of the two TSS forms (SDM vol. 3, figures 8-2 and 8-10): first saved field, sizes, positions.
    private const int Tss32Size = 104;
    private const int Tss16Size = 44;
    private const int Tss32SaveStart = 0x20;
    private const int Tss32SaveEnd = 0x60;
    private const int Tss16SaveStart = 0x0e;
    private const int Tss16SaveEnd = 0x2a;

    /// <summary>What makes a task switch; decides busy flags and the back link (SDM vol. 3, table 8-2).</summary>
    private enum TaskSwitchCause
    {
        Jump,
        Call,
        Interrupt,
        Return,
    }

    /// <summary>The dynamic part of a TSS, in registers' order.</summary>
    private ref struct TaskImage
    {
        public ulong Cr3;
        public ulong Eip;
        public ulong Eflags;
        public Span<ulong> Gpr;
        public Span<ushort> Segments;
        public ushort Ldt;
        public bool Trap;
    }

    /// <summary>Reads and checks the descriptor of the task to switch to: an available TSS, or a busy one for IRET.</summary>
    private Descriptor ReadTaskDescriptor(ushort selector, uint external, X86Vector vector, bool busy = false)
    {
        Descriptor tss = default;
        bool valid = (selector & 4) == 0 && TryReadDescriptor(selector, out tss) && tss.IsSystem
            && (busy ? tss.Type is SystemType.BusyTss16 or SystemType.BusyTss32 : tss.Type is SystemType.Tss16 or SystemType.Tss32);
        if (!valid)
        {
            Raise(vector, SelectorError(selector, external));
        }

        return tss;
    }

    /// <summary>
    /// Switches to the task of <paramref name="tss"/>. Everything that can fault in the old task comes first; faults while the
    /// new task's segments are loaded belong to the new task.
    /// </summary>
    private void SwitchTask(ushort selector, Descriptor tss, TaskSwitchCause cause, uint external, bool resume)
    {
        bool wide = (tss.Type & 8) != 0;
        if (!tss.IsPresent)
        {
            Raise(X86Vector.SegmentNotPresent, SelectorError(selector, external));
        }

        int size = wide ? Tss32Size : Tss16Size;
        if (tss.Limit < size - 1)
        {
            Raise(X86Vector.InvalidTss, SelectorError(selector, external));
        }

        bool nested = cause is TaskSwitchCause.Call or TaskSwitchCause.Interrupt;
        Span<byte> image = stackalloc byte[Tss32Size];
        for (int i = 0; i < size; i += 2)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(image[i..], (ushort)ReadLinear((uint)(tss.Base32 + (ulong)i), 2, MmuMode.Supervisor));
        }

        var next = new TaskImage { Gpr = stackalloc ulong[8], Segments = stackalloc ushort[6] };
        ParseTask(image, wide, ref next);
        Span<ulong> pdptes = stackalloc ulong[4];
        bool loadCr3 = wide && (State->Cr0 & ControlBits.Cr0Pg) != 0;
        if (loadCr3 && (State->Cr4 & ControlBits.Cr4Pae) != 0 && !TryReadPdptes(next.Cr3, pdptes))
        {
            RaiseGeneralProtection(external);
        }

        LeaveTask(tss, cause, resume, nested);
        if (loadCr3)
        {
            CommitCr3(next.Cr3, pdptes, keep: false);
        }

        State->Segment[X86Segment.Tr].Attributes = 0;
        SetSegment(X86Segment.Tr, new SegmentState(selector, tss.Base32, tss.Limit, tss.Attributes | SystemType.Busy));
        EnterTask(next, nested, external);
    }

    /// <summary>Saves the old task and moves the busy flags and the back link.</summary>
    private void LeaveTask(Descriptor tss, TaskSwitchCause cause, bool resume, bool nested)
    {
        SegmentState old = GetSegment(X86Segment.Tr);
        bool oldWide = (old.Attributes & 8) != 0;
        int start = oldWide ? Tss32SaveStart : Tss16SaveStart;
        ProbeWrite((uint)(old.Base + (uint)start), (oldWide ? Tss32SaveEnd : Tss16SaveEnd) - start, MmuMode.Supervisor);
        ProbeWrite(tss.Address + 5, 1, MmuMode.Supervisor);
        if (nested)
        {
            ProbeWrite(tss.Base32, 2, MmuMode.Supervisor);
        }

        if (cause is TaskSwitchCause.Jump or TaskSwitchCause.Return && TryReadDescriptor(old.Selector, out Descriptor oldDescriptor))
        {
            SetTypeBits(oldDescriptor, SystemType.Busy, false);
        }

        if (cause != TaskSwitchCause.Return)
        {
            SetTypeBits(tss, SystemType.Busy, true);
        }

        ulong flags = GetRflags() | (resume ? Rflags.Rf : 0);
        flags &= cause == TaskSwitchCause.Return ? ~Rflags.Nt : ulong.MaxValue;
        SaveTask(old.Base, oldWide, flags);
        if (nested)
        {
            WriteLinear(tss.Base32, old.Selector, 2, MmuMode.Supervisor);
        }
    }

    private void SaveTask(ulong start, bool wide, ulong flags)
    {
        int size = wide ? 4 : 2;
        uint offset = wide ? (uint)Tss32SaveStart : Tss16SaveStart;
        void Put(ulong value)
        {
            WriteLinear((uint)(start + offset), value, size, MmuMode.Supervisor);
            offset += (uint)size;
        }

        Put(State->Header.Pc);
        Put(flags);
        for (int i = 0; i < 8; i++)
        {
            Put(State->Gpr[i]);
        }

        for (int i = 0; i < (wide ? 6 : 4); i++)
        {
            Put(State->Segment[i].Selector);
        }
    }

    private static void ParseTask(ReadOnlySpan<byte> image, bool wide, ref TaskImage task)
    {
        int size = wide ? 4 : 2;
        int offset = wide ? 0x1c : Tss16SaveStart;
        task.Cr3 = wide ? Take(image, size, ref offset) : 0;
        task.Eip = Take(image, size, ref offset);
        task.Eflags = Take(image, size, ref offset);
        for (int i = 0; i < 8; i++)
        {
            task.Gpr[i] = Take(image, size, ref offset);
        }

        // The 16-bit form has no FS and GS: they become null.
        for (int i = 0; i < (wide ? 6 : 4); i++)
        {
            task.Segments[i] = (ushort)Take(image, size, ref offset);
        }

        task.Ldt = (ushort)Take(image, size, ref offset);
        task.Trap = wide && (image[0x64] & 1) != 0;
    }

    private static uint Take(ReadOnlySpan<byte> image, int size, ref int offset)
    {
        uint value = size == 4 ? BinaryPrimitives.ReadUInt32LittleEndian(image[offset..]) : BinaryPrimitives.ReadUInt16LittleEndian(image[offset..]);
        offset += size;
        return value;
    }

    /// <summary>Loads the new task; from here on faults restart in it.</summary>
    private void EnterTask(in TaskImage task, bool nested, uint external)
    {
        State->Cr0 |= ControlBits.Cr0Ts;
        State->Dr[7] &= ~0x155UL;
        UpdateBreakpoints();
        for (int i = 0; i < 8; i++)
        {
            State->Gpr[i] = task.Gpr[i];
        }

        bool vm86 = (task.Eflags & Rflags.Vm) != 0;
        State->Cpl = vm86 ? 3u : task.Segments[X86Segment.Cs] & 3u;
        State->Header.Pc = task.Eip;
        for (int i = X86Segment.Es; i <= X86Segment.Gs; i++)
        {
            SetSegment(i, NullSegment(task.Segments[i], i == X86Segment.Ss ? State->Cpl : 0));
        }

        SetSegment(X86Segment.Ldtr, NullSegment(task.Ldt));
        SetRflags(task.Eflags | (nested ? Rflags.Nt : 0));
        try
        {
            LoadTaskSegments(task.Segments, task.Ldt, vm86, external);
        }
        catch (GuestFaultException)
        {
            UpdateMode();
            PendingFault = PendingFault with { RestartPc = task.Eip };
            throw;
        }

        UpdateMode();
        State->PendingDebugTraps |= task.Trap ? Dr6TaskSwitch : 0;
    }

    private void LoadTaskSegments(ReadOnlySpan<ushort> selectors, ushort ldt, bool vm86, uint external)
    {
        if ((ldt & ~3) != 0)
        {
            Descriptor descriptor = default;
            bool valid = (ldt & 4) == 0 && TryReadDescriptor(ldt, out descriptor) && descriptor.IsSystem
                && descriptor.Type == SystemType.Ldt && descriptor.IsPresent;
            if (!valid)
            {
                Raise(X86Vector.InvalidTss, SelectorError(ldt, external));
            }

            SetSegment(X86Segment.Ldtr, descriptor.ToSegment(ldt));
        }

        if (vm86)
        {
            EnterVm86(selectors);
            return;
        }

        LoadTaskCode(selectors[X86Segment.Cs], external);
        SetSegment(X86Segment.Ss, ResolveStack(selectors[X86Segment.Ss], State->Cpl, X86Vector.InvalidTss, external, target64: false));
        for (int i = X86Segment.Es; i <= X86Segment.Gs; i++)
        {
            if (i is not (X86Segment.Cs or X86Segment.Ss))
            {
                LoadTaskData(i, selectors[i], external);
            }
        }

        if (State->Header.Pc > State->Segment[X86Segment.Cs].Limit)
        {
            RaiseGeneralProtection(external);
        }
    }

    private void LoadTaskCode(ushort selector, uint external)
    {
        Descriptor code = ReadDescriptor(selector, X86Vector.InvalidTss, external);
        uint rpl = selector & 3u;
        if (!code.IsCode || (code.IsConforming ? code.Dpl > rpl : code.Dpl != rpl))
        {
            Raise(X86Vector.InvalidTss, SelectorError(selector, external));
        }

        if (!code.IsPresent)
        {
            Raise(X86Vector.SegmentNotPresent, SelectorError(selector, external));
        }

        SetSegment(X86Segment.Cs, MarkAccessed(code).ToSegment(selector));
    }

    private void LoadTaskData(int segment, ushort selector, uint external)
    {
        if ((selector & ~3) == 0)
        {
            return;
        }

        Descriptor descriptor = ReadDescriptor(selector, X86Vector.InvalidTss, external);
        bool conforming = descriptor.IsCode && descriptor.IsConforming;
        if (!(descriptor.IsData || descriptor.IsReadableCode)
            || (!conforming && (descriptor.Dpl < State->Cpl || descriptor.Dpl < (selector & 3))))
        {
            Raise(X86Vector.InvalidTss, SelectorError(selector, external));
        }

        if (!descriptor.IsPresent)
        {
            Raise(X86Vector.SegmentNotPresent, SelectorError(selector, external));
        }

        SetSegment(segment, MarkAccessed(descriptor).ToSegment(selector));
    }
}
