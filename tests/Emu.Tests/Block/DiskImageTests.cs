using Emu.Block;
using Emu.Block.Files;
using Emu.Block.Tools;
using Emu.Core.Block;

namespace Emu.Tests.Block;

/// <summary>Images in files: formats, chains, locks, overlays, errors of the host.</summary>
public sealed class DiskImageTests : IDisposable
{
    private readonly BlockBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData(1000)]
    [InlineData(0)]
    [InlineData(4096)]
    public void Raw_OfAnyLength_ReadsZeroBehindItsEnd(int length)
    {
        byte[] data = BlockBench.Bytes(1, length);
        File.WriteAllBytes(_bench["a"], data);
        using IBlockBackend image = Open("a", ImageFormat.Raw);

        Assert.Equal((length + 511) / 512 * 512, image.Length);
        byte[] read = BlockBench.ReadAll(image);
        Assert.Equal(data, read[..length]);
        Assert.All(read[length..], value => Assert.Equal(0, value));
        Assert.Equal(BlockResult.OutOfRange, image.Read(image.Length, new byte[1]));
    }

    [Fact]
    public void Raw_DiscardAndZeroes_ReadAsZero()
    {
        byte[] data = BlockBench.Bytes(2, 1 << 20);
        File.WriteAllBytes(_bench["a"], data);
        using IBlockBackend image = Open("a", ImageFormat.Raw);

        Assert.Equal(BlockResult.Ok, image.WriteZeroes(4096, 8192, mayUnmap: true));
        Assert.Equal(BlockResult.Ok, image.WriteZeroes(100_000, 5000, mayUnmap: false));
        Assert.Equal(BlockResult.Ok, image.Discard(500_000, 200_000));
        Array.Clear(data, 4096, 8192);
        Array.Clear(data, 100_000, 5000);
        byte[] read = BlockBench.ReadAll(image);
        read.AsSpan(500_000, 200_000).CopyTo(data.AsSpan(500_000));
        Assert.Equal(data, read);
    }

    [Fact]
    public void Raw_WhoseFormatWasGuessed_CannotBecomeAnotherFormat()
    {
        File.WriteAllBytes(_bench["a"], new byte[4096]);
        byte[] sector = new byte[512];
        "QFI\xfb"u8[..3].CopyTo(sector);
        sector[3] = 0xfb;
        using (IBlockBackend image = Open("a", format: null))
        {
            Assert.Equal(BlockResult.IoError, image.Write(0, sector));
            Assert.Equal(BlockResult.Ok, image.Write(0, sector.AsSpan(0, 3)));
            Assert.Equal(BlockResult.IoError, image.Write(3, sector.AsSpan(3, 1)));
        }

        using IBlockBackend stated = Open("a", ImageFormat.Raw);
        Assert.Equal(BlockResult.Ok, stated.Write(0, sector));
    }

    [Fact]
    public void Chain_IsReadThrough_WithNamesRelativeToEachImage()
    {
        Directory.CreateDirectory(_bench["sub"]);
        byte[] data = BlockBench.Bytes(3, 100_000);
        File.WriteAllBytes(_bench["base.raw"], data);
        Create("sub/middle", backing: "../base.raw", ImageFormat.Raw);
        Create("top", backing: "sub/middle", ImageFormat.Qcow2);
        using (IBlockBackend image = Open("top", null))
        {
            Assert.Equal(BlockResult.Ok, image.Write(512, new byte[1024]));
            Array.Clear(data, 512, 1024);
            Assert.Equal(data, BlockBench.ReadAll(image)[..data.Length]);
        }

        Assert.NotEqual(data, File.ReadAllBytes(_bench["base.raw"]));
        ImageMaintenance.Commit(_bench["top"], null, empty: true);
        ImageMaintenance.Commit(_bench["sub/middle"], null, empty: false);
        Assert.Equal(data, File.ReadAllBytes(_bench["base.raw"])[..data.Length]);
    }

    [Fact]
    public void Chain_ThatComesBackToItself_IsOneError()
    {
        Create("a", null, null);
        Create("b", "a", ImageFormat.Qcow2);
        Create("a", "b", ImageFormat.Qcow2);
        BlockException exception = Assert.Throws<BlockException>(() => Open("a", null));
        Assert.Contains("comes back", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("json:{\"driver\":\"nbd\"}")]
    [InlineData("nbd://host/x")]
    public void Backing_ThatIsNoFile_IsRefusedByName(string name)
    {
        ImageCreator.Create(new CreateOptions { Path = _bench["a"], Format = ImageFormat.Qcow2, Size = 4096, Backing = name, BackingFormat = ImageFormat.Raw });
        Assert.Contains("only files are", Assert.Throws<BlockException>(() => Open("a", null)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SecondWriter_IsRefused_AndReadersShare()
    {
        Create("a", null, null);
        using (Open("a", null))
        {
            Assert.Contains("using it", Assert.Throws<BlockException>(() => Open("a", null)).Message, StringComparison.Ordinal);
            Assert.Throws<BlockException>(() => DiskImage.Open(new ImageOptions { Path = _bench["a"], ReadOnly = true }));
        }

        using IBlockBackend first = DiskImage.Open(new ImageOptions { Path = _bench["a"], ReadOnly = true });
        using IBlockBackend second = DiskImage.Open(new ImageOptions { Path = _bench["a"], ReadOnly = true });
        Assert.Throws<BlockException>(() => Open("a", null));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Snapshot_LeavesTheImageAlone_AndNoFileBehind(bool isRaw)
    {
        byte[] data = BlockBench.Bytes(4, 1 << 20);
        File.WriteAllBytes(_bench["raw"], data);
        if (!isRaw)
        {
            ImageConverter.Convert(new ImageOptions { Path = _bench["raw"] }, new CreateOptions { Path = _bench["a"], Format = ImageFormat.Qcow2 }, compress: true);
        }

        string path = _bench[isRaw ? "raw" : "a"];
        byte[] before = File.ReadAllBytes(path);
        int files = Directory.GetFiles(Path.GetTempPath(), "emu-*.overlay").Length;
        using (IBlockBackend image = DiskImage.Open(new ImageOptions { Path = path, Snapshot = true }))
        {
            Assert.False(image.IsReadOnly);
            Assert.Equal(BlockResult.Ok, image.Write(1000 * 512, new byte[4096]));
            Array.Clear(data, 1000 * 512, 4096);
            Assert.Equal(BlockResult.Ok, image.Flush());
            Assert.Equal(data, BlockBench.ReadAll(image));
        }

        Assert.Equal(before, File.ReadAllBytes(path));
        Assert.True(Directory.GetFiles(Path.GetTempPath(), "emu-*.overlay").Length <= files);
    }

    [Theory]
    [InlineData(CacheMode.WriteBack)]
    [InlineData(CacheMode.None)]
    [InlineData(CacheMode.WriteThrough)]
    [InlineData(CacheMode.Unsafe)]
    public void EveryCacheMode_HoldsWhatWasWritten(CacheMode cache)
    {
        Create("a", null, null);
        byte[] data = BlockBench.Bytes(5, 65536);
        using (IBlockBackend image = DiskImage.Open(new ImageOptions { Path = _bench["a"], Cache = cache }))
        {
            Assert.Equal(BlockResult.Ok, image.Write(4096, data));
            Assert.Equal(BlockResult.Ok, image.Flush());
        }

        using IBlockBackend again = Open("a", null);
        Assert.Equal(data, BlockBench.ReadAll(again)[4096..(4096 + data.Length)]);
    }

    [Fact]
    public void WriteThrough_IsDurableWithoutAFlush()
    {
        MemoryFile file = BlockBench.NewFile(1 << 20, "");
        using var image = new WriteThroughImage(Emu.Block.Qcow2.Qcow2Image.Open(file, null));
        Assert.Equal(BlockResult.Ok, image.Write(0, BlockBench.Bytes(6, 512)));
        using var killed = Emu.Block.Qcow2.Qcow2Image.Open(file.Copy(), null);
        Assert.Equal(BlockBench.Bytes(6, 512), BlockBench.ReadAll(killed)[..512]);
    }

    [UnixFact]
    public void FullHostDisk_IsNoSpace()
    {
        if (!File.Exists("/dev/full"))
        {
            return;
        }

        using HostFile file = HostFile.Open("/dev/full", readOnly: false);
        Assert.Equal(BlockResult.NoSpace, file.Write(0, new byte[512]));
    }

    [Theory]
    [InlineData("missing", "no such file")]
    [InlineData(".", "")]
    public void FileThatCannotBeOpened_IsOneLine(string name, string text)
    {
        BlockException exception = Assert.Throws<BlockException>(() => Open(name, null));
        Assert.Contains(text, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', exception.Message);
    }

    private IBlockBackend Open(string name, ImageFormat? format) => DiskImage.Open(new ImageOptions { Path = _bench[name], Format = format });

    private void Create(string name, string? backing, ImageFormat? backingFormat) => ImageCreator.Create(
        new CreateOptions { Path = _bench[name], Format = ImageFormat.Qcow2, Size = backing is null ? 1 << 20 : backing.EndsWith("raw", StringComparison.Ordinal) ? null : 102_400, Backing = backing, BackingFormat = backingFormat });
}
