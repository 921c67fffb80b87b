namespace Emu.Devices.Display;

/// <summary>
/// A plain font for guests that are started without a VGA BIOS, in the order of code page 437: ASCII from 5 × 8 columns drawn at
/// twice their height, lines and blocks by construction. Other characters are an empty box.
/// </summary>
internal static class BuiltInFont
{
    /// <summary>Rows of a character; it is eight dots wide.</summary>
    public const int Height = 16;

    private const int Columns = 5;
    private const int First = 0x20;
    private const int FirstLine = 0xb3;
    private const int LastLine = 0xda;
    private const int Up = 1;
    private const int Down = 2;
    private const int Left = 4;
    private const int Right = 8;
    private const byte EmptyBoxEdge = 0x7e;
    private const byte EmptyBoxSide = 0x42;

    // Five columns a character from left to right, bit 0 at the top, from the space to the tilde.
    private static readonly byte[] Ascii = Convert.FromHexString(
        "0000000000" + "00005F0000" + "0007000700" + "147F147F14" + "242A7F2A12" + "2313086462" + "3649562050" + "0005030000"
        + "001C224100" + "0041221C00" + "2A1C7F1C2A" + "08083E0808" + "0050300000" + "0808080808" + "0000606000" + "2010080402"
        + "3E5149453E" + "00427F4000" + "4261514946" + "2141454B31" + "1814127F10" + "2745454539" + "3C4A494930" + "0171090503"
        + "3649494936" + "064949291E" + "0036360000" + "0056360000" + "0008142241" + "1414141414" + "4122140800" + "0201510906"
        + "324979413E" + "7E1111117E" + "7F49494936" + "3E41414122" + "7F4141221C" + "7F49494941" + "7F09090901" + "3E41415132"
        + "7F0808087F" + "00417F4100" + "2040413F01" + "7F08142241" + "7F40404040" + "7F0204027F" + "7F0408107F" + "3E4141413E"
        + "7F09090906" + "3E4151215E" + "7F09192946" + "4649494931" + "01017F0101" + "3F4040403F" + "1F2040201F" + "3F4038403F"
        + "6314081463" + "0304780403" + "6151494543" + "007F414100" + "0204081020" + "0041417F00" + "0402010204" + "4040404040"
        + "0001020400" + "2054545478" + "7F48444438" + "3844444420" + "384444487F" + "3854545418" + "087E090102" + "18A4A4A47C"
        + "7F08040478" + "00447D4000" + "2040443D00" + "7F10284400" + "00417F4000" + "7C04180478" + "7C08040478" + "3844444438"
        + "FC24242418" + "18242418FC" + "7C08040408" + "4854545420" + "043F444020" + "3C4040207C" + "1C2040201C" + "3C4030403C"
        + "4428102844" + "4C9090907C" + "4464544C44" + "0008364100" + "00007F0000" + "0041360800" + "0201020402");

    // Which way the strokes of the line characters go, from B3H to DAH; double lines are drawn as single ones.
    private static readonly byte[] Lines =
    [
        Up | Down, Up | Down | Left, Up | Down | Left, Up | Down | Left, Down | Left, Down | Left, Up | Down | Left, Up | Down,
        Down | Left, Up | Left, Up | Left, Up | Left, Down | Left, Up | Right, Up | Left | Right, Down | Left | Right, Up | Down | Right,
        Left | Right, Up | Down | Left | Right, Up | Down | Right, Up | Down | Right, Up | Right, Down | Right, Up | Left | Right,
        Down | Left | Right, Up | Down | Right, Left | Right, Up | Down | Left | Right, Up | Left | Right, Up | Left | Right,
        Down | Left | Right, Down | Left | Right, Up | Right, Up | Right, Down | Right, Down | Right, Up | Down | Left | Right,
        Up | Down | Left | Right, Up | Left, Down | Right,
    ];

    /// <summary>The dots of one row, bit 7 leftmost.</summary>
    public static byte Row(int character, int row) => character switch
    {
        0x00 or 0xff => 0,
        >= First and < First + 95 => AsciiRow(character - First, row),
        >= FirstLine and <= LastLine => LineRow(Lines[character - FirstLine], row),
        0xb0 => (byte)(row % 2 == 0 ? 0x88 : 0x22),
        0xb1 => (byte)(row % 2 == 0 ? 0xaa : 0x55),
        0xb2 => (byte)(row % 2 == 0 ? 0xdd : 0x77),
        0xdb => 0xff,
        0xdc => (byte)(row >= Height / 2 ? 0xff : 0),
        0xdd => 0xf0,
        0xde => 0x0f,
        0xdf => (byte)(row < Height / 2 ? 0xff : 0),
        _ => row is 2 or 12 ? EmptyBoxEdge : row is > 2 and < 12 ? EmptyBoxSide : (byte)0,
    };

    private static byte AsciiRow(int index, int row)
    {
        int dots = 0;
        for (int column = 0; column < Columns; column++)
        {
            dots |= ((Ascii[(index * Columns) + column] >> (row / 2)) & 1) << (6 - column);
        }

        return (byte)dots;
    }

    private static byte LineRow(int strokes, int row)
    {
        const int middle = 7;
        int dots = (row <= middle && (strokes & Up) != 0) || (row >= middle && (strokes & Down) != 0) ? 0x18 : 0;
        return (byte)(row == middle ? dots | ((strokes & Left) != 0 ? 0xf8 : 0) | ((strokes & Right) != 0 ? 0x1f : 0) : dots);
    }
}
