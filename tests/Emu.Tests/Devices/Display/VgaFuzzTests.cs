namespace Emu.Tests.Devices.Display;

/// <summary>Random accesses to everything a guest reaches of the card, with the picture drawn in between.</summary>
public sealed class VgaFuzzTests
{
    [Theory]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(3, true)]
    [InlineData(4, false)]
    public void RandomAccesses_NothingThrows_PictureStaysBounded(int seed, bool hasVga)
    {
        var random = new Random(seed);
        using var bench = new VgaBench(hasVga, megabytes: 1);
        for (int step = 0; step < 60_000; step++)
        {
            Access(bench, random);
            if (step % 300 == 0)
            {
                bench.Clock.Advance(random.Next(1 << 28));
                bench.Render();
                Assert.InRange(bench.Surface.Width * (long)bench.Surface.Height, 0, 5120L * 4096);
                bench.Dirty.Clear();
                bench.PlaceBars();
            }
        }
    }

    private static void Access(VgaBench bench, Random random)
    {
        int size = 1 << random.Next(4);
        ulong value = (ulong)random.NextInt64();
        (Emu.Core.Memory.AddressSpace space, ulong address) = random.Next(8) switch
        {
            0 => (bench.Pci.Memory, 0xa_0000 + (ulong)random.Next(0x2_0000)),
            1 => (bench.Pci.Memory, VgaBench.FrameBuffer + (ulong)random.Next(1 << 20)),
            2 => (bench.Pci.Memory, VgaBench.Registers + (ulong)random.Next(0x1000)),
            3 => (bench.Pci.Memory, VgaBench.Registers + 0x500 + (ulong)(random.Next(11) * 2)),
            4 => (bench.Pci.Ports, 0x1ceUL + (ulong)random.Next(3)),
            5 => (bench.Pci.Ports, 0x3c4UL + (ulong)(random.Next(2) * 0x0a)),
            6 => (bench.Pci.Ports, 0x3d4UL),
            _ => (bench.Pci.Ports, 0x3b0UL + (ulong)random.Next(0x30)),
        };
        if (random.Next(4) == 0)
        {
            space.Read(address, size);
        }
        else
        {
            // Small values are what makes modes.
            space.Write(address, random.Next(2) == 0 ? value : value & 0x0fff, size);
        }
    }
}
