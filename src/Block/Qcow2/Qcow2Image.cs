using Emu.Block.Files;
using Emu.Core.Block;

namespace Emu.Block.Qcow2;

/// <summary>
/// An open qcow2 image (QEMU, docs/interop/qcow2.txt), versions 2 and 3. Requests look up the tables under the metadata lock and move data
/// outside it, so that requests of several threads only meet for the time of a look-up.
/// </summary>
/// <remarks>
/// A write to a cluster that is not the guest's alone goes to a new host cluster: the cluster is marked as being allocated, what surrounds
/// the data is copied, and only then does the L2 table in memory name it. <see cref="Flush"/> writes the tables (<see cref="MetadataBatch"/>).
/// </remarks>
internal sealed partial class Qcow2Image : IBlockBackend, IExtentMap
{
    private readonly IHostFile _file;
    private readonly IBlockBackend? _backing;
    private readonly Qcow2Tables _tables;
    private readonly Qcow2Geometry _geometry;
    private readonly CompressedClusters _compressed;
    private readonly HashSet<long> _allocating = [];
    private bool _isClosed;

    private Qcow2Image(IHostFile file, Qcow2Header header, IReadOnlyList<Qcow2Snapshot> snapshots, Qcow2Snapshot? shown, IBlockBackend? backing)
    {
        _file = file;
        _backing = backing;
        _geometry = header.Geometry;
        Header = header;
        Snapshots = snapshots;
        Length = shown?.DiskSize ?? header.Size;
        ulong[] l1 = TableFile.Load(file, shown?.L1Offset ?? header.L1Offset, shown?.L1Entries ?? header.L1Entries, "L1 table");
        _tables = new Qcow2Tables(file, header, new HeaderFlags(file, header), l1, snapshots);
        _compressed = new CompressedClusters(file, _geometry);
    }

    /// <summary>The header as it was when the image was opened.</summary>
    public Qcow2Header Header { get; }

    /// <summary>Internal snapshots.</summary>
    public IReadOnlyList<Qcow2Snapshot> Snapshots { get; }

    /// <inheritdoc/>
    public long Length { get; private set; }

    /// <inheritdoc/>
    public bool IsReadOnly => _file.IsReadOnly;

    /// <inheritdoc/>
    public int DiscardGranularity => IsReadOnly ? 0 : _geometry.ClusterSize;

    /// <summary>The image that has what is not allocated here, or null.</summary>
    public IBlockBackend? Backing => _backing;

    /// <summary>Metadata clusters in memory, for tests of the bound.</summary>
    public int CachedTables => _tables.CachedTables;

    /// <summary>
    /// Opens an image; takes over <paramref name="file"/> and <paramref name="backing"/> once it has succeeded. Reference counts
    /// of an image that was not closed are counted anew.
    /// </summary>
    /// <param name="file">The image, writable unless it was opened for reading.</param>
    /// <param name="backing">The backing image, opened; or null.</param>
    /// <param name="snapshot">Id or name of an internal snapshot to show instead of the current state: only for reading.</param>
    /// <exception cref="BlockException">It is damaged, not supported, or has no such snapshot.</exception>
    public static Qcow2Image Open(IHostFile file, IBlockBackend? backing, string? snapshot = null)
    {
        Qcow2Header header = Qcow2Header.Read(file);
        if (!file.IsReadOnly && (header.Incompatible & Qcow2Features.Corrupt) != 0)
        {
            throw new BlockException($"{file.Name}: the image is marked as damaged and can only be read; 'emu image check -r all' repairs it");
        }

        if (header.Compression == CompressionType.Zstd)
        {
            throw new BlockException($"{file.Name}: images with compression type zstd are not supported; 'qemu-img convert' makes one with zlib");
        }

        IReadOnlyList<Qcow2Snapshot> snapshots = Qcow2Snapshot.ReadAll(file, header);
        Qcow2Snapshot? shown = snapshot is null ? null : Find(file, snapshots, snapshot);
        if (shown is not null && !file.IsReadOnly)
        {
            throw new BlockException($"{file.Name}: an internal snapshot can only be read");
        }

        if (shown is { L1Entries: > 0 })
        {
            HeaderChecks.Table(header, file, shown.L1Offset, (long)shown.L1Entries * Qcow2Geometry.EntrySize, "L1 table of the snapshot");
        }

        if (!file.IsReadOnly && (header.Incompatible & Qcow2Features.Dirty) != 0)
        {
            Qcow2Checker.RepairDirty(file);
            header = Qcow2Header.Read(file);
        }

        var image = new Qcow2Image(file, header, snapshots, shown, backing);
        if (!file.IsReadOnly && image._tables.Flags.ClearAutoClear() is var result and not BlockResult.Ok)
        {
            throw new BlockException($"{file.Name}: the header cannot be written: {HostErrors.InWords(result)}");
        }

        return image;
    }

    /// <inheritdoc/>
    public BlockResult Flush() => IsReadOnly ? BlockResult.Ok : _tables.Commit();

    /// <summary>Writes what is in memory and closes the file. What could not be written is lost; <see cref="Flush"/> tells.</summary>
    public void Dispose()
    {
        if (_isClosed)
        {
            return;
        }

        _isClosed = true;
        if (!IsReadOnly)
        {
            _ = _tables.Close();
        }

        _file.Dispose();
        _backing?.Dispose();
    }

    private static Qcow2Snapshot Find(IHostFile file, IReadOnlyList<Qcow2Snapshot> snapshots, string name) =>
        snapshots.FirstOrDefault(candidate => candidate.Id == name) ?? snapshots.FirstOrDefault(candidate => candidate.Name == name)
            ?? throw new BlockException($"{file.Name}: there is no internal snapshot '{name}'");
}
