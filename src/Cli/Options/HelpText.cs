using System.Reflection;
using System.Text;
using Emu.Machine;

namespace Emu.Cli.Options;

/// <summary>The texts of <c>-help</c>, <c>-version</c> and the <c>help</c> values.</summary>
internal static class HelpText
{
    private const int Column = 34;

    /// <summary>The text that <paramref name="options"/> ask for, or null when they describe a machine.</summary>
    public static string? For(OptionValues options)
    {
        if (options.Has("help"))
        {
            return Options();
        }

        if (options.Has("version"))
        {
            return Version() + "\n";
        }

        return ListIfAsked(options, "accel", "Accelerators:", MachineCatalog.Accelerators)
            ?? ListIfAsked(options, "machine", "Machines:", MachineCatalog.Machines)
            ?? ListIfAsked(options, "cpu", "CPU models (add ,+FEATURE or ,-FEATURE):", MachineCatalog.Cpus)
            ?? ListIfAsked(options, "device", "Devices:", MachineCatalog.Devices)
            ?? ListIfAsked(options, "netdev", "Networks:", MachineCatalog.Networks)
            ?? ListIfAsked(options, "nic", "Networks (add ,model=CARD and ,mac=ADDRESS):", MachineCatalog.Networks)
            ?? ListIfAsked(options, "object", "Objects:", MachineCatalog.Objects)
            ?? (IsHelp(options, "d") ? LogItems() : null);
    }

    private static string Version() =>
        $"emu version {typeof(HelpText).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]}";

    private static bool IsHelp(OptionValues options, string name) => options.All(name).Any(value => value is "help" or "?");

    private static string? ListIfAsked(OptionValues options, string name, string title, IReadOnlyList<CatalogEntry> entries)
    {
        if (!IsHelp(options, name))
        {
            return null;
        }

        var text = new StringBuilder().Append(title).Append('\n');
        foreach (CatalogEntry entry in entries)
        {
            string properties = entry.Properties.Count == 0 ? "" : $" [{string.Join(", ", entry.Properties)}]";
            text.Append($"  {entry.Name,-16} {entry.Summary}{properties}\n");
        }

        return text.ToString();
    }

    private static string LogItems()
    {
        var text = new StringBuilder("Log items (comma separated):\n");
        foreach ((string name, _, string summary) in MachineCatalog.LogItems)
        {
            text.Append($"  {name,-16} {summary}\n");
        }

        return text.ToString();
    }

    private static string Options()
    {
        var text = new StringBuilder(Version()).Append("\nusage: emu [options]     (without options: the built-in guest on every accelerator)\n")
            .Append("       emu doctor [--json]   what this host offers, and which accelerator would be taken\n")
            .Append("       emu diff [options]    generated code on several engines, compared; --help lists its options\n")
            .Append("       emu image VERB        disk images: create, info, convert, check, resize, commit, snapshot -l, compare\n\n");
        foreach (OptionInfo option in OptionTable.All)
        {
            string left = "-" + option.Name + string.Concat(option.Aliases.Select(alias => ", -" + alias));
            left = option.ValueName is null ? left : $"{left} {option.ValueName}";
            text.Append("  ").Append(left);
            text.Append(left.Length < Column - 3 ? new string(' ', Column - 2 - left.Length) : "\n" + new string(' ', Column));
            text.Append(option.Summary).Append('\n');
        }

        return text.Append("\nOptions take one or two dashes. Keys with -nographic and -serial mon:stdio: Ctrl-A x quits, Ctrl-A c is the monitor, Ctrl-A h helps.\n").ToString();
    }
}
