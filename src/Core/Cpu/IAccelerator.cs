namespace Emu.Core.Cpu;

/// <summary>Runs virtual CPUs: tcg or kvm. One per machine.</summary>
public interface IAccelerator : IDisposable
{
    /// <summary>The name on the command line (<c>tcg</c>).</summary>
    string Name { get; }

    /// <summary>The interrupt controllers that the accelerator has itself, or null when all are the board's.</summary>
    IKernelIrqChip? IrqChip { get; }

    /// <summary>
    /// Creates vCPU <paramref name="index"/>; index 0 is the boot processor, the others wait for INIT–SIPI.
    /// <paramref name="apic"/> is its local APIC, null exactly when <see cref="IrqChip"/> has it.
    /// </summary>
    IVcpu CreateVcpu(int index, ILocalApic? apic);

    /// <summary>Virtual time stops or goes on; no vCPU runs.</summary>
    void SetClockRunning(bool running);
}

/// <summary>
/// One virtual CPU. <see cref="Run"/>, <see cref="Step"/> and the state members belong to the vCPU's thread (or to any
/// thread while it is not running); <see cref="Kick"/> and the <see cref="IInterruptTarget"/> members to every thread.
/// I/O is done inside <see cref="Run"/>, through the machine's address spaces.
/// </summary>
public interface IVcpu : IInterruptTarget, IDisposable
{
    /// <summary>Number of the vCPU, from 0.</summary>
    int Index { get; }

    /// <summary>Runs guest code until something outside the CPU must act. HLT waits inside.</summary>
    VcpuExit Run();

    /// <summary>Makes a <see cref="Run"/> in progress, or the next one, return <see cref="VcpuExitReason.Kicked"/> soon.</summary>
    void Kick();

    /// <summary>Executes exactly one instruction (or delivers one event) with interrupts as they are.</summary>
    VcpuExit Step();

    /// <summary>Copies the architectural state out.</summary>
    X86State GetState();

    /// <summary>Replaces the architectural state.</summary>
    void SetState(X86State state);

    /// <summary>Counters for <c>--stats</c>.</summary>
    VcpuStatistics Statistics { get; }
}

/// <summary>Why <see cref="IVcpu.Run"/> returned.</summary>
public enum VcpuExitReason
{
    /// <summary><see cref="IVcpu.Kick"/> was called.</summary>
    Kicked,

    /// <summary>One instruction was executed by <see cref="IVcpu.Step"/>.</summary>
    Stepped,

    /// <summary>Triple fault: the CPU is in shutdown and the board decides (a PC resets).</summary>
    Shutdown,

    /// <summary>The accelerator cannot go on; <see cref="VcpuExit.Detail"/> says why.</summary>
    InternalError,
}

/// <summary>
/// Result of <see cref="IVcpu.Run"/>; <paramref name="Detail"/> is one line for the user where there is more to say,
/// <paramref name="Dump"/> several (registers) where they help to find out why.
/// </summary>
public readonly record struct VcpuExit(VcpuExitReason Reason, string? Detail = null, string? Dump = null);

/// <summary>Counters of one vCPU; written by its thread, read approximately by others.</summary>
public sealed class VcpuStatistics
{
    /// <summary>Guest instructions completed (REP counts once); zero where the accelerator cannot know.</summary>
    public ulong Instructions { get; set; }

    /// <summary>Times a softmmu lookup missed and walked the page tables.</summary>
    public ulong TlbMisses { get; set; }

    /// <summary>Whole or non-global TLB flushes.</summary>
    public ulong TlbFlushes { get; set; }

    /// <summary>Hardware interrupts delivered.</summary>
    public ulong Interrupts { get; set; }

    /// <summary>Exceptions delivered.</summary>
    public ulong Exceptions { get; set; }

    /// <summary>Times the CPU halted and waited.</summary>
    public ulong Halts { get; set; }

    /// <summary>Translation blocks made.</summary>
    public ulong BlocksTranslated { get; set; }

    /// <summary>Translation blocks invalidated by writes to their code.</summary>
    public ulong BlocksInvalidated { get; set; }

    /// <summary>Regions of hot code compiled to host code.</summary>
    public ulong RegionsCompiled { get; set; }

    /// <summary>Guest instructions in compiled regions.</summary>
    public ulong RegionInstructions { get; set; }

    /// <summary>Compiled regions dropped again: their code was written, or the cache was full.</summary>
    public ulong RegionsDropped { get; set; }

    /// <summary>Regions that the compiler did not take.</summary>
    public ulong RegionsRefused { get; set; }

    /// <summary>Host time spent compiling regions, in microseconds.</summary>
    public ulong CompileMicroseconds { get; set; }

    /// <summary>Instructions translated to #UD, and MSR accesses answered by #GP, because they are not implemented; <c>-d unimp</c> names them.</summary>
    public ulong Unimplemented { get; set; }

    /// <summary>Memory-mapped I/O accesses.</summary>
    public ulong MmioAccesses { get; set; }

    /// <summary>Port I/O accesses.</summary>
    public ulong PortAccesses { get; set; }

    /// <summary>Times a hypervisor gave the CPU back, by reason; empty where there is none.</summary>
    public SortedDictionary<string, ulong> Exits { get; init; } = [];

    /// <summary>Processor time in the guest, in the host's kernel, and in the emulator's devices; null where they cannot be told apart.</summary>
    public VcpuTimes? Times { get; set; }
}

/// <summary>Where a vCPU's thread spent its processor time.</summary>
/// <param name="Guest">Guest code.</param>
/// <param name="Kernel">The host's kernel.</param>
/// <param name="User">The emulator: devices and the run loop.</param>
public sealed record VcpuTimes(TimeSpan Guest, TimeSpan Kernel, TimeSpan User);
