namespace Emu.Devices.IrqChip;

/// <summary>Delivery modes of ICR, LVT, redirection entries and MSIs (SDM vol. 3, 11.5.1).</summary>
public enum ApicDeliveryMode
{
    /// <summary>The vector to every destination.</summary>
    Fixed = 0,

    /// <summary>The vector to the one destination that runs at the lowest priority.</summary>
    LowestPriority = 1,

    /// <summary>System management interrupt; accepted and ignored, as there is no SMM.</summary>
    Smi = 2,

    /// <summary>Reserved.</summary>
    Reserved = 3,

    /// <summary>Non-maskable interrupt.</summary>
    Nmi = 4,

    /// <summary>INIT.</summary>
    Init = 5,

    /// <summary>Start-up IPI; the vector is the page to start at.</summary>
    StartUp = 6,

    /// <summary>Vector supplied by an 8259; meaningful only on LINT0.</summary>
    ExtInt = 7,
}

/// <summary>One interrupt on its way between APICs: what an IPI, an IOAPIC and an MSI have in common.</summary>
/// <param name="Destination">APIC id or logical destination; <see cref="Broadcast"/> is every APIC.</param>
/// <param name="Logical">True for a logical destination.</param>
/// <param name="Mode">Delivery mode.</param>
/// <param name="Vector">Vector.</param>
/// <param name="LevelTriggered">True when the source waits for an EOI.</param>
public readonly record struct ApicMessage(uint Destination, bool Logical, ApicDeliveryMode Mode, byte Vector, bool LevelTriggered)
{
    /// <summary>The destination that means every APIC, in the 32-bit form (8-bit senders say FFH).</summary>
    public const uint Broadcast = 0xFFFF_FFFF;

    // Fields shared by ICR low, redirection entries and MSI data (SDM vol. 3, figures 11-12 and 11-26).
    private const int ModeShift = 8;
    private const uint ModeMask = 7;
    private const uint TriggerLevel = 1 << 15;

    /// <summary>Decodes vector, delivery mode and trigger from <paramref name="command"/>, whose bits 15, 10:8 and 7:0 they are.</summary>
    public static ApicMessage Decode(uint command, uint destination, bool logical) => new(
        destination,
        logical,
        (ApicDeliveryMode)((command >> ModeShift) & ModeMask),
        (byte)command,
        (command & TriggerLevel) != 0);

    /// <summary>Widens an 8-bit destination, whose FFH means all.</summary>
    public static uint Widen(byte destination) => destination == 0xFF ? Broadcast : destination;
}
