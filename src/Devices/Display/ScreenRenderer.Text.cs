namespace Emu.Devices.Display;

/// <content>Text: characters from the fonts in plane 2.</content>
public sealed partial class ScreenRenderer
{
    private const int FontBytes = 256 * 32;
    private const int RowsOfSlot = 32;
    private const long FrameNs = 16_683_350;
    private const int CursorFrames = 16;
    private const int BlinkFrames = 32;
    private const int CursorFlag = 1 << 16;
    private const int HiddenFlag = 1 << 17;

    private readonly byte[] _fonts = new byte[2 * FontBytes];
    private int[] _cells = [];

    private void DrawText(VgaRegisters r, TextScreen text, long nowNs, bool redraw, DisplaySurface surface, DirtyBands dirty)
    {
        int cellWidth = (r.Sequencer[1] & 1) != 0 ? 8 : 9;
        int scale = (r.Sequencer[1] & 8) != 0 ? 2 : 1;
        var style = new TextStyle(cellWidth, scale, text.CellHeight, text.Columns, text.Rows, (r.Attribute[0x10] & 4) != 0, (r.Attribute[0x10] & 8) != 0, r.Crtc[0x0a], r.Crtc[0x0b]);
        redraw |= Begin(style, text.Columns * cellWidth * scale, text.Rows * text.CellHeight, surface, dirty);
        redraw |= UpdateFonts(r.Sequencer[3]);
        if (_cells.Length != text.Cells.Length)
        {
            _cells = new int[text.Cells.Length];
            redraw = true;
        }

        long frame = nowNs / FrameNs;
        bool cursorOn = frame % (2 * CursorFrames) < CursorFrames;
        bool blinkHidden = style.Blinks && frame % (2 * BlinkFrames) >= BlinkFrames;
        for (int i = 0; i < _cells.Length; i++)
        {
            int cell = text.Cells[i];
            cell |= i == text.Cursor && cursorOn ? CursorFlag : 0;
            cell |= blinkHidden && (cell & 0x8000) != 0 ? HiddenFlag : 0;
            if (redraw || cell != _cells[i])
            {
                _cells[i] = cell;
                (int row, int column) = Math.DivRem(i, text.Columns);
                DrawCell(style, cell, column, row, surface);
                dirty.Mark(column * cellWidth * scale, row * text.CellHeight, cellWidth * scale, text.CellHeight);
            }
        }
    }

    private void DrawCell(TextStyle style, int cell, int column, int row, DisplaySurface surface)
    {
        int attribute = (cell >> 8) & 0xff;
        uint fore = _palette[attribute & 0x0f];
        uint back = _palette[(attribute >> 4) & (style.Blinks ? 7 : 15)];
        int font = (attribute & 8) != 0 ? FontBytes : 0;
        int character = cell & 0xff;
        bool extends = style.LineGraphics && character is >= 0xc0 and <= 0xdf;
        for (int y = 0; y < style.CellHeight; y++)
        {
            int dots = y < RowsOfSlot ? _fonts[font + (character * RowsOfSlot) + y] << 1 : 0;
            dots |= extends ? (dots >> 1) & 1 : 0;
            dots = (cell & HiddenFlag) != 0 ? 0 : dots;
            dots = (cell & CursorFlag) != 0 && y >= (style.CursorStart & 0x1f) && y <= (style.CursorEnd & 0x1f) ? 0x1ff : dots;
            Span<uint> line = surface.Row((row * style.CellHeight) + y).Slice(column * style.Width * style.Scale, style.Width * style.Scale);
            for (int x = 0; x < line.Length; x++)
            {
                line[x] = ((dots >> (8 - (x / style.Scale))) & 1) != 0 ? fore : back;
            }
        }
    }

    // Map B (attribute bit 3 clear) is chosen by bits 4, 1 and 0 of the register, map A by 5, 3 and 2: in 8-KiB steps of plane 2.
    private bool UpdateFonts(byte select)
    {
        int mapB = ((select >> 4) & 1) | ((select << 1) & 6);
        int mapA = ((select >> 5) & 1) | ((select >> 1) & 6);
        bool changed = false;
        ReadOnlySpan<byte> planes = memory.Slice(0, 8 * FontBytes * 4);
        for (int i = 0; i < FontBytes; i++)
        {
            byte b = planes[(((mapB * FontBytes) + i) * 4) + 2];
            byte a = planes[(((mapA * FontBytes) + i) * 4) + 2];
            changed |= _fonts[i] != b || _fonts[FontBytes + i] != a;
            _fonts[i] = b;
            _fonts[FontBytes + i] = a;
        }

        return changed;
    }

    private sealed record TextStyle(
        int Width, int Scale, int CellHeight, int Columns, int Rows, bool LineGraphics, bool Blinks, byte CursorStart, byte CursorEnd);
}
