#pragma warning disable CA1822
namespace Emu.Frontend.X86;

/// <summary>Not written yet.</summary>
public sealed unsafe partial class X86Cpu
{
    internal void Bound(ulong a, ulong b, int size) => RaiseInvalidOpcode();
    internal void FarJump(ulong offset, ushort selector, int size) => RaiseInvalidOpcode();
    internal void FarCall(ulong offset, ushort selector, int size) => RaiseInvalidOpcode();
    internal void FarReturn(uint release, int size) => RaiseInvalidOpcode();
    internal void Iret(int size) => RaiseInvalidOpcode();
    internal void SoftwareInterrupt(byte vector, SoftwareInterruptKind kind) => RaiseInvalidOpcode();
    internal void Syscall() => RaiseInvalidOpcode();
    internal void Sysret(int size) => RaiseInvalidOpcode();
    internal void Sysenter() => RaiseInvalidOpcode();
    internal void Sysexit(int size) => RaiseInvalidOpcode();
    internal ulong ReadControl(int n) { RaiseInvalidOpcode(); return 0; }
    internal void WriteControl(int n, ulong v) => RaiseInvalidOpcode();
    internal ulong ReadDebug(int n) { RaiseInvalidOpcode(); return 0; }
    internal void WriteDebug(int n, ulong v) => RaiseInvalidOpcode();
    internal ulong Smsw() { RaiseInvalidOpcode(); return 0; }
    internal void Lmsw(ushort v) => RaiseInvalidOpcode();
    internal void Clts() => RaiseInvalidOpcode();
    internal void Invlpg(ulong a) => RaiseInvalidOpcode();
    internal void Invpcid(ulong a, ulong b) => RaiseInvalidOpcode();
    internal void Xgetbv() => RaiseInvalidOpcode();
    internal void Xsetbv() => RaiseInvalidOpcode();
    internal void Hlt() => RaiseInvalidOpcode();
    internal void Rdmsr() => RaiseInvalidOpcode();
    internal void Wrmsr() => RaiseInvalidOpcode();
    internal void Rdtsc() => RaiseInvalidOpcode();
    internal void Rdtscp() => RaiseInvalidOpcode();
    internal void Rdpmc() => RaiseInvalidOpcode();
    internal ulong Rdpid() { RaiseInvalidOpcode(); return 0; }
    internal void Cpuid() => RaiseInvalidOpcode();
    internal void Swapgs() => RaiseInvalidOpcode();
    internal ulong ReadSegmentBase(int n) { RaiseInvalidOpcode(); return 0; }
    internal void WriteSegmentBase(int n, ulong v) => RaiseInvalidOpcode();
    internal ulong ReadFlagsImage(int size) { RaiseInvalidOpcode(); return 0; }
    internal void PopFlagsImage(ulong v, int size) => RaiseInvalidOpcode();
    internal void Cli() => RaiseInvalidOpcode();
    internal void Sti() => RaiseInvalidOpcode();
    internal void SetAlignmentCheck(bool on) => RaiseInvalidOpcode();
    internal void SetDirection(bool on) => RaiseInvalidOpcode();
    internal ulong Lahf() { RaiseInvalidOpcode(); return 0; }
    internal void Sahf(byte ah) => RaiseInvalidOpcode();
    internal ulong In(ushort port, int size) { RaiseInvalidOpcode(); return 0; }
    internal void Out(ushort port, ulong v, int size) => RaiseInvalidOpcode();
    internal void CheckIoPermission(ushort port, int size) => RaiseInvalidOpcode();
    internal ulong ReadPort(ushort port, int size) { RaiseInvalidOpcode(); return 0; }
    internal void WritePort(ushort port, ulong v, int size) => RaiseInvalidOpcode();
    private static void ResetMsrs() { }
    private static void UpdateBreakpoints() { }

    /// <summary>Delivers an exception; Header.Pc is the restart RIP. False means a triple fault.</summary>
    public bool DeliverException(in X86Fault fault) => throw new NotImplementedException();

    /// <summary>Delivers an acknowledged external interrupt. False means a triple fault.</summary>
    public bool DeliverInterrupt(byte vector) => throw new NotImplementedException();

    /// <summary>Delivers an NMI and blocks further ones until IRET. False means a triple fault.</summary>
    public bool DeliverNmi() => throw new NotImplementedException();

    /// <summary>Delivers the #DB of <see cref="X86CpuState.PendingDebugTraps"/>, if any is pending. False means a triple fault.</summary>
    public bool TakeDebugTrap() => throw new NotImplementedException();

    /// <summary>Told, once per cause, of things that guests ask for and the CPU lacks.</summary>
    public Action<string>? Unimplemented { get; set; }

    /// <summary>True when DR7 enables an instruction breakpoint.</summary>
    public bool HasInstructionBreakpoints => false;

    /// <summary>DR6 bits of the instruction breakpoints at a linear address.</summary>
    public ulong MatchInstructionBreakpoint(ulong linear) => 0;

    /// <summary>The architectural state.</summary>
    public Emu.Core.Cpu.X86State GetState() => throw new NotImplementedException();

    /// <summary>Replaces the architectural state.</summary>
    public void SetState(Emu.Core.Cpu.X86State state) => throw new NotImplementedException();
}

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
