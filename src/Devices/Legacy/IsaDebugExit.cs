using Emu.Core;
using Emu.Core.Memory;

namespace Emu.Devices.Legacy;

/// <summary>
/// QEMU's <c>isa-debug-exit</c>: a guest that writes v anywhere in the ports ends the emulator with exit code (v &lt;&lt; 1) | 1,
/// so that success of a test guest is never mistaken for a clean exit.
/// </summary>
public sealed class IsaDebugExit : StatelessDevice, IIoHandler
{
    /// <summary>Port that QEMU uses unless told otherwise.</summary>
    public const ushort DefaultIoBase = 0x501;

    /// <summary>Number of ports that QEMU uses unless told otherwise.</summary>
    public const ushort DefaultIoSize = 2;

    private readonly Action<int> _exit;

    /// <summary>Creates the device; <paramref name="exit"/> is called with the exit code.</summary>
    public IsaDebugExit(string name, Action<int> exit, ushort ioBase = DefaultIoBase, ushort ioSize = DefaultIoSize)
        : base(name)
    {
        ArgumentNullException.ThrowIfNull(exit);
        ArgumentOutOfRangeException.ThrowIfZero(ioSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ioBase + ioSize, 0x10000, nameof(ioSize));
        _exit = exit;
        IoBase = ioBase;
        Registers = MemoryRegion.OfIo(name, ioSize, this, IoAccess.UpToDword);
    }

    /// <summary>First port; the board places <see cref="Registers"/> there.</summary>
    public ushort IoBase { get; }

    /// <summary>The ports.</summary>
    public MemoryRegion Registers { get; }

    /// <inheritdoc/>
    public ulong Read(ulong offset, int size) => 0;

    /// <inheritdoc/>
    public void Write(ulong offset, ulong value, int size) => _exit(unchecked((int)((uint)value << 1)) | 1);
}
