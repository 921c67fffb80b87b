using System.Runtime.Intrinsics;
using Emu.Frontend.X86.SoftFloat;

namespace Emu.Frontend.X86.Simd;

/// <summary>An arithmetic operation: on the host, its rounding error, and exactly.</summary>
internal interface IFloatOperation
{
    /// <summary>The host's result, rounded to nearest.</summary>
    static abstract Vector128<T> Host<T>(Vector128<T> a, Vector128<T> b);

    /// <summary>Ones where a result of zero is exact.</summary>
    static abstract Vector128<T> ZeroIsExact<T>(Vector128<T> a, Vector128<T> b);

    /// <summary>Zero where <paramref name="result"/> is exact; valid for operands and results of <see cref="FloatLanes{T,TCount}.HasExactError"/>.</summary>
    static abstract Vector128<T> Error<T>(Vector128<T> a, Vector128<T> b, Vector128<T> result);

    /// <summary>One lane, with all its exceptions.</summary>
    static abstract Encoded Soft(int lane, in Unpacked a, in Unpacked b, in FloatFormat format, ref FloatContext context);
}

/// <summary>a + b.</summary>
internal readonly struct AddOperation : IFloatOperation
{
    /// <inheritdoc/>
    public static Vector128<T> Host<T>(Vector128<T> a, Vector128<T> b) => a + b;

    /// <inheritdoc/>
    public static Vector128<T> ZeroIsExact<T>(Vector128<T> a, Vector128<T> b) => Vector128<T>.AllBitsSet;

    /// <inheritdoc/>
    public static Vector128<T> Error<T>(Vector128<T> a, Vector128<T> b, Vector128<T> result)
    {
        // Knuth's two-sum.
        Vector128<T> part = result - a;
        return (a - (result - part)) + (b - part);
    }

    /// <inheritdoc/>
    public static Encoded Soft(int lane, in Unpacked a, in Unpacked b, in FloatFormat format, ref FloatContext context) =>
        FloatMath.Add(a, b, format, ref context);
}

/// <summary>a − b.</summary>
internal readonly struct SubtractOperation : IFloatOperation
{
    /// <inheritdoc/>
    public static Vector128<T> Host<T>(Vector128<T> a, Vector128<T> b) => a - b;

    /// <inheritdoc/>
    public static Vector128<T> ZeroIsExact<T>(Vector128<T> a, Vector128<T> b) => Vector128<T>.AllBitsSet;

    /// <inheritdoc/>
    public static Vector128<T> Error<T>(Vector128<T> a, Vector128<T> b, Vector128<T> result) => AddOperation.Error(a, -b, result);

    /// <inheritdoc/>
    public static Encoded Soft(int lane, in Unpacked a, in Unpacked b, in FloatFormat format, ref FloatContext context) =>
        FloatMath.Subtract(a, b, format, ref context);
}

/// <summary>Subtraction in the even lanes, addition in the odd ones (ADDSUBPS).</summary>
internal readonly struct AddSubtractOperation : IFloatOperation
{
    /// <inheritdoc/>
    public static Vector128<T> Host<T>(Vector128<T> a, Vector128<T> b) => a + NegateEven(b);

    /// <inheritdoc/>
    public static Vector128<T> ZeroIsExact<T>(Vector128<T> a, Vector128<T> b) => Vector128<T>.AllBitsSet;

    /// <inheritdoc/>
    public static Vector128<T> Error<T>(Vector128<T> a, Vector128<T> b, Vector128<T> result) => AddOperation.Error(a, NegateEven(b), result);

    /// <inheritdoc/>
    public static Encoded Soft(int lane, in Unpacked a, in Unpacked b, in FloatFormat format, ref FloatContext context) =>
        (lane & 1) == 0 ? FloatMath.Subtract(a, b, format, ref context) : FloatMath.Add(a, b, format, ref context);

    private static Vector128<T> NegateEven<T>(Vector128<T> value) => value ^ (typeof(T) == typeof(float)
        ? Vector128.Create(0x0000000080000000UL).As<ulong, T>()
        : Vector128.Create(0x8000000000000000UL, 0).As<ulong, T>());
}

/// <summary>a × b.</summary>
internal readonly struct MultiplyOperation : IFloatOperation
{
    /// <inheritdoc/>
    public static Vector128<T> Host<T>(Vector128<T> a, Vector128<T> b) => a * b;

    /// <inheritdoc/>
    public static Vector128<T> ZeroIsExact<T>(Vector128<T> a, Vector128<T> b) => Vector128.Equals(a, Vector128<T>.Zero) | Vector128.Equals(b, Vector128<T>.Zero);

    /// <inheritdoc/>
    public static Vector128<T> Error<T>(Vector128<T> a, Vector128<T> b, Vector128<T> result) => Residual(a, b, result);

    /// <inheritdoc/>
    public static Encoded Soft(int lane, in Unpacked a, in Unpacked b, in FloatFormat format, ref FloatContext context) =>
        FloatMath.Multiply(a, b, format, ref context);

    /// <summary>x × y − z with one rounding.</summary>
    internal static Vector128<T> Residual<T>(Vector128<T> x, Vector128<T> y, Vector128<T> z) => typeof(T) == typeof(float)
        ? Vector128.FusedMultiplyAdd(x.AsSingle(), y.AsSingle(), -z.AsSingle()).As<float, T>()
        : Vector128.FusedMultiplyAdd(x.AsDouble(), y.AsDouble(), -z.AsDouble()).As<double, T>();
}

/// <summary>a ÷ b.</summary>
internal readonly struct DivideOperation : IFloatOperation
{
    /// <inheritdoc/>
    public static Vector128<T> Host<T>(Vector128<T> a, Vector128<T> b) => a / b;

    /// <inheritdoc/>
    public static Vector128<T> ZeroIsExact<T>(Vector128<T> a, Vector128<T> b) => Vector128.Equals(a, Vector128<T>.Zero);

    /// <inheritdoc/>
    public static Vector128<T> Error<T>(Vector128<T> a, Vector128<T> b, Vector128<T> result) => MultiplyOperation.Residual(result, b, a);

    /// <inheritdoc/>
    public static Encoded Soft(int lane, in Unpacked a, in Unpacked b, in FloatFormat format, ref FloatContext context) =>
        FloatMath.Divide(a, b, format, ref context);
}

/// <summary>√a; the second operand is ignored.</summary>
internal readonly struct SquareRootOperation : IFloatOperation
{
    /// <inheritdoc/>
    public static Vector128<T> Host<T>(Vector128<T> a, Vector128<T> b) => Vector128.Sqrt(a);

    /// <inheritdoc/>
    public static Vector128<T> ZeroIsExact<T>(Vector128<T> a, Vector128<T> b) => Vector128<T>.AllBitsSet;

    /// <inheritdoc/>
    public static Vector128<T> Error<T>(Vector128<T> a, Vector128<T> b, Vector128<T> result) => MultiplyOperation.Residual(result, result, a);

    /// <inheritdoc/>
    public static Encoded Soft(int lane, in Unpacked a, in Unpacked b, in FloatFormat format, ref FloatContext context) =>
        FloatMath.SquareRoot(a, format, ref context);
}
