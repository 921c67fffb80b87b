using Emu.Core;

namespace Emu.Devices.IrqChip;

/// <summary>The local APICs as an I/O APIC sees them: somewhere to send, and ends of interrupts that come back. Needs the machine lock.</summary>
public interface IApicBus
{
    /// <summary>Raised for each end of a level-triggered interrupt, with its vector.</summary>
    event Action<byte>? EndOfInterrupt;

    /// <summary>Carries <paramref name="message"/> to its destinations; false when no local APIC accepted it.</summary>
    bool Deliver(in ApicMessage message);

    /// <summary>Tells what <paramref name="input"/> sends from now on, null while it is masked: what ends of interrupts are waited for.</summary>
    void SetRoute(int input, ApicMessage? message);
}

/// <summary>Local APICs that the accelerator has: messages go there in the form of MSIs.</summary>
public sealed class KernelApicBus(IKernelIrqChip chip) : IApicBus
{
    // MSI address and data (SDM vol. 3, 11.11).
    private const ulong MsiAddress = 0xFEE0_0000;
    private const int DestinationShift = 12;
    private const ulong RedirectionHint = 1 << 3;
    private const ulong LogicalMode = 1 << 2;
    private const int ModeShift = 8;
    private const uint Assert = 1 << 14;
    private const uint LevelTriggered = 1 << 15;

    /// <inheritdoc/>
    public event Action<byte>? EndOfInterrupt
    {
        add => chip.EndOfInterrupt += value;
        remove => chip.EndOfInterrupt -= value;
    }

    /// <inheritdoc/>
    public bool Deliver(in ApicMessage message) => chip.Deliver(Encode(message));

    /// <inheritdoc/>
    public void SetRoute(int input, ApicMessage? message) => chip.SetRoute(input, message is ApicMessage route ? Encode(route) : null);

    private static MsiMessage Encode(in ApicMessage message)
    {
        ulong address = MsiAddress | ((ulong)(byte)message.Destination << DestinationShift)
            | (message.Logical ? LogicalMode : 0) | (message.Mode == ApicDeliveryMode.LowestPriority ? RedirectionHint : 0);
        uint data = message.Vector | ((uint)message.Mode << ModeShift) | (message.LevelTriggered ? LevelTriggered | Assert : 0);
        return new MsiMessage(address, data);
    }
}
