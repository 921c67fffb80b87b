using System.CommandLine;
using Emu.Block;
using Emu.Cli.Options;

namespace Emu.Cli.Image;

/// <summary>The parsed command line of a verb of <c>emu image</c>.</summary>
internal sealed class ImageArguments(ParseResult result, string[] operands)
{
    /// <summary>What is not an option: file names, and a size.</summary>
    public IReadOnlyList<string> Operands => operands;

    /// <summary>True unless -q was given.</summary>
    public bool IsTalkative => !Has("-q");

    /// <summary>True when the switch was given.</summary>
    public bool Has(string name) => result.GetValue<bool>(name);

    /// <summary>The last value of an option, or null.</summary>
    public string? Text(string name) => result.GetValue<string[]>(name) is { Length: > 0 } values ? values[^1] : null;

    /// <summary>The image format that an option names, or null.</summary>
    public ImageFormat? Format(string name) => Text(name) is string text ? ImageFormats.Parse(text) : null;

    /// <summary>True for <c>--output json</c>.</summary>
    /// <exception cref="OptionException">Another value than json and human.</exception>
    public bool IsJson => Text("--output") switch
    {
        null or "human" => false,
        "json" => true,
        string other => throw new OptionException($"--output: '{other}' is neither human nor json"),
    };

    /// <summary>All <c>-o</c> together; of one given twice the last counts.</summary>
    /// <exception cref="OptionException">One has no name.</exception>
    public Dictionary<string, string> Values()
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string list in result.GetValue<string[]>("-o") ?? [])
        {
            foreach ((string name, string value) in PropertyList.Parse("," + list).Properties)
            {
                values[name] = value;
            }
        }

        return values;
    }
}
