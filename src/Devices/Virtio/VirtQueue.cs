using System.Buffers.Binary;
using Emu.Devices.Dma;

namespace Emu.Devices.Virtio;

/// <summary>Where the driver put a queue, and how large it made it.</summary>
/// <param name="Size">Number of entries.</param>
/// <param name="Descriptors">Guest-physical address of the descriptor table or ring.</param>
/// <param name="Driver">Of the area that the driver writes.</param>
/// <param name="Device">Of the area that the device writes.</param>
public sealed record VirtQueueLayout(ushort Size, ulong Descriptors, ulong Driver, ulong Device);

/// <summary>Saved progress of a ring: which entry is next, with its wrap counter in packed rings.</summary>
public sealed record VirtQueueState(ushort Next, bool NextWrap, ushort Used, bool UsedWrap);

/// <summary>
/// A virtqueue (virtio 1.2, 2.6), split or packed, from the device's side. Not thread-safe: whoever uses it holds the gate of its
/// <see cref="VirtioQueueSlot"/>. Everything read from it is the guest's and may change at any time: each value is read once
/// and checked. The first thing wrong stops the queue for good and is told by <see cref="Error"/>.
/// </summary>
public abstract class VirtQueue
{
    /// <summary>Largest number of entries offered, and of descriptors in an indirect table.</summary>
    public const int LargestSize = 1024;

    internal const ushort DescriptorNext = 1;
    internal const ushort DescriptorWrite = 2;
    internal const ushort DescriptorIndirect = 4;
    internal const int DescriptorSize = 16;

    private readonly bool _hasIndirect;

    private protected VirtQueue(DmaMemory memory, VirtQueueLayout layout, ulong features)
    {
        Memory = memory;
        Layout = layout;
        _hasIndirect = (features & VirtioFeature.IndirectDescriptors) != 0;
        HasEventIndex = (features & VirtioFeature.EventIndex) != 0;
    }

    /// <summary>What the driver did wrong, in one line, or null. A queue with an error gives no more buffers.</summary>
    public string? Error { get; private set; }

    private protected DmaMemory Memory { get; }

    private protected VirtQueueLayout Layout { get; }

    private protected bool HasEventIndex { get; }

    /// <summary>Makes the queue that <paramref name="features"/> ask for.</summary>
    public static VirtQueue Create(DmaMemory memory, VirtQueueLayout layout, ulong features) =>
        (features & VirtioFeature.PackedRing) != 0 ? new PackedQueue(memory, layout, features) : new SplitQueue(memory, layout, features);

    /// <summary>Takes the next buffer of the driver; false when there is none, or something is wrong.</summary>
    public abstract bool TryPop(VirtioChain chain);

    /// <summary>Puts the buffer last taken back, as if it had not been.</summary>
    public abstract void Unpop(VirtioChain chain);

    /// <summary>Gives a buffer back with <paramref name="written"/> bytes in it; the driver sees it after <see cref="Publish"/>.</summary>
    public abstract void Push(VirtioChain chain, uint written);

    /// <summary>Shows the driver all that was pushed, at once. True when it wants an interrupt for that.</summary>
    public abstract bool Publish();

    /// <summary>Asks the driver not to notify, as the device is looking anyway.</summary>
    public abstract void SuppressNotifications();

    /// <summary>Asks the driver to notify again; true when there is a buffer already, which it may not have notified of.</summary>
    public abstract bool AllowNotifications();

    /// <summary>The progress.</summary>
    public abstract VirtQueueState Save();

    /// <summary>Takes a saved progress; false when it cannot be one of this queue.</summary>
    public abstract bool TryRestore(VirtQueueState state);

    private protected bool Fail(string error)
    {
        Error ??= error;
        return false;
    }

    private protected GuestSegment Resolve(string what, ulong address, int length, bool forWrite)
    {
        if (!Memory.TryResolveWhole(address, length, forWrite, out GuestSegment segment))
        {
            Fail($"the {what} at 0x{address:x} (0x{length:x} bytes) is not in RAM");
        }

        return segment;
    }

    /// <summary>The indirect table (virtio 1.2, 2.7.5.3) that a descriptor names; false when it may not be there.</summary>
    private protected bool TryGetIndirect(in Descriptor descriptor, out GuestSegment table)
    {
        table = default;
        return !_hasIndirect ? Fail("an indirect descriptor, without the feature")
            : (descriptor.Flags & DescriptorNext) != 0 ? Fail("an indirect descriptor with a next one")
            : descriptor.Length == 0 || descriptor.Length % DescriptorSize != 0 || descriptor.Length > LargestSize * DescriptorSize
                ? Fail($"an indirect table of 0x{descriptor.Length:x} bytes")
            : Memory.TryResolveWhole(descriptor.Address, (int)descriptor.Length, forWrite: false, out table)
                || Fail($"the indirect table at 0x{descriptor.Address:x} is not in RAM");
    }

    private protected bool Add(VirtioChain chain, in Descriptor descriptor) =>
        chain.Add(Memory, descriptor.Address, descriptor.Length, (descriptor.Flags & DescriptorWrite) != 0) is not string error || Fail(error);

    private protected static Descriptor ReadDescriptor(in GuestSegment table, int index)
    {
        Span<byte> bytes = stackalloc byte[DescriptorSize];
        table.Bytes.Slice(index * DescriptorSize, DescriptorSize).CopyTo(bytes);
        return new Descriptor(
            BinaryPrimitives.ReadUInt64LittleEndian(bytes),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]),
            BinaryPrimitives.ReadUInt16LittleEndian(bytes[12..]),
            BinaryPrimitives.ReadUInt16LittleEndian(bytes[14..]));
    }

    private protected static ushort ReadWord(in GuestSegment area, int offset) => (ushort)area.Ram.ReadValue(area.Offset + (ulong)offset, sizeof(ushort));

    private protected static void WriteWord(in GuestSegment area, int offset, ushort value) =>
        area.Ram.WriteValue(area.Offset + (ulong)offset, value, sizeof(ushort));

    /// <summary>True when <paramref name="position"/> lies in (old, now], counting modulo 2^16 (virtio 1.2, 2.7.7.1).</summary>
    private protected static bool HasPassed(int position, ushort now, ushort old) => (ushort)(now - position - 1) < (ushort)(now - old);

    /// <summary>A descriptor as read. In split rings words 3 and 4 are flags and next, in packed ones id and flags.</summary>
    private protected readonly record struct Descriptor(ulong Address, uint Length, ushort Word3, ushort Word4)
    {
        public ushort Flags { get; init; }
    }
}
