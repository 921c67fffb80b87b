namespace Emu.Devices.Virtio;

/// <summary>
/// A queue of a device as transports set it up. Lock order: the machine lock, then <see cref="Gate"/>; who holds the gate
/// never asks for the machine lock.
/// </summary>
public sealed class VirtioQueueSlot(ushort largestSize)
{
    /// <summary>Guards <see cref="Ring"/>: held for each buffer that is worked on, so that a reset waits for one at most.</summary>
    public Lock Gate { get; } = new();

    /// <summary>The ring, or null while the queue is not enabled.</summary>
    public VirtQueue? Ring { get; internal set; }

    /// <summary>Largest size that the device offers.</summary>
    public ushort LargestSize { get; } = largestSize;

    /// <summary>Size that the driver chose.</summary>
    public ushort Size { get; internal set; } = largestSize;

    /// <summary>Guest-physical address of the descriptor area.</summary>
    public ulong Descriptors { get; internal set; }

    /// <summary>Guest-physical address of the driver area.</summary>
    public ulong Driver { get; internal set; }

    /// <summary>Guest-physical address of the device area.</summary>
    public ulong Device { get; internal set; }

    /// <summary>True once the driver enabled the queue.</summary>
    public bool IsEnabled { get; internal set; }

    internal VirtQueueLayout Layout => new(Size, Descriptors, Driver, Device);

    internal void Reset()
    {
        lock (Gate)
        {
            Ring = null;
        }

        Size = LargestSize;
        Descriptors = 0;
        Driver = 0;
        Device = 0;
        IsEnabled = false;
    }
}
