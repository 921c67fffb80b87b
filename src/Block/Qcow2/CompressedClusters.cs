using System.IO.Compression;
using Emu.Block.Files;
using Emu.Core.Block;

namespace Emu.Block.Qcow2;

/// <summary>Compressed clusters: reading them, with the last few kept, and making them.</summary>
internal sealed class CompressedClusters(IHostFile file, Qcow2Geometry geometry)
{
    private const int MostKeptBytes = 4 << 20;

    // QEMU inflates with a window of 4 KiB, .NET deflates with 32 KiB. Pieces that know nothing of each other reach back no further.
    private const int WindowSize = 4096;
    private readonly Lock _lock = new();
    private readonly Dictionary<ulong, byte[]> _kept = [];
    private readonly Queue<ulong> _order = new();
    private long _generation;

    /// <summary>Reads part of the cluster that <paramref name="entry"/> names.</summary>
    public BlockResult Read(ulong entry, int inCluster, Span<byte> destination)
    {
        byte[]? cluster;
        long generation;
        lock (_lock)
        {
            generation = _generation;
            _kept.TryGetValue(entry, out cluster);
        }

        if (cluster is null)
        {
            cluster = new byte[geometry.ClusterSize];
            BlockResult result = Expand(entry, cluster);
            if (result != BlockResult.Ok)
            {
                return result;
            }

            Keep(entry, cluster, generation);
        }

        cluster.AsSpan(inCluster, destination.Length).CopyTo(destination);
        return BlockResult.Ok;
    }

    /// <summary>Forgets what was read: host clusters are about to be used for something else.</summary>
    public void Forget()
    {
        lock (_lock)
        {
            _kept.Clear();
            _order.Clear();
            _generation++;
        }
    }

    /// <summary>The compressed bytes of a cluster; they may be more than it has.</summary>
    public static byte[] Compress(ReadOnlySpan<byte> cluster)
    {
        using var output = new MemoryStream(cluster.Length);
        while (cluster.Length > 0)
        {
            int count = Math.Min(WindowSize, cluster.Length);
            using var deflate = new DeflateStream(output, CompressionLevel.Optimal, leaveOpen: true);
            deflate.Write(cluster[..count]);
            cluster = cluster[count..];
            if (cluster.Length == 0)
            {
                break;
            }

            // Ends the piece on a byte without ending the stream; what the disposal would add is cut off.
            deflate.Flush();
            long end = output.Length;
            deflate.Dispose();
            output.SetLength(end);
        }

        return output.ToArray();
    }

    private BlockResult Expand(ulong entry, byte[] cluster)
    {
        (long offset, int count) = L2Entry.CompressedRange(geometry, entry);
        byte[] bytes = new byte[count];
        BlockResult result = file.Read(offset, bytes);
        if (result != BlockResult.Ok)
        {
            return result;
        }

        try
        {
            using var inflate = new DeflateStream(new MemoryStream(bytes), CompressionMode.Decompress);
            inflate.ReadExactly(cluster);
            return BlockResult.Ok;
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException)
        {
            return BlockResult.IoError;
        }
    }

    private void Keep(ulong entry, byte[] cluster, long generation)
    {
        lock (_lock)
        {
            if (generation != _generation || !_kept.TryAdd(entry, cluster))
            {
                return;
            }

            _order.Enqueue(entry);
            while (_order.Count > Math.Max(1, MostKeptBytes / cluster.Length))
            {
                _kept.Remove(_order.Dequeue());
            }
        }
    }
}
