using Emu.Devices.Virtio;

namespace Emu.Tests.Devices.Virtio;

public sealed class VirtioPciTests : IDisposable
{
    private const ulong Version1 = VirtioFeature.Version1;
    private readonly VirtioBench _bench = new(environment =>
        new VirtioRng("rng0", bytes => bytes.Fill(0xa5), VirtioBench.RingFeatures, environment));

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Identity_IsThatOfAModernDevice()
    {
        Assert.Equal(0x1044_1af4u, _bench.Pci.ReadConfig(2, 0));
        Assert.Equal(1u, _bench.Pci.ReadConfig(2, 8, 1));
        Assert.Equal(1u, _bench.Pci.ReadConfig(2, 0x3d, 1));
    }

    [Fact]
    public void Capabilities_PointToEveryStructure()
    {
        var types = new Dictionary<uint, uint>();
        for (uint at = _bench.Pci.ReadConfig(2, 0x34, 1); at != 0; at = _bench.Pci.ReadConfig(2, (int)at + 1, 1))
        {
            if (_bench.Pci.ReadConfig(2, (int)at, 1) == 9)
            {
                types.Add(_bench.Pci.ReadConfig(2, (int)at + 3, 1), _bench.Pci.ReadConfig(2, (int)at + 8));
            }
        }

        Assert.Equal([(1, 0), (2, 0x3000), (3, 0x1000), (4, 0x2000), (5, 0)], types.OrderBy(type => type.Key).Select(type => ((int)type.Key, (int)type.Value)));
    }

    [Theory]
    [InlineData(Version1, true)]
    [InlineData(Version1 | VirtioFeature.PackedRing, true)]
    [InlineData(VirtioFeature.EventIndex, false)] // a driver from before 1.0
    [InlineData(Version1 | 1, false)] // never offered
    public void FeaturesOk_StaysOnlyWhenTheyFit(ulong features, bool accepted) => Assert.Equal(accepted, _bench.Negotiate(features));

    [Fact]
    public void Buffer_IsFilled()
    {
        Assert.True(_bench.Negotiate(Version1));
        TestRing ring = _bench.AddQueue(0, 8, 0x1_0000, Version1);
        _bench.GoLive();
        ring.Add(0, [new Part(0x2_0000, 100, true), new Part(0x3_0000, 28, true)]);
        _bench.Notify(0);

        Assert.True(ring.TryTake(out _, out uint written));
        Assert.Equal(128u, written);
        Assert.Equal(0xa5UL, _bench.Pci.Ram.ReadValue(0x3_001b, 1));
        Assert.Equal(0UL, _bench.Pci.Ram.ReadValue(0x3_001c, 1));
    }

    [Fact]
    public void Buffers_BeforeDriverOkOrWithoutBusMaster_AreLeftAlone()
    {
        Assert.True(_bench.Negotiate(Version1));
        TestRing ring = _bench.AddQueue(0, 8, 0x1_0000, Version1);
        ring.Add(0, [new Part(0x2_0000, 100, true)]);
        _bench.Notify(0);
        Assert.False(ring.TryTake(out _, out _));

        _bench.Pci.WriteConfig(2, 0x04, 2, 2);
        _bench.Notify(0);
        Assert.False(ring.TryTake(out _, out _));

        _bench.Pci.WriteConfig(2, 0x04, 6, 2);
        _bench.GoLive();
        _bench.Notify(0);
        Assert.True(ring.TryTake(out _, out _));
    }

    [Fact]
    public void Reset_ByStatus_ForgetsEverything()
    {
        Assert.True(_bench.Negotiate(Version1));
        _bench.AddQueue(0, 4, 0x1_0000, Version1, vector: 1);
        _bench.GoLive();
        _bench.Status = 0;

        Assert.Equal(0, _bench.Status);
        Assert.Equal((8UL, 0UL, 0xffffUL, 0UL), (_bench.ReadCommon(0x18, 2), _bench.ReadCommon(0x1c, 2), _bench.ReadCommon(0x1a, 2), _bench.ReadCommon(0x20, 4)));
    }

    [Fact]
    public void EnabledQueue_CannotBeMoved()
    {
        Assert.True(_bench.Negotiate(Version1));
        _bench.AddQueue(0, 4, 0x1_0000, Version1);
        _bench.WriteCommon(0x20, 0x5_0000, 4);
        _bench.WriteCommon(0x18, 8, 2);
        Assert.Equal((0x1_0000UL, 4UL), (_bench.ReadCommon(0x20, 4), _bench.ReadCommon(0x18, 2)));
    }

    [Fact]
    public void Vector_ThatIsNotThere_ReadsBackAsNone()
    {
        _bench.WriteCommon(0x10, 2, 2);
        Assert.Equal(0xffffUL, _bench.ReadCommon(0x10, 2));
        _bench.WriteCommon(0x10, 1, 2);
        Assert.Equal(1UL, _bench.ReadCommon(0x10, 2));
    }

    [Fact]
    public void QueueThatIsNotThere_HasSizeZero()
    {
        _bench.WriteCommon(0x16, 1, 2);
        Assert.Equal(0UL, _bench.ReadCommon(0x18, 2));
        _bench.WriteCommon(0x1c, 1, 2);
        Assert.Equal(0UL, _bench.ReadCommon(0x1c, 2));
    }

    [Fact]
    public void Window_InConfigurationSpace_ReachesTheStructures()
    {
        int window = 0;
        for (uint at = _bench.Pci.ReadConfig(2, 0x34, 1); at != 0; at = _bench.Pci.ReadConfig(2, (int)at + 1, 1))
        {
            window = _bench.Pci.ReadConfig(2, (int)at, 1) == 9 && _bench.Pci.ReadConfig(2, (int)at + 3, 1) == 5 ? (int)at : window;
        }

        _bench.Pci.WriteConfig(2, window + 4, 4, 1);
        _bench.Pci.WriteConfig(2, window + 8, 0x14);
        _bench.Pci.WriteConfig(2, window + 12, 1);
        _bench.Pci.WriteConfig(2, window + 16, 3, 1);
        Assert.Equal(3, _bench.Status);
        Assert.Equal(3u, _bench.Pci.ReadConfig(2, window + 16, 1));

        // Outside the structures, and unaligned: nothing happens.
        _bench.Pci.WriteConfig(2, window + 8, 0xffff_fff0);
        _bench.Pci.WriteConfig(2, window + 16, 0);
        _bench.Pci.WriteConfig(2, window + 12, 3);
        _bench.Pci.WriteConfig(2, window + 8, 0x13);
        _bench.Pci.WriteConfig(2, window + 16, 0);
        Assert.Equal(3, _bench.Status);
    }
}
