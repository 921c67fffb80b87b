using Emu.Core.Cpu;

namespace Emu.Frontend.X86;

/// <summary>IRET (SDM vol. 2, IRET/IRETD/IRETQ).</summary>
public sealed unsafe partial class X86Cpu
{
    private const ulong FlagsAlways = Rflags.Arithmetic | Rflags.Tf | Rflags.Df | Rflags.Nt;
    private const ulong FlagsWide = Rflags.Rf | Rflags.Ac | Rflags.Id;
    private const ulong FlagsVirtual = Rflags.Vif | Rflags.Vip;

    /// <summary>IRET.</summary>
    internal void Iret(int size)
    {
        if (HasRealSegments)
        {
            IretReal(size);
        }
        else if ((State->SystemFlags & Rflags.Nt) != 0)
        {
            IretTask();
        }
        else
        {
            IretProtected(size);
        }

        State->NmiBlocked = 0;
    }

    private void IretReal(int size)
    {
        if (IsVm86 && Iopl < 3)
        {
            RaiseGeneralProtection();
        }

        StackCursor stack = CurrentStack();
        ulong rip = stack.Pop(size);
        ushort selector = (ushort)stack.Pop(size);
        ulong flags = stack.Pop(size);
        ulong writable = FlagsAlways | Rflags.If | (size > 2 ? FlagsWide : 0) | (IsVm86 ? 0 : Rflags.Iopl);
        EnterRealCode(selector, rip);
        State->Gpr[X86Gpr.Rsp] = stack.Pointer;
        MergeFlags(flags, writable);
    }

    private void IretTask()
    {
        if (IsLongMode)
        {
            RaiseGeneralProtection();
        }

        ushort link = (ushort)ReadLinear((uint)State->TrBase, 2, SoftMmu.MmuMode.Supervisor);
        SwitchTask(link, ReadTaskDescriptor(link, 0, X86Vector.InvalidTss, busy: true), TaskSwitchCause.Return, 0, resume: false);
    }

    private void IretProtected(int size)
    {
        StackCursor stack = CurrentStack();
        ulong rip = stack.Pop(size);
        ushort selector = (ushort)stack.Pop(size);
        ulong flags = stack.Pop(size);
        if ((flags & Rflags.Vm) != 0 && size == 4 && State->Cpl == 0 && !IsLongMode)
        {
            IretToVm86(ref stack, rip, selector, flags);
            return;
        }

        Descriptor code = ReadReturnTarget(selector);
        CheckTargetOffset(code, rip);
        uint cpl = selector & 3u;
        bool outward = cpl != State->Cpl;
        ulong writable = IretWritableFlags(size);
        if (outward || Is64Bit)
        {
            ulong pointer = stack.Pop(size);
            ushort stackSelector = (ushort)stack.Pop(size);
            SegmentState stackSegment = ResolveStack(stackSelector, cpl, X86Vector.GeneralProtection, 0, IsLongMode && code.IsLong);
            SegmentState codeSegment = MarkAccessed(code).ToSegment(selector);
            if (outward)
            {
                ReturnOutward(codeSegment, cpl, rip, stackSegment, pointer);
            }
            else
            {
                SetCode(codeSegment, cpl, rip);
                SetStack(stackSegment, pointer);
            }
        }
        else
        {
            SetCode(MarkAccessed(code).ToSegment(selector), cpl, rip);
            State->Gpr[X86Gpr.Rsp] = stack.Pointer;
        }

        MergeFlags(flags, writable);
    }

    /// <summary>The flags that IRET may change, by the privilege it starts with.</summary>
    private ulong IretWritableFlags(int size)
    {
        ulong writable = FlagsAlways;
        writable |= size > 2 ? FlagsWide : 0;
        writable |= State->Cpl <= Iopl ? Rflags.If : 0;
        if (State->Cpl == 0)
        {
            writable |= Rflags.Iopl | (size > 2 ? FlagsVirtual : 0);
        }

        return writable;
    }

    private void IretToVm86(ref StackCursor stack, ulong rip, ushort selector, ulong flags)
    {
        ulong pointer = stack.Pop(4);
        Span<ushort> selectors = stackalloc ushort[6];
        selectors[X86Segment.Cs] = selector;
        selectors[X86Segment.Ss] = (ushort)stack.Pop(4);
        selectors[X86Segment.Es] = (ushort)stack.Pop(4);
        selectors[X86Segment.Ds] = (ushort)stack.Pop(4);
        selectors[X86Segment.Fs] = (ushort)stack.Pop(4);
        selectors[X86Segment.Gs] = (ushort)stack.Pop(4);
        if (rip > 0xffff)
        {
            RaiseGeneralProtection();
        }

        EnterVm86(selectors);
        State->Gpr[X86Gpr.Rsp] = (uint)pointer;
        State->Header.Pc = rip;
        SetRflags(flags);
    }

    /// <summary>Loads all segment registers as virtual-8086 mode has them, sets VM and CPL 3; the caller updates the mode.</summary>
    private void EnterVm86(ReadOnlySpan<ushort> selectors)
    {
        State->SystemFlags |= Rflags.Vm;
        for (int segment = X86Segment.Es; segment <= X86Segment.Gs; segment++)
        {
            SetSegment(segment, RealSegment(segment, selectors[segment]));
        }

        State->Cpl = 3;
    }

    /// <summary>Replaces the <paramref name="writable"/> bits of RFLAGS.</summary>
    private void MergeFlags(ulong flags, ulong writable) => SetRflags((GetRflags() & ~writable) | (flags & writable));
}
