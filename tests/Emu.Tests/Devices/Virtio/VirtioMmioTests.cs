using Emu.Devices.Virtio;

namespace Emu.Tests.Devices.Virtio;

public sealed class VirtioMmioTests : IDisposable
{
    private const ulong Version1 = VirtioFeature.Version1;

    private readonly MmioBench _bench = Create();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Identity_IsThatOfVersion2()
    {
        Assert.Equal("virt"u8.ToArray(), BitConverter.GetBytes(_bench[0]));
        Assert.Equal((2u, 4u), (_bench[4], _bench[8]));
        _bench[0x14] = 1;
        Assert.Equal(1u, _bench[0x10] & 1);
        Assert.Equal((8u, uint.MaxValue, uint.MaxValue), (_bench[0x34], _bench[0xb0], _bench[0xbc]));
        Assert.Equal(0UL, _bench.Memory.Read(MmioBench.Registers, 1));
    }

    [Theory]
    [InlineData(Version1, true)]
    [InlineData(VirtioFeature.EventIndex, false)] // a driver from before 1.0
    [InlineData(Version1 | 1, false)] // never offered
    public void FeaturesOk_StaysOnlyWhenTheyFit(ulong features, bool accepted) => Assert.Equal(accepted, _bench.Negotiate(features));

    [Theory]
    [InlineData(0UL)]
    [InlineData(VirtioFeature.PackedRing)]
    public void Buffer_IsFilled_AndInterruptsUntilItIsAcknowledged(ulong more)
    {
        TestRing ring = Start(Version1 | more);
        ring.Add(0, [new Part(0x2_0000, 100, true)]);
        _bench.Notify(0);

        Assert.True(ring.TryTake(out _, out uint written));
        Assert.Equal((100u, 0xa5UL), (written, _bench.Ram.ReadValue(0x2_0063, 1)));
        Assert.True(_bench.Irq);
        Assert.Equal(1u, _bench[0x60]);
        _bench[0x64] = 1;
        Assert.False(_bench.Irq);
    }

    [Fact]
    public void Notify_OfAnotherQueue_DoesNothing()
    {
        TestRing ring = Start(Version1);
        _bench.Notify(1); // a device looks at its queues when it goes live
        ring.Add(0, [new Part(0x2_0000, 100, true)]);
        _bench.Notify(1);
        _bench.Notify(uint.MaxValue);

        Assert.False(ring.TryTake(out _, out _));
    }

    [Fact]
    public void QueueReady_Zero_StopsTheQueue_AndItCanBeSetUpAnew()
    {
        TestRing ring = Start(Version1);
        Assert.Equal(1u, _bench[0x44]);
        _bench[0x80] = 0x7000; // an enabled queue does not move
        _bench[0x44] = 0;
        Assert.Equal(0u, _bench[0x44]);
        ring.Add(0, [new Part(0x2_0000, 100, true)]);
        _bench.Notify(0);
        Assert.False(ring.TryTake(out _, out _));

        ring = _bench.AddQueue(0, 8, 0x1_0000, Version1);
        ring.Add(0, [new Part(0x2_0000, 100, true)]);
        _bench.Notify(0);
        Assert.True(ring.TryTake(out _, out _));
    }

    [Fact]
    public void Reset_ByStatus_TakesTheInterruptBack()
    {
        Start(Version1).Add(0, [new Part(0x2_0000, 100, true)]);
        _bench.Notify(0);
        _bench[0x70] = 0;

        Assert.Equal((false, 0u, 0u, 0u), (_bench.Irq, _bench[0x60], _bench[0x70], _bench[0x44]));
    }

    [Fact]
    public void BrokenRing_NeedsReset_AndInterruptsForTheConfiguration()
    {
        TestRing ring = Start(Version1);
        ring.Add(0, [new Part(0xfeb0_0000, 100, true)]);
        _bench.Notify(0);

        Assert.Equal(64u, _bench[0x70] & 64);
        Assert.Equal((2u, true), (_bench[0x60], _bench.Irq));
        Assert.Contains("the device needs a reset", Assert.Single(_bench.Log), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0x28)]
    [InlineData(0x3c)]
    [InlineData(0x40)]
    public void LegacyRegister_IsRefusedInTheLog_Once(int register)
    {
        _bench[register] = 4096;
        _bench[register] = 4096;

        Assert.Contains("version 1 (legacy)", Assert.Single(_bench.Log), StringComparison.Ordinal);
    }

    [Fact]
    public void State_GoesFromOneToAnother()
    {
        TestRing ring = Start(Version1);
        ring.Add(0, [new Part(0x2_0000, 100, true)]);
        _bench.Notify(0);
        Assert.True(ring.TryTake(out _, out _));
        using MmioBench other = Create();
        byte[] memory = new byte[_bench.Ram.Size];
        _bench.Ram.Read(0, memory);
        other.Ram.Write(0, memory);
        other.Transport.Restore(_bench.Transport.Save());

        Assert.True(other.Irq);
        Assert.Equal((15u, 1u), (other[0x70], other[0x44]));
        Assert.Throws<Emu.Core.InvalidDeviceStateException>(() => other.Transport.Restore(((VirtioMmioState)_bench.Transport.Save()) with { InterruptStatus = 4 }));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void RandomDriver_HarmsNothing(int seed)
    {
        const int steps = 60_000;
        const ulong rings = 0x1_0000;
        var random = new Random(seed);
        using var bench = new MmioBench(environment => new VirtioBlk(
            "disk0", new MemoryDisk(64 << 10), new VirtioBlkOptions { QueueCount = 2, QueueSize = 16, RingFeatures = VirtioBench.RingFeatures }, environment));
        (int live, int interrupts) = (0, 0);
        for (int step = 0; step < steps; step++)
        {
            switch (random.Next(12))
            {
                case 0:
                    ulong features = Version1 | (random.Next(2) == 0 ? 0 : VirtioFeature.PackedRing);
                    if (bench.Negotiate(features))
                    {
                        bench.AddQueue(0, 8, rings, features);
                        bench.AddQueue(1, (ushort)random.Next(20), rings + 0x1000, features);
                        bench.Ram.Slice(rings, 0x2000).Clear();
                        bench[0x70] = 15;
                    }

                    break;
                case 1:
                    bench.Memory.Write(MmioBench.Registers + (ulong)random.Next(0x204), (ulong)random.NextInt64(), 1 << random.Next(4));
                    break;
                case 2:
                    bench.Memory.Read(MmioBench.Registers + (ulong)random.Next(0x204), 1 << random.Next(4));
                    break;
                case 3 when random.Next(20) == 0:
                    bench.Transport.Restore(bench.Transport.Save());
                    break;
                default:
                    Scribble(bench, random, rings + ((ulong)random.Next(2) << 12));
                    bench.Notify((uint)random.Next(3));
                    break;
            }

            live += (bench[0x70] & 0x44) == 4 ? 1 : 0;
            interrupts += bench.Irq ? 1 : 0;
            bench[0x64] = 3;
            bench.Log.Clear();
        }

        // Otherwise the generator tests nothing.
        Assert.InRange(live, steps / 20, steps);
        Assert.True(interrupts > 100, $"{interrupts} interrupts");
    }

    private static MmioBench Create() => new(environment => new VirtioRng("rng0", bytes => bytes.Fill(0xa5), VirtioBench.RingFeatures, environment));

    private TestRing Start(ulong features)
    {
        Assert.True(_bench.Negotiate(features));
        TestRing ring = _bench.AddQueue(0, 8, 0x1_0000, features);
        _bench[0x70] = 15;
        return ring;
    }

    // Descriptors that are mostly sound, made available.
    private static void Scribble(MmioBench bench, Random random, ulong ring)
    {
        ulong at = ring + (ulong)(16 * random.Next(8));
        ulong address = random.Next(30) == 0 ? (ulong)random.NextInt64() : (ulong)random.Next(0x2_0000, 0xf_0000) & ~0xffUL;
        bench.Ram.WriteValue(at, address, 8);
        bench.Ram.WriteValue(at + 8, (ulong)(random.Next(30) == 0 ? random.Next() : random.Next(2048)), 4);
        bench.Ram.WriteValue(at + 12, (ulong)random.Next(8), 2);
        bench.Ram.WriteValue(at + 14, (ulong)(uint)(random.Next(8) | (random.Next(2) << 7) | (random.Next(2) << 15)), 2);
        bench.Ram.WriteValue(address & 0xf_fff0, (ulong)random.NextInt64(16), 8);
        ulong driver = ring + (16 * 8);
        ulong index = bench.Ram.ReadValue(driver + 2, 2);
        bench.Ram.WriteValue(driver + 4 + (2 * (index % 8)), (ulong)random.Next(8), 2);
        bench.Ram.WriteValue(driver + 2, index + 1, 2);
    }
}
