namespace Emu.Tests.Fpu;

/// <summary>Seeded operands that find bugs: edges of integers and of both floating formats among random bits.</summary>
internal static class SimdInputs
{
    private static readonly uint[] Singles =
    [
        0, 0x80000000, 1, 0x80000001, 0x007fffff, 0x807fffff, 0x00800000, 0x80800000, 0x00800001, 0x3f800000, 0xbf800000, 0x3f800001,
        0x3f7fffff, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7fc12345, 0x7f812345, 0xff800001, 0x4b000000,
        0x4b000001, 0x3f000000, 0xbf000000, 0x3fc00000, 0x40200000, 0x4f000000, 0xcf000000, 0x4effffff, 0x5f000000, 0xdf000000, 0x00000002,
        0x34000000, 0x33800000, 0x01000000, 0x1f800000, 0x20000000, 0x7f000000, 0x40490fdb, 0x4b7fffff, 0x4affffff,
    ];

    private static readonly ulong[] Doubles =
    [
        0, 0x8000000000000000, 1, 0x8000000000000001, 0x000fffffffffffff, 0x0010000000000000, 0x8010000000000000, 0x0010000000000001,
        0x3ff0000000000000, 0xbff0000000000000, 0x3ff0000000000001, 0x3fefffffffffffff, 0x7fefffffffffffff, 0xffefffffffffffff,
        0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000, 0xfff8000000000000, 0x7ff8000000012345, 0x7ff0000000012345,
        0xfff0000000000001, 0x41dfffffffc00000, 0x41e0000000000000, 0xc1e0000000000000, 0xc1e0000000200000, 0x43e0000000000000,
        0xc3e0000000000000, 0x43dfffffffffffff, 0x3fe0000000000000, 0xbfe0000000000000, 0x3ff8000000000000, 0x4004000000000000,
        0x36a0000000000000, 0x3690000000000000, 0x3800000000000000, 0x380fffffe0000000, 0x380fffffffffffff, 0x47efffffe0000000,
        0x47effffff0000000, 0x47efffffefffffff, 0x47f0000000000000, 0x3ca0000000000000, 0x3cb0000000000000, 0x0020000000000000,
        0x1ff0000000000000, 0x2000000000000000, 0x5fe0000000000000, 0x7fe0000000000000, 0x400921fb54442d18, 0x4330000000000001,
        0x431fffffffffffff, 0x41dfffffffe00000, 0xc1dfffffffe00000,
    ];

    /// <summary>Sixteen bytes of one flavour: bits, small bytes, singles or doubles.</summary>
    public static UInt128 Next(Random random)
    {
        switch (random.Next(5))
        {
            case 0:
                return new UInt128((ulong)random.NextInt64() << 1 ^ (ulong)random.NextInt64(), (ulong)random.NextInt64() << 1 ^ (ulong)random.NextInt64());
            case 1:
                return new UInt128(Pack(random, 8, Byte), Pack(random, 8, Byte));
            case 2:
            case 3 when random.Next(2) == 0:
                return new UInt128(Pack(random, 32, NextSingle), Pack(random, 32, NextSingle));
            default:
                return new UInt128(NextDouble(random), NextDouble(random));
        }
    }

    /// <summary>A single: an edge, an edge with a neighbour's bits, or a number of moderate size.</summary>
    public static ulong NextSingle(Random random) => random.Next(4) switch
    {
        0 => Singles[random.Next(Singles.Length)],
        1 => Singles[random.Next(Singles.Length)] ^ (1u << random.Next(32)),
        2 => BitConverter.SingleToUInt32Bits(random.Next(-1000, 1000) / (float)(1 << random.Next(8))),
        _ => ((uint)random.Next(2) << 31) | ((uint)random.Next(100, 156) << 23) | ((uint)random.Next(1 << 23) & (uint)(-1 << random.Next(23))),
    };

    /// <inheritdoc cref="NextSingle"/>
    public static ulong NextDouble(Random random) => random.Next(4) switch
    {
        0 => Doubles[random.Next(Doubles.Length)],
        1 => Doubles[random.Next(Doubles.Length)] ^ (1UL << random.Next(64)),
        2 => BitConverter.DoubleToUInt64Bits(random.Next(-1000, 1000) / (double)(1 << random.Next(8))),
        _ => ((ulong)random.Next(2) << 63) | ((ulong)random.Next(960, 1090) << 52) | ((ulong)random.NextInt64(1L << 52) & (ulong)(-1L << random.Next(52))),
    };

    private static ulong Byte(Random random) => random.Next(3) switch { 0 => (ulong)random.Next(256), 1 => (ulong)(random.Next(2) * 255), _ => 0x7f + (ulong)random.Next(2) };

    private static ulong Pack(Random random, int bits, Func<Random, ulong> lane)
    {
        ulong result = 0;
        for (int i = 0; i < 64; i += bits)
        {
            result |= lane(random) << i;
        }

        return result;
    }
}
