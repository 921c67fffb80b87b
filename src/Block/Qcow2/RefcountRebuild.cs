using System.Buffers.Binary;
using Emu.Block.Files;
using Emu.Core.Block;

namespace Emu.Block.Qcow2;

/// <summary>
/// New refcount structures for an image whose old ones cannot be mended in place: written behind everything, then the header
/// points to them, so that a crash leaves the old ones or the new ones.
/// </summary>
internal sealed class RefcountRebuild(IHostFile file, Qcow2Header header, ClusterCounts counts)
{
    private const int TableFieldOffset = 48;
    private readonly Qcow2Geometry _geometry = header.Geometry;

    /// <summary>Writes them. The clusters of the old ones become free.</summary>
    /// <exception cref="BlockException">The image is too large for it, or the file cannot be written.</exception>
    public void Write()
    {
        ForgetOld();
        long start = _geometry.Clusters(file.Length);
        long per = _geometry.RefcountsPerBlock;
        long blocks = 0;
        long tableClusters = 0;
        for (long total = start; blocks * per < total; total = start + blocks + tableClusters)
        {
            blocks = (total + per - 1) / per;
            tableClusters = _geometry.Clusters(blocks * Qcow2Geometry.EntrySize);
            if (tableClusters << _geometry.ClusterBits > Qcow2Header.MaxRefcountTableBytes)
            {
                throw new BlockException($"{file.Name}: the file is too long for new reference counts");
            }
        }

        // Blocks for ranges without any use are left out; at most all of them are written.
        var used = new List<long>();
        for (long i = 0; i < blocks; i++)
        {
            if (counts.AnyIn(i * per, per) || (i + 1) * per > start)
            {
                used.Add(i);
            }
        }

        for (long i = 0; i < used.Count + tableClusters; i++)
        {
            counts.Add(start + i);
        }

        WriteBlocks(start, used, tableClusters);
    }

    private void WriteBlocks(long start, List<long> used, long tableClusters)
    {
        var table = new ulong[tableClusters * _geometry.L2Entries];
        byte[] bytes = new byte[_geometry.ClusterSize];
        for (int i = 0; i < used.Count; i++)
        {
            table[used[i]] = (ulong)(start + i) << _geometry.ClusterBits;
            for (int j = 0; j < _geometry.RefcountsPerBlock; j++)
            {
                RefcountBits.Set(bytes, _geometry.RefcountOrder, j, counts[(used[i] * _geometry.RefcountsPerBlock) + j]);
            }

            Must(file.Write((long)table[used[i]], bytes));
        }

        long tableOffset = (start + used.Count) << _geometry.ClusterBits;
        Must(file.Write(tableOffset, TableFile.ToBytes(table)));
        Must(file.Flush());
        Span<byte> field = stackalloc byte[12];
        BinaryPrimitives.WriteInt64BigEndian(field, tableOffset);
        BinaryPrimitives.WriteInt32BigEndian(field[8..], (int)tableClusters);
        Must(file.Write(TableFieldOffset, field));
        Must(file.Flush());
    }

    private void ForgetOld()
    {
        ulong[] old = TableFile.Load(file, header.RefcountTableOffset, header.RefcountTableClusters * _geometry.L2Entries, "refcount table");
        foreach (ulong entry in old)
        {
            if (entry != 0 && entry < (ulong)file.Length && counts[(long)entry >> _geometry.ClusterBits] == 1)
            {
                counts.Clear((long)entry >> _geometry.ClusterBits);
            }
        }

        for (int i = 0; i < header.RefcountTableClusters; i++)
        {
            long cluster = (header.RefcountTableOffset >> _geometry.ClusterBits) + i;
            if (counts[cluster] == 1)
            {
                counts.Clear(cluster);
            }
        }
    }

    private void Must(BlockResult result)
    {
        if (result != BlockResult.Ok)
        {
            throw new BlockException($"{file.Name}: the new reference counts cannot be written: {HostErrors.InWords(result)}");
        }
    }
}
