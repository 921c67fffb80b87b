using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Emu.Frontend.X86.SoftFloat;

namespace Emu.Frontend.X86.Simd;

/// <summary>How many lanes an SSE floating-point instruction works on.</summary>
internal unsafe interface ILaneCount
{
    /// <summary>True for the SS and SD forms: lane 0 only, the lanes above come from the first operand.</summary>
    static abstract bool IsScalar { get; }
}

/// <summary>All lanes.</summary>
internal readonly struct Packed : ILaneCount
{
    /// <inheritdoc/>
    public static bool IsScalar => false;
}

/// <summary>Lane 0.</summary>
internal readonly struct Scalar : ILaneCount
{
    /// <inheritdoc/>
    public static bool IsScalar => true;
}

/// <summary>Access to <see cref="float"/> or <see cref="double"/> lanes and tests of their classes.</summary>
/// <typeparam name="T">Lane type.</typeparam>
/// <typeparam name="TCount">Packed or scalar.</typeparam>
internal static unsafe class FloatLanes<T, TCount>
    where T : unmanaged
    where TCount : struct, ILaneCount
{
    /// <summary>Lanes computed.</summary>
    public static int Count => TCount.IsScalar ? 1 : Vector128<T>.Count;

    /// <summary>Format of a lane.</summary>
    public static FloatFormat Format => typeof(T) == typeof(float) ? FloatFormat.Single : FloatFormat.Double;

    /// <summary>Loads the lanes; a scalar fills all, so that tests of the whole vector hold for it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Load(byte* source) => TCount.IsScalar ? Vector128.Create(Unsafe.ReadUnaligned<T>(source)) : Unsafe.ReadUnaligned<Vector128<T>>(source);

    /// <summary>Stores the result; a scalar is merged into the first operand.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(byte* dst, byte* a, Vector128<T> result)
    {
        if (!TCount.IsScalar)
        {
            Unsafe.WriteUnaligned(dst, result);
            return;
        }

        if (dst != a)
        {
            Unsafe.WriteUnaligned(dst, Unsafe.ReadUnaligned<Vector128<T>>(a));
        }

        Unsafe.WriteUnaligned(dst, result.ToScalar());
    }

    /// <summary>Takes a lane apart.</summary>
    public static Unpacked Unpack(Vector128<T> value, int lane, in FloatContext context) => typeof(T) == typeof(float)
        ? Unpacked.FromSingle(value.AsUInt32()[lane], context)
        : Unpacked.FromDouble(value.AsUInt64()[lane], context);

    /// <summary>Replaces a lane.</summary>
    public static Vector128<T> With(Vector128<T> value, int lane, in Encoded result) => typeof(T) == typeof(float)
        ? value.AsUInt32().WithElement(lane, result.ToSingle()).As<uint, T>()
        : value.AsUInt64().WithElement(lane, result.ToDouble()).As<ulong, T>();

    /// <summary>A copy of one lane in another vector, all bits kept.</summary>
    public static Vector128<T> Copy(Vector128<T> value, int lane, Vector128<T> source) => typeof(T) == typeof(float)
        ? value.AsUInt32().WithElement(lane, source.AsUInt32()[lane]).As<uint, T>()
        : value.AsUInt64().WithElement(lane, source.AsUInt64()[lane]).As<ulong, T>();

    /// <summary>True when a lane is a denormal number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AnyDenormal(Vector128<T> value) =>
        AnySet(Vector128.LessThan(Vector128.Abs(value), SmallestNormal) & ~Vector128.Equals(value, Vector128<T>.Zero));

    /// <summary>True when a lane is a NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AnyNan(Vector128<T> value) => AnySet(~Vector128.Equals(value, value));

    /// <summary>True when any lane of a comparison's result is set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AnySet(Vector128<T> mask) => mask.AsUInt64() != Vector128<ulong>.Zero;

    /// <summary>Ones where a lane is normal and surely did not come from an underflow.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> IsSafelyNormal(Vector128<T> value)
    {
        Vector128<T> magnitude = Vector128.Abs(value);
        return Vector128.GreaterThan(magnitude, SmallestNormal) & Vector128.LessThan(magnitude, Infinity);
    }

    /// <summary>Ones where a lane is large enough for rounding errors of products to be exact numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> HasExactError(Vector128<T> value)
    {
        Vector128<T> magnitude = Vector128.Abs(value);
        return (Vector128.GreaterThan(magnitude, ErrorLimit) & Vector128.LessThan(magnitude, Infinity)) | Vector128.Equals(value, Vector128<T>.Zero);
    }

    private static Vector128<T> SmallestNormal => typeof(T) == typeof(float)
        ? Vector128.Create(0x00800000u).As<uint, T>()
        : Vector128.Create(0x0010000000000000UL).As<ulong, T>();

    private static Vector128<T> Infinity => typeof(T) == typeof(float)
        ? Vector128.Create(float.PositiveInfinity).As<float, T>()
        : Vector128.Create(double.PositiveInfinity).As<double, T>();

    // 2^-70 and 2^-900: an error term, at most twice the precision below, is still a normal number.
    private static Vector128<T> ErrorLimit => typeof(T) == typeof(float)
        ? Vector128.Create((127u - 70) << 23).As<uint, T>()
        : Vector128.Create((1023UL - 900) << 52).As<ulong, T>();
}
