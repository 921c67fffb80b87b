namespace Emu.Devices.Display;

/// <summary>Where the beam would be: input status register 1 from the CRTC's timing and virtual time.</summary>
internal static class VgaTiming
{
    private const byte DisplayOff = 0x01;
    private const byte VerticalRetrace = 0x08;
    private const long NsPerSecond = 1_000_000_000;

    // Bit 3:2 of the miscellaneous register; where there is no such clock, the first.
    private static readonly long[] DotClocks = [25_175_000, 28_322_000, 25_175_000, 25_175_000];

    /// <summary>Bit 0: outside the picture; bit 3: vertical retrace.</summary>
    public static byte Status(VgaRegisters r, long nowNs)
    {
        byte[] crtc = r.Crtc;
        long dots = (r.Sequencer[1] & 1) != 0 ? 8 : 9;
        long clock = DotClocks[(r.Miscellaneous >> 2) & 3] / ((r.Sequencer[1] & 8) != 0 ? 2 : 1);
        long lineChars = crtc[0] + 5;
        long lines = Vertical(crtc, crtc[6], 0, 5) + 2;
        long chars = (long)((Int128)nowNs * clock / NsPerSecond / dots);
        long line = chars / lineChars % lines;
        long position = chars % lineChars;
        long shown = Vertical(crtc, crtc[0x12], 1, 6) + 1;
        long retrace = Vertical(crtc, crtc[0x10], 2, 7);
        long retraceLines = ((crtc[0x11] & 0x0f) - retrace) & 0x0f;
        bool retracing = line >= retrace && line < retrace + Math.Max(1, retraceLines);
        bool off = line >= shown || position > crtc[1];
        return (byte)((off ? DisplayOff : 0) | (retracing ? VerticalRetrace : 0));
    }

    /// <summary>A vertical value of 10 bits: the low 8, with bits 8 and 9 in the overflow register.</summary>
    public static int Vertical(byte[] crtc, int low, int bit8, int bit9) => low | (((crtc[7] >> bit8) & 1) << 8) | (((crtc[7] >> bit9) & 1) << 9);
}
