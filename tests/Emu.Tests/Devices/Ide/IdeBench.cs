using Emu.Core;
using Emu.Core.Memory;
using Emu.Devices.Dma;
using Emu.Devices.Ide;
using Emu.Devices.Pci;
using Emu.Devices.Virtio;
using Emu.Tests.Devices.Pci;
using Emu.Tests.Devices.Virtio;

namespace Emu.Tests.Devices.Ide;

/// <summary>An IDE controller on a bus over 1 MiB of RAM: a disk as primary master, a CD-ROM drive as secondary master. Work is done when the test says so.</summary>
internal sealed class IdeBench : IIrqSink, IDisposable
{
    public const ushort Command0 = 0x1f0;
    public const ushort Command1 = 0x170;
    public const ushort MasterPort = 0xc000;
    public const int DiskSectors = 4096;
    public const int DiscSectors = 100;

    public const byte Ready = 0x50;
    public const byte DiscReady = 0x40;
    public const byte Request = 0x08;
    public const byte Failed = 0x01;

    private readonly PciBench _pci = new();
    private readonly bool[] _irqs = new bool[16];

    public IdeBench(MemoryDisk? disk = null, bool hasDisc = true)
    {
        Disk = disk ?? new MemoryDisk(DiskSectors * 512);
        Disc = new MemoryDisk(DiscSectors * 2048);
        new Random(1).NextBytes(Disk.Content);
        new Random(2).NextBytes(Disc.Content);
        Ide = new PiixIde("ide", [new IrqLine(this, 14), new IrqLine(this, 15)], new DmaMemory(_pci.Memory), _pci.Lock, Workers);
        _pci.Bus.Plug(1, 1, Ide.Function);
        Ide.Channels[0].Connect(0, new AtaDisk(Disk, new AtaDiskOptions { Serial = "S-1" }));
        Ide.Channels[1].Connect(0, new AtapiDrive(hasDisc ? Disc : null, "C-1"));
        Ports.Root.Add(Command0, Ide.Channels[0].CommandBlock);
        Ports.Root.Add(0x3f6, Ide.Channels[0].ControlBlock);
        Ports.Root.Add(Command1, Ide.Channels[1].CommandBlock);
        Ports.Root.Add(0x376, Ide.Channels[1].ControlBlock);
        Ide.Function.WriteConfig(0x20, MasterPort, 4);
        Ide.Function.WriteConfig(0x04, 5, 2);
    }

    public SteppedWorkers Workers { get; } = new();

    public MemoryDisk Disk { get; }

    public MemoryDisk Disc { get; }

    public PiixIde Ide { get; }

    public AddressSpace Ports => _pci.Ports;

    public AddressSpace Memory => _pci.Memory;

    public bool Irq(int number) => _irqs[number];

    public void SetIrq(int number, bool level) => _irqs[number] = level;

    public byte In(int port) => (byte)Ports.Read((ulong)port, 1);

    public void Out(int port, int value) => Ports.Write((ulong)port, (ulong)value, 1);

    /// <summary>Writes a task file of 28 bits to the primary master.</summary>
    public void Command(byte command, long lba = 0, int count = 0, byte features = 0, byte device = 0xe0)
    {
        Out(Command0 + 1, features);
        Out(Command0 + 2, count & 0xff);
        Out(Command0 + 3, (int)(lba & 0xff));
        Out(Command0 + 4, (int)(lba >> 8 & 0xff));
        Out(Command0 + 5, (int)(lba >> 16 & 0xff));
        Out(Command0 + 6, device | (int)(lba >> 24 & 0xf));
        Out(Command0 + 7, command);
    }

    /// <summary>The same with 48 bits.</summary>
    public void WideCommand(byte command, long lba, int count)
    {
        Out(Command0 + 6, 0xe0);
        Out(Command0 + 2, count >> 8);
        Out(Command0 + 3, (int)(lba >> 24 & 0xff));
        Out(Command0 + 4, (int)(lba >> 32 & 0xff));
        Out(Command0 + 5, (int)(lba >> 40 & 0xff));
        Out(Command0 + 2, count & 0xff);
        Out(Command0 + 3, (int)(lba & 0xff));
        Out(Command0 + 4, (int)(lba >> 8 & 0xff));
        Out(Command0 + 5, (int)(lba >> 16 & 0xff));
        Out(Command0 + 7, command);
    }

    /// <summary>Reads blocks of <paramref name="blockBytes"/> as a driver does, waiting for each block's interrupt.</summary>
    public byte[] ReadBlocks(int bytes, int blockBytes)
    {
        byte[] data = new byte[bytes];
        for (int done = 0; done < bytes; done += blockBytes)
        {
            Workers.Run();
            Assert.True(Irq(14));
            Assert.Equal(Ready | Request, In(Command0 + 7));
            Assert.False(Irq(14));
            for (int i = done; i < Math.Min(done + blockBytes, bytes); i += 2)
            {
                BitConverter.TryWriteBytes(data.AsSpan(i), (ushort)Ports.Read(Command0, 2));
            }
        }

        return data;
    }

    /// <summary>Writes blocks; the first needs no interrupt.</summary>
    public void WriteBlocks(ReadOnlySpan<byte> data, int blockBytes)
    {
        for (int done = 0; done < data.Length; done += blockBytes)
        {
            Assert.Equal(done > 0, Irq(14));
            Assert.Equal(Ready | Request, In(Command0 + 7));
            for (int i = done; i < Math.Min(done + blockBytes, data.Length); i += 4)
            {
                Ports.Write(Command0, BitConverter.ToUInt32(data[i..]), 4);
            }

            Workers.Run();
        }
    }

    /// <summary>Sends a packet to the CD-ROM drive.</summary>
    public void Packet(int limit, bool dma, params byte[] packet)
    {
        Out(Command1 + 6, 0xa0);
        Out(Command1 + 1, dma ? 1 : 0);
        Out(Command1 + 4, limit & 0xff);
        Out(Command1 + 5, limit >> 8);
        Out(Command1 + 7, 0xa0);
        Assert.Equal(DiscReady | Request, In(Command1 + 7));
        Assert.Equal(1, In(Command1 + 2));
        byte[] padded = [.. packet, .. new byte[12 - packet.Length]];
        for (int i = 0; i < padded.Length; i += 2)
        {
            Ports.Write(Command1, BitConverter.ToUInt16(padded, i), 2);
        }

        Workers.Run();
    }

    /// <summary>Takes what the CD-ROM drive answers, part by part; the sizes of the parts are returned too.</summary>
    public (byte[] Data, List<int> Parts) ReadReply()
    {
        var data = new List<byte>();
        var parts = new List<int>();
        while ((In(Command1 + 7) & Request) != 0)
        {
            Assert.Equal(2, In(Command1 + 2));
            int part = In(Command1 + 4) | (In(Command1 + 5) << 8);
            parts.Add(part);
            for (int i = 0; i < part; i += 2)
            {
                ushort word = (ushort)Ports.Read(Command1, 2);
                data.AddRange(BitConverter.GetBytes(word)[..Math.Min(2, part - i)]);
            }

            Workers.Run();
        }

        Assert.Equal(3, In(Command1 + 2));
        return ([.. data], parts);
    }

    /// <summary>Writes a PRD table of <paramref name="entries"/> at <paramref name="place"/> and starts the bus master of <paramref name="channel"/>.</summary>
    public void StartMaster(int channel, uint place, bool toMemory, params (uint Address, int Count)[] entries)
    {
        for (int i = 0; i < entries.Length; i++)
        {
            Memory.Write(place + (uint)(8 * i), entries[i].Address, 4);
            Memory.Write(place + (uint)(8 * i) + 4, (uint)(entries[i].Count & 0xffff) | (i == entries.Length - 1 ? 0x8000_0000 : 0), 4);
        }

        int port = MasterPort + (8 * channel);
        Ports.Write((ulong)port + 4, place, 4);
        Out(port + 2, 6);
        Out(port, toMemory ? 9 : 1);
        Workers.Run();
    }

    public byte[] ReadMemory(uint address, int length)
    {
        byte[] data = new byte[length];
        Memory.Read(address, data);
        return data;
    }

    public void Dispose() => _pci.Dispose();
}
