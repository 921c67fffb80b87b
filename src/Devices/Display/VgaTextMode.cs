using Emu.Core.Memory;

namespace Emu.Devices.Display;

/// <summary>Video mode 3 as a VGA BIOS sets it: 80 × 25 characters of 9 × 16 dots, 16 colours (IBM VGA technical reference, mode tables).</summary>
internal static class VgaTextMode
{
    private const byte Blank = 0x20;
    private const byte GreyOnBlack = 0x07;
    private const int TextCells = 16 << 10;
    private const int FontSlot = 32;
    private const byte Primary = 0x2a;
    private const byte Secondary = 0x15;

    private static readonly byte[] Sequencer = [0x03, 0x00, 0x03, 0x00, 0x02];

    private static readonly byte[] Crtc =
    [
        0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0x00, 0x00, 0x00, 0x00,
        0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff,
    ];

    private static readonly byte[] Graphics = [0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x00, 0xff];

    private static readonly byte[] Attribute =
    [
        0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0x00, 0x0f, 0x08, 0x00,
    ];

    /// <summary>Sets the registers, the first 64 colours, the font in plane 2, and an empty screen.</summary>
    public static void SetUp(VgaRegisters r, GuestRam memory)
    {
        Sequencer.CopyTo(r.Sequencer, 0);
        Crtc.CopyTo(r.Crtc, 0);
        Graphics.CopyTo(r.Graphics, 0);
        Attribute.CopyTo(r.Attribute, 0);
        r.AttributeIndex = 0x20;
        r.Miscellaneous = 0x67;
        for (int i = 0; i < 64; i++)
        {
            // Bits 2:0 are the full red, green and blue, bits 5:3 the half ones.
            for (int component = 0; component < 3; component++)
            {
                int bit = 2 - component;
                r.Dac[(i * 3) + component] = (byte)((((i >> bit) & 1) * Primary) + (((i >> (bit + 3)) & 1) * Secondary));
            }
        }

        Span<byte> planes = memory.Slice(0, TextCells * 4);
        planes.Clear();
        for (int i = 0; i < TextCells; i++)
        {
            planes[i * 4] = Blank;
            planes[(i * 4) + 1] = GreyOnBlack;
        }

        for (int i = 0; i < 256 * BuiltInFont.Height; i++)
        {
            int slot = ((i / BuiltInFont.Height * FontSlot) + (i % BuiltInFont.Height)) * 4;
            planes[slot + 2] = BuiltInFont.Row(i / BuiltInFont.Height, i % BuiltInFont.Height);
        }

        memory.NoteWrite(0, planes.Length);
    }
}
