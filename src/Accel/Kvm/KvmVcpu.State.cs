using Emu.Accel.Kvm.Native;
using Emu.Core.Cpu;

namespace Emu.Accel.Kvm;

/// <content>The architectural state, to and from <see cref="X86State"/>.</content>
internal sealed partial class KvmVcpu
{
    private readonly KvmMsrs _msrs;

    /// <inheritdoc/>
    public X86State GetState()
    {
        SyncRegisters();
        KvmDebugRegs debug = default;
        KvmXcrs xcrs = default;
        KvmXsave xsave = default;
        Demand(KvmIoctl.GetDebugRegs, ref debug, "KVM_GET_DEBUGREGS");
        Demand(KvmIoctl.GetXsave, ref xsave, "KVM_GET_XSAVE");
        xcrs.Value = 1;
        if (_context.HasXcrs)
        {
            Demand(KvmIoctl.GetXcrs, ref xcrs, "KVM_GET_XCRS");
        }

        KvmMpState waiting = MpState;
        SortedDictionary<uint, ulong> msrs = _msrs.Read();
        X86State state = KvmStateCodec.Decode(_run.Regs, _run.Sregs, _run.Events, debug);
        foreach ((uint index, ulong value) in state.Msrs)
        {
            msrs[index] = value;
        }

        return state with
        {
            Msrs = msrs,
            Xcr0 = xcrs.Value,
            Xsave = KvmStateCodec.DecodeXsave(xsave),
            Halted = _halted || waiting == KvmMpState.Halted,
            WaitForSipi = _waitForSipi || waiting is KvmMpState.Uninitialized or KvmMpState.InitReceived,
            Apic = _apic?.GetState() ?? GetKernelApic(),
        };
    }

    /// <inheritdoc/>
    /// <exception cref="KvmException">KVM refuses a part of the state; what was set before it stays.</exception>
    public void SetState(X86State state)
    {
        ArgumentNullException.ThrowIfNull(state);

        // What was latched belongs to the state that goes.
        Interlocked.And(ref _requests, (int)~(KvmRequest.Init | KvmRequest.Sipi | KvmRequest.Nmi));
        ReplaceState(state);
    }

    private void ReplaceState(X86State state)
    {
        KvmStateCodec.Validate(state);
        SyncRegisters();
        _deferredExit = null;
        MpState = KvmMpState.Runnable;
        SetExtendedState(state);
        _msrs.Write(state.Msrs);
        SetRegisters(state);
        SetApic(state);
        if (_apic is null)
        {
            MpState = state.WaitForSipi ? KvmMpState.Uninitialized : state.Halted ? KvmMpState.Halted : KvmMpState.Runnable;
        }
        else
        {
            _halted = state.Halted;
            _waitForSipi = state.WaitForSipi;
        }

        _run.ReadyForInterrupt = false;
        _run.InterruptFlag = (state.Rflags & 0x200) != 0;
    }

    /// <summary>Returns a local APIC in the kernel to its power-on state.</summary>
    internal void ResetKernelApic()
    {
        KvmLapicState page = _resetApic;
        Demand(KvmIoctl.SetLapic, ref page, "KVM_SET_LAPIC");
    }

    /// <summary>KVM's own notion of what the vCPU waits for; only with the local APIC in the kernel.</summary>
    private KvmMpState MpState
    {
        get
        {
            KvmMpState state = KvmMpState.Runnable;
            if (_apic is null)
            {
                Demand(KvmIoctl.GetMpState, ref state, "KVM_GET_MP_STATE");
            }

            return state;
        }

        set
        {
            if (_apic is null)
            {
                Demand(KvmIoctl.SetMpState, ref value, "KVM_SET_MP_STATE");
            }
        }
    }

    /// <summary>
    /// Copies the registers into the shared memory. I/O whose instruction is not complete is completed first: else KVM
    /// would complete it later, into another state. An instruction may go on with more I/O, which is done here.
    /// </summary>
    private void SyncRegisters(bool dispatch = true)
    {
        int current = CurrentVcpu.Index;
        CurrentVcpu.Index = Index;
        _run.ValidRegs = KvmRunArea.SyncAll;
        try
        {
            while (true)
            {
                _run.ImmediateExit = true;
                _run.Cr8 = _apic?.TaskPriorityClass ?? _run.Cr8;
                int result = _kernel.Ioctl(_fd, KvmIoctl.Run, 0);
                if (result is -Errno.Interrupted or -Errno.Again || !dispatch)
                {
                    return;
                }

                if (HandleRun(result) is VcpuExit exit)
                {
                    _deferredExit = exit;
                    return;
                }
            }
        }
        finally
        {
            _run.ValidRegs = 0;
            CurrentVcpu.Index = current;
        }
    }

    private void SetExtendedState(X86State state)
    {
        if (_context.HasXcrs)
        {
            var xcrs = new KvmXcrs { Count = 1, Value = state.Xcr0 | 1 };
            Demand(KvmIoctl.SetXcrs, ref xcrs, "KVM_SET_XCRS");
        }

        KvmXsave xsave = KvmStateCodec.EncodeXsave(state.Xsave);
        Demand(KvmIoctl.SetXsave, ref xsave, "KVM_SET_XSAVE");
        KvmDebugRegs debug = KvmStateCodec.EncodeDebug(state);
        Demand(KvmIoctl.SetDebugRegs, ref debug, "KVM_SET_DEBUGREGS");
    }

    private void SetRegisters(X86State state)
    {
        ulong apicBase = state.Apic?.BaseMsr ?? _apic?.BaseMsr ?? _run.Sregs.ApicBase;
        _run.Regs = KvmStateCodec.EncodeRegs(state);
        _run.Sregs = KvmStateCodec.EncodeSregs(state, apicBase);
        _run.Events = KvmStateCodec.EncodeEvents(state);
        _run.DirtyRegs = KvmRunArea.SyncAll;
        _run.Cr8 = state.Cr8; // with the local APIC in user space KVM takes it from here
        _run.ImmediateExit = true;
        int result = _kernel.Ioctl(_fd, KvmIoctl.Run, 0);
        _run.DirtyRegs = 0;
        if (result is not (-Errno.Interrupted or -Errno.Again))
        {
            throw KvmException.Failed($"KVM refuses the registers of vCPU {Index}", Math.Max(0, -result));
        }
    }

    private void SetApic(X86State state)
    {
        if (_apic is not null)
        {
            if (state.Apic is not null)
            {
                _apic.SetState(state.Apic);
            }

            if (_apic.TaskPriorityClass != state.Cr8)
            {
                _apic.TaskPriorityClass = (byte)state.Cr8;
            }
        }
        else if (state.Apic is LocalApicState apic)
        {
            KvmLapicState page = default;
            Demand(KvmIoctl.GetLapic, ref page, "KVM_GET_LAPIC");
            KvmLapicCodec.Encode(apic, page);
            Demand(KvmIoctl.SetLapic, ref page, "KVM_SET_LAPIC");
            _msrs.TscDeadline = apic.TscDeadline;
        }
    }

    private LocalApicState GetKernelApic()
    {
        KvmLapicState page = default;
        Demand(KvmIoctl.GetLapic, ref page, "KVM_GET_LAPIC");
        return KvmLapicCodec.Decode(page, _run.Sregs.ApicBase, _msrs.TscDeadline);
    }

    private VcpuExit StepOnce()
    {
        if (TakeRequests() is VcpuExit exit)
        {
            return exit;
        }

        if (IsWaiting())
        {
            return new VcpuExit(VcpuExitReason.Stepped);
        }

        var debug = new KvmGuestDebug { Control = KvmGuestDebug.Enable | KvmGuestDebug.SingleStep };
        Demand(KvmIoctl.SetGuestDebug, ref debug, "KVM_SET_GUEST_DEBUG");
        PrepareInterrupts();
        VcpuExit? left = HandleRun(EnterGuest());
        debug.Control = 0;
        Demand(KvmIoctl.SetGuestDebug, ref debug, "KVM_SET_GUEST_DEBUG");
        if (left is null)
        {
            // I/O or a halt: the instruction ends when KVM has taken the answer.
            SyncRegisters();
        }

        return left ?? new VcpuExit(VcpuExitReason.Stepped);
    }
}
