using System.Buffers.Binary;

namespace Emu.Block.Qcow2;

/// <summary>Reference counts of 1 to 64 bits in a refcount block: those below a byte from its low bits up, the others big-endian.</summary>
internal static class RefcountBits
{
    /// <summary>The count at <paramref name="index"/>; its width is 2^<paramref name="order"/> bits.</summary>
    public static ulong Get(ReadOnlySpan<byte> block, int order, int index) => order switch
    {
        3 => block[index],
        4 => BinaryPrimitives.ReadUInt16BigEndian(block[(index * 2)..]),
        5 => BinaryPrimitives.ReadUInt32BigEndian(block[(index * 4)..]),
        6 => BinaryPrimitives.ReadUInt64BigEndian(block[(index * 8)..]),
        _ => (ulong)(block[index >> (3 - order)] >> Shift(order, index)) & ((1UL << (1 << order)) - 1),
    };

    /// <summary>Stores a count, which fits.</summary>
    public static void Set(Span<byte> block, int order, int index, ulong value)
    {
        switch (order)
        {
            case 3:
                block[index] = (byte)value;
                break;
            case 4:
                BinaryPrimitives.WriteUInt16BigEndian(block[(index * 2)..], (ushort)value);
                break;
            case 5:
                BinaryPrimitives.WriteUInt32BigEndian(block[(index * 4)..], (uint)value);
                break;
            case 6:
                BinaryPrimitives.WriteUInt64BigEndian(block[(index * 8)..], value);
                break;
            default:
                ref byte cell = ref block[index >> (3 - order)];
                int mask = (1 << (1 << order)) - 1;
                cell = (byte)((cell & ~(mask << Shift(order, index))) | ((int)value << Shift(order, index)));
                break;
        }
    }

    /// <summary>Byte of a count in its block.</summary>
    public static int ByteOf(int order, int index) => (int)((long)index << order >> 3);

    private static int Shift(int order, int index) => (index & ((8 >> order) - 1)) << order;
}
