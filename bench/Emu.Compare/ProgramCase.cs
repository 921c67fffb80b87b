using System.Globalization;

namespace Emu.Compare;

/// <summary>A script of <c>guests/programs/cases</c>: what it prints must be the same on every machine.</summary>
/// <param name="Name">Name of the script, without its ending.</param>
/// <param name="CpuModels">CPU models that it runs with.</param>
/// <param name="Limit">Time after which it has failed.</param>
internal sealed record ProgramCase(string Name, IReadOnlyList<string> CpuModels, TimeSpan Limit)
{
    private const string Extension = ".sh";
    private const double DefaultLimitSeconds = 300;

    /// <summary>The cases of <paramref name="folder"/>, by name.</summary>
    /// <exception cref="CompareException">A script does not say what it needs.</exception>
    public static IReadOnlyList<ProgramCase> ReadAll(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*" + Extension).Order(StringComparer.Ordinal).Select(file => Parse(Path.GetFileNameWithoutExtension(file), File.ReadAllLines(file)))];

    /// <summary>The case that <paramref name="lines"/> describe: of the comments at the top, <c># cpu: MODEL...</c> and <c># limit: SECONDS</c>.</summary>
    /// <exception cref="CompareException">There is no CPU model, or the limit is no number.</exception>
    public static ProgramCase Parse(string name, IReadOnlyList<string> lines)
    {
        string[] models = Value("cpu")?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        string limit = Value("limit") ?? DefaultLimitSeconds.ToString(CultureInfo.InvariantCulture);
        return models.Length == 0 ? throw new CompareException($"{name}{Extension} has no line '# cpu: MODEL'")
            : !double.TryParse(limit, CultureInfo.InvariantCulture, out double seconds) || seconds <= 0 ? throw new CompareException($"{name}{Extension}: '{limit}' is no limit in seconds")
            : new ProgramCase(name, models, TimeSpan.FromSeconds(seconds));

        string? Value(string key) =>
            lines.TakeWhile(line => line.StartsWith('#')).FirstOrDefault(line => line.StartsWith($"# {key}: ", StringComparison.Ordinal))?[$"# {key}: ".Length..];
    }

    /// <summary>The cases of <paramref name="all"/> that <paramref name="names"/> name; all for none.</summary>
    /// <exception cref="CompareException">There is no case of a name.</exception>
    public static IReadOnlyList<ProgramCase> Select(IReadOnlyList<ProgramCase> all, IReadOnlyList<string> names)
    {
        string? unknown = names.FirstOrDefault(name => all.All(one => one.Name != name));
        return unknown is not null ? throw new CompareException($"there is no program '{unknown}'; --list shows them")
            : names.Count == 0 ? all
            : [.. all.Where(one => names.Contains(one.Name))];
    }
}
