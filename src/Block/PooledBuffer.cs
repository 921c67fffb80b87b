using System.Buffers;

namespace Emu.Block;

/// <summary>A buffer for as long as a method runs.</summary>
internal readonly ref struct PooledBuffer(int size)
{
    private readonly byte[] _bytes = ArrayPool<byte>.Shared.Rent(size);
    private readonly int _size = size;

    /// <summary>Its bytes, of unknown contents.</summary>
    public Span<byte> Span => _bytes.AsSpan(0, _size);

    /// <summary>Gives it back.</summary>
    public void Dispose() => ArrayPool<byte>.Shared.Return(_bytes);
}
