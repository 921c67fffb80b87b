using Emu.Core;

namespace Emu.Devices.Pci;

/// <summary>Saved state of a <see cref="PciFunctionDevice"/>: its configuration bytes.</summary>
public sealed record PciFunctionState(byte[] Config) : DeviceState;

/// <summary>A function of the chipset whose configuration bytes are all its state.</summary>
public sealed class PciFunctionDevice(string name, PciFunction function) : Device(name)
{
    /// <inheritdoc/>
    public override void Reset() => function.Reset();

    /// <inheritdoc/>
    public override PciFunctionState Save() => new(function.SaveConfig());

    /// <inheritdoc/>
    public override void Restore(DeviceState state) =>
        this.Require(function.TryRestoreConfig(this.Expect<PciFunctionState>(state).Config));
}
