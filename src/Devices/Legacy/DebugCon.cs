using Emu.Core;
using Emu.Core.Memory;
using Emu.Devices.Serial;

namespace Emu.Devices.Legacy;

/// <summary>The Bochs debug console (QEMU's <c>isa-debugcon</c>): bytes written go to a backend; reads give E9H so that guests can detect it.</summary>
public sealed class DebugCon : StatelessDevice
{
    private const byte Signature = 0xe9;

    /// <summary>Creates the console.</summary>
    public DebugCon(string name, ISerialBackend backend)
        : base(name)
    {
        ArgumentNullException.ThrowIfNull(backend);
        Registers = PortRegion.OfBytes(name, 1, _ => Signature, (_, value) => backend.Write([value]));
    }

    /// <summary>The port, for E9H (SeaBIOS writes to 402H).</summary>
    public MemoryRegion Registers { get; }
}
