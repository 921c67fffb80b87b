using System.Security.Cryptography;
using Emu.Block;
using Emu.Core.Block;
using Emu.Core.Net;
using Emu.Devices.Virtio;

namespace Emu.Machine.Pc;

/// <content>Virtio devices, whichever transport shows them.</content>
internal abstract partial class Board
{
    // A guest can have its driver's mistakes told again and again.
    private const int MostDriverNotices = 20;

    private readonly HashSet<string> _names = [];
    private int _driverNotices;

    /// <summary>What virtio devices need.</summary>
    protected VirtioEnvironment VirtioSurroundings => new(Memory, Host.Lock, Workers, NoteDriverError);

    /// <summary>The name of device <paramref name="index"/>: its <c>id</c>, else one of its own.</summary>
    /// <exception cref="MachineConfigException">There is a device of that name.</exception>
    protected string NameOf(string kind, int index, DeviceProperties properties)
    {
        string name = properties.Text("id") ?? $"{kind}{index}";
        return _devices.Exists(other => other.Name == name) || !_names.Add(name)
            ? throw properties.Error($"there is a device '{name}' already; choose another id")
            : name;
    }

    /// <summary>Makes virtio device <paramref name="kind"/> (<c>virtio-blk</c>), and says its PCI class; null for a kind that is not there.</summary>
    protected (VirtioDevice Device, uint PciClass)? CreateVirtio(string kind, string name, int index, DeviceProperties properties) => kind switch
    {
        "virtio-blk" => (CreateBlk(name, properties, VirtioSurroundings), VirtioBlk.PciClass),
        "virtio-rng" => (new VirtioRng(name, RandomNumberGenerator.Fill, RingFeatures(properties), VirtioSurroundings), VirtioRng.PciClass),
        "virtio-net" => (CreateNet(name, index, properties, VirtioSurroundings), VirtioNet.PciClass),
        _ => null,
    };

    private VirtioBlk CreateBlk(string name, DeviceProperties properties, VirtioEnvironment environment)
    {
        (IBlockBackend disk, DriveSpec? spec) = FindDrive(properties);
        return new VirtioBlk(name, disk, new VirtioBlkOptions
        {
            Serial = properties.Text("serial") ?? "",
            QueueCount = properties.Number("num-queues", 1, 1, 64),
            QueueSize = (ushort)properties.PowerOfTwo("queue-size", 256, 4, VirtQueue.LargestSize),
            WriteBack = spec?.Cache != CacheMode.WriteThrough,
            RingFeatures = RingFeatures(properties),
        }, environment);
    }

    /// <summary>The disk that <c>drive</c> names.</summary>
    protected (IBlockBackend Disk, DriveSpec? Spec) FindDrive(DeviceProperties properties)
    {
        string drive = properties.Text("drive") ?? throw properties.Error("needs drive=ID, the id of a -drive");
        if (!Host.Drives.TryGetValue(drive, out IBlockBackend? disk))
        {
            throw properties.Error($"there is no drive '{drive}'; add -drive if=none,id={drive},file=PATH");
        }

        return Config.Devices.Count(other => other.Properties.GetValueOrDefault("drive") == drive) > 1
            ? throw properties.Error($"drive '{drive}' is used by two devices; give each its own")
            : (disk, Config.Drives.FirstOrDefault(candidate => candidate.Id == drive));
    }

    private VirtioNet CreateNet(string name, int index, DeviceProperties properties, VirtioEnvironment environment)
    {
        INetBackend? backend = null;
        if (properties.Text("netdev") is string network && !Host.Networks.TryTake(network, out backend))
        {
            throw properties.Error($"there is no network '{network}' without a card; add -netdev user,id={network}, or leave netdev out for a card without a cable");
        }

        // QEMU's addresses: locally administered, the last byte counting cards.
        byte[] address = properties.MacAddress() ?? [0x52, 0x54, 0x00, 0x12, 0x34, (byte)(0x56 + index)];
        return new VirtioNet(name, backend, address, RingFeatures(properties), environment);
    }

    private static ulong RingFeatures(DeviceProperties properties) =>
        (properties.Switch("indirect_desc", true) ? VirtioFeature.IndirectDescriptors : 0)
        | (properties.Switch("event_idx", true) ? VirtioFeature.EventIndex : 0)
        | (properties.Switch("packed", false) ? VirtioFeature.PackedRing : 0);

    private void NoteDriverError(string line)
    {
        if (Interlocked.Increment(ref _driverNotices) <= MostDriverNotices)
        {
            Host.Notice(line);
        }
    }
}
