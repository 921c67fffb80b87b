namespace Emu.Devices.Display;

/// <summary>
/// Everything that guests can set in a VGA with Bochs' display interface (IBM VGA technical reference; QEMU docs/specs/standard-vga)
/// apart from video memory. Plain values: whoever draws takes a <see cref="Clone"/>.
/// </summary>
public sealed class VgaRegisters
{
    /// <summary>Number of registers of the display interface.</summary>
    public const int DispiCount = 11;

    /// <summary>Sequencer, 3C5H by index.</summary>
    public byte[] Sequencer { get; init; } = new byte[8];

    /// <summary>Graphics controller, 3CFH by index.</summary>
    public byte[] Graphics { get; init; } = new byte[16];

    /// <summary>Attribute controller, 3C0H by index: 16 palette registers, then the others.</summary>
    public byte[] Attribute { get; init; } = new byte[32];

    /// <summary>CRT controller, 3B5H or 3D5H by index.</summary>
    public byte[] Crtc { get; init; } = new byte[32];

    /// <summary>256 colours of three bytes, red first; 6 bits each unless the display interface chose 8.</summary>
    public byte[] Dac { get; init; } = new byte[768];

    /// <summary>Registers of the display interface, by index.</summary>
    public ushort[] Dispi { get; init; } = new ushort[DispiCount];

    /// <summary>Index of the sequencer register at 3C5H.</summary>
    public byte SequencerIndex { get; set; }

    /// <summary>Index of the graphics register at 3CFH.</summary>
    public byte GraphicsIndex { get; set; }

    /// <summary>Index of the attribute register; bit 5 lets the palette reach the screen.</summary>
    public byte AttributeIndex { get; set; }

    /// <summary>True when the next write to 3C0H is data.</summary>
    public bool AttributeExpectsData { get; set; }

    /// <summary>Index of the CRTC register.</summary>
    public byte CrtcIndex { get; set; }

    /// <summary>Miscellaneous output register, written at 3C2H.</summary>
    public byte Miscellaneous { get; set; }

    /// <summary>Feature control register.</summary>
    public byte Feature { get; set; }

    /// <summary>Pixel mask, 3C6H.</summary>
    public byte DacMask { get; set; }

    /// <summary>Colour that is read next at 3C9H.</summary>
    public byte DacReadIndex { get; set; }

    /// <summary>Colour that is written next at 3C9H.</summary>
    public byte DacWriteIndex { get; set; }

    /// <summary>Component of it, 0–2.</summary>
    public byte DacComponent { get; set; }

    /// <summary>True after a write to 3C7H: what 3C7H reads as.</summary>
    public bool DacReads { get; set; }

    /// <summary>The four latches, plane 0 in the lowest byte.</summary>
    public uint Latches { get; set; }

    /// <summary>Index of the display interface register at 1CFH.</summary>
    public ushort DispiIndex { get; set; }

    /// <summary>A copy that shares nothing.</summary>
    public VgaRegisters Clone() => new()
    {
        Sequencer = [.. Sequencer],
        Graphics = [.. Graphics],
        Attribute = [.. Attribute],
        Crtc = [.. Crtc],
        Dac = [.. Dac],
        Dispi = [.. Dispi],
        SequencerIndex = SequencerIndex,
        GraphicsIndex = GraphicsIndex,
        AttributeIndex = AttributeIndex,
        AttributeExpectsData = AttributeExpectsData,
        CrtcIndex = CrtcIndex,
        Miscellaneous = Miscellaneous,
        Feature = Feature,
        DacMask = DacMask,
        DacReadIndex = DacReadIndex,
        DacWriteIndex = DacWriteIndex,
        DacComponent = DacComponent,
        DacReads = DacReads,
        Latches = Latches,
        DispiIndex = DispiIndex,
    };

    /// <summary>True when the arrays have the sizes that they must have.</summary>
    internal bool IsValid() =>
        Sequencer is { Length: 8 } && Graphics is { Length: 16 } && Attribute is { Length: 32 } && Crtc is { Length: 32 }
        && Dac is { Length: 768 } && Dispi is { Length: DispiCount } && DacComponent < 3;
}
