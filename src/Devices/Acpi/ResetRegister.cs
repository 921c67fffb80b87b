using Emu.Core;
using Emu.Core.Memory;

namespace Emu.Devices.Acpi;

/// <summary>
/// The chipset's reset control register at port CF9H: bit 1 chooses a hard reset, and bit 2 going from 0 to 1 does it.
/// The ACPI reset register (ACPI 6.5, 4.8.3.6) points here.
/// </summary>
/// <remarks>
/// The port lies inside the dword of the PCI configuration address. A region of its own there would split dword writes
/// to CF8H, so the PCI host forwards byte accesses; <see cref="Region"/> is for boards without one.
/// </remarks>
public sealed class ResetRegister : Device, IIoHandler
{
    /// <summary>The port.</summary>
    public const ushort Port = 0xCF9;

    /// <summary>The value that resets the machine.</summary>
    public const byte HardReset = SystemReset | ResetCpu;

    private const byte SystemReset = 1 << 1;
    private const byte ResetCpu = 1 << 2;
    private const byte FullReset = 1 << 3;

    private readonly Action _resetRequested;
    private byte _value;

    /// <summary>Creates the register; <paramref name="resetRequested"/> is called when the guest asks for a reset.</summary>
    public ResetRegister(string name, Action resetRequested)
        : base(name)
    {
        _resetRequested = resetRequested;
        Region = MemoryRegion.OfIo(name, 1, this, IoAccess.Bytes);
    }

    /// <summary>The register alone, for <see cref="Port"/>.</summary>
    public MemoryRegion Region { get; }

    /// <inheritdoc/>
    public override void Reset() => _value = 0;

    /// <inheritdoc/>
    public override ResetRegisterState Save() => new(_value);

    /// <inheritdoc/>
    public override void Restore(DeviceState state) =>
        _value = state is ResetRegisterState { Value: var value } && (value & ~(SystemReset | FullReset)) == 0
            ? value
            : throw new InvalidDeviceStateException(Name, "the value is out of range or the record is of another device");

    /// <inheritdoc/>
    public ulong Read(ulong offset, int size) => _value;

    /// <inheritdoc/>
    public void Write(ulong offset, ulong value, int size)
    {
        // The trigger does not stick: the reset that it causes would clear it.
        _value = (byte)(value & (SystemReset | FullReset));
        if ((value & ResetCpu) != 0)
        {
            _resetRequested();
        }
    }
}

/// <summary>State of a <see cref="ResetRegister"/>: the bits that stick.</summary>
public sealed record ResetRegisterState(byte Value) : DeviceState;
