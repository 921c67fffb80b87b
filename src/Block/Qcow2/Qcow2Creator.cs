using Emu.Block.Files;
using Emu.Core.Block;

namespace Emu.Block.Qcow2;

/// <summary>Makes empty qcow2 images: header, refcount table and blocks, L1 table, in this order in the file.</summary>
internal static class Qcow2Creator
{
    /// <summary>Writes an empty image into an empty file. The header comes last: before that it is no image.</summary>
    /// <param name="file">The file.</param>
    /// <param name="size">Bytes of the disk; rounded up to sectors.</param>
    /// <param name="options">Cluster size and the like.</param>
    /// <param name="backing">Name and format of the backing image as they are to be in the header, or null.</param>
    /// <exception cref="BlockException">The disk is too large for the cluster size, or the file cannot be written.</exception>
    public static void Create(IHostFile file, long size, Qcow2Options options, (string Name, ImageFormat Format)? backing)
    {
        var geometry = new Qcow2Geometry(options.ClusterBits, options.RefcountOrder);
        size = Ranges.RoundUp(size, Ranges.Sector);
        long l1Entries = Math.Max(1, geometry.L1EntriesFor(size));
        if (l1Entries * Qcow2Geometry.EntrySize > Qcow2Header.MaxL1Bytes)
        {
            throw new BlockException($"{file.Name}: a disk of {size} bytes is too large for clusters of {geometry.ClusterSize} bytes; use -o cluster_size=2M");
        }

        long l1Clusters = geometry.Clusters(l1Entries * Qcow2Geometry.EntrySize);
        (long tableClusters, long blocks) = RefcountStructures(geometry, 1 + l1Clusters);
        long Offset(long cluster) => cluster << geometry.ClusterBits;
        var header = new Qcow2Header
        {
            Version = options.Version,
            Geometry = geometry,
            Size = size,
            RefcountTableOffset = Offset(1),
            RefcountTableClusters = (int)tableClusters,
            L1Offset = Offset(1 + tableClusters + blocks),
            L1Entries = (int)l1Entries,
            Compatible = options.LazyRefcounts ? Qcow2Features.LazyRefcounts : 0,
            BackingFile = backing?.Name,
            BackingFormat = backing is null ? null : ImageFormats.NameOf(backing.Value.Format),
        };
        byte[] first = header.ToCluster();
        long clusters = 1 + tableClusters + blocks + l1Clusters;
        Must(file, file.SetLength(Offset(clusters)));
        var table = new ulong[tableClusters * geometry.L2Entries];
        for (long i = 0; i < blocks; i++)
        {
            table[i] = (ulong)Offset(1 + tableClusters + i);
            Must(file, file.Write((long)table[i], Block(geometry, clusters - (i * geometry.RefcountsPerBlock))));
        }

        Must(file, file.Write(Offset(1), TableFile.ToBytes(table)));
        Must(file, file.Flush());
        Must(file, file.Write(0, first));
        Must(file, file.Flush());
    }

    // They count themselves, too.
    private static (long TableClusters, long Blocks) RefcountStructures(Qcow2Geometry geometry, long others)
    {
        (long table, long blocks) = (1, 1);
        while (true)
        {
            long needed = (others + table + blocks + geometry.RefcountsPerBlock - 1) / geometry.RefcountsPerBlock;
            long neededTable = geometry.Clusters(needed * Qcow2Geometry.EntrySize);
            if (needed <= blocks && neededTable <= table)
            {
                return (table, blocks);
            }

            (table, blocks) = (Math.Max(table, neededTable), Math.Max(blocks, needed));
        }
    }

    private static byte[] Block(Qcow2Geometry geometry, long used)
    {
        byte[] block = new byte[geometry.ClusterSize];
        for (int i = 0; i < Math.Min(used, geometry.RefcountsPerBlock); i++)
        {
            RefcountBits.Set(block, geometry.RefcountOrder, i, 1);
        }

        return block;
    }

    private static void Must(IHostFile file, BlockResult result)
    {
        if (result != BlockResult.Ok)
        {
            throw new BlockException($"{file.Name}: the image cannot be created: {HostErrors.InWords(result)}");
        }
    }
}
