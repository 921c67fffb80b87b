using Emu.Machine;

namespace Emu.Cli.Options;

/// <summary>Reads <c>-boot</c>.</summary>
internal static class BootOptions
{
    private const string Letters = "acdn";
    private const ulong LongestWait = 65535;

    private static readonly string[] Properties = ["order", "once", "menu", "strict", "splash-time", "reboot-timeout"];

    /// <summary>Reads the values of all <c>-boot</c>, of which later ones count more.</summary>
    public static BootOrderSpec Read(OptionValues options) =>
        options.All("boot").Aggregate(new BootOrderSpec(), (spec, text) => OptionValues.Read("boot", text, value => Read(value, spec)));

    private static BootOrderSpec Read(string text, BootOrderSpec spec)
    {
        // "-boot d" is "-boot order=d".
        PropertyList list = PropertyList.Parse(text, "order");
        foreach (string key in list.Properties.Keys)
        {
            if (!Properties.Contains(key))
            {
                throw new OptionException($"unknown property '{key}'; there is {string.Join(", ", Properties)}");
            }
        }

        return spec with
        {
            Order = list.First.Length > 0 ? ReadOrder("order", list.First) : spec.Order,
            Once = list.Get("once") is string once ? ReadOrder("once", once) : spec.Once,
            Menu = list.Get("menu") is string menu ? ValueParsers.Switch("menu", menu) : spec.Menu,
            Strict = list.Get("strict") is string strict ? ValueParsers.Switch("strict", strict) : spec.Strict,
            SplashMilliseconds = list.Get("splash-time") is string splash ? (int)ValueParsers.Number("splash-time", splash, LongestWait) : spec.SplashMilliseconds,
            RebootMilliseconds = list.Get("reboot-timeout") is string reboot && reboot != "-1"
                ? (int)ValueParsers.Number("reboot-timeout", reboot, LongestWait) : spec.RebootMilliseconds,
        };
    }

    private static string ReadOrder(string name, string letters) =>
        letters.Length > 0 && letters.All(letter => Letters.Contains(letter, StringComparison.Ordinal)) && letters.Distinct().Count() == letters.Length
            ? letters
            : throw new OptionException($"{name}='{letters}' is not an order; write letters once each: a (floppy), c (hard disk), d (CD-ROM), n (network)");
}
