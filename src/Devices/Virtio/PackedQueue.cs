using Emu.Devices.Dma;
namespace Emu.Devices.Virtio;

/// <summary>A packed virtqueue (virtio 1.2, 2.8): one ring of descriptors that both sides write, and two event suppression areas.</summary>
internal sealed class PackedQueue : VirtQueue
{
    private const int FlagsOffset = 14;
    private const int IdAndLengthOffset = 8;
    private const ushort Available = 1 << 7;
    private const ushort Used = 1 << 15;

    // Event suppression areas (2.8.10): offset with wrap counter, then flags.
    private const int EventAreaSize = 4;
    private const int EventFlagsOffset = 2;
    private const ushort EventsOff = 1;
    private const ushort EventsAtDescriptor = 2;
    private const ushort EventFlagsMask = 3;
    private const ushort WrapBit = 1 << 15;

    private readonly GuestSegment _ring;
    private readonly GuestSegment _driverEvents;
    private readonly GuestSegment _deviceEvents;
    private readonly int _size;
    private int _next;
    private bool _nextWrap = true;
    private int _used;
    private bool _usedWrap = true;
    private int _first = -1;
    private ushort _firstFlags;
    private int _published;
    private bool _hasPublished;

    public PackedQueue(DmaMemory memory, VirtQueueLayout layout, ulong features)
        : base(memory, layout, features)
    {
        _size = layout.Size;
        _ring = Resolve("descriptor ring", layout.Descriptors, DescriptorSize * _size, forWrite: true);
        _driverEvents = Resolve("driver event area", layout.Driver, EventAreaSize, forWrite: false);
        _deviceEvents = Resolve("device event area", layout.Device, EventAreaSize, forWrite: true);
    }

    private bool HasNext
    {
        get
        {
            ushort flags = ReadWord(_ring, (_next * DescriptorSize) + FlagsOffset);
            return (flags & Available) != 0 == _nextWrap && (flags & Used) != 0 != _nextWrap;
        }
    }

    public override bool TryPop(VirtioChain chain)
    {
        chain.Clear();
        if (Error is not null || !HasNext)
        {
            return false;
        }

        Thread.MemoryBarrier();
        int index = _next;
        for (int slots = 1; slots <= _size; slots++)
        {
            Descriptor descriptor = ReadDescriptor(_ring, index);
            (ushort id, ushort flags) = (descriptor.Word3, descriptor.Word4);
            descriptor = descriptor with { Flags = flags };
            if (!((flags & DescriptorIndirect) != 0 ? AddIndirect(chain, descriptor) : Add(chain, descriptor)))
            {
                return false;
            }

            index = index + 1 == _size ? 0 : index + 1;
            if ((flags & DescriptorNext) == 0)
            {
                chain.Id = id;
                chain.Slots = slots;
                Advance(ref _next, ref _nextWrap, slots);
                return true;
            }
        }

        return Fail($"a chain of more than {_size} descriptors: a loop");
    }

    public override void Unpop(VirtioChain chain)
    {
        _next -= chain.Slots;
        if (_next < 0)
        {
            _next += _size;
            _nextWrap = !_nextWrap;
        }
    }

    public override void Push(VirtioChain chain, uint written)
    {
        int offset = _used * DescriptorSize;
        ushort flags = (ushort)((_usedWrap ? Available | Used : 0) | (written > 0 ? DescriptorWrite : 0));

        // Length, then id, in the eight bytes before which the flags are not yet written.
        _ring.Ram.WriteValue(_ring.Offset + (ulong)(offset + IdAndLengthOffset), written, sizeof(uint));
        WriteWord(_ring, offset + IdAndLengthOffset + sizeof(uint), chain.Id);
        if (_first < 0)
        {
            (_first, _firstFlags) = (offset, flags);
        }
        else
        {
            Thread.MemoryBarrier();
            WriteWord(_ring, offset + FlagsOffset, flags);
        }

        bool wrap = _usedWrap;
        Advance(ref _used, ref _usedWrap, chain.Slots);
        _hasPublished &= wrap == _usedWrap;
    }

    public override bool Publish()
    {
        if (_first < 0)
        {
            return false;
        }

        // The driver looks at used descriptors in order, so it sees nothing before the first one's flags.
        Thread.MemoryBarrier();
        WriteWord(_ring, _first + FlagsOffset, _firstFlags);
        _first = -1;
        Thread.MemoryBarrier();
        int old = _published;
        bool first = !_hasPublished;
        (_published, _hasPublished) = (_used, true);
        ushort position = ReadWord(_driverEvents, 0);
        ushort wish = (ushort)(ReadWord(_driverEvents, EventFlagsOffset) & EventFlagsMask);
        if (!HasEventIndex || wish != EventsAtDescriptor)
        {
            return wish != EventsOff;
        }

        int at = position & ~WrapBit;
        return first || HasPassed((position & WrapBit) != 0 == _usedWrap ? at : at - _size, (ushort)_used, (ushort)old);
    }

    public override void SuppressNotifications()
    {
        if (Error is null)
        {
            WriteWord(_deviceEvents, EventFlagsOffset, EventsOff);
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
            WriteWord(_deviceEvents, 0, (ushort)(_next | (_nextWrap ? WrapBit : 0)));
            Thread.MemoryBarrier();
        }

        WriteWord(_deviceEvents, EventFlagsOffset, HasEventIndex ? EventsAtDescriptor : (ushort)0);
        Thread.MemoryBarrier();
        return HasNext;
    }

    public override VirtQueueState Save() => new((ushort)_next, _nextWrap, (ushort)_used, _usedWrap);

    public override bool TryRestore(VirtQueueState state)
    {
        (_next, _nextWrap, _used, _usedWrap, _hasPublished) = (state.Next, state.NextWrap, state.Used, state.UsedWrap, false);
        return _next < _size && _used < _size;
    }

    // In an indirect table the descriptors follow each other, and of their flags only the direction counts (2.8.7).
    private bool AddIndirect(VirtioChain chain, in Descriptor descriptor)
    {
        if (!TryGetIndirect(descriptor, out GuestSegment table))
        {
            return false;
        }

        for (int i = 0; i < table.Length / DescriptorSize; i++)
        {
            Descriptor entry = ReadDescriptor(table, i);
            if (!Add(chain, entry with { Flags = entry.Word4 }))
            {
                return false;
            }
        }

        return true;
    }

    private void Advance(ref int index, ref bool wrap, int slots)
    {
        index += slots;
        if (index >= _size)
        {
            index -= _size;
            wrap = !wrap;
        }
    }
}
