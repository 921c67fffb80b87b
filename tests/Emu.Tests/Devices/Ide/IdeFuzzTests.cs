using Emu.Devices.Ide;

namespace Emu.Tests.Devices.Ide;

/// <summary>Random accesses to every register, with tables of random contents: the disk throws when a range outside it is asked for.</summary>
public sealed class IdeFuzzTests
{
    private const int Steps = 100_000;

    private static readonly byte[] Commands =
    [
        0x20, 0x24, 0x29, 0x30, 0x34, 0x39, 0xc4, 0xc5, 0xc6, 0xc8, 0xca, 0x25, 0x35, 0x3d, 0xce, 0x40, 0x42, 0xec, 0xef, 0x91, 0x90, 0x08, 0xa0, 0xa1,
        0xe7, 0xea, 0xf8, 0x27, 0xe5, 0x10, 0x70,
    ];

    private static readonly byte[] Packets = [0x00, 0x03, 0x12, 0x1a, 0x1b, 0x1e, 0x25, 0x28, 0x2b, 0x43, 0x46, 0x4a, 0x51, 0x52, 0x5a, 0xa8, 0xbd, 0xbe];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void RandomAccesses_HarmNothing(int seed)
    {
        using var bench = new IdeBench();
        var random = new Random(seed);
        int interrupts = 0;
        int transfers = 0;
        for (int step = 0; step < Steps; step++)
        {
            int command = random.Next(2) == 0 ? IdeBench.Command0 : IdeBench.Command1;
            switch (random.Next(16))
            {
                case 0:
                    bench.Out(command + 7, Commands[random.Next(Commands.Length)]);
                    break;
                case 1:
                    bench.Out(command == IdeBench.Command0 ? 0x3f6 : 0x376, random.Next(8) == 0 ? random.Next(256) : 0);
                    break;
                case < 5:
                    bench.Out(command + random.Next(1, 7), random.Next(3) == 0 ? random.Next(256) : random.Next(4));
                    break;
                case < 8:
                    transfers += Transfer(bench, random, command);
                    break;
                case 8 or 9:
                    UseMaster(bench, random);
                    break;
                case 10:
                    WriteTable(bench, random);
                    break;
                case 11 when random.Next(2) == 0:
                    MoveBlock(bench, random, command);
                    break;
                case 11:
                    bench.Ports.Write((ulong)command + (ulong)random.Next(9), (ulong)random.NextInt64(), 1 << random.Next(3));
                    break;
                case 12 when random.Next(40) == 0:
                    PiixIdeState state = bench.Ide.Save();
                    bench.Ide.Reset();
                    bench.Ide.Restore(state);
                    break;
                case 13 when random.Next(40) == 0:
                    bench.Ide.Reset();
                    bench.Ide.Function.WriteConfig(0x20, IdeBench.MasterPort, 4);
                    bench.Ide.Function.WriteConfig(0x04, 5, 2);
                    break;
                default:
                    interrupts += bench.Irq(14) || bench.Irq(15) ? 1 : 0;
                    bench.Workers.Run();
                    _ = bench.Ports.Read((ulong)command + (ulong)random.Next(9), 1 << random.Next(3));
                    break;
            }
        }

        // It was worth it: the drives did work.
        Assert.True(interrupts > Steps / 100);
        Assert.True(transfers > Steps / 100);
    }

    private static void MoveBlock(IdeBench bench, Random random, int command)
    {
        int size = 1 << random.Next(3);
        byte[] data = new byte[size * random.Next(1, 700)];
        int stop = random.Next(2);
        ulong port = (ulong)command + (random.Next(4) == 0 ? (ulong)random.Next(9) : 0);
        int elements = random.Next(2) == 0 ? bench.Ports.ReadRepeated(port, data, size, in stop) : bench.Ports.WriteRepeated(port, data, size, in stop);
        Assert.InRange(elements, 1, data.Length / size);
    }

    private static int Transfer(IdeBench bench, Random random, int command)
    {
        bool isPacket = command == IdeBench.Command1;
        int count = isPacket ? 6 : random.Next(300);
        for (int i = 0; i < count; i++)
        {
            if (random.Next(2) == 0)
            {
                _ = bench.Ports.Read((ulong)command, 2);
            }
            else
            {
                bench.Ports.Write((ulong)command, i == 0 ? Packets[random.Next(Packets.Length)] : (ulong)random.Next(3), 2);
            }
        }

        return (bench.In(command + 7) & IdeBench.Request) != 0 ? 1 : 0;
    }

    private static void UseMaster(IdeBench bench, Random random)
    {
        int port = IdeBench.MasterPort + (8 * random.Next(2));
        bench.Out(port, random.Next(2) == 0 ? 9 : random.Next(16));
        bench.Out(port + 2, random.Next(256));
        bench.Ports.Write((ulong)port + 4, random.Next(8) == 0 ? (ulong)random.NextInt64() : (ulong)random.Next(1 << 20), 4);
    }

    private static void WriteTable(IdeBench bench, Random random)
    {
        ulong place = (ulong)random.Next(1 << 20);
        for (int i = 0; i < random.Next(64); i++)
        {
            ulong address = random.Next(16) == 0 ? (uint)random.NextInt64() : (uint)random.Next(1 << 20);
            ulong control = (uint)random.Next(1 << 16) | (random.Next(8) == 0 ? 0x8000_0000u : 0);
            bench.Memory.Write(place + (ulong)(8 * i), address | (control << 32), 8);
        }
    }
}
