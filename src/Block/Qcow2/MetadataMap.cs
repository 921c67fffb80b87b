using Emu.Block.Files;

namespace Emu.Block.Qcow2;

/// <summary>The clusters that hold tables. Guest data must not be written there, whatever the tables of a hostile image say.</summary>
internal sealed class MetadataMap(Qcow2Geometry geometry)
{
    private readonly HashSet<long> _fixed = [0];
    private readonly HashSet<long> _l2 = [];

    /// <summary>The clusters of a table that is no L2 table belong to it.</summary>
    public void Add(long offset, long bytes) => _fixed.UnionWith(Clusters(offset, bytes));

    /// <summary>As <see cref="Add"/>, for tables found in the image.</summary>
    /// <exception cref="BlockException">A cluster belongs to another table, or to the header.</exception>
    public void AddApart(IHostFile file, long offset, long bytes, string what)
    {
        foreach (long cluster in Clusters(offset, bytes))
        {
            if (!_fixed.Add(cluster))
            {
                throw new BlockException($"{file.Name}: damaged image: the {what} at offset {offset} overlaps the header or another table");
            }
        }
    }

    /// <summary>The clusters are no table's any more.</summary>
    public void Remove(long offset, long bytes) => _fixed.ExceptWith(Clusters(offset, bytes));

    /// <summary>The cluster at <paramref name="offset"/> is an L2 table.</summary>
    public void AddL2(long offset) => _l2.Add(offset >> geometry.ClusterBits);

    /// <summary>It is one no more.</summary>
    public void RemoveL2(long offset) => _l2.Remove(offset >> geometry.ClusterBits);

    /// <summary>True when the cluster at <paramref name="offset"/> belongs to the header or a table that is no L2 table.</summary>
    public bool IsFixed(long offset) => _fixed.Contains(offset >> geometry.ClusterBits);

    /// <summary>True when any of <paramref name="count"/> clusters from the one at <paramref name="offset"/> is a table's.</summary>
    public bool Touches(long offset, long count = 1)
    {
        long first = offset >> geometry.ClusterBits;
        for (long cluster = first; cluster < first + count; cluster++)
        {
            if (_fixed.Contains(cluster) || _l2.Contains(cluster))
            {
                return true;
            }
        }

        return false;
    }

    private IEnumerable<long> Clusters(long offset, long bytes)
    {
        for (long cluster = offset >> geometry.ClusterBits; cluster <= (offset + bytes - 1) >> geometry.ClusterBits; cluster++)
        {
            yield return cluster;
        }
    }
}
