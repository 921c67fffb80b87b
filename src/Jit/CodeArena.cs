using System.Runtime.InteropServices;
using Emu.Jit.Interpreter;

namespace Emu.Jit;

/// <summary>Native memory for ops: handed out in order, used again piece by piece, given back all at once.</summary>
internal sealed unsafe class CodeArena(int maxBytes) : IDisposable
{
    private const int ChunkOps = 1 << 15;
    private const int LargestPiece = 4096;

    private readonly List<nint> _chunks = [];
    private readonly Stack<nint>?[] _free = new Stack<nint>?[LargestPiece + 1]; // by size: code that is written anew mostly has the size it had
    private int _usedInChunk = ChunkOps;

    /// <summary>True when the next allocation would exceed the limit: flush first.</summary>
    public bool IsFull => (long)(_chunks.Count + 1) * ChunkOps * Op.SizeInBytes > maxBytes && _usedInChunk > ChunkOps - LargestPiece;

    /// <summary>Room for <paramref name="count"/> ops, at most 4096.</summary>
    public Op* Allocate(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, LargestPiece);
        if (_free[count] is Stack<nint> free && free.TryPop(out nint piece))
        {
            return (Op*)piece;
        }

        if (_usedInChunk + count > ChunkOps)
        {
            _chunks.Add((nint)NativeMemory.AlignedAlloc(ChunkOps * Op.SizeInBytes, 64));
            _usedInChunk = 0;
        }

        Op* ops = (Op*)_chunks[^1] + _usedInChunk;
        _usedInChunk += count;
        return ops;
    }

    /// <summary>Takes back what <see cref="Allocate"/> gave for <paramref name="count"/> ops; none of them may be in use.</summary>
    public void Free(Op* ops, int count) => (_free[count] ??= []).Push((nint)ops);

    /// <summary>Starts again at the first byte, keeping the memory of one chunk; no op may be in use.</summary>
    public void Rewind()
    {
        if (_chunks.Count == 1)
        {
            _usedInChunk = 0;
        }
        else
        {
            Clear();
        }
    }

    /// <summary>Gives all memory back; no op may be in use.</summary>
    public void Clear()
    {
        foreach (nint chunk in _chunks)
        {
            NativeMemory.AlignedFree((void*)chunk);
        }

        _chunks.Clear();
        Array.Clear(_free);
        _usedInChunk = ChunkOps;
    }

    /// <inheritdoc/>
    public void Dispose() => Clear();
}
