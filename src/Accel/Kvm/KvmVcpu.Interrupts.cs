using Emu.Accel.Kvm.Native;
using Emu.Core.Cpu;

namespace Emu.Accel.Kvm;

/// <content>Interrupts that come from user space: ExtINT of the 8259, all of a local APIC there, NMI, INIT, start-up IPIs.</content>
internal sealed partial class KvmVcpu
{
    /// <summary>Injects what is due if KVM takes it now, else asks to be told when it will.</summary>
    private unsafe void PrepareInterrupts()
    {
        if (_interrupts is null)
        {
            return;
        }

        bool pending = _interrupts.HasPendingInterrupt;
        if (pending && _run.ReadyForInterrupt && _run.InterruptFlag)
        {
            uint vector = unchecked((uint)_interrupts.AcknowledgeInterrupt());
            if ((int)vector >= 0)
            {
                int result = Ioctl(KvmIoctl.Interrupt, (nint)(&vector));
                if (result < 0)
                {
                    throw KvmException.Failed($"KVM_INTERRUPT of vCPU {Index} failed", -result);
                }

                _statistics.Interrupts++;
            }

            // KVM takes one at a time and says after the next exit whether it is ready again.
            _run.ReadyForInterrupt = false;
            pending = _interrupts.HasPendingInterrupt;
        }

        _run.RequestInterruptWindow = pending;
        if (_apic is not null)
        {
            _run.Cr8 = _apic.TaskPriorityClass;
        }
    }

    // The guest changes CR8 and IA32_APIC_BASE without an exit; the local APIC is told of both before anything else.
    private void FollowApicRegisters()
    {
        if (_apic is null)
        {
            return;
        }

        if (_run.Cr8 != _apic.TaskPriorityClass)
        {
            _apic.TaskPriorityClass = (byte)(_run.Cr8 & 15);
        }

        if (_run.ApicBase != _apic.BaseMsr)
        {
            _ = _apic.TryWriteBaseMsr(_run.ApicBase);
        }
    }

    private void TakeNmi()
    {
        int result = Ioctl(KvmIoctl.Nmi, 0);
        if (result < 0)
        {
            throw KvmException.Failed($"KVM_NMI of vCPU {Index} failed", -result);
        }

        _halted = false;
    }

    // SDM vol. 3, 9.4.3: registers as after power-on, but x87, SSE, MSRs and the cache bits survive. A start-up IPI that comes
    // meanwhile stays latched.
    private void TakeInit()
    {
        _apic?.InitReset();
        X86State before = GetState();
        ReplaceState(InitState.After(before, _context.Environment.Model.Signature) with { WaitForSipi = Index != 0 });
    }

    private void TakeSipi(byte vector)
    {
        _waitForSipi = false;
        X86State state = GetState();
        state.Segments[1] = state.Segments[1] with { Selector = (ushort)(vector << 8), Base = (ulong)vector << 12 };
        ReplaceState(state with { Rip = 0, WaitForSipi = false, Halted = false });
    }
}
