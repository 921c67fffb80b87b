using Emu.Core.Cpu;

namespace Emu.Frontend.X86;

/// <summary>SYSCALL, SYSRET (AMD APM vol. 2, 6.1.1), SYSENTER, SYSEXIT (SDM vol. 3, 5.8.7) and SWAPGS.</summary>
public sealed unsafe partial class X86Cpu
{
    private const uint FlatCode = SegmentAttributes.Present | SegmentAttributes.NotSystem | SegmentAttributes.Code | SegmentAttributes.ReadWrite
        | SegmentAttributes.Accessed | SegmentAttributes.Granularity;

    private const uint FlatData = SegmentAttributes.Present | SegmentAttributes.NotSystem | SegmentAttributes.ReadWrite | SegmentAttributes.Accessed
        | SegmentAttributes.Granularity | SegmentAttributes.Big;

    // What SYSRET takes from R11: everything but RF and VM.
    private const ulong SysretFlags = 0x3c_7fd7;

    /// <summary>SYSCALL.</summary>
    internal void Syscall()
    {
        X86CpuState* s = State;
        if ((s->Efer & ControlBits.EferSce) == 0 || !IsProtected)
        {
            RaiseInvalidOpcode();
        }

        ulong flags = GetRflags() & ~Rflags.Rf;
        ushort selector = (ushort)(s->Star >> 32 & 0xfffc);
        if (IsLongMode)
        {
            ulong target = Is64Bit ? s->Lstar : s->Cstar;
            s->Gpr[X86Gpr.Rcx] = s->Header.Pc;
            s->Gpr[X86Gpr.R11] = flags;
            EnterFlat(selector, (ushort)(selector + 8), 0, SegmentAttributes.Long, target);
            SetRflags(flags & ~(s->Fmask | Rflags.Vm));
        }
        else
        {
            s->Gpr[X86Gpr.Rcx] = (uint)s->Header.Pc;
            EnterFlat(selector, (ushort)(selector + 8), 0, SegmentAttributes.Big, (uint)s->Star);
            SetRflags(flags & ~(Rflags.Vm | Rflags.If));
        }

        _enteredHandlerStepping = (flags & ~State->SystemFlags & Rflags.Tf) != 0;
    }

    /// <summary>SYSRET. A RCX that is not canonical takes #GP here, before the privilege changes (as on Intel).</summary>
    internal void Sysret(int size)
    {
        X86CpuState* s = State;
        if ((s->Efer & ControlBits.EferSce) == 0 || !IsProtected)
        {
            RaiseInvalidOpcode();
        }

        CheckPrivileged();
        ulong target = size == 8 ? s->Gpr[X86Gpr.Rcx] : (uint)s->Gpr[X86Gpr.Rcx];
        if (!IsCanonical(target))
        {
            RaiseGeneralProtection();
        }

        ushort selector = (ushort)(s->Star >> 48);
        ushort code = (ushort)(size == 8 ? selector + 16 : selector);
        ulong flags = IsLongMode ? s->Gpr[X86Gpr.R11] & SysretFlags : GetRflags() | Rflags.If;
        EnterFlat((ushort)(code | 3), (ushort)((selector + 8) | 3), 3, size == 8 ? SegmentAttributes.Long : SegmentAttributes.Big, target);
        SetRflags(flags);
    }

    /// <summary>SYSENTER.</summary>
    internal void Sysenter()
    {
        X86CpuState* s = State;
        if (!IsProtected || (s->SysenterCs & 0xfffc) == 0)
        {
            RaiseGeneralProtection();
        }

        ushort selector = (ushort)(s->SysenterCs & 0xfffc);
        bool longMode = IsLongMode;
        ulong flags = GetRflags() & ~(Rflags.Vm | Rflags.If | Rflags.Rf);
        s->Gpr[X86Gpr.Rsp] = longMode ? s->SysenterEsp : (uint)s->SysenterEsp;
        ulong target = longMode ? s->SysenterEip : (uint)s->SysenterEip;
        EnterFlat(selector, (ushort)(selector + 8), 0, longMode ? SegmentAttributes.Long : SegmentAttributes.Big, target);
        SetRflags(flags);
    }

    /// <summary>SYSEXIT.</summary>
    internal void Sysexit(int size)
    {
        X86CpuState* s = State;
        if (!IsProtected || (s->SysenterCs & 0xfffc) == 0)
        {
            RaiseGeneralProtection();
        }

        CheckPrivileged();
        ulong target = s->Gpr[X86Gpr.Rdx] & SizeMask(size);
        ulong pointer = s->Gpr[X86Gpr.Rcx] & SizeMask(size);
        if (!IsCanonical(target) || !IsCanonical(pointer))
        {
            RaiseGeneralProtection();
        }

        int offset = size == 8 ? 32 : 16;
        ushort selector = (ushort)((s->SysenterCs & 0xfffc) + (uint)offset);
        s->Gpr[X86Gpr.Rsp] = pointer;
        EnterFlat((ushort)(selector | 3), (ushort)((selector + 8) | 3), 3, size == 8 ? SegmentAttributes.Long : SegmentAttributes.Big, target);
        UpdateMode();
    }

    /// <summary>SWAPGS.</summary>
    internal void Swapgs()
    {
        if (!Is64Bit)
        {
            RaiseInvalidOpcode();
        }

        CheckPrivileged();
        ulong active = State->SegmentBase[X86Segment.Gs];
        State->SegmentBase[X86Segment.Gs] = State->KernelGsBase;
        State->KernelGsBase = active;
    }

    /// <summary>Loads flat CS and SS without looking at descriptors, as the fast calls do; the caller updates the mode.</summary>
    private void EnterFlat(ushort codeSelector, ushort stackSelector, uint cpl, uint codeSize, ulong rip)
    {
        uint dpl = cpl << SegmentAttributes.DplShift;
        State->SystemFlags &= ~Rflags.Vm;
        SetSegment(X86Segment.Cs, new SegmentState(codeSelector, 0, uint.MaxValue, FlatCode | codeSize | dpl));
        SetSegment(X86Segment.Ss, new SegmentState(stackSelector, 0, uint.MaxValue, FlatData | dpl));
        State->Cpl = cpl;
        State->Header.Pc = rip;
    }

    /// <summary>BOUND: #BR unless the signed index lies between the two bounds in memory.</summary>
    internal void Bound(ulong index, ulong linear, int size)
    {
        long value = SignExtend(index, size);
        long lower = SignExtend(ReadLinear(linear, size), size);
        long upper = SignExtend(ReadLinear(linear + (uint)size, size), size);
        if (value < lower || value > upper)
        {
            Raise(X86Vector.BoundRange);
        }
    }

    private static long SignExtend(ulong value, int size) => size == 2 ? (short)value : (int)value;
}
