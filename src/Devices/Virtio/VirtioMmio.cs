using Emu.Core;
using Emu.Core.Memory;
using Emu.Devices.Pci;

namespace Emu.Devices.Virtio;

/// <summary>Saved state of a <see cref="VirtioMmio"/>.</summary>
public sealed record VirtioMmioState(uint QueueSelect, uint[] FeatureSelects, byte InterruptStatus, VirtioDeviceState Device) : DeviceState;

/// <summary>
/// The transport by registers in memory (virtio 1.2, 4.2), version 2 only: one interrupt line, which is a level, and doorbells that tell
/// the queue by the value written. A driver of version 1 is told of in the log.
/// </summary>
public sealed class VirtioMmio : Device, IVirtioTransport, IIoHandler, IDisposable
{
    /// <summary>Bytes of registers and configuration of a device.</summary>
    public const ulong RegionSize = 0x200;

    private const uint MagicValue = 0x7472_6976;
    private const uint ModernVersion = 2;

    // Registers (4.2.2).
    private const int Magic = 0x000;
    private const int Version = 0x004;
    private const int DeviceId = 0x008;
    private const int VendorId = 0x00c;
    private const int DeviceFeatures = 0x010;
    private const int DeviceFeaturesSelect = 0x014;
    private const int DriverFeatures = 0x020;
    private const int DriverFeaturesSelect = 0x024;
    private const int LegacyPageSize = 0x028;
    private const int QueueSelect = 0x030;
    private const int QueueSizeMax = 0x034;
    private const int QueueSize = 0x038;
    private const int LegacyQueueAlign = 0x03c;
    private const int LegacyQueuePage = 0x040;
    private const int QueueReady = 0x044;
    private const int QueueNotify = 0x050;
    private const int InterruptStatus = 0x060;
    private const int InterruptAck = 0x064;
    private const int Status = 0x070;
    private const int QueueDescriptors = 0x080;
    private const int QueueDriver = 0x090;
    private const int QueueDevice = 0x0a0;
    private const int SharedMemoryLength = 0x0b0;
    private const int SharedMemoryBaseEnd = 0x0bc;
    private const int ConfigGeneration = 0x0fc;
    private const int Configuration = 0x100;
    private const int WordHigh = 4;

    // Bits of the interrupt status.
    private const byte UsedBuffer = 1;
    private const byte ConfigurationChange = 2;

    private readonly VirtioDevice _device;
    private readonly IrqLine _irq;
    private readonly MachineLock _lock;
    private readonly Action<string> _log;
    private uint _deviceFeaturesSelect;
    private uint _driverFeaturesSelect;
    private uint _queueSelect;
    private byte _interruptStatus;
    private bool _toldOfLegacy;

    /// <summary>Shows <paramref name="device"/>, which interrupts by <paramref name="irq"/>; <paramref name="log"/> takes a line about what its driver did wrong.</summary>
    public VirtioMmio(VirtioDevice device, IrqLine irq, MachineLock machineLock, Action<string> log)
        : base(device?.Name ?? throw new ArgumentNullException(nameof(device)))
    {
        _device = device;
        _irq = irq;
        _lock = machineLock;
        _log = log;
        Registers = MemoryRegion.OfIo(Name, RegionSize, this, IoAccess.UpToDword);
        for (int queue = 0; queue < device.Queues.Count; queue++)
        {
            int number = queue;
            Registers.AddDoorbell(new Doorbell(QueueNotify, sizeof(uint), (ulong)queue, () => _device.Notify(number)));
        }

        device.Transport = this;
    }

    /// <summary>The registers.</summary>
    public MemoryRegion Registers { get; }

    private VirtioQueueSlot? Selected => _queueSelect < _device.Queues.Count ? _device.Queues[(int)_queueSelect] : null;

    /// <inheritdoc/>
    public void InterruptQueue(int queue) => Interrupt(UsedBuffer);

    /// <inheritdoc/>
    public void InterruptConfig() => Interrupt(ConfigurationChange);

    /// <inheritdoc/>
    public override void Reset()
    {
        _device.Reset();
        ResetRegisters();
    }

    /// <summary>Stops the device, after the buffers being worked on, so that nobody touches guest memory for it any more. The machine lock must be held.</summary>
    public void Dispose() => _device.Reset();

    /// <inheritdoc/>
    public override DeviceState Save() => new VirtioMmioState(_queueSelect, [_deviceFeaturesSelect, _driverFeaturesSelect], _interruptStatus, _device.Save());

    /// <inheritdoc/>
    public override void Restore(DeviceState state)
    {
        VirtioMmioState s = this.Expect<VirtioMmioState>(state);
        this.Require(s.FeatureSelects?.Length == 2 && s.InterruptStatus <= (UsedBuffer | ConfigurationChange));
        _queueSelect = s.QueueSelect;
        (_deviceFeaturesSelect, _driverFeaturesSelect) = (s.FeatureSelects[0], s.FeatureSelects[1]);
        _interruptStatus = s.InterruptStatus;
        this.Require(_device.TryRestore(s.Device));
        _irq.Set(_interruptStatus != 0);
    }

    /// <inheritdoc/>
    public ulong Read(ulong offset, int size)
    {
        if (offset >= Configuration)
        {
            return _device.ReadConfig((int)offset - Configuration, size);
        }

        // Registers are accessed whole and aligned (4.2.2.2); anything else reads as 0.
        return size == sizeof(uint) ? ReadRegister((int)offset) : 0;
    }

    /// <inheritdoc/>
    public void Write(ulong offset, ulong value, int size)
    {
        if (offset >= Configuration)
        {
            _device.WriteConfig((int)offset - Configuration, value, size);
        }
        else if (size == sizeof(uint))
        {
            WriteRegister((int)offset, (uint)value);
        }
    }

    private uint ReadRegister(int offset) => offset switch
    {
        Magic => MagicValue,
        Version => ModernVersion,
        DeviceId => (uint)_device.Type,
        VendorId => QemuSubsystem.Vendor,
        DeviceFeatures => _deviceFeaturesSelect < 2 ? (uint)(_device.OfferedFeatures >> ((int)_deviceFeaturesSelect * 32)) : 0,
        QueueSizeMax => Selected?.LargestSize ?? 0u,
        QueueReady => Selected is { IsEnabled: true } ? 1u : 0,
        InterruptStatus => _interruptStatus,
        Status => (uint)_device.Status,

        // No shared memory: a length and a base of all ones (4.2.2.1).
        >= SharedMemoryLength and <= SharedMemoryBaseEnd => uint.MaxValue,
        ConfigGeneration => _device.ConfigGeneration,
        _ => 0,
    };

    private void WriteRegister(int offset, uint value)
    {
        switch (offset)
        {
            case DeviceFeaturesSelect:
                _deviceFeaturesSelect = value;
                break;
            case DriverFeaturesSelect:
                _driverFeaturesSelect = value;
                break;
            case DriverFeatures:
                _device.WriteDriverFeatures(_driverFeaturesSelect, value);
                break;
            case QueueSelect:
                _queueSelect = value;
                break;
            case InterruptAck:
                _interruptStatus &= (byte)~value;
                _irq.Set(_interruptStatus != 0);
                break;
            case Status:
                WriteStatus(value);
                break;
            case LegacyPageSize or LegacyQueueAlign or LegacyQueuePage:
                TellOfLegacy();
                break;
            default:
                WriteQueue(offset, value);
                break;
        }
    }

    private void WriteStatus(uint value)
    {
        _device.WriteStatus((byte)value);
        if ((byte)value == 0)
        {
            ResetRegisters();
        }
    }

    private void WriteQueue(int offset, uint value)
    {
        if (Selected is not VirtioQueueSlot slot)
        {
            return;
        }

        if (offset == QueueReady)
        {
            if (value == 1)
            {
                _device.EnableQueue((int)_queueSelect);
            }
            else if (value == 0)
            {
                _device.DisableQueue((int)_queueSelect);
            }
        }
        else if (!slot.IsEnabled)
        {
            SetUpQueue(slot, offset, value);
        }
    }

    // Once a queue is enabled the driver may not move it.
    private static void SetUpQueue(VirtioQueueSlot slot, int offset, uint value)
    {
        switch (offset)
        {
            case QueueSize:
                slot.Size = value is > 0 && value <= slot.LargestSize ? (ushort)value : slot.Size;
                break;
            case QueueDescriptors or QueueDescriptors + WordHigh:
                slot.Descriptors = Half(slot.Descriptors, value, offset != QueueDescriptors);
                break;
            case QueueDriver or QueueDriver + WordHigh:
                slot.Driver = Half(slot.Driver, value, offset != QueueDriver);
                break;
            case QueueDevice or QueueDevice + WordHigh:
                slot.Device = Half(slot.Device, value, offset != QueueDevice);
                break;
        }
    }

    private static ulong Half(ulong old, uint value, bool high) => high ? (uint)old | ((ulong)value << 32) : (old & 0xffff_ffff_0000_0000) | value;

    private void ResetRegisters()
    {
        _deviceFeaturesSelect = 0;
        _driverFeaturesSelect = 0;
        _queueSelect = 0;
        _interruptStatus = 0;
        _irq.Set(false);
    }

    private void Interrupt(byte cause)
    {
        using (_lock.Enter())
        {
            // The driver may have reset the device while the worker was on its way here.
            if ((_device.Status & VirtioStatus.DriverOk) != 0)
            {
                _interruptStatus |= cause;
                _irq.Set(true);
            }
        }
    }

    private void TellOfLegacy()
    {
        if (!_toldOfLegacy)
        {
            _toldOfLegacy = true;
            _log($"{Name}: its driver speaks virtio-mmio version 1 (legacy); there is version 2 only, so take a guest with a driver of virtio 1.0 or later");
        }
    }
}
