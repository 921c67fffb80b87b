using Emu.Block.Files;
using Emu.Core.Block;

namespace Emu.Block.Qcow2;

/// <summary>
/// Changed metadata at one moment, and the order in which it goes to the file: reference counts, L2 tables, L1 entries, with the file flushed
/// in between. So whatever part of it is in the file after a crash, counts are not smaller than the references, and tables point to what is there.
/// </summary>
internal sealed class MetadataBatch
{
    /// <summary>Refcount blocks.</summary>
    public List<TableWrite> Refcounts { get; } = [];

    /// <summary>L2 tables. The data that they name was written before.</summary>
    public List<TableWrite> L2 { get; } = [];

    /// <summary>Parts of the L1 table.</summary>
    public List<TableWrite> L1 { get; } = [];

    /// <summary>Indices of the L1 entries in <see cref="L1"/>.</summary>
    public List<int> L1Indices { get; } = [];

    /// <summary>Host clusters that these tables name no more, one item a reference: for counting down once all of this is durable.</summary>
    public List<long> Dropped { get; } = [];

    /// <summary>Writes and flushes.</summary>
    public BlockResult Write(IHostFile file)
    {
        BlockResult result = WriteAll(file, Refcounts);
        if (L2.Count > 0)
        {
            // Not only for the counts: a new cluster also holds what was copied from the old one, which may have been flushed long ago.
            result = result == BlockResult.Ok ? file.Flush() : result;
        }

        result = result == BlockResult.Ok ? WriteAll(file, L2) : result;
        if (L1.Count > 0)
        {
            result = result == BlockResult.Ok ? file.Flush() : result;
            result = result == BlockResult.Ok ? WriteAll(file, L1) : result;
        }

        return result == BlockResult.Ok ? file.Flush() : result;
    }

    private static BlockResult WriteAll(IHostFile file, List<TableWrite> writes)
    {
        foreach (TableWrite write in writes)
        {
            BlockResult result = file.Write(write.Offset, write.Bytes);
            if (result != BlockResult.Ok)
            {
                return result;
            }
        }

        return BlockResult.Ok;
    }
}
