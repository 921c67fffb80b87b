using Emu.Block.Files;

namespace Emu.Block.Qcow2;

/// <summary>Whether what a header says fits together and fits the file: tables inside, aligned, apart from each other.</summary>
internal static class HeaderChecks
{
    /// <summary>Checks <paramref name="header"/> against its file.</summary>
    /// <exception cref="BlockException">Something does not fit.</exception>
    public static void Check(Qcow2Header header, IHostFile file)
    {
        Qcow2Geometry geometry = header.Geometry;
        long tableBytes = (long)header.RefcountTableClusters << geometry.ClusterBits;
        long l1Bytes = (long)header.L1Entries * Qcow2Geometry.EntrySize;
        if (header.RefcountTableClusters == 0)
        {
            throw Bad(file, "there is no refcount table");
        }

        if (geometry.L1EntriesFor(header.Size) > header.L1Entries)
        {
            throw Bad(file, $"the L1 table of {header.L1Entries} entries is too small for a disk of {header.Size} bytes");
        }

        Table(header, file, header.RefcountTableOffset, tableBytes, "refcount table");
        if (l1Bytes > 0)
        {
            Table(header, file, header.L1Offset, l1Bytes, "L1 table");
            if (header.L1Offset < header.RefcountTableOffset + tableBytes && header.RefcountTableOffset < header.L1Offset + l1Bytes)
            {
                throw Bad(file, "L1 table and refcount table overlap");
            }
        }

        if (header.Snapshots > 0)
        {
            Table(header, file, header.SnapshotsOffset, 1, "snapshot table");
        }
    }

    /// <summary>Checks that a table is aligned, behind the header and inside the file, of which the last cluster may be incomplete.</summary>
    /// <exception cref="BlockException">It is not.</exception>
    public static void Table(Qcow2Header header, IHostFile file, long offset, long bytes, string what)
    {
        long end = Ranges.RoundUp(file.Length, header.Geometry.ClusterSize);
        if (offset == 0 || header.Geometry.InCluster(offset) != 0)
        {
            throw Bad(file, $"{what} at offset {offset}, which is no cluster behind the header");
        }

        if (offset >= file.Length || bytes > end - offset)
        {
            throw Bad(file, $"{what} of {bytes} bytes at offset {offset} is outside the file of {file.Length} bytes");
        }
    }

    private static BlockException Bad(IHostFile file, string what) => new($"{file.Name}: damaged image: {what}");
}
