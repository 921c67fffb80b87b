using Emu.Core.Cpu;
using Emu.Frontend.SoftMmu;

namespace Emu.Frontend.X86;

/// <summary>The instructions that raise a software interrupt (SDM vol. 2, INT n/INTO/INT3/INT1).</summary>
public enum SoftwareInterruptKind
{
    /// <summary>INT n: needs IOPL 3 in virtual-8086 mode.</summary>
    IntN,

    /// <summary>INT3.</summary>
    Int3,

    /// <summary>INTO with OF set.</summary>
    Into,

    /// <summary>INT1: not checked against the gate's DPL.</summary>
    Int1,
}

/// <summary>Which events there are and how faults during their delivery combine (SDM vol. 3, 6.15, interrupt 8).</summary>
public sealed unsafe partial class X86Cpu
{
    // A chain of delivery faults ends after at most four: benign, contributory, page fault, double fault.
    private const int MaxDeliveryFaults = 8;

    private const ulong Dr6BreakpointMask = 0xf;
    private const ulong Dr6DebugRegisterAccess = 1 << 13;
    private const ulong Dr6SingleStep = 1 << 14;
    private const ulong Dr6TaskSwitch = 1 << 15;
    private const ulong Dr7GeneralDetect = 1 << 13;

    private enum FaultClass
    {
        Benign,
        Contributory,
        PageFault,
    }

    /// <summary>An event on its way through the IDT.</summary>
    /// <param name="Vector">Vector.</param>
    /// <param name="Checked">The gate's DPL is checked: INT n, INT3, INTO.</param>
    /// <param name="External">EXT bit of error codes that its delivery may cause.</param>
    /// <param name="HasError">An error code is pushed.</param>
    /// <param name="Error">The error code.</param>
    /// <param name="Resume">The pushed flags have RF set: the instruction restarts after a fault.</param>
    private readonly record struct CpuEvent(byte Vector, bool Checked, uint External, bool HasError = false, uint Error = 0, bool Resume = false);

    /// <summary>
    /// Delivers an exception; <c>Header.Pc</c> is the restart RIP (for traps, the next instruction's). Faults of the delivery
    /// itself combine to #DF. Returns false on a triple fault: the CPU is in shutdown.
    /// </summary>
    public bool DeliverException(in X86Fault fault)
    {
        State->PendingDebugTraps = 0;
        State->Header.Pc = fault.RestartPc ?? State->Header.Pc;
        X86Fault current = fault;
        for (int i = 0; i < MaxDeliveryFaults; i++)
        {
            try
            {
                Deliver(ToEvent(current));
                return true;
            }
            catch (GuestFaultException)
            {
                X86Fault next = PendingFault;
                if (next.Vector == X86Vector.PageFault)
                {
                    // CR2 names the latest page fault even when it ends up as part of a double fault.
                    State->Cr2 = next.LinearAddress;
                }

                FaultClass second = ClassOf(next.Vector);
                if (current.Vector == X86Vector.DoubleFault && second != FaultClass.Benign)
                {
                    return false;
                }

                current = IsDouble(ClassOf(current.Vector), second) ? new X86Fault(X86Vector.DoubleFault, 0) : next;
            }
        }

        return false;
    }

    /// <summary>Delivers an acknowledged external interrupt. Returns false on a triple fault.</summary>
    public bool DeliverInterrupt(byte vector) => DeliverExternal(new CpuEvent(vector, false, 1));

    /// <summary>Delivers an NMI and blocks further ones until IRET. Returns false on a triple fault.</summary>
    public bool DeliverNmi()
    {
        State->NmiPending = 0;
        State->NmiBlocked = 1;
        return DeliverExternal(new CpuEvent((byte)X86Vector.Nmi, false, 1));
    }

    /// <summary>Told the vector of INT n, INT3, INTO and INT1 before they are delivered (<c>-d int</c>).</summary>
    public Action<byte>? SoftwareInterrupted { get; set; }

    /// <summary>INT n, INT3, INTO, INT1.</summary>
    internal void SoftwareInterrupt(byte vector, SoftwareInterruptKind kind)
    {
        if (kind == SoftwareInterruptKind.IntN && IsVm86 && Iopl < 3)
        {
            RaiseGeneralProtection();
        }

        SoftwareInterrupted?.Invoke(vector);
        bool stepping = (State->SystemFlags & Rflags.Tf) != 0;
        Deliver(new CpuEvent(vector, kind != SoftwareInterruptKind.Int1, kind == SoftwareInterruptKind.Int1 ? 1u : 0));
        _enteredHandlerStepping = stepping;
    }

    private bool DeliverExternal(in CpuEvent interrupt)
    {
        try
        {
            Deliver(interrupt);
            return true;
        }
        catch (GuestFaultException)
        {
            return DeliverException(PendingFault);
        }
    }

    /// <summary>Loads CR2 or DR6 and describes the exception.</summary>
    private CpuEvent ToEvent(in X86Fault fault)
    {
        bool resume = true;
        switch (fault.Vector)
        {
            case X86Vector.PageFault:
                State->Cr2 = fault.LinearAddress;
                break;
            case X86Vector.Debug:
                // The image has RF set only for faults, and not for instruction breakpoints (SDM vol. 3, 18.3.1.1).
                resume = (fault.DebugStatus & Dr6DebugRegisterAccess) != 0;
                RecordDebugStatus(fault.DebugStatus);
                break;
            case X86Vector.Breakpoint or X86Vector.Overflow or X86Vector.Nmi:
                resume = false;
                break;
        }

        return new CpuEvent((byte)fault.Vector, false, 1, PushesErrorCode(fault.Vector), fault.ErrorCode, resume);
    }

    private void RecordDebugStatus(ulong status)
    {
        if ((status & Dr6BreakpointMask) != 0)
        {
            State->Dr[6] &= ~Dr6BreakpointMask;
        }

        State->Dr[6] |= status;
        if ((State->Dr[7] & Dr7GeneralDetect) != 0)
        {
            State->Dr[7] &= ~Dr7GeneralDetect;
        }
    }

    private static bool PushesErrorCode(X86Vector vector) => vector is X86Vector.DoubleFault
        or (>= X86Vector.InvalidTss and <= X86Vector.PageFault) or X86Vector.AlignmentCheck;

    private static FaultClass ClassOf(X86Vector vector) => vector switch
    {
        X86Vector.DivideError or (>= X86Vector.InvalidTss and <= X86Vector.GeneralProtection) => FaultClass.Contributory,
        X86Vector.PageFault => FaultClass.PageFault,
        _ => FaultClass.Benign,
    };

    private static bool IsDouble(FaultClass first, FaultClass second) =>
        (first == FaultClass.Contributory && second == FaultClass.Contributory) || (first == FaultClass.PageFault && second != FaultClass.Benign);

    private void Deliver(in CpuEvent e)
    {
        if (!IsProtected)
        {
            DeliverReal(e);
        }
        else if (IsLongMode)
        {
            DeliverLong(e);
        }
        else
        {
            DeliverProtected(e);
        }

        State->Halted = 0;
        State->InterruptShadow = 0;
    }

    /// <summary>Real mode: four-byte vectors (SDM vol. 3, 20.1.4). No error codes.</summary>
    private void DeliverReal(in CpuEvent e)
    {
        uint offset = e.Vector * 4u;
        if (offset + 3 > State->IdtrLimit)
        {
            RaiseGeneralProtection((e.Vector * 8u) + 2);
        }

        uint target = (uint)ReadLinear((uint)(State->IdtrBase + offset), 4, MmuMode.Supervisor);
        SegmentState code = RealSegment(X86Segment.Cs, (ushort)(target >> 16));
        if ((target & 0xffff) > code.Limit)
        {
            RaiseGeneralProtection();
        }

        ulong flags = GetRflags();
        StackCursor stack = CurrentStack();
        stack.Probe(3, 2);
        stack.Push(flags, 2);
        stack.Push(State->Segment[X86Segment.Cs].Selector, 2);
        stack.Push(State->Header.Pc, 2);

        State->Gpr[X86Gpr.Rsp] = stack.Pointer;
        SetCode(code, 0, target & 0xffff);
        SetRflags(flags & ~(Rflags.If | Rflags.Tf | Rflags.Ac | Rflags.Rf));
    }

    /// <summary>Commits CS, CPL and RIP; the caller updates the mode (usually by setting RFLAGS).</summary>
    private void SetCode(in SegmentState code, uint cpl, ulong rip)
    {
        SetSegment(X86Segment.Cs, code with { Selector = HasRealSegments ? code.Selector : (ushort)((code.Selector & ~3) | (int)cpl) });
        State->Cpl = cpl;
        State->Header.Pc = rip;
    }
}
