using System.Buffers.Binary;
using Emu.Core.Block;
using Emu.Core.Memory;
using Emu.Devices.Virtio;

namespace Emu.Tests.Devices.Virtio;

/// <summary>A driver of the block device with one ring, one request at a time.</summary>
internal sealed class BlkDriver : IDisposable
{
    public const ulong RingAddress = 0x1_0000;
    public const ulong HeaderAddress = 0x2_0000;
    public const ulong DataAddress = 0x4_0000;
    public const ulong StatusAddress = 0x2_1000;
    public const ulong TableAddress = 0x2_2000;

    private ushort _id;

    public BlkDriver(IBlockBackend disk, ulong ringFeatures = 0, VirtioBlkOptions? options = null, ulong accept = ulong.MaxValue)
    {
        Bench = new VirtioBench(environment =>
            new VirtioBlk("disk0", disk, (options ?? new VirtioBlkOptions()) with { RingFeatures = VirtioBench.RingFeatures }, environment));
        Features = (Bench.OfferedFeatures & ~VirtioBench.RingFeatures & accept) | ringFeatures | VirtioFeature.Version1;
        Assert.True(Bench.Negotiate(Features));
        Ring = Bench.AddQueue(0, 16, RingAddress, Features, vector: 1);
        Bench.EnableMsix(2);
        Bench.GoLive();
        while (Bench.Workers.Run())
        {
        }
    }

    public VirtioBench Bench { get; }

    public TestRing Ring { get; }

    public ulong Features { get; }

    public GuestRam Ram => Bench.Pci.Ram;

    public void WriteHeader(uint type, ulong sector)
    {
        byte[] header = new byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(header, type);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(8), sector);
        Ram.Write(HeaderAddress, header);
    }

    /// <summary>Runs a request with its data at <see cref="DataAddress"/>, cut into <paramref name="pieces"/>; the status and bytes written.</summary>
    public (byte Status, uint Written) Run(uint type, ulong sector, int length, bool isRead, int pieces = 1, bool indirect = false)
    {
        Assert.True(Submit(type, sector, length, isRead, pieces, indirect));
        Bench.Notify(0);
        Assert.True(Ring.TryTake(out ushort id, out uint written), "no answer");
        Assert.Equal(_id, id);
        return ((byte)Ram.ReadValue(StatusAddress, 1), written);
    }

    public bool Submit(uint type, ulong sector, int length, bool isRead, int pieces = 1, bool indirect = false)
    {
        _id = (ushort)((_id + 1) % (Ring.Size / 2));
        WriteHeader(type, sector);
        Ram.WriteValue(StatusAddress, 0xee, 1);
        List<Part> parts = [new(HeaderAddress, 16, false)];
        for (int i = 0; i < pieces && length > 0; i++)
        {
            int start = (int)((long)length * i / pieces);
            int end = (int)((long)length * (i + 1) / pieces);
            parts.Add(new Part(DataAddress + (ulong)start, (uint)(end - start), isRead));
        }

        parts.Add(new Part(StatusAddress, 1, true));
        Ring.Add(_id, parts, indirect ? TableAddress : 0);
        return true;
    }

    public void Dispose() => Bench.Dispose();
}
