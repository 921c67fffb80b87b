using Emu.Core.Block;

namespace Emu.Block;

/// <summary>Zeroes written as data, for ranges that no table can say it of.</summary>
internal static class ZeroWriter
{
    private static readonly byte[] Zeroes = new byte[256 << 10];

    /// <summary>Up to 256 KiB of zeroes.</summary>
    public static ReadOnlySpan<byte> Span(long length) => Zeroes.AsSpan(0, (int)Math.Min(length, Zeroes.Length));

    /// <summary>Writes <paramref name="length"/> zeroes at <paramref name="offset"/>.</summary>
    public static BlockResult Write(IBlockBackend target, long offset, long length)
    {
        BlockResult result = BlockResult.Ok;
        for (long done = 0; done < length && result == BlockResult.Ok; done += Zeroes.Length)
        {
            result = target.Write(offset + done, Span(length - done));
        }

        return result;
    }
}
