using Emu.Block;
using Emu.Block.Qcow2;
using Emu.Core.Block;

namespace Emu.Tests.Block;

/// <summary>
/// The file as a crash may leave it: everything up to the last flush of the file, and of what came after, either a beginning (the process was
/// killed) or any part (the host lost power), the last write torn. The image must open, have no error beyond leaks, and hold what was flushed.
/// </summary>
public sealed class CrashConsistencyTests
{
    private const int Size = 1 << 20;

    [Theory]
    [InlineData("cluster_size=4k", false)]
    [InlineData("cluster_size=512,refcount_bits=64", true)]
    [InlineData("cluster_size=64k", true)]
    [InlineData("cluster_size=4k,compat=0.10", false)]
    [InlineData("cluster_size=4k,lazy_refcounts=on", true)]
    public void Cut_Anywhere_LosesNothingThatWasFlushed(string options, bool hasBacking)
    {
        MemoryFile file = BlockBench.NewFile(Size, options);
        MemoryFile start = file.Copy();
        byte[] contents = hasBacking ? BlockBench.Bytes(1, Size) : new byte[Size];
        byte[] backing = [.. contents];
        file.Log = [];
        var model = new BlockModel(seed: 3, contents, discardReadsZero: true);
        var flushed = new List<(int Log, byte[] Contents)> { (0, [.. contents]) };
        var touchedAfter = new List<HashSet<long>> { new() };
        using var image = Qcow2Image.Open(file, hasBacking ? BlockBench.Raw(backing) : null);
        for (int i = 0; i < 250; i++)
        {
            model.Touched.Clear();
            bool isFlush = model.Step(image, longest: 32768);
            touchedAfter[^1].UnionWith(model.Touched);
            if (isFlush)
            {
                flushed.Add((file.Log.Count, [.. contents]));
                touchedAfter.Add([]);
            }
        }

        var random = new Random(4);
        for (int i = 0; i < 250; i++)
        {
            int cut = random.Next(file.Log.Count + 1);
            int epoch = flushed.FindLastIndex(point => point.Log <= cut);
            MemoryFile left = Crash(start, file.Log, cut, keepsOrder: i % 2 == 0, random);
            AssertHolds(left, hasBacking ? backing : null, flushed[epoch].Contents, touchedAfter[epoch], $"cut {cut} of {file.Log.Count}, {(i % 2 == 0 ? "killed" : "power lost")}");
        }
    }

    private static MemoryFile Crash(MemoryFile start, List<FileChange> log, int cut, bool keepsOrder, Random random)
    {
        MemoryFile file = start.Copy();
        int durable = cut == 0 ? -1 : log.FindLastIndex(cut - 1, change => change.IsFlush);
        for (int i = 0; i < cut; i++)
        {
            if (!log[i].IsFlush && (i < durable || keepsOrder || random.Next(2) == 0))
            {
                file.Apply(log[i].Offset, log[i].Bytes);
            }
        }

        if (cut < log.Count && !log[cut].IsFlush)
        {
            int torn = random.Next(log[cut].Bytes.Length + 1) / 512 * 512;
            file.Apply(log[cut].Offset, log[cut].Bytes.AsSpan(0, torn));
        }

        return file;
    }

    private static void AssertHolds(MemoryFile file, byte[]? backing, byte[] expected, HashSet<long> touched, string what)
    {
        if ((Qcow2Header.Read(file).Incompatible & Qcow2Features.Dirty) == 0)
        {
            CheckReport report = Qcow2Checker.Check(file.Copy(readOnly: true), RepairMode.None);
            Assert.True(report.Corruptions == 0, what + ": " + string.Join("\n", report.Messages));
        }

        byte[] found;
        using (var image = Qcow2Image.Open(file, backing is null ? null : BlockBench.Raw(backing)))
        {
            found = BlockBench.ReadAll(image);
            Assert.Equal(BlockResult.Ok, image.Write(0, new byte[512]));
        }

        for (int sector = 0; sector < Size / 512; sector++)
        {
            bool isSame = found.AsSpan(sector * 512, 512).SequenceEqual(expected.AsSpan(sector * 512, 512));
            Assert.True(isSame || touched.Contains(sector), $"{what}: sector {sector} is lost");
        }

        CheckReport repaired = Qcow2Checker.Check(file, RepairMode.Leaks);
        Assert.True(repaired.Corruptions == 0, what + ": after another write: " + string.Join("\n", repaired.Messages));
        BlockBench.AssertSound(file);
    }
}
