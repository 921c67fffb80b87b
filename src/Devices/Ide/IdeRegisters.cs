namespace Emu.Devices.Ide;

/// <summary>The task file of one drive: each register with what was written to it before, for 48-bit addresses (ATA/ATAPI-7, 6.20).</summary>
public sealed record IdeRegisters
{
    /// <summary>Features, as written.</summary>
    public byte Features { get; set; }

    /// <summary>Sector count, or the interrupt reason of packet commands.</summary>
    public ushort Count { get; set; }

    /// <summary>LBA 7:0, or sector number; the previous value in the upper half, as in the next two.</summary>
    public ushort Low { get; set; }

    /// <summary>LBA 15:8, or cylinder low, or byte count low.</summary>
    public ushort Mid { get; set; }

    /// <summary>LBA 23:16, or cylinder high, or byte count high.</summary>
    public ushort High { get; set; }

    /// <summary>Device register: LBA mode, drive number, and head or LBA 27:24.</summary>
    public byte Device { get; set; }

    /// <summary>Status.</summary>
    public byte Status { get; set; }

    /// <summary>Error.</summary>
    public byte Error { get; set; }

    internal static ushort Push(ushort register, byte value) => (ushort)((register << 8) | value);
}
