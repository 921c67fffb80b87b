using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Emu.Frontend.Ir;

namespace Emu.Jit.Interpreter;

/// <summary>
/// The handlers of tier 0, one generic method per op. Each ends in a call in tail position through the next op's handler; full
/// optimisation (never tiered, hence AggressiveOptimization) makes that a jump.
/// </summary>
internal static unsafe partial class Handlers
{
    private const MethodImplOptions Hot = MethodImplOptions.AggressiveOptimization;

    [MethodImpl(Hot)]
    public static Op* Move<TWidth, TOperand>(Op* op, byte* cpu)
        where TWidth : IWidth
        where TOperand : IOperand
    {
        TWidth.StoreSlot(cpu + op->Dst, TOperand.Get<TWidth>(op, cpu));
        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* ZeroExtend<TFrom, TTo>(Op* op, byte* cpu)
        where TFrom : IWidth
        where TTo : IWidth
    {
        TTo.StoreSlot(cpu + op->Dst, TFrom.Load(cpu + op->A));
        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* SignExtend<TFrom, TTo>(Op* op, byte* cpu)
        where TFrom : IWidth
        where TTo : IWidth
    {
        TTo.StoreSlot(cpu + op->Dst, TFrom.SignExtend(TFrom.Load(cpu + op->A)));
        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* Lea<TWidth, TAddress>(Op* op, byte* cpu)
        where TWidth : IWidth
        where TAddress : IAddressForm
    {
        TWidth.StoreSlot(cpu + op->Dst, TAddress.Compute(op, cpu));
        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* Binary<TOp, TWidth, TOperand, TFlags, TCarry>(Op* op, byte* cpu)
        where TOp : IBinary
        where TWidth : IWidth
        where TOperand : IOperand
        where TFlags : IFlag
        where TCarry : IFlagsSource
    {
        CpuHeader* header = (CpuHeader*)cpu;
        ulong carry = TOp.UsesCarry && TCarry.Holds<TWidth>(header, IrCondition.Below) ? 1UL : 0;
        ulong b = TOperand.Get<TWidth>(op, cpu);
        ulong result = TOp.Compute(TWidth.Load(cpu + op->A), b, carry);
        TWidth.StoreSlot(cpu + op->Dst, result);
        if (TFlags.Value)
        {
            header->FlagsOp = LazyFlags.Encode(TOp.Flags, (int)TWidth.Width);
            header->FlagsResult = TWidth.Truncate(result);
            if (TOp.Flags != FlagsKind.Logic)
            {
                header->FlagsSource = b;
            }

            if (TOp.UsesCarry)
            {
                header->FlagsCarry = carry;
            }
        }

        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* Compare<TWidth, TOperand>(Op* op, byte* cpu)
        where TWidth : IWidth
        where TOperand : IOperand
    {
        CpuHeader* header = (CpuHeader*)cpu;
        ulong b = TOperand.Get<TWidth>(op, cpu);
        header->FlagsOp = LazyFlags.Encode(FlagsKind.Sub, (int)TWidth.Width);
        header->FlagsResult = TWidth.Truncate(TWidth.Load(cpu + op->A) - b);
        header->FlagsSource = b;
        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* Test<TWidth, TOperand>(Op* op, byte* cpu)
        where TWidth : IWidth
        where TOperand : IOperand
    {
        CpuHeader* header = (CpuHeader*)cpu;
        header->FlagsOp = LazyFlags.Encode(FlagsKind.Logic, (int)TWidth.Width);
        header->FlagsResult = TWidth.Load(cpu + op->A) & TOperand.Get<TWidth>(op, cpu);
        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    /// <summary>−A is 0 − A, so the flags are those of a subtraction with source A.</summary>
    [MethodImpl(Hot)]
    public static Op* Negate<TWidth, TFlags>(Op* op, byte* cpu)
        where TWidth : IWidth
        where TFlags : IFlag
    {
        ulong a = TWidth.Load(cpu + op->A);
        TWidth.StoreSlot(cpu + op->Dst, 0 - a);
        if (TFlags.Value)
        {
            CpuHeader* header = (CpuHeader*)cpu;
            header->FlagsOp = LazyFlags.Encode(FlagsKind.Sub, (int)TWidth.Width);
            header->FlagsResult = TWidth.Truncate(0 - a);
            header->FlagsSource = a;
        }

        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* Not<TWidth>(Op* op, byte* cpu)
        where TWidth : IWidth
    {
        TWidth.StoreSlot(cpu + op->Dst, ~TWidth.Load(cpu + op->A));
        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    /// <summary>The number of the highest (<typeparamref name="THighest"/> yes) or lowest set bit.</summary>
    [MethodImpl(Hot)]
    public static Op* FindBit<THighest, TWidth>(Op* op, byte* cpu)
        where THighest : IFlag
        where TWidth : IWidth
    {
        ulong a = TWidth.Load(cpu + op->A);
        *(ulong*)(cpu + op->Dst) = (ulong)(THighest.Value ? BitOperations.Log2(a) : BitOperations.TrailingZeroCount(a));
        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    /// <summary>Increment (<typeparamref name="TUp"/> yes) or decrement.</summary>
    [MethodImpl(Hot)]
    public static Op* Step<TUp, TWidth, TFlags>(Op* op, byte* cpu)
        where TUp : IFlag
        where TWidth : IWidth
        where TFlags : IFlag
    {
        CpuHeader* header = (CpuHeader*)cpu;
        ulong result = TWidth.Truncate(TUp.Value ? TWidth.Load(cpu + op->A) + 1 : TWidth.Load(cpu + op->A) - 1);
        if (TFlags.Value)
        {
            header->FlagsCarry = LazyFlags.CarryOf(header) ? 1UL : 0;
            header->FlagsOp = LazyFlags.Encode(TUp.Value ? FlagsKind.Inc : FlagsKind.Dec, (int)TWidth.Width);
            header->FlagsResult = result;
        }

        TWidth.StoreSlot(cpu + op->Dst, result);
        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* Shift<TOp, TWidth, TOperand, TFlags>(Op* op, byte* cpu)
        where TOp : IShift
        where TWidth : IWidth
        where TOperand : IOperand
        where TFlags : IFlag
    {
        int count = (int)TOperand.Get<Width8>(op, cpu) & (TWidth.Bits == 64 ? 63 : 31);
        ulong a = TWidth.Load(cpu + op->A);
        ulong result = a;
        if (count != 0)
        {
            result = TOp.Shift<TWidth>(a, count);
            if (TFlags.Value)
            {
                CpuHeader* header = (CpuHeader*)cpu;
                ulong lastStep = TOp.Shift<TWidth>(a, count - 1);
                header->FlagsOp = LazyFlags.Encode(TOp.Flags, (int)TWidth.Width);
                header->FlagsResult = result;
                header->FlagsSource = lastStep;
                if (TOp.Flags == FlagsKind.Shr)
                {
                    header->FlagsCarry = lastStep >> (TWidth.Bits - 1);
                }
            }
        }

        // A 32-bit shift by zero still clears the upper half of its destination.
        TWidth.StoreSlot(cpu + op->Dst, result);
        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    /// <summary>Rotates by a count modulo the width; left when <typeparamref name="TLeft"/>.</summary>
    [MethodImpl(Hot)]
    public static Op* Rotate<TLeft, TWidth, TOperand>(Op* op, byte* cpu)
        where TLeft : IFlag
        where TWidth : IWidth
        where TOperand : IOperand
    {
        int count = (int)TOperand.Get<Width8>(op, cpu) & (TWidth.Bits == 64 ? 63 : 31) & (TWidth.Bits - 1);
        ulong a = TWidth.Load(cpu + op->A);
        int left = TLeft.Value ? count : (TWidth.Bits - count) & (TWidth.Bits - 1);
        TWidth.StoreSlot(cpu + op->Dst, left == 0 ? a : (a << left) | (a >> (TWidth.Bits - left)));
        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* Multiply<TWidth, TOperand, TFlags>(Op* op, byte* cpu)
        where TWidth : IWidth
        where TOperand : IOperand
        where TFlags : IFlag
    {
        long a = (long)TWidth.SignExtend(TWidth.Load(cpu + op->A));
        long b = (long)TWidth.SignExtend(TOperand.Get<TWidth>(op, cpu));
        ulong result = (ulong)(a * b);
        if (TFlags.Value)
        {
            CpuHeader* header = (CpuHeader*)cpu;
            bool overflow = TWidth.Bits == 64 ? SignedHigh(a, b) != (long)result >> 63 : (long)TWidth.SignExtend(result) != (long)result;
            header->FlagsOp = LazyFlags.Encode(FlagsKind.Mul, (int)TWidth.Width);
            header->FlagsResult = TWidth.Truncate(result);
            header->FlagsSource = overflow ? 1UL : 0;
        }

        TWidth.StoreSlot(cpu + op->Dst, result);
        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    // The upper halves of products without a local whose address is taken, as the "out" of Math.BigMul is: a handler with one
    // would not end in a tail call (TryLoad).
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong UnsignedHigh(ulong a, ulong b) =>
        Bmi2.X64.IsSupported ? Bmi2.X64.MultiplyNoFlags(a, b)
        : ArmBase.Arm64.IsSupported ? ArmBase.Arm64.MultiplyHigh(a, b)
        : PortableHigh(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long SignedHigh(long a, long b) =>
        (long)UnsignedHigh((ulong)a, (ulong)b) - ((a >> 63) & b) - ((b >> 63) & a);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ulong PortableHigh(ulong a, ulong b) => Math.BigMul(a, b, out _);

    [MethodImpl(Hot)]
    public static Op* MultiplyWide<TSigned, TWidth, TFlags>(Op* op, byte* cpu)
        where TSigned : IFlag
        where TWidth : IWidth
        where TFlags : IFlag
    {
        ulong a = TWidth.Load(cpu + op->A);
        ulong b = TWidth.Load(cpu + op->B);
        ulong low;
        ulong high;
        if (TWidth.Bits == 64)
        {
            low = a * b;
            high = TSigned.Value ? (ulong)SignedHigh((long)a, (long)b) : UnsignedHigh(a, b);
        }
        else
        {
            low = TSigned.Value ? TWidth.SignExtend(a) * TWidth.SignExtend(b) : a * b;
            high = TWidth.Truncate(low >> TWidth.Bits);
            low = TWidth.Truncate(low);
        }

        if (TFlags.Value)
        {
            CpuHeader* header = (CpuHeader*)cpu;
            ulong expectedHigh = TSigned.Value ? TWidth.Truncate((ulong)((long)TWidth.SignExtend(low) >> 63)) : 0;
            header->FlagsOp = LazyFlags.Encode(FlagsKind.Mul, (int)TWidth.Width);
            header->FlagsResult = low;
            header->FlagsSource = high ^ expectedHigh;
        }

        TWidth.StoreSlot(cpu + op->Dst, low);
        TWidth.StoreSlot(cpu + op->C, high);
        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* ByteSwap<TWidth>(Op* op, byte* cpu)
        where TWidth : IWidth
    {
        ulong reversed = BinaryPrimitives.ReverseEndianness(TWidth.Load(cpu + op->A));
        TWidth.StoreSlot(cpu + op->Dst, reversed >> (64 - TWidth.Bits));
        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* SetCondition<TCondition, TSource, TWidth>(Op* op, byte* cpu)
        where TCondition : ICondition
        where TSource : IFlagsSource
        where TWidth : IWidth
    {
        *(cpu + op->Dst) = TSource.Holds<TWidth>((CpuHeader*)cpu, TCondition.Condition) ? (byte)1 : (byte)0;
        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    /// <summary>The op's own width is in C (a width index), because the width argument is that of the flags.</summary>
    [MethodImpl(Hot)]
    public static Op* Select<TCondition, TSource, TWidth>(Op* op, byte* cpu)
        where TCondition : ICondition
        where TSource : IFlagsSource
        where TWidth : IWidth
    {
        ulong value = *(ulong*)(cpu + (TSource.Holds<TWidth>((CpuHeader*)cpu, TCondition.Condition) ? op->B : op->A));
        switch ((IrWidth)op->C)
        {
            case IrWidth.W16: *(ushort*)(cpu + op->Dst) = (ushort)value; break;
            case IrWidth.W32: *(ulong*)(cpu + op->Dst) = (uint)value; break;
            default: *(ulong*)(cpu + op->Dst) = value; break;
        }

        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* VectorMove(Op* op, byte* cpu)
    {
        Vector128.Load(cpu + op->B).Store(cpu + op->Dst);
        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }
}
