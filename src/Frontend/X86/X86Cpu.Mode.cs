using System.Runtime.CompilerServices;
using Emu.Frontend.SoftMmu;
using Emu.Frontend.X86.X87;

namespace Emu.Frontend.X86;

/// <summary>The CPU mode: the translation key, the softmmu mode and the questions helpers ask of it.</summary>
public sealed unsafe partial class X86Cpu
{
    // A data segment through which nothing can fault but paging: present, not system, writable; not code, not expand-down.
    private const uint SimpleDataMask = SegmentAttributes.Unusable | SegmentAttributes.Present | SegmentAttributes.NotSystem
        | SegmentAttributes.Code | SegmentAttributes.ExpandDownOrConforming | SegmentAttributes.ReadWrite;

    private const uint SimpleDataValue = SegmentAttributes.Present | SegmentAttributes.NotSystem | SegmentAttributes.ReadWrite;

    /// <summary>CR0.PE.</summary>
    internal bool IsProtected => (State->Cr0 & ControlBits.Cr0Pe) != 0;

    /// <summary>Virtual-8086 mode.</summary>
    internal bool IsVm86 => (State->SystemFlags & Rflags.Vm) != 0;

    /// <summary>Real-address or virtual-8086 mode: selectors are paragraph numbers.</summary>
    internal bool HasRealSegments => !IsProtected || IsVm86;

    /// <summary>EFER.LMA.</summary>
    internal bool IsLongMode => (State->Efer & ControlBits.EferLma) != 0;

    /// <summary>64-bit mode proper.</summary>
    internal bool Is64Bit => IsLongMode && (State->Segment[X86Segment.Cs].Attributes & SegmentAttributes.Long) != 0;

    /// <summary>IOPL.</summary>
    internal uint Iopl => (uint)(State->SystemFlags >> Rflags.IoplShift) & 3;

    /// <summary>Mask of the stack pointer bits in use.</summary>
    internal ulong StackMask => Is64Bit ? ulong.MaxValue
        : (State->Segment[X86Segment.Ss].Attributes & SegmentAttributes.Big) != 0 ? 0xffff_ffff : 0xffff;

    /// <summary>True when bits 63:47 are equal (48-bit linear addresses; SDM vol. 1, 3.3.7.1).</summary>
    internal static bool IsCanonical(ulong address) => (ulong)((long)(address << 16) >> 16) == address;

    /// <summary>
    /// Recomputes the mode key and the softmmu mode from the registers. To be called after any change of CS or SS (or, outside
    /// 64-bit mode, any segment), CPL, CR0, CR4, EFER, TF, VM or AC; <see cref="SetMxcsr"/> and
    /// <see cref="X87.X87Status"/> do by themselves what their control words need.
    /// </summary>
    public void UpdateMode()
    {
        X86CpuState* s = State;
        ulong key = ((ulong)s->Cpl << X86ModeKey.CplShift) | SystemKey(s) | FloatKey(s) | X87Status.ModeKey(s);
        uint code = s->Segment[X86Segment.Cs].Attributes;
        if ((s->Efer & ControlBits.EferLma) != 0 && (code & SegmentAttributes.Long) != 0)
        {
            key |= X86ModeKey.Code64 | X86ModeKey.Flat | X86ModeKey.FsSimple | X86ModeKey.GsSimple;
        }
        else
        {
            key |= SegmentKey(s, code);
        }

        s->Header.ModeKey = key;
        MmuMode mode = CurrentMmuMode(s);
        if (mode != Mmu.Mode)
        {
            Mmu.SetMode(mode);
        }
    }

    /// <summary>Sets MXCSR, and the mode key where its control bits change. Ends the block: translations depend on them.</summary>
    internal void SetMxcsr(uint value)
    {
        State->Mxcsr = value;
        State->Header.ModeKey = (State->Header.ModeKey & ~X86ModeKey.FloatDefault) | FloatKey(State);
    }

    // With SMAP off one supervisor table serves explicit and implicit accesses alike: the walker does not tell them apart.
    private static MmuMode CurrentMmuMode(X86CpuState* s) =>
        s->Cpl == 3 ? MmuMode.User
        : (s->Cr4 & ControlBits.Cr4Smap) != 0 && (s->SystemFlags & Rflags.Ac) != 0 ? MmuMode.SupervisorNoSmap
        : MmuMode.Supervisor;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Bit(ulong value, ulong mask, ulong key) => (value & mask) != 0 ? key : 0;

    private static ulong FloatKey(X86CpuState* s) =>
        (s->Mxcsr & Simd.Mxcsr.Control) == Simd.Mxcsr.Default ? X86ModeKey.FloatDefault : 0;

    // Real and vm86 mode have no VEX prefix.
    private static bool IsAvxEnabled(X86CpuState* s)
    {
        const ulong needed = ComponentSse | ComponentAvx;
        return (s->Cr4 & ControlBits.Cr4Osxsave) != 0 && (s->Xcr0 & needed) == needed
            && (s->Cr0 & ControlBits.Cr0Pe) != 0 && (s->SystemFlags & Rflags.Vm) == 0;
    }

    private static ulong SystemKey(X86CpuState* s) =>
        Bit(s->Cr0, ControlBits.Cr0Pe, X86ModeKey.Protected)
        | Bit(s->Cr0, ControlBits.Cr0Em, X86ModeKey.Emulation)
        | Bit(s->Cr0, ControlBits.Cr0Ts, X86ModeKey.TaskSwitched)
        | Bit(s->Cr0, ControlBits.Cr0Mp, X86ModeKey.MonitorCoprocessor)
        | Bit(s->Cr4, ControlBits.Cr4Osfxsr, X86ModeKey.Osfxsr)
        | Bit(s->Cr4, ControlBits.Cr4Osxsave, X86ModeKey.Osxsave)
        | (IsAvxEnabled(s) ? X86ModeKey.Avx : 0)
        | Bit(s->Efer, ControlBits.EferLma, X86ModeKey.LongMode)
        | Bit(s->SystemFlags, Rflags.Tf, X86ModeKey.Trap)
        | Bit(s->SystemFlags, Rflags.Vm, X86ModeKey.Vm86)
        | (s->Cpl == 3 && (s->Cr0 & ControlBits.Cr0Am) != 0 ? Bit(s->SystemFlags, Rflags.Ac, X86ModeKey.AlignmentCheck) : 0);

    private static ulong SegmentKey(X86CpuState* s, uint code)
    {
        ulong key = (s->SegmentBase[X86Segment.Cs] & 0xffff_ffff) << X86ModeKey.CodeBaseShift;
        key |= Bit(code, SegmentAttributes.Big, X86ModeKey.Code32);
        key |= Bit(s->Segment[X86Segment.Ss].Attributes, SegmentAttributes.Big, X86ModeKey.Stack32);
        key |= IsSimple(s, X86Segment.Fs) ? X86ModeKey.FsSimple : 0;
        key |= IsSimple(s, X86Segment.Gs) ? X86ModeKey.GsSimple : 0;
        ulong bases = s->SegmentBase[X86Segment.Es] | s->SegmentBase[X86Segment.Cs] | s->SegmentBase[X86Segment.Ss] | s->SegmentBase[X86Segment.Ds];
        bool flat = bases == 0 && s->Segment[X86Segment.Cs].Limit == uint.MaxValue && (code & SegmentAttributes.ReadWrite) != 0
            && IsSimple(s, X86Segment.Es) && IsSimple(s, X86Segment.Ss) && IsSimple(s, X86Segment.Ds);
        return key | (flat ? X86ModeKey.Flat : 0);
    }

    private static bool IsSimple(X86CpuState* s, int segment) =>
        s->Segment[segment].Limit == uint.MaxValue && (s->Segment[segment].Attributes & SimpleDataMask) == SimpleDataValue;
}
