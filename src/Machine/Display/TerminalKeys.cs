using System.Text;
using Emu.Devices.Legacy;

namespace Emu.Machine.Display;

/// <summary>What a terminal sends for a key, as presses on a PC's keyboard: characters, control characters, and ECMA-48 or xterm sequences.</summary>
public sealed class TerminalKeys(IGuestInput input)
{
    private const byte Escape = 0x1b;

    // What follows ESC [ or ESC O.
    private static readonly Dictionary<string, Ps2Key> Sequences = new(StringComparer.Ordinal)
    {
        ["A"] = Ps2Key.Up, ["B"] = Ps2Key.Down, ["C"] = Ps2Key.Right, ["D"] = Ps2Key.Left, ["H"] = Ps2Key.Home, ["F"] = Ps2Key.End,
        ["1~"] = Ps2Key.Home, ["2~"] = Ps2Key.Insert, ["3~"] = Ps2Key.Delete, ["4~"] = Ps2Key.End, ["5~"] = Ps2Key.PageUp, ["6~"] = Ps2Key.PageDown,
        ["P"] = Ps2Key.F1, ["Q"] = Ps2Key.F2, ["R"] = Ps2Key.F3, ["S"] = Ps2Key.F4, ["[A"] = Ps2Key.F1, ["[B"] = Ps2Key.F2, ["[C"] = Ps2Key.F3, ["[D"] = Ps2Key.F4,
        ["[E"] = Ps2Key.F5, ["15~"] = Ps2Key.F5, ["17~"] = Ps2Key.F6, ["18~"] = Ps2Key.F7, ["19~"] = Ps2Key.F8, ["20~"] = Ps2Key.F9, ["21~"] = Ps2Key.F10,
        ["23~"] = Ps2Key.F11, ["24~"] = Ps2Key.F12,
    };

    /// <summary>Types what came from the terminal in one piece; an ESC that nothing follows is the key.</summary>
    public void Type(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            data = data[TypeOne(data)..];
        }
    }

    // Returns how many bytes that took.
    private int TypeOne(ReadOnlySpan<byte> data)
    {
        if (data[0] != Escape || data.Length == 1)
        {
            TypeByte(data[0]);
            return 1;
        }

        if (data[1] is not ((byte)'[' or (byte)'O'))
        {
            // Alt and a key.
            input.Key(Ps2Key.LeftAlt, true);
            TypeByte(data[1]);
            input.Key(Ps2Key.LeftAlt, false);
            return 2;
        }

        int length = 2;
        while (length < data.Length && (char.IsAsciiDigit((char)data[length]) || data[length] is (byte)';' or (byte)'['))
        {
            length++;
        }

        length = Math.Min(length + 1, data.Length);
        if (Sequences.TryGetValue(Encoding.ASCII.GetString(data[2..length]), out Ps2Key key))
        {
            Press(key);
        }

        return length;
    }

    private void TypeByte(byte value)
    {
        switch (value)
        {
            case Escape: Press(Ps2Key.Escape); break;
            case (byte)'\r' or (byte)'\n': Press(Ps2Key.Enter); break;
            case (byte)'\t': Press(Ps2Key.Tab); break;
            case 0x08 or 0x7f: Press(Ps2Key.Backspace); break;
            case >= 1 and <= 26: With(Ps2Key.LeftCtrl, (char)(value + 'a' - 1)); break;
            default:
                if (KeySymbols.OfCharacter((char)value) is (Ps2Key key, bool shift))
                {
                    Hold(shift ? Ps2Key.LeftShift : null, key);
                }

                break;
        }
    }

    private void With(Ps2Key modifier, char character) => Hold(modifier, KeySymbols.OfCharacter(character)!.Value.Key);

    private void Press(Ps2Key key) => Hold(null, key);

    private void Hold(Ps2Key? modifier, Ps2Key key)
    {
        if (modifier is Ps2Key held)
        {
            input.Key(held, true);
        }

        input.Key(key, true);
        input.Key(key, false);
        if (modifier is Ps2Key released)
        {
            input.Key(released, false);
        }
    }
}
