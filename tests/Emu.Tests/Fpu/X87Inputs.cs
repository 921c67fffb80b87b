namespace Emu.Tests.Fpu;

/// <summary>Seeded 80-bit operands: every class, edges of exponent and significand, and moderate numbers.</summary>
internal static class X87Inputs
{
    private static readonly ulong[] Significands =
    [
        0, 1, 2, 0x8000000000000000, 0x8000000000000001, 0xffffffffffffffff, 0xfffffffffffffffe, 0x7fffffffffffffff, 0x4000000000000000,
        0xc000000000000000, 0xc000000000000001, 0xbfffffffffffffff, 0xa000000000000000, 0xe000000000000000, 0xfffffffffffff800, 0xfffffffffffffc00,
        0xffffff8000000000, 0xffffff0000000000, 0x8000008000000000, 0x8000000000000400, 0x8000000000000800, 0x8000000000000c00, 0xc90fdaa22168c235,
        0xfffffffffffffbff, 0xffffff7fffffffff, 0x8000018000000000, 0x3fffffffffffffff,
    ];

    private static readonly int[] Exponents =
    [
        0, 0, 1, 2, 0x7ffe, 0x7fff, 0x7fff, 0x3fff, 0x3ffe, 0x4000, 0x3fff - 1022, 0x3fff - 1023, 0x3fff - 1074, 0x3fff - 1075, 0x3fff + 1023, 0x3fff + 1024,
        0x3fff - 126, 0x3fff - 127, 0x3fff - 149, 0x3fff - 150, 0x3fff + 127, 0x3fff + 128, 0x3fff + 62, 0x3fff + 63, 0x3fff + 64, 0x3fff + 31, 0x3fff + 30,
        0x3fff + 14, 0x3fff + 15, 0x3fff - 64, 0x3fff - 65, 0x3fff + 59, 0x3fff + 60, 63, 64, 65, 0x7ffe - 64, 0x1fff, 0x2000, 0x5fff,
    ];

    public static (ulong Significand, ushort SignExponent) Next(Random random)
    {
        int sign = random.Next(2) << 15;
        switch (random.Next(6))
        {
            case 0:
                return (Significands[random.Next(Significands.Length)], (ushort)(Exponents[random.Next(Exponents.Length)] | sign));
            case 1:
                return (Significands[random.Next(Significands.Length)] | (1UL << 63), (ushort)((0x3fff + random.Next(-70, 70)) | sign));
            case 2:
                return (Bits(random) | (1UL << 63), (ushort)(Exponents[random.Next(Exponents.Length)] | sign));
            case 3:
                long value = random.Next(-1000, 1000);
                ulong magnitude = (ulong)Math.Abs(value);
                int shift = System.Numerics.BitOperations.LeadingZeroCount(magnitude);
                return value == 0 ? (0, (ushort)sign) : (magnitude << shift, (ushort)((0x3fff + 63 - shift - random.Next(4)) | (value < 0 ? 0x8000 : 0)));
            case 4:
                return ((Bits(random) & (ulong)(-1L << random.Next(64))) | (1UL << 63), (ushort)((0x3fff + random.Next(-20, 66)) | sign));
            default:
                return (Bits(random) | (1UL << 63), (ushort)((0x3fff + random.Next(-4, 4)) | sign));
        }
    }

    public static ulong Bits(Random random) => ((ulong)random.NextInt64() << 1) ^ (ulong)random.NextInt64();
}
