using Emu.Block.Files;
using Emu.Core.Block;

namespace Emu.Block.Qcow2;

/// <summary>Goes through all tables of an image and counts what refers to which cluster of the file.</summary>
internal sealed class ReferenceScan
{
    private readonly IHostFile _file;
    private readonly Qcow2Header _header;
    private readonly Qcow2Geometry _geometry;
    private readonly CheckReport _report;
    private readonly long _clusters;
    private long _expectedNext;

    /// <summary>Scans the tables; findings go to <paramref name="report"/>.</summary>
    /// <exception cref="BlockException">A table cannot be read at all.</exception>
    public ReferenceScan(IHostFile file, Qcow2Header header, CheckReport report)
    {
        _file = file;
        _header = header;
        _geometry = header.Geometry;
        _report = report;
        _clusters = _geometry.Clusters(file.Length);
        Count(0, 1, "the header");
        L1 = TableFile.Load(file, header.L1Offset, header.L1Entries, "L1 table");
        ScanL1(L1, header.L1Offset, isActive: true);
        IReadOnlyList<Qcow2Snapshot> snapshots = Qcow2Snapshot.ReadAll(file, header);
        foreach (Qcow2Snapshot snapshot in snapshots)
        {
            if (snapshot.L1Entries > 0)
            {
                HeaderChecks.Table(header, file, snapshot.L1Offset, (long)snapshot.L1Entries * Qcow2Geometry.EntrySize, $"L1 table of snapshot '{snapshot.Name}'");
                ScanL1(TableFile.Load(file, snapshot.L1Offset, snapshot.L1Entries, "L1 table of a snapshot"), snapshot.L1Offset, isActive: false);
            }
        }

        if (snapshots.Count > 0)
        {
            Count(header.SnapshotsOffset, snapshots[^1].TableEnd - header.SnapshotsOffset, "the snapshot table");
        }
    }

    /// <summary>The active L1 table.</summary>
    public ulong[] L1 { get; }

    /// <summary>References to the clusters of the file, without those of the refcount structures.</summary>
    public ClusterCounts Counts { get; } = new();

    /// <summary>Counts the clusters of a range, or reports that it is outside the file.</summary>
    public bool Count(long offset, long bytes, string what)
    {
        long first = offset >> _geometry.ClusterBits;
        long last = (offset + bytes - 1) >> _geometry.ClusterBits;
        if (offset < 0 || bytes < 0 || last >= _clusters)
        {
            Corrupt($"{what} at offset {offset:x} is outside the file");
            return false;
        }

        for (long cluster = first; cluster <= last; cluster++)
        {
            Counts.Add(cluster);
        }

        return true;
    }

    private void ScanL1(ulong[] table, long offset, bool isActive)
    {
        if (table.Length > 0)
        {
            Count(offset, (long)table.Length * Qcow2Geometry.EntrySize, "an L1 table");
        }

        foreach (ulong entry in table)
        {
            long l2 = L2Entry.Offset(entry);
            if (l2 == 0)
            {
                continue;
            }

            if (_geometry.InCluster(l2) != 0)
            {
                Corrupt($"L2 table at offset {l2:x}, which is no cluster");
            }
            else if (Count(l2, _geometry.ClusterSize, "an L2 table"))
            {
                ScanL2(l2, isActive);
            }
        }
    }

    private void ScanL2(long offset, bool isActive)
    {
        if (TableFile.Read(_file, offset, _geometry.L2Entries, out ulong[] table) != BlockResult.Ok)
        {
            Corrupt($"L2 table at offset {offset:x} cannot be read");
            return;
        }

        foreach (ulong entry in table)
        {
            switch (L2Entry.KindOf(entry))
            {
                case ClusterKind.Compressed:
                    (long at, int bytes) = L2Entry.CompressedRange(_geometry, entry);
                    _report.CompressedClusters += isActive ? 1 : 0;
                    Allocated(-1, isActive);
                    Count(at, bytes, "a compressed cluster");
                    break;
                case ClusterKind.Data or ClusterKind.ZeroAllocated:
                    CountCluster(L2Entry.Offset(entry));
                    Allocated(L2Entry.Offset(entry), isActive);
                    break;
            }

            if (_header.Version < 3 && L2Entry.KindOf(entry) is ClusterKind.ZeroPlain or ClusterKind.ZeroAllocated)
            {
                Corrupt($"zero cluster in the L2 table at {offset:x}, which version 2 does not have");
            }
        }
    }

    private void CountCluster(long offset)
    {
        if (_geometry.InCluster(offset) != 0)
        {
            Corrupt($"data at offset {offset:x}, which is no cluster");
        }
        else
        {
            Count(offset, 1, "data");
        }
    }

    private void Allocated(long offset, bool isActive)
    {
        if (isActive)
        {
            _report.AllocatedClusters++;
            _report.FragmentedClusters += _expectedNext != 0 && offset != _expectedNext ? 1 : 0;
            _expectedNext = offset < 0 ? 0 : offset + _geometry.ClusterSize;
        }
    }

    private void Corrupt(string message)
    {
        _report.Corruptions++;
        _report.Note("ERROR " + message);
    }
}
