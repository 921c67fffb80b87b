using Emu.Core;

namespace Emu.Devices.Legacy;

/// <summary>Saved state of a device that has none.</summary>
public sealed record StatelessDeviceState : DeviceState;

/// <summary>A device without architectural state: reset and restore have nothing to do.</summary>
public abstract class StatelessDevice(string name) : Device(name)
{
    /// <inheritdoc/>
    public sealed override void Reset()
    {
    }

    /// <inheritdoc/>
    public sealed override DeviceState Save() => new StatelessDeviceState();

    /// <inheritdoc/>
    public sealed override void Restore(DeviceState state) => this.Expect<StatelessDeviceState>(state);
}
