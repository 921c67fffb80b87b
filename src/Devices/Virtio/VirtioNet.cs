using System.Buffers.Binary;
using Emu.Core;
using Emu.Core.Net;

namespace Emu.Devices.Virtio;

/// <summary>
/// The network card (virtio 1.2, 5.1) with one pair of queues and a control queue. Frames from the guest go out on a worker, those
/// for it come in on the back end's thread; neither holds the machine lock.
/// </summary>
public sealed partial class VirtioNet : VirtioDevice, INetReceiver
{
    /// <summary>PCI class of the device: Ethernet controller.</summary>
    public const uint PciClass = 0x020000;

    private const int ReceiveQueue = 0;
    private const int TransmitQueue = 1;
    private const int ControlQueue = 2;
    private const ushort QueueSize = 256;
    private const ushort ControlQueueSize = 64;

    // Feature bits (5.1.3).
    private const ulong FeatureChecksum = 1UL << 0;
    private const ulong FeatureGuestChecksum = 1UL << 1;
    private const ulong FeatureMac = 1UL << 5;
    private const ulong FeatureGuestTso4 = 1UL << 7;
    private const ulong FeatureGuestTso6 = 1UL << 8;
    private const ulong FeatureHostTso4 = 1UL << 11;
    private const ulong FeatureHostTso6 = 1UL << 12;
    private const ulong FeatureMergeable = 1UL << 15;
    private const ulong FeatureStatus = 1UL << 16;
    private const ulong FeatureControlQueue = 1UL << 17;
    private const ulong FeatureControlRx = 1UL << 18;
    private const ulong FeatureControlVlan = 1UL << 19;
    private const ulong FeatureControlRxExtra = 1UL << 20;
    private const ulong FeatureControlMac = 1UL << 23;
    private const ulong ControlFeatures = FeatureControlQueue | FeatureControlRx | FeatureControlVlan | FeatureControlRxExtra | FeatureControlMac;

    // Configuration layout (5.1.4).
    private const int ConfigBytes = 12;
    private const int MacSize = 6;
    private const int StatusOffset = 6;
    private const byte LinkUp = 1;

    // The header before each frame (5.1.6).
    private const int HeaderSize = 12;
    private const byte HeaderNeedsChecksum = 1;
    private const byte HeaderDataValid = 2;
    private const byte SegmentNone = 0;
    private const byte SegmentTcp4 = 1;
    private const byte SegmentTcp6 = 4;
    private const byte SegmentEcn = 0x80;

    private const int EthernetHeaderSize = 14;

    // 64 KiB of IP after an Ethernet header with two tags.
    private const int LargestFrame = 65535 + EthernetHeaderSize + 8;

    private readonly INetBackend? _backend;
    private readonly NetFilter _filter = new();
    private readonly ulong _initialAddress;
    private readonly IDeviceWorker _transmitter;
    private readonly IDeviceWorker _controller;
    private readonly IDeviceWorker _receiverReady;
    private readonly byte[] _frame = new byte[LargestFrame];

    /// <summary>Creates the card.</summary>
    /// <param name="name">Unique name in the machine.</param>
    /// <param name="backend">The outside end, which stays the caller's; null for a cable that is not plugged in.</param>
    /// <param name="address">MAC address, six bytes.</param>
    /// <param name="ringFeatures">Ring features offered.</param>
    /// <param name="environment">The machine around it.</param>
    public VirtioNet(string name, INetBackend? backend, ReadOnlySpan<byte> address, ulong ringFeatures, VirtioEnvironment environment)
        : base(name, VirtioDeviceType.Network, FeaturesOf(backend) | ringFeatures, [QueueSize, QueueSize, ControlQueueSize], environment)
    {
        _backend = backend;
        _initialAddress = NetFilter.ReadAddress(address);
        _filter.Address = _initialAddress;
        var sent = new VirtioChain();
        var command = new VirtioChain();
        _transmitter = environment.Workers.Create($"{name}-tx", () => ServeQueue(TransmitQueue, sent, Transmit));
        _controller = environment.Workers.Create($"{name}-control", () => ServeQueue(ControlQueue, command, RunCommand));
        _receiverReady = environment.Workers.Create($"{name}-rx", () => _backend?.ReceiverReady());
        backend?.Connect(this);
    }

    /// <inheritdoc/>
    public NetOffloads Offloads =>
        !IsLive || (DriverFeatures & FeatureGuestChecksum) == 0 ? NetOffloads.None
        : NetOffloads.Checksum
            | ((DriverFeatures & FeatureGuestTso4) != 0 ? NetOffloads.Tso4 : 0)
            | ((DriverFeatures & FeatureGuestTso6) != 0 ? NetOffloads.Tso6 : 0);

    /// <inheritdoc/>
    public override int ConfigSize => ConfigBytes;

    /// <inheritdoc/>
    public override ulong ReadConfig(int offset, int size)
    {
        ulong value = 0;
        for (int i = 0; i < size; i++)
        {
            int at = offset + i;
            byte b = at < MacSize ? (byte)(_filter.Address >> (8 * (MacSize - 1 - at))) : at == StatusOffset && _backend is not null ? LinkUp : (byte)0;
            value |= (ulong)b << (8 * i);
        }

        return value;
    }

    /// <inheritdoc/>
    protected override void OnNotify(int queue)
    {
        switch (queue)
        {
            case ReceiveQueue:
                // Not here: the back end may hold a lock of its own while it hands in a frame, which ends in the machine lock.
                _receiverReady.Wake();
                break;
            case TransmitQueue:
                _transmitter.Wake();
                break;
            default:
                _controller.Wake();
                break;
        }
    }

    /// <inheritdoc/>
    protected override void OnLive()
    {
        if ((DriverFeatures & FeatureControlVlan) != 0)
        {
            _filter.FilterVlans();
        }
    }

    /// <inheritdoc/>
    protected override void OnReset()
    {
        _filter.Reset();
        _filter.Address = _initialAddress;
    }

    /// <inheritdoc/>
    protected override byte[] SaveSpecific() => _filter.Save();

    /// <inheritdoc/>
    protected override bool TryRestoreSpecific(byte[] specific) => _filter.TryRestore(specific);

    private static ulong FeaturesOf(INetBackend? backend)
    {
        NetOffloads offloads = backend?.Offloads ?? NetOffloads.None;
        ulong features = FeatureMac | FeatureMergeable | FeatureStatus | ControlFeatures;
        return !offloads.HasFlag(NetOffloads.Checksum) ? features
            : features | FeatureChecksum | FeatureGuestChecksum
                | (offloads.HasFlag(NetOffloads.Tso4) ? FeatureHostTso4 | FeatureGuestTso4 : 0)
                | (offloads.HasFlag(NetOffloads.Tso6) ? FeatureHostTso6 | FeatureGuestTso6 : 0);
    }

    // The frame is copied first, so that the guest cannot change it while the back end looks at it. One that is not sound is dropped.
    private uint? Transmit(VirtioChain chain)
    {
        Span<byte> header = stackalloc byte[HeaderSize];
        if (chain.Read(0, header) < HeaderSize)
        {
            return null;
        }

        long length = chain.ReadableLength - HeaderSize;
        if (_backend is not null && length is >= EthernetHeaderSize and <= LargestFrame && TryReadHeader(header, length, out FrameOffload offload))
        {
            Span<byte> frame = _frame.AsSpan(0, (int)length);
            chain.Read(HeaderSize, frame);
            _backend.Send(frame, offload);
        }

        return 0;
    }

    private bool TryReadHeader(ReadOnlySpan<byte> header, long length, out FrameOffload offload)
    {
        bool needsChecksum = (header[0] & HeaderNeedsChecksum) != 0;
        byte segment = (byte)(header[1] & ~SegmentEcn);
        ushort size = BinaryPrimitives.ReadUInt16LittleEndian(header[4..]);
        ushort start = BinaryPrimitives.ReadUInt16LittleEndian(header[6..]);
        ushort offset = BinaryPrimitives.ReadUInt16LittleEndian(header[8..]);
        bool isSegmented = segment != SegmentNone;
        offload = new FrameOffload(needsChecksum, needsChecksum ? start : (ushort)0, needsChecksum ? offset : (ushort)0, isSegmented ? size : (ushort)0, false);
        ulong needed = (needsChecksum ? FeatureChecksum : 0)
            | segment switch { SegmentNone => 0, SegmentTcp4 => FeatureHostTso4, SegmentTcp6 => FeatureHostTso6, _ => ulong.MaxValue };
        return (needed & ~DriverFeatures) == 0
            && (!needsChecksum || start + offset + sizeof(ushort) <= length)
            && (!isSegmented || (needsChecksum && size > 0));
    }
}
