using Emu.Core;
using Emu.Core.Memory;
using Emu.Devices.Pci;

namespace Emu.Devices.Virtio;

/// <summary>Saved state of a <see cref="VirtioPci"/>.</summary>
public sealed record VirtioPciState(
    byte[] Config, MsixState Msix, ushort ConfigVector, ushort[] QueueVectors, ushort QueueSelect, uint[] FeatureSelects, byte Isr,
    VirtioDeviceState Device) : DeviceState;

/// <summary>
/// The PCI transport (virtio 1.2, 4.1) of a virtio device, modern interface only: BAR 1 holds MSI-X, BAR 4 the common, ISR,
/// device and notify structures. Notifications are doorbells, one register a queue.
/// </summary>
public sealed partial class VirtioPci : Device, IVirtioTransport, IDisposable
{
    private const ushort VirtioVendor = 0x1af4;
    private const ushort ModernDeviceBase = 0x1040;
    private const byte ModernRevision = 1;
    private const ushort NoVector = 0xffff;

    private const int MsixBar = 1;
    private const int ModernBar = 4;

    // The structures inside BAR 4.
    private const uint CommonOffset = 0x0000;
    private const uint IsrOffset = 0x1000;
    private const uint DeviceOffset = 0x2000;
    private const uint NotifyOffset = 0x3000;
    private const uint StructureSize = 0x1000;
    private const ulong ModernBarSize = 4 * StructureSize;
    private const uint NotifyMultiplier = 4;

    // Bits of the ISR status (4.1.4.5).
    private const byte IsrQueue = 1;
    private const byte IsrConfig = 2;

    private readonly VirtioDevice _device;
    private readonly VirtioPciFunction _function;
    private readonly MsixCapability _msix;
    private readonly MachineLock _lock;
    private readonly int[] _queueVectors;
    private int _configVector = NoVector;
    private byte _isr;

    /// <summary>Shows <paramref name="device"/> on PCI.</summary>
    /// <param name="device">The device, which has the same name.</param>
    /// <param name="classCode">PCI class, subclass and programming interface.</param>
    /// <param name="machineLock">The machine lock.</param>
    /// <param name="createMsi">Makes what sends a message-signalled interrupt.</param>
    public VirtioPci(VirtioDevice device, uint classCode, MachineLock machineLock, Func<MsiMessage, IrqNotifier> createMsi)
        : base(device?.Name ?? throw new ArgumentNullException(nameof(device)))
    {
        _device = device;
        _lock = machineLock;
        _queueVectors = new int[device.Queues.Count];
        _function = new VirtioPciFunction(this, VirtioVendor, (ushort)(ModernDeviceBase + (int)device.Type), classCode, ModernRevision);
        _msix = new MsixCapability(_function, device.Queues.Count + 1, MsixBar, createMsi);
        _function.DefineBar(MsixBar, PciBarKind.Memory32, _msix.Region);
        MemoryRegion modern = CreateModernRegion();
        _function.DefineBar(ModernBar, PciBarKind.PrefetchableMemory64, modern);
        _function.AddStructures(new AddressSpace($"{Name}-window", modern, machineLock));
        device.Transport = this;
        ResetRegisters();
    }

    /// <summary>The function, to be plugged into a bus.</summary>
    public PciFunction Function => _function;

    /// <inheritdoc/>
    public void InterruptQueue(int queue) => Interrupt(Volatile.Read(ref _queueVectors[queue]), IsrQueue);

    /// <inheritdoc/>
    public void InterruptConfig() => Interrupt(Volatile.Read(ref _configVector), IsrConfig);

    /// <inheritdoc/>
    public override void Reset()
    {
        _device.Reset();
        ResetRegisters();
        _function.Reset();
        _msix.Reset();
    }

    /// <summary>
    /// Stops the device, after the buffers being worked on, so that nobody touches guest memory for it any more, and lets go of what the
    /// accelerator gave for interrupts. The machine lock must be held.
    /// </summary>
    public void Dispose()
    {
        _device.Reset();
        _msix.Dispose();
    }

    /// <inheritdoc/>
    public override DeviceState Save() => new VirtioPciState(
        _function.SaveConfig(), _msix.Save(), (ushort)_configVector, [.. _queueVectors.Select(vector => (ushort)vector)],
        _queueSelect, [_deviceFeatureSelect, _driverFeatureSelect], _isr, _device.Save());

    /// <inheritdoc/>
    public override void Restore(DeviceState state)
    {
        VirtioPciState s = this.Expect<VirtioPciState>(state);
        this.Require(s.QueueVectors?.Length == _queueVectors.Length && s.QueueVectors.All(IsVector) && IsVector(s.ConfigVector));
        this.Require(s.FeatureSelects?.Length == 2);
        this.Require(_function.TryRestoreConfig(s.Config));
        this.Require(_msix.TryRestore(s.Msix));
        for (int i = 0; i < _queueVectors.Length; i++)
        {
            _queueVectors[i] = s.QueueVectors[i];
        }

        _configVector = s.ConfigVector;
        _queueSelect = s.QueueSelect;
        (_deviceFeatureSelect, _driverFeatureSelect) = (s.FeatureSelects[0], s.FeatureSelects[1]);
        _isr = s.Isr;
        this.Require(_device.TryRestore(s.Device));
        _function.SetInterrupt(_isr != 0);
    }

    private bool IsVector(ushort vector) => vector == NoVector || vector < _msix.Count;

    private void ResetRegisters()
    {
        Array.Fill(_queueVectors, NoVector);
        _configVector = NoVector;
        _queueSelect = 0;
        _deviceFeatureSelect = 0;
        _driverFeatureSelect = 0;
        _isr = 0;
        _function.SetInterrupt(false);
    }

    private void Interrupt(int vector, byte cause)
    {
        if (_msix.IsEnabled)
        {
            _msix.Raise(vector);
            return;
        }

        using (_lock.Enter())
        {
            // The driver may have reset the device while the worker was on its way here.
            if ((_device.Status & VirtioStatus.DriverOk) != 0)
            {
                _isr |= cause;
                _function.SetInterrupt(true);
            }
        }
    }

    private MemoryRegion CreateModernRegion()
    {
        MemoryRegion region = MemoryRegion.Container($"{Name}-modern", ModernBarSize);
        MemoryRegion notify = MemoryRegion.OfIo($"{Name}-notify", StructureSize, new Registers((_, _) => 0, (_, _, _) => { }), IoAccess.UpToDword);
        for (int queue = 0; queue < _queueVectors.Length; queue++)
        {
            int number = queue;
            notify.AddDoorbell(new Doorbell((ulong)queue * NotifyMultiplier, 0, null, () => Notify(number)));
        }

        region.Add(CommonOffset, MemoryRegion.OfIo($"{Name}-common", StructureSize, new Registers(ReadCommon, WriteCommon), IoAccess.UpToDword));
        region.Add(IsrOffset, MemoryRegion.OfIo($"{Name}-isr", StructureSize, new Registers(ReadIsr, (_, _, _) => { }), IoAccess.Bytes));
        region.Add(DeviceOffset, MemoryRegion.OfIo($"{Name}-device", StructureSize, new Registers(_device.ReadConfig, _device.WriteConfig), IoAccess.UpToDword));
        region.Add(NotifyOffset, notify);
        return region;
    }

    // A function that may not master the bus cannot look at its rings.
    private void Notify(int queue)
    {
        if (_function.IsBusMaster)
        {
            _device.Notify(queue);
        }
    }

    // Reading clears, and releases the pin (4.1.4.5).
    private ulong ReadIsr(int offset, int size)
    {
        if (offset != 0)
        {
            return 0;
        }

        byte isr = _isr;
        _isr = 0;
        _function.SetInterrupt(false);
        return isr;
    }

    /// <summary>A structure as a pair of functions.</summary>
    private sealed class Registers(Func<int, int, ulong> read, Action<int, ulong, int> write) : IIoHandler
    {
        public ulong Read(ulong offset, int size) => read((int)offset, size);

        public void Write(ulong offset, ulong value, int size) => write((int)offset, value, size);
    }
}
