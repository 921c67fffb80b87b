using System.Runtime.CompilerServices;
using Emu.Frontend.Ir;
using Emu.Frontend.X86.SoftFloat;

namespace Emu.Frontend.X86.X87;

/// <summary>One of the six two-operand operations; the first operand is the destination.</summary>
internal interface IX87Operation
{
    /// <summary>Computes.</summary>
    static abstract Encoded Apply(in Unpacked destination, in Unpacked source, in FloatFormat format, ref FloatContext context);

    /// <summary>Computes by <see cref="X87Normal"/>.</summary>
    static abstract unsafe int ApplyNormal(ulong destination, uint destinationSign, ulong source, uint sourceSign, byte* result);
}

/// <summary>FADD.</summary>
internal readonly struct X87Add : IX87Operation
{
    /// <inheritdoc/>
    public static Encoded Apply(in Unpacked destination, in Unpacked source, in FloatFormat format, ref FloatContext context) =>
        FloatMath.Add(destination, source, format, ref context);

    /// <inheritdoc/>
    public static unsafe int ApplyNormal(ulong destination, uint destinationSign, ulong source, uint sourceSign, byte* result) =>
        X87Normal.Add(destination, destinationSign, source, sourceSign, result);
}

/// <summary>FSUB.</summary>
internal readonly struct X87Subtract : IX87Operation
{
    /// <inheritdoc/>
    public static Encoded Apply(in Unpacked destination, in Unpacked source, in FloatFormat format, ref FloatContext context) =>
        FloatMath.Subtract(destination, source, format, ref context);

    /// <inheritdoc/>
    public static unsafe int ApplyNormal(ulong destination, uint destinationSign, ulong source, uint sourceSign, byte* result) =>
        X87Normal.Add(destination, destinationSign, source, sourceSign ^ 0x8000, result);
}

/// <summary>FSUBR.</summary>
internal readonly struct X87SubtractReversed : IX87Operation
{
    /// <inheritdoc/>
    public static Encoded Apply(in Unpacked destination, in Unpacked source, in FloatFormat format, ref FloatContext context) =>
        FloatMath.Subtract(source, destination, format, ref context);

    /// <inheritdoc/>
    public static unsafe int ApplyNormal(ulong destination, uint destinationSign, ulong source, uint sourceSign, byte* result) =>
        X87Normal.Add(source, sourceSign, destination, destinationSign ^ 0x8000, result);
}

/// <summary>FMUL.</summary>
internal readonly struct X87Multiply : IX87Operation
{
    /// <inheritdoc/>
    public static Encoded Apply(in Unpacked destination, in Unpacked source, in FloatFormat format, ref FloatContext context) =>
        FloatMath.Multiply(destination, source, format, ref context);

    /// <inheritdoc/>
    public static unsafe int ApplyNormal(ulong destination, uint destinationSign, ulong source, uint sourceSign, byte* result) =>
        X87Normal.Multiply(destination, destinationSign, source, sourceSign, result);
}

/// <summary>FDIV.</summary>
internal readonly struct X87Divide : IX87Operation
{
    /// <inheritdoc/>
    public static Encoded Apply(in Unpacked destination, in Unpacked source, in FloatFormat format, ref FloatContext context) =>
        FloatMath.Divide(destination, source, format, ref context);

    /// <inheritdoc/>
    public static unsafe int ApplyNormal(ulong destination, uint destinationSign, ulong source, uint sourceSign, byte* result) =>
        X87Normal.Divide(destination, destinationSign, source, sourceSign, result);
}

/// <summary>FDIVR.</summary>
internal readonly struct X87DivideReversed : IX87Operation
{
    /// <inheritdoc/>
    public static Encoded Apply(in Unpacked destination, in Unpacked source, in FloatFormat format, ref FloatContext context) =>
        FloatMath.Divide(source, destination, format, ref context);

    /// <inheritdoc/>
    public static unsafe int ApplyNormal(ulong destination, uint destinationSign, ulong source, uint sourceSign, byte* result) =>
        X87Normal.Divide(source, sourceSign, destination, destinationSign, result);
}

/// <summary>The forms of the two-operand operations (SDM vol. 2, FADD/FADDP/FIADD and relatives).</summary>
/// <typeparam name="TOperation">Operation.</typeparam>
internal static unsafe class X87Binary<TOperation>
    where TOperation : struct, IX87Operation
{
    /// <summary>ST(0) op ST(a) → ST(0).</summary>
    public static ulong ToTop(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Registers(cpu, 0, (int)a, pops: 0);

    /// <summary>ST(a) op ST(0) → ST(a).</summary>
    public static ulong ToRegister(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Registers(cpu, (int)a, 0, pops: 0);

    /// <summary>ST(a) op ST(0) → ST(a), then pop.</summary>
    public static ulong ToRegisterAndPop(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Registers(cpu, (int)a, 0, pops: 1);

    /// <summary>ST(0) op m32 → ST(0).</summary>
    public static ulong Single(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Memory(cpu, Unpacked.FromSingle((uint)a, default));

    /// <summary>ST(0) op m64 → ST(0).</summary>
    public static ulong Double(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Memory(cpu, Unpacked.FromDouble(a, default));

    /// <summary>ST(0) op m16 integer → ST(0).</summary>
    public static ulong Int16(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Memory(cpu, Unpacked.FromInteger((short)a));

    /// <summary>ST(0) op m32 integer → ST(0).</summary>
    public static ulong Int32(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Memory(cpu, Unpacked.FromInteger((int)a));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Registers(CpuHeader* cpu, int destination, int source, int pops)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        if (!X87Stack.IsEmpty(state, destination) && !X87Stack.IsEmpty(state, source) && X87Normal.Applies(state))
        {
            byte* other = X87Stack.Slot(state, source);
            if (Normal(state, destination, *(ulong*)other, *(ushort*)(other + 8)))
            {
                if (pops != 0)
                {
                    X87Stack.Pop(state);
                }

                return 0;
            }
        }

        return AnyRegisters(state, destination, source, pops);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ulong AnyRegisters(X86CpuState* state, int destination, int source, int pops)
    {
        bool empty = X87Stack.IsEmpty(state, destination) || X87Stack.IsEmpty(state, source);
        FloatContext context = X87Stack.Begin(state);
        if (empty)
        {
            if (X87Stack.Underflow(state))
            {
                X87Stack.Write(state, destination, X87Stack.DefaultNan);
                X87Stack.Pop(state, pops);
            }

            return 0;
        }

        Encoded result = TOperation.Apply(X87Stack.Read(state, destination), X87Stack.Read(state, source), X87Stack.Precision(state), ref context);
        if (X87Stack.Finish(state, context))
        {
            X87Stack.Write(state, destination, result);
            X87Stack.Pop(state, pops);
        }

        return 0;
    }

    // False when the operands or the result are not for the short way; nothing has changed then.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Normal(X86CpuState* state, int destination, ulong source, uint sourceSign)
    {
        byte* target = X87Stack.Slot(state, destination);
        int status = TOperation.ApplyNormal(*(ulong*)target, *(ushort*)(target + 8), source, sourceSign, target);
        if (status == X87Normal.NotNormal)
        {
            return false;
        }

        X87Stack.Record(state, status);
        return true;
    }

    private static ulong Memory(CpuHeader* cpu, in Unpacked source)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        if (source.Kind == FloatKind.Finite && !source.IsDenormal && X87Normal.Applies(state) && !X87Stack.IsEmpty(state, 0)
            && Normal(state, 0, source.Significand, (uint)(source.Exponent + FloatFormat.Extended.Bias) | (source.Negative ? 0x8000u : 0)))
        {
            return 0;
        }

        FloatContext context = X87Stack.Begin(state);
        if (X87Stack.IsEmpty(state, 0))
        {
            if (X87Stack.Underflow(state))
            {
                X87Stack.Write(state, 0, X87Stack.DefaultNan);
            }

            return 0;
        }

        Encoded result = TOperation.Apply(X87Stack.Read(state, 0), source, X87Stack.Precision(state), ref context);
        if (X87Stack.Finish(state, context))
        {
            X87Stack.Write(state, 0, result);
        }

        return 0;
    }
}

/// <summary>One-operand arithmetic, partial remainders and scaling (SDM vol. 2).</summary>
internal static unsafe class X87Arithmetic
{
    /// <summary>FSQRT.</summary>
    public static ulong Fsqrt(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        if (X87Normal.Applies(state) && !X87Stack.IsEmpty(state, 0))
        {
            byte* top = X87Stack.Slot(state, 0);
            int status = X87Normal.SquareRoot(*(ulong*)top, *(ushort*)(top + 8), top);
            if (status != X87Normal.NotNormal)
            {
                X87Stack.Record(state, status);
                return 0;
            }
        }

        FloatContext context = X87Stack.Begin(state);
        return RequireTop(state) ? Replace(state, FloatMath.SquareRoot(X87Stack.Read(state, 0), X87Stack.Precision(state), ref context), context) : 0;
    }

    /// <summary>FRNDINT.</summary>
    public static ulong Frndint(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        FloatContext context = X87Stack.Begin(state);
        if (!RequireTop(state))
        {
            return 0;
        }

        Unpacked x = X87Stack.Read(state, 0);
        context.Raise(x.IsDenormal ? FloatFlags.Denormal : FloatFlags.None);
        return Replace(state, FloatConvert.RoundToIntegral(x, FloatFormat.Extended, context.Rounding, exact: true, ref context), context);
    }

    /// <summary>FABS: the sign cleared, whatever the operand.</summary>
    public static ulong Fabs(CpuHeader* cpu, ulong a, ulong b, ulong imm) => ChangeSign(cpu, and: 0x7fff, xor: 0);

    /// <summary>FCHS: the sign inverted, whatever the operand.</summary>
    public static ulong Fchs(CpuHeader* cpu, ulong a, ulong b, ulong imm) => ChangeSign(cpu, and: 0xffff, xor: 0x8000);

    /// <summary>FSCALE: ST(0) × 2^⌊ST(1)⌋, truncated toward zero.</summary>
    public static ulong Fscale(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        FloatContext context = X87Stack.Begin(state);
        return RequireTwo(state) ? Replace(state, Scale(X87Stack.Read(state, 0), X87Stack.Read(state, 1), ref context), context) : 0;
    }

    /// <summary>FXTRACT: the exponent in place of ST(0), then the significand pushed.</summary>
    public static ulong Fxtract(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        FloatContext context = X87Stack.Begin(state);
        bool empty = X87Stack.IsEmpty(state, 0);
        if (empty || !X87Stack.IsEmpty(state, 7))
        {
            if (empty ? X87Stack.Underflow(state) : X87Stack.Overflow(state))
            {
                X87Stack.ReplaceAndPush(state, X87Stack.DefaultNan, X87Stack.DefaultNan);
            }

            return 0;
        }

        (Encoded exponent, Encoded significand) = Extract(X87Stack.Read(state, 0), ref context);
        if (X87Stack.Finish(state, context))
        {
            X87Stack.ReplaceAndPush(state, exponent, significand);
        }

        return 0;
    }

    /// <summary>FPREM: remainder of a truncated quotient.</summary>
    public static ulong Fprem(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Remainder(cpu, nearest: false);

    /// <summary>FPREM1: the IEEE remainder, of a quotient rounded to nearest.</summary>
    public static ulong Fprem1(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Remainder(cpu, nearest: true);

    /// <summary>Handles an empty ST(0). True when it holds a value.</summary>
    internal static bool RequireTop(X86CpuState* state)
    {
        if (!X87Stack.IsEmpty(state, 0))
        {
            return true;
        }

        if (X87Stack.Underflow(state))
        {
            X87Stack.Write(state, 0, X87Stack.DefaultNan);
        }

        return false;
    }

    /// <summary>Handles an empty ST(0) or ST(1). True when both hold values.</summary>
    internal static bool RequireTwo(X86CpuState* state)
    {
        if (!X87Stack.IsEmpty(state, 0) && !X87Stack.IsEmpty(state, 1))
        {
            return true;
        }

        if (X87Stack.Underflow(state))
        {
            X87Stack.Write(state, 0, X87Stack.DefaultNan);
        }

        return false;
    }

    /// <summary>Writes a result to ST(0) unless an unmasked exception forbids.</summary>
    internal static ulong Replace(X86CpuState* state, in Encoded result, in FloatContext context)
    {
        if (X87Stack.Finish(state, context))
        {
            X87Stack.Write(state, 0, result);
        }

        return 0;
    }

    private static ulong ChangeSign(CpuHeader* cpu, ushort and, ushort xor)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        X87Stack.Begin(state);
        if (RequireTop(state))
        {
            (ulong significand, ushort signExponent) = X87Stack.ReadRaw(state, 0);
            X87Stack.WriteRaw(state, 0, significand, (ushort)((signExponent & and) ^ xor));
        }

        return 0;
    }

    private static Encoded Scale(in Unpacked x, in Unpacked scale, ref FloatContext context)
    {
        if (FloatMath.AnyNan(x, scale))
        {
            return FloatMath.PropagateNan(x, scale, FloatFormat.Extended, ref context);
        }

        if (scale.Kind == FloatKind.Infinity && x.Kind == (scale.Negative ? FloatKind.Infinity : FloatKind.Zero))
        {
            return FloatMath.Invalid(FloatFormat.Extended, ref context);
        }

        FloatMath.NoteDenormals(x, scale, ref context);
        if (x.Kind == FloatKind.Infinity || (scale.Kind == FloatKind.Infinity && !scale.Negative && x.Kind == FloatKind.Finite))
        {
            return Encoded.Infinity(x.Negative, FloatFormat.Extended);
        }

        if (x.Kind == FloatKind.Zero || scale.Kind == FloatKind.Infinity)
        {
            return Encoded.Zero(x.Negative);
        }

        // Beyond 2^16 the result overflows or vanishes however large the scale is.
        int amount = scale.Kind == FloatKind.Zero || scale.Exponent < 0 ? 0
            : scale.Exponent > 16 ? 1 << 17
            : (int)(scale.Significand >> (63 - scale.Exponent));
        return FloatRounding.Round(x.Negative, x.Exponent + (scale.Negative ? -amount : amount), (UInt128)x.Significand << 64, FloatFormat.Extended, ref context);
    }

    private static (Encoded Exponent, Encoded Significand) Extract(in Unpacked x, ref FloatContext context)
    {
        if (FloatMath.AnyNan(x, x))
        {
            Encoded nan = FloatMath.PropagateNan(x, x, FloatFormat.Extended, ref context);
            return (nan, nan);
        }

        if (x.Kind == FloatKind.Zero)
        {
            context.Raise(FloatFlags.ZeroDivide);
            return (Encoded.Infinity(negative: true, FloatFormat.Extended), Encoded.Zero(x.Negative));
        }

        if (x.Kind == FloatKind.Infinity)
        {
            return (Encoded.Infinity(negative: false, FloatFormat.Extended), Encoded.Infinity(x.Negative, FloatFormat.Extended));
        }

        FloatMath.NoteDenormals(x, x, ref context);
        Encoded exponent = FloatConvert.ToFormat(Unpacked.FromInteger(x.Exponent), FloatFormat.Extended, ref context);
        return (exponent, new Encoded(x.Negative, FloatFormat.Extended.Bias, x.Significand));
    }

    private static ulong Remainder(CpuHeader* cpu, bool nearest)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        FloatContext context = X87Stack.Begin(state);
        X87Stack.SetConditions(state, 0, X87Status.C2);
        if (!RequireTwo(state))
        {
            return 0;
        }

        // Without a quotient C0 and C3 stay.
        int conditions = state->X87Status & (X87Status.C0 | X87Status.C3);
        Encoded result = Remainder(X87Stack.Read(state, 0), X87Stack.Read(state, 1), nearest, ref context, ref conditions);
        context.RoundedUp = false;
        if (X87Stack.Finish(state, context))
        {
            X87Stack.Write(state, 0, result);
            X87Stack.SetConditions(state, conditions);
        }

        return 0;
    }

    private static Encoded Remainder(in Unpacked x, in Unpacked y, bool nearest, ref FloatContext context, ref int conditions)
    {
        if (FloatMath.AnyNan(x, y))
        {
            return FloatMath.PropagateNan(x, y, FloatFormat.Extended, ref context);
        }

        if (x.Kind == FloatKind.Infinity || y.Kind == FloatKind.Zero)
        {
            return FloatMath.Invalid(FloatFormat.Extended, ref context);
        }

        FloatMath.NoteDenormals(x, y, ref context);
        conditions = 0;
        if (x.Kind == FloatKind.Zero)
        {
            return Encoded.Zero(x.Negative);
        }

        if (y.Kind == FloatKind.Infinity)
        {
            return FloatRounding.Round(x.Negative, x.Exponent, (UInt128)x.Significand << 64, FloatFormat.Extended, ref context);
        }

        int distance = x.Exponent - y.Exponent;
        if (distance >= 64)
        {
            // Not done in one step: C2 tells, and the distance shrinks by 32 to 63 binary places (SDM vol. 2, FPREM).
            conditions = X87Status.C2;
            int places = (distance & 31) | 32;
            UInt128 partial = Reduce(x.Significand, y.Significand, places, out _);
            return Normalised(x.Negative, y.Exponent + distance - places, partial, ref context);
        }

        return FinalRemainder(x, y, distance, nearest, ref context, ref conditions);
    }

    private static Encoded FinalRemainder(in Unpacked x, in Unpacked y, int distance, bool nearest, ref FloatContext context, ref int conditions)
    {
        bool negative = x.Negative;
        ulong quotient = 0;
        int exponent = y.Exponent;
        UInt128 remainder;
        UInt128 divisor = y.Significand;
        if (distance >= 0)
        {
            remainder = Reduce(x.Significand, y.Significand, distance, out quotient);
        }
        else
        {
            // The dividend is smaller; at one place apart nearest rounding may still make the quotient one.
            remainder = x.Significand;
            exponent = x.Exponent;
            divisor <<= distance == -1 ? 1 : 2;
        }

        if (nearest && distance >= -1 && ((remainder << 1) > divisor || ((remainder << 1) == divisor && (quotient & 1) != 0)))
        {
            remainder = divisor - remainder;
            negative = !negative;
            quotient++;
        }

        conditions = ((quotient & 4) != 0 ? X87Status.C0 : 0) | ((quotient & 2) != 0 ? X87Status.C3 : 0) | ((quotient & 1) != 0 ? X87Status.C1 : 0);
        return remainder == 0 ? Encoded.Zero(x.Negative) : Normalised(negative, exponent, remainder, ref context);
    }

    // x × 2^places mod y by long division; the low bits of the quotient come along.
    private static UInt128 Reduce(ulong x, ulong y, int places, out ulong quotient)
    {
        UInt128 remainder = x;
        quotient = 0;
        for (int i = 0; i <= places; i++)
        {
            quotient <<= 1;
            if (remainder >= y)
            {
                remainder -= y;
                quotient |= 1;
            }

            if (i < places)
            {
                remainder <<= 1;
            }
        }

        return remainder;
    }

    // A remainder is exact; the exponent is that of bit 63.
    private static Encoded Normalised(bool negative, int exponent, UInt128 value, ref FloatContext context)
    {
        if (value == 0)
        {
            return Encoded.Zero(negative);
        }

        int shift = (int)UInt128.LeadingZeroCount(value);
        return FloatRounding.Round(negative, exponent + 64 - shift, value << shift, FloatFormat.Extended, ref context);
    }
}
