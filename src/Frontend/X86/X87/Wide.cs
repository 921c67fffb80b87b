using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Emu.Frontend.X86.SoftFloat;

namespace Emu.Frontend.X86.X87;

/// <summary>
/// A number with a 128-bit significand for computing the transcendental functions: ±Significand × 2^(Exponent − 127), bit 127
/// set, or zero. Results are truncated; an operation errs by a few units of 2^-127.
/// </summary>
internal readonly struct Wide
{
    /// <summary>Creates a number from its parts; the significand is normalised already.</summary>
    public Wide(bool negative, int exponent, UInt128 significand)
    {
        Negative = negative;
        Exponent = exponent;
        Significand = significand;
    }

    /// <summary>One.</summary>
    public static Wide One => new(false, 0, UInt128.One << 127);

    /// <summary>Sign.</summary>
    public bool Negative { get; }

    /// <summary>Exponent of bit 127.</summary>
    public int Exponent { get; }

    /// <summary>Significand.</summary>
    public UInt128 Significand { get; }

    /// <summary>True for zero.</summary>
    public bool IsZero => Significand == 0;

    /// <summary>The negated number.</summary>
    public static Wide operator -(in Wide x) => new(!x.Negative, x.Exponent, x.Significand);

    /// <summary>The sum.</summary>
    public static Wide operator +(in Wide x, in Wide y)
    {
        if (x.IsZero || y.IsZero)
        {
            return x.IsZero ? y : x;
        }

        bool swap = y.Exponent > x.Exponent || (y.Exponent == x.Exponent && y.Significand > x.Significand);
        Wide large = swap ? y : x;
        Wide small = swap ? x : y;
        // What is shifted out leaves a trace, so that a difference never stays equal to its larger operand.
        UInt128 aligned = FloatRounding.ShiftRightSticky(small.Significand, large.Exponent - small.Exponent);
        if (large.Negative != small.Negative)
        {
            return FromInteger(large.Negative, large.Exponent, large.Significand - aligned);
        }

        // One bit is given up for the carry.
        return FromInteger(large.Negative, large.Exponent + 1, (large.Significand >> 1) + (aligned >> 1));
    }

    /// <summary>The difference.</summary>
    public static Wide operator -(in Wide x, in Wide y) => x + (-y);

    /// <summary>The product.</summary>
    public static Wide operator *(in Wide x, in Wide y) =>
        x.IsZero || y.IsZero ? default : FromInteger(x.Negative != y.Negative, x.Exponent + y.Exponent + 1, MultiplyHigh(x.Significand, y.Significand));

    /// <summary>The quotient, by Newton's iteration on the reciprocal.</summary>
    public static Wide operator /(in Wide x, in Wide y)
    {
        ulong top = (ulong)(y.Significand >> 64);
        Wide unit = new(false, 0, y.Significand);
        Wide reciprocal = FromDouble(9223372036854775808.0 / top);
        Wide two = new(false, 1, UInt128.One << 127);
        reciprocal *= two - (unit * reciprocal);
        reciprocal *= two - (unit * reciprocal);
        Wide quotient = x * reciprocal;
        return new Wide(x.Negative != y.Negative, quotient.Exponent - y.Exponent, quotient.Significand);
    }

    /// <summary>±<paramref name="value"/> × 2^(<paramref name="exponent"/> − 127), normalised.</summary>
    public static Wide FromInteger(bool negative, int exponent, UInt128 value)
    {
        if (value == 0)
        {
            return default;
        }

        int shift = (int)UInt128.LeadingZeroCount(value);
        return new Wide(negative, exponent - shift, value << shift);
    }

    /// <summary>An integer.</summary>
    public static Wide FromInteger(long value) => FromInteger(value < 0, 127, (UInt128)(ulong)Math.Abs(value));

    /// <summary>A finite operand.</summary>
    public static Wide FromOperand(in Unpacked x) => x.Kind == FloatKind.Zero ? default : new(x.Negative, x.Exponent, (UInt128)x.Significand << 64);

    /// <summary>The number as a fraction in units of 2^-128; it must be below one, and its sign is dropped.</summary>
    public UInt128 ToFraction() => Exponent < -128 ? UInt128.Zero : Significand >> (-1 - Exponent);

    /// <summary>The product with a positive number in units of 2^-127.</summary>
    public Wide Times(UInt128 factor) => FromInteger(Negative, Exponent + 1, MultiplyHigh(Significand, factor));

    /// <summary>The number divided by a small integer.</summary>
    public Wide Over(ulong divisor)
    {
        // The remainder is carried into a second word, so that no bits of the significand are lost.
        UInt128 high = Significand / divisor;
        UInt128 remainder = Significand - (high * divisor);
        int shift = (int)UInt128.LeadingZeroCount(high);
        UInt128 low = (remainder << 64) / divisor;
        return new Wide(Negative, Exponent - shift, (high << shift) | (shift == 0 ? 0 : low >> (64 - shift)));
    }

    /// <summary>The number × 2^<paramref name="power"/>.</summary>
    public Wide Scale(int power) => new(Negative, Exponent + power, Significand);

    /// <summary>The absolute value.</summary>
    public Wide Absolute => new(false, Exponent, Significand);

    /// <summary>True when the magnitude is less than that of <paramref name="other"/>.</summary>
    public bool IsSmallerThan(in Wide other) =>
        !other.IsZero && (IsZero || Exponent < other.Exponent || (Exponent == other.Exponent && Significand < other.Significand));

    /// <summary>Rounds to a register; a value known to be irrational is never taken for an exact one.</summary>
    public Encoded Round(bool exact, ref FloatContext context)
    {
        if (IsZero)
        {
            return Encoded.Zero(Negative);
        }

        int exponent = Exponent + FloatFormat.Extended.Bias;
        if (exact || context.Rounding != RoundingMode.Nearest || exponent is < 1 or >= 0x7ffe)
        {
            return FloatRounding.Round(Negative, Exponent, exact ? Significand : Significand | UInt128.One, FloatFormat.Extended, ref context);
        }

        // What is not exact is never halfway.
        ulong up = (ulong)Significand >> 63;
        ulong rounded = (ulong)(Significand >> 64) + up;
        context.Raise(FloatFlags.Precision);
        context.RoundedUp = up != 0;
        return rounded != 0 ? new Encoded(Negative, exponent, rounded) : new Encoded(Negative, exponent + 1, Unpacked.IntegerBit);
    }

    /// <summary>The upper half of a product, a few units low.</summary>
    public static UInt128 MultiplyHigh(UInt128 x, UInt128 y)
    {
        ulong x1 = (ulong)(x >> 64);
        ulong x0 = (ulong)x;
        ulong y1 = (ulong)(y >> 64);
        ulong y0 = (ulong)y;
        return new UInt128(MultiplyHigh(x1, y1), x1 * y1) + MultiplyHigh(x1, y0) + MultiplyHigh(x0, y1);
    }

    /// <summary>The upper half of a product.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong MultiplyHigh(ulong x, ulong y) => Bmi2.X64.IsSupported ? Bmi2.X64.MultiplyNoFlags(x, y) : Math.BigMul(x, y, out _);

    private static Wide FromDouble(double value)
    {
        ulong bits = BitConverter.DoubleToUInt64Bits(value);
        return new Wide(false, (int)((bits >> 52) & 0x7ff) - 1023, (UInt128)((bits << 11) | (1UL << 63)) << 64);
    }
}
