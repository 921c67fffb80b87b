using Emu.Devices.Dma;
namespace Emu.Devices.Virtio;

/// <summary>A split virtqueue (virtio 1.2, 2.7): descriptor table, available ring of the driver, used ring of the device.</summary>
internal sealed class SplitQueue : VirtQueue
{
    private const ushort NoInterrupt = 1;
    private const ushort NoNotify = 1;

    // Both rings begin with flags and index.
    private const int FlagsOffset = 0;
    private const int IndexOffset = 2;
    private const int RingOffset = 4;
    private const int UsedEntrySize = 8;

    private readonly GuestSegment _descriptors;
    private readonly GuestSegment _available;
    private readonly GuestSegment _used;
    private readonly int _size;
    private ushort _next;
    private ushort _usedIndex;
    private ushort _pushed;
    private ushort _published;
    private bool _hasPublished;

    public SplitQueue(DmaMemory memory, VirtQueueLayout layout, ulong features)
        : base(memory, layout, features)
    {
        _size = layout.Size;
        if (!int.IsPow2(_size))
        {
            Fail($"a queue of {_size} entries, which is not a power of two");
            return;
        }

        _descriptors = Resolve("descriptor table", layout.Descriptors, DescriptorSize * _size, forWrite: false);
        _available = Resolve("available ring", layout.Driver, RingOffset + (2 * _size) + 2, forWrite: false);
        _used = Resolve("used ring", layout.Device, RingOffset + (UsedEntrySize * _size) + 2, forWrite: true);
    }

    private int UsedEventOffset => RingOffset + (2 * _size);

    private int AvailableEventOffset => RingOffset + (UsedEntrySize * _size);

    public override bool TryPop(VirtioChain chain)
    {
        chain.Clear();
        if (Error is not null)
        {
            return false;
        }

        ushort index = ReadWord(_available, IndexOffset);
        int waiting = (ushort)(index - _next);
        if (waiting == 0)
        {
            return false;
        }

        if (waiting > _size)
        {
            return Fail($"the available index jumped from {_next} to {index} in a queue of {_size}");
        }

        Thread.MemoryBarrier();
        ushort head = ReadWord(_available, RingOffset + (2 * (_next & (_size - 1))));
        _next++;
        chain.Id = head;
        return head < _size ? Follow(chain, head) : Fail($"descriptor {head} of a table of {_size}");
    }

    public override void Unpop(VirtioChain chain) => _next--;

    public override void Push(VirtioChain chain, uint written)
    {
        int entry = RingOffset + (UsedEntrySize * ((_usedIndex + _pushed) & (_size - 1)));
        _used.Ram.WriteValue(_used.Offset + (ulong)entry, chain.Id | ((ulong)written << 32), sizeof(ulong));
        _pushed++;
    }

    public override bool Publish()
    {
        if (_pushed == 0)
        {
            return false;
        }

        Thread.MemoryBarrier();
        _usedIndex += _pushed;
        _pushed = 0;
        WriteWord(_used, IndexOffset, _usedIndex);

        // The index must be seen before the driver's wish is read, or both may look too early.
        Thread.MemoryBarrier();
        ushort old = _published;
        bool first = !_hasPublished;
        (_published, _hasPublished) = (_usedIndex, true);
        return HasEventIndex
            ? first || HasPassed(ReadWord(_available, UsedEventOffset), _usedIndex, old)
            : (ReadWord(_available, FlagsOffset) & NoInterrupt) == 0;
    }

    public override void SuppressNotifications()
    {
        // With event indices the driver stays silent until the one it was last given is passed.
        if (Error is null && !HasEventIndex)
        {
            WriteWord(_used, FlagsOffset, NoNotify);
        }
    }

    public override bool AllowNotifications()
    {
        if (Error is not null)
        {
            return false;
        }

        if (HasEventIndex)
        {
            WriteWord(_used, AvailableEventOffset, _next);
        }
        else
        {
            WriteWord(_used, FlagsOffset, 0);
        }

        Thread.MemoryBarrier();
        return ReadWord(_available, IndexOffset) != _next;
    }

    public override VirtQueueState Save() => new(_next, false, _usedIndex, false);

    public override bool TryRestore(VirtQueueState state)
    {
        (_next, _usedIndex, _hasPublished) = (state.Next, state.Used, false);
        return (ushort)(state.Next - state.Used) <= _size && !state.NextWrap && !state.UsedWrap;
    }

    private bool Follow(VirtioChain chain, ushort head)
    {
        GuestSegment table = _descriptors;
        int count = _size;
        int index = head;
        bool isIndirect = false;
        for (int steps = 0; steps < count; steps++)
        {
            Descriptor descriptor = ReadDescriptor(table, index);
            (ushort flags, ushort next) = (descriptor.Word3, descriptor.Word4);
            descriptor = descriptor with { Flags = flags };
            if ((flags & DescriptorIndirect) != 0)
            {
                if (isIndirect)
                {
                    return Fail("an indirect descriptor in an indirect table");
                }

                if (!TryGetIndirect(descriptor, out table))
                {
                    return false;
                }

                (isIndirect, count, index, steps) = (true, table.Length / DescriptorSize, 0, -1);
                continue;
            }

            if (!Add(chain, descriptor))
            {
                return false;
            }

            if ((flags & DescriptorNext) == 0)
            {
                return true;
            }

            if (next >= count)
            {
                return Fail($"next descriptor {next} of a table of {count}");
            }

            index = next;
        }

        return Fail($"a chain of more than {count} descriptors: a loop");
    }
}
