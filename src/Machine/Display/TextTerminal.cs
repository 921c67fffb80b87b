using System.Text;
using Emu.Devices.Display;

namespace Emu.Machine.Display;

/// <summary>The guest's text screen on a terminal, drawn by ECMA-48 sequences.</summary>
public sealed class TextTerminal : IDisposable
{
    private const string CodePage437 =
        " ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼ !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~⌂"
        + "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ";

    private const string EnterScreen = "\x1b[?1049h\x1b[2J";
    private const string LeaveScreen = "\x1b[0m\x1b[?25h\x1b[?1049l";
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(1);

    // A PC counts blue, green, red; terminals red, green, blue.
    private static readonly int[] TerminalColour = [0, 4, 2, 6, 1, 5, 3, 7];

    private readonly GuestDisplay _display;
    private readonly Stream _output;
    private readonly ManualResetEventSlim _end = new();
    private readonly Thread _drawer;
    private TextScreen? _shown;
    private bool _first = true;

    /// <summary>Takes over the terminal behind <paramref name="output"/>, until disposal.</summary>
    public TextTerminal(GuestDisplay display, Stream output)
    {
        _display = display;
        _output = output;
        Print(EnterScreen);
        _drawer = new Thread(DrawLoop) { Name = "curses", IsBackground = true };
        _drawer.Start();
    }

    /// <summary>Gives the terminal's other screen back.</summary>
    public void Dispose()
    {
        if (!_end.IsSet)
        {
            _end.Set();
            _drawer.Join(EndLimit);
            Print(LeaveScreen);
        }
    }

    /// <summary>The sequences that turn <paramref name="before"/> on the terminal into <paramref name="now"/>.</summary>
    public static string Difference(TextScreen? before, TextScreen now)
    {
        ArgumentNullException.ThrowIfNull(now);
        var text = new StringBuilder("\x1b[?25l");
        bool all = before is null || before.Columns != now.Columns || before.Rows != now.Rows;
        text.Append(all ? "\x1b[0m\x1b[2J" : "");
        int attribute = -1;
        for (int i = 0; i < now.Cells.Length; i++)
        {
            bool same = !all && before!.Cells[i] == now.Cells[i];
            if (same)
            {
                continue;
            }

            if (i % now.Columns == 0 || (!all && before!.Cells[i - 1] == now.Cells[i - 1]))
            {
                text.Append($"\x1b[{(i / now.Columns) + 1};{(i % now.Columns) + 1}H");
            }

            if (attribute != now.Cells[i] >> 8)
            {
                attribute = now.Cells[i] >> 8;
                text.Append(Colours(attribute));
            }

            text.Append(CodePage437[now.Cells[i] & 0xff]);
        }

        return now.Cursor < 0 ? text.ToString()
            : text.Append($"\x1b[{(now.Cursor / now.Columns) + 1};{(now.Cursor % now.Columns) + 1}H\x1b[?25h").ToString();
    }

    private static string Colours(int attribute)
    {
        int fore = ((attribute & 8) != 0 ? 90 : 30) + TerminalColour[attribute & 7];
        int back = 40 + TerminalColour[(attribute >> 4) & 7];
        return $"\x1b[0;{fore};{back}m";
    }

    private void DrawLoop()
    {
        do
        {
            TextScreen? now = _display.ReadText();
            if (now is null)
            {
                if (_first || _shown is not null)
                {
                    Print("\x1b[0m\x1b[2J\x1b[H[the guest is in a graphics mode; Ctrl-A x quits]");
                }
            }
            else if (_shown is null || now.Cursor != _shown.Cursor || now.Columns != _shown.Columns || !now.Cells.AsSpan().SequenceEqual(_shown.Cells))
            {
                Print(Difference(_shown, now));
            }

            (_shown, _first) = (now, false);
        }
        while (!_end.Wait(Interval));
    }

    private void Print(string text)
    {
        try
        {
            _output.Write(Encoding.UTF8.GetBytes(text));
        }
        catch (IOException)
        {
            // The terminal has gone away; SIGHUP says the rest.
        }
    }
}
