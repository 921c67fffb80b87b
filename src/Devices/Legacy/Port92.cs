using Emu.Core;
using Emu.Core.Memory;

namespace Emu.Devices.Legacy;

/// <summary>Saved state of a <see cref="Port92"/>.</summary>
public sealed record Port92State : DeviceState
{
    /// <summary>The register.</summary>
    public byte Value { get; init; }
}

/// <summary>PS/2 system control port A at port 92H (82371SB, 2.5.5.4): bit 0 resets the machine, bit 1 is the fast A20 gate.</summary>
public sealed class Port92 : Device
{
    private const byte FastReset = 0x01;
    private const byte A20Gate = 0x02;

    private byte _value;

    /// <summary>Creates the port with the A20 bit clear.</summary>
    public Port92(string name)
        : base(name) =>
        Registers = PortRegion.OfBytes(name, 1, _ => _value, (_, value) => Write(value));

    /// <summary>The register, for port 92H.</summary>
    public MemoryRegion Registers { get; }

    /// <summary>Called with the level of the A20 gate whenever the guest changes it here.</summary>
    public Action<bool>? A20Changed { get; set; }

    /// <summary>Called when the guest asks for a reset.</summary>
    public Action? ResetRequested { get; set; }

    /// <summary>Level of the A20 gate here; a board looks at it after a restore.</summary>
    public bool A20 => (_value & A20Gate) != 0;

    /// <inheritdoc/>
    public override void Reset() => _value = 0;

    /// <inheritdoc/>
    public override DeviceState Save() => new Port92State { Value = _value };

    /// <inheritdoc/>
    public override void Restore(DeviceState state) => _value = this.Expect<Port92State>(state).Value;

    private void Write(byte value)
    {
        byte rising = (byte)(value & ~_value);
        bool a20Changed = ((value ^ _value) & A20Gate) != 0;
        _value = value;
        if (a20Changed)
        {
            A20Changed?.Invoke((value & A20Gate) != 0);
        }

        if ((rising & FastReset) != 0)
        {
            ResetRequested?.Invoke();
        }
    }
}
