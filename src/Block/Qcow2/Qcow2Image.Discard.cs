using Emu.Core.Block;

namespace Emu.Block.Qcow2;

/// <summary>Discarding and zeroing: whole clusters by their table entries, the rest as data.</summary>
internal sealed partial class Qcow2Image
{
    // Guest clusters that are changed under one hold of the lock.
    private const int MostEntriesAtOnce = 4096;

    /// <inheritdoc/>
    public BlockResult Discard(long offset, long length)
    {
        if (CheckWrite(offset, length) is var check and not BlockResult.Ok)
        {
            return check;
        }

        // Version 2 cannot say that a cluster is zero, and the backing image's bytes must not come back.
        (long start, long end) = WholeClusters(offset, length);
        return Header.Version < 3 && _backing is not null ? BlockResult.Ok : ReplaceEntries(start, end, Discarded);
    }

    /// <inheritdoc/>
    public BlockResult WriteZeroes(long offset, long length, bool mayUnmap)
    {
        if (CheckWrite(offset, length) is var check and not BlockResult.Ok)
        {
            return check;
        }

        (long start, long end) = WholeClusters(offset, length);
        if (start >= end || (Header.Version < 3 && (_backing is not null || !mayUnmap)))
        {
            return WriteZeroData(offset, offset + length);
        }

        BlockResult result = WriteZeroData(offset, start);
        result = result == BlockResult.Ok ? ReplaceEntries(start, end, mayUnmap || Header.Version < 3 ? Discarded : Zeroed) : result;
        return result == BlockResult.Ok ? WriteZeroData(Math.Min(end, offset + length), offset + length) : result;
    }

    /// <summary>Forgets everything allocated here, so that all of the disk is the backing image's again.</summary>
    public BlockResult MakeEmpty() =>
        CheckWrite(0, Length) is var check and not BlockResult.Ok ? check : ReplaceEntries(0, Ranges.RoundUp(Length, _geometry.ClusterSize), _ => 0);

    // The clusters that lie in a range as a whole. The last one of the disk is whole as far as the disk has it.
    private (long Start, long End) WholeClusters(long offset, long length)
    {
        long end = offset + length;
        return (Ranges.RoundUp(offset, _geometry.ClusterSize),
            end == Length ? Ranges.RoundUp(end, _geometry.ClusterSize) : Ranges.RoundDown(end, _geometry.ClusterSize));
    }

    private ulong Discarded(ulong entry) => _backing is null || Header.Version < 3 ? 0 : L2Entry.Zero;

    // Keeps the host cluster where it is the guest's alone.
    private static ulong Zeroed(ulong entry) =>
        L2Entry.KindOf(entry) is ClusterKind.Data or ClusterKind.ZeroAllocated && (entry & L2Entry.Copied) != 0 ? entry | L2Entry.Zero : L2Entry.Zero;

    private BlockResult ReplaceEntries(long start, long end, Func<ulong, ulong> replacement)
    {
        BlockResult result = BlockResult.Ok;
        while (start < end && result == BlockResult.Ok)
        {
            long inTable = Math.Min(end - start, _geometry.L2Coverage - (start % _geometry.L2Coverage));
            long step = Math.Min(inTable, (long)MostEntriesAtOnce << _geometry.ClusterBits);
            lock (_tables.Lock)
            {
                result = ReplaceInTable(start, step, inTable, replacement, out long done);
                start += done;
            }

            result = Ranges.Worse(result, CommitIfHeavy());
        }

        return result;
    }

    // Under the metadata lock, inside one L2 table. A table that is not there is not made when nothing would be in it.
    private BlockResult ReplaceInTable(long start, long step, long inTable, Func<ulong, ulong> replacement, out long done)
    {
        int count = (int)(step >> _geometry.ClusterBits);
        done = step;
        AwaitAllocation(start >> _geometry.ClusterBits, count);
        BlockResult result = _tables.Find(start, out CachedTable? table);
        if (result == BlockResult.Ok && table is null && replacement(0) == 0)
        {
            done = inTable;
            return BlockResult.Ok;
        }

        result = result == BlockResult.Ok ? _tables.FindForChange(start, out table!) : result;
        for (int i = 0, index = _geometry.L2Index(start); i < count && result == BlockResult.Ok; i++, index++)
        {
            ulong old = table![index];
            ulong next = replacement(old);
            result = CheckEntry(old, L2Entry.KindOf(old));
            if (result != BlockResult.Ok || old == next)
            {
                continue;
            }

            if (L2Entry.KindOf(next) == ClusterKind.ZeroAllocated)
            {
                table[index] = next;
            }
            else
            {
                Replace(table, index, next);
            }
        }

        return result;
    }

    // Zeroes as data, but not where zeroes are read already.
    private BlockResult WriteZeroData(long start, long end)
    {
        BlockResult result = BlockResult.Ok;
        while (start < end && result == BlockResult.Ok)
        {
            long count = Extent(start, end - start, out ExtentKind kind);
            bool isZero = kind == ExtentKind.Zero || (kind == ExtentKind.Unallocated && (_backing is null || start >= _backing.Length));
            result = isZero ? BlockResult.Ok : ZeroWriter.Write(this, start, count);
            start += count;
        }

        return result;
    }
}
