using System.Numerics;

namespace Emu.Frontend.X86.SoftFloat;

/// <summary>Order of two operands.</summary>
internal enum FloatOrder
{
    /// <summary>First is less.</summary>
    Less,

    /// <summary>Equal.</summary>
    Equal,

    /// <summary>First is greater.</summary>
    Greater,

    /// <summary>One is a NaN.</summary>
    Unordered,
}

/// <summary>
/// Arithmetic on unpacked operands: special cases by class, then one exact result handed to <see cref="FloatRounding"/>.
/// Exceptions follow SDM vol. 1, 4.9: NaN and invalid operands outrank zero divide, which outranks denormal operands.
/// </summary>
internal static class FloatMath
{
    /// <summary>Sum.</summary>
    public static Encoded Add(in Unpacked a, in Unpacked b, in FloatFormat format, ref FloatContext context)
    {
        if (AnyNan(a, b))
        {
            return PropagateNan(a, b, format, ref context);
        }

        if (a.Kind == FloatKind.Infinity && b.Kind == FloatKind.Infinity && a.Negative != b.Negative)
        {
            return Invalid(format, ref context);
        }

        NoteDenormals(a, b, ref context);
        if (a.Kind == FloatKind.Infinity || b.Kind == FloatKind.Infinity)
        {
            return Encoded.Infinity(a.Kind == FloatKind.Infinity ? a.Negative : b.Negative, format);
        }

        if (a.Kind == FloatKind.Zero && b.Kind == FloatKind.Zero)
        {
            return Encoded.Zero(a.Negative == b.Negative ? a.Negative : context.Rounding == RoundingMode.Down);
        }

        return AddExact(
            a.Negative, a.Kind == FloatKind.Zero ? b.Exponent : a.Exponent, (UInt128)(a.Kind == FloatKind.Zero ? 0 : a.Significand) << 64,
            b.Negative, b.Kind == FloatKind.Zero ? a.Exponent : b.Exponent, (UInt128)(b.Kind == FloatKind.Zero ? 0 : b.Significand) << 64,
            format, ref context);
    }

    /// <summary>Difference a − b.</summary>
    public static Encoded Subtract(in Unpacked a, in Unpacked b, in FloatFormat format, ref FloatContext context) =>
        AnyNan(a, b) ? PropagateNan(a, b, format, ref context) : Add(a, b.Negated, format, ref context);

    /// <summary>Product.</summary>
    public static Encoded Multiply(in Unpacked a, in Unpacked b, in FloatFormat format, ref FloatContext context)
    {
        if (AnyNan(a, b))
        {
            return PropagateNan(a, b, format, ref context);
        }

        bool negative = a.Negative != b.Negative;
        bool infinite = a.Kind == FloatKind.Infinity || b.Kind == FloatKind.Infinity;
        bool zero = a.Kind == FloatKind.Zero || b.Kind == FloatKind.Zero;
        if (infinite && zero)
        {
            return Invalid(format, ref context);
        }

        NoteDenormals(a, b, ref context);
        if (infinite || zero)
        {
            return infinite ? Encoded.Infinity(negative, format) : Encoded.Zero(negative);
        }

        UInt128 product = Product(a, b, out int exponent);
        return FloatRounding.Round(negative, exponent, product, format, ref context);
    }

    /// <summary>Quotient a ÷ b.</summary>
    public static Encoded Divide(in Unpacked a, in Unpacked b, in FloatFormat format, ref FloatContext context)
    {
        if (AnyNan(a, b))
        {
            return PropagateNan(a, b, format, ref context);
        }

        bool negative = a.Negative != b.Negative;
        if (a.Kind == b.Kind && a.Kind is FloatKind.Infinity or FloatKind.Zero)
        {
            return Invalid(format, ref context);
        }

        if (b.Kind == FloatKind.Zero && a.Kind == FloatKind.Finite)
        {
            context.Raise(FloatFlags.ZeroDivide);
            return Encoded.Infinity(negative, format);
        }

        NoteDenormals(a, b, ref context);
        if (a.Kind == FloatKind.Infinity)
        {
            return Encoded.Infinity(negative, format);
        }

        if (a.Kind == FloatKind.Zero || b.Kind == FloatKind.Infinity)
        {
            return Encoded.Zero(negative);
        }

        bool shorter = a.Significand < b.Significand;
        UInt128 dividend = (UInt128)a.Significand << (shorter ? 64 : 63);
        ulong quotient = (ulong)(dividend / b.Significand);
        ulong remainder = (ulong)(dividend - ((UInt128)quotient * b.Significand));
        UInt128 tail = Tail((UInt128)remainder << 1 >= b.Significand, remainder != 0, (UInt128)remainder << 1 != b.Significand);
        return FloatRounding.Round(negative, a.Exponent - b.Exponent - (shorter ? 1 : 0), ((UInt128)quotient << 64) | tail, format, ref context);
    }

    /// <summary>Square root.</summary>
    public static Encoded SquareRoot(in Unpacked a, in FloatFormat format, ref FloatContext context)
    {
        if (AnyNan(a, a))
        {
            return PropagateNan(a, a, format, ref context);
        }

        if (a.Kind == FloatKind.Zero)
        {
            return Encoded.Zero(a.Negative);
        }

        if (a.Negative)
        {
            return Invalid(format, ref context);
        }

        NoteDenormals(a, a, ref context);
        if (a.Kind == FloatKind.Infinity)
        {
            return Encoded.Infinity(negative: false, format);
        }

        UInt128 radicand = (UInt128)a.Significand << ((a.Exponent & 1) != 0 ? 64 : 63);
        ulong root = IntegerSquareRoot(radicand);
        UInt128 remainder = radicand - ((UInt128)root * root);
        return FloatRounding.Round(false, a.Exponent >> 1, ((UInt128)root << 64) | Tail(remainder > root, remainder != 0, true), format, ref context);
    }

    /// <summary>a × b + c with one rounding, for formats whose products fit 128 bits with room (binary32 and binary64).</summary>
    public static Encoded FusedMultiplyAdd(in Unpacked a, in Unpacked b, in Unpacked c, in FloatFormat format, ref FloatContext context)
    {
        bool invalidProduct = (a.Kind == FloatKind.Infinity && b.Kind == FloatKind.Zero) || (a.Kind == FloatKind.Zero && b.Kind == FloatKind.Infinity);
        if (AnyNan(a, b) || c.IsNan)
        {
            context.Raise(a.Kind == FloatKind.SignalingNan || b.Kind == FloatKind.SignalingNan || c.Kind == FloatKind.SignalingNan ? FloatFlags.Invalid : FloatFlags.None);
            return Encoded.Quiet(a.IsNan ? a : b.IsNan ? b : c, format);
        }

        bool negative = a.Negative != b.Negative;
        bool infinite = a.Kind == FloatKind.Infinity || b.Kind == FloatKind.Infinity;
        if (invalidProduct || (infinite && c.Kind == FloatKind.Infinity && c.Negative != negative))
        {
            return Invalid(format, ref context);
        }

        NoteDenormals(a, b, ref context);
        NoteDenormals(c, c, ref context);
        if (infinite || c.Kind == FloatKind.Infinity)
        {
            return Encoded.Infinity(infinite ? negative : c.Negative, format);
        }

        if (a.Kind == FloatKind.Zero || b.Kind == FloatKind.Zero)
        {
            return c.Kind != FloatKind.Zero
                ? FloatRounding.Round(c.Negative, c.Exponent, (UInt128)c.Significand << 64, format, ref context)
                : Encoded.Zero(c.Negative == negative ? negative : context.Rounding == RoundingMode.Down);
        }

        UInt128 product = Product(a, b, out int exponent);
        return c.Kind == FloatKind.Zero
            ? FloatRounding.Round(negative, exponent, product, format, ref context)
            : AddExact(negative, exponent, product, c.Negative, c.Exponent, (UInt128)c.Significand << 64, format, ref context);
    }

    /// <summary>Compares; NaNs raise invalid when signaling, or always when <paramref name="quiet"/> is false.</summary>
    public static FloatOrder Compare(in Unpacked a, in Unpacked b, bool quiet, ref FloatContext context)
    {
        if (AnyNan(a, b))
        {
            bool raises = !quiet || a.Kind is FloatKind.SignalingNan or FloatKind.Unsupported || b.Kind is FloatKind.SignalingNan or FloatKind.Unsupported;
            context.Raise(raises ? FloatFlags.Invalid : FloatFlags.None);
            return FloatOrder.Unordered;
        }

        NoteDenormals(a, b, ref context);
        int order = CompareNumbers(a, b);
        return order < 0 ? FloatOrder.Less : order > 0 ? FloatOrder.Greater : FloatOrder.Equal;
    }

    /// <summary>The NaN that an operation on one or two NaNs returns (SDM vol. 1, table 4-7).</summary>
    public static Encoded PropagateNan(in Unpacked a, in Unpacked b, in FloatFormat format, ref FloatContext context)
    {
        if (a.Kind == FloatKind.Unsupported || b.Kind == FloatKind.Unsupported)
        {
            return Invalid(format, ref context);
        }

        if (a.Kind == FloatKind.SignalingNan || b.Kind == FloatKind.SignalingNan)
        {
            context.Raise(FloatFlags.Invalid);
        }

        if (!a.IsNan || !b.IsNan || !context.X87)
        {
            return Encoded.Quiet(a.IsNan ? a : b, format);
        }

        if (a.Kind != b.Kind)
        {
            return Encoded.Quiet(a.Kind == FloatKind.QuietNan ? a : b, format);
        }

        bool first = a.Significand != b.Significand ? a.Significand > b.Significand : !a.Negative;
        return Encoded.Quiet(first ? a : b, format);
    }

    /// <summary>Raises invalid and gives the default NaN.</summary>
    public static Encoded Invalid(in FloatFormat format, ref FloatContext context)
    {
        context.Raise(FloatFlags.Invalid);
        return Encoded.DefaultNan(format);
    }

    /// <summary>Raises the denormal exception when an operand is a denormal number.</summary>
    public static void NoteDenormals(in Unpacked a, in Unpacked b, ref FloatContext context) =>
        context.Raise(a.IsDenormal || b.IsDenormal ? FloatFlags.Denormal : FloatFlags.None);

    /// <summary>True when an operand is a NaN, or no number at all.</summary>
    public static bool AnyNan(in Unpacked a, in Unpacked b) => a.Kind >= FloatKind.QuietNan || b.Kind >= FloatKind.QuietNan;

    private static UInt128 Product(in Unpacked a, in Unpacked b, out int exponent)
    {
        UInt128 product = (UInt128)a.Significand * b.Significand;
        bool full = product >> 127 != 0;
        exponent = a.Exponent + b.Exponent + (full ? 1 : 0);
        return full ? product : product << 1;
    }

    // Significands are normalised at bit 127 (or zero); one bit of each is given up for the carry, which costs nothing as
    // long as bit 0 is clear: 64-bit significands, and products of 53-bit ones.
    private static Encoded AddExact(
        bool negativeA, int exponentA, UInt128 a, bool negativeB, int exponentB, UInt128 b, in FloatFormat format, ref FloatContext context)
    {
        a >>= 1;
        b >>= 1;
        int exponent = Math.Max(exponentA, exponentB);
        a = FloatRounding.ShiftRightSticky(a, exponent - exponentA);
        b = FloatRounding.ShiftRightSticky(b, exponent - exponentB);
        bool negative = negativeA;
        UInt128 sum;
        if (negativeA == negativeB)
        {
            sum = a + b;
        }
        else if (a >= b)
        {
            sum = a - b;
        }
        else
        {
            sum = b - a;
            negative = negativeB;
        }

        if (sum == 0)
        {
            return Encoded.Zero(context.Rounding == RoundingMode.Down);
        }

        int shift = (int)UInt128.LeadingZeroCount(sum);
        return FloatRounding.Round(negative, exponent + 1 - shift, sum << shift, format, ref context);
    }

    // What follows the 64 kept bits: the next bit, and whether anything is left below it.
    private static UInt128 Tail(bool half, bool inexact, bool notExactlyHalf) =>
        ((UInt128)(half ? 1UL : 0) << 63) | (inexact && (!half || notExactlyHalf) ? UInt128.One : UInt128.Zero);

    /// <summary>The integer square root of a number of 127 or 128 bits.</summary>
    public static ulong IntegerSquareRoot(UInt128 value)
    {
        // The estimate is good to 52 bits, one Newton step squares its error; the loops mend the last unit.
        double estimate = Math.Sqrt((double)(ulong)(value >> 64)) * 4294967296.0;
        ulong root = estimate >= 18446744073709551615.0 ? ulong.MaxValue : (ulong)estimate;
        Int128 error = (Int128)(value - ((UInt128)root * root));
        long correction = (long)((double)(long)(error >> 20) * (1 << 19) / root);
        root = correction > 0 && root > ulong.MaxValue - (ulong)correction ? ulong.MaxValue : root + (ulong)correction;
        Int128 rest = (Int128)(value - ((UInt128)root * root));
        while (rest < 0)
        {
            root--;
            rest += (2 * (Int128)root) + 1;
        }

        while (rest > 2 * (Int128)root)
        {
            rest -= (2 * (Int128)root) + 1;
            root++;
        }

        return root;
    }

    private static int CompareNumbers(in Unpacked a, in Unpacked b)
    {
        if (a.Kind == FloatKind.Zero && b.Kind == FloatKind.Zero)
        {
            return 0;
        }

        int signA = a.Kind == FloatKind.Zero ? 0 : a.Negative ? -1 : 1;
        int signB = b.Kind == FloatKind.Zero ? 0 : b.Negative ? -1 : 1;
        return signA != signB || signA == 0 ? signA.CompareTo(signB) : signA * CompareMagnitudes(a, b);
    }

    private static int CompareMagnitudes(in Unpacked a, in Unpacked b)
    {
        if (a.Kind == FloatKind.Infinity || b.Kind == FloatKind.Infinity)
        {
            return (a.Kind == FloatKind.Infinity).CompareTo(b.Kind == FloatKind.Infinity);
        }

        return a.Exponent != b.Exponent ? a.Exponent.CompareTo(b.Exponent) : a.Significand.CompareTo(b.Significand);
    }
}
