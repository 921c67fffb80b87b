using Emu.Core.Cpu;
using Emu.Frontend.SoftMmu;

namespace Emu.Frontend.X86;

/// <summary>Far JMP, CALL and RET (SDM vol. 2 under their names; vol. 3, 5.8).</summary>
public sealed unsafe partial class X86Cpu
{
    /// <summary>Far JMP.</summary>
    internal void FarJump(ulong offset, ushort selector, int size)
    {
        offset &= SizeMask(size);
        if (HasRealSegments)
        {
            EnterRealCode(selector, offset);
            return;
        }

        Descriptor target = ReadTransferTarget(selector);
        if (target.IsSystem)
        {
            TransferThroughSystem(target, selector, call: false);
            return;
        }

        CheckDirectTarget(target, selector);
        CheckTargetOffset(target, offset);
        SetCode(MarkAccessed(target).ToSegment(selector), State->Cpl, offset);
        UpdateMode();
    }

    /// <summary>Far CALL; the return address is in <c>Header.Pc</c>.</summary>
    internal void FarCall(ulong offset, ushort selector, int size)
    {
        offset &= SizeMask(size);
        StackCursor stack = CurrentStack();
        if (HasRealSegments)
        {
            CheckRealOffset(selector, offset);
            PushReturn(ref stack, size);
            EnterRealCode(selector, offset);
            State->Gpr[X86Gpr.Rsp] = stack.Pointer;
            return;
        }

        Descriptor target = ReadTransferTarget(selector);
        if (target.IsSystem)
        {
            TransferThroughSystem(target, selector, call: true);
            return;
        }

        CheckDirectTarget(target, selector);
        CheckTargetOffset(target, offset);
        target = MarkAccessed(target);
        PushReturn(ref stack, size);
        State->Gpr[X86Gpr.Rsp] = stack.Pointer;
        SetCode(target.ToSegment(selector), State->Cpl, offset);
        UpdateMode();
    }

    /// <summary>Far RET, releasing <paramref name="release"/> bytes of parameters.</summary>
    internal void FarReturn(uint release, int size)
    {
        StackCursor stack = CurrentStack();
        ulong rip = stack.Pop(size);
        ushort selector = (ushort)stack.Pop(size);
        stack.Move(release);
        if (HasRealSegments)
        {
            EnterRealCode(selector, rip);
            State->Gpr[X86Gpr.Rsp] = stack.Pointer;
            return;
        }

        Descriptor code = ReadReturnTarget(selector);
        CheckTargetOffset(code, rip);
        uint cpl = selector & 3u;
        if (cpl == State->Cpl)
        {
            SetCode(MarkAccessed(code).ToSegment(selector), cpl, rip);
            State->Gpr[X86Gpr.Rsp] = stack.Pointer;
            UpdateMode();
            return;
        }

        ulong pointer = stack.Pop(size);
        ushort stackSelector = (ushort)stack.Pop(size);
        SegmentState stackSegment = ResolveStack(stackSelector, cpl, X86Vector.GeneralProtection, 0, IsLongMode && code.IsLong);
        ReturnOutward(MarkAccessed(code).ToSegment(selector), cpl, rip, stackSegment, pointer);
        ulong mask = StackMask;
        State->Gpr[X86Gpr.Rsp] = (State->Gpr[X86Gpr.Rsp] & ~mask) | ((State->Gpr[X86Gpr.Rsp] + release) & mask);
        UpdateMode();
    }

    private static ulong SizeMask(int size) => size switch
    {
        2 => 0xffff,
        4 => 0xffff_ffff,
        _ => ulong.MaxValue,
    };

    private void PushReturn(ref StackCursor stack, int size)
    {
        stack.Probe(2, size);
        stack.Push(State->Segment[X86Segment.Cs].Selector, size);
        stack.Push(State->Header.Pc, size);
    }

    private void CheckRealOffset(ushort selector, ulong offset)
    {
        if (offset > RealSegment(X86Segment.Cs, selector).Limit)
        {
            RaiseGeneralProtection();
        }
    }

    private void EnterRealCode(ushort selector, ulong offset)
    {
        CheckRealOffset(selector, offset);
        SetSegment(X86Segment.Cs, RealSegment(X86Segment.Cs, selector));
        State->Header.Pc = offset;
        UpdateMode();
    }

    private Descriptor ReadTransferTarget(ushort selector)
    {
        if ((selector & ~3) == 0)
        {
            RaiseGeneralProtection();
        }

        Descriptor target = ReadDescriptor(selector, X86Vector.GeneralProtection, 0);
        if (target.IsData)
        {
            RaiseGeneralProtection(SelectorError(selector));
        }

        return target;
    }

    private void CheckDirectTarget(Descriptor code, ushort selector)
    {
        uint rpl = selector & 3u;
        bool allowed = code.IsConforming ? code.Dpl <= State->Cpl : rpl <= State->Cpl && code.Dpl == State->Cpl;
        CheckCodeDescriptor(code, selector, allowed);
    }

    /// <summary>#GP unless <paramref name="allowed"/> and the size bits make sense, #NP unless present.</summary>
    private void CheckCodeDescriptor(Descriptor code, ushort selector, bool allowed)
    {
        if (!allowed || (IsLongMode && code.IsLong && code.IsBig))
        {
            RaiseGeneralProtection(SelectorError(selector));
        }

        if (!code.IsPresent)
        {
            Raise(X86Vector.SegmentNotPresent, SelectorError(selector));
        }
    }

    private void CheckTargetOffset(Descriptor code, ulong offset)
    {
        bool valid = IsLongMode && code.IsLong ? IsCanonical(offset) : offset <= code.Limit;
        if (!valid)
        {
            RaiseGeneralProtection();
        }
    }

    /// <summary>Reads and checks the code segment that RET or IRET returns to.</summary>
    private Descriptor ReadReturnTarget(ushort selector)
    {
        Descriptor code = ReadTransferTarget(selector);
        uint rpl = selector & 3u;
        bool allowed = code.IsCode && rpl >= State->Cpl && (code.IsConforming ? code.Dpl <= rpl : code.Dpl == rpl);
        CheckCodeDescriptor(code, selector, allowed);
        return code;
    }

    /// <summary>Commits a return to a less privileged level. The caller updates the mode.</summary>
    private void ReturnOutward(in SegmentState code, uint cpl, ulong rip, in SegmentState stackSegment, ulong pointer)
    {
        SetCode(code, cpl, rip);
        SetStack(stackSegment, pointer);
        for (int segment = X86Segment.Es; segment <= X86Segment.Gs; segment++)
        {
            if (segment is not (X86Segment.Cs or X86Segment.Ss))
            {
                HideFromOuter(segment, cpl);
            }
        }
    }

    private void SetStack(in SegmentState stackSegment, ulong pointer)
    {
        SetSegment(X86Segment.Ss, stackSegment);
        ulong mask = StackMask;
        State->Gpr[X86Gpr.Rsp] = mask == 0xffff ? (State->Gpr[X86Gpr.Rsp] & ~mask) | (pointer & mask) : pointer & mask;
    }

    /// <summary>Nulls a data segment register that privilege <paramref name="cpl"/> may not hold.</summary>
    private void HideFromOuter(int segment, uint cpl)
    {
        uint attributes = State->Segment[segment].Attributes;
        const uint ConformingCode = SegmentAttributes.Code | SegmentAttributes.ExpandDownOrConforming;
        bool hidden = (attributes & SegmentAttributes.Unusable) == 0
            && (attributes & ConformingCode) != ConformingCode
            && ((attributes >> SegmentAttributes.DplShift) & 3) < cpl;
        if (hidden)
        {
            SetSegment(segment, NullSegment(0));
        }
    }

    private void TransferThroughSystem(Descriptor target, ushort selector, bool call)
    {
        uint type = target.Type;
        bool gate = type == SystemType.CallGate32 || (!IsLongMode && type is SystemType.CallGate16 or SystemType.TaskGate);
        bool tss = !IsLongMode && type is SystemType.Tss16 or SystemType.Tss32;
        if ((!gate && !tss) || target.Dpl < State->Cpl || target.Dpl < (selector & 3))
        {
            RaiseGeneralProtection(SelectorError(selector));
        }

        if (!target.IsPresent)
        {
            Raise(X86Vector.SegmentNotPresent, SelectorError(selector));
        }

        TaskSwitchCause cause = call ? TaskSwitchCause.Call : TaskSwitchCause.Jump;
        if (tss)
        {
            SwitchTask(selector, ReadTaskDescriptor(selector, 0, X86Vector.GeneralProtection), cause, 0, resume: false);
        }
        else if (type == SystemType.TaskGate)
        {
            SwitchTask(target.GateSelector, ReadTaskDescriptor(target.GateSelector, 0, X86Vector.GeneralProtection), cause, 0, resume: false);
        }
        else
        {
            TransferThroughCallGate(target, selector, call);
        }
    }

    private void TransferThroughCallGate(Descriptor gate, ushort gateSelector, bool call)
    {
        if (IsLongMode && !TryReadUpperHalf(gateSelector, ref gate))
        {
            RaiseGeneralProtection(SelectorError(gateSelector));
        }

        ushort selector = gate.GateSelector;
        Descriptor code = ReadTransferTarget(selector);
        bool sameLevel = code.IsConforming || code.Dpl == State->Cpl;
        bool allowed = code.IsCode && code.Dpl <= State->Cpl && (call || sameLevel) && (!IsLongMode || (code.IsLong && !code.IsBig));
        CheckCodeDescriptor(code, selector, allowed);
        ulong offset = IsLongMode ? gate.GateOffset64 : gate.Type == SystemType.CallGate32 ? gate.GateOffset32 : gate.GateOffset16;
        CheckTargetOffset(code, offset);
        code = MarkAccessed(code);
        if (call)
        {
            CallThroughGate(gate, code, selector, offset, sameLevel);
        }
        else
        {
            SetCode(code.ToSegment(selector), State->Cpl, offset);
            UpdateMode();
        }
    }

    private void CallThroughGate(Descriptor gate, Descriptor code, ushort selector, ulong offset, bool sameLevel)
    {
        int size = IsLongMode ? 8 : gate.Type == SystemType.CallGate32 ? 4 : 2;
        StackCursor old = CurrentStack();
        if (sameLevel)
        {
            PushReturn(ref old, size);
            State->Gpr[X86Gpr.Rsp] = old.Pointer;
            SetCode(code.ToSegment(selector), State->Cpl, offset);
            UpdateMode();
            return;
        }

        uint cpl = code.Dpl;
        SegmentState stackSegment;
        ulong pointer;
        int parameters = 0;
        if (IsLongMode)
        {
            pointer = ReadTssStack64((int)cpl, 0);
            stackSegment = NullSegment((ushort)cpl, cpl);
        }
        else
        {
            (ushort stackSelector, pointer) = ReadTssStack(cpl, 0);
            stackSegment = ResolveStack(stackSelector, cpl, X86Vector.InvalidTss, 0, target64: false);
            parameters = gate.GateParameters;
        }

        var stack = new StackCursor(this, stackSegment, pointer, IsLongMode, MmuMode.Supervisor, SelectorError(stackSegment.Selector));
        stack.Probe(4 + parameters, size);
        stack.Push(State->Segment[X86Segment.Ss].Selector, size);
        stack.Push(State->Gpr[X86Gpr.Rsp], size);
        for (int i = parameters - 1; i >= 0; i--)
        {
            stack.Push(old.Peek((uint)(i * size), size), size);
        }

        stack.Push(State->Segment[X86Segment.Cs].Selector, size);
        stack.Push(State->Header.Pc, size);
        SetCode(code.ToSegment(selector), cpl, offset);
        SetSegment(X86Segment.Ss, stackSegment);
        State->Gpr[X86Gpr.Rsp] = stack.Pointer;
        UpdateMode();
    }
}
