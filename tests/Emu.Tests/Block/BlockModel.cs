using Emu.Core.Block;

namespace Emu.Tests.Block;

/// <summary>Random requests to an image, and what its disk must read as.</summary>
internal sealed class BlockModel(int seed, byte[] contents, bool discardReadsZero)
{
    private readonly Random _random = new(seed);

    /// <summary>What the disk reads as.</summary>
    public byte[] Contents { get; } = contents;

    /// <summary>Sectors that were touched since they were last cleared.</summary>
    public HashSet<long> Touched { get; } = [];

    /// <summary>Makes one request. Returns true when it was a flush.</summary>
    public bool Step(IBlockBackend image, int longest)
    {
        int kind = _random.Next(20);
        long offset = _random.NextInt64(Contents.Length / 512) * 512;
        int length = (int)Math.Min(Contents.Length - offset, (1 + _random.Next(longest / 512)) * 512);
        if (kind == 0)
        {
            Assert.Equal(BlockResult.Ok, image.Flush());
            return true;
        }

        if (kind < 5)
        {
            byte[] read = new byte[length];
            Assert.Equal(BlockResult.Ok, image.Read(offset, read));
            Assert.True(read.AsSpan().SequenceEqual(Contents.AsSpan((int)offset, length)), $"read of {length} at {offset}");
            return false;
        }

        Change(image, kind, offset, length);
        for (long sector = offset / 512; sector < (offset + length) / 512; sector++)
        {
            Touched.Add(sector);
        }

        return false;
    }

    private void Change(IBlockBackend image, int kind, long offset, int length)
    {
        Span<byte> target = Contents.AsSpan((int)offset, length);
        if (kind < 15)
        {
            _random.NextBytes(target);
            Assert.Equal(BlockResult.Ok, image.Write(offset, target));
        }
        else if (kind < 18 || !discardReadsZero)
        {
            Assert.Equal(BlockResult.Ok, image.WriteZeroes(offset, length, mayUnmap: kind != 15));
            target.Clear();
        }
        else
        {
            // What a discarded range reads as is the image's choice.
            Assert.Equal(BlockResult.Ok, image.Discard(offset, length));
            Assert.Equal(BlockResult.Ok, image.Read(offset, target));
        }
    }
}
