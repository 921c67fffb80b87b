using System.Numerics;
using System.Runtime.CompilerServices;
using Emu.Frontend.Ir;

namespace Emu.Jit.Interpreter;

/// <summary>A condition as a type argument.</summary>
internal interface ICondition
{
    static abstract IrCondition Condition { get; }
}

internal readonly struct CondO : ICondition { public static IrCondition Condition => IrCondition.Overflow; }
internal readonly struct CondNo : ICondition { public static IrCondition Condition => IrCondition.NotOverflow; }
internal readonly struct CondB : ICondition { public static IrCondition Condition => IrCondition.Below; }
internal readonly struct CondAe : ICondition { public static IrCondition Condition => IrCondition.AboveOrEqual; }
internal readonly struct CondE : ICondition { public static IrCondition Condition => IrCondition.Equal; }
internal readonly struct CondNe : ICondition { public static IrCondition Condition => IrCondition.NotEqual; }
internal readonly struct CondBe : ICondition { public static IrCondition Condition => IrCondition.BelowOrEqual; }
internal readonly struct CondA : ICondition { public static IrCondition Condition => IrCondition.Above; }
internal readonly struct CondS : ICondition { public static IrCondition Condition => IrCondition.Sign; }
internal readonly struct CondNs : ICondition { public static IrCondition Condition => IrCondition.NotSign; }
internal readonly struct CondP : ICondition { public static IrCondition Condition => IrCondition.Parity; }
internal readonly struct CondNp : ICondition { public static IrCondition Condition => IrCondition.NotParity; }
internal readonly struct CondL : ICondition { public static IrCondition Condition => IrCondition.Less; }
internal readonly struct CondGe : ICondition { public static IrCondition Condition => IrCondition.GreaterOrEqual; }
internal readonly struct CondLe : ICondition { public static IrCondition Condition => IrCondition.LessOrEqual; }
internal readonly struct CondG : ICondition { public static IrCondition Condition => IrCondition.Greater; }

/// <summary>
/// How the flags behind a condition were made, as far as the lifter knew. Each evaluates a condition that is constant to the JIT,
/// so the switches fold away.
/// </summary>
internal unsafe interface IFlagsSource
{
    static abstract bool Holds<TWidth>(CpuHeader* cpu, IrCondition condition)
        where TWidth : IWidth;
}

/// <summary>Nothing is known: evaluate the lazy flags.</summary>
internal readonly unsafe struct UnknownFlags : IFlagsSource
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds<TWidth>(CpuHeader* cpu, IrCondition condition)
        where TWidth : IWidth => condition switch
        {
            IrCondition.Below => LazyFlags.CarryOf(cpu),
            IrCondition.AboveOrEqual => !LazyFlags.CarryOf(cpu),
            _ => LazyFlags.Test(cpu, condition),
        };
}

/// <summary>The flags come from an addition: carry is one comparison, at any width.</summary>
internal readonly unsafe struct AddFlags : IFlagsSource
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds<TWidth>(CpuHeader* cpu, IrCondition condition)
        where TWidth : IWidth => condition switch
        {
            IrCondition.Below => cpu->FlagsResult < cpu->FlagsSource,
            IrCondition.AboveOrEqual => cpu->FlagsResult >= cpu->FlagsSource,
            _ => LazyFlags.Test(cpu, condition),
        };
}

/// <summary>The flags come from an addition with carry.</summary>
internal readonly unsafe struct AdcFlags : IFlagsSource
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds<TWidth>(CpuHeader* cpu, IrCondition condition)
        where TWidth : IWidth => condition switch
        {
            IrCondition.Below => Carry(cpu),
            IrCondition.AboveOrEqual => !Carry(cpu),
            _ => LazyFlags.Test(cpu, condition),
        };

    // result < source + carry-in, without the overflow of source + carry-in.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Carry(CpuHeader* cpu) => cpu->FlagsResult < cpu->FlagsSource || (cpu->FlagsResult == cpu->FlagsSource && cpu->FlagsCarry != 0);
}

/// <summary>A result of known width is in the lazy flags; good for zero, sign and parity.</summary>
internal readonly unsafe struct ResultFlags : IFlagsSource
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds<TWidth>(CpuHeader* cpu, IrCondition condition)
        where TWidth : IWidth => OfTest<TWidth>(cpu->FlagsResult, condition);

    /// <summary>A condition after a bitwise operation with this result: carry and overflow are clear.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool OfTest<TWidth>(ulong result, IrCondition condition)
        where TWidth : IWidth => condition switch
        {
            IrCondition.Equal => TWidth.Truncate(result) == 0,
            IrCondition.NotEqual => TWidth.Truncate(result) != 0,
            IrCondition.Sign or IrCondition.Less => (long)TWidth.SignExtend(result) < 0,
            IrCondition.NotSign or IrCondition.GreaterOrEqual => (long)TWidth.SignExtend(result) >= 0,
            IrCondition.LessOrEqual => (long)TWidth.SignExtend(result) <= 0,
            IrCondition.Greater => (long)TWidth.SignExtend(result) > 0,
            IrCondition.Parity => (BitOperations.PopCount(result & 0xff) & 1) == 0,
            IrCondition.NotParity => (BitOperations.PopCount(result & 0xff) & 1) != 0,
            IrCondition.BelowOrEqual => TWidth.Truncate(result) == 0,
            IrCondition.Above => TWidth.Truncate(result) != 0,
            IrCondition.Overflow or IrCondition.Below => false,
            _ => true,
        };
}

/// <summary>The flags come from a subtraction of known width.</summary>
internal readonly unsafe struct SubFlags : IFlagsSource
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds<TWidth>(CpuHeader* cpu, IrCondition condition)
        where TWidth : IWidth => OfCompare<TWidth>(TWidth.Truncate(cpu->FlagsResult + cpu->FlagsSource), cpu->FlagsSource, condition);

    /// <summary>A condition after comparing <paramref name="a"/> with <paramref name="b"/>, both zero-extended.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool OfCompare<TWidth>(ulong a, ulong b, IrCondition condition)
        where TWidth : IWidth => condition switch
        {
            IrCondition.Equal => a == b,
            IrCondition.NotEqual => a != b,
            IrCondition.Below => a < b,
            IrCondition.AboveOrEqual => a >= b,
            IrCondition.BelowOrEqual => a <= b,
            IrCondition.Above => a > b,
            IrCondition.Less => (long)TWidth.SignExtend(a) < (long)TWidth.SignExtend(b),
            IrCondition.GreaterOrEqual => (long)TWidth.SignExtend(a) >= (long)TWidth.SignExtend(b),
            IrCondition.LessOrEqual => (long)TWidth.SignExtend(a) <= (long)TWidth.SignExtend(b),
            IrCondition.Greater => (long)TWidth.SignExtend(a) > (long)TWidth.SignExtend(b),
            IrCondition.Sign => (long)TWidth.SignExtend(a - b) < 0,
            IrCondition.NotSign => (long)TWidth.SignExtend(a - b) >= 0,
            IrCondition.Parity => (BitOperations.PopCount((a - b) & 0xff) & 1) == 0,
            IrCondition.NotParity => (BitOperations.PopCount((a - b) & 0xff) & 1) != 0,
            IrCondition.Overflow => Overflows<TWidth>(a, b),
            _ => !Overflows<TWidth>(a, b),
        };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Overflows<TWidth>(ulong a, ulong b)
        where TWidth : IWidth => (long)TWidth.SignExtend((a ^ b) & (a ^ (a - b))) < 0;
}
