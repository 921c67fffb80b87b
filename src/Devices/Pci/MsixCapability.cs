using System.Buffers.Binary;
using Emu.Core;
using Emu.Core.Memory;

namespace Emu.Devices.Pci;

/// <summary>Saved state of an <see cref="MsixCapability"/>.</summary>
public sealed record MsixState(byte[] Table, ulong[] Pending);

/// <summary>
/// MSI-X (PCI 3.0, 6.8.2) with table and pending bits in a region of its own, for a BAR. Interrupts may be raised by any
/// thread; where the accelerator can, they reach the guest past user space.
/// </summary>
public sealed class MsixCapability : IDisposable
{
    /// <summary>Bytes of <see cref="Region"/>.</summary>
    public const int RegionSize = 4096;

    /// <summary>Largest number of vectors that <see cref="Region"/> has room for.</summary>
    public const int LargestCount = PendingOffset / EntrySize;

    private const byte CapabilityId = 0x11;
    private const int CapabilityLength = 12;
    private const int EntrySize = 16;
    private const int PendingOffset = 0x800;
    private const int ControlOffset = 2;
    private const ushort Enable = 1 << 15;
    private const ushort FunctionMask = 1 << 14;
    private const uint EntryMask = 1;

    private readonly PciFunction _function;
    private readonly int _offset;
    private readonly Func<MsiMessage, IrqNotifier> _createNotifier;
    private readonly Lock _gate = new();
    private readonly byte[] _table;
    private readonly ulong[] _pending;
    private readonly Vector[] _vectors;
    private bool _enabled;

    /// <summary>Adds the capability to <paramref name="function"/>, to lie in BAR <paramref name="bar"/>.</summary>
    /// <param name="function">The function; it must tell of changes by <see cref="Update"/>.</param>
    /// <param name="count">Number of vectors.</param>
    /// <param name="bar">Index of the BAR that shows <see cref="Region"/>.</param>
    /// <param name="createNotifier">Makes what sends a message; called with the machine lock held.</param>
    public MsixCapability(PciFunction function, int count, int bar, Func<MsiMessage, IrqNotifier> createNotifier)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, LargestCount);
        _function = function;
        _createNotifier = createNotifier;
        _table = new byte[count * EntrySize];
        _pending = new ulong[(count + 63) / 64];
        _vectors = [.. Enumerable.Range(0, count).Select(_ => new Vector())];
        _offset = function.AddCapability(CapabilityId, CapabilityLength);
        function.Define(_offset + ControlOffset, 2, (uint)count - 1, Enable | FunctionMask);
        function.Define(_offset + 4, 4, (uint)bar, 0);
        function.Define(_offset + 8, 4, PendingOffset | (uint)bar, 0);
        Region = MemoryRegion.Container("msix", RegionSize);
        Region.Add(0, MemoryRegion.OfIo("msix-table", (ulong)_table.Length, new TableRegisters(this), IoAccess.Dwords));
        Region.Add(PendingOffset, MemoryRegion.OfIo("msix-pba", (ulong)_pending.Length * 8, new PendingRegisters(this), IoAccess.Dwords));
        ResetTable();
    }

    /// <summary>Number of vectors.</summary>
    public int Count => _vectors.Length;

    /// <summary>True while the guest uses MSI-X instead of the interrupt pin. May be read from any thread.</summary>
    public bool IsEnabled => Volatile.Read(ref _enabled);

    /// <summary>Table and pending bits.</summary>
    public MemoryRegion Region { get; }

    /// <summary>Sends the message of <paramref name="vector"/>, or notes it while that is masked. Any thread, with the machine lock or without.</summary>
    public void Raise(int vector)
    {
        IrqNotifier? notifier = null;
        lock (_gate)
        {
            if (!_enabled || (uint)vector >= (uint)_vectors.Length || !_function.IsBusMaster)
            {
                return;
            }

            if (_vectors[vector].IsOpen)
            {
                notifier = _vectors[vector].Notifier;
            }
            else
            {
                _pending[vector >> 6] |= 1UL << (vector & 63);
            }
        }

        // Outside the gate, as it may take the machine lock, whose holders come here.
        notifier?.Raise();
    }

    /// <summary>Follows the capability's control register; for the function's <c>OnConfigChanged</c>.</summary>
    public void Update()
    {
        for (int vector = 0; vector < _vectors.Length; vector++)
        {
            UpdateVector(vector);
        }
    }

    /// <summary>Returns to the state after power-on; the function's registers reset themselves.</summary>
    public void Reset()
    {
        ResetTable();
        Update();
    }

    /// <summary>Ends the connections to the interrupt controllers; nothing is raised any more. The machine lock must be held.</summary>
    public void Dispose()
    {
        foreach (Vector vector in _vectors)
        {
            IrqNotifier? notifier = vector.Notifier;
            lock (_gate)
            {
                vector.Notifier = null;
            }

            notifier?.Dispose();
        }
    }

    /// <summary>Table and pending bits.</summary>
    public MsixState Save()
    {
        lock (_gate)
        {
            return new MsixState([.. _table], [.. _pending]);
        }
    }

    /// <summary>Takes a saved state; false, with nothing changed, when it is none of this capability's.</summary>
    public bool TryRestore(MsixState? state)
    {
        if (state?.Table is null || state.Pending is null || state.Table.Length != _table.Length || state.Pending.Length != _pending.Length)
        {
            return false;
        }

        lock (_gate)
        {
            state.Table.CopyTo(_table, 0);
            state.Pending.CopyTo(_pending, 0);
        }

        Update();
        return true;
    }

    private void ResetTable()
    {
        lock (_gate)
        {
            Array.Clear(_table);
            Array.Clear(_pending);
            for (int vector = 0; vector < _vectors.Length; vector++)
            {
                _table[(vector * EntrySize) + 12] = (byte)EntryMask;
            }
        }
    }

    private uint Entry(int vector, int field) => BinaryPrimitives.ReadUInt32LittleEndian(_table.AsSpan((vector * EntrySize) + (field * 4)));

    // With the machine lock held. A notifier lives until its message changes, so that masking alone costs nothing.
    private void UpdateVector(int index)
    {
        ushort control = (ushort)BitConverter.ToUInt16(_function.Config[(_offset + ControlOffset)..]);
        bool enabled = (control & Enable) != 0;
        bool open = enabled && (control & FunctionMask) == 0 && (Entry(index, 3) & EntryMask) == 0;
        var message = new MsiMessage(Entry(index, 0) | ((ulong)Entry(index, 1) << 32), Entry(index, 2));
        Vector vector = _vectors[index];
        bool stale = vector.Notifier is not null && (vector.Message != message || !enabled);
        IrqNotifier? fresh = open && (stale || vector.Notifier is null) ? _createNotifier(message) : null;
        IrqNotifier? old = stale ? vector.Notifier : null;
        bool raise = false;
        lock (_gate)
        {
            Volatile.Write(ref _enabled, enabled);
            vector.IsOpen = open;
            vector.Notifier = fresh ?? (stale ? null : vector.Notifier);
            vector.Message = fresh is null ? vector.Message : message;
            ulong bit = 1UL << (index & 63);
            raise = open && (_pending[index >> 6] & bit) != 0;
            _pending[index >> 6] &= raise || !enabled ? ~bit : ulong.MaxValue;
        }

        old?.Dispose();
        if (raise)
        {
            vector.Notifier?.Raise();
        }
    }

    private sealed class Vector
    {
        public bool IsOpen { get; set; }

        public IrqNotifier? Notifier { get; set; }

        public MsiMessage Message { get; set; }
    }

    private sealed class TableRegisters(MsixCapability msix) : IIoHandler
    {
        public ulong Read(ulong offset, int size) => BinaryPrimitives.ReadUInt32LittleEndian(msix._table.AsSpan((int)offset));

        public void Write(ulong offset, ulong value, int size)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(msix._table.AsSpan((int)offset), (uint)value);
            msix.UpdateVector((int)offset / EntrySize);
        }
    }

    private sealed class PendingRegisters(MsixCapability msix) : IIoHandler
    {
        public ulong Read(ulong offset, int size)
        {
            lock (msix._gate)
            {
                return (uint)(msix._pending[offset >> 3] >> (int)((offset & 4) * 8));
            }
        }

        public void Write(ulong offset, ulong value, int size)
        {
            // Read-only.
        }
    }
}
