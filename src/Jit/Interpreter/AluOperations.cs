using System.Runtime.CompilerServices;
using Emu.Frontend.Ir;

namespace Emu.Jit.Interpreter;

/// <summary>A two-operand computation on zero-extended values, and how its flags are described.</summary>
internal interface IBinary
{
    static abstract FlagsKind Flags { get; }

    /// <summary>True when the computation takes the carry flag.</summary>
    static abstract bool UsesCarry { get; }

    static abstract ulong Compute(ulong a, ulong b, ulong carry);
}

internal readonly struct AddOp : IBinary
{
    public static FlagsKind Flags => FlagsKind.Add;

    public static bool UsesCarry => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Compute(ulong a, ulong b, ulong carry) => a + b;
}

internal readonly struct SubOp : IBinary
{
    public static FlagsKind Flags => FlagsKind.Sub;

    public static bool UsesCarry => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Compute(ulong a, ulong b, ulong carry) => a - b;
}

internal readonly struct AdcOp : IBinary
{
    public static FlagsKind Flags => FlagsKind.Adc;

    public static bool UsesCarry => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Compute(ulong a, ulong b, ulong carry) => a + b + carry;
}

internal readonly struct SbbOp : IBinary
{
    public static FlagsKind Flags => FlagsKind.Sbb;

    public static bool UsesCarry => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Compute(ulong a, ulong b, ulong carry) => a - b - carry;
}

internal readonly struct AndOp : IBinary
{
    public static FlagsKind Flags => FlagsKind.Logic;

    public static bool UsesCarry => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Compute(ulong a, ulong b, ulong carry) => a & b;
}

internal readonly struct OrOp : IBinary
{
    public static FlagsKind Flags => FlagsKind.Logic;

    public static bool UsesCarry => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Compute(ulong a, ulong b, ulong carry) => a | b;
}

internal readonly struct XorOp : IBinary
{
    public static FlagsKind Flags => FlagsKind.Logic;

    public static bool UsesCarry => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Compute(ulong a, ulong b, ulong carry) => a ^ b;
}

/// <summary>A shift by a masked, non-zero count; <c>LastStep</c> is the operand shifted by one less, from which carry is read.</summary>
internal interface IShift
{
    static abstract FlagsKind Flags { get; }

    static abstract ulong Shift<TWidth>(ulong a, int count)
        where TWidth : IWidth;
}

internal readonly struct ShiftLeftOp : IShift
{
    public static FlagsKind Flags => FlagsKind.Shl;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Shift<TWidth>(ulong a, int count)
        where TWidth : IWidth => TWidth.Truncate(a << count);
}

internal readonly struct ShiftRightOp : IShift
{
    public static FlagsKind Flags => FlagsKind.Shr;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Shift<TWidth>(ulong a, int count)
        where TWidth : IWidth => a >> count;
}

internal readonly struct ShiftRightArithmeticOp : IShift
{
    public static FlagsKind Flags => FlagsKind.Sar;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Shift<TWidth>(ulong a, int count)
        where TWidth : IWidth => TWidth.Truncate((ulong)((long)TWidth.SignExtend(a) >> count));
}
