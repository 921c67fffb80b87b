namespace Emu.Devices.Virtio;

/// <summary>Feature bits that every device type has (virtio 1.2, ch. 6), as masks.</summary>
public static class VirtioFeature
{
    /// <summary>VIRTIO_F_INDIRECT_DESC.</summary>
    public const ulong IndirectDescriptors = 1UL << 28;

    /// <summary>VIRTIO_F_EVENT_IDX.</summary>
    public const ulong EventIndex = 1UL << 29;

    /// <summary>VIRTIO_F_VERSION_1: the driver speaks virtio 1.0 or later, and no other is spoken here.</summary>
    public const ulong Version1 = 1UL << 32;

    /// <summary>VIRTIO_F_RING_PACKED.</summary>
    public const ulong PackedRing = 1UL << 34;
}

/// <summary>Bits of the device status register (virtio 1.2, 2.1).</summary>
[Flags]
public enum VirtioStatus
{
    /// <summary>After a reset.</summary>
    None = 0,

    /// <summary>ACKNOWLEDGE.</summary>
    Acknowledge = 1,

    /// <summary>DRIVER.</summary>
    Driver = 2,

    /// <summary>DRIVER_OK: the device may use its queues.</summary>
    DriverOk = 4,

    /// <summary>FEATURES_OK.</summary>
    FeaturesOk = 8,

    /// <summary>DEVICE_NEEDS_RESET.</summary>
    NeedsReset = 64,

    /// <summary>FAILED.</summary>
    Failed = 128,
}

/// <summary>Device types (virtio 1.2, ch. 5).</summary>
public enum VirtioDeviceType
{
    /// <summary>Network card.</summary>
    Network = 1,

    /// <summary>Block device.</summary>
    Block = 2,

    /// <summary>Console.</summary>
    Console = 3,

    /// <summary>Entropy source.</summary>
    Entropy = 4,
}
