namespace Emu.Net.User.Tcp;

/// <summary>
/// A piece of a TCP stream. There is room in front of the data, so that headers can be written before any part of it: what is read
/// from a socket is handed to the guest from where it lies.
/// </summary>
internal sealed class Chunk
{
    /// <summary>Bytes in front of the data.</summary>
    public const int Headroom = 64;

    /// <summary>Bytes of data: as many segments of an Ethernet frame as an IPv4 packet holds.</summary>
    public const int Capacity = 44 * 1460;

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(Headroom + Capacity, pinned: true);

    /// <summary>Sequence number of the first byte.</summary>
    public uint Sequence { get; set; }

    /// <summary>Bytes of data at its start that are no longer wanted.</summary>
    public int Start { get; set; }

    /// <summary>Bytes of data that have been filled.</summary>
    public int Length { get; set; }

    /// <summary>Sequence number after the last byte.</summary>
    public uint End => Sequence + (uint)Length;

    /// <summary>Room behind the data.</summary>
    public Span<byte> Free => _buffer.AsSpan(Headroom + Length);

    /// <summary>Data that is still wanted.</summary>
    public Memory<byte> Content => _buffer.AsMemory(Headroom + Start, Length - Start);

    /// <summary>The data from <paramref name="offset"/>, with <paramref name="headerBytes"/> bytes before it.</summary>
    public Span<byte> Frame(int offset, int length, int headerBytes) => _buffer.AsSpan(Headroom + offset - headerBytes, headerBytes + length);
}

/// <summary>The memory of all TCP connections of a network: so many chunks, made when they are first needed.</summary>
/// <param name="limit">Most chunks.</param>
internal sealed class ChunkPool(int limit)
{
    private readonly Stack<Chunk> _free = new();
    private readonly Queue<NetSource> _waiting = new();
    private readonly Lock _gate = new();
    private int _made;

    /// <summary>Chunks in use.</summary>
    public int InUse
    {
        get
        {
            lock (_gate)
            {
                return _made - _free.Count;
            }
        }
    }

    /// <summary>An empty chunk, or null when all are in use.</summary>
    public Chunk? TryRent()
    {
        lock (_gate)
        {
            if (!_free.TryPop(out Chunk? chunk) && _made < limit)
            {
                _made++;
                chunk = new Chunk();
            }

            if (chunk is not null)
            {
                chunk.Start = 0;
                chunk.Length = 0;
            }

            return chunk;
        }
    }

    /// <summary>Takes a chunk back.</summary>
    /// <returns>Who waits for it, or null.</returns>
    public NetSource? Return(Chunk chunk)
    {
        lock (_gate)
        {
            _free.Push(chunk);
            return _waiting.TryDequeue(out NetSource? source) ? source : null;
        }
    }

    /// <summary>Has <paramref name="source"/> told when a chunk is returned.</summary>
    public void Wait(NetSource source)
    {
        lock (_gate)
        {
            if (!_waiting.Contains(source))
            {
                _waiting.Enqueue(source);
            }
        }
    }
}
