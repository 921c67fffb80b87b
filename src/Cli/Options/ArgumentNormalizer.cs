namespace Emu.Cli.Options;

/// <summary>
/// Rewrites a QEMU-style command line into the one shape that the parsing library reads without doubt:
/// <c>--name</c> or <c>--name=value</c>. QEMU takes one or two dashes, and values that begin with a dash
/// (<c>-append "-x"</c>); the library would read those as bundles and options.
/// </summary>
internal static class ArgumentNormalizer
{
    private const string PlainArgumentOption = "hda";

    /// <summary>Rewrites <paramref name="args"/>.</summary>
    /// <exception cref="OptionException">An unknown option, a missing value, a value where none belongs, or dashes alone.</exception>
    public static List<string> Normalize(IReadOnlyList<string> args)
    {
        var result = new List<string>(args.Count);
        for (int i = 0; i < args.Count; i++)
        {
            if (args[i].Length > 0 && args[i][0] != '-')
            {
                // As in QEMU a file without an option is the first disk.
                result.Add($"--{PlainArgumentOption}={args[i]}");
                continue;
            }

            (OptionInfo option, string spelled, string? value) = Recognize(args[i]);
            if (option.ValueName is null)
            {
                if (value is not null)
                {
                    throw new OptionException($"{spelled}: takes no value; write just {spelled}");
                }

                result.Add("--" + option.Name);
                continue;
            }

            if (value is null)
            {
                if (++i >= args.Count)
                {
                    throw new OptionException($"{spelled}: needs a value: {spelled} {option.ValueName}");
                }

                value = args[i];
            }

            // The library takes "--name=" for an option without value; an empty value must be an argument of its own.
            result.AddRange(value.Length > 0 ? [$"--{option.Name}={value}"] : ["--" + option.Name, ""]);
        }

        return result;
    }

    private static (OptionInfo Option, string Spelled, string? Value) Recognize(string argument)
    {
        if (argument.Length < 2 || argument[0] != '-' || argument == "--")
        {
            throw new OptionException(PlainArgument(argument));
        }

        int dashes = argument[1] == '-' ? 2 : 1;
        int equals = argument.IndexOf('=', StringComparison.Ordinal);
        string name = equals < 0 ? argument[dashes..] : argument[dashes..equals];
        string spelled = argument[..dashes] + name;
        OptionInfo? option = OptionTable.Find(name);
        if (option is not null)
        {
            return (option, spelled, equals < 0 ? null : argument[(equals + 1)..]);
        }

        if (OptionTable.NotYet.Contains(name))
        {
            throw new OptionException($"{spelled}: an option of QEMU that emu does not have yet; leave it out (-help lists what there is)");
        }

        string? nearest = OptionTable.Nearest(name);
        throw new OptionException(nearest is null
            ? $"{spelled}: unknown option; -help lists the options"
            : $"{spelled}: unknown option; did you mean -{nearest}?");
    }

    private static string PlainArgument(string argument) => argument.Length == 0
        ? "an empty argument stands where an option should; is a variable in the command line unset?"
        : $"'{argument}' is no option; a file is given by its name, which here is missing";
}
