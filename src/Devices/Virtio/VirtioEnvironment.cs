using Emu.Core;
using Emu.Core.Memory;

namespace Emu.Devices.Virtio;

/// <summary>What a virtio device needs of the machine around it.</summary>
/// <param name="Memory">Guest-physical memory, for DMA.</param>
/// <param name="Lock">The machine lock, for work that begins on other threads.</param>
/// <param name="Workers">Threads for what takes long.</param>
/// <param name="Log">Takes a line about what a driver did wrong; any thread.</param>
public sealed record VirtioEnvironment(AddressSpace Memory, MachineLock Lock, IDeviceWorkers Workers, Action<string> Log);

/// <summary>The way from a virtio device to its driver. Members may be called by any thread, and take the machine lock if they need it.</summary>
public interface IVirtioTransport
{
    /// <summary>Interrupts for queue <paramref name="queue"/>: it has used buffers.</summary>
    void InterruptQueue(int queue);

    /// <summary>Interrupts for a change of configuration or status.</summary>
    void InterruptConfig();
}
