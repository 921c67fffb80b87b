using Emu.Core.Block;

namespace Emu.Block.Qcow2;

/// <summary>Reading: tables to pieces, pieces from the file, the backing image or nowhere.</summary>
internal sealed partial class Qcow2Image
{
    /// <summary>A piece of the disk of one kind; for data, in one piece in the file too.</summary>
    private readonly record struct Piece(ClusterKind Kind, long Host, long Length, ulong Entry);

    /// <inheritdoc/>
    public BlockResult Read(long offset, Span<byte> destination) =>
        Ranges.IsInside(offset, destination.Length, Length) ? ReadInside(offset, destination) : BlockResult.OutOfRange;

    /// <inheritdoc/>
    public long Extent(long offset, long length, out ExtentKind kind)
    {
        Piece piece;
        lock (_tables.Lock)
        {
            if (Map(offset, length, out piece) != BlockResult.Ok)
            {
                kind = ExtentKind.Data;
                return 1;
            }
        }

        kind = piece.Kind switch
        {
            ClusterKind.Unallocated => ExtentKind.Unallocated,
            ClusterKind.ZeroPlain or ClusterKind.ZeroAllocated => ExtentKind.Zero,
            _ => ExtentKind.Data,
        };
        return piece.Length;
    }

    // Also for what surrounds a write in its cluster, which at the end of the disk lies behind it.
    private BlockResult ReadInside(long offset, Span<byte> destination)
    {
        BlockResult result = BlockResult.Ok;
        while (destination.Length > 0 && result == BlockResult.Ok)
        {
            Piece piece;
            int phase;
            lock (_tables.Lock)
            {
                result = Map(offset, destination.Length, out piece);
                if (result != BlockResult.Ok)
                {
                    return result;
                }

                phase = _tables.Grace.Enter();
            }

            int count = (int)piece.Length;
            result = ReadPiece(piece, offset, destination[..count]);
            _tables.Grace.Leave(phase);
            destination = destination[count..];
            offset += count;
        }

        return result;
    }

    private BlockResult ReadPiece(in Piece piece, long offset, Span<byte> destination)
    {
        switch (piece.Kind)
        {
            case ClusterKind.Data:
                return _file.Read(piece.Host, destination);
            case ClusterKind.Compressed:
                return _compressed.Read(piece.Entry, _geometry.InCluster(offset), destination);
            case ClusterKind.Unallocated when _backing is not null && offset < _backing.Length:
                int there = (int)Math.Min(destination.Length, _backing.Length - offset);
                destination[there..].Clear();
                return _backing.Read(offset, destination[..there]);
            default:
                destination.Clear();
                return BlockResult.Ok;
        }
    }

    // Under the metadata lock: what is at an offset, for as many of the bytes as are alike and in a row.
    private BlockResult Map(long offset, long length, out Piece piece)
    {
        long inTable = Math.Min(length, _geometry.L2Coverage - (offset % _geometry.L2Coverage));
        BlockResult result = _tables.Find(offset, out CachedTable? table);
        piece = new Piece(ClusterKind.Unallocated, 0, inTable, 0);
        if (result != BlockResult.Ok || table is null)
        {
            return result;
        }

        int index = _geometry.L2Index(offset);
        ulong entry = table[index];
        ClusterKind kind = L2Entry.KindOf(entry);
        result = CheckEntry(entry, kind);
        if (result != BlockResult.Ok)
        {
            return result;
        }

        int inCluster = _geometry.InCluster(offset);
        long covered = _geometry.ClusterSize - inCluster;
        for (int i = 1; covered < inTable && kind != ClusterKind.Compressed && Continues(table[index + i], entry, kind, i); i++)
        {
            covered += _geometry.ClusterSize;
        }

        piece = new Piece(kind, kind == ClusterKind.Data ? L2Entry.Offset(entry) + inCluster : 0, Math.Min(covered, inTable), entry);
        return BlockResult.Ok;
    }

    private bool Continues(ulong next, ulong first, ClusterKind kind, int distance) =>
        L2Entry.KindOf(next) == kind
        && (kind != ClusterKind.Data || (L2Entry.Offset(next) == L2Entry.Offset(first) + ((long)distance << _geometry.ClusterBits) && L2Entry.Offset(next) < _file.Length));

    // What the entry names must be inside the file and be no table, for reading as well: a table's bytes are not the guest's to see.
    private BlockResult CheckEntry(ulong entry, ClusterKind kind)
    {
        switch (kind)
        {
            case ClusterKind.Data or ClusterKind.ZeroAllocated:
                long offset = L2Entry.Offset(entry);
                bool isSound = _geometry.InCluster(offset) == 0 && (offset < _file.Length || kind == ClusterKind.ZeroAllocated) && !_tables.Metadata.Touches(offset);
                return isSound && (kind == ClusterKind.Data || Header.Version >= 3) ? BlockResult.Ok : _tables.Flags.Corrupt();
            case ClusterKind.Compressed:
                return L2Entry.CompressedRange(_geometry, entry).Offset < _file.Length ? BlockResult.Ok : _tables.Flags.Corrupt();
            default:
                return kind == ClusterKind.ZeroPlain && Header.Version < 3 ? _tables.Flags.Corrupt() : BlockResult.Ok;
        }
    }
}
