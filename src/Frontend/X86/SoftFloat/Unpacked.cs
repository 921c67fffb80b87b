namespace Emu.Frontend.X86.SoftFloat;

/// <summary>Class of a floating-point datum.</summary>
internal enum FloatKind : byte
{
    /// <summary>±0.</summary>
    Zero,

    /// <summary>A finite number other than zero.</summary>
    Finite,

    /// <summary>±∞.</summary>
    Infinity,

    /// <summary>Quiet NaN.</summary>
    QuietNan,

    /// <summary>Signaling NaN.</summary>
    SignalingNan,

    /// <summary>An encoding of the 80-bit format that is no number: unnormal, pseudo-NaN, pseudo-infinity (SDM vol. 1, 8.2.2).</summary>
    Unsupported,
}

/// <summary>
/// An operand of any format: −1^Negative × Significand × 2^(Exponent − 63), bit 63 of the significand set. The significand
/// of a NaN is its 80-bit one, so that payloads survive conversions.
/// </summary>
internal readonly struct Unpacked
{
    /// <summary>The integer bit.</summary>
    public const ulong IntegerBit = 1UL << 63;

    /// <summary>The bit that makes a NaN quiet.</summary>
    public const ulong QuietBit = 1UL << 62;

    /// <summary>Creates a datum from its parts; a finite significand must be normalised.</summary>
    public Unpacked(FloatKind kind, bool negative, int exponent = 0, ulong significand = 0, bool isDenormal = false)
    {
        Kind = kind;
        Negative = negative;
        Exponent = exponent;
        Significand = significand;
        IsDenormal = isDenormal;
    }

    /// <summary>Class.</summary>
    public FloatKind Kind { get; }

    /// <summary>Sign.</summary>
    public bool Negative { get; }

    /// <summary>Came from a denormal encoding.</summary>
    public bool IsDenormal { get; }

    /// <summary>Exponent of the integer bit.</summary>
    public int Exponent { get; }

    /// <summary>Significand.</summary>
    public ulong Significand { get; }

    /// <summary>True for quiet and signaling NaNs.</summary>
    public bool IsNan => Kind is FloatKind.QuietNan or FloatKind.SignalingNan;

    /// <summary>The same datum with the other sign.</summary>
    public Unpacked Negated => new(Kind, !Negative, Exponent, Significand, IsDenormal);

    /// <summary>The magnitude.</summary>
    public Unpacked Absolute => new(Kind, negative: false, Exponent, Significand, IsDenormal);

    /// <summary>Takes a binary16 apart; denormal numbers are kept.</summary>
    public static Unpacked FromHalf(ushort bits) =>
        FromInterchange(bits >> 15 != 0, (bits >> 10) & 0x1f, (ulong)bits << 53, FloatFormat.Half, default);

    /// <summary>Takes a binary32 apart.</summary>
    public static Unpacked FromSingle(uint bits, in FloatContext context) =>
        FromInterchange(bits >> 31 != 0, (int)(bits >> 23) & 0xff, (ulong)bits << 40, FloatFormat.Single, context);

    /// <summary>Takes a binary64 apart.</summary>
    public static Unpacked FromDouble(ulong bits, in FloatContext context) =>
        FromInterchange(bits >> 63 != 0, (int)(bits >> 52) & 0x7ff, bits << 11, FloatFormat.Double, context);

    /// <summary>Takes an 80-bit number apart.</summary>
    public static Unpacked FromExtended(ulong significand, ushort signExponent)
    {
        bool negative = (signExponent & 0x8000) != 0;
        int exponent = signExponent & 0x7fff;
        bool normal = (significand & IntegerBit) != 0;
        if (exponent == 0)
        {
            return significand == 0 ? new Unpacked(FloatKind.Zero, negative) : Denormal(negative, FloatFormat.Extended.MinExponent, significand);
        }

        if (!normal)
        {
            return new Unpacked(FloatKind.Unsupported, negative, exponent, significand);
        }

        return exponent == 0x7fff
            ? Special(negative, significand)
            : new Unpacked(FloatKind.Finite, negative, exponent - FloatFormat.Extended.Bias, significand);
    }

    /// <summary>An integer, exactly.</summary>
    public static Unpacked FromInteger(long value)
    {
        if (value == 0)
        {
            return new Unpacked(FloatKind.Zero, negative: false);
        }

        ulong magnitude = value < 0 ? (ulong)-value : (ulong)value;
        int shift = System.Numerics.BitOperations.LeadingZeroCount(magnitude);
        return new Unpacked(FloatKind.Finite, value < 0, 63 - shift, magnitude << shift);
    }

    private static Unpacked FromInterchange(bool negative, int exponent, ulong fraction, in FloatFormat format, in FloatContext context)
    {
        fraction &= ~IntegerBit;
        if (exponent == format.SpecialExponent)
        {
            return Special(negative, fraction | IntegerBit);
        }

        if (exponent != 0)
        {
            return new Unpacked(FloatKind.Finite, negative, exponent - format.Bias, fraction | IntegerBit);
        }

        return fraction == 0 || context.DenormalsAreZero ? new Unpacked(FloatKind.Zero, negative) : Denormal(negative, format.MinExponent, fraction);
    }

    private static Unpacked Denormal(bool negative, int exponent, ulong significand)
    {
        int shift = System.Numerics.BitOperations.LeadingZeroCount(significand);
        return new Unpacked(FloatKind.Finite, negative, exponent - shift, significand << shift, isDenormal: true);
    }

    private static Unpacked Special(bool negative, ulong significand) => new(
        significand == IntegerBit ? FloatKind.Infinity : (significand & QuietBit) != 0 ? FloatKind.QuietNan : FloatKind.SignalingNan,
        negative,
        0,
        significand);
}

/// <summary>A result as it is stored: sign, biased exponent, and the significand aligned at bit 63 with its integer bit.</summary>
internal readonly record struct Encoded(bool Negative, int BiasedExponent, ulong Significand)
{
    /// <summary>The default NaN, "real indefinite" (SDM vol. 1, 4.8.3.7).</summary>
    public static Encoded DefaultNan(in FloatFormat format) => new(true, format.SpecialExponent, Unpacked.IntegerBit | Unpacked.QuietBit);

    /// <summary>±0.</summary>
    public static Encoded Zero(bool negative) => new(negative, 0, 0);

    /// <summary>±∞.</summary>
    public static Encoded Infinity(bool negative, in FloatFormat format) => new(negative, format.SpecialExponent, Unpacked.IntegerBit);

    /// <summary>The largest finite number.</summary>
    public static Encoded Largest(bool negative, in FloatFormat format) => new(negative, format.SpecialExponent - 1, ulong.MaxValue << (64 - format.Precision));

    /// <summary>A NaN made quiet.</summary>
    public static Encoded Quiet(in Unpacked nan, in FloatFormat format) => new(nan.Negative, format.SpecialExponent, nan.Significand | Unpacked.QuietBit);

    /// <summary>The sign and exponent word of the 80-bit format.</summary>
    public ushort SignExponent => (ushort)((Negative ? 0x8000 : 0) | BiasedExponent);

    /// <summary>The bits of a binary16.</summary>
    public ushort ToHalf() => (ushort)((Negative ? 0x8000 : 0) | (BiasedExponent << 10) | ((int)(Significand >> 53) & 0x3ff));

    /// <summary>The bits of a binary32.</summary>
    public uint ToSingle() => (Negative ? 0x80000000 : 0) | ((uint)BiasedExponent << 23) | ((uint)(Significand >> 40) & 0x7fffff);

    /// <summary>The bits of a binary64.</summary>
    public ulong ToDouble() => (Negative ? 1UL << 63 : 0) | ((ulong)BiasedExponent << 52) | ((Significand >> 11) & 0xf_ffff_ffff_ffff);
}
