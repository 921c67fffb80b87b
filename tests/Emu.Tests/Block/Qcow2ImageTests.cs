using Emu.Block;
using Emu.Block.Qcow2;
using Emu.Core.Block;

namespace Emu.Tests.Block;

/// <summary>A qcow2 image as a disk: against a model, with and without a backing image, in every geometry.</summary>
public sealed class Qcow2ImageTests
{
    private const int Size = 3 << 20;

    public static TheoryData<string, bool> Variants() => new()
    {
        { "", false },
        { "", true },
        { "cluster_size=512", true },
        { "cluster_size=512,refcount_bits=1", false },
        { "cluster_size=1k,refcount_bits=64", true },
        { "cluster_size=4k,compat=0.10", false },
        { "cluster_size=4k,compat=0.10", true },
        { "cluster_size=2M,refcount_bits=2", true },
        { "cluster_size=4k,lazy_refcounts=on,refcount_bits=8", true },
        { "cluster_size=16k,refcount_bits=4", false },
        { "cluster_size=8k,refcount_bits=32", false },
    };

    [Theory]
    [MemberData(nameof(Variants))]
    public void RandomRequests_ReadAsTheModel_AndLeaveNoLeak(string options, bool hasBacking)
    {
        MemoryFile file = BlockBench.NewFile(Size, options);
        byte[] backing = BlockBench.Bytes(1, (Size / 2) + 1536);
        byte[] contents = new byte[Size];
        if (hasBacking)
        {
            backing.CopyTo(contents, 0);
        }

        var model = new BlockModel(seed: 2, contents, discardReadsZero: true);
        for (int round = 0; round < 4; round++)
        {
            using (var image = Qcow2Image.Open(file, hasBacking ? BlockBench.Raw(backing) : null))
            {
                for (int i = 0; i < 150; i++)
                {
                    model.Step(image, longest: 1 << (10 + (i % 8)));
                }

                Assert.Equal(contents, BlockBench.ReadAll(image));
            }

            BlockBench.AssertSound(file);
        }
    }

    [Fact]
    public void Discard_FreesTheClusters_AndTheyAreUsedAgain()
    {
        MemoryFile file = BlockBench.NewFile(Size, "");
        using var image = Qcow2Image.Open(file, null);
        for (int i = 0; i < 20; i++)
        {
            Assert.Equal(BlockResult.Ok, image.Write(0, BlockBench.Bytes(i, 1 << 20)));
            Assert.Equal(BlockResult.Ok, image.Discard(0, 1 << 20));
            Assert.Equal(BlockResult.Ok, image.Flush());
        }

        Assert.True(file.Length < 5 << 20, $"file of {file.Length} bytes");
        Assert.All(BlockBench.ReadAll(image), value => Assert.Equal(0, value));
    }

    [Fact]
    public void SmallWritesToAnEmptyImage_WriteNoZeroesAroundThem()
    {
        MemoryFile file = BlockBench.NewFile(64 << 20, "");
        file.Log = [];
        using var image = Qcow2Image.Open(file, null);
        for (int i = 0; i < 100; i++)
        {
            Assert.Equal(BlockResult.Ok, image.Write(i * 200_000L / 512 * 512, BlockBench.Bytes(i, 4096)));
        }

        Assert.True(file.Log.Sum(change => change.Bytes.Length) < 100 * 8192);
    }

    [Fact]
    public void Requests_OutsideTheDisk_AreOutOfRange()
    {
        using var image = Qcow2Image.Open(BlockBench.NewFile(Size, ""), null);
        byte[] sector = new byte[512];
        foreach (long offset in new[] { -512, Size, Size - 256, long.MaxValue - 100, long.MinValue })
        {
            Assert.Equal(BlockResult.OutOfRange, image.Read(offset, sector));
            Assert.Equal(BlockResult.OutOfRange, image.Write(offset, sector));
            Assert.Equal(BlockResult.OutOfRange, image.Discard(offset, 512));
            Assert.Equal(BlockResult.OutOfRange, image.WriteZeroes(offset, 512, true));
        }

        Assert.Equal(BlockResult.OutOfRange, image.Discard(512, long.MaxValue));
        Assert.Equal(BlockResult.OutOfRange, image.WriteZeroes(512, -1, true));
    }

    [Fact]
    public void ReadOnlyImage_RefusesChanges()
    {
        using var image = Qcow2Image.Open(BlockBench.NewFile(Size, "").Copy(readOnly: true), null);
        Assert.Equal(BlockResult.ReadOnly, image.Write(0, new byte[512]));
        Assert.Equal(BlockResult.ReadOnly, image.Discard(0, 512));
        Assert.Equal(BlockResult.ReadOnly, image.WriteZeroes(0, 512, false));
        Assert.Equal(BlockResult.Ok, image.Flush());
    }

    [Fact]
    public void Threads_WithRequestsOfTheirOwn_DoNotDisturbEachOther()
    {
        const int Threads = 4;
        MemoryFile file = BlockBench.NewFile(Size, "cluster_size=4k");
        byte[] backing = BlockBench.Bytes(3, Size);
        byte[] expected = [.. backing];
        using (var image = Qcow2Image.Open(file, BlockBench.Raw(backing)))
        {
            // Every thread has each fourth sector, so that all meet in the same clusters.
            Parallel.For(0, Threads, new ParallelOptions { MaxDegreeOfParallelism = Threads }, thread =>
            {
                var random = new Random(thread);
                byte[] sector = new byte[512];
                for (int i = 0; i < 4000; i++)
                {
                    int offset = ((random.Next(Size / 512 / Threads) * Threads) + thread) * 512;
                    random.NextBytes(sector);
                    Assert.Equal(BlockResult.Ok, image.Write(offset, sector));
                    sector.CopyTo(expected, offset);
                    if (i % 500 == 0)
                    {
                        Assert.Equal(BlockResult.Ok, image.Flush());
                    }
                }
            });
            Assert.Equal(expected, BlockBench.ReadAll(image));
        }

        BlockBench.AssertSound(file);
    }

    [Fact]
    public void Threads_DiscardingWhileOthersWrite_NeverSeeOtherBytes()
    {
        MemoryFile file = BlockBench.NewFile(Size, "cluster_size=4k");
        using (var image = Qcow2Image.Open(file, null))
        {
            // Each thread has a third of the disk, and fills it with its own number; a cluster freed by one goes to another.
            Parallel.For(0, 3, new ParallelOptions { MaxDegreeOfParallelism = 3 }, thread =>
            {
                var random = new Random(thread);
                byte[] data = new byte[16384];
                for (int i = 0; i < 1500; i++)
                {
                    long offset = ((long)thread << 20) + (random.Next((1 << 20) / 16384) * 16384);
                    Array.Fill(data, (byte)(thread + 1));
                    Assert.Equal(BlockResult.Ok, random.Next(3) == 0 ? image.Discard(offset, data.Length) : image.Write(offset, data));
                    Assert.Equal(BlockResult.Ok, image.Read(offset, data));
                    Assert.DoesNotContain(data, value => value != 0 && value != thread + 1);
                    if (i % 50 == 0)
                    {
                        Assert.Equal(BlockResult.Ok, image.Flush());
                    }
                }
            });
        }

        BlockBench.AssertSound(file);
    }

    [Fact]
    public void MetadataInMemory_IsBounded()
    {
        MemoryFile file = BlockBench.NewFile(1L << 30, "cluster_size=2M");
        using var image = Qcow2Image.Open(BlockBench.NewFile(1L << 46, "cluster_size=2M"), null);
        for (int i = 0; i < 60; i++)
        {
            Assert.Equal(BlockResult.Ok, image.Write((long)i << 40, new byte[512]));
        }

        Assert.InRange(image.CachedTables, 1, 40);
    }

    [Theory]
    [InlineData("", 40 << 20)]
    [InlineData("cluster_size=512", 9 << 20)]
    [InlineData("cluster_size=1k,compat=0.10", 12 << 20)]
    public void Resize_KeepsTheData_AndWhatIsNewIsZero(string options, long larger)
    {
        MemoryFile file = BlockBench.NewFile(Size, options);
        byte[] data = BlockBench.Bytes(5, Size);
        using (var image = Qcow2Image.Open(file, null))
        {
            Assert.Equal(BlockResult.Ok, image.Write(0, data));
            Assert.Equal(BlockResult.Ok, image.Resize(larger));
            Assert.Equal(BlockResult.Ok, image.Write(larger - 512, data.AsSpan(0, 512)));
            Assert.Equal(BlockResult.Ok, image.Resize(Size - 512));
            Assert.Equal(BlockResult.Ok, image.Resize(Size));
        }

        BlockBench.AssertSound(file);
        using var again = Qcow2Image.Open(file, null);
        Array.Clear(data, Size - 512, 512);
        Assert.Equal(data, BlockBench.ReadAll(again));
    }

    [Fact]
    public void RefcountTable_GrowsWithTheImage()
    {
        // 64-bit counts in clusters of 512 bytes: the first table names 64 blocks of 64 counts, which is 2 MiB of file.
        MemoryFile file = BlockBench.NewFile(8 << 20, "cluster_size=512,refcount_bits=64");
        byte[] data = BlockBench.Bytes(6, 8 << 20);
        using (var image = Qcow2Image.Open(file, null))
        {
            Assert.Equal(BlockResult.Ok, image.Write(0, data));
        }

        BlockBench.AssertSound(file);
        using var again = Qcow2Image.Open(file, null);
        Assert.Equal(data, BlockBench.ReadAll(again));
    }

    [Fact]
    public void CompressedClusters_AreReadAndOverwritten()
    {
        MemoryFile file = BlockBench.NewFile(Size, "cluster_size=16k");
        byte[] data = new byte[Size];
        for (int i = 0; i < Size; i++)
        {
            data[i] = (byte)((i / 7) ^ (i >> 12));
        }

        using (var image = Qcow2Image.Open(file, null))
        {
            for (int at = 0; at < Size; at += 16384)
            {
                Assert.Equal(BlockResult.Ok, image.WriteCompressed(at, data.AsSpan(at, 16384)));
            }

            Assert.Equal(data, BlockBench.ReadAll(image));
        }

        BlockBench.AssertSound(file);
        Assert.True(file.Length < Size / 2, $"{file.Length} bytes");
        var model = new BlockModel(seed: 7, data, discardReadsZero: true);
        using (var image = Qcow2Image.Open(file, null))
        {
            for (int i = 0; i < 200; i++)
            {
                model.Step(image, longest: 65536);
            }

            Assert.Equal(data, BlockBench.ReadAll(image));
        }

        BlockBench.AssertSound(file);
    }

    [Fact]
    public void FullDisk_IsReported_AndTheImageStaysSound()
    {
        MemoryFile file = BlockBench.NewFile(Size, "cluster_size=4k");
        byte[] data = BlockBench.Bytes(8, Size);
        using (var image = Qcow2Image.Open(file, null))
        {
            Assert.Equal(BlockResult.Ok, image.Write(0, data.AsSpan(0, 65536)));
            Assert.Equal(BlockResult.Ok, image.Flush());
            file.Fault = offset => offset > 1 << 20 ? BlockResult.NoSpace : BlockResult.Ok;
            Assert.Equal(BlockResult.NoSpace, image.Write(65536, data.AsSpan(65536)));
            file.Fault = _ => BlockResult.Ok;
            Assert.Equal(BlockResult.Ok, image.Write(65536, data.AsSpan(65536)));
            file.Fault = offset => offset < 0 ? BlockResult.IoError : BlockResult.Ok;
            Assert.Equal(BlockResult.IoError, image.Flush());
            file.Fault = _ => BlockResult.Ok;
            Assert.Equal(BlockResult.Ok, image.Flush());
            Assert.Equal(data, BlockBench.ReadAll(image));
        }

        BlockBench.AssertSound(file);
    }

    [Fact]
    public void ImageThatWasNotClosed_WithLazyRefcounts_IsCountedAnew()
    {
        MemoryFile file = BlockBench.NewFile(Size, "cluster_size=4k,lazy_refcounts=on");
        byte[] data = BlockBench.Bytes(9, 1 << 20);
        using var killed = Qcow2Image.Open(file, null);
        Assert.Equal(BlockResult.Ok, killed.Write(0, data));
        Assert.Equal(BlockResult.Ok, killed.Flush());
        MemoryFile left = file.Copy();
        Assert.NotEqual(0UL, Qcow2Header.Read(left).Incompatible & Qcow2Features.Dirty);
        using (var image = Qcow2Image.Open(left, null))
        {
            Assert.Equal(BlockResult.Ok, image.Write(2 << 20, data));
            Assert.Equal(data, BlockBench.ReadAll(image)[..data.Length]);
        }

        Assert.Equal(0UL, Qcow2Header.Read(left).Incompatible);
        BlockBench.AssertSound(left);
    }
}
