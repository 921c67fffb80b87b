using System.Numerics;

namespace Emu.Block.Qcow2;

/// <summary>What a new qcow2 image is to be like; the defaults are QEMU's.</summary>
internal sealed record Qcow2Options
{
    private const int DefaultClusterBits = 16;
    private const int DefaultRefcountOrder = 4;

    /// <summary>2 (<c>compat=0.10</c>) or 3 (<c>compat=1.1</c>).</summary>
    public uint Version { get; private init; } = 3;

    /// <summary>Cluster size, as a power of two.</summary>
    public int ClusterBits { get; private init; } = DefaultClusterBits;

    /// <summary>Width of reference counts in bits, as a power of two.</summary>
    public int RefcountOrder { get; private init; } = DefaultRefcountOrder;

    /// <summary>Reference counts are written when the image is closed.</summary>
    public bool LazyRefcounts { get; private init; }

    /// <summary>Reads the values of <c>-o</c>.</summary>
    /// <exception cref="BlockException">An option is not known, or its value is none.</exception>
    public static Qcow2Options Parse(IReadOnlyDictionary<string, string> values)
    {
        var options = new Qcow2Options();
        foreach ((string name, string value) in values)
        {
            options = name switch
            {
                "cluster_size" => options with { ClusterBits = Power(name, value, 1 << Qcow2Geometry.LeastClusterBits, 1 << Qcow2Geometry.MostClusterBits) },
                "refcount_bits" => options with { RefcountOrder = Power(name, value, 1, 64) },
                "compat" => options with { Version = value switch { "0.10" or "v2" => 2, "1.1" or "v3" => 3, _ => throw Bad(name, value, "0.10 or 1.1") } },
                "lazy_refcounts" => options with { LazyRefcounts = value switch { "on" => true, "off" => false, _ => throw Bad(name, value, "on or off") } },
                "compression_type" when value == "zlib" => options,
                "compression_type" => throw Bad(name, value, "zlib; zstd is not supported"),
                "preallocation" when value == "off" => options,
                "preallocation" => throw Bad(name, value, "off; there is no other preallocation"),
                _ => throw new BlockException($"-o {name}: qcow2 has no such option here; there is cluster_size, compat, lazy_refcounts, refcount_bits, compression_type, preallocation"),
            };
        }

        return options.Version == 3 || (!options.LazyRefcounts && options.RefcountOrder == DefaultRefcountOrder)
            ? options
            : throw new BlockException("-o lazy_refcounts and -o refcount_bits need compat=1.1");
    }

    private static int Power(string name, string value, long least, long most) =>
        SizeText.TryParse(value, out long number) && number >= least && number <= most && BitOperations.IsPow2(number)
            ? BitOperations.Log2((ulong)number)
            : throw Bad(name, value, $"a power of two from {least} to {most}");

    private static BlockException Bad(string name, string value, string allowed) => new($"-o {name}={value}: use {allowed}");
}
