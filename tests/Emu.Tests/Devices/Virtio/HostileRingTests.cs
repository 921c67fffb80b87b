using Emu.Devices.Virtio;

namespace Emu.Tests.Devices.Virtio;

/// <summary>Drivers that break the rules: the device says which in one line, needs a reset, and works again after it.</summary>
public sealed class HostileRingTests
{
    private const byte NeedsReset = 64;
    private const ulong Ring = BlkDriver.RingAddress;

    public static TheoryData<string, string, ulong> Cases => new()
    {
        { "head", "descriptor 16 of a table of 16", 0 },
        { "index", "the available index jumped from 0 to 17", 0 },
        { "next", "next descriptor 99 of a table of 16", 0 },
        { "loop", "a loop", 0 },
        { "loop", "a loop", VirtioFeature.PackedRing },
        { "order", "a readable descriptor follows a writable one", 0 },
        { "hole", "buffer 0x7fffffff0000+0x200 is not in RAM", 0 },
        { "end", "buffer 0xfff00+0x200 is not in RAM", 0 },
        { "end", "buffer 0xfff00+0x200 is not in RAM", VirtioFeature.PackedRing },
        { "wrap", "buffer 0xffffffffffffff00+0x200 is not in RAM", 0 },
        { "device", "is not in RAM", 0 },
        { "huge", "buffer 0x40000+0xffffffff is not in RAM", 0 },
        { "short", "too small for a request", 0 },
        { "no-indirect", "an indirect descriptor, without the feature", 0 },
        { "no-indirect", "an indirect descriptor, without the feature", VirtioFeature.PackedRing },
        { "indirect-next", "an indirect descriptor with a next one", VirtioFeature.IndirectDescriptors },
        { "indirect-length", "an indirect table of 0x11 bytes", VirtioFeature.IndirectDescriptors },
        { "indirect-length", "an indirect table of 0x11 bytes", VirtioFeature.IndirectDescriptors | VirtioFeature.PackedRing },
        { "indirect-hole", "the indirect table at 0x7fffffff0000 is not in RAM", VirtioFeature.IndirectDescriptors },
        { "indirect-indirect", "an indirect descriptor in an indirect table", VirtioFeature.IndirectDescriptors },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Driver_ThatBreaksARule_IsToldToReset(string what, string expected, ulong features)
    {
        using var driver = new BlkDriver(new MemoryDisk(64 << 10), features);
        bool packed = (features & VirtioFeature.PackedRing) != 0;
        Break(driver, what, packed);
        driver.Bench.Notify(0);

        Assert.Equal(NeedsReset | 15, driver.Bench.Status);
        Assert.Contains(expected, Assert.Single(driver.Bench.Log), StringComparison.Ordinal);
        Assert.StartsWith("disk0: queue 0: ", driver.Bench.Log[0], StringComparison.Ordinal);

        // Nothing more is looked at, and nothing more is said.
        driver.Bench.Notify(0);
        Assert.Single(driver.Bench.Log);
        driver.Bench.Status = 0;
        Assert.True(driver.Bench.Negotiate(driver.Features));
        Assert.Equal(11, driver.Bench.Status);
    }

    [Theory]
    [InlineData(0x7fff_ffff_0000UL, Ring + 0x100, Ring + 0x200)]
    [InlineData(Ring, 0xfffff_fff8UL, Ring + 0x200)]
    [InlineData(Ring, Ring + 0x100, 0xf_fff0UL)]
    [InlineData(Ring, Ring + 0x100, 0xfebf_0000UL)]
    public void Queue_OutsideRam_IsToldToReset(ulong descriptors, ulong driver, ulong device)
    {
        using var bench = new VirtioBench(environment => new VirtioRng("rng0", _ => { }, 0, environment));
        Assert.True(bench.Negotiate(VirtioFeature.Version1));
        bench.SetAddresses(descriptors, driver, device);
        bench.WriteCommon(0x1c, 1, 2);

        Assert.Equal(NeedsReset | 11, bench.Status);
        Assert.Contains("is not in RAM", Assert.Single(bench.Log), StringComparison.Ordinal);
    }

    [Fact]
    public void Ring_InsideItsOwnBuffer_BreaksNothing()
    {
        // What the device writes becomes its available ring and descriptors.
        var disk = new MemoryDisk(64 << 10);
        new Random(5).NextBytes(disk.Content);
        using var driver = new BlkDriver(disk);
        for (int i = 0; i < 200; i++)
        {
            driver.WriteHeader(0, (ulong)i);
            driver.Bench.Status = 0;
            Assert.True(driver.Bench.Negotiate(driver.Features));
            TestRing ring = driver.Bench.AddQueue(0, 16, Ring, driver.Features);
            driver.Bench.GoLive();
            ring.Add(0, [new Part(BlkDriver.HeaderAddress, 16, false), new Part(Ring & ~0x1ffUL, 512, true), new Part(BlkDriver.StatusAddress, 1, true)]);
            driver.Bench.Notify(0);
        }
    }

    [Fact]
    public void SplitQueue_OfUnevenSize_IsRefused()
    {
        using var bench = new VirtioBench(environment => new VirtioRng("rng0", _ => { }, 0, environment));
        Assert.True(bench.Negotiate(VirtioFeature.Version1));
        bench.AddQueue(0, 3, Ring, 0);
        Assert.Contains("not a power of two", Assert.Single(bench.Log), StringComparison.Ordinal);
    }

    private static void Break(BlkDriver driver, string what, bool packed)
    {
        const ulong data = BlkDriver.DataAddress;
        Part header = new(BlkDriver.HeaderAddress, 16, false);
        Part status = new(BlkDriver.StatusAddress, 1, true);
        driver.WriteHeader(0, 0);
        switch (what)
        {
            case "head":
                ((SplitTestRing)driver.Ring).Publish(16);
                break;
            case "index":
                driver.Ram.WriteValue(driver.Ring.Driver + 2, 17, 2);
                break;
            case "next":
                driver.Ring.Add(0, [header]);
                driver.Ram.WriteValue(Ring + 12, 1, 2);
                driver.Ram.WriteValue(Ring + 14, 99, 2);
                break;
            case "loop" when packed:
                for (int i = 0; i < 16; i++)
                {
                    driver.Ram.WriteValue(Ring + (ulong)(16 * i), data, 8);
                    driver.Ram.WriteValue(Ring + (ulong)(16 * i) + 8, 1, 4);
                    driver.Ram.WriteValue(Ring + (ulong)(16 * i) + 14, 1 | (1 << 7), 2);
                }

                break;
            case "loop":
                driver.Ring.Add(0, [header]);
                driver.Ram.WriteValue(Ring + 12, 1, 2);
                driver.Ram.WriteValue(Ring + 14, 0, 2);
                break;
            case "order":
                driver.Ring.Add(0, [header, status, new Part(data, 512, false)]);
                break;
            case "hole" or "end" or "wrap" or "device" or "huge":
                (ulong address, uint length) = what switch
                {
                    "hole" => (0x7fff_ffff_0000UL, 512u),
                    "end" => (0xf_ff00UL, 512u),
                    "wrap" => (0xffff_ffff_ffff_ff00UL, 512u),
                    "device" => (driver.Bench.Transport.Function.Bars[4]!.Address!.Value, 512u),
                    _ => (data, uint.MaxValue),
                };
                driver.Ring.Add(0, [header, new Part(address, length, true), status]);
                break;
            case "short":
                driver.Ring.Add(0, [header with { Length = 15 }, status]);
                break;
            default:
                BreakIndirect(driver, what, packed, header, status);
                break;
        }
    }

    private static void BreakIndirect(BlkDriver driver, string what, bool packed, Part header, Part status)
    {
        ulong flags = Ring + (packed ? 14UL : 12UL);
        driver.Ring.Add(0, [header, status], BlkDriver.TableAddress);
        switch (what)
        {
            case "indirect-next":
                driver.Ram.WriteValue(flags, 5, 2);
                break;
            case "indirect-length":
                driver.Ram.WriteValue(Ring + 8, 17, 4);
                break;
            case "indirect-hole":
                driver.Ram.WriteValue(Ring, 0x7fff_ffff_0000, 8);
                break;
            case "indirect-indirect":
                driver.Ram.WriteValue(BlkDriver.TableAddress + 12, 4, 2);
                break;
        }
    }
}
