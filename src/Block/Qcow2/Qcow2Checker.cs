using Emu.Block.Files;
using Emu.Core.Block;

namespace Emu.Block.Qcow2;

/// <summary>Compares reference counts and flags with what the tables refer to, and repairs them. The image is not open otherwise.</summary>
internal sealed class Qcow2Checker
{
    private const int SkippedCounts = 64;
    private readonly IHostFile _file;
    private readonly Qcow2Header _header;
    private readonly Qcow2Geometry _geometry;
    private readonly CheckReport _report = new();
    private readonly ReferenceScan _scan;
    private readonly ulong[] _table;
    private readonly HashSet<long> _miscounted = [];
    private bool _mustRebuild;

    private Qcow2Checker(IHostFile file, Qcow2Header header)
    {
        _file = file;
        _header = header;
        _geometry = header.Geometry;
        _scan = new ReferenceScan(file, header, _report);
        _table = TableFile.Load(file, header.RefcountTableOffset, header.RefcountTableClusters * _geometry.L2Entries, "refcount table");
    }

    private ClusterCounts Counts => _scan.Counts;

    /// <summary>Checks an image, and repairs what <paramref name="repair"/> allows.</summary>
    /// <exception cref="BlockException">It cannot be checked: no header, no tables, not readable.</exception>
    public static CheckReport Check(IHostFile file, RepairMode repair)
    {
        Qcow2Header header = Qcow2Header.Read(file);
        if ((header.AutoClear & 1) != 0)
        {
            throw new BlockException($"{file.Name}: the image has persistent bitmaps, which this check does not know; 'qemu-img check' does");
        }

        return new Qcow2Checker(file, header).Run(repair);
    }

    /// <summary>Makes the reference counts of an image right that was not closed.</summary>
    /// <exception cref="BlockException">It is damaged beyond that.</exception>
    public static void RepairDirty(IHostFile file)
    {
        CheckReport report = new Qcow2Checker(file, Qcow2Header.Read(file)).Run(RepairMode.All);
        if (report.Corruptions > 0)
        {
            throw new BlockException($"{file.Name}: the image was not closed and cannot be repaired: {report.Messages[0]}");
        }
    }

    private CheckReport Run(RepairMode repair)
    {
        int unrepairable = _report.Corruptions;
        CountRefcountStructures();
        int structural = _report.Corruptions - unrepairable;
        int wrong = 0;
        int leaks = 0;
        CompareAll(repair, ref wrong, ref leaks);
        _report.Corruptions += wrong;
        _report.Leaks += leaks;
        if (repair == RepairMode.All && unrepairable == 0)
        {
            _mustRebuild |= structural > 0;
            if (_mustRebuild)
            {
                new RefcountRebuild(_file, _header, Counts).Write();
            }

            (_report.CorruptionsFixed, _report.Corruptions) = (_report.Corruptions, 0);
            (_report.LeaksFixed, _report.Leaks) = (_report.Leaks, 0);
        }
        else if (repair != RepairMode.None)
        {
            (_report.LeaksFixed, _report.Leaks) = (_report.Leaks, 0);
        }

        CheckFlags(repair == RepairMode.All && unrepairable == 0);
        if (repair == RepairMode.All && _report.Corruptions == 0)
        {
            var flags = new HeaderFlags(_file, _header);
            Must(_file.Flush());
            Must(flags.ClearCorrupt());
            Must(flags.SetDirty(false));
        }

        _report.TotalClusters = _geometry.Clusters(_header.Size);
        _report.ImageEndOffset = Counts.End << _geometry.ClusterBits;
        Must(repair == RepairMode.None ? BlockResult.Ok : _file.Flush());
        return _report;
    }

    private void CountRefcountStructures()
    {
        _scan.Count(_header.RefcountTableOffset, (long)_table.Length * Qcow2Geometry.EntrySize, "the refcount table");
        for (int i = 0; i < _table.Length; i++)
        {
            long offset = (long)_table[i];
            if (offset == 0)
            {
                continue;
            }

            bool isSound = _geometry.InCluster(offset) == 0 && offset > 0 && _scan.Count(offset, 1, "a refcount block");
            if (!isSound || Counts[offset >> _geometry.ClusterBits] != 1)
            {
                _report.Corruptions++;
                _report.Note($"ERROR refcount block {i} at offset {offset:x} is no cluster of its own");
                _table[i] = 0;
                _mustRebuild = true;
            }
        }
    }

    private void CompareAll(RepairMode repair, ref int wrong, ref int leaks)
    {
        long per = _geometry.RefcountsPerBlock;
        long blocks = Math.Max(_table.Length, (Counts.End + per - 1) / per);
        for (long i = 0; i < blocks; i++)
        {
            if (i < _table.Length && _table[i] != 0)
            {
                CompareBlock(i, repair, ref wrong, ref leaks);
            }
            else if (Counts.AnyIn(i * per, per))
            {
                wrong++;
                _mustRebuild = true;
                _report.Note($"ERROR there is no refcount block {i}, for clusters from {i * per} on that are in use");
            }
        }
    }

    private void CompareBlock(long index, RepairMode repair, ref int wrong, ref int leaks)
    {
        byte[] block = new byte[_geometry.ClusterSize];
        Must(_file.Read((long)_table[index], block));
        bool changed = false;
        long first = index * _geometry.RefcountsPerBlock;
        for (int i = 0; i < _geometry.RefcountsPerBlock; i++)
        {
            // A block may hold millions of counts; most of them are 0.
            if (i % SkippedCounts == 0 && !Counts.AnyIn(first + i, SkippedCounts)
                && !block.AsSpan((int)((long)i * _geometry.RefcountBits / 8), SkippedCounts * _geometry.RefcountBits / 8).ContainsAnyExcept((byte)0))
            {
                i += SkippedCounts - 1;
                continue;
            }

            long cluster = first + i;
            ulong stored = RefcountBits.Get(block, _geometry.RefcountOrder, i);
            uint found = Counts[cluster];
            if (stored == found)
            {
                continue;
            }

            bool isLeak = stored > found;
            _miscounted.Add(cluster);
            leaks += isLeak ? 1 : 0;
            wrong += isLeak ? 0 : 1;
            _report.Note($"{(isLeak ? "Leaked" : "ERROR")} cluster {cluster} refcount={stored} reference={found}");
            if (found > _geometry.RefcountMax)
            {
                throw new BlockException($"{_file.Name}: cluster {cluster} is referred to {found} times, which its reference count cannot hold");
            }

            if (repair == RepairMode.All || (repair == RepairMode.Leaks && isLeak))
            {
                RefcountBits.Set(block, _geometry.RefcountOrder, i, found);
                changed = true;
            }
        }

        if (changed)
        {
            Must(_file.Write((long)_table[index], block));
        }
    }

    // The flag that says "refcount is 1", in the active tables. Where the count itself was wrong and stays so, the flag is not judged.
    private void CheckFlags(bool repair)
    {
        if (repair)
        {
            _miscounted.Clear();
        }

        bool l1Changed = false;
        for (int i = 0; i < _scan.L1.Length; i++)
        {
            ulong entry = _scan.L1[i];
            long offset = L2Entry.Offset(entry);
            if (offset == 0 || !IsCluster(offset))
            {
                continue;
            }

            if (IsWrong(entry, offset))
            {
                NoteFlag($"L1 entry {i}", repair);
                _scan.L1[i] = entry ^ L2Entry.Copied;
                l1Changed = true;
            }

            CheckL2Flags(offset, repair);
        }

        if (l1Changed && repair)
        {
            Must(_file.Write(_header.L1Offset, TableFile.ToBytes(_scan.L1)));
        }
    }

    private void CheckL2Flags(long l2, bool repair)
    {
        Must(TableFile.Read(_file, l2, _geometry.L2Entries, out ulong[] table));
        bool changed = false;
        for (int i = 0; i < table.Length; i++)
        {
            if (L2Entry.KindOf(table[i]) is not (ClusterKind.Data or ClusterKind.ZeroAllocated))
            {
                continue;
            }

            long offset = L2Entry.Offset(table[i]);
            if (IsCluster(offset) && IsWrong(table[i], offset))
            {
                NoteFlag($"entry {i} of the L2 table at {l2:x}", repair);
                table[i] ^= L2Entry.Copied;
                changed = true;
            }
        }

        if (changed && repair)
        {
            Must(_file.Write(l2, TableFile.ToBytes(table)));
        }
    }

    private bool IsCluster(long offset) => _geometry.InCluster(offset) == 0 && offset >> _geometry.ClusterBits < _geometry.Clusters(_file.Length);

    private bool IsWrong(ulong entry, long offset) =>
        (entry & L2Entry.Copied) != 0 != (Counts[offset >> _geometry.ClusterBits] == 1) && !_miscounted.Contains(offset >> _geometry.ClusterBits);

    private void NoteFlag(string where, bool repaired)
    {
        _report.Note($"ERROR {where}: the flag for clusters that are referred to once is wrong");
        _report.Corruptions += repaired ? 0 : 1;
        _report.CorruptionsFixed += repaired ? 1 : 0;
    }

    private void Must(BlockResult result)
    {
        if (result != BlockResult.Ok)
        {
            throw new BlockException($"{_file.Name}: the check stops: {HostErrors.InWords(result)}");
        }
    }
}
