using Emu.Core.Block;

namespace Emu.Block;

/// <summary>Arithmetic of offsets and lengths.</summary>
internal static class Ranges
{
    /// <summary>Bytes of the unit that images are made of in the file formats.</summary>
    public const int Sector = 512;

    /// <summary>True when the range lies inside a disk of <paramref name="size"/> bytes; nothing overflows.</summary>
    public static bool IsInside(long offset, long length, long size) => offset >= 0 && length >= 0 && offset <= size && length <= size - offset;

    /// <summary>The smallest multiple of <paramref name="unit"/> (a power of two) that is not less.</summary>
    public static long RoundUp(long value, long unit) => (value + unit - 1) & -unit;

    /// <summary>The largest multiple of <paramref name="unit"/> (a power of two) that is not more.</summary>
    public static long RoundDown(long value, long unit) => value & -unit;

    /// <summary>The first result that is not Ok.</summary>
    public static BlockResult Worse(BlockResult first, BlockResult second) => first != BlockResult.Ok ? first : second;
}
