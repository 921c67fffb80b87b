using System.Reflection;
using Emu.Frontend.Ir;

namespace Emu.Jit.Regions;

/// <summary>Atomic operations that RyuJIT makes one instruction, or a short loop, of. They take an aligned host address and return the old value.</summary>
internal static unsafe class HostAtomics
{
    /// <summary>Does any operation of any width, by a call.</summary>
    public static readonly MethodInfo Any = typeof(AtomicMemory).GetMethod(nameof(AtomicMemory.ApplyAt))!;

    /// <summary>The method (host address, operand[, accumulator]) for an operation, or null.</summary>
    public static MethodInfo? Find(IrAtomic operation, IrWidth width) =>
        width >= IrWidth.W32 ? typeof(HostAtomics).GetMethod($"{operation}{8 << (int)width}") : null;

    public static int Exchange32(nint host, int value) => Interlocked.Exchange(ref *(int*)host, value);

    public static long Exchange64(nint host, long value) => Interlocked.Exchange(ref *(long*)host, value);

    public static int Add32(nint host, int value) => Interlocked.Add(ref *(int*)host, value) - value;

    public static long Add64(nint host, long value) => Interlocked.Add(ref *(long*)host, value) - value;

    public static int Subtract32(nint host, int value) => Interlocked.Add(ref *(int*)host, -value) + value;

    public static long Subtract64(nint host, long value) => Interlocked.Add(ref *(long*)host, -value) + value;

    public static int And32(nint host, int value) => Interlocked.And(ref *(int*)host, value);

    public static long And64(nint host, long value) => Interlocked.And(ref *(long*)host, value);

    public static int Or32(nint host, int value) => Interlocked.Or(ref *(int*)host, value);

    public static long Or64(nint host, long value) => Interlocked.Or(ref *(long*)host, value);

    public static int CompareExchange32(nint host, int value, int expected) => Interlocked.CompareExchange(ref *(int*)host, value, expected);

    public static long CompareExchange64(nint host, long value, long expected) => Interlocked.CompareExchange(ref *(long*)host, value, expected);
}
