using Emu.Machine;

namespace Emu.Cli.Options;

/// <summary>Reads the DEV of <c>-serial</c> and <c>-debugcon</c>.</summary>
internal static class CharSpecParser
{
    private const string Known = "stdio, mon:stdio, file:PATH, null, none, unix:PATH[,server][,nowait]";

    /// <summary>Reads <paramref name="text"/>.</summary>
    /// <exception cref="OptionException">No such back end, no path, or an unknown property.</exception>
    public static CharSpec Parse(string text)
    {
        switch (text)
        {
            case "stdio":
                return new CharSpec(CharKind.Stdio);
            case "mon:stdio":
                return new CharSpec(CharKind.Stdio) { Mux = true };
            case "null" or "none":
                return new CharSpec(CharKind.Null);
        }

        if (text.StartsWith("file:", StringComparison.Ordinal))
        {
            return new CharSpec(CharKind.File) { Path = NonEmpty(text["file:".Length..], text) };
        }

        return text.StartsWith("unix:", StringComparison.Ordinal)
            ? ParseUnix(text)
            : throw new OptionException($"unknown back end '{text}'; there is {Known}");
    }

    private static CharSpec ParseUnix(string text)
    {
        PropertyList list = PropertyList.Parse(text["unix:".Length..]);
        bool server = false;
        bool wait = true;
        foreach ((string key, string value) in list.Properties)
        {
            switch (key)
            {
                case "server":
                    server = ValueParsers.Switch(key, value);
                    break;
                case "wait":
                    wait = ValueParsers.Switch(key, value);
                    break;
                case "nowait":
                    wait = !ValueParsers.Switch(key, value);
                    break;
                default:
                    throw new OptionException($"'{key}' is not a property of unix:; there is server and wait");
            }
        }

        return new CharSpec(CharKind.Unix) { Path = NonEmpty(list.First, text), Server = server, Wait = server && wait };
    }

    private static string NonEmpty(string path, string text) =>
        path.Length > 0 ? path : throw new OptionException($"'{text}' names no path; write {text.TrimEnd(':', ',')}:PATH");
}
