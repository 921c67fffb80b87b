namespace Emu.Block.Qcow2;

/// <summary>What a guest cluster is.</summary>
internal enum ClusterKind
{
    /// <summary>Not here; the backing image has it.</summary>
    Unallocated,

    /// <summary>Zeroes, without space in the file.</summary>
    ZeroPlain,

    /// <summary>Zeroes, with a host cluster kept for it.</summary>
    ZeroAllocated,

    /// <summary>A host cluster.</summary>
    Data,

    /// <summary>Compressed.</summary>
    Compressed,
}

/// <summary>Entries of L1 and L2 tables.</summary>
internal static class L2Entry
{
    /// <summary>The reference count of what the entry names is exactly 1: it may be written in place.</summary>
    public const ulong Copied = 1UL << 63;

    /// <summary>Bits of the host offset.</summary>
    public const ulong OffsetMask = 0x00FF_FFFF_FFFF_FE00;

    /// <summary>Reads as zeroes (version 3).</summary>
    public const ulong Zero = 1;

    private const ulong Compressed = 1UL << 62;

    /// <summary>What the entry says.</summary>
    public static ClusterKind KindOf(ulong entry) =>
        (entry & Compressed) != 0 ? ClusterKind.Compressed
        : (entry & OffsetMask) == 0 ? ((entry & Zero) != 0 ? ClusterKind.ZeroPlain : ClusterKind.Unallocated)
        : (entry & Zero) != 0 ? ClusterKind.ZeroAllocated : ClusterKind.Data;

    /// <summary>True for a cluster that may be overwritten where it is.</summary>
    public static bool IsInPlace(ulong entry) => KindOf(entry) == ClusterKind.Data && (entry & Copied) != 0;

    /// <summary>Host offset of a cluster that is not compressed, or of an L2 table.</summary>
    public static long Offset(ulong entry) => (long)(entry & OffsetMask);

    /// <summary>The entry of a compressed cluster.</summary>
    public static ulong MakeCompressed(Qcow2Geometry geometry, long offset, int bytes)
    {
        long sectors = ((offset + bytes - 1) / Ranges.Sector) - (offset / Ranges.Sector);
        return Compressed | ((ulong)sectors << geometry.CompressedShift) | (ulong)offset;
    }

    /// <summary>Where a compressed cluster's bytes are; the last sector may hold something else at its end.</summary>
    public static (long Offset, int Bytes) CompressedRange(Qcow2Geometry geometry, ulong entry)
    {
        int shift = geometry.CompressedShift;
        long offset = (long)(entry & ((1UL << shift) - 1));
        int sectors = (int)((entry & (Compressed - 1)) >> shift) + 1;
        return (offset, (sectors * Ranges.Sector) - (int)(offset & (Ranges.Sector - 1)));
    }
}
