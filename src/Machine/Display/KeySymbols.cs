using Emu.Devices.Legacy;

namespace Emu.Machine.Display;

/// <summary>Which key of a US keyboard makes a character, an X11 key symbol (X11/keysymdef.h), or a name of QEMU's <c>sendkey</c>.</summary>
public static class KeySymbols
{
    private const uint FirstFunctionKey = 0xffbe;

    // Without Shift and with it, at the same place.
    private const string Plain = "`1234567890-=qwertyuiop[]\\asdfghjkl;'zxcvbnm,./ ";
    private const string Shifted = "~!@#$%^&*()_+QWERTYUIOP{}|ASDFGHJKL:\"ZXCVBNM<>? ";

    private static readonly Ps2Key[] CharacterKeys =
    [
        Ps2Key.Grave, Ps2Key.Digit1, Ps2Key.Digit2, Ps2Key.Digit3, Ps2Key.Digit4, Ps2Key.Digit5, Ps2Key.Digit6, Ps2Key.Digit7, Ps2Key.Digit8,
        Ps2Key.Digit9, Ps2Key.Digit0, Ps2Key.Minus, Ps2Key.EqualSign,
        Ps2Key.Q, Ps2Key.W, Ps2Key.E, Ps2Key.R, Ps2Key.T, Ps2Key.Y, Ps2Key.U, Ps2Key.I, Ps2Key.O, Ps2Key.P, Ps2Key.LeftBracket, Ps2Key.RightBracket,
        Ps2Key.Backslash, Ps2Key.A, Ps2Key.S, Ps2Key.D, Ps2Key.F, Ps2Key.G, Ps2Key.H, Ps2Key.J, Ps2Key.K, Ps2Key.L, Ps2Key.Semicolon, Ps2Key.Quote,
        Ps2Key.Z, Ps2Key.X, Ps2Key.C, Ps2Key.V, Ps2Key.B, Ps2Key.N, Ps2Key.M, Ps2Key.Comma, Ps2Key.Period, Ps2Key.Slash, Ps2Key.Space,
    ];

    private static readonly Ps2Key[] FunctionKeys =
    [
        Ps2Key.F1, Ps2Key.F2, Ps2Key.F3, Ps2Key.F4, Ps2Key.F5, Ps2Key.F6, Ps2Key.F7, Ps2Key.F8, Ps2Key.F9, Ps2Key.F10, Ps2Key.F11, Ps2Key.F12,
    ];

    private static readonly Dictionary<uint, Ps2Key> Symbols = new()
    {
        [0xff08] = Ps2Key.Backspace, [0xff09] = Ps2Key.Tab, [0xfe20] = Ps2Key.Tab, [0xff0d] = Ps2Key.Enter, [0xff13] = Ps2Key.Pause, [0xff14] = Ps2Key.ScrollLock,
        [0xff15] = Ps2Key.SysRq, [0xff1b] = Ps2Key.Escape, [0xff50] = Ps2Key.Home, [0xff51] = Ps2Key.Left, [0xff52] = Ps2Key.Up, [0xff53] = Ps2Key.Right,
        [0xff54] = Ps2Key.Down, [0xff55] = Ps2Key.PageUp, [0xff56] = Ps2Key.PageDown, [0xff57] = Ps2Key.End, [0xff61] = Ps2Key.PrintScreen,
        [0xff63] = Ps2Key.Insert, [0xff67] = Ps2Key.Menu, [0xff7f] = Ps2Key.NumLock, [0xff8d] = Ps2Key.KeypadEnter,
        [0xff95] = Ps2Key.Keypad7, [0xff96] = Ps2Key.Keypad4, [0xff97] = Ps2Key.Keypad8, [0xff98] = Ps2Key.Keypad6, [0xff99] = Ps2Key.Keypad2,
        [0xff9a] = Ps2Key.Keypad9, [0xff9b] = Ps2Key.Keypad3, [0xff9c] = Ps2Key.Keypad1, [0xff9d] = Ps2Key.Keypad5, [0xff9e] = Ps2Key.Keypad0, [0xff9f] = Ps2Key.KeypadPeriod,
        [0xffaa] = Ps2Key.KeypadMultiply, [0xffab] = Ps2Key.KeypadPlus, [0xffad] = Ps2Key.KeypadMinus, [0xffae] = Ps2Key.KeypadPeriod, [0xffaf] = Ps2Key.KeypadDivide,
        [0xffb0] = Ps2Key.Keypad0, [0xffb1] = Ps2Key.Keypad1, [0xffb2] = Ps2Key.Keypad2, [0xffb3] = Ps2Key.Keypad3, [0xffb4] = Ps2Key.Keypad4,
        [0xffb5] = Ps2Key.Keypad5, [0xffb6] = Ps2Key.Keypad6, [0xffb7] = Ps2Key.Keypad7, [0xffb8] = Ps2Key.Keypad8, [0xffb9] = Ps2Key.Keypad9,
        [0xffe1] = Ps2Key.LeftShift, [0xffe2] = Ps2Key.RightShift, [0xffe3] = Ps2Key.LeftCtrl, [0xffe4] = Ps2Key.RightCtrl, [0xffe5] = Ps2Key.CapsLock,
        [0xffe7] = Ps2Key.LeftAlt, [0xffe8] = Ps2Key.RightAlt, [0xffe9] = Ps2Key.LeftAlt, [0xffea] = Ps2Key.RightAlt, [0xffeb] = Ps2Key.LeftSuper, [0xffec] = Ps2Key.RightSuper,
        [0xfe03] = Ps2Key.RightAlt, [0xffff] = Ps2Key.Delete,
    };

    private static readonly Dictionary<string, Ps2Key> Names = new(StringComparer.Ordinal)
    {
        ["shift"] = Ps2Key.LeftShift, ["shift_r"] = Ps2Key.RightShift, ["alt"] = Ps2Key.LeftAlt, ["alt_r"] = Ps2Key.RightAlt, ["ctrl"] = Ps2Key.LeftCtrl,
        ["ctrl_r"] = Ps2Key.RightCtrl, ["meta_l"] = Ps2Key.LeftSuper, ["meta_r"] = Ps2Key.RightSuper, ["menu"] = Ps2Key.Menu, ["esc"] = Ps2Key.Escape,
        ["minus"] = Ps2Key.Minus, ["equal"] = Ps2Key.EqualSign, ["backspace"] = Ps2Key.Backspace, ["tab"] = Ps2Key.Tab, ["bracket_left"] = Ps2Key.LeftBracket,
        ["bracket_right"] = Ps2Key.RightBracket, ["ret"] = Ps2Key.Enter, ["kp_enter"] = Ps2Key.KeypadEnter, ["semicolon"] = Ps2Key.Semicolon, ["apostrophe"] = Ps2Key.Quote,
        ["grave_accent"] = Ps2Key.Grave, ["backslash"] = Ps2Key.Backslash, ["less"] = Ps2Key.NonUsBackslash, ["comma"] = Ps2Key.Comma, ["dot"] = Ps2Key.Period,
        ["slash"] = Ps2Key.Slash, ["spc"] = Ps2Key.Space, ["caps_lock"] = Ps2Key.CapsLock, ["num_lock"] = Ps2Key.NumLock, ["scroll_lock"] = Ps2Key.ScrollLock,
        ["kp_divide"] = Ps2Key.KeypadDivide, ["kp_multiply"] = Ps2Key.KeypadMultiply, ["kp_subtract"] = Ps2Key.KeypadMinus, ["kp_add"] = Ps2Key.KeypadPlus,
        ["kp_decimal"] = Ps2Key.KeypadPeriod, ["sysrq"] = Ps2Key.SysRq, ["print"] = Ps2Key.PrintScreen, ["pause"] = Ps2Key.Pause, ["home"] = Ps2Key.Home,
        ["pgup"] = Ps2Key.PageUp, ["pgdn"] = Ps2Key.PageDown, ["end"] = Ps2Key.End, ["left"] = Ps2Key.Left, ["up"] = Ps2Key.Up, ["down"] = Ps2Key.Down,
        ["right"] = Ps2Key.Right, ["insert"] = Ps2Key.Insert, ["delete"] = Ps2Key.Delete,
        ["kp_0"] = Ps2Key.Keypad0, ["kp_1"] = Ps2Key.Keypad1, ["kp_2"] = Ps2Key.Keypad2, ["kp_3"] = Ps2Key.Keypad3, ["kp_4"] = Ps2Key.Keypad4,
        ["kp_5"] = Ps2Key.Keypad5, ["kp_6"] = Ps2Key.Keypad6, ["kp_7"] = Ps2Key.Keypad7, ["kp_8"] = Ps2Key.Keypad8, ["kp_9"] = Ps2Key.Keypad9,
    };

    /// <summary>The key that makes an ASCII character, and whether Shift goes with it; null when there is none.</summary>
    public static (Ps2Key Key, bool Shift)? OfCharacter(char character)
    {
        int plain = Plain.IndexOf(character, StringComparison.Ordinal);
        int index = plain >= 0 ? plain : Shifted.IndexOf(character, StringComparison.Ordinal);
        return index >= 0 ? (CharacterKeys[index], plain < 0) : null;
    }

    /// <summary>The key of an X11 key symbol, or null.</summary>
    public static Ps2Key? OfSymbol(uint symbol) => symbol switch
    {
        < 0x80 => OfCharacter((char)symbol)?.Key,
        >= FirstFunctionKey and < FirstFunctionKey + 12 => FunctionKeys[symbol - FirstFunctionKey],
        _ => Symbols.TryGetValue(symbol, out Ps2Key key) ? key : null,
    };

    /// <summary>The key of a name that <c>sendkey</c> takes, or null.</summary>
    public static Ps2Key? OfName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.Length == 1 && char.IsAsciiLetterOrDigit(name[0]) && !char.IsAsciiLetterUpper(name[0]))
        {
            return OfCharacter(name[0])?.Key;
        }

        return name is ['f', .. string digits] && int.TryParse(digits, out int number) && number is >= 1 and <= 12 ? FunctionKeys[number - 1]
            : Names.TryGetValue(name, out Ps2Key key) ? key : null;
    }
}
