namespace Emu.Frontend.X86.SoftFloat;

/// <summary>The one place where an exact result becomes a number of a format (SDM vol. 1, 4.8.4 and 4.9.1).</summary>
internal static class FloatRounding
{
    /// <summary>
    /// Rounds ±<paramref name="significand"/> × 2^(<paramref name="exponent"/> − 127). Bit 127 must be set; bits below the
    /// precision may be summed up in bit 0.
    /// </summary>
    public static Encoded Round(bool negative, int exponent, UInt128 significand, in FloatFormat format, ref FloatContext context)
    {
        int drop = 128 - format.Precision;
        if (exponent < format.MinExponent && IsTinyAfterRounding(negative, exponent, significand, format, context.Rounding))
        {
            if (context.Masked(FloatFlags.Underflow))
            {
                return RoundTiny(negative, exponent, significand, format, ref context);
            }

            context.Raise(FloatFlags.Underflow);
            exponent += context.X87 ? format.Wrap : 0;
            if (context.X87 && exponent < format.MinExponent)
            {
                // Only FSCALE gets so far down that the wrapped exponent is no help.
                context.Raise(FloatFlags.Precision);
                return Encoded.Zero(negative);
            }
        }

        bool inexact = RoundAt(negative, ref significand, ref exponent, drop, context.Rounding, out bool up);
        context.RoundedUp = up;
        if (exponent > format.Bias)
        {
            if (context.Masked(FloatFlags.Overflow))
            {
                return Overflow(negative, format, ref context);
            }

            // The wrapped result is what x87 delivers; SSE discards it, and either way precision tells only of lost bits.
            context.Raise(FloatFlags.Overflow);
            if (!context.X87)
            {
                // #XM follows, nobody sees the result; the precision flag tells of the rounding alone.
                context.Raise(inexact ? FloatFlags.Precision : FloatFlags.None);
                return Encoded.Infinity(negative, format);
            }

            exponent -= format.Wrap;
            if (context.X87 && exponent > format.Bias)
            {
                context.Raise(FloatFlags.Precision);
                context.RoundedUp = true;
                return Encoded.Infinity(negative, format);
            }
        }

        context.Raise(inexact ? FloatFlags.Precision : FloatFlags.None);
        return new Encoded(negative, exponent + format.Bias, (ulong)(significand >> 64));
    }

    /// <summary>Whether rounding moves a magnitude up, given its last kept bit and what lies below in units of half that bit.</summary>
    public static bool RoundsUp(bool negative, bool odd, bool half, bool rest, RoundingMode mode) => mode switch
    {
        RoundingMode.Nearest => half && (rest || odd),
        RoundingMode.Down => negative && (half || rest),
        RoundingMode.Up => !negative && (half || rest),
        _ => false,
    };

    /// <summary>Shifts right, keeping in bit 0 whether anything was lost.</summary>
    public static UInt128 ShiftRightSticky(UInt128 value, int count)
    {
        if (count <= 0)
        {
            return value;
        }

        if (count > 127)
        {
            return value == 0 ? UInt128.Zero : UInt128.One;
        }

        return (value >> count) | ((value << (128 - count)) != 0 ? UInt128.One : UInt128.Zero);
    }

    // Tininess is judged with an unbounded exponent: a number that rounds up to the smallest normal one is not tiny.
    private static bool IsTinyAfterRounding(bool negative, int exponent, UInt128 significand, in FloatFormat format, RoundingMode mode)
    {
        if (exponent < format.MinExponent - 1)
        {
            return true;
        }

        RoundAt(negative, ref significand, ref exponent, 128 - format.Precision, mode, out _);
        return exponent < format.MinExponent;
    }

    private static Encoded RoundTiny(bool negative, int exponent, UInt128 significand, in FloatFormat format, ref FloatContext context)
    {
        if (context.FlushToZero)
        {
            context.Raise(FloatFlags.Underflow | FloatFlags.Precision);
            return Encoded.Zero(negative);
        }

        int denormalExponent = format.MinExponent;
        significand = ShiftRightSticky(significand, format.MinExponent - exponent);
        bool inexact = RoundAt(negative, ref significand, ref denormalExponent, 128 - format.Precision, context.Rounding, out bool up);
        context.RoundedUp = up;
        context.Raise(inexact ? FloatFlags.Underflow | FloatFlags.Precision : FloatFlags.None);
        ulong result = (ulong)(significand >> 64);
        return new Encoded(negative, (result & Unpacked.IntegerBit) != 0 ? 1 : 0, result);
    }

    private static Encoded Overflow(bool negative, in FloatFormat format, ref FloatContext context)
    {
        context.Raise(FloatFlags.Overflow | FloatFlags.Precision);
        bool toInfinity = context.Rounding == RoundingMode.Nearest || context.Rounding == (negative ? RoundingMode.Down : RoundingMode.Up);
        context.RoundedUp = toInfinity;
        return toInfinity ? Encoded.Infinity(negative, format) : Encoded.Largest(negative, format);
    }

    // Rounds at bit `drop`; a carry out of the top renormalises. Returns whether anything was lost.
    private static bool RoundAt(bool negative, ref UInt128 significand, ref int exponent, int drop, RoundingMode mode, out bool up)
    {
        UInt128 unit = UInt128.One << drop;
        UInt128 low = significand & (unit - 1);
        UInt128 half = unit >> 1;
        significand -= low;
        up = RoundsUp(negative, (significand & unit) != 0, (low & half) != 0, (low & (half - 1)) != 0, mode);
        if (up)
        {
            significand += unit;
            if (significand == 0)
            {
                significand = UInt128.One << 127;
                exponent++;
            }
        }

        return low != 0;
    }
}
