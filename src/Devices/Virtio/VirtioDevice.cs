using Emu.Devices.Dma;
namespace Emu.Devices.Virtio;

/// <summary>Saved state of a queue.</summary>
public sealed record VirtioQueueSlotState(ushort Size, ulong Descriptors, ulong Driver, ulong Device, bool IsEnabled, VirtQueueState? Ring);

/// <summary>Saved state of a <see cref="VirtioDevice"/>; <paramref name="Specific"/> is what the device type adds.</summary>
public sealed record VirtioDeviceState(VirtioStatus Status, ulong DriverFeatures, VirtioQueueSlotState[] Queues, byte[] Specific);

/// <summary>
/// What all virtio devices have in common (virtio 1.2, ch. 2 and 3): status, features, queues, configuration space. A transport
/// shows it to the guest. Members need the machine lock unless they say otherwise.
/// </summary>
/// <remarks>
/// A driver that breaks a rule of the rings gets DEVICE_NEEDS_RESET and one line in the log; until it resets the device,
/// nothing of its is looked at.
/// </remarks>
public abstract class VirtioDevice
{
    private readonly VirtioQueueSlot[] _queues;
    private int _status;

    /// <summary>Creates the device.</summary>
    /// <param name="name">Unique name in the machine.</param>
    /// <param name="type">Its type.</param>
    /// <param name="features">Features offered beside VIRTIO_F_VERSION_1.</param>
    /// <param name="queueSizes">Largest size of each queue, a power of two.</param>
    /// <param name="environment">The machine around it.</param>
    protected VirtioDevice(string name, VirtioDeviceType type, ulong features, IEnumerable<ushort> queueSizes, VirtioEnvironment environment)
    {
        ArgumentNullException.ThrowIfNull(environment);
        Name = name;
        Type = type;
        OfferedFeatures = features | VirtioFeature.Version1;
        Environment = environment;
        Memory = new DmaMemory(environment.Memory);
        _queues = [.. queueSizes.Select(size => new VirtioQueueSlot(size))];
    }

    /// <summary>Unique name in the machine.</summary>
    public string Name { get; }

    /// <summary>Device type.</summary>
    public VirtioDeviceType Type { get; }

    /// <summary>Features that the driver may accept.</summary>
    public ulong OfferedFeatures { get; }

    /// <summary>Features that the driver accepted. Final, and fit to be read by any thread, once the device is live.</summary>
    public ulong DriverFeatures { get; private set; }

    /// <summary>The queues.</summary>
    public IReadOnlyList<VirtioQueueSlot> Queues => _queues;

    /// <summary>The status register. May be read from any thread.</summary>
    public VirtioStatus Status => (VirtioStatus)Volatile.Read(ref _status);

    /// <summary>Changes whenever configuration fields change by themselves.</summary>
    public byte ConfigGeneration { get; private set; }

    /// <summary>The transport that shows the device.</summary>
    public IVirtioTransport? Transport { get; set; }

    /// <summary>Bytes of device-specific configuration.</summary>
    public abstract int ConfigSize { get; }

    /// <summary>True while buffers may be used. May be read from any thread.</summary>
    protected bool IsLive => (Status & (VirtioStatus.DriverOk | VirtioStatus.NeedsReset)) == VirtioStatus.DriverOk;

    /// <summary>The machine around the device.</summary>
    protected VirtioEnvironment Environment { get; }

    private DmaMemory Memory { get; }

    /// <summary>Writes 32 bits of the accepted features; ignored after FEATURES_OK.</summary>
    /// <param name="word">0 for bits 31:0, 1 for bits 63:32; there are no others.</param>
    /// <param name="value">The bits.</param>
    public void WriteDriverFeatures(uint word, uint value)
    {
        if (word < 2 && (Status & VirtioStatus.FeaturesOk) == 0)
        {
            int shift = (int)word * 32;
            DriverFeatures = (DriverFeatures & ~(0xffff_ffffUL << shift)) | ((ulong)value << shift);
        }
    }

    /// <summary>Writes the status register: 0 resets, other bits can only be added, and FEATURES_OK does not stay unless the features fit.</summary>
    public void WriteStatus(byte value)
    {
        if (value == 0)
        {
            Reset();
            return;
        }

        VirtioStatus before = Status;
        VirtioStatus after = before | ((VirtioStatus)value & ~VirtioStatus.NeedsReset);
        if ((after & VirtioStatus.FeaturesOk) != 0 && (before & VirtioStatus.FeaturesOk) == 0 && !AcceptsFeatures())
        {
            after &= ~VirtioStatus.FeaturesOk;
        }

        if ((after & VirtioStatus.FeaturesOk) == 0)
        {
            after &= ~VirtioStatus.DriverOk;
        }

        Volatile.Write(ref _status, (int)after);
        if ((after & ~before & VirtioStatus.DriverOk) != 0)
        {
            OnLive();
            NotifyAll();
        }
    }

    /// <summary>Enables queue <paramref name="index"/> where the driver said it is; ignored before FEATURES_OK, and when it is enabled already.</summary>
    public void EnableQueue(int index)
    {
        VirtioQueueSlot slot = _queues[index];
        if ((Status & VirtioStatus.FeaturesOk) == 0 || slot.IsEnabled)
        {
            return;
        }

        slot.IsEnabled = true;
        VirtQueue ring = VirtQueue.Create(Memory, slot.Layout, DriverFeatures);
        if (ring.Error is string error)
        {
            Break(index, error);
            return;
        }

        lock (slot.Gate)
        {
            slot.Ring = ring;
        }
    }

    /// <summary>Stops using queue <paramref name="index"/>, after the buffer being worked on; the driver may set it up anew.</summary>
    public void DisableQueue(int index)
    {
        VirtioQueueSlot slot = _queues[index];
        lock (slot.Gate)
        {
            slot.Ring = null;
        }

        slot.IsEnabled = false;
    }

    /// <summary>The driver notifies of queue <paramref name="index"/>.</summary>
    public void Notify(int index)
    {
        if (IsLive && (uint)index < (uint)_queues.Length)
        {
            OnNotify(index);
        }
    }

    /// <summary>Reads 1, 2 or 4 bytes of device-specific configuration; bytes that are not there read as 0.</summary>
    public abstract ulong ReadConfig(int offset, int size);

    /// <summary>Writes device-specific configuration, of which most is read-only.</summary>
    public virtual void WriteConfig(int offset, ulong value, int size)
    {
    }

    /// <summary>Returns to the state after power-on. Buffers being worked on are finished first.</summary>
    public void Reset()
    {
        Volatile.Write(ref _status, 0);
        DriverFeatures = 0;
        foreach (VirtioQueueSlot slot in _queues)
        {
            slot.Reset();
        }

        OnReset();
    }

    /// <summary>The state.</summary>
    public VirtioDeviceState Save() => new(Status, DriverFeatures, [.. _queues.Select(SaveQueue)], SaveSpecific());

    /// <summary>Takes a saved state; false when it cannot be one of this device, which is then reset.</summary>
    public bool TryRestore(VirtioDeviceState? state)
    {
        Reset();
        if (state?.Queues is null || state.Queues.Length != _queues.Length || (state.DriverFeatures & ~OfferedFeatures) != 0
            || state.Specific is null || !TryRestoreSpecific(state.Specific) || !TryRestoreQueues(state))
        {
            Reset();
            return false;
        }

        Volatile.Write(ref _status, (int)state.Status);
        if (IsLive)
        {
            OnLive();
            NotifyAll();
        }

        return true;
    }

    /// <summary>
    /// Stops looking at the driver's queues until it resets the device, tells it so, and says why in the log. Any thread, but
    /// not with a queue's gate held.
    /// </summary>
    protected void Break(int queue, string error)
    {
        using (Environment.Lock.Enter())
        {
            if ((Status & VirtioStatus.NeedsReset) != 0)
            {
                return;
            }

            Volatile.Write(ref _status, _status | (int)VirtioStatus.NeedsReset);
        }

        Environment.Log($"{Name}: queue {queue}: {error}; the device needs a reset");
        if ((Status & VirtioStatus.DriverOk) != 0)
        {
            Transport?.InterruptConfig();
        }
    }

    /// <summary>
    /// Serves the queue's buffers one after the other until there are none: <paramref name="serve"/> returns how much it wrote,
    /// or null when the buffer breaks the device's rules, and runs with the gate held. Any thread.
    /// </summary>
    protected void ServeQueue(int index, VirtioChain chain, Func<VirtioChain, uint?> serve)
    {
        ArgumentNullException.ThrowIfNull(serve);
        VirtioQueueSlot slot = _queues[index];
        bool more = true;
        while (more && IsLive)
        {
            bool interrupt = false;
            string? error = null;
            lock (slot.Gate)
            {
                more = slot.Ring is not null && ServeOne(slot.Ring, chain, serve, out interrupt, out error);
            }

            // Without the gate: both may want the machine lock.
            if (interrupt)
            {
                Transport?.InterruptQueue(index);
            }

            if (error is not null)
            {
                Break(index, error);
            }
        }
    }

    /// <summary>The driver has set DRIVER_OK, or a state was restored in which it had.</summary>
    protected virtual void OnLive()
    {
    }

    /// <summary>The device is reset; its queues are gone.</summary>
    protected virtual void OnReset()
    {
    }

    /// <summary>The driver notified of a queue; the device is live.</summary>
    protected abstract void OnNotify(int queue);

    /// <summary>What the device type adds to the saved state.</summary>
    protected virtual byte[] SaveSpecific() => [];

    /// <summary>Takes what <see cref="SaveSpecific"/> gave; false when it cannot be.</summary>
    protected virtual bool TryRestoreSpecific(byte[] specific) => specific is { Length: 0 };

    /// <summary>Tells the driver that configuration fields changed.</summary>
    protected void ChangeConfig()
    {
        ConfigGeneration++;
        if (IsLive)
        {
            Transport?.InterruptConfig();
        }
    }

    private static bool ServeOne(VirtQueue ring, VirtioChain chain, Func<VirtioChain, uint?> serve, out bool interrupt, out string? error)
    {
        interrupt = false;
        ring.SuppressNotifications();
        bool taken = ring.TryPop(chain);
        if (taken && serve(chain) is uint written)
        {
            ring.Push(chain, written);
            interrupt = ring.Publish();
            error = null;
            return true;
        }

        error = taken ? "a buffer that is too small for a request" : ring.Error;
        return error is null && ring.AllowNotifications();
    }

    private static VirtioQueueSlotState SaveQueue(VirtioQueueSlot slot)
    {
        lock (slot.Gate)
        {
            return new VirtioQueueSlotState(slot.Size, slot.Descriptors, slot.Driver, slot.Device, slot.IsEnabled, slot.Ring?.Save());
        }
    }

    private bool TryRestoreQueues(VirtioDeviceState state)
    {
        DriverFeatures = state.DriverFeatures;
        for (int i = 0; i < _queues.Length; i++)
        {
            VirtioQueueSlot slot = _queues[i];
            VirtioQueueSlotState saved = state.Queues[i];
            if (saved is null || saved.Size == 0 || saved.Size > slot.LargestSize)
            {
                return false;
            }

            (slot.Size, slot.Descriptors, slot.Driver, slot.Device, slot.IsEnabled) =
                (saved.Size, saved.Descriptors, saved.Driver, saved.Device, saved.IsEnabled);
            if (saved.Ring is null)
            {
                continue;
            }

            VirtQueue ring = VirtQueue.Create(Memory, slot.Layout, DriverFeatures);
            if (ring.Error is not null || !ring.TryRestore(saved.Ring))
            {
                return false;
            }

            lock (slot.Gate)
            {
                slot.Ring = ring;
            }
        }

        return true;
    }

    private bool AcceptsFeatures() =>
        (DriverFeatures & ~OfferedFeatures) == 0 && (DriverFeatures & VirtioFeature.Version1) != 0;

    private void NotifyAll()
    {
        for (int i = 0; i < _queues.Length; i++)
        {
            OnNotify(i);
        }
    }
}
