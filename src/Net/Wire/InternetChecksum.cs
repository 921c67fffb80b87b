using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Emu.Net.Wire;

/// <summary>The ones' complement sum of IPv4, ICMP, UDP and TCP (RFC 1071).</summary>
internal static class InternetChecksum
{
    /// <summary>
    /// The sum of <paramref name="data"/> as big-endian 16-bit words, folded to 16 bits; an odd last byte counts as the upper half of a word.
    /// </summary>
    public static uint Sum(ReadOnlySpan<byte> data)
    {
        // Words are added as the host reads them: swapping the bytes of the folded sum is the same as swapping those of each word.
        ulong total = 0;
        ReadOnlySpan<Vector256<ushort>> vectors = MemoryMarshal.Cast<byte, Vector256<ushort>>(data);
        if (Vector256.IsHardwareAccelerated && vectors.Length > 1)
        {
            total = SumVectors(vectors);
            data = data[(vectors.Length * Vector256<byte>.Count)..];
        }

        foreach (ushort word in MemoryMarshal.Cast<byte, ushort>(data))
        {
            total += word;
        }

        if ((data.Length & 1) != 0)
        {
            total += BitConverter.IsLittleEndian ? data[^1] : (uint)data[^1] << 8;
        }

        ushort folded = (ushort)Fold(total);
        return BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(folded) : folded;
    }

    /// <summary>Adds the carries of a sum back into it until 16 bits are left.</summary>
    public static uint Fold(ulong sum)
    {
        sum = (sum & 0xffff_ffff) + (sum >> 32);
        sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
        sum = (sum & 0xffff) + (sum >> 16);
        return (uint)((sum & 0xffff) + (sum >> 16));
    }

    /// <summary>The sum of the pseudo header of UDP and TCP (RFC 9293, 3.1), folded.</summary>
    public static uint PseudoHeader(uint source, uint destination, IpProtocol protocol, int length) =>
        Fold((ulong)(source >> 16) + (source & 0xffff) + (destination >> 16) + (destination & 0xffff) + (uint)protocol + (uint)length);

    /// <summary>The checksum of <paramref name="data"/>, whose own field is zero, on top of <paramref name="sum"/>.</summary>
    public static ushort Compute(ReadOnlySpan<byte> data, uint sum = 0) => (ushort)~Fold((ulong)Sum(data) + sum);

    /// <summary>True when <paramref name="data"/>, its checksum included, is as it was sent.</summary>
    public static bool IsValid(ReadOnlySpan<byte> data, uint sum = 0) => Compute(data, sum) == 0;

    // Lanes have 32 bits: no overflow below 64 Ki vectors, which is far more than a frame holds.
    private static ulong SumVectors(ReadOnlySpan<Vector256<ushort>> vectors)
    {
        Vector256<uint> low = Vector256<uint>.Zero;
        Vector256<uint> high = Vector256<uint>.Zero;
        foreach (Vector256<ushort> vector in vectors)
        {
            low += Vector256.WidenLower(vector);
            high += Vector256.WidenUpper(vector);
        }

        return Vector256.Sum(Vector256.WidenLower(low) + Vector256.WidenUpper(low) + Vector256.WidenLower(high) + Vector256.WidenUpper(high));
    }
}
