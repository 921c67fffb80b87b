namespace Emu.Frontend.X86;

/// <summary>Debug registers, breakpoints and debug traps (SDM vol. 3, ch. 18).</summary>
public sealed unsafe partial class X86Cpu
{
    private const ulong Dr6Fixed = 0xffff_0ff0;
    private const ulong Dr6Writable = 0xe00f;
    private const ulong Dr7Fixed = 0x400;
    private const ulong Dr7Writable = 0xffff_23ff;

    private const int BreakOnExecute = 0;
    private const int BreakOnWrite = 1;
    private const int BreakOnPort = 2;

    private bool _hasDataBreakpoints;
    private bool _enteredHandlerStepping;

    /// <summary>True when DR7 enables an instruction breakpoint.</summary>
    public bool HasInstructionBreakpoints { get; private set; }

    /// <summary>True when any breakpoint is enabled: instructions must run one by one, for the trap to come right after the one that hit.</summary>
    public bool HasBreakpoints => HasInstructionBreakpoints || HasPortBreakpoints || _hasDataBreakpoints;

    /// <summary>True when DR7 and CR4.DE enable a port breakpoint.</summary>
    private bool HasPortBreakpoints { get; set; }

    /// <summary>The linear address of the next instruction.</summary>
    public ulong LinearPc => Is64Bit ? State->Header.Pc : (uint)(State->Header.Pc + State->SegmentBase[X86Segment.Cs]);

    /// <summary>DR6 bits of the instruction breakpoints at a linear address: zero when none, or while RFLAGS.RF is set.</summary>
    public ulong MatchInstructionBreakpoint(ulong linear)
    {
        ulong status = 0;
        for (int i = 0; i < 4 && (State->SystemFlags & Rflags.Rf) == 0; i++)
        {
            bool hit = IsEnabled(i) && KindOf(i) == BreakOnExecute && State->Dr[i] == linear;
            status |= hit ? 1UL << i : 0;
        }

        return status;
    }

    /// <summary>
    /// Notes the single-step trap that follows an instruction which began with RFLAGS.TF set. To be called after each such
    /// instruction that completes; those that clear TF on entering a handler (INT n, SYSCALL) do not trap.
    /// </summary>
    public void NoteSingleStep()
    {
        State->PendingDebugTraps |= _enteredHandlerStepping ? 0 : Dr6SingleStep;
        _enteredHandlerStepping = false;
    }

    /// <summary>
    /// To be called where an instruction that can go on later faults after a part of its work: under RFLAGS.TF the trap for that part comes
    /// first (SDM vol. 2, VGATHERDPS), and the fault when the instruction is executed again.
    /// </summary>
    internal void TrapInsteadOfFault()
    {
        if ((State->SystemFlags & Rflags.Tf) != 0)
        {
            PendingFault = new X86Fault(X86Vector.Debug, 0, Dr6SingleStep);
        }
    }

    /// <summary>
    /// Delivers the #DB of <see cref="X86CpuState.PendingDebugTraps"/>, if any is pending; <c>Header.Pc</c> is the next
    /// instruction's RIP. Returns false on a triple fault.
    /// </summary>
    public bool TakeDebugTrap()
    {
        ulong status = State->PendingDebugTraps;
        return status == 0 || DeliverException(new X86Fault(X86Vector.Debug, 0, status));
    }

    /// <summary>MOV from DRn.</summary>
    internal ulong ReadDebug(int number)
    {
        number = CheckDebugAccess(number);
        return State->Dr[number];
    }

    /// <summary>MOV to DRn.</summary>
    internal void WriteDebug(int number, ulong value)
    {
        number = CheckDebugAccess(number);
        if (number >= 6 && value >> 32 != 0)
        {
            RaiseGeneralProtection();
        }

        State->Dr[number] = number switch
        {
            6 => (value & Dr6Writable) | Dr6Fixed,
            7 => (value & Dr7Writable) | Dr7Fixed,
            _ => value,
        };
        UpdateBreakpoints();
    }

    /// <summary>The checks of every debug register access. Returns the register meant: without CR4.DE, DR4 and DR5 are DR6 and DR7.</summary>
    private int CheckDebugAccess(int number)
    {
        if (number is 4 or 5)
        {
            if ((State->Cr4 & ControlBits.Cr4De) != 0)
            {
                RaiseInvalidOpcode();
            }

            number += 2;
        }

        if (number is < 0 or > 7)
        {
            RaiseInvalidOpcode();
        }

        CheckPrivileged();
        if ((State->Dr[7] & Dr7GeneralDetect) != 0)
        {
            PendingFault = new X86Fault(X86Vector.Debug, 0, Dr6DebugRegisterAccess);
            throw GuestFaultException.Instance;
        }

        return number;
    }

    private bool IsEnabled(int breakpoint) => (State->Dr[7] >> (breakpoint * 2) & 3) != 0;

    private int KindOf(int breakpoint) => (int)(State->Dr[7] >> (16 + (breakpoint * 4))) & 3;

    private int LengthOf(int breakpoint) => (int)(State->Dr[7] >> (18 + (breakpoint * 4)) & 3) switch
    {
        0 => 1,
        1 => 2,
        2 => 8,
        _ => 4,
    };

    /// <summary>Recomputes what is watched from DR0–DR3, DR7 and CR4.DE.</summary>
    private void UpdateBreakpoints()
    {
        bool data = false;
        HasInstructionBreakpoints = false;
        HasPortBreakpoints = false;
        for (int i = 0; i < 4; i++)
        {
            if (IsEnabled(i))
            {
                int kind = KindOf(i);
                HasInstructionBreakpoints |= kind == BreakOnExecute;
                HasPortBreakpoints |= kind == BreakOnPort && (State->Cr4 & ControlBits.Cr4De) != 0;
                data |= kind is not (BreakOnExecute or BreakOnPort);
            }
        }

        if (data || _hasDataBreakpoints)
        {
            _hasDataBreakpoints = data;
            Mmu.SetWatchpoints(data ? IsWatchedPage : null, data ? NoteDataAccess : null);
            Mmu.Flush(includeGlobal: true);
        }
    }

    private bool IsWatchedPage(ulong page)
    {
        for (int i = 0; i < 4; i++)
        {
            if (IsEnabled(i) && KindOf(i) is not (BreakOnExecute or BreakOnPort) && (State->Dr[i] & ~0xfffUL) == page)
            {
                return true;
            }
        }

        return false;
    }

    private void NoteDataAccess(ulong linear, int size, bool write)
    {
        for (int i = 0; i < 4; i++)
        {
            int kind = KindOf(i);
            bool wanted = IsEnabled(i) && (kind == BreakOnWrite ? write : kind is not (BreakOnExecute or BreakOnPort));
            if (wanted && Overlaps(i, linear, size))
            {
                State->PendingDebugTraps |= 1UL << i;
            }
        }
    }

    private void NotePortAccess(ushort port, int size)
    {
        for (int i = 0; i < 4; i++)
        {
            if (IsEnabled(i) && KindOf(i) == BreakOnPort && Overlaps(i, port, size))
            {
                State->PendingDebugTraps |= 1UL << i;
            }
        }
    }

    // The CPU ignores address bits below the breakpoint's length.
    private bool Overlaps(int breakpoint, ulong start, int size)
    {
        int length = LengthOf(breakpoint);
        ulong watched = State->Dr[breakpoint] & ~((ulong)length - 1);
        return start < watched + (uint)length && watched < start + (uint)size;
    }
}
