namespace Emu.Devices.Virtio;

/// <content>The common configuration structure (virtio 1.2, 4.1.4.3).</content>
public sealed partial class VirtioPci
{
    private const int DeviceFeatureSelect = 0x00;
    private const int DeviceFeature = 0x04;
    private const int DriverFeatureSelect = 0x08;
    private const int DriverFeature = 0x0c;
    private const int ConfigVector = 0x10;
    private const int QueueCount = 0x12;
    private const int DeviceStatus = 0x14;
    private const int ConfigGeneration = 0x15;
    private const int QueueSelect = 0x16;
    private const int QueueSize = 0x18;
    private const int QueueVector = 0x1a;
    private const int QueueEnable = 0x1c;
    private const int QueueNotifyOffset = 0x1e;
    private const int QueueDescriptors = 0x20;
    private const int QueueDriver = 0x28;
    private const int QueueDevice = 0x30;
    private const int WordHigh = 4;

    private uint _deviceFeatureSelect;
    private uint _driverFeatureSelect;
    private ushort _queueSelect;

    private VirtioQueueSlot? Selected => _queueSelect < _device.Queues.Count ? _device.Queues[_queueSelect] : null;

    // Drivers access each field whole, the addresses as two halves (4.1.3.1); anything else reads as 0 and is ignored.
    private ulong ReadCommon(int offset, int size) => (offset, size) switch
    {
        (DeviceFeatureSelect, 4) => _deviceFeatureSelect,
        (DeviceFeature, 4) => Word(_device.OfferedFeatures, _deviceFeatureSelect),
        (DriverFeatureSelect, 4) => _driverFeatureSelect,
        (DriverFeature, 4) => Word(_device.DriverFeatures, _driverFeatureSelect),
        (ConfigVector, 2) => (ushort)_configVector,
        (QueueCount, 2) => (ushort)_device.Queues.Count,
        (DeviceStatus, 1) => (byte)_device.Status,
        (ConfigGeneration, 1) => _device.ConfigGeneration,
        (QueueSelect, 2) => _queueSelect,
        _ => Selected is VirtioQueueSlot slot ? ReadQueue(slot, offset, size) : 0,
    };

    private void WriteCommon(int offset, ulong value, int size)
    {
        switch (offset, size)
        {
            case (DeviceFeatureSelect, 4):
                _deviceFeatureSelect = (uint)value;
                break;
            case (DriverFeatureSelect, 4):
                _driverFeatureSelect = (uint)value;
                break;
            case (DriverFeature, 4):
                _device.WriteDriverFeatures(_driverFeatureSelect, (uint)value);
                break;
            case (ConfigVector, 2):
                Volatile.Write(ref _configVector, VectorOf(value));
                break;
            case (DeviceStatus, 1):
                WriteStatus((byte)value);
                break;
            case (QueueSelect, 2):
                _queueSelect = (ushort)value;
                break;
            default:
                WriteQueue(offset, value, size);
                break;
        }
    }

    private static uint Word(ulong features, uint select) => select < 2 ? (uint)(features >> ((int)select * 32)) : 0;

    private ulong ReadQueue(VirtioQueueSlot slot, int offset, int size) => (offset, size) switch
    {
        (QueueSize, 2) => slot.Size,
        (QueueVector, 2) => (ushort)_queueVectors[_queueSelect],
        (QueueEnable, 2) => slot.IsEnabled ? 1UL : 0,
        (QueueNotifyOffset, 2) => _queueSelect,
        (QueueDescriptors, 4) => (uint)slot.Descriptors,
        (QueueDescriptors + WordHigh, 4) => slot.Descriptors >> 32,
        (QueueDriver, 4) => (uint)slot.Driver,
        (QueueDriver + WordHigh, 4) => slot.Driver >> 32,
        (QueueDevice, 4) => (uint)slot.Device,
        (QueueDevice + WordHigh, 4) => slot.Device >> 32,
        _ => 0,
    };

    private void WriteQueue(int offset, ulong value, int size)
    {
        if (Selected is not VirtioQueueSlot slot)
        {
            return;
        }

        if ((offset, size) == (QueueVector, 2))
        {
            Volatile.Write(ref _queueVectors[_queueSelect], VectorOf(value));
        }
        else if (!slot.IsEnabled)
        {
            SetUpQueue(slot, offset, value, size);
        }
    }

    // Once a queue is enabled the driver may not move it.
    private void SetUpQueue(VirtioQueueSlot slot, int offset, ulong value, int size)
    {
        switch (offset, size)
        {
            case (QueueSize, 2):
                slot.Size = value is > 0 && value <= slot.LargestSize ? (ushort)value : slot.Size;
                break;
            case (QueueEnable, 2) when value == 1:
                _device.EnableQueue(_queueSelect);
                break;
            case (QueueDescriptors, 4):
                slot.Descriptors = Low(slot.Descriptors, value);
                break;
            case (QueueDescriptors + WordHigh, 4):
                slot.Descriptors = High(slot.Descriptors, value);
                break;
            case (QueueDriver, 4):
                slot.Driver = Low(slot.Driver, value);
                break;
            case (QueueDriver + WordHigh, 4):
                slot.Driver = High(slot.Driver, value);
                break;
            case (QueueDevice, 4):
                slot.Device = Low(slot.Device, value);
                break;
            case (QueueDevice + WordHigh, 4):
                slot.Device = High(slot.Device, value);
                break;
        }
    }

    private void WriteStatus(byte value)
    {
        _device.WriteStatus(value);
        if (value == 0)
        {
            ResetRegisters();
        }
    }

    // What is no vector is refused, which the driver sees by reading back (4.1.5.1.2.1).
    private int VectorOf(ulong value) => value < (ulong)_msix.Count ? (int)value : NoVector;

    private static ulong Low(ulong old, ulong value) => (old & 0xffff_ffff_0000_0000) | (uint)value;

    private static ulong High(ulong old, ulong value) => (uint)old | (value << 32);
}
