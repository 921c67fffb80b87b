using System.Runtime.CompilerServices;

namespace Emu.Core.Memory;

/// <summary>Told of every change of an address space: KVM slots, TLB flush, ioeventfd. Called with the machine lock held.</summary>
public interface IMemoryListener
{
    /// <summary>
    /// The flat view changed from <paramref name="before"/> to <paramref name="after"/>; <paramref name="removed"/> and
    /// <paramref name="added"/> are the stretches only in one of them.
    /// </summary>
    void OnMapChanged(FlatView before, FlatView after, IReadOnlyList<FlatRange> removed, IReadOnlyList<FlatRange> added);
}

/// <summary>
/// A tree of regions as seen by CPUs and devices: guest-physical memory, or the 64 KiB port space. Accesses dispatch on
/// the current <see cref="FlatView"/>: RAM directly, registers to their handler under the machine lock. Where nothing lies
/// reads give all ones and writes vanish, as on a PC bus.
/// </summary>
public sealed partial class AddressSpace
{
    private readonly MachineLock _lock;
    private readonly List<IMemoryListener> _listeners = [];
    private FlatView _view = FlatView.Empty;
    private int _transactionDepth;

    /// <summary>Creates the space over <paramref name="root"/>, a container.</summary>
    public AddressSpace(string name, MemoryRegion root, MachineLock machineLock)
    {
        ArgumentNullException.ThrowIfNull(root);
        Name = name;
        Root = root;
        _lock = machineLock;
        root.Attach(this);
        Rebuild();
    }

    /// <summary>Name for messages.</summary>
    public string Name { get; }

    /// <summary>The root of the tree.</summary>
    public MemoryRegion Root { get; }

    /// <summary>The current map. Hold the reference while using it.</summary>
    public FlatView View => Volatile.Read(ref _view);

    /// <summary>Called for accesses where nothing lies: address, size, is write. For <c>-d unimp</c>.</summary>
    public Action<ulong, int, bool>? Unassigned { get; set; }

    /// <summary>Adds a listener and tells it the whole present map as added.</summary>
    public void AddListener(IMemoryListener listener)
    {
        ArgumentNullException.ThrowIfNull(listener);
        _listeners.Add(listener);
        listener.OnMapChanged(FlatView.Empty, View, [], View.Ranges.ToArray());
    }

    /// <summary>Removes a listener.</summary>
    public void RemoveListener(IMemoryListener listener) => _listeners.Remove(listener);

    /// <summary>Delays flattening until the returned scope is disposed, so that several changes become one.</summary>
    public Transaction BeginChange()
    {
        _transactionDepth++;
        return new Transaction(this);
    }

    /// <summary>Reads <paramref name="size"/> bytes (1, 2, 4 or 8) at any alignment, little-endian and zero-extended.</summary>
    public ulong Read(ulong address, int size)
    {
        if (!View.TryFind(address, out FlatRange? range))
        {
            Unassigned?.Invoke(address, size, false);
            return AllOnes(size);
        }

        if (range.Last - address < (ulong)size - 1)
        {
            return ReadSplit(address, size);
        }

        if (range.IsMemory)
        {
            return range.Region.Ram!.ReadValue(range.RamOffset(address), size);
        }

        using (_lock.Enter())
        {
            return ReadIo(range.Region, range.RegionOffset + (address - range.Start), size);
        }
    }

    /// <summary>Writes the low <paramref name="size"/> bytes (1, 2, 4 or 8) of <paramref name="value"/> at any alignment.</summary>
    public void Write(ulong address, ulong value, int size)
    {
        if (!View.TryFind(address, out FlatRange? range))
        {
            Unassigned?.Invoke(address, size, true);
            return;
        }

        if (range.Last - address < (ulong)size - 1)
        {
            WriteSplit(address, value, size);
        }
        else if (range.IsMemory && !range.ReadOnly)
        {
            range.Region.Ram!.WriteValue(range.RamOffset(address), value, size);
        }
        else if (range.Region.Handler is not null)
        {
            using (_lock.Enter())
            {
                WriteIo(range.Region, range.RegionOffset + (address - range.Start), value, size);
            }
        }
    }

    /// <summary>Reads <paramref name="size"/> bytes, 1–8, in the fewest accesses that buses have: what an instruction across a page leaves.</summary>
    public ulong ReadAnySize(ulong address, int size)
    {
        ulong value = 0;
        for (int done = 0, part; done < size; done += part)
        {
            part = LargestPart(size - done);
            value |= Read(address + (ulong)done, part) << (done * 8);
        }

        return value;
    }

    /// <summary>Writes <paramref name="size"/> bytes, 1–8, in the fewest accesses that buses have.</summary>
    public void WriteAnySize(ulong address, ulong value, int size)
    {
        for (int done = 0, part; done < size; done += part)
        {
            part = LargestPart(size - done);
            Write(address + (ulong)done, (value >> (done * 8)) & AllOnes(part), part);
        }
    }

    /// <summary>Reads a buffer, across regions if need be (device DMA, loaders).</summary>
    public void Read(ulong address, Span<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            int length = 1;
            if (View.TryFind(address, out FlatRange? range) && range.IsMemory)
            {
                length = (int)Math.Min((ulong)buffer.Length, range.Last - address + 1);
                range.Region.Ram!.Read(range.RamOffset(address), buffer[..length]);
            }
            else
            {
                buffer[0] = (byte)Read(address, 1);
            }

            address += (ulong)length;
            buffer = buffer[length..];
        }
    }

    /// <summary>Writes a buffer, across regions if need be (device DMA, loaders).</summary>
    public void Write(ulong address, ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            int length = 1;
            if (View.TryFind(address, out FlatRange? range) && range.IsMemory && !range.ReadOnly)
            {
                length = (int)Math.Min((ulong)data.Length, range.Last - address + 1);
                range.Region.Ram!.Write(range.RamOffset(address), data[..length]);
            }
            else
            {
                Write(address, data[0], 1);
            }

            address += (ulong)length;
            data = data[length..];
        }
    }

    internal void Rebuild()
    {
        if (_transactionDepth > 0)
        {
            return;
        }

        FlatView before = _view;
        FlatView after = FlatView.Build(Root);
        Volatile.Write(ref _view, after);
        if (_listeners.Count == 0)
        {
            return;
        }

        var old = new HashSet<FlatRange>(before.Ranges.ToArray());
        var now = new HashSet<FlatRange>(after.Ranges.ToArray());
        FlatRange[] removed = [.. before.Ranges.ToArray().Where(range => !now.Contains(range))];
        FlatRange[] added = [.. after.Ranges.ToArray().Where(range => !old.Contains(range))];
        foreach (IMemoryListener listener in _listeners)
        {
            listener.OnMapChanged(before, after, removed, added);
        }
    }

    private static int LargestPart(int size) => size >= 8 ? 8 : 1 << int.Log2(size);

    private static ulong AllOnes(int size) => size == 8 ? ulong.MaxValue : (1UL << (size * 8)) - 1;

    private static ulong ReadIo(MemoryRegion region, ulong offset, int size)
    {
        IIoHandler handler = region.Handler!;
        IoAccess access = region.Access;
        if (size < access.Min)
        {
            ulong aligned = offset & ~((ulong)access.Min - 1);
            int skip = (int)(offset - aligned);
            ulong value = handler.Read(aligned, access.Min) >> (skip * 8);
            if (skip + size > access.Min)
            {
                int have = access.Min - skip;
                value |= handler.Read(aligned + (ulong)access.Min, access.Min) << (have * 8);
            }

            return value & AllOnes(size);
        }

        int step = Math.Min(size, access.Max);
        ulong result = 0;
        for (int done = 0; done < size; done += step)
        {
            result |= (handler.Read(offset + (ulong)done, step) & AllOnes(step)) << (done * 8);
        }

        return result;
    }

    private static void WriteIo(MemoryRegion region, ulong offset, ulong value, int size)
    {
        if (region.FindDoorbell(offset, value, size) is Doorbell doorbell)
        {
            doorbell.Rung();
            return;
        }

        IIoHandler handler = region.Handler!;
        IoAccess access = region.Access;
        if (size < access.Min)
        {
            ulong aligned = offset & ~((ulong)access.Min - 1);
            handler.Write(aligned, (value & AllOnes(size)) << ((int)(offset - aligned) * 8), access.Min);
            return;
        }

        int step = Math.Min(size, access.Max);
        for (int done = 0; done < size; done += step)
        {
            handler.Write(offset + (ulong)done, (value >> (done * 8)) & AllOnes(step), step);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ulong ReadSplit(ulong address, int size)
    {
        ulong value = 0;
        for (int i = 0; i < size; i++)
        {
            value |= Read(address + (ulong)i, 1) << (i * 8);
        }

        return value;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void WriteSplit(ulong address, ulong value, int size)
    {
        for (int i = 0; i < size; i++)
        {
            Write(address + (ulong)i, (value >> (i * 8)) & 0xff, 1);
        }
    }

    private void EndChange()
    {
        if (--_transactionDepth == 0)
        {
            Rebuild();
        }
    }

    /// <summary>The scope of <see cref="BeginChange"/>.</summary>
    public readonly struct Transaction : IDisposable, IEquatable<Transaction>
    {
        private readonly AddressSpace _space;

        internal Transaction(AddressSpace space) => _space = space;

        /// <summary>Ends the change; the outermost one flattens and tells the listeners.</summary>
        public void Dispose() => _space.EndChange();

        /// <inheritdoc/>
        public bool Equals(Transaction other) => ReferenceEquals(_space, other._space);

        /// <inheritdoc/>
        public override bool Equals(object? obj) => obj is Transaction other && Equals(other);

        /// <inheritdoc/>
        public override int GetHashCode() => _space.GetHashCode();

        /// <summary>Equality of scopes.</summary>
        public static bool operator ==(Transaction left, Transaction right) => left.Equals(right);

        /// <summary>Inequality of scopes.</summary>
        public static bool operator !=(Transaction left, Transaction right) => !left.Equals(right);
    }
}
