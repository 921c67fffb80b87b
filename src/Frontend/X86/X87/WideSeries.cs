namespace Emu.Frontend.X86.X87;

/// <summary>The power series of <see cref="WideMath"/>, cut where they err by about 2^-80, and its table of logarithms, computed once.</summary>
internal static class WideSeries
{
    private const int FirstIndex = 192;

    private static readonly UInt128 One = UInt128.One << 127;

    /// <summary>(e^x − 1) / x for |x| &lt; 0.7.</summary>
    public static readonly WidePolynomial Exponential = Factorials(22, head: 7, scale: 15, static n => n + 1);

    /// <summary>sin(√x) / √x for x &lt; 0.62, signs alternating.</summary>
    public static readonly WidePolynomial Sine = Factorials(11, head: 4, scale: 18, static n => 2 * n * ((2 * n) + 1));

    /// <summary>cos(√x) for x &lt; 0.62, signs alternating.</summary>
    public static readonly WidePolynomial Cosine = Factorials(12, head: 4, scale: 15, static n => 2 * n * ((2 * n) - 1));

    /// <summary>log2(1 + x) / x for |x| &lt; 2^-8, signs alternating for a positive x.</summary>
    public static readonly WidePolynomial LogTwo = Fractions(X87Constants.Get(X87Constant.LogTwoE).Significand, 11, head: 3, static n => n + 1);

    /// <summary>atan(√x) / √x for x ≤ 2^-7, signs alternating.</summary>
    public static readonly WidePolynomial ArcTangent = Fractions(One, 15, head: 4, static n => (2 * n) + 1);

    private static readonly Int128[] Logarithms = BuildLogarithms();

    /// <summary>The reciprocal of <paramref name="index"/> / 256 in units of 2^-11, for 192 to 384.</summary>
    public static uint Reciprocal(int index) => ((1u << 20) + (uint)index) / (2 * (uint)index);

    /// <summary>−log2 of <see cref="Reciprocal"/> in units of 2^-112.</summary>
    public static Int128 Logarithm(int index) => Logarithms[index - FirstIndex];

    // Each coefficient is the one before divided by a number that depends on the degree.
    private static WidePolynomial Factorials(int count, int head, int scale, Func<int, int> divisor)
    {
        var coefficients = new UInt128[count];
        coefficients[0] = One;
        for (int n = 1; n < count; n++)
        {
            coefficients[n] = coefficients[n - 1] / (ulong)divisor(n);
        }

        return new WidePolynomial(coefficients, head, scale);
    }

    private static WidePolynomial Fractions(UInt128 numerator, int count, int head, Func<int, int> denominator)
    {
        var coefficients = new UInt128[count];
        for (int n = 0; n < count; n++)
        {
            coefficients[n] = numerator / (ulong)denominator(n);
        }

        return new WidePolynomial(coefficients, head, scale: 0);
    }

    private static Int128[] BuildLogarithms()
    {
        // log2 of the ratio of neighbours, (1 + s) / (1 − s) with a small s, summed up from the entry of one to both sides.
        var table = new Int128[FirstIndex + 1];
        for (int index = 257; index <= 2 * FirstIndex; index++)
        {
            table[index - FirstIndex] = table[index - 1 - FirstIndex] + LogTwoOfRatio(Reciprocal(index - 1), Reciprocal(index));
        }

        for (int index = 255; index >= FirstIndex; index--)
        {
            table[index - FirstIndex] = table[index + 1 - FirstIndex] - LogTwoOfRatio(Reciprocal(index), Reciprocal(index + 1));
        }

        return table;
    }

    // log2(a / b) in units of 2^-112 for a slightly greater a, by the series of the area tangent.
    private static Int128 LogTwoOfRatio(uint a, uint b)
    {
        Wide s = Wide.FromInteger(a - b) / Wide.FromInteger(a + b);
        Wide square = s * s;
        Wide sum = default;
        for (int n = 15; n > 0; n -= 2)
        {
            sum = (sum * square) + Wide.One.Over((ulong)n);
        }

        Wide result = (s * sum).Scale(1) * X87Constants.Get(X87Constant.LogTwoE);
        return (Int128)(result.Significand >> (127 - 112 - result.Exponent));
    }
}
