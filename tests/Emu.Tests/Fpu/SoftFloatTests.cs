using System.Numerics;
using Emu.Frontend.X86.SoftFloat;

namespace Emu.Tests.Fpu;

/// <summary>The softfloat core against exact rational arithmetic, in every format and rounding mode, on finite operands.</summary>
public sealed class SoftFloatTests
{
    private const int Cases = 4000;

    public static TheoryData<string, int, int> Modes()
    {
        var data = new TheoryData<string, int, int>();
        foreach (string operation in new[] { "add", "subtract", "multiply", "divide", "sqrt", "fma" })
        {
            foreach (int precision in operation == "fma" ? new[] { 24, 53 } : [24, 53, 64])
            {
                for (int mode = 0; mode < 4; mode++)
                {
                    data.Add(operation, precision, mode);
                }
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void Operation_FiniteOperands_EqualsExactlyRoundedRational(string operation, int precision, int mode)
    {
        FloatFormat format = precision switch { 24 => FloatFormat.Single, 53 => FloatFormat.Double, _ => FloatFormat.Extended };
        var random = new Random(precision + mode);
        for (int i = 0; i < Cases; i++)
        {
            Unpacked a = Next(random, format);
            Unpacked b = Next(random, format);
            Unpacked c = Next(random, format);
            a = operation == "sqrt" ? a.Absolute : a;
            var context = new FloatContext { Rounding = (RoundingMode)mode, Masks = FloatFlags.All };

            Encoded actual = Compute(operation, a, b, c, format, ref context);

            (bool negative, BigInteger numerator, BigInteger denominator) = Exact(operation, a, b, c);
            if (numerator.IsZero)
            {
                Assert.Equal(0UL, actual.Significand);
                continue;
            }

            (BigInteger significand, int unit, bool inexact) = Reference(negative, numerator, denominator, format, (RoundingMode)mode, operation == "sqrt");
            bool overflows = unit + precision - 1 > format.Bias;
            Assert.Equal(overflows, (context.Flags & FloatFlags.Overflow) != 0);
            Assert.Equal(negative, actual.Negative);
            if (!overflows)
            {
                Assert.Equal(inexact, (context.Flags & FloatFlags.Precision) != 0);
                Assert.Equal(significand, actual.Significand >> (64 - precision));
                Assert.True(significand.IsZero || unit == Math.Max(actual.BiasedExponent, 1) - format.Bias - precision + 1);
            }
        }
    }

    private static Encoded Compute(string operation, in Unpacked a, in Unpacked b, in Unpacked c, in FloatFormat format, ref FloatContext context) => operation switch
    {
        "add" => FloatMath.Add(a, b, format, ref context),
        "subtract" => FloatMath.Subtract(a, b, format, ref context),
        "multiply" => FloatMath.Multiply(a, b, format, ref context),
        "divide" => FloatMath.Divide(a, b, format, ref context),
        "sqrt" => FloatMath.SquareRoot(a, format, ref context),
        _ => FloatMath.FusedMultiplyAdd(a, b, c, format, ref context),
    };

    private static (bool Negative, BigInteger Numerator, BigInteger Denominator) Exact(string operation, in Unpacked a, in Unpacked b, in Unpacked c)
    {
        (BigInteger an, BigInteger ad) = Rational(a);
        (BigInteger bn, BigInteger bd) = Rational(b);
        (BigInteger cn, BigInteger cd) = Rational(c);
        (BigInteger n, BigInteger d) = operation switch
        {
            "add" => ((an * bd) + (bn * ad), ad * bd),
            "subtract" => ((an * bd) - (bn * ad), ad * bd),
            "multiply" => (an * bn, ad * bd),
            "divide" => (an * bd, ad * bn),
            "sqrt" => (an, ad),
            _ => ((an * bn * cd) + (cn * ad * bd), ad * bd * cd),
        };
        return (n.Sign * d.Sign < 0, BigInteger.Abs(n), BigInteger.Abs(d));
    }

    private static (BigInteger Numerator, BigInteger Denominator) Rational(in Unpacked x)
    {
        BigInteger signed = x.Negative ? -(BigInteger)x.Significand : x.Significand;
        int exponent = x.Exponent - 63;
        return exponent >= 0 ? (signed << exponent, BigInteger.One) : (signed, BigInteger.One << -exponent);
    }

    // The magnitude n/d (or its root) as significand × 2^unit.
    private static (BigInteger Significand, int Unit, bool Inexact) Reference(bool negative, BigInteger n, BigInteger d, in FloatFormat format, RoundingMode mode, bool root)
    {
        int top = (int)(n.GetBitLength() - d.GetBitLength());
        bool reached = top >= 0 ? n >= d << top : n << -top >= d;
        top -= reached ? 0 : 1;
        top = root ? top >> 1 : top;
        int unit = Math.Max(top, format.MinExponent) - format.Precision + 1;

        // Twice the significand, rounded down, and whether anything is left: enough for all modes.
        int shift = (root ? 2 : 1) * (1 - unit);
        BigInteger quotient = BigInteger.DivRem(shift >= 0 ? n << shift : n, shift >= 0 ? d : d << -shift, out BigInteger remainder);
        BigInteger doubled = root ? Root(quotient) : quotient;
        bool rest = !remainder.IsZero || (root && doubled * doubled != quotient);
        bool half = !doubled.IsEven;
        BigInteger result = doubled >> 1;
        bool up = mode switch
        {
            RoundingMode.Nearest => half && (rest || !result.IsEven),
            RoundingMode.Down => negative && (half || rest),
            RoundingMode.Up => !negative && (half || rest),
            _ => false,
        };
        result += up ? 1 : 0;
        return result.GetBitLength() > format.Precision ? (result >> 1, unit + 1, true) : (result, unit, half || rest);
    }

    private static BigInteger Root(BigInteger value)
    {
        BigInteger low = BigInteger.Zero;
        BigInteger high = BigInteger.One << (int)((value.GetBitLength() / 2) + 1);
        while (high - low > 1)
        {
            BigInteger middle = (low + high) >> 1;
            (low, high) = middle * middle <= value ? (middle, high) : (low, middle);
        }

        return low;
    }

    private static Unpacked Next(Random random, in FloatFormat format)
    {
        ulong bits = X87Inputs.Bits(random);
        bits = random.Next(3) switch { 0 => bits, 1 => bits & (ulong.MaxValue << random.Next(64)), _ => bits | (ulong.MaxValue >> random.Next(1, 64)) };
        ulong significand = (bits | Unpacked.IntegerBit) & (ulong.MaxValue << (64 - format.Precision));
        int exponent = random.Next(6) switch
        {
            0 => format.MinExponent + random.Next(3),
            1 => format.Bias - random.Next(3),
            2 => (format.MinExponent / 2) + random.Next(-2, 3),
            _ => random.Next(-70, 70),
        };
        return new Unpacked(FloatKind.Finite, random.Next(2) == 0, exponent, significand);
    }
}
