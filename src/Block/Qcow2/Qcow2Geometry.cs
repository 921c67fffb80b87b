namespace Emu.Block.Qcow2;

/// <summary>Sizes that follow from the cluster size and the width of reference counts (QEMU, docs/interop/qcow2.txt).</summary>
internal sealed record Qcow2Geometry(int ClusterBits, int RefcountOrder)
{
    /// <summary>Smallest cluster: 512 bytes.</summary>
    public const int LeastClusterBits = 9;

    /// <summary>Largest cluster: 2 MiB.</summary>
    public const int MostClusterBits = 21;

    /// <summary>Bytes of an entry of every table but the refcount blocks.</summary>
    public const int EntrySize = 8;

    /// <summary>Bytes of a cluster.</summary>
    public int ClusterSize => 1 << ClusterBits;

    /// <summary>Entries of an L2 table, which is one cluster.</summary>
    public int L2Entries => ClusterSize / EntrySize;

    /// <summary>Guest bytes that an L2 table maps.</summary>
    public long L2Coverage => (long)L2Entries << ClusterBits;

    /// <summary>Bits of a reference count: 1 to 64.</summary>
    public int RefcountBits => 1 << RefcountOrder;

    /// <summary>The largest reference count.</summary>
    public ulong RefcountMax => RefcountOrder == 6 ? ulong.MaxValue : (1UL << RefcountBits) - 1;

    /// <summary>Reference counts in a refcount block, which is one cluster.</summary>
    public int RefcountsPerBlock => (int)((long)ClusterSize * 8 >> RefcountOrder);

    /// <summary>Bit where the sector count begins in a compressed cluster's descriptor.</summary>
    public int CompressedShift => 62 - (ClusterBits - 8);

    /// <summary>Entries that an L1 table needs for <paramref name="size"/> guest bytes.</summary>
    public long L1EntriesFor(long size) => (size / L2Coverage) + (size % L2Coverage == 0 ? 0 : 1);

    /// <summary>Index of the L1 entry for a guest offset.</summary>
    public int L1Index(long guest) => (int)(guest / L2Coverage);

    /// <summary>Index into an L2 table for a guest offset.</summary>
    public int L2Index(long guest) => (int)(guest >> ClusterBits) & (L2Entries - 1);

    /// <summary>Number of whole clusters that hold <paramref name="bytes"/>.</summary>
    public long Clusters(long bytes) => (bytes + ClusterSize - 1) >> ClusterBits;

    /// <summary>Offset inside its cluster.</summary>
    public int InCluster(long offset) => (int)(offset & (ClusterSize - 1));
}
