using Emu.Block.Files;
using Emu.Core.Block;

namespace Emu.Block.Tools;

/// <summary>What the tools share.</summary>
internal static class ImageWork
{
    /// <summary>Bytes that are moved at a time.</summary>
    public const int ChunkSize = 2 << 20;

    /// <summary>Turns a result that is not Ok into the error of a tool.</summary>
    /// <exception cref="BlockException">The result is not Ok.</exception>
    public static void Must(BlockResult result, string path, string doing)
    {
        if (result != BlockResult.Ok)
        {
            throw new BlockException($"{path}: {doing}: {HostErrors.InWords(result)}");
        }
    }

    /// <summary>True when all bytes are 0.</summary>
    public static bool IsZero(ReadOnlySpan<byte> bytes) => !bytes.ContainsAnyExcept((byte)0);
}
