namespace Emu.Frontend.X86.X87;

/// <summary>Elementary functions by argument reduction and power series, good to about 80 bits.</summary>
internal static class WideMath
{
    /// <summary>π/2 in units of 2^-65, to the 66 bits that processors keep (see <see cref="ReduceQuadrant"/>).</summary>
    private static readonly UInt128 HalfPi = new(3, 0x243f6a8885a308d3);

    /// <summary>1/π in units of 2^-64, rounded down.</summary>
    private const ulong InversePi = 0x517cc1b727220a94;

    private static readonly Wide[] ArcTangents = BuildArcTangents();

    /// <summary>2^x − 1 for |x| ≤ 1.</summary>
    public static Wide PowerOfTwoMinusOne(in Wide x)
    {
        Wide y = x * X87Constants.Get(X87Constant.LogETwo);
        return y.Times(WideSeries.Exponential.Evaluate(y.ToFraction(), y.Negative));
    }

    /// <summary>log2(x) for a positive x.</summary>
    public static Wide LogTwo(in Wide x)
    {
        // x = 2^k · m with m near one, so that no bits cancel when k is added; five bits make room for the product below.
        bool upper = x.Significand >> 126 == 3;
        int k = upper ? x.Exponent + 1 : x.Exponent;
        UInt128 m = x.Significand >> (upper ? 6 : 5);

        // m · c = 1 + r with a small r; the product's integer part goes out of the top, and what is left is r in units of 2^-133.
        int index = (int)(((uint)(m >> 113) + 1) >> 1);
        Int128 r = (Int128)(m * WideSeries.Reciprocal(index));
        Wide near = LogTwoNearOne(Wide.FromInteger(r < 0, 127 - 133, (UInt128)(r < 0 ? -r : r)));
        if (k == 0 && index == 256)
        {
            return near;
        }

        UInt128 small = near.Exponent < -112 ? UInt128.Zero : near.Significand >> (127 - 112 - near.Exponent);
        Int128 sum = ((Int128)k << 112) + WideSeries.Logarithm(index) + (near.Negative ? -(Int128)small : (Int128)small);
        return Wide.FromInteger(sum < 0, 127 - 112, (UInt128)(sum < 0 ? -sum : sum));
    }

    /// <summary>log2(1 + x) for x > −1.</summary>
    public static Wide LogTwoPlusOne(in Wide x) => x.Exponent < -9 ? LogTwoNearOne(x) : LogTwo(Wide.One + x);

    /// <summary>The angle of the point (x, y), both positive.</summary>
    public static Wide ArcTangent(in Wide y, in Wide x)
    {
        bool steep = x.IsSmallerThan(y);
        Wide t = steep ? x / y : y / x;
        int k = NearestEighth(t);
        Wide c = Wide.FromInteger(k).Scale(-3);
        Wide angle = ArcTangents[k] + ArcTangentSeries((t - c) / (Wide.One + (t * c)));
        return steep ? X87Constants.Get(X87Constant.Pi).Scale(-1) - angle : angle;
    }

    /// <summary>
    /// Reduces |x| &lt; 2^63 to a quadrant and a remainder of at most π/4, exactly, by the 66-bit π that processors use
    /// (SDM vol. 1, 8.3.8).
    /// </summary>
    public static Wide ReduceQuadrant(in Wide x, out int quadrant)
    {
        quadrant = 0;
        if (x.Exponent < -1)
        {
            return x;
        }

        // x = m × 2^(e − 63) in units of 2^-65 is m × 2^(e + 2); the quotient's estimate is low by at most two.
        UInt128 remainder = (x.Significand >> 64) << (x.Exponent + 2);
        ulong quotient = Wide.MultiplyHigh((ulong)(remainder >> 64), InversePi);
        remainder -= quotient * HalfPi;
        while (remainder >= HalfPi)
        {
            remainder -= HalfPi;
            quotient++;
        }

        bool up = remainder << 1 > HalfPi;
        quadrant = (int)(quotient + (up ? 1UL : 0)) & 3;
        Wide result = Wide.FromInteger(up != x.Negative, 127 - 65, up ? HalfPi - remainder : remainder);
        quadrant = x.Negative ? (4 - quadrant) & 3 : quadrant;
        return result;
    }

    /// <summary>Sine of a reduced angle.</summary>
    public static Wide Sine(in Wide x) => x.Times(WideSeries.Sine.Evaluate(SquareFraction(x), alternating: true));

    /// <summary>Cosine of a reduced angle.</summary>
    public static Wide Cosine(in Wide x) => Wide.FromInteger(negative: false, 0, WideSeries.Cosine.Evaluate(SquareFraction(x), alternating: true));

    private static Wide LogTwoNearOne(in Wide r) => r.IsZero ? default : r.Times(WideSeries.LogTwo.Evaluate(r.ToFraction(), !r.Negative));

    private static Wide ArcTangentSeries(in Wide t) => t.IsZero ? default : t.Times(WideSeries.ArcTangent.Evaluate(SquareFraction(t), alternating: true));

    // The square of a number below one, in units of 2^-128.
    private static UInt128 SquareFraction(in Wide x) =>
        x.Exponent < -64 ? UInt128.Zero : Wide.MultiplyHigh(x.Significand, x.Significand) >> (-2 - (2 * x.Exponent));

    // The nearest multiple of 1/8 to a number in [0, 1], in eighths.
    private static int NearestEighth(in Wide t) => t.Exponent < -4 || t.IsZero ? 0 : (int)(((t.Significand >> (123 - t.Exponent)) + 1) >> 1);

    private static Wide[] BuildArcTangents()
    {
        // atan(k/8) from atan((k−1)/8) by the subtraction theorem: the difference has tangent 8 / (64 + k(k−1)).
        var table = new Wide[9];
        for (int k = 1; k < table.Length; k++)
        {
            table[k] = table[k - 1] + ArcTangentSeries(Wide.FromInteger(8) / Wide.FromInteger(64 + (k * (k - 1))));
        }

        return table;
    }
}
