using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Emu.Core.Cpu;

namespace Emu.Frontend.X86;

/// <summary>Reset states (SDM vol. 3, table 10-1).</summary>
public sealed unsafe partial class X86Cpu
{
    private const ulong PatAtReset = 0x0007_0406_0007_0406;
    private const ulong Dr6AtReset = 0xffff_0ff0;
    private const ulong Dr7AtReset = 0x400;

    /// <summary>Power-on state. CPUs other than the boot processor wait for a start-up IPI.</summary>
    public void Reset()
    {
        X86CpuState* s = State;
        NativeMemory.Clear(s->Vector, X86CpuState.VectorCount * X86CpuState.VectorStride);
        NativeMemory.Clear(s->X87, 8 * 16);
        s->X87Control = 0x40;
        s->X87Status = 0;
        s->X87Top = 0;
        s->X87Empty = 0;
        s->X87Opcode = 0;
        s->X87InstructionPointer = 0;
        s->X87DataPointer = 0;
        s->Mxcsr = 0x1f80;
        s->Cr0 = 0;
        s->Xcr0 = 1;
        ResetMsrs();
        ResetArchitecture(ControlBits.Cr0Cd | ControlBits.Cr0Nw);
    }

    /// <summary>State after INIT: x87, SSE, MSRs and the cache-control bits survive. CPUs other than the boot processor wait for a start-up IPI.</summary>
    public void InitReset() => ResetArchitecture(State->Cr0 & (ControlBits.Cr0Cd | ControlBits.Cr0Nw));

    /// <summary>Starts a CPU that waits for a start-up IPI in real mode at <paramref name="vector"/> &lt;&lt; 12 (SDM vol. 3, 9.4.4).</summary>
    public void StartFromSipi(byte vector)
    {
        X86CpuState* s = State;
        s->WaitForSipi = 0;
        SetSegment(X86Segment.Cs, new SegmentState((ushort)(vector << 8), (ulong)vector << 12, 0xffff, RealCodeAttributes));
        s->Header.Pc = 0;
        UpdateMode();
    }

    private void ResetArchitecture(ulong cacheBits)
    {
        X86CpuState* s = State;
        for (int i = 0; i < 16; i++)
        {
            s->Gpr[i] = 0;
        }

        s->Gpr[X86Gpr.Rdx] = Environment.Model.Signature;
        s->Header.Pc = 0xfff0;
        s->Cpl = 0;
        s->Cr0 = cacheBits | ControlBits.Cr0Et;
        s->Cr2 = s->Cr3 = s->Cr4 = 0;
        s->Efer = 0;
        for (int i = 0; i < 8; i++)
        {
            s->Dr[i] = 0;
        }

        s->Dr[6] = Dr6AtReset;
        s->Dr[7] = Dr7AtReset;
        s->GdtrBase = s->IdtrBase = 0;
        s->GdtrLimit = s->IdtrLimit = 0xffff;
        for (int segment = X86Segment.Es; segment <= X86Segment.Gs; segment++)
        {
            SetSegment(segment, new SegmentState(0, 0, 0xffff, RealDataAttributes));
        }

        SetSegment(X86Segment.Cs, new SegmentState(0xf000, 0xffff_0000, 0xffff, RealCodeAttributes));
        SetSegment(X86Segment.Ldtr, new SegmentState(0, 0, 0xffff, SegmentAttributes.Present | SystemType.Ldt));
        SetSegment(X86Segment.Tr, new SegmentState(0, 0, 0xffff, SegmentAttributes.Present | SystemType.BusyTss32));
        s->Halted = s->InterruptShadow = s->NmiBlocked = s->NmiPending = 0;
        s->PendingDebugTraps = 0;
        s->WaitForSipi = Environment.Index == 0 ? 0u : 1u;
        Mmu.Flush(includeGlobal: true);
        Mmu.SwitchAddressSpace(CurrentPcid, keep: true);
        UpdateBreakpoints();
        SetRflags(Rflags.Reserved1);
    }
}
