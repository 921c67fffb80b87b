using System.Buffers.Binary;
using Emu.Block;
using Emu.Block.Qcow2;
using Emu.Core.Block;

namespace Emu.Tests.Block;

/// <summary>Damaged and malicious images: one documented exception or a result, nothing else, and no write outside the image.</summary>
public sealed class HostileImageTests
{
    private const int Size = 1 << 20;

    // What an image of this size may grow to by the requests below.
    private const long Limit = 64 << 20;

    [Theory]
    [InlineData("cluster_size=512", 11)]
    [InlineData("cluster_size=4k,refcount_bits=1", 12)]
    [InlineData("cluster_size=4k,compat=0.10", 13)]
    [InlineData("cluster_size=4k,lazy_refcounts=on", 14)]
    public void MutatedTables_EndInAResult(string options, int seed)
    {
        MemoryFile sound = Sample(options);
        Qcow2Header header = Qcow2Header.Read(sound);
        var random = new Random(seed);
        int opened = 0;
        for (int i = 0; i < 1500; i++)
        {
            MemoryFile file = sound.Copy();
            file.Limit = Limit;
            for (int count = 1 + random.Next(4); count > 0; count--)
            {
                Mutate(file, header, random);
            }

            opened += Use(file, random) ? 1 : 0;
            Try(() => Qcow2Checker.Check(file.Copy(readOnly: true), RepairMode.None));
            Try(() => Qcow2Checker.Check(file, RepairMode.All));
        }

        // A fuzz test that never gets past the header would test little.
        Assert.InRange(opened, 200, 1499);
    }

    [Theory]
    [InlineData(4, 4, 9UL, "version 9")]
    [InlineData(20, 4, 31UL, "cluster size")]
    [InlineData(24, 8, 1UL << 60, "L1 table")]
    [InlineData(32, 4, 1UL, "AES")]
    [InlineData(32, 4, 2UL, "LUKS")]
    [InlineData(36, 4, 0xFFFF_FFFFUL, "L1 entries")]
    [InlineData(40, 8, 1UL << 40, "outside the file")]
    [InlineData(40, 8, 0x123UL, "L1 table")]
    [InlineData(48, 8, 0UL, "refcount table")]
    [InlineData(56, 4, 0UL, "no refcount table")]
    [InlineData(60, 4, 70000UL, "snapshots")]
    [InlineData(72, 8, 1UL << 2, "external data file")]
    [InlineData(72, 8, 1UL << 4, "extended L2")]
    [InlineData(72, 8, 1UL << 40, "feature bit 40")]
    [InlineData(72, 8, 2UL, "marked as damaged")]
    [InlineData(96, 4, 7UL, "reference count width")]
    [InlineData(16, 4, 5000UL, "backing file name")]
    public void HeaderField_OutOfBounds_IsRefusedByName(int offset, int size, ulong value, string text)
    {
        MemoryFile file = Sample("");
        if (offset == 16)
        {
            file.Apply(8, [0, 0, 0, 0, 0, 0, 1, 0]);
        }

        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        file.Apply(offset, bytes.AsSpan(8 - size));

        BlockException exception = Assert.Throws<BlockException>(() => Qcow2Image.Open(file, null));

        Assert.Contains(text, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', exception.Message);
    }

    [Fact]
    public void Zstd_IsRefusedByName()
    {
        MemoryFile file = Sample("");
        file.Apply(72, [0, 0, 0, 0, 0, 0, 0, 8]);
        file.Apply(100, [0, 0, 0, 112, 1, 0, 0, 0, 0, 0, 0, 0]);

        Assert.Contains("zstd", Assert.Throws<BlockException>(() => Qcow2Image.Open(file, null)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(1UL)]
    [InlineData(3UL)]
    public void DataInATable_IsNotWritten_AndTheImageIsMarked(ulong cluster)
    {
        MemoryFile file = Sample("");
        Qcow2Header header = Qcow2Header.Read(file);
        ulong[] l1 = TableFile.Load(file, header.L1Offset, header.L1Entries, "L1");
        ulong entry = cluster == 0 ? l1[0] : (cluster << 16) | L2Entry.Copied;
        file.Apply(L2Entry.Offset(l1[0]), TableFile.ToBytes([entry]));
        using var image = Qcow2Image.Open(file, null);

        Assert.Equal(BlockResult.IoError, image.Write(0, new byte[512]));
        Assert.Equal(BlockResult.IoError, image.Write(65536, new byte[512]));
        Assert.NotEqual(0UL, Qcow2Header.Read(file).Incompatible & Qcow2Features.Corrupt);
    }

    private static MemoryFile Sample(string options)
    {
        MemoryFile file = BlockBench.NewFile(Size, options);
        using var image = Qcow2Image.Open(file, null);
        int cluster = image.Header.Geometry.ClusterSize;
        Assert.Equal(BlockResult.Ok, image.Write(0, BlockBench.Bytes(1, Size / 2)));
        Assert.Equal(BlockResult.Ok, image.WriteCompressed(Size - cluster, new byte[cluster]));
        Assert.Equal(BlockResult.Ok, image.WriteZeroes(cluster, cluster, mayUnmap: true));
        return file;
    }

    private static void Mutate(MemoryFile file, Qcow2Header header, Random random)
    {
        long[] places = [0, header.L1Offset, header.RefcountTableOffset, TableFile.Load(file, header.L1Offset, 1, "L1")[0] is var l2 ? L2Entry.Offset(l2) % file.Length : 0, random.NextInt64(file.Length)];
        long at = places[random.Next(places.Length)] + (random.Next(random.Next(2) == 0 ? 16 : 64) * 4);
        byte[] value = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(value, random.Next(6) switch
        {
            0 => (ulong)random.NextInt64(),
            1 => 1UL << random.Next(64),
            2 => (ulong)random.NextInt64(file.Length / 512) * 512,
            3 => ((ulong)random.NextInt64(file.Length / 4096) * 4096) | L2Entry.Copied,
            4 => ulong.MaxValue,
            _ => (1UL << 62) | (ulong)random.NextInt64(),
        });
        file.Apply(at, value.AsSpan(random.Next(2) * 4));
    }

    private static bool Use(MemoryFile file, Random random)
    {
        bool opened = false;
        Try(() =>
        {
            using var image = Qcow2Image.Open(file, null);
            opened = true;
            byte[] buffer = new byte[8192];
            for (int i = 0; i < 12; i++)
            {
                long offset = random.NextInt64(Math.Max(1, Math.Min(image.Length, Size) / 512)) * 512;
                _ = (i % 4) switch
                {
                    0 => image.Read(offset, buffer),
                    1 => image.Write(offset, buffer),
                    2 => image.WriteZeroes(offset, 65536, mayUnmap: true),
                    _ => image.Discard(offset, 65536),
                };
            }

            _ = image.Flush();
        });
        return opened;
    }

    private static void Try(Action action)
    {
        try
        {
            action();
        }
        catch (BlockException exception)
        {
            Assert.DoesNotContain('\n', exception.Message);
        }
    }
}
