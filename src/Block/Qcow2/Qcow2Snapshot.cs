using System.Buffers.Binary;
using System.Text;
using Emu.Block.Files;
using Emu.Core.Block;

namespace Emu.Block.Qcow2;

/// <summary>An internal snapshot of a qcow2 image, from its snapshot table.</summary>
internal sealed record Qcow2Snapshot
{
    private const int FixedLength = 40;
    private const uint MaxExtra = 1024;
    private const long MaxTable = 64 << 20;

    /// <summary>Its number, as text.</summary>
    public required string Id { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>When it was made: seconds and nanoseconds since 1970.</summary>
    public required (long Seconds, uint Nanoseconds) Date { get; init; }

    /// <summary>Virtual time of the machine then, in nanoseconds.</summary>
    public required ulong VmClock { get; init; }

    /// <summary>Bytes of the machine's state in it; 0 for a disk alone.</summary>
    public required ulong VmStateSize { get; init; }

    /// <summary>Size of the disk then, in bytes.</summary>
    public required long DiskSize { get; init; }

    /// <summary>Where its L1 table is.</summary>
    public required long L1Offset { get; init; }

    /// <summary>Entries of its L1 table.</summary>
    public required int L1Entries { get; init; }

    /// <summary>Where its row of the snapshot table ends.</summary>
    public required long TableEnd { get; init; }

    /// <summary>Reads the snapshot table.</summary>
    /// <exception cref="BlockException">It is damaged.</exception>
    public static IReadOnlyList<Qcow2Snapshot> ReadAll(IHostFile file, Qcow2Header header)
    {
        var snapshots = new List<Qcow2Snapshot>();
        long at = header.SnapshotsOffset;
        for (int i = 0; i < header.Snapshots; i++)
        {
            Qcow2Snapshot snapshot = Read(file, header, at);
            at = snapshot.TableEnd;
            if (at - header.SnapshotsOffset > MaxTable || at > Ranges.RoundUp(file.Length, header.Geometry.ClusterSize))
            {
                throw Bad(file, "the snapshot table is too long or not inside the file");
            }

            snapshots.Add(snapshot);
        }

        return snapshots;
    }

    private static Qcow2Snapshot Read(IHostFile file, Qcow2Header header, long at)
    {
        byte[] row = Bytes(file, at, FixedLength);
        uint extra = BinaryPrimitives.ReadUInt32BigEndian(row.AsSpan(36));
        int idLength = BinaryPrimitives.ReadUInt16BigEndian(row.AsSpan(12));
        int nameLength = BinaryPrimitives.ReadUInt16BigEndian(row.AsSpan(14));
        ulong l1Offset = BinaryPrimitives.ReadUInt64BigEndian(row);
        uint l1Entries = BinaryPrimitives.ReadUInt32BigEndian(row.AsSpan(8));
        if (extra > MaxExtra || l1Entries > Qcow2Header.MaxL1Bytes / Qcow2Geometry.EntrySize || l1Offset > long.MaxValue >> 1
            || header.Geometry.InCluster((long)l1Offset) != 0)
        {
            throw Bad(file, $"snapshot with {extra} extra bytes and an L1 table of {l1Entries} entries at {l1Offset}");
        }

        byte[] rest = Bytes(file, at + FixedLength, (int)extra + idLength + nameLength);
        ulong size = extra >= 16 ? BinaryPrimitives.ReadUInt64BigEndian(rest.AsSpan(8)) : (ulong)header.Size;
        if (size > long.MaxValue >> 1 || header.Geometry.L1EntriesFor((long)size) > l1Entries)
        {
            throw Bad(file, $"snapshot of a disk of {size} bytes with an L1 table of {l1Entries} entries");
        }

        return new Qcow2Snapshot
        {
            Id = Text(rest.AsSpan((int)extra, idLength)),
            Name = Text(rest.AsSpan((int)extra + idLength, nameLength)),
            Date = (BinaryPrimitives.ReadUInt32BigEndian(row.AsSpan(16)), BinaryPrimitives.ReadUInt32BigEndian(row.AsSpan(20))),
            VmClock = BinaryPrimitives.ReadUInt64BigEndian(row.AsSpan(24)),
            VmStateSize = extra >= 8 ? BinaryPrimitives.ReadUInt64BigEndian(rest) : BinaryPrimitives.ReadUInt32BigEndian(row.AsSpan(32)),
            DiskSize = (long)size,
            L1Offset = (long)l1Offset,
            L1Entries = (int)l1Entries,
            TableEnd = at + Ranges.RoundUp(FixedLength + extra + idLength + nameLength, 8),
        };
    }

    private static string Text(ReadOnlySpan<byte> bytes) => new([.. Encoding.UTF8.GetString(bytes).Select(c => char.IsControl(c) ? '?' : c)]);

    private static byte[] Bytes(IHostFile file, long at, int count)
    {
        byte[] bytes = new byte[count];
        BlockResult result = file.Read(at, bytes);
        return result == BlockResult.Ok ? bytes : throw new BlockException($"{file.Name}: the snapshot table cannot be read: {HostErrors.InWords(result)}");
    }

    private static BlockException Bad(IHostFile file, string what) => new($"{file.Name}: damaged image: {what}");
}
