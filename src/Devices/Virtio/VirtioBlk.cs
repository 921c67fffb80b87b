using System.Buffers.Binary;
using System.Text;
using Emu.Core;
using Emu.Core.Block;

namespace Emu.Devices.Virtio;

/// <summary>What a <see cref="VirtioBlk"/> may be told beside its disk.</summary>
public sealed record VirtioBlkOptions
{
    /// <summary>Serial number as the guest reads it; at most 20 bytes count.</summary>
    public string Serial { get; init; } = "";

    /// <summary>Number of request queues, each with a worker of its own.</summary>
    public int QueueCount { get; init; } = 1;

    /// <summary>Entries of each queue, a power of two.</summary>
    public ushort QueueSize { get; init; } = 256;

    /// <summary>False when every write is on the host's storage before it completes, until the guest chooses otherwise (<c>cache=writethrough</c>).</summary>
    public bool WriteBack { get; init; } = true;

    /// <summary>Ring features offered: any of those of <see cref="VirtioFeature"/>.</summary>
    public ulong RingFeatures { get; init; } = VirtioFeature.IndirectDescriptors | VirtioFeature.EventIndex;
}

/// <summary>
/// The block device (virtio 1.2, 5.2). Requests run on one worker a queue, straight between the disk and guest RAM, while the
/// vCPUs go on.
/// </summary>
public sealed class VirtioBlk : VirtioDevice
{
    /// <summary>PCI class of the device: SCSI storage, as QEMU says.</summary>
    public const uint PciClass = 0x010000;

    private const int SectorSize = 512;
    private const int SectorShift = 9;

    // Feature bits (5.2.3).
    private const ulong FeatureSegmentMax = 1UL << 2;
    private const ulong FeatureReadOnly = 1UL << 5;
    private const ulong FeatureBlockSize = 1UL << 6;
    private const ulong FeatureFlush = 1UL << 9;
    private const ulong FeatureTopology = 1UL << 10;
    private const ulong FeatureConfigWce = 1UL << 11;
    private const ulong FeatureMultiQueue = 1UL << 12;
    private const ulong FeatureDiscard = 1UL << 13;
    private const ulong FeatureWriteZeroes = 1UL << 14;

    // Configuration layout (5.2.4).
    private const int ConfigBytes = 60;
    private const int WritebackOffset = 32;

    // Header and status take two descriptors of a chain.
    private const int FramingDescriptors = 2;
    private const uint LargestRange = 1 << 22;
    private const uint LargestRangeCount = 16;

    private readonly IBlockBackend _disk;
    private readonly byte[] _config;
    private readonly byte[] _id = new byte[BlkRequest.IdSize];
    private readonly IDeviceWorker[] _workers;
    private readonly bool _initialWriteBack;
    private int _writeBack;

    /// <summary>Creates the device over <paramref name="disk"/>, which stays the caller's.</summary>
    public VirtioBlk(string name, IBlockBackend disk, VirtioBlkOptions options, VirtioEnvironment environment)
        : base(name, VirtioDeviceType.Block, FeaturesOf(disk, options), Enumerable.Repeat(options.QueueSize, options.QueueCount), environment)
    {
        _disk = disk;
        _initialWriteBack = options.WriteBack;
        byte[] serial = Encoding.UTF8.GetBytes(options.Serial);
        serial.AsSpan(0, Math.Min(serial.Length, _id.Length)).CopyTo(_id);
        _config = CreateConfig(disk, options);
        _workers = [.. Enumerable.Range(0, options.QueueCount).Select(CreateWorker)];
        OnReset();
    }

    /// <inheritdoc/>
    public override int ConfigSize => ConfigBytes;

    /// <inheritdoc/>
    public override ulong ReadConfig(int offset, int size)
    {
        ulong value = 0;
        for (int i = 0; i < size; i++)
        {
            int at = offset + i;
            byte b = at == WritebackOffset ? (byte)_writeBack : at < ConfigBytes ? _config[at] : (byte)0;
            value |= (ulong)b << (8 * i);
        }

        return value;
    }

    /// <inheritdoc/>
    public override void WriteConfig(int offset, ulong value, int size)
    {
        if (offset == WritebackOffset && size == 1 && value <= 1 && (DriverFeatures & FeatureConfigWce) != 0)
        {
            Volatile.Write(ref _writeBack, (int)value);
        }
    }

    /// <inheritdoc/>
    protected override void OnNotify(int queue) => _workers[queue].Wake();

    /// <inheritdoc/>
    protected override void OnReset() => Volatile.Write(ref _writeBack, _initialWriteBack ? 1 : 0);

    // A driver that cannot flush must be able to rely on writes as they complete (5.2.6.2).
    /// <inheritdoc/>
    protected override void OnLive()
    {
        if ((DriverFeatures & FeatureFlush) == 0)
        {
            Volatile.Write(ref _writeBack, 0);
        }
    }

    /// <inheritdoc/>
    protected override byte[] SaveSpecific() => [(byte)_writeBack];

    /// <inheritdoc/>
    protected override bool TryRestoreSpecific(byte[] specific)
    {
        if (specific is not [0 or 1])
        {
            return false;
        }

        Volatile.Write(ref _writeBack, specific[0]);
        return true;
    }

    private static ulong FeaturesOf(IBlockBackend disk, VirtioBlkOptions options) =>
        options.RingFeatures | FeatureSegmentMax | FeatureBlockSize | FeatureFlush | FeatureTopology | FeatureConfigWce
        | (disk.IsReadOnly ? FeatureReadOnly : FeatureWriteZeroes | (disk.DiscardGranularity > 0 ? FeatureDiscard : 0))
        | (options.QueueCount > 1 ? FeatureMultiQueue : 0);

    private static byte[] CreateConfig(IBlockBackend disk, VirtioBlkOptions options)
    {
        byte[] config = new byte[ConfigBytes];
        BinaryPrimitives.WriteInt64LittleEndian(config, disk.Length >> SectorShift);
        BinaryPrimitives.WriteInt32LittleEndian(config.AsSpan(12), options.QueueSize - FramingDescriptors); // seg_max
        BinaryPrimitives.WriteInt32LittleEndian(config.AsSpan(20), SectorSize); // blk_size
        BinaryPrimitives.WriteUInt16LittleEndian(config.AsSpan(26), 1); // min_io_size, in blocks
        BinaryPrimitives.WriteUInt16LittleEndian(config.AsSpan(34), (ushort)options.QueueCount);
        BinaryPrimitives.WriteUInt32LittleEndian(config.AsSpan(36), LargestRange); // max_discard_sectors
        BinaryPrimitives.WriteUInt32LittleEndian(config.AsSpan(40), LargestRangeCount);
        BinaryPrimitives.WriteInt32LittleEndian(config.AsSpan(44), Math.Max(1, disk.DiscardGranularity >> SectorShift));
        BinaryPrimitives.WriteUInt32LittleEndian(config.AsSpan(48), LargestRange); // max_write_zeroes_sectors
        BinaryPrimitives.WriteUInt32LittleEndian(config.AsSpan(52), LargestRangeCount);
        config[56] = 1; // write_zeroes_may_unmap
        return config;
    }

    private IDeviceWorker CreateWorker(int queue)
    {
        var chain = new VirtioChain();
        var request = new BlkRequest(_disk, _id);
        return Environment.Workers.Create($"{Name}-{queue}", () => ServeQueue(queue, chain, buffer => request.Run(buffer, Volatile.Read(ref _writeBack) == 0)));
    }
}
