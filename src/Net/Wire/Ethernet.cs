using System.Buffers.Binary;

namespace Emu.Net.Wire;

/// <summary>Protocol numbers in an Ethernet header.</summary>
internal enum EtherType : ushort
{
    Ipv4 = 0x0800,
    Arp = 0x0806,
}

/// <summary>Ethernet II headers: destination, source, type.</summary>
internal static class Ethernet
{
    /// <summary>Bytes of a header.</summary>
    public const int HeaderBytes = 14;

    /// <summary>Bytes of payload that a frame holds on the wire.</summary>
    public const int Mtu = 1500;

    /// <summary>The address that means everyone.</summary>
    public const ulong Broadcast = 0xffff_ffff_ffff;

    private const ulong GroupBit = 1UL << 40;

    /// <summary>The MAC address at the start of <paramref name="bytes"/>.</summary>
    public static ulong ReadMac(ReadOnlySpan<byte> bytes) =>
        ((ulong)BinaryPrimitives.ReadUInt16BigEndian(bytes) << 32) | BinaryPrimitives.ReadUInt32BigEndian(bytes[2..]);

    /// <summary>Stores a MAC address.</summary>
    public static void WriteMac(Span<byte> bytes, ulong mac)
    {
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)(mac >> 32));
        BinaryPrimitives.WriteUInt32BigEndian(bytes[2..], (uint)mac);
    }

    /// <summary>True for an address that one card can have.</summary>
    public static bool IsUnicast(ulong mac) => (mac & GroupBit) == 0 && mac != 0;

    /// <summary>Writes a header.</summary>
    public static void WriteHeader(Span<byte> frame, ulong destination, ulong source, EtherType type)
    {
        WriteMac(frame, destination);
        WriteMac(frame[6..], source);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], (ushort)type);
    }
}
