namespace Emu.Core.Cpu;

/// <summary>
/// The architectural state of one local APIC, the same whatever chip implements it. Registers as the guest would read
/// them, unless said otherwise.
/// </summary>
public sealed record LocalApicState : DeviceState
{
    /// <summary>32-bit words of a register with a bit per vector.</summary>
    public const int VectorWords = 8;

    /// <summary>Entries of the local vector table.</summary>
    public const int LvtCount = 6;

    /// <summary>IA32_APIC_BASE.</summary>
    public ulong BaseMsr { get; init; }

    /// <summary>Task-priority register.</summary>
    public byte TaskPriority { get; init; }

    /// <summary>Logical-destination register of xAPIC mode.</summary>
    public uint LogicalDestination { get; init; }

    /// <summary>Destination-format register.</summary>
    public uint DestinationFormat { get; init; }

    /// <summary>Spurious-interrupt vector register.</summary>
    public uint SpuriousVector { get; init; }

    /// <summary>In-service register, 8 words.</summary>
    public uint[] InService { get; init; } = new uint[VectorWords];

    /// <summary>Trigger-mode register, 8 words.</summary>
    public uint[] TriggerMode { get; init; } = new uint[VectorWords];

    /// <summary>Interrupt-request register, 8 words.</summary>
    public uint[] InterruptRequest { get; init; } = new uint[VectorWords];

    /// <summary>Error-status register.</summary>
    public uint ErrorStatus { get; init; }

    /// <summary>Errors since the register was last written.</summary>
    public uint PendingErrors { get; init; }

    /// <summary>Interrupt-command register, both halves.</summary>
    public ulong InterruptCommand { get; init; }

    /// <summary>Local vector table: timer, thermal, performance, LINT0, LINT1, error.</summary>
    public uint[] Lvt { get; init; } = new uint[LvtCount];

    /// <summary>Initial-count register.</summary>
    public uint InitialCount { get; init; }

    /// <summary>Divide-configuration register.</summary>
    public uint DivideConfiguration { get; init; }

    /// <summary>Nanoseconds since the timer's count was last loaded.</summary>
    public long TimerElapsedNs { get; init; }

    /// <summary>IA32_TSC_DEADLINE.</summary>
    public ulong TscDeadline { get; init; }

    /// <summary>TSC less virtual time.</summary>
    public long TscOffset { get; init; }
}
