using System.Globalization;
using Emu.Block;
using Emu.Core;

namespace Emu.Cli.Options;

/// <summary>Numbers, sizes and switches as QEMU writes them. Messages leave the option's name to the caller.</summary>
internal static class ValueParsers
{
    /// <summary>RAM size: a number of MiB, or a number (fractions allowed) with a suffix B, K, M, G, T, P or E (powers of 1024).</summary>
    /// <exception cref="OptionException">Not a size, zero, 2^63 bytes or more, or not whole pages.</exception>
    public static ulong MemorySize(string text)
    {
        const string Fix = "write for example 512, 512M or 1.5G";
        bool inMegabytes = text.Length > 0 && char.IsAsciiDigit(text[^1]);
        if (!SizeText.TryParse(inMegabytes ? text + "M" : text, out long bytes))
        {
            throw new OptionException($"'{text}' is not a size below 8 EiB; {Fix}");
        }

        if (bytes < GuestPhysical.PageSize || bytes % GuestPhysical.PageSize != 0)
        {
            throw new OptionException($"'{text}' is not a positive multiple of 4 KiB; {Fix}");
        }

        return (ulong)bytes;
    }

    /// <summary>An unsigned number, decimal or hexadecimal with 0x, of at most <paramref name="max"/>.</summary>
    /// <exception cref="OptionException">Not a number, or too large.</exception>
    public static ulong Number(string name, string text, ulong max)
    {
        bool hex = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        ulong value = 0;
        bool valid = hex
            ? ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value)
            : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
        if (!valid)
        {
            throw new OptionException($"{name}='{text}' is not a number; write for example 244 or 0xf4");
        }

        return value <= max ? value : throw new OptionException($"{name}={text} is out of range; at most 0x{max:x}");
    }

    /// <summary>on/off (also yes/no, true/false).</summary>
    /// <exception cref="OptionException">Something else.</exception>
    public static bool Switch(string name, string text) => text switch
    {
        "on" or "yes" or "true" => true,
        "off" or "no" or "false" => false,
        _ => throw new OptionException($"{name}='{text}' is neither on nor off"),
    };
}
