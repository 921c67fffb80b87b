namespace Emu.Block.Qcow2;

/// <summary>Feature bits of a version 3 header, and what is made of them.</summary>
internal static class Qcow2Features
{
    /// <summary>Incompatible: reference counts may be too small, the image was not closed.</summary>
    public const ulong Dirty = 1 << 0;

    /// <summary>Incompatible: the tables are damaged; not to be written.</summary>
    public const ulong Corrupt = 1 << 1;

    /// <summary>Incompatible: the compression type field counts.</summary>
    public const ulong CompressionType = 1 << 3;

    /// <summary>Compatible: reference counts are written when the image is closed.</summary>
    public const ulong LazyRefcounts = 1 << 0;

    private const ulong Known = Dirty | Corrupt | CompressionType;

    private static readonly (int Bit, string Name)[] Refused =
    [
        (2, "external data file"),
        (4, "extended L2 entries (subclusters)"),
    ];

    /// <summary>The incompatible features of an image that this code does not have, by name; null when there are none.</summary>
    /// <param name="incompatible">The header's field.</param>
    /// <param name="names">The image's own feature name table: names of bits.</param>
    public static string? Unsupported(ulong incompatible, IReadOnlyDictionary<int, string> names)
    {
        var found = new List<string>();
        for (int bit = 0; bit < 64; bit++)
        {
            if ((incompatible & ~Known & (1UL << bit)) != 0)
            {
                string? known = Refused.FirstOrDefault(row => row.Bit == bit).Name;
                found.Add(known ?? (names.TryGetValue(bit, out string? name) ? $"'{name}' (bit {bit})" : $"unknown feature bit {bit}"));
            }
        }

        return found.Count == 0 ? null : string.Join(", ", found);
    }
}
