using Emu.Core.Memory;

namespace Emu.Devices.Display;

/// <summary>
/// Draws what a <see cref="VgaCard"/> shows. It remembers the video memory that it drew last and draws what differs, so that a
/// picture that stands still costs a comparison, and only when somebody asks.
/// </summary>
public sealed partial class ScreenRenderer(GuestRam memory, bool hasVga)
{
    private const byte PaletteToScreen = 0x20;
    private const byte ScreenOff = 0x20;
    private const int BlankWidth = 720;
    private const int BlankHeight = 400;

    private readonly uint[] _colours = new uint[256];
    private readonly uint[] _palette = new uint[16];
    private object? _mode;

    /// <summary>Brings <paramref name="surface"/> up to date and marks in <paramref name="dirty"/> what that changed.</summary>
    /// <param name="registers">The card's registers, which nobody changes meanwhile.</param>
    /// <param name="nowNs">Virtual time, for what blinks.</param>
    /// <param name="surface">The picture, always the same one.</param>
    /// <param name="dirty">Changes are added here.</param>
    public void Update(VgaRegisters registers, long nowNs, DisplaySurface surface, DirtyBands dirty)
    {
        ArgumentNullException.ThrowIfNull(registers);
        ArgumentNullException.ThrowIfNull(surface);
        ArgumentNullException.ThrowIfNull(dirty);
        bool redraw = UpdateColours(registers);
        DispiMode? dispi = VbeDispi.Mode(registers.Dispi, memory.Size);
        if ((hasVga && !IsOn(registers)) || (!hasVga && dispi is null))
        {
            Blank(surface, dirty);
        }
        else if (dispi is null && TextScreen.Read(registers, memory) is TextScreen { Rows: > 0 } text)
        {
            DrawText(registers, text, nowNs, redraw, surface, dirty);
        }
        else
        {
            DrawGraphics(dispi is null ? VgaLines(registers) : DispiLines(dispi), redraw, surface, dirty);
        }
    }

    internal static bool IsOn(VgaRegisters registers) =>
        (registers.AttributeIndex & PaletteToScreen) != 0 && (registers.Sequencer[1] & ScreenOff) == 0;

    // True when a picture of another kind or size begins.
    private bool Begin(object mode, int width, int height, DisplaySurface surface, DirtyBands dirty)
    {
        bool same = mode.Equals(_mode);
        _mode = mode;
        if (surface.Width != width || surface.Height != height || dirty.Count == 0)
        {
            surface.Resize(width, height);
            dirty.SetSize(width, height);
            return true;
        }

        return !same;
    }

    private void Blank(DisplaySurface surface, DirtyBands dirty)
    {
        int width = surface.Width == 0 ? BlankWidth : surface.Width;
        int height = surface.Height == 0 ? BlankHeight : surface.Height;
        if (Begin("blank", width, height, surface, dirty))
        {
            surface.Pixels.AsSpan().Clear();
            dirty.Mark(0, 0, width, height);
        }
    }

    private bool UpdateColours(VgaRegisters r)
    {
        bool wide = (r.Dispi[VbeDispi.Enable] & VbeDispi.Dac8Bit) != 0;
        bool changed = false;
        for (int i = 0; i < _colours.Length; i++)
        {
            int at = (i & r.DacMask) * 3;
            changed |= Set(_colours, i, (Component(r.Dac[at], wide) << 16) | (Component(r.Dac[at + 1], wide) << 8) | Component(r.Dac[at + 2], wide));
        }

        for (int i = 0; i < _palette.Length; i++)
        {
            // Attribute mode bit 7: bits 5:4 of the colour come from the colour select register.
            int colour = (r.Attribute[0x10] & 0x80) != 0
                ? ((r.Attribute[0x14] & 0x0f) << 4) | (r.Attribute[i] & 0x0f)
                : ((r.Attribute[0x14] & 0x0c) << 4) | (r.Attribute[i] & 0x3f);
            changed |= Set(_palette, i, _colours[colour]);
        }

        return changed;
    }

    private static uint Component(byte value, bool wide) => wide ? value : (uint)(((value << 2) | (value >> 4)) & 0xff);

    private static bool Set(uint[] table, int index, uint value)
    {
        bool changed = table[index] != value;
        table[index] = value;
        return changed;
    }
}
