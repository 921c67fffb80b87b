using System.Text;
using Emu.Machine;

namespace Emu.Cli.Options;

/// <summary>
/// QEMU's <c>first,key=value,flag</c> lists. A comma inside a value is written twice; <c>flag</c> alone means <c>flag=on</c>,
/// <c>noflag</c> is left to the reader of the list.
/// </summary>
internal sealed class PropertyList
{
    private readonly Dictionary<string, string> _properties = new(StringComparer.Ordinal);
    private readonly List<(string Key, string Value)> _given = [];

    private PropertyList(string first) => First = first;

    /// <summary>The part before the first comma.</summary>
    public string First { get; }

    /// <summary>The properties after it; of one given twice the last counts.</summary>
    public IReadOnlyDictionary<string, string> Properties => _properties;

    /// <summary>
    /// Reads a list. When the first part is itself <c>key=value</c> and <paramref name="impliedKey"/> is not null, the list
    /// has no first part (<c>-smp cpus=2</c>, <c>-machine type=pc</c>): the value of the implied key, if any, becomes it.
    /// </summary>
    public static PropertyList Parse(string text, string? impliedKey = null)
    {
        List<string> parts = Split(text);
        bool keyed = impliedKey is not null && parts[0].Contains('=', StringComparison.Ordinal);
        var given = new List<(string Key, string Value)>();
        foreach (string part in parts.Skip(keyed ? 0 : 1))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            string key = equals < 0 ? part : part[..equals];
            if (key.Length == 0)
            {
                throw new OptionException($"'{text}' has an empty property; write NAME,KEY=VALUE");
            }

            given.Add((key, equals < 0 ? "on" : part[(equals + 1)..]));
        }

        string first = keyed ? given.LastOrDefault(property => property.Key == impliedKey, (Key: "", Value: "")).Value : parts[0];
        return new PropertyList(first).With(given.Where(property => !keyed || property.Key != impliedKey));
    }

    /// <summary>The value of <paramref name="key"/>, or null.</summary>
    public string? Get(string key) => _properties.GetValueOrDefault(key);

    /// <summary>Every value given to <paramref name="key"/>, in order.</summary>
    public IReadOnlyList<string> All(string key) => [.. _given.Where(property => property.Key == key).Select(property => property.Value)];

    /// <summary>The same list without these properties.</summary>
    public PropertyList Without(params IReadOnlyList<string> keys) => new PropertyList(First).With(_given.Where(property => !keys.Contains(property.Key)));

    /// <summary>Checks that the first part is in <paramref name="catalog"/> and every property is one of that entry's.</summary>
    /// <exception cref="OptionException">An unknown name or property.</exception>
    public CatalogEntry CheckAgainst(IReadOnlyList<CatalogEntry> catalog, string what)
    {
        CatalogEntry entry = catalog.FirstOrDefault(candidate => candidate.Name == First)
            ?? throw new OptionException($"unknown {what} '{First}'; there is {string.Join(", ", catalog.Select(known => known.Name))}");
        foreach (string key in _properties.Keys)
        {
            if (!entry.Properties.Contains(key))
            {
                throw new OptionException($"{what} '{First}' has no property '{key}'; "
                    + (entry.Properties.Count == 0 ? "it has none" : $"it has {string.Join(", ", entry.Properties)}"));
            }
        }

        return entry;
    }

    private PropertyList With(IEnumerable<(string Key, string Value)> given)
    {
        foreach ((string key, string value) in given)
        {
            _given.Add((key, value));
            _properties[key] = value;
        }

        return this;
    }

    private static List<string> Split(string text)
    {
        var parts = new List<string>();
        var part = new StringBuilder();
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != ',')
            {
                part.Append(text[i]);
            }
            else if (i + 1 < text.Length && text[i + 1] == ',')
            {
                part.Append(text[++i]);
            }
            else
            {
                parts.Add(part.ToString());
                part.Clear();
            }
        }

        parts.Add(part.ToString());
        return parts;
    }
}
