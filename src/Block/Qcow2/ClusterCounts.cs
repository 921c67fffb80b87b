namespace Emu.Block.Qcow2;

/// <summary>References to host clusters as they are found: memory for those that are referenced, whatever the file's length is.</summary>
internal sealed class ClusterCounts
{
    private const int ChunkBits = 6;
    private readonly Dictionary<long, uint[]> _chunks = [];

    /// <summary>One past the highest cluster that is referenced.</summary>
    public long End { get; private set; }

    /// <summary>References to a cluster.</summary>
    public uint this[long cluster] => _chunks.TryGetValue(cluster >> ChunkBits, out uint[]? chunk) ? chunk[cluster & ((1 << ChunkBits) - 1)] : 0;

    /// <summary>One reference more.</summary>
    public void Add(long cluster)
    {
        if (!_chunks.TryGetValue(cluster >> ChunkBits, out uint[]? chunk))
        {
            chunk = new uint[1 << ChunkBits];
            _chunks.Add(cluster >> ChunkBits, chunk);
        }

        chunk[cluster & ((1 << ChunkBits) - 1)]++;
        End = Math.Max(End, cluster + 1);
    }

    /// <summary>No reference any more.</summary>
    public void Clear(long cluster)
    {
        if (_chunks.TryGetValue(cluster >> ChunkBits, out uint[]? chunk))
        {
            chunk[cluster & ((1 << ChunkBits) - 1)] = 0;
        }
    }

    /// <summary>True when any cluster of a range is referenced.</summary>
    public bool AnyIn(long first, long count)
    {
        // Refcount tables have room for far more than a file has.
        count = Math.Min(count, End - first);
        for (long chunk = first >> ChunkBits; count > 0 && chunk <= (first + count - 1) >> ChunkBits; chunk++)
        {
            if (_chunks.TryGetValue(chunk, out uint[]? counts))
            {
                long from = Math.Max(first, chunk << ChunkBits);
                long to = Math.Min(first + count, (chunk + 1) << ChunkBits);
                if (counts.AsSpan((int)(from & ((1 << ChunkBits) - 1)), (int)(to - from)).ContainsAnyExcept(0u))
                {
                    return true;
                }
            }
        }

        return false;
    }
}
