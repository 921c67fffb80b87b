using Emu.Block;
using Emu.Block.Qcow2;
using Emu.Block.Tools;
using Emu.Core.Block;

namespace Emu.Tests.Block;

/// <summary>The same images in qemu-img: byte for byte both ways, and its check of what was written here.</summary>
public sealed class QemuImgTests : IDisposable
{
    private const int Size = 3 << 20;
    private readonly BlockBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [QemuImgTheory]
    [InlineData("", false)]
    [InlineData("", true)]
    [InlineData("cluster_size=512,refcount_bits=1", true)]
    [InlineData("cluster_size=4k,compat=0.10", true)]
    [InlineData("cluster_size=2M,refcount_bits=64", false)]
    [InlineData("cluster_size=1k,lazy_refcounts=on", false)]
    public void Convert_BothWays_IsTheSameBytes(string options, bool compress)
    {
        byte[] data = Sparse();
        File.WriteAllBytes(_bench["raw"], data);
        string[] how = options.Length == 0 ? [] : ["-o", options];
        string[] packed = compress ? ["-c"] : [];

        var target = new CreateOptions { Path = _bench["ours"], Format = ImageFormat.Qcow2, Values = BlockBench.Values(options) };
        ImageConverter.Convert(new ImageOptions { Path = _bench["raw"], Format = ImageFormat.Raw }, target, compress);
        BlockBench.MustQemuImg("check", "-q", _bench["ours"]);
        BlockBench.MustQemuImg("convert", "-f", "qcow2", "-O", "raw", _bench["ours"], _bench["back"]);
        Assert.Equal(data, File.ReadAllBytes(_bench["back"]));

        BlockBench.MustQemuImg(["convert", "-f", "raw", "-O", "qcow2", .. how, .. packed, _bench["raw"], _bench["theirs"]]);
        ImageConverter.Convert(new ImageOptions { Path = _bench["theirs"] }, new CreateOptions { Path = _bench["forth"], Format = ImageFormat.Raw }, compress: false);
        Assert.Equal(data, File.ReadAllBytes(_bench["forth"]));
        CheckReport report = ImageMaintenance.Check(_bench["theirs"], null, RepairMode.None)!;
        Assert.True(report.Corruptions == 0 && report.Leaks == 0, string.Join("\n", report.Messages));
        Assert.Null(ImageComparer.Compare(new ImageOptions { Path = _bench["ours"] }, new ImageOptions { Path = _bench["theirs"] }).DifferentAt);
    }

    [QemuImgTheory]
    [InlineData("cluster_size=512")]
    [InlineData("cluster_size=64k")]
    [InlineData("cluster_size=4k,compat=0.10")]
    [InlineData("cluster_size=4k,lazy_refcounts=on")]
    [InlineData("cluster_size=2M,refcount_bits=1")]
    public void RandomWrites_OverABackingFile_PassItsCheckAndComparison(string options)
    {
        byte[] backing = BlockBench.Bytes(1, Size - 70_000);
        File.WriteAllBytes(_bench["base"], backing);
        BlockBench.MustQemuImg("create", "-q", "-f", "qcow2", "-b", "base", "-F", "raw", "-o", options, _bench["top"], $"{Size}");
        byte[] contents = new byte[Size];
        backing.CopyTo(contents, 0);
        var model = new BlockModel(seed: 2, contents, discardReadsZero: true);
        for (int round = 0; round < 3; round++)
        {
            using (IBlockBackend image = DiskImage.Open(new ImageOptions { Path = _bench["top"] }))
            {
                for (int i = 0; i < 200; i++)
                {
                    model.Step(image, longest: 1 << (10 + (i % 8)));
                }
            }

            BlockBench.MustQemuImg("check", "-q", _bench["top"]);
            File.WriteAllBytes(_bench["model"], contents);
            BlockBench.MustQemuImg("compare", "-q", "-f", "qcow2", "-F", "raw", _bench["top"], _bench["model"]);
        }
    }

    [QemuImgFact]
    public void InternalSnapshots_AreListedReadAndKept()
    {
        byte[] data = Sparse();
        File.WriteAllBytes(_bench["raw"], data);
        BlockBench.MustQemuImg("convert", "-O", "qcow2", "-o", "cluster_size=4k", _bench["raw"], _bench["a"]);
        BlockBench.MustQemuImg("snapshot", "-c", "first", _bench["a"]);
        byte[] contents = [.. data];
        using (IBlockBackend image = DiskImage.Open(new ImageOptions { Path = _bench["a"] }))
        {
            var model = new BlockModel(seed: 3, contents, discardReadsZero: true);
            for (int i = 0; i < 200; i++)
            {
                model.Step(image, longest: 65536);
            }
        }

        BlockBench.MustQemuImg("check", "-q", _bench["a"]);
        Assert.Equal("first", ImageInfo.Read(_bench["a"], null).Snapshots!.Single().Name);
        using (IBlockBackend now = DiskImage.Open(new ImageOptions { Path = _bench["a"], ReadOnly = true }))
        using (IBlockBackend then = DiskImage.Open(new ImageOptions { Path = _bench["a"], ReadOnly = true, InternalSnapshot = "first" }))
        {
            Assert.Equal(contents, BlockBench.ReadAll(now));
            Assert.Equal(data, BlockBench.ReadAll(then));
        }

        BlockBench.MustQemuImg("snapshot", "-a", "first", _bench["a"]);
        BlockBench.MustQemuImg("compare", "-q", _bench["a"], _bench["raw"]);
        Assert.Throws<BlockException>(() => DiskImage.Open(new ImageOptions { Path = _bench["a"], ReadOnly = true, InternalSnapshot = "second" }));
    }

    [QemuImgFact]
    public void ImageThatIsOpenHere_IsRefusedThere()
    {
        BlockBench.MustQemuImg("create", "-q", "-f", "qcow2", _bench["a"], "1M");
        using (DiskImage.Open(new ImageOptions { Path = _bench["a"] }))
        {
            (int exitCode, string output) = BlockBench.QemuImg("check", _bench["a"]);
            Assert.True(exitCode != 0 && (output.Contains("lock", StringComparison.Ordinal) || !OperatingSystem.IsLinux()), output);
        }

        BlockBench.MustQemuImg("check", "-q", _bench["a"]);
    }

    [QemuImgFact]
    public void Leaks_AreFoundAndFreed_AsThere()
    {
        MemoryFile file = BlockBench.NewFile(Size, "cluster_size=4k");
        var image = Qcow2Image.Open(file, null);
        Assert.Equal(BlockResult.Ok, image.Write(0, new byte[Size / 2]));
        Assert.Equal(BlockResult.Ok, image.Flush());
        Assert.Equal(BlockResult.Ok, image.Discard(0, Size / 4));
        Assert.Equal(BlockResult.Ok, image.Flush());
        string path = _bench.Save(file, "a");
        CheckReport report = ImageMaintenance.Check(path, null, RepairMode.None)!;
        Assert.Equal((0, Size / 4 / 4096), (report.Corruptions, report.Leaks));
        Assert.Equal(3, BlockBench.QemuImg("check", "-q", path).ExitCode);
        Assert.Equal(report.Leaks, ImageMaintenance.Check(path, null, RepairMode.Leaks)!.LeaksFixed);
        BlockBench.MustQemuImg("check", "-q", path);
    }

    [QemuImgTheory]
    [InlineData("cluster_size=512,refcount_bits=64")]
    [InlineData("")]
    public void LostReferenceCounts_AreRepaired(string options)
    {
        MemoryFile file = BlockBench.NewFile(Size, options);
        using (var image = Qcow2Image.Open(file, null))
        {
            Assert.Equal(BlockResult.Ok, image.Write(0, BlockBench.Bytes(1, Size / 2)));
        }

        Qcow2Header header = Qcow2Header.Read(file);
        file.Apply(header.RefcountTableOffset, new byte[24]);
        string path = _bench.Save(file, "a");
        Assert.NotEqual(0, ImageMaintenance.Check(path, null, RepairMode.None)!.Corruptions);
        Assert.Equal(0, ImageMaintenance.Check(path, null, RepairMode.All)!.Corruptions);
        BlockBench.MustQemuImg("check", "-q", path);
    }

    [QemuImgTheory]
    [InlineData("cluster_size=512")]
    [InlineData("cluster_size=64k,compat=0.10")]
    public void Resized_PassesItsCheck(string options)
    {
        ImageCreator.Create(new CreateOptions { Path = _bench["a"], Format = ImageFormat.Qcow2, Size = Size, Values = BlockBench.Values(options) });
        using (IBlockBackend image = DiskImage.Open(new ImageOptions { Path = _bench["a"] }))
        {
            Assert.Equal(BlockResult.Ok, image.Write(0, BlockBench.Bytes(1, Size)));
        }

        Assert.Equal(Size + (64 << 20), ImageMaintenance.Resize(_bench["a"], null, 64 << 20, isRelative: true, shrink: false));
        BlockBench.MustQemuImg("check", "-q", _bench["a"]);
        Assert.Throws<BlockException>(() => ImageMaintenance.Resize(_bench["a"], null, Size / 2, isRelative: false, shrink: false));
        ImageMaintenance.Resize(_bench["a"], null, Size / 2, isRelative: false, shrink: true);
        BlockBench.MustQemuImg("check", "-q", _bench["a"]);
        File.WriteAllBytes(_bench["raw"], BlockBench.Bytes(1, Size)[..(Size / 2)]);
        BlockBench.MustQemuImg("compare", "-q", _bench["a"], _bench["raw"]);
    }

    // Noise, text-like bytes and zeroes, not in whole clusters.
    private static byte[] Sparse()
    {
        byte[] data = new byte[Size];
        BlockBench.Bytes(4, 300_000).CopyTo(data, 5000);
        for (int i = 1_000_000; i < 1_900_000; i++)
        {
            data[i] = (byte)"the quick brown fox jumps over the lazy dog "[(i + (i / 1000)) % 44];
        }

        data[^1] = 1;
        return data;
    }
}
