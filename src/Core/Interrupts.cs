using Emu.Core.Cpu;

namespace Emu.Core;

/// <summary>The receiving end of interrupt lines: an interrupt controller with numbered inputs.</summary>
public interface IIrqSink
{
    /// <summary>Sets input <paramref name="number"/> to <paramref name="level"/>. The machine lock is held.</summary>
    void SetIrq(int number, bool level);
}

/// <summary>
/// All that a device knows of interrupts: one wire to an input of some interrupt controller. The default value is
/// an unconnected wire.
/// </summary>
public readonly struct IrqLine(IIrqSink? sink, int number)
{
    /// <summary>Drives the wire to <paramref name="level"/>. The machine lock must be held.</summary>
    public void Set(bool level) => sink?.SetIrq(number, level);

    /// <summary>Raises and lowers the wire: one edge for an edge-triggered input.</summary>
    public void Pulse()
    {
        Set(true);
        Set(false);
    }
}

/// <summary>A message-signalled interrupt: a 32-bit write of <paramref name="Data"/> to <paramref name="Address"/> (SDM vol. 3, 11.11).</summary>
public readonly record struct MsiMessage(ulong Address, uint Data);

/// <summary>Accepts message-signalled interrupts.</summary>
public interface IMsiSink
{
    /// <summary>Delivers <paramref name="message"/>. The machine lock is held.</summary>
    void Send(MsiMessage message);
}

/// <summary>What an interrupt controller may ask of a virtual CPU. Implemented by every accelerator's vCPU; callable from any thread.</summary>
public interface IInterruptTarget
{
    /// <summary>The answer of <see cref="ILocalApic.HasPendingInterrupt"/> may have changed: look again soon, and leave HLT if it is true.</summary>
    void NotifyInterrupt();

    /// <summary>Latches a non-maskable interrupt.</summary>
    void RaiseNmi();

    /// <summary>Latches an INIT: the CPU resets and, unless it is the boot processor, waits for a SIPI (SDM vol. 3, 9.4).</summary>
    void RaiseInit();

    /// <summary>Latches a start-up IPI: a CPU waiting for it starts in real mode at <paramref name="vector"/> &lt;&lt; 12.</summary>
    void RaiseSipi(byte vector);
}

/// <summary>Where a CPU gets its maskable interrupts from. <see cref="HasPendingInterrupt"/> is lock-free; the other members take the machine lock themselves.</summary>
public interface IInterruptSource
{
    /// <summary>True when an interrupt (local, or ExtINT from the 8259) would be delivered now if RFLAGS.IF allows. Lock-free.</summary>
    bool HasPendingInterrupt { get; }

    /// <summary>Acknowledges the highest-priority interrupt and returns its vector, or -1 when none is left.</summary>
    int AcknowledgeInterrupt();
}

/// <summary>The CPU's view of its local APIC (SDM vol. 3, ch. 11).</summary>
public interface ILocalApic : IInterruptSource
{
    /// <summary>IA32_APIC_BASE (MSR 1BH).</summary>
    ulong BaseMsr { get; }

    /// <summary>Writes IA32_APIC_BASE; false means #GP(0): reserved bits or a forbidden mode transition.</summary>
    bool TryWriteBaseMsr(ulong value);

    /// <summary>The task-priority class seen in CR8 (bits 7:4 of TPR), 0–15.</summary>
    byte TaskPriorityClass { get; set; }

    /// <summary>Reads an x2APIC MSR (800H–8FFH) or IA32_TSC_DEADLINE (6E0H); false means #GP(0).</summary>
    bool TryReadMsr(uint index, out ulong value);

    /// <summary>Writes an x2APIC MSR (800H–8FFH) or IA32_TSC_DEADLINE (6E0H); false means #GP(0).</summary>
    bool TryWriteMsr(uint index, ulong value);

    /// <summary>Connects the CPU that this APIC signals.</summary>
    void Connect(IInterruptTarget target);

    /// <summary>Returns to the state after INIT: everything but the APIC id and base (SDM vol. 3, 11.4.7.3).</summary>
    void InitReset();

    /// <summary>All registers.</summary>
    LocalApicState GetState();

    /// <summary>Replaces all registers.</summary>
    /// <exception cref="InvalidDeviceStateException">A field is out of range; nothing has changed.</exception>
    void SetState(LocalApicState state);
}

/// <summary>
/// Interrupt controllers that the accelerator keeps itself (KVM's in-kernel chips): the board leaves out its own and sends
/// there. Members need the machine lock unless they say otherwise.
/// </summary>
public interface IKernelIrqChip : IMsiSink
{
    /// <summary>True when the 8259 pair, the I/O APIC and the 8254 are there too; false when only the local APICs are.</summary>
    bool HasIoChips { get; }

    /// <summary>The global system interrupts, with <see cref="HasIoChips"/>.</summary>
    IIrqSink Inputs { get; }

    /// <summary>Where the board's 8259 pair drives the boot processor's LINT0, without <see cref="HasIoChips"/>.</summary>
    IrqLine PicOutput { get; }

    /// <summary>The interrupt-acknowledge cycle of the board's 8259 pair: returns the vector.</summary>
    Func<int>? AcknowledgePic { get; set; }

    /// <summary>Raised for each end of a level-triggered interrupt that <see cref="SetRoute"/> named, with its vector.</summary>
    event Action<byte>? EndOfInterrupt;

    /// <summary>Delivers <paramref name="message"/>; false when no local APIC took it.</summary>
    bool Deliver(MsiMessage message);

    /// <summary>Tells what input <paramref name="input"/> of the board's I/O APIC sends, null while it is masked.</summary>
    void SetRoute(int input, MsiMessage? message);

    /// <summary>Cuts off the 8254's interrupt while the HPET stands in for it, with <see cref="HasIoChips"/>.</summary>
    void SetHpetLegacyReplacement(bool enabled);

    /// <summary>An edge on every CPU's NMI input.</summary>
    void PulseNmi();

    /// <summary>Returns all chips to the state after power-on; no CPU runs.</summary>
    void Reset();

    /// <summary>A notifier that drives GSI <paramref name="gsi"/> past user space, or null when this one cannot be.</summary>
    IrqNotifier? CreateNotifier(int gsi, Action? resample);

    /// <summary>A notifier that sends <paramref name="message"/> past user space, or null when there can be none.</summary>
    IrqNotifier? CreateNotifier(MsiMessage message);
}
