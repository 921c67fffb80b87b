using System.Buffers.Binary;
using System.Text;
using Emu.Block.Files;
using Emu.Core.Block;

namespace Emu.Block.Qcow2;

/// <summary>How clusters are compressed.</summary>
internal enum CompressionType : byte
{
    /// <summary>Raw deflate with a window of 4 KiB.</summary>
    Zlib = 0,

    /// <summary>Zstandard.</summary>
    Zstd = 1,
}

/// <summary>
/// The header of a qcow2 image (QEMU, docs/interop/qcow2.txt), checked: whoever has one may rely on every size and offset in it
/// as far as its own summary says.
/// </summary>
internal sealed record Qcow2Header
{
    /// <summary>Bytes that tell a qcow2 image: "QFI" and FBh.</summary>
    public const int MagicLength = 4;

    /// <summary>Most bytes of an L1 table, as in QEMU.</summary>
    public const long MaxL1Bytes = 32 << 20;

    /// <summary>Most bytes of a refcount table, as in QEMU.</summary>
    public const long MaxRefcountTableBytes = 8 << 20;

    /// <summary>Most internal snapshots, as in QEMU.</summary>
    public const int MaxSnapshots = 65536;

    /// <summary>Most bytes of a backing file's name.</summary>
    public const int MaxBackingName = 1023;

    private const uint Magic = 0x514649FB;
    private const int V2Length = 72;
    private const int V3Length = 104;
    private const uint BackingFormatExtension = 0xE279_2ACA;
    private const uint FeatureNamesExtension = 0x6803_F857;
    private const int FeatureNameSize = 48;

    /// <summary>2 or 3.</summary>
    public required uint Version { get; init; }

    /// <summary>Cluster size and width of reference counts.</summary>
    public required Qcow2Geometry Geometry { get; init; }

    /// <summary>Size of the disk in bytes; the L1 table covers it.</summary>
    public required long Size { get; init; }

    /// <summary>Where the L1 table is: a multiple of the cluster size, inside the file.</summary>
    public required long L1Offset { get; init; }

    /// <summary>Entries of the L1 table.</summary>
    public required int L1Entries { get; init; }

    /// <summary>Where the refcount table is: a multiple of the cluster size, inside the file.</summary>
    public required long RefcountTableOffset { get; init; }

    /// <summary>Clusters of the refcount table, at least 1.</summary>
    public required int RefcountTableClusters { get; init; }

    /// <summary>Internal snapshots.</summary>
    public int Snapshots { get; init; }

    /// <summary>Where the snapshot table is.</summary>
    public long SnapshotsOffset { get; init; }

    /// <summary>Incompatible features: of those that are supported.</summary>
    public ulong Incompatible { get; init; }

    /// <summary>Compatible features.</summary>
    public ulong Compatible { get; init; }

    /// <summary>Features that a writer that does not know them clears.</summary>
    public ulong AutoClear { get; init; }

    /// <summary>How clusters are compressed.</summary>
    public CompressionType Compression { get; init; }

    /// <summary>The backing image as the header names it, or null.</summary>
    public string? BackingFile { get; init; }

    /// <summary>The backing image's format as the header names it, or null.</summary>
    public string? BackingFormat { get; init; }

    /// <summary>True when <paramref name="start"/> begins as a qcow2 image does.</summary>
    public static bool HasMagic(ReadOnlySpan<byte> start) => start.Length >= MagicLength && BinaryPrimitives.ReadUInt32BigEndian(start) == Magic;

    /// <summary>Reads and checks the header of <paramref name="file"/>.</summary>
    /// <exception cref="BlockException">It is no qcow2 image, one with features that are not supported, or a damaged one.</exception>
    public static Qcow2Header Read(IHostFile file)
    {
        byte[] start = ReadBytes(file, V3Length + 8);
        if (!HasMagic(start))
        {
            throw Bad(file, "it is not a qcow2 image");
        }

        uint version = U32(start, 4);
        uint clusterBits = U32(start, 20);
        if (version is not (2 or 3))
        {
            throw Bad(file, $"qcow2 version {version} is not supported; 2 and 3 are");
        }

        if (clusterBits is < Qcow2Geometry.LeastClusterBits or > Qcow2Geometry.MostClusterBits)
        {
            throw Bad(file, $"damaged header: cluster size 2^{clusterBits}");
        }

        Qcow2Header header = Parse(file, ReadBytes(file, Math.Max(1 << (int)clusterBits, V3Length + 8)), version, (int)clusterBits);
        HeaderChecks.Check(header, file);
        return header;
    }

    /// <summary>The first cluster of a new image with this header.</summary>
    /// <exception cref="BlockException">The header does not fit, because of the backing file's name.</exception>
    public byte[] ToCluster()
    {
        byte[] bytes = new byte[Geometry.ClusterSize];
        byte[] backing = Encoding.UTF8.GetBytes(BackingFile ?? "");
        byte[] format = Encoding.UTF8.GetBytes(BackingFormat ?? "");
        int length = Version == 2 ? V2Length : Compression == CompressionType.Zlib ? V3Length : V3Length + 8;
        int extension = BackingFormat is null ? 0 : 8 + (int)Ranges.RoundUp(format.Length, 8);
        int name = length + extension + 8;
        if (backing.Length > MaxBackingName || name + backing.Length > bytes.Length)
        {
            throw new BlockException($"the backing file's name is too long for the header ({backing.Length} bytes); use a shorter relative name or larger clusters");
        }

        PutFixed(bytes, backing.Length == 0 ? 0 : name, backing.Length);
        if (Version == 3)
        {
            PutVersion3(bytes, length);
        }

        if (BackingFormat is not null)
        {
            Put32(bytes, length, BackingFormatExtension);
            Put32(bytes, length + 4, (uint)format.Length);
            format.CopyTo(bytes, length + 8);
        }

        backing.CopyTo(bytes, name);
        return bytes;
    }

    private static Qcow2Header Parse(IHostFile file, byte[] bytes, uint version, int clusterBits)
    {
        uint length = version == 2 ? V2Length : U32(bytes, 100);
        uint order = version == 2 ? 4 : U32(bytes, 96);
        if (length < (version == 2 ? V2Length : V3Length) || length > 1u << clusterBits || length % 8 != 0 || order > 6)
        {
            throw Bad(file, $"damaged header: length {length}, reference count width 2^{order}");
        }

        ulong incompatible = version == 2 ? 0 : U64(bytes, 72);
        (string? format, Dictionary<int, string> features) = Extensions(file, bytes, (int)length, 1 << clusterBits);
        if (Qcow2Features.Unsupported(incompatible, features) is string unsupported)
        {
            throw Bad(file, $"the image uses what is not supported: {unsupported}");
        }

        uint crypt = U32(bytes, 32);
        if (crypt != 0)
        {
            throw Bad(file, $"encrypted images ({(crypt switch { 1 => "AES", 2 => "LUKS", _ => $"method {crypt}" })}) are not supported");
        }

        byte compression = (incompatible & Qcow2Features.CompressionType) != 0 && length > V3Length ? bytes[V3Length] : (byte)0;
        return new Qcow2Header
        {
            Version = version,
            Geometry = new Qcow2Geometry(clusterBits, (int)order),
            BackingFile = BackingName(file, bytes, 1 << clusterBits),
            BackingFormat = format,
            Size = Signed(file, U64(bytes, 24), "disk size"),
            L1Entries = Limited(file, U32(bytes, 36), MaxL1Bytes / Qcow2Geometry.EntrySize, "L1 entries"),
            L1Offset = Signed(file, U64(bytes, 40), "L1 table offset"),
            RefcountTableOffset = Signed(file, U64(bytes, 48), "refcount table offset"),
            RefcountTableClusters = Limited(file, U32(bytes, 56), MaxRefcountTableBytes >> clusterBits, "refcount table clusters"),
            Snapshots = Limited(file, U32(bytes, 60), MaxSnapshots, "snapshots"),
            SnapshotsOffset = Signed(file, U64(bytes, 64), "snapshot table offset"),
            Incompatible = incompatible,
            Compatible = version == 2 ? 0 : U64(bytes, 80),
            AutoClear = version == 2 ? 0 : U64(bytes, 88),
            Compression = compression <= 1 ? (CompressionType)compression : throw Bad(file, $"compression type {compression} is not supported"),
        };
    }

    private static string? BackingName(IHostFile file, byte[] bytes, int clusterSize)
    {
        ulong offset = U64(bytes, 8);
        uint length = U32(bytes, 16);
        if (offset == 0)
        {
            return null;
        }

        return length <= MaxBackingName && offset <= (ulong)clusterSize && length <= (ulong)clusterSize - offset
            ? (length == 0 ? null : Encoding.UTF8.GetString(bytes, (int)offset, (int)length))
            : throw Bad(file, $"damaged header: backing file name of {length} bytes at {offset}");
    }

    private static (string? Format, Dictionary<int, string> Features) Extensions(IHostFile file, byte[] bytes, int at, int clusterSize)
    {
        ulong backing = U64(bytes, 8);
        int end = backing > 0 && backing < (ulong)clusterSize ? (int)backing : clusterSize;
        string? format = null;
        var features = new Dictionary<int, string>();
        while (at + 8 <= end && U32(bytes, at) is var type and not 0)
        {
            uint length = U32(bytes, at + 4);
            at += 8;
            if (length > end - at)
            {
                throw Bad(file, $"damaged header: extension {type:x8} of {length} bytes");
            }

            ReadOnlySpan<byte> data = bytes.AsSpan(at, (int)length);
            if (type == BackingFormatExtension)
            {
                format = Encoding.UTF8.GetString(data);
            }
            else if (type == FeatureNamesExtension)
            {
                AddNames(data, features);
            }

            at += (int)Ranges.RoundUp(length, 8);
        }

        return (format, features);
    }

    private static void AddNames(ReadOnlySpan<byte> table, Dictionary<int, string> features)
    {
        for (; table.Length >= FeatureNameSize; table = table[FeatureNameSize..])
        {
            if (table[0] == 0)
            {
                string name = Encoding.ASCII.GetString(table[2..FeatureNameSize]).TrimEnd('\0');
                features[table[1]] = new string([.. name.Select(c => char.IsControl(c) ? '?' : c)]);
            }
        }
    }

    private void PutFixed(byte[] bytes, int nameOffset, int nameLength)
    {
        Put32(bytes, 0, Magic);
        Put32(bytes, 4, Version);
        Put64(bytes, 8, nameOffset);
        Put32(bytes, 16, (uint)nameLength);
        Put32(bytes, 20, (uint)Geometry.ClusterBits);
        Put64(bytes, 24, Size);
        Put32(bytes, 36, (uint)L1Entries);
        Put64(bytes, 40, L1Offset);
        Put64(bytes, 48, RefcountTableOffset);
        Put32(bytes, 56, (uint)RefcountTableClusters);
    }

    private void PutVersion3(byte[] bytes, int length)
    {
        Put64(bytes, 72, (long)(Compression == CompressionType.Zlib ? Incompatible : Incompatible | Qcow2Features.CompressionType));
        Put64(bytes, 80, (long)Compatible);
        Put32(bytes, 96, (uint)Geometry.RefcountOrder);
        Put32(bytes, 100, (uint)length);
        if (length > V3Length)
        {
            bytes[V3Length] = (byte)Compression;
        }
    }

    private static byte[] ReadBytes(IHostFile file, int count)
    {
        byte[] bytes = new byte[count];
        BlockResult result = file.Read(0, bytes);
        return result == BlockResult.Ok ? bytes : throw Bad(file, $"the header cannot be read: {HostErrors.InWords(result)}");
    }

    private static long Signed(IHostFile file, ulong value, string what) =>
        value <= long.MaxValue >> 1 ? (long)value : throw Bad(file, $"damaged header: {what} {value}");

    private static int Limited(IHostFile file, uint value, long limit, string what) =>
        value <= limit ? (int)value : throw Bad(file, $"damaged header: {value} {what}, at most {limit} are allowed");

    private static BlockException Bad(IHostFile file, string what) => new($"{file.Name}: {what}");

    private static uint U32(byte[] bytes, int at) => BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(at));

    private static ulong U64(byte[] bytes, int at) => BinaryPrimitives.ReadUInt64BigEndian(bytes.AsSpan(at));

    private static void Put32(byte[] bytes, int at, uint value) => BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(at), value);

    private static void Put64(byte[] bytes, int at, long value) => BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(at), value);
}
