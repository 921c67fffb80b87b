using System.CommandLine;
using System.Globalization;
using System.Text;
using Emu.Block;
using Emu.Cli.Options;

namespace Emu.Cli.Image;

/// <summary>An option of <c>emu image</c>.</summary>
/// <param name="Short">One letter.</param>
/// <param name="Long">A word, or null.</param>
/// <param name="Value">Placeholder of its value; null for a switch.</param>
/// <param name="Summary">What it does.</param>
internal sealed record ImageOption(char Short, string? Long, string? Value, string Summary);

/// <summary>A verb of <c>emu image</c>.</summary>
/// <param name="Name">The word.</param>
/// <param name="Operands">Placeholders of what is not an option.</param>
/// <param name="Summary">What it does.</param>
/// <param name="Options">Letters of its options.</param>
/// <param name="Least">Least number of operands.</param>
/// <param name="Most">Largest number of operands.</param>
/// <param name="ErrorExit">Exit code when it cannot be done.</param>
/// <param name="Run">Does it, and returns the exit code.</param>
internal sealed record ImageVerb(string Name, string Operands, string Summary, string Options, int Least, int Most, int ErrorExit, Func<ImageArguments, int> Run);

/// <summary><c>emu image</c>: disk images without a machine, with qemu-img's options and exit codes.</summary>
internal static class ImageCommand
{
    /// <summary>The first word of the command line that asks for it.</summary>
    public const string Name = "image";

    private static readonly ParserConfiguration Configuration = new() { EnablePosixBundling = false, ResponseFileTokenReplacer = null };

    private static readonly ImageOption[] Options =
    [
        new('f', null, "FORMAT", "format of the image: raw or qcow2; without it, the file is looked at (create: raw)"),
        new('O', null, "FORMAT", "format of the new image (default raw)"),
        new('F', null, "FORMAT", "format of the backing file, or of the second image to compare"),
        new('b', null, "FILE", "backing file of the new image, relative to its folder"),
        new('o', null, "NAME=VALUE,...", "cluster_size=, compat=0.10|1.1, lazy_refcounts=on|off, refcount_bits=, backing_file=, backing_fmt="),
        new('c', null, null, "compress the clusters"),
        new('l', null, "SNAPSHOT", "read an internal snapshot, by id or name"),
        new('L', "list", null, "list the internal snapshots (-l does, too)"),
        new('r', null, "leaks|all", "repair what is found"),
        new('d', null, null, "leave the overlay as it is"),
        new('s', "strict", null, "images of different sizes are different"),
        new('q', null, null, "print nothing but errors"),
        new('j', "output", "human|json", "how to print"),
        new('k', "shrink", null, "allow a smaller size"),
    ];

    private static readonly ImageVerb[] Verbs =
    [
        new("create", "FILE [SIZE]", "make an empty image", "fobFq", 1, 2, 1, ImageVerbs.Create),
        new("info", "FILE", "what an image is", "fj", 1, 1, 1, ImageVerbs.Info),
        new("convert", "FILE NEW", "copy a disk into a new image", "fOoclq", 2, 2, 1, ImageVerbs.Convert),
        new("check", "FILE", "compare reference counts with the tables", "frjq", 1, 1, 1, ImageVerbs.Check),
        new("resize", "FILE [+|-]SIZE", "make a disk longer or shorter", "fkq", 2, 2, 1, ImageVerbs.Resize),
        new("commit", "FILE", "write an overlay into its backing file", "fdq", 1, 1, 1, ImageVerbs.Commit),
        new("snapshot", "-l FILE", "list the internal snapshots", "fL", 1, 1, 1, ImageVerbs.Snapshot),
        new("compare", "FILE FILE", "compare two disks; -f is the first one's format", "fFsq", 2, 2, 2, ImageVerbs.Compare),
    ];

    /// <summary>Runs it; <paramref name="args"/> is the command line with the word itself. Returns the exit code.</summary>
    /// <exception cref="OptionException">There is no such verb.</exception>
    public static int Run(IReadOnlyList<string> args)
    {
        if (args.Count < 2 || args[1] is "-h" or "--help" or "-help" or "help")
        {
            Console.Out.Write(Help());
            return args.Count < 2 ? 1 : 0;
        }

        ImageVerb verb = Verbs.FirstOrDefault(candidate => candidate.Name == args[1])
            ?? throw new OptionException($"image: '{args[1]}' is not known; there is {string.Join(", ", Verbs.Select(known => known.Name))}");
        if (args.Skip(2).Any(argument => argument is "-h" or "--help" or "-help"))
        {
            Console.Out.Write(Help(verb));
            return 0;
        }

        try
        {
            return verb.Run(Parse(verb, [.. args.Skip(2)]));
        }
        catch (Exception exception) when (exception is BlockException or OptionException)
        {
            Console.Error.WriteLine($"emu: image {verb.Name}: {exception.Message.ReplaceLineEndings(" ")}");
            return verb.ErrorExit;
        }
    }

    private static ImageArguments Parse(ImageVerb verb, IReadOnlyList<string> args)
    {
        var command = new RootCommand("disk images");
        command.Options.Clear();
        command.Directives.Clear();
        var operands = new Argument<string[]>("file") { Arity = ArgumentArity.ZeroOrMore };
        command.Arguments.Add(operands);
        foreach (ImageOption option in OptionsOf(verb))
        {
            // An option that has only a long spelling in qemu-img has only that here; the letter is its name in the tables.
            string name = option.Long is null ? "-" + option.Short : "--" + option.Long;
            string[] aliases = option.Short switch { 's' => ["-s"], 'L' => ["-l"], _ => [] };
            command.Options.Add(option.Value is null ? new Option<bool>(name, aliases) : new Option<string[]>(name, aliases) { Arity = ArgumentArity.OneOrMore, AllowMultipleArgumentsPerToken = false });
        }

        ParseResult result = command.Parse([.. args], Configuration);
        string[] files = result.GetValue(operands) ?? [];
        if (result.Errors.Count > 0)
        {
            throw new OptionException(result.Errors[0].Message);
        }

        return files.Length >= verb.Least && files.Length <= verb.Most
            ? new ImageArguments(result, files)
            : throw new OptionException($"{files.Length} operands; usage: emu image {verb.Name} [options] {verb.Operands}");
    }

    private static IEnumerable<ImageOption> OptionsOf(ImageVerb verb) => verb.Options.Select(letter => Options.First(option => option.Short == letter));

    private static string Help()
    {
        var text = new StringBuilder("usage: emu image VERB [options] FILE...     disk images: raw and qcow2\n\n");
        foreach (ImageVerb verb in Verbs)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {verb.Name + " " + verb.Operands,-26}{verb.Summary}\n");
        }

        return text.Append("\n'emu image VERB --help' lists its options. Exit codes are qemu-img's: 1 is an error (compare: 2, and 1 when the disks\n"
            + "differ); check: 2 damage, 3 leaked clusters, 63 a format without anything to check.\n").ToString();
    }

    private static string Help(ImageVerb verb)
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"usage: emu image {verb.Name} [options] {verb.Operands}     {verb.Summary}\n\n");
        foreach (ImageOption option in OptionsOf(verb))
        {
            string name = option.Long is null ? "-" + option.Short : "--" + option.Long;
            text.Append(CultureInfo.InvariantCulture, $"  {(option.Value is null ? name : name + " " + option.Value),-26}{option.Summary}\n");
        }

        return text.ToString();
    }
}
