using System.Text.Json.Serialization;
using Emu.Block.Files;
using Emu.Block.Qcow2;

namespace Emu.Block.Tools;

/// <summary>What <c>emu image info</c> tells; the names in JSON are qemu-img's.</summary>
public sealed record ImageInfo
{
    /// <summary>Internal snapshots; absent when there are none.</summary>
    [JsonPropertyName("snapshots")]
    public IReadOnlyList<SnapshotInfo>? Snapshots { get; init; }

    /// <summary>Bytes of the disk.</summary>
    [JsonPropertyName("virtual-size")]
    public required long VirtualSize { get; init; }

    /// <summary>The file.</summary>
    [JsonPropertyName("filename")]
    public required string FileName { get; init; }

    /// <summary>Cluster size in bytes; absent for raw.</summary>
    [JsonPropertyName("cluster-size")]
    public int? ClusterSize { get; init; }

    /// <summary>The format.</summary>
    [JsonPropertyName("format")]
    public required string Format { get; init; }

    /// <summary>Bytes of the file that are no holes.</summary>
    [JsonPropertyName("actual-size")]
    public required long ActualSize { get; init; }

    /// <summary>The backing image as the header names it.</summary>
    [JsonPropertyName("backing-filename")]
    public string? BackingFile { get; init; }

    /// <summary>The path that this means.</summary>
    [JsonPropertyName("full-backing-filename")]
    public string? FullBackingFile { get; init; }

    /// <summary>The backing image's format as the header names it.</summary>
    [JsonPropertyName("backing-filename-format")]
    public string? BackingFormat { get; init; }

    /// <summary>True for an image that was not closed.</summary>
    [JsonPropertyName("dirty-flag")]
    public bool IsDirty { get; init; }

    /// <summary>What only qcow2 has; absent for raw.</summary>
    [JsonPropertyName("format-specific")]
    public FormatSpecific? Specific { get; init; }

    /// <summary>Reads the header; nothing but the header needs to be sound.</summary>
    /// <exception cref="BlockException">It cannot be read.</exception>
    public static ImageInfo Read(string path, ImageFormat? format)
    {
        using HostFile file = HostFile.Open(path, readOnly: true);
        if ((format ?? DiskImage.Guess(file)) == ImageFormat.Raw)
        {
            return new ImageInfo { VirtualSize = Ranges.RoundUp(file.Length, Ranges.Sector), FileName = path, Format = "raw", ActualSize = DataBytes(file) };
        }

        Qcow2Header header = Qcow2Header.Read(file);
        var snapshots = Qcow2Snapshot.ReadAll(file, header).Select(snapshot => new SnapshotInfo(snapshot)).ToList();
        return new ImageInfo
        {
            VirtualSize = header.Size,
            FileName = path,
            Format = "qcow2",
            ActualSize = DataBytes(file),
            ClusterSize = header.Geometry.ClusterSize,
            BackingFile = header.BackingFile,
            FullBackingFile = header.BackingFile is null ? null : Path.Combine(Path.GetDirectoryName(path) ?? "", header.BackingFile),
            BackingFormat = header.BackingFormat,
            IsDirty = (header.Incompatible & Qcow2Features.Dirty) != 0,
            Snapshots = snapshots.Count == 0 ? null : snapshots,
            Specific = new FormatSpecific("qcow2", new Qcow2Specific
            {
                Compat = header.Version == 2 ? "0.10" : "1.1",
                CompressionType = header.Compression == CompressionType.Zlib ? "zlib" : "zstd",
                LazyRefcounts = (header.Compatible & Qcow2Features.LazyRefcounts) != 0,
                RefcountBits = header.Geometry.RefcountBits,
                Corrupt = (header.Incompatible & Qcow2Features.Corrupt) != 0,
            }),
        };
    }

    private static long DataBytes(HostFile file)
    {
        long bytes = 0;
        for (long offset = 0; offset < file.Length;)
        {
            long count = file.Extent(offset, file.Length - offset, out bool isHole);
            bytes += isHole ? 0 : count;
            offset += count;
        }

        return bytes;
    }
}

/// <summary>The part of <see cref="ImageInfo"/> that depends on the format.</summary>
/// <param name="Type">The format.</param>
/// <param name="Data">Its values.</param>
public sealed record FormatSpecific([property: JsonPropertyName("type")] string Type, [property: JsonPropertyName("data")] Qcow2Specific Data);

/// <summary>What only qcow2 images have.</summary>
public sealed record Qcow2Specific
{
    /// <summary>0.10 for version 2, 1.1 for version 3.</summary>
    [JsonPropertyName("compat")]
    public required string Compat { get; init; }

    /// <summary>zlib or zstd.</summary>
    [JsonPropertyName("compression-type")]
    public required string CompressionType { get; init; }

    /// <summary>Reference counts are written when the image is closed.</summary>
    [JsonPropertyName("lazy-refcounts")]
    public required bool LazyRefcounts { get; init; }

    /// <summary>Width of reference counts.</summary>
    [JsonPropertyName("refcount-bits")]
    public required int RefcountBits { get; init; }

    /// <summary>Marked as damaged.</summary>
    [JsonPropertyName("corrupt")]
    public required bool Corrupt { get; init; }

    /// <summary>Always false: images with subclusters are not opened.</summary>
    [JsonPropertyName("extended-l2")]
    public bool ExtendedL2 { get; }
}

/// <summary>An internal snapshot.</summary>
public sealed record SnapshotInfo
{
    internal SnapshotInfo(Qcow2Snapshot snapshot)
    {
        Id = snapshot.Id;
        Name = snapshot.Name;
        VmStateSize = snapshot.VmStateSize;
        Seconds = snapshot.Date.Seconds;
        Nanoseconds = snapshot.Date.Nanoseconds;
        VmClockSeconds = snapshot.VmClock / 1_000_000_000;
        VmClockNanoseconds = snapshot.VmClock % 1_000_000_000;
    }

    /// <summary>Its number, as text.</summary>
    [JsonPropertyName("id")]
    public string Id { get; }

    /// <summary>Its name.</summary>
    [JsonPropertyName("name")]
    public string Name { get; }

    /// <summary>Bytes of machine state in it.</summary>
    [JsonPropertyName("vm-state-size")]
    public ulong VmStateSize { get; }

    /// <summary>When it was made: seconds since 1970.</summary>
    [JsonPropertyName("date-sec")]
    public long Seconds { get; }

    /// <summary>Nanoseconds of that time.</summary>
    [JsonPropertyName("date-nsec")]
    public uint Nanoseconds { get; }

    /// <summary>The machine's time then: seconds.</summary>
    [JsonPropertyName("vm-clock-sec")]
    public ulong VmClockSeconds { get; }

    /// <summary>Nanoseconds of it.</summary>
    [JsonPropertyName("vm-clock-nsec")]
    public ulong VmClockNanoseconds { get; }
}
