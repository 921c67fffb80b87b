namespace Emu.Frontend.X86.SoftFloat;

/// <summary>Conversions between formats and to integers, and rounding to an integral value.</summary>
internal static class FloatConvert
{
    /// <summary>Converts to a format.</summary>
    public static Encoded ToFormat(in Unpacked a, in FloatFormat format, ref FloatContext context)
    {
        if (FloatMath.AnyNan(a, a))
        {
            return FloatMath.PropagateNan(a, a, format, ref context);
        }

        FloatMath.NoteDenormals(a, a, ref context);
        return a.Kind switch
        {
            FloatKind.Zero => Encoded.Zero(a.Negative),
            FloatKind.Infinity => Encoded.Infinity(a.Negative, format),
            _ => FloatRounding.Round(a.Negative, a.Exponent, (UInt128)a.Significand << 64, format, ref context),
        };
    }

    /// <summary>
    /// Converts to a signed integer of <paramref name="bits"/> bits. NaNs, infinities and numbers out of range raise invalid and
    /// give the integer indefinite, the most negative value (SDM vol. 1, 4.8.3.7 and E.4.2.2).
    /// </summary>
    public static long ToInteger(in Unpacked a, int bits, RoundingMode mode, ref FloatContext context)
    {
        long indefinite = long.MinValue >> (64 - bits);
        if (a.Kind == FloatKind.Zero)
        {
            return 0;
        }

        if (a.Kind != FloatKind.Finite || a.Exponent > 63)
        {
            context.Raise(FloatFlags.Invalid);
            return indefinite;
        }

        UInt128 magnitude = RoundMagnitude(a, mode, out bool inexact, out bool up);
        UInt128 limit = (UInt128.One << (bits - 1)) - (a.Negative ? UInt128.Zero : UInt128.One);
        if (magnitude > limit)
        {
            context.Raise(FloatFlags.Invalid);
            return indefinite;
        }

        context.RoundedUp = up;
        context.Raise(inexact ? FloatFlags.Precision : FloatFlags.None);
        long value = (long)(ulong)magnitude;
        return a.Negative ? -value : value;
    }

    /// <summary>Rounds to an integral value of the same format. Raises precision unless <paramref name="exact"/> is false.</summary>
    public static Encoded RoundToIntegral(in Unpacked a, in FloatFormat format, RoundingMode mode, bool exact, ref FloatContext context)
    {
        if (FloatMath.AnyNan(a, a))
        {
            return FloatMath.PropagateNan(a, a, format, ref context);
        }

        if (a.Kind != FloatKind.Finite || a.Exponent >= 63)
        {
            return ToFormat(a, format, ref context);
        }

        UInt128 magnitude = RoundMagnitude(a, mode, out bool inexact, out bool up);
        context.RoundedUp = up;
        context.Raise(inexact && exact ? FloatFlags.Precision : FloatFlags.None);
        if (magnitude == 0)
        {
            return Encoded.Zero(a.Negative);
        }

        int shift = (int)UInt128.LeadingZeroCount(magnitude);
        return new Encoded(a.Negative, 127 - shift + format.Bias, (ulong)((magnitude << shift) >> 64));
    }

    /// <summary>The magnitude of a number below 2^64 rounded to an integer.</summary>
    public static UInt128 RoundMagnitude(in Unpacked a, RoundingMode mode, out bool inexact, out bool up)
    {
        // 64 integer bits above 64 fraction bits.
        UInt128 fixedPoint = FloatRounding.ShiftRightSticky((UInt128)a.Significand << 64, 63 - a.Exponent);
        ulong fraction = (ulong)fixedPoint;
        UInt128 integer = fixedPoint >> 64;
        inexact = fraction != 0;
        up = FloatRounding.RoundsUp(a.Negative, ((ulong)integer & 1) != 0, fraction >> 63 != 0, fraction << 1 != 0, mode);
        return up ? integer + 1 : integer;
    }
}
