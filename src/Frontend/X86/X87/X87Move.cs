using Emu.Frontend.Ir;
using Emu.Frontend.X86.SoftFloat;

namespace Emu.Frontend.X86.X87;

/// <summary>
/// Loads, stores and moves (SDM vol. 2, FLD, FST, FILD, FIST, FBLD, FBSTP, FXCH, FCMOV, FLDx). Loads take the memory operand
/// by value. Stores take its linear address and write it themselves: a fault leaves the x87 state as it was, and an unmasked
/// exception can keep memory as it was. <c>imm</c> of a store is the number of pops.
/// </summary>
internal static unsafe partial class X87Move
{
    /// <summary>FLD m32.</summary>
    public static ulong FldSingle(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        uint exponent = (uint)(a >> 23) & 0xff;
        bool isNormal = exponent - 1 < 0xfe;
        return isNormal && X87Stack.TryPush(X87Stack.StateOf(cpu), Unpacked.IntegerBit | (a << 40), (ushort)(((a >> 16) & 0x8000) | (exponent + 16383 - 127)))
            ? 0
            : Load(cpu, Unpacked.FromSingle((uint)a, default));
    }

    /// <summary>FLD m64.</summary>
    public static ulong FldDouble(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        uint exponent = (uint)(a >> 52) & 0x7ff;
        bool isNormal = exponent - 1 < 0x7fe;
        return isNormal && X87Stack.TryPush(X87Stack.StateOf(cpu), Unpacked.IntegerBit | (a << 11), (ushort)(((a >> 48) & 0x8000) | (exponent + 16383 - 1023)))
            ? 0
            : Load(cpu, Unpacked.FromDouble(a, default));
    }

    /// <summary>FLD m80: 80 bits as they are, significand in <c>a</c>.</summary>
    public static ulong FldExtended(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        if (!X87Stack.TryPush(state, a, (ushort)b))
        {
            X87Stack.Begin(state);
            X87Stack.Push(state, default);
        }

        return 0;
    }

    /// <summary>FLD ST(a).</summary>
    public static ulong FldRegister(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        byte* source = X87Stack.Slot(state, (int)a);
        bool empty = X87Stack.IsEmpty(state, (int)a);
        if (!empty && X87Stack.TryPush(state, *(ulong*)source, *(ushort*)(source + 8)))
        {
            return 0;
        }

        X87Stack.Begin(state);
        if (empty)
        {
            if (X87Stack.Underflow(state))
            {
                X87Stack.PushUnchecked(state, X87Stack.DefaultNan);
            }

            return 0;
        }

        X87Stack.Push(state, default);
        return 0;
    }

    /// <summary>FILD m16.</summary>
    public static ulong FildInt16(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Load(cpu, Unpacked.FromInteger((short)a));

    /// <summary>FILD m32.</summary>
    public static ulong FildInt32(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Load(cpu, Unpacked.FromInteger((int)a));

    /// <summary>FILD m64.</summary>
    public static ulong FildInt64(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Load(cpu, Unpacked.FromInteger((long)a));

    /// <summary>FBLD: 18 decimal digits and a sign.</summary>
    public static ulong Fbld(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        ulong magnitude = 0;
        for (int i = 17; i >= 0; i--)
        {
            ulong digit = i < 16 ? (a >> (4 * i)) & 15 : (b >> (4 * (i - 16))) & 15;
            magnitude = (magnitude * 10) + digit;
        }

        Unpacked value = Unpacked.FromInteger((long)magnitude);
        return Load(cpu, (b & 0x8000) != 0 ? value.Negated : value);
    }

    /// <summary>FLD1, FLDZ, FLDPI and relatives; <c>imm</c> is the <see cref="X87Constant"/>.</summary>
    public static ulong FldConstant(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        bool isOne = (X87Constant)imm == X87Constant.One;
        if ((isOne || (X87Constant)imm == X87Constant.Zero)
            && X87Stack.TryPush(state, isOne ? Unpacked.IntegerBit : 0, isOne ? (ushort)FloatFormat.Extended.Bias : (ushort)0))
        {
            return 0;
        }

        FloatContext context = X87Stack.Begin(state);
        X87Stack.Push(state, X87Constants.Load((X87Constant)imm, context));
        return 0;
    }

    /// <summary>FST and FSTP ST(a).</summary>
    public static ulong FstRegister(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        X87Stack.Begin(state);
        if (!X87Stack.IsEmpty(state, 0))
        {
            (ulong significand, ushort signExponent) = X87Stack.ReadRaw(state, 0);
            X87Stack.WriteRaw(state, (int)a, significand, signExponent);
        }
        else if (X87Stack.Underflow(state))
        {
            X87Stack.Write(state, (int)a, X87Stack.DefaultNan);
        }
        else
        {
            return 0;
        }

        if (imm != 0)
        {
            X87Stack.Pop(state);
        }

        return 0;
    }

    /// <summary>FSTPNCE ST(a): as FSTP, but an empty ST(0) is no error (D9 D8, undocumented).</summary>
    public static ulong Fstpnce(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        if (!X87Stack.IsEmpty(state, 0))
        {
            return FstRegister(cpu, a, b, imm);
        }

        X87Stack.Begin(state);
        X87Stack.Pop(state);
        return 0;
    }

    /// <summary>FXCH ST(a).</summary>
    public static ulong Fxch(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        X87Stack.Begin(state);
        int index = (int)a;
        if (X87Stack.IsEmpty(state, 0) || X87Stack.IsEmpty(state, index))
        {
            if (!X87Stack.Underflow(state))
            {
                return 0;
            }

            FillEmpty(state, 0);
            FillEmpty(state, index);
        }

        (ulong significand, ushort signExponent) = X87Stack.ReadRaw(state, 0);
        (ulong otherSignificand, ushort otherSignExponent) = X87Stack.ReadRaw(state, index);
        X87Stack.WriteRaw(state, 0, otherSignificand, otherSignExponent);
        X87Stack.WriteRaw(state, index, significand, signExponent);
        return 0;
    }

    /// <summary>FCMOVcc: <c>imm</c> has the flags tested in its low half, and bit 63 when the move wants none of them set.</summary>
    public static ulong Fcmov(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        if (X87Stack.IsEmpty(state, 0) || X87Stack.IsEmpty(state, (int)a))
        {
            if (X87Stack.Underflow(state))
            {
                X87Stack.Write(state, 0, X87Stack.DefaultNan);
            }

            return 0;
        }

        bool set = (LazyFlags.Evaluate(cpu) & (uint)imm) != 0;
        if (set != imm >> 63 > 0)
        {
            (ulong significand, ushort signExponent) = X87Stack.ReadRaw(state, (int)a);
            X87Stack.WriteRaw(state, 0, significand, signExponent);
        }

        return 0;
    }

    private static ulong Load(CpuHeader* cpu, in Unpacked value)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        FloatContext context = X87Stack.Begin(state);
        if (!X87Stack.IsEmpty(state, 7))
        {
            X87Stack.Push(state, default);
            return 0;
        }

        if (value.Kind == FloatKind.Finite && !value.IsDenormal)
        {
            X87Stack.PushUnchecked(state, new Encoded(value.Negative, value.Exponent + FloatFormat.Extended.Bias, value.Significand));
            return 0;
        }

        // The conversion is exact; of its exceptions only an unmasked invalid one stops it, a denormal one is reported after it.
        Encoded result = FloatConvert.ToFormat(value, FloatFormat.Extended, ref context);
        X87Stack.Finish(state, context);
        if (context.Masked(context.Flags & FloatFlags.Invalid))
        {
            X87Stack.Push(state, result);
        }

        return 0;
    }

    private static void FillEmpty(X86CpuState* state, int index)
    {
        if (X87Stack.IsEmpty(state, index))
        {
            X87Stack.Write(state, index, X87Stack.DefaultNan);
        }
    }
}
