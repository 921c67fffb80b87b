using Emu.Frontend.Ir;
using Emu.Frontend.X86.SoftFloat;

namespace Emu.Frontend.X86.X87;

/// <summary>
/// The transcendental instructions (SDM vol. 1, 8.3.7 to 8.3.10; vol. 2). Results are rounded once from about 80 bits, by RC
/// and to 64 bits whatever PC is, so they lie within one unit of any processor that keeps the manual's bound. Results other than special ones always raise precision.
/// </summary>
internal static unsafe class X87Transcendental
{
    /// <summary>F2XM1.</summary>
    public static ulong F2xm1(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        FloatContext context = X87Stack.Begin(state);
        return X87Arithmetic.RequireTop(state) ? X87Arithmetic.Replace(state, PowerMinusOne(X87Stack.Read(state, 0), ref context), context) : 0;
    }

    /// <summary>FYL2X: ST(1) × log2 ST(0) → ST(1), then pop.</summary>
    public static ulong Fyl2x(CpuHeader* cpu, ulong a, ulong b, ulong imm) => WithPop(cpu, &TimesLog);

    /// <summary>FYL2XP1: ST(1) × log2(ST(0) + 1) → ST(1), then pop.</summary>
    public static ulong Fyl2xp1(CpuHeader* cpu, ulong a, ulong b, ulong imm) => WithPop(cpu, &TimesLogPlusOne);

    /// <summary>FPATAN: the angle of ST(1) / ST(0) → ST(1), then pop.</summary>
    public static ulong Fpatan(CpuHeader* cpu, ulong a, ulong b, ulong imm) => WithPop(cpu, &Angle);

    /// <summary>FSIN.</summary>
    public static ulong Fsin(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Circular(cpu, cosine: false);

    /// <summary>FCOS.</summary>
    public static ulong Fcos(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Circular(cpu, cosine: true);

    /// <summary>FSINCOS: the sine in place of ST(0), the cosine pushed.</summary>
    public static ulong Fsincos(CpuHeader* cpu, ulong a, ulong b, ulong imm) => CircularAndPush(cpu, tangent: false);

    /// <summary>FPTAN: the tangent in place of ST(0), one pushed.</summary>
    public static ulong Fptan(CpuHeader* cpu, ulong a, ulong b, ulong imm) => CircularAndPush(cpu, tangent: true);

    private static ulong WithPop(CpuHeader* cpu, delegate*<in Unpacked, in Unpacked, ref FloatContext, Encoded> function)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        FloatContext context = X87Stack.Begin(state);
        if (X87Stack.IsEmpty(state, 0) || X87Stack.IsEmpty(state, 1))
        {
            if (X87Stack.Underflow(state))
            {
                X87Stack.Write(state, 1, X87Stack.DefaultNan);
                X87Stack.Pop(state);
            }

            return 0;
        }

        Encoded result = function(X87Stack.Read(state, 0), X87Stack.Read(state, 1), ref context);
        if (X87Stack.Finish(state, context))
        {
            X87Stack.Write(state, 1, result);
            X87Stack.Pop(state);
        }

        return 0;
    }

    private static Encoded PowerMinusOne(in Unpacked x, ref FloatContext context)
    {
        if (FloatMath.AnyNan(x, x))
        {
            return FloatMath.PropagateNan(x, x, FloatFormat.Extended, ref context);
        }

        if (x.Kind == FloatKind.Infinity)
        {
            return x.Negative ? Exactly(-1) : Encoded.Infinity(negative: false, FloatFormat.Extended);
        }

        FloatMath.NoteDenormals(x, x, ref context);
        if (x.Kind == FloatKind.Zero)
        {
            return Encoded.Zero(x.Negative);
        }

        if (x.Exponent >= 0)
        {
            // Only ±1 is within the domain; beyond it the result is undefined and the operand is left.
            context.Raise(FloatFlags.Precision);
            bool one = x.Exponent == 0 && x.Significand == Unpacked.IntegerBit;
            return !one ? new Encoded(x.Negative, x.Exponent + FloatFormat.Extended.Bias, x.Significand)
                : x.Negative ? new Encoded(true, FloatFormat.Extended.Bias - 1, Unpacked.IntegerBit) : Exactly(1);
        }

        return WideMath.PowerOfTwoMinusOne(Wide.FromOperand(x)).Round(exact: false, ref context);
    }

    private static Encoded TimesLog(in Unpacked x, in Unpacked y, ref FloatContext context)
    {
        if (FloatMath.AnyNan(x, y))
        {
            return FloatMath.PropagateNan(x, y, FloatFormat.Extended, ref context);
        }

        bool isOne = x.Kind == FloatKind.Finite && !x.Negative && x.Exponent == 0 && x.Significand == Unpacked.IntegerBit;
        bool invalid = (x.Negative && x.Kind != FloatKind.Zero)
            || (y.Kind == FloatKind.Zero && x.Kind is FloatKind.Zero or FloatKind.Infinity)
            || (y.Kind == FloatKind.Infinity && isOne);
        if (invalid)
        {
            return FloatMath.Invalid(FloatFormat.Extended, ref context);
        }

        if (x.Kind == FloatKind.Zero)
        {
            context.Raise(y.Kind == FloatKind.Finite ? FloatFlags.ZeroDivide : FloatFlags.None);
            return Encoded.Infinity(!y.Negative, FloatFormat.Extended);
        }

        FloatMath.NoteDenormals(x, y, ref context);
        bool negativeLog = x.Kind == FloatKind.Finite && x.Exponent < 0;
        if (x.Kind == FloatKind.Infinity || y.Kind == FloatKind.Infinity)
        {
            return Encoded.Infinity(y.Negative != negativeLog, FloatFormat.Extended);
        }

        if (y.Kind == FloatKind.Zero || isOne)
        {
            return Encoded.Zero(y.Negative != negativeLog);
        }

        // Processors call the product inexact even where the logarithm is an integer.
        bool powerOfTwo = x.Significand == Unpacked.IntegerBit;
        Encoded result = (Wide.FromOperand(y) * WideMath.LogTwo(Wide.FromOperand(x))).Round(powerOfTwo, ref context);
        context.Raise(result.BiasedExponent == 0 ? FloatFlags.Precision | FloatFlags.Underflow : FloatFlags.Precision);
        return result;
    }

    private static Encoded TimesLogPlusOne(in Unpacked x, in Unpacked y, ref FloatContext context)
    {
        if (FloatMath.AnyNan(x, y))
        {
            return FloatMath.PropagateNan(x, y, FloatFormat.Extended, ref context);
        }

        bool belowDomain = x.Negative && (x.Kind == FloatKind.Infinity || (x.Kind == FloatKind.Finite && x.Exponent >= 0));
        bool invalid = belowDomain
            || (y.Kind == FloatKind.Infinity && x.Kind == FloatKind.Zero)
            || (y.Kind == FloatKind.Zero && x.Kind == FloatKind.Infinity);
        if (invalid)
        {
            return FloatMath.Invalid(FloatFormat.Extended, ref context);
        }

        FloatMath.NoteDenormals(x, y, ref context);
        bool negative = x.Negative != y.Negative;
        if (x.Kind == FloatKind.Infinity || y.Kind == FloatKind.Infinity)
        {
            return Encoded.Infinity(negative, FloatFormat.Extended);
        }

        return x.Kind == FloatKind.Zero || y.Kind == FloatKind.Zero
            ? Encoded.Zero(negative)
            : (Wide.FromOperand(y) * WideMath.LogTwoPlusOne(Wide.FromOperand(x))).Round(exact: false, ref context);
    }

    private static Encoded Angle(in Unpacked x, in Unpacked y, ref FloatContext context)
    {
        if (FloatMath.AnyNan(x, y))
        {
            return FloatMath.PropagateNan(x, y, FloatFormat.Extended, ref context);
        }

        FloatMath.NoteDenormals(x, y, ref context);
        Wide pi = X87Constants.Get(X87Constant.Pi);
        Wide angle;
        if (y.Kind == FloatKind.Zero || (x.Kind == FloatKind.Infinity && y.Kind != FloatKind.Infinity))
        {
            if (!x.Negative)
            {
                return Encoded.Zero(y.Negative);
            }

            angle = pi;
        }
        else if (x.Kind == FloatKind.Infinity)
        {
            angle = x.Negative ? (pi + pi.Scale(1)).Scale(-2) : pi.Scale(-2);
        }
        else if (x.Kind == FloatKind.Zero || y.Kind == FloatKind.Infinity)
        {
            angle = pi.Scale(-1);
        }
        else
        {
            angle = WideMath.ArcTangent(Wide.FromOperand(y.Absolute), Wide.FromOperand(x.Absolute));
            angle = x.Negative ? pi - angle : angle;
        }

        return (y.Negative ? -angle : angle).Round(exact: false, ref context);
    }

    private static ulong Circular(CpuHeader* cpu, bool cosine)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        FloatContext context = X87Stack.Begin(state);
        X87Stack.SetConditions(state, 0, X87Status.C2);
        if (!X87Arithmetic.RequireTop(state) || IsOutOfRange(state))
        {
            return 0;
        }

        Encoded result = SineOrCosine(X87Stack.Read(state, 0), cosine, ref context);
        return X87Arithmetic.Replace(state, result, context);
    }

    private static ulong CircularAndPush(CpuHeader* cpu, bool tangent)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        FloatContext context = X87Stack.Begin(state);
        bool empty = X87Stack.IsEmpty(state, 0);
        X87Stack.SetConditions(state, 0, X87Status.C2);
        if (empty || !X87Stack.IsEmpty(state, 7))
        {
            if (empty ? X87Stack.Underflow(state) : X87Stack.Overflow(state))
            {
                X87Stack.ReplaceAndPush(state, X87Stack.DefaultNan, X87Stack.DefaultNan);
            }

            return 0;
        }

        if (IsOutOfRange(state))
        {
            return 0;
        }

        Unpacked x = X87Stack.Read(state, 0);
        Encoded second = Exactly(1);
        Encoded first = tangent ? Tangent(x, ref context) : SineAndCosine(x, ref context, out second);
        second = first.BiasedExponent == FloatFormat.Extended.SpecialExponent ? first : second;
        if (X87Stack.Finish(state, context))
        {
            X87Stack.ReplaceAndPush(state, first, second);
        }

        return 0;
    }

    // C2 tells that an operand of 2^63 or more was left as it is.
    private static bool IsOutOfRange(X86CpuState* state)
    {
        Unpacked x = X87Stack.Read(state, 0);
        bool tooLarge = x.Kind == FloatKind.Finite && x.Exponent >= 63;
        X87Stack.SetConditions(state, tooLarge ? X87Status.C2 : 0, X87Status.C2);
        return tooLarge;
    }

    private static Encoded SineOrCosine(in Unpacked x, bool cosine, ref FloatContext context)
    {
        if (Special(x, ref context, out Encoded special))
        {
            return special;
        }

        if (x.Kind == FloatKind.Zero)
        {
            return cosine ? Exactly(1) : Encoded.Zero(x.Negative);
        }

        Wide reduced = WideMath.ReduceQuadrant(Wide.FromOperand(x), out int quadrant);
        quadrant = (quadrant + (cosine ? 1 : 0)) & 3;
        Wide result = (quadrant & 1) != 0 ? WideMath.Cosine(reduced) : WideMath.Sine(reduced);
        return ((quadrant & 2) != 0 ? -result : result).Round(exact: false, ref context);
    }

    // The cosine is rounded last: C1 tells of it.
    private static Encoded SineAndCosine(in Unpacked x, ref FloatContext context, out Encoded cosine)
    {
        if (x.Kind != FloatKind.Finite)
        {
            Encoded special = SineOrCosine(x, cosine: false, ref context);
            cosine = Exactly(1);
            return special;
        }

        FloatMath.NoteDenormals(x, x, ref context);
        Wide reduced = WideMath.ReduceQuadrant(Wide.FromOperand(x), out int quadrant);
        Wide first = WideMath.Sine(reduced);
        Wide second = WideMath.Cosine(reduced);
        (first, second) = (quadrant & 1) != 0 ? (second, -first) : (first, second);
        bool negative = (quadrant & 2) != 0;
        Encoded sine = (negative ? -first : first).Round(exact: false, ref context);
        cosine = (negative ? -second : second).Round(exact: false, ref context);
        return sine;
    }

    private static Encoded Tangent(in Unpacked x, ref FloatContext context)
    {
        if (Special(x, ref context, out Encoded special))
        {
            return special;
        }

        if (x.Kind == FloatKind.Zero)
        {
            return Encoded.Zero(x.Negative);
        }

        Wide reduced = WideMath.ReduceQuadrant(Wide.FromOperand(x), out int quadrant);
        Wide sine = WideMath.Sine(reduced);
        Wide cosine = WideMath.Cosine(reduced);
        return ((quadrant & 1) == 0 ? sine / cosine : -(cosine / sine)).Round(exact: false, ref context);
    }

    private static bool Special(in Unpacked x, ref FloatContext context, out Encoded result)
    {
        result = default;
        if (FloatMath.AnyNan(x, x))
        {
            result = FloatMath.PropagateNan(x, x, FloatFormat.Extended, ref context);
            return true;
        }

        if (x.Kind == FloatKind.Infinity)
        {
            result = FloatMath.Invalid(FloatFormat.Extended, ref context);
            return true;
        }

        FloatMath.NoteDenormals(x, x, ref context);
        return false;
    }

    private static Encoded Exactly(int one) => new(one < 0, FloatFormat.Extended.Bias, Unpacked.IntegerBit);
}
