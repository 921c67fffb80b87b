using Emu.Core.Memory;

namespace Emu.Devices.Legacy;

/// <summary>The POST diagnostic port 80H, which guests also write for a short delay: writes vanish, reads give all ones.</summary>
public sealed class Port80 : StatelessDevice
{
    /// <summary>Creates the port.</summary>
    public Port80(string name)
        : base(name) =>
        Registers = PortRegion.OfBytes(name, 1, _ => 0xff, (_, value) => Written?.Invoke(value));

    /// <summary>The port, for 80H.</summary>
    public MemoryRegion Registers { get; }

    /// <summary>Called with each POST code, for traces.</summary>
    public Action<byte>? Written { get; set; }
}
