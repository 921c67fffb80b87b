namespace Emu.Cli.Options;

/// <summary>Address ranges as QEMU's <c>-dfilter</c> has them.</summary>
internal static class AddressRangeParser
{
    /// <summary>START..END (END included), START+LENGTH, or START-LENGTH (the bytes up to START), separated by commas.</summary>
    /// <exception cref="OptionException">Not such a list.</exception>
    public static List<(ulong First, ulong Last)> Parse(string text) => [.. text.Split(',').Select(ParseOne)];

    private static (ulong First, ulong Last) ParseOne(string text)
    {
        int at = text.IndexOfAny(['.', '+', '-']);
        string separator = at < 0 ? "" : text[at] == '.' ? ".." : text[at].ToString();
        if (at <= 0 || !text.AsSpan(at).StartsWith(separator, StringComparison.Ordinal))
        {
            throw new OptionException($"'{text}' is not a range; write for example 0x1000..0x1fff or 0x1000+0x100");
        }

        ulong start = ValueParsers.Number("start", text[..at], ulong.MaxValue);
        ulong other = ValueParsers.Number(separator == ".." ? "end" : "length", text[(at + separator.Length)..], ulong.MaxValue);
        bool empty = separator == ".." ? other < start : other == 0 || (separator == "+" ? start + (other - 1) < start : other - 1 > start);
        if (empty)
        {
            throw new OptionException($"'{text}' holds no address, or goes beyond the last one");
        }

        return separator switch
        {
            ".." => (start, other),
            "+" => (start, start + (other - 1)),
            _ => (start - (other - 1), start),
        };
    }
}
