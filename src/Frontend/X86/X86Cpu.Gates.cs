using Emu.Core.Cpu;
using Emu.Frontend.SoftMmu;

namespace Emu.Frontend.X86;

/// <summary>Delivery of events through protected-mode and long-mode gates (SDM vol. 3, 6.12 and 6.14).</summary>
public sealed unsafe partial class X86Cpu
{
    private void DeliverProtected(in CpuEvent e)
    {
        Descriptor gate = ReadGate(e, 8);
        if (gate.Type == SystemType.TaskGate)
        {
            DeliverByTask(e, gate.GateSelector);
            return;
        }

        int size = gate.Type >= SystemType.InterruptGate32 ? 4 : 2;
        ushort selector = gate.GateSelector;
        Descriptor code = ReadHandler(selector, e.External);
        uint cpl = code.IsConforming ? State->Cpl : code.Dpl;
        if (IsVm86 && cpl != 0)
        {
            RaiseGeneralProtection(SelectorError(selector, e.External));
        }

        ulong target = size == 4 ? gate.GateOffset32 : gate.GateOffset16;
        bool inner = cpl < State->Cpl;
        SegmentState stackSegment = GetSegment(X86Segment.Ss);
        ulong pointer = State->Gpr[X86Gpr.Rsp];
        if (inner)
        {
            (ushort stackSelector, pointer) = ReadTssStack(cpl, e.External);
            stackSegment = ResolveStack(stackSelector, cpl, X86Vector.InvalidTss, e.External, target64: false);
        }

        if (target > code.Limit)
        {
            RaiseGeneralProtection(e.External);
        }

        code = MarkAccessed(code);
        MmuMode mode = cpl == 3 ? MmuMode.User : MmuMode.Supervisor;
        uint stackError = inner ? SelectorError(stackSegment.Selector, e.External) : e.External;
        var stack = new StackCursor(this, stackSegment, pointer, false, mode, stackError);
        PushFrame(ref stack, e, size, inner);
        CommitEntry(e, gate, code.ToSegment(selector), cpl, target, stack.Pointer, inner ? stackSegment : null);
    }

    private void PushFrame(ref StackCursor stack, in CpuEvent e, int size, bool inner)
    {
        stack.Probe((IsVm86 ? 9 : inner ? 5 : 3) + (e.HasError ? 1 : 0), size);
        if (IsVm86)
        {
            stack.Push(State->Segment[X86Segment.Gs].Selector, size);
            stack.Push(State->Segment[X86Segment.Fs].Selector, size);
            stack.Push(State->Segment[X86Segment.Ds].Selector, size);
            stack.Push(State->Segment[X86Segment.Es].Selector, size);
        }

        if (inner)
        {
            stack.Push(State->Segment[X86Segment.Ss].Selector, size);
            stack.Push(State->Gpr[X86Gpr.Rsp], size);
        }

        stack.Push(GetRflags() | (e.Resume ? Rflags.Rf : 0), size);
        stack.Push(State->Segment[X86Segment.Cs].Selector, size);
        stack.Push(State->Header.Pc, size);
        if (e.HasError)
        {
            stack.Push(e.Error, size);
        }
    }

    private void DeliverLong(in CpuEvent e)
    {
        Descriptor gate = ReadGate(e, 16);
        ushort selector = gate.GateSelector;
        Descriptor code = ReadHandler(selector, e.External);
        if (!code.IsLong || code.IsBig)
        {
            RaiseGeneralProtection(SelectorError(selector, e.External));
        }

        uint cpl = code.IsConforming ? State->Cpl : code.Dpl;
        bool inner = cpl < State->Cpl;
        int table = gate.GateStackTable;
        ulong pointer = table != 0 ? ReadTssStack64(table + 3, e.External)
            : inner ? ReadTssStack64((int)cpl, e.External)
            : State->Gpr[X86Gpr.Rsp];
        if (!IsCanonical(gate.GateOffset64))
        {
            RaiseGeneralProtection(e.External);
        }

        code = MarkAccessed(code);
        var stack = new StackCursor(this, default, pointer & ~0xfUL, true, cpl == 3 ? MmuMode.User : MmuMode.Supervisor, e.External);
        stack.Probe(e.HasError ? 6 : 5, 8);
        stack.Push(State->Segment[X86Segment.Ss].Selector, 8);
        stack.Push(State->Gpr[X86Gpr.Rsp], 8);
        stack.Push(GetRflags() | (e.Resume ? Rflags.Rf : 0), 8);
        stack.Push(State->Segment[X86Segment.Cs].Selector, 8);
        stack.Push(State->Header.Pc, 8);
        if (e.HasError)
        {
            stack.Push(e.Error, 8);
        }

        CommitEntry(e, gate, code.ToSegment(selector), cpl, gate.GateOffset64, stack.Pointer, inner ? NullSegment((ushort)cpl, cpl) : null);
    }

    /// <summary>Nothing can fault any more: enters the handler.</summary>
    private void CommitEntry(in CpuEvent e, Descriptor gate, in SegmentState code, uint cpl, ulong target, ulong pointer, SegmentState? stackSegment)
    {
        ulong flags = GetRflags();
        if (IsVm86)
        {
            SetSegment(X86Segment.Es, NullSegment(0));
            SetSegment(X86Segment.Ds, NullSegment(0));
            SetSegment(X86Segment.Fs, NullSegment(0));
            SetSegment(X86Segment.Gs, NullSegment(0));
        }

        State->SystemFlags &= ~Rflags.Vm;
        if (stackSegment is { } segment)
        {
            SetSegment(X86Segment.Ss, segment);
        }

        State->Gpr[X86Gpr.Rsp] = pointer;
        SetCode(code, cpl, target);
        bool interruptGate = gate.Type is SystemType.InterruptGate16 or SystemType.InterruptGate32;
        SetRflags(flags & ~(Rflags.Tf | Rflags.Nt | Rflags.Rf | Rflags.Vm | (interruptGate ? Rflags.If : 0)));
    }

    /// <summary>Reads and checks the gate of an event: limit, type, DPL of software interrupts, presence.</summary>
    private Descriptor ReadGate(in CpuEvent e, uint entrySize)
    {
        uint error = (e.Vector * 8u) | 2 | e.External;
        uint offset = e.Vector * entrySize;
        if (offset + entrySize - 1 > State->IdtrLimit)
        {
            RaiseGeneralProtection(error);
        }

        ulong linear = State->IdtrBase + offset;
        bool longMode = entrySize == 16;
        linear = longMode ? linear : (uint)linear;
        var gate = new Descriptor(
            ReadLinear(linear, 8, MmuMode.Supervisor),
            longMode ? ReadLinear(linear + 8, 8, MmuMode.Supervisor) : 0,
            linear);
        bool known = gate.Type is SystemType.InterruptGate32 or SystemType.TrapGate32
            || (!longMode && gate.Type is SystemType.TaskGate or SystemType.InterruptGate16 or SystemType.TrapGate16);
        if (!gate.IsSystem || !known || (e.Checked && gate.Dpl < State->Cpl))
        {
            RaiseGeneralProtection(error);
        }

        if (!gate.IsPresent)
        {
            Raise(X86Vector.SegmentNotPresent, error);
        }

        return gate;
    }

    /// <summary>Reads and checks the code segment of a handler.</summary>
    private Descriptor ReadHandler(ushort selector, uint external)
    {
        if ((selector & ~3) == 0)
        {
            RaiseGeneralProtection(external);
        }

        Descriptor code = ReadDescriptor(selector, X86Vector.GeneralProtection, external);
        if (!code.IsCode || code.Dpl > State->Cpl)
        {
            RaiseGeneralProtection(SelectorError(selector, external));
        }

        if (!code.IsPresent)
        {
            Raise(X86Vector.SegmentNotPresent, SelectorError(selector, external));
        }

        return code;
    }

    private void DeliverByTask(in CpuEvent e, ushort selector)
    {
        Descriptor tss = ReadTaskDescriptor(selector, e.External, X86Vector.GeneralProtection);
        if (!tss.IsPresent)
        {
            Raise(X86Vector.SegmentNotPresent, SelectorError(selector, e.External));
        }

        SwitchTask(selector, tss, TaskSwitchCause.Interrupt, e.External, e.Resume);
        if (e.HasError)
        {
            StackCursor stack = CurrentStack(e.External);
            stack.Push(e.Error, (tss.Type & 8) != 0 ? 4 : 2);
            State->Gpr[X86Gpr.Rsp] = stack.Pointer;
        }
    }
}
