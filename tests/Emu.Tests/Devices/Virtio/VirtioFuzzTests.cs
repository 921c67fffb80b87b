using Emu.Core;
using Emu.Core.Net;
using Emu.Devices.Virtio;

namespace Emu.Tests.Devices.Virtio;

/// <summary>
/// Registers and rings filled at random, with a bias to what nearly works. Whatever happens, no exception comes out, the work for
/// each step ends, and what lies outside RAM and disk is not touched (both check themselves).
/// </summary>
public sealed class VirtioFuzzTests
{
    private const int Steps = 60_000;
    private const ulong Rings = 0x1_0000;

    public static TheoryData<string, int> Devices => new() { { "blk", 1 }, { "blk", 2 }, { "rng", 3 }, { "net", 4 }, { "net", 5 } };

    [Theory]
    [MemberData(nameof(Devices))]
    public void Device_WithRandomDriver_SurvivesAndStaysInItsBounds(string kind, int seed)
    {
        var random = new Random(seed);
        VirtioNet? card = null;
        using var bench = new VirtioBench(environment => kind switch
        {
            "blk" => new VirtioBlk("disk0", new MemoryDisk(64 << 10), new VirtioBlkOptions { QueueCount = 2, QueueSize = 16, RingFeatures = VirtioBench.RingFeatures }, environment),
            "rng" => new VirtioRng("rng0", random.NextBytes, VirtioBench.RingFeatures, environment),
            _ => card = new VirtioNet("net0", new Wire(), [0x52, 0x54, 0, 0x12, 0x34, 0x56], VirtioBench.RingFeatures, environment),
        });
        int live = 0;
        int answered = 0;
        for (int step = 0; step < Steps; step++)
        {
            Act(bench, random, card);
            live += (bench.Status & 0x44) == 4 ? 1 : 0;
            answered += bench.Pci.Messages.Count;
            bench.Pci.Messages.Clear();
            bench.Log.Clear();
        }

        // Otherwise the generator tests nothing.
        Assert.InRange(live, Steps / 20, Steps);
        Assert.True(answered > 0 || kind != "blk", "no request came through");
    }

    private static void Act(VirtioBench bench, Random random, VirtioNet? card)
    {
        switch (random.Next(16))
        {
            case 0:
                Start(bench, random);
                break;
            case 1:
                bench.WriteCommon(random.Next(0x40), (ulong)random.NextInt64(), 1 << random.Next(3));
                break;
            case 2:
                bench.WriteDevice(random.Next(70), (ulong)random.NextInt64(), 1 << random.Next(3));
                bench.ReadDevice(random.Next(70), 1 << random.Next(3));
                break;
            case 3:
                bench.Pci.WriteConfig(2, random.Next(0x3e, 0xc0), (uint)random.Next(), 1 << random.Next(3));
                bench.Pci.WriteConfig(2, 0x04, random.Next(8) == 0 ? 0u : 6u, 2);
                break;
            case 4:
                bench.ReadIsr();
                bench.ReadCommon(random.Next(0x40), 1 << random.Next(3));
                break;
            case 5 or 6 when card is not null:
                byte[] frame = new byte[random.Next(4) == 0 ? random.Next(70_000) : random.Next(200)];
                random.NextBytes(frame);
                card.Receive(frame, new FrameOffload(random.Next(2) == 0, (ushort)random.Next(100), (ushort)random.Next(100), (ushort)random.Next(2000), false));
                break;
            default:
                Scribble(bench, random);
                bench.Notify(random.Next(4));
                break;
        }
    }

    // A driver that starts properly, with rings at one place.
    private static void Start(VirtioBench bench, Random random)
    {
        ulong features = (bench.OfferedFeatures & (ulong)random.NextInt64()) | VirtioFeature.Version1 | (random.Next(2) == 0 ? 0 : VirtioFeature.PackedRing);
        if (!bench.Negotiate(features))
        {
            return;
        }

        bench.EnableMsix(3);
        for (int queue = 0; queue < 3; queue++)
        {
            bench.AddQueue(queue, (ushort)(random.Next(10) == 0 ? random.Next(300) : 8), Rings + ((ulong)queue << 12), features, (ushort)random.Next(4));
        }

        bench.Pci.Ram.Slice(Rings, 0x3000).Clear();
        bench.GoLive();
    }

    // Descriptors mostly sound by themselves, at random places, linked at random, and made available in both formats' ways.
    private static void Scribble(VirtioBench bench, Random random)
    {
        ulong ring = Rings + ((ulong)random.Next(3) << 12);
        for (int i = 0; i < 3; i++)
        {
            ulong at = ring + (ulong)(16 * random.Next(8));
            ulong address = random.Next(30) == 0 ? (ulong)random.NextInt64() : (ulong)random.Next(0x2_0000, 0xf_0000) & ~0xffUL;
            bench.Pci.Ram.WriteValue(at, address, 8);
            bench.Pci.Ram.WriteValue(at + 8, (ulong)(random.Next(30) == 0 ? random.Next() : random.Next(4) == 0 ? 16 * random.Next(9) : random.Next(2048)), 4);
            bench.Pci.Ram.WriteValue(at + 12, (ulong)random.Next(random.Next(8) == 0 ? 65536 : 8), 2);
            bench.Pci.Ram.WriteValue(at + 14, (ulong)(uint)(random.Next(8) | (random.Next(2) << 7) | (random.Next(2) << 15)), 2);
            bench.Pci.Ram.WriteValue(address & 0xf_fff0, (ulong)(random.NextInt64(16) + (random.NextInt64(8) << 32)), 8);
            bench.Pci.Ram.WriteValue((address & 0xf_fff0) + 8, (ulong)random.Next(140), 8);
        }

        ulong driver = ring + (16 * 8);
        ulong index = bench.Pci.Ram.ReadValue(driver + 2, 2);
        bench.Pci.Ram.WriteValue(driver + 4 + (2 * (index % 8)), (ulong)random.Next(random.Next(30) == 0 ? 65536 : 8), 2);
        bench.Pci.Ram.WriteValue(driver + 2, index + (ulong)(random.Next(60) == 0 ? random.Next(65536) : 1), 2);
        bench.Pci.Ram.WriteValue(driver, (ulong)random.Next(random.Next(8) == 0 ? 65536 : 3), 2);
    }

    private sealed class Wire : INetBackend
    {
        public NetOffloads Offloads => NetOffloads.Checksum | NetOffloads.Tso4 | NetOffloads.Tso6;

        public void Connect(INetReceiver receiver)
        {
        }

        public void Send(ReadOnlySpan<byte> frame, in FrameOffload offload) =>
            Assert.True(!offload.NeedsChecksum || offload.ChecksumStart + offload.ChecksumOffset + 2 <= frame.Length);

        public void ReceiverReady()
        {
        }

        public void Dispose()
        {
        }
    }
}
