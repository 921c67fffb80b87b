using Emu.Core.Memory;
using Emu.Devices.Virtio;

namespace Emu.Tests.Devices.Virtio;

/// <summary>A buffer of a chain.</summary>
internal readonly record struct Part(ulong Address, uint Length, bool IsWritable);

/// <summary>The driver's side of a virtqueue: just enough of it, written from the specification alone.</summary>
internal abstract class TestRing(GuestRam ram, ushort size, ulong descriptors, ulong driver, ulong device)
{
    public GuestRam Ram { get; } = ram;

    public ushort Size { get; } = size;

    public ulong Descriptors { get; } = descriptors;

    public ulong Driver { get; } = driver;

    public ulong Device { get; } = device;

    public static TestRing Create(GuestRam ram, ushort size, ulong address, ulong features)
    {
        ulong driver = address + (16UL * size);
        ulong device = (driver + (2UL * size) + 6 + 3) & ~3UL;
        return (features & VirtioFeature.PackedRing) != 0
            ? new PackedTestRing(ram, size, address, driver, device)
            : new SplitTestRing(ram, size, address, driver, device);
    }

    /// <summary>Makes a chain available; with <paramref name="table"/> through an indirect table there.</summary>
    public abstract void Add(ushort id, IReadOnlyList<Part> parts, ulong table = 0);

    /// <summary>Takes the next used chain.</summary>
    public abstract bool TryTake(out ushort id, out uint written);

    /// <summary>Asks for no interrupts (without event indices).</summary>
    public abstract void SuppressInterrupts();

    /// <summary>True when the device wants no notification (without event indices).</summary>
    public abstract bool IsNotifyingSuppressed { get; }

    protected void WriteDescriptor(ulong address, Part part, ushort word3, ushort word4)
    {
        Ram.WriteValue(address, part.Address, 8);
        Ram.WriteValue(address + 8, part.Length, 4);
        Ram.WriteValue(address + 12, word3, 2);
        Ram.WriteValue(address + 14, word4, 2);
    }
}

internal sealed class SplitTestRing(GuestRam ram, ushort size, ulong descriptors, ulong driver, ulong device)
    : TestRing(ram, size, descriptors, driver, device)
{
    private ushort _available;
    private ushort _seen;
    private int _free;

    public override bool IsNotifyingSuppressed => (Ram.ReadValue(Device, 2) & 1) != 0;

    public override void Add(ushort id, IReadOnlyList<Part> parts, ulong table = 0)
    {
        // The head is the id; the rest of a chain takes descriptors from the upper half of the table.
        int Index(int i) => i == 0 ? id : (Size / 2) + ((_free + i) % (Size / 2));
        for (int i = 0; i < parts.Count; i++)
        {
            bool last = i == parts.Count - 1;
            int flags = (parts[i].IsWritable ? 2 : 0) | (last ? 0 : 1);
            int next = table == 0 ? Index(i + 1) : i + 1;
            WriteDescriptor(table == 0 ? Descriptors + (16UL * (ulong)Index(i)) : table + (16UL * (ulong)i), parts[i], (ushort)flags, (ushort)(last ? 0 : next));
        }

        if (table != 0)
        {
            WriteDescriptor(Descriptors + (16UL * id), new Part(table, (uint)(16 * parts.Count), false), 4, 0);
        }

        _free += parts.Count;
        Publish(id);
    }

    /// <summary>Puts a head into the available ring as it is.</summary>
    public void Publish(ushort head)
    {
        Ram.WriteValue(Driver + 4 + (2UL * (ulong)(_available % Size)), head, 2);
        _available++;
        Ram.WriteValue(Driver + 2, _available, 2);
    }

    public override bool TryTake(out ushort id, out uint written)
    {
        (id, written) = (0, 0);
        if ((ushort)Ram.ReadValue(Device + 2, 2) == _seen)
        {
            return false;
        }

        ulong entry = Device + 4 + (8UL * (ulong)(_seen % Size));
        id = (ushort)Ram.ReadValue(entry, 4);
        written = (uint)Ram.ReadValue(entry + 4, 4);
        _seen++;

        // With event indices: an interrupt for the next one used.
        Ram.WriteValue(Driver + 4 + (2UL * Size), _seen, 2);
        return true;
    }

    public override void SuppressInterrupts() => Ram.WriteValue(Driver, 1, 2);
}

internal sealed class PackedTestRing(GuestRam ram, ushort size, ulong descriptors, ulong driver, ulong device)
    : TestRing(ram, size, descriptors, driver, device)
{
    private readonly Dictionary<ushort, int> _slots = [];
    private int _next;
    private bool _wrap = true;
    private int _used;
    private bool _usedWrap = true;

    public override bool IsNotifyingSuppressed => (Ram.ReadValue(Device + 2, 2) & 3) == 1;

    public override void Add(ushort id, IReadOnlyList<Part> parts, ulong table = 0)
    {
        for (int i = 0; i < parts.Count && table != 0; i++)
        {
            WriteDescriptor(table + (16UL * (ulong)i), parts[i], 0, (ushort)(parts[i].IsWritable ? 2 : 0));
        }

        IReadOnlyList<Part> own = table == 0 ? parts : [new Part(table, (uint)(16 * parts.Count), false)];
        ulong first = Descriptors + (16UL * (ulong)_next);
        ushort firstFlags = 0;
        for (int i = 0; i < own.Count; i++)
        {
            int flags = (own[i].IsWritable ? 2 : 0) | (i == own.Count - 1 ? 0 : 1) | (table == 0 ? 0 : 4) | (_wrap ? 1 << 7 : 1 << 15);
            ulong at = Descriptors + (16UL * (ulong)_next);
            firstFlags = i == 0 ? (ushort)flags : firstFlags;

            // The first descriptor's flags make the whole chain available, so they come last.
            WriteDescriptor(at, own[i], id, i == 0 ? (ushort)(_wrap ? 1 << 15 : 1 << 7) : (ushort)flags);
            if (++_next == Size)
            {
                (_next, _wrap) = (0, !_wrap);
            }
        }

        Ram.WriteValue(first + 14, firstFlags, 2);
        _slots[id] = own.Count;
    }

    public override bool TryTake(out ushort id, out uint written)
    {
        ulong at = Descriptors + (16UL * (ulong)_used);
        int flags = (int)Ram.ReadValue(at + 14, 2);
        (id, written) = (0, 0);
        if ((flags & (1 << 7)) != 0 != _usedWrap || (flags & (1 << 15)) != 0 != _usedWrap)
        {
            return false;
        }

        id = (ushort)Ram.ReadValue(at + 12, 2);
        written = (uint)Ram.ReadValue(at + 8, 4);
        _used += _slots[id];
        if (_used >= Size)
        {
            (_used, _usedWrap) = (_used - Size, !_usedWrap);
        }

        Ram.WriteValue(Driver, (ulong)(_used | (_usedWrap ? 1 << 15 : 0)), 2);
        return true;
    }

    public override void SuppressInterrupts() => Ram.WriteValue(Driver + 2, 1, 2);
}
