namespace Emu.Frontend.X86.X87;

/// <summary>Elementary functions by argument reduction and power series, good to about 120 bits.</summary>
internal static class WideMath
{
    /// <summary>π/2 in units of 2^-65, to the 66 bits that processors keep (see <see cref="ReduceQuadrant"/>).</summary>
    private static readonly UInt128 HalfPi = new(3, 0x243f6a8885a308d3);

    private static readonly Wide[] ArcTangents = BuildArcTangents();

    /// <summary>2^x − 1 for |x| ≤ 1.</summary>
    public static Wide PowerOfTwoMinusOne(in Wide x)
    {
        Wide y = x * X87Constants.Get(X87Constant.LogETwo);
        Wide factor = Wide.One;
        for (int n = 36; n > 1; n--)
        {
            factor = Wide.One + (y * factor).Over((ulong)n);
        }

        return y * factor;
    }

    /// <summary>log2(x) for a positive x.</summary>
    public static Wide LogTwo(in Wide x)
    {
        // x = 2^k · m with m near one, so that no bits cancel when k is added.
        Wide mantissa = x.Scale(-x.Exponent);
        int k = x.Exponent;
        if (mantissa.Significand >> 126 == 3)
        {
            mantissa = mantissa.Scale(-1);
            k++;
        }

        return Wide.FromInteger(k) + LogTwoOfRatio(mantissa - Wide.One, mantissa + Wide.One);
    }

    /// <summary>log2(1 + x) for x > −1.</summary>
    public static Wide LogTwoPlusOne(in Wide x)
    {
        if (x.Exponent >= -2)
        {
            return LogTwo(Wide.One + x);
        }

        return LogTwoOfRatio(x, x + Wide.FromInteger(2));
    }

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

        // x = m × 2^(e − 63) in units of 2^-65 is m × 2^(e + 2); division by doubling keeps the remainder below 66 bits.
        UInt128 remainder = x.Significand >> 64;
        for (int i = 0; i <= x.Exponent + 2; i++)
        {
            remainder <<= i == 0 ? 0 : 1;
            quadrant = (quadrant << 1) & 3;
            while (remainder >= HalfPi)
            {
                remainder -= HalfPi;
                quadrant++;
            }
        }

        bool up = remainder << 1 > HalfPi;
        quadrant = (quadrant + (up ? 1 : 0)) & 3;
        Wide result = Wide.FromInteger(up != x.Negative, 127 - 65, up ? HalfPi - remainder : remainder);
        quadrant = x.Negative ? (4 - quadrant) & 3 : quadrant;
        return result;
    }

    /// <summary>Sine of a reduced angle.</summary>
    public static Wide Sine(in Wide x)
    {
        Wide square = x * x;
        Wide factor = Wide.One;
        for (int n = 36; n > 0; n -= 2)
        {
            factor = Wide.One - (square * factor).Over((ulong)(n * (n + 1)));
        }

        return x * factor;
    }

    /// <summary>Cosine of a reduced angle.</summary>
    public static Wide Cosine(in Wide x)
    {
        Wide square = x * x;
        Wide factor = Wide.One;
        for (int n = 35; n > 0; n -= 2)
        {
            factor = Wide.One - (square * factor).Over((ulong)(n * (n + 1)));
        }

        return factor;
    }

    // log2((1 + s) / (1 − s)) with s = numerator / denominator, by the series of the area tangent.
    private static Wide LogTwoOfRatio(in Wide numerator, in Wide denominator)
    {
        if (numerator.IsZero)
        {
            return default;
        }

        Wide s = numerator / denominator;
        Wide square = s * s;
        Wide sum = default;
        for (int n = 61; n > 0; n -= 2)
        {
            sum = (sum * square) + Wide.One.Over((ulong)n);
        }

        return (s * sum).Scale(1) * X87Constants.Get(X87Constant.LogTwoE);
    }

    private static Wide ArcTangentSeries(in Wide t)
    {
        if (t.IsZero)
        {
            return default;
        }

        Wide square = t * t;
        Wide sum = default;
        for (int n = 37; n > 0; n -= 2)
        {
            sum = Wide.One.Over((ulong)n) - (sum * square);
        }

        return t * sum;
    }

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
