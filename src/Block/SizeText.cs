using System.Globalization;

namespace Emu.Block;

/// <summary>Sizes as qemu-img reads and prints them.</summary>
public static class SizeText
{
    private const string Suffixes = "bkMGTPE";
    private const int Unit = 1024;

    /// <summary>A number of bytes, or a number (fractions allowed) with a suffix b, K, M, G, T, P or E: powers of 1024.</summary>
    public static bool TryParse(string text, out long bytes)
    {
        ArgumentNullException.ThrowIfNull(text);
        bytes = 0;
        int power = text.Length == 0 ? -1 : Suffixes.IndexOf(text[^1].ToString(), StringComparison.OrdinalIgnoreCase);
        string number = power < 0 ? text : text[..^1];
        if (!decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal value))
        {
            return false;
        }

        decimal unit = 1UL << (10 * Math.Max(power, 0));
        if (value > long.MaxValue / unit)
        {
            return false;
        }

        bytes = (long)(value * unit);
        return true;
    }

    /// <summary>A size with three digits and its unit, such as <c>1.5 GiB</c>.</summary>
    public static string Format(long bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        int power = 0;
        double value = bytes;
        for (; value >= Unit && power < units.Length - 1; power++)
        {
            value /= Unit;
        }

        return value.ToString(value < 100 && power > 0 ? "0.##" : "0", CultureInfo.InvariantCulture) + " " + units[power];
    }
}
