using Emu.Block.Qcow2;
using Emu.Core.Block;

namespace Emu.Block.Tools;

/// <summary>What is known of a range of a disk with all its backing images.</summary>
internal static class ChainMap
{
    /// <summary>Bytes from <paramref name="offset"/> that are alike: zeroes without looking, or data to be read.</summary>
    public static long Extent(IBlockBackend image, long offset, long length, out bool isZero)
    {
        isZero = false;
        if (image is not IExtentMap map)
        {
            return length;
        }

        long count = map.Extent(offset, length, out ExtentKind kind);
        isZero = kind == ExtentKind.Zero;
        if (kind != ExtentKind.Unallocated)
        {
            return count;
        }

        IBlockBackend? backing = (image as Qcow2Image)?.Backing;
        isZero = backing is null || offset >= backing.Length;
        return isZero ? count : Extent(backing!, offset, Math.Min(count, backing!.Length - offset), out isZero);
    }
}
