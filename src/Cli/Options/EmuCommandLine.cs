using System.CommandLine;
using System.CommandLine.Parsing;
using Emu.Machine;

namespace Emu.Cli.Options;

/// <summary>What a command line asks for: text to print, or a machine to run.</summary>
/// <param name="Text">Text for standard output, and nothing else to do; or null.</param>
/// <param name="Config">The machine; null when there is only text.</param>
internal sealed record CommandLineResult(string? Text, MachineConfig? Config);

/// <summary>The command line of emu: QEMU's option names, read by System.CommandLine.</summary>
internal static class EmuCommandLine
{
    private static readonly ParserConfiguration Configuration = new() { EnablePosixBundling = false, ResponseFileTokenReplacer = null };

    /// <summary>Reads <paramref name="args"/>.</summary>
    /// <exception cref="OptionException">The command line is wrong; the message is one line.</exception>
    public static CommandLineResult Parse(IReadOnlyList<string> args)
    {
        if (args.Count > 0 && args[0] == DoctorCommand.Name)
        {
            return new CommandLineResult(DoctorCommand.Run(args), null);
        }

        if (args.Count > 0 && OptionTable.ReservedCommands.Contains(args[0]))
        {
            throw new OptionException($"'{args[0]}': this command is not there yet; -help lists what there is");
        }

        ParseResult result = Command().Parse(ArgumentNormalizer.Normalize(args), Configuration);
        if (result.Errors.Count > 0)
        {
            throw new OptionException(result.Errors[0].Message);
        }

        var options = new OptionValues(result);
        string? text = HelpText.For(options);
        return text is null ? new CommandLineResult(null, ConfigBuilder.Build(options)) : new CommandLineResult(text, null);
    }

    // The library's own help and version options are left out: QEMU's -help lists one-dash spellings and placeholders.
    private static RootCommand Command()
    {
        var command = new RootCommand("emu: an x86 PC emulator");
        command.Options.Clear();
        command.Directives.Clear();
        foreach (OptionInfo info in OptionTable.All)
        {
            command.Options.Add(info.ValueName is null
                ? new Option<bool>("--" + info.Name) { Arity = ArgumentArity.Zero, Description = info.Summary }
                : new Option<string[]>("--" + info.Name) { Arity = ArgumentArity.OneOrMore, Description = info.Summary });
        }

        return command;
    }
}

/// <summary>The values of one parsed command line, by option name.</summary>
internal sealed class OptionValues(ParseResult result)
{
    /// <summary>True when the switch <paramref name="name"/> was given.</summary>
    public bool Has(string name) => result.GetResult("--" + name) is OptionResult { Implicit: false };

    /// <summary>Every value given to <paramref name="name"/>, in order.</summary>
    public IReadOnlyList<string> All(string name) => result.GetValue<string[]>("--" + name) ?? [];

    /// <summary>The last value given to <paramref name="name"/>, which is the one that counts in QEMU too; or null.</summary>
    public string? Last(string name) => All(name) is { Count: > 0 } values ? values[^1] : null;

    /// <summary>Runs <paramref name="parse"/> on a value of <paramref name="name"/> and puts the option's name before the message of an error.</summary>
    public static T Read<T>(string name, string value, Func<string, T> parse)
    {
        try
        {
            return parse(value);
        }
        catch (OptionException exception)
        {
            throw new OptionException($"-{name}: {exception.Message}");
        }
    }
}
