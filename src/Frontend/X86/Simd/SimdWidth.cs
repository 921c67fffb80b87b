using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Emu.Frontend.X86.Simd;

/// <summary>
/// Width of a packed operand. A helper that works lane by lane is written once over this and instantiated for both
/// register files; lanes beyond the width read as zero and are not stored. Pointers need no alignment.
/// </summary>
internal unsafe interface ISimdWidth
{
    /// <summary>Operand size in bytes.</summary>
    static abstract int Bytes { get; }

    /// <summary>Loads an operand.</summary>
    static abstract Vector128<T> Load<T>(byte* source);

    /// <summary>Stores a result.</summary>
    static abstract void Store<T>(byte* destination, Vector128<T> value);
}

/// <summary>128-bit operands (SSE).</summary>
internal readonly unsafe struct Xmm : ISimdWidth
{
    /// <inheritdoc/>
    public static int Bytes => 16;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Load<T>(byte* source) => Unsafe.ReadUnaligned<Vector128<T>>(source);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T>(byte* destination, Vector128<T> value) => Unsafe.WriteUnaligned(destination, value);
}

/// <summary>64-bit operands (MMX).</summary>
internal readonly unsafe struct Mmx : ISimdWidth
{
    /// <inheritdoc/>
    public static int Bytes => 8;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Load<T>(byte* source) => Vector128.CreateScalar(Unsafe.ReadUnaligned<ulong>(source)).As<ulong, T>();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T>(byte* destination, Vector128<T> value) => Unsafe.WriteUnaligned(destination, value.AsUInt64().ToScalar());
}
