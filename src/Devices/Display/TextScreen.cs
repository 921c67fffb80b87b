using Emu.Core.Memory;

namespace Emu.Devices.Display;

/// <summary>What a VGA shows in text mode, as characters.</summary>
/// <param name="Columns">Characters of a line.</param>
/// <param name="Rows">Lines.</param>
/// <param name="Cells">For each character its code (low byte) and attribute, line after line.</param>
/// <param name="Cursor">Index of the cell with the cursor, or -1 when it is off or not on the screen.</param>
/// <param name="CellHeight">Scan lines of a character.</param>
public sealed record TextScreen(int Columns, int Rows, ushort[] Cells, int Cursor, int CellHeight)
{
    private const int MostColumns = 256;
    private const byte GraphicsMode = 0x01;
    private const byte CursorOff = 0x20;

    /// <summary>Reads the screen; null in a graphics mode, and while nothing is shown.</summary>
    public static TextScreen? Read(VgaRegisters registers, GuestRam memory)
    {
        ArgumentNullException.ThrowIfNull(registers);
        ArgumentNullException.ThrowIfNull(memory);
        byte[] crtc = registers.Crtc;
        if (!ScreenRenderer.IsOn(registers) || (registers.Graphics[6] & GraphicsMode) != 0 || VbeDispi.Mode(registers.Dispi, memory.Size) is not null)
        {
            return null;
        }

        int height = (crtc[9] & 0x1f) + 1;
        int columns = Math.Min(crtc[1] + 1, MostColumns);
        int rows = (VgaTiming.Vertical(crtc, crtc[0x12], 1, 6) + 1) / height;
        int start = (crtc[0x0c] << 8) | crtc[0x0d];
        int pitch = crtc[0x13] * 2;
        var cells = new ushort[columns * rows];
        ulong cellCount = memory.Size / 4;
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                ulong at = (ulong)(start + (row * pitch) + column) % cellCount;
                cells[(row * columns) + column] = (ushort)memory.ReadValue(at * 4, 2);
            }
        }

        return new TextScreen(columns, rows, cells, FindCursor(crtc, start, pitch, columns, rows), height);
    }

    /// <summary>Line <paramref name="row"/> as text, without blanks at its end; what is not ASCII becomes a question mark.</summary>
    public string Line(int row) => string.Concat(Enumerable.Range(0, Columns)
        .Select(column => (char)(byte)Cells[(row * Columns) + column])
        .Select(value => value is >= ' ' and <= '~' ? value : value == 0 ? ' ' : '?')).TrimEnd();

    /// <summary>All lines.</summary>
    public override string ToString() => string.Join('\n', Enumerable.Range(0, Rows).Select(Line));

    private static int FindCursor(byte[] crtc, int start, int pitch, int columns, int rows)
    {
        int position = ((crtc[0x0e] << 8) | crtc[0x0f]) - start;
        if ((crtc[0x0a] & CursorOff) != 0 || position < 0 || pitch == 0)
        {
            return -1;
        }

        (int row, int column) = Math.DivRem(position, pitch);
        return row < rows && column < columns ? (row * columns) + column : -1;
    }
}
