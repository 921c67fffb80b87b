using Emu.Frontend.Ir;
using Emu.Frontend.X86.SoftFloat;

namespace Emu.Frontend.X86.X87;

/// <summary>
/// Loads, stores and moves (SDM vol. 2, FLD, FST, FILD, FIST, FBLD, FBSTP, FXCH, FCMOV, FLDx). Loads take the memory operand
/// by value. Stores take its linear address and write it themselves: a fault leaves the x87 state as it was, and an unmasked
/// exception can keep memory as it was. <c>imm</c> of a store is the number of pops.
/// </summary>
internal static unsafe class X87Move
{
    /// <summary>FLD m32.</summary>
    public static ulong FldSingle(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Load(cpu, Unpacked.FromSingle((uint)a, default));

    /// <summary>FLD m64.</summary>
    public static ulong FldDouble(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Load(cpu, Unpacked.FromDouble(a, default));

    /// <summary>FLD m80: 80 bits as they are, significand in <c>a</c>.</summary>
    public static ulong FldExtended(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        X87Stack.Begin(state);
        X87Stack.Push(state, new Encoded((b & 0x8000) != 0, (int)b & 0x7fff, a));
        return 0;
    }

    /// <summary>FLD ST(a).</summary>
    public static ulong FldRegister(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        X87Stack.Begin(state);
        if (X87Stack.IsEmpty(state, (int)a))
        {
            if (X87Stack.Underflow(state))
            {
                X87Stack.PushUnchecked(state, X87Stack.DefaultNan);
            }

            return 0;
        }

        (ulong significand, ushort signExponent) = X87Stack.ReadRaw(state, (int)a);
        X87Stack.Push(state, new Encoded((signExponent & 0x8000) != 0, signExponent & 0x7fff, significand));
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
        FloatContext context = X87Stack.Begin(state);
        X87Stack.Push(state, X87Constants.Load((X87Constant)imm, context));
        return 0;
    }

    /// <summary>FST and FSTP m32.</summary>
    public static ulong FstSingle(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Store(cpu, a, FloatFormat.Single, (int)imm);

    /// <summary>FST and FSTP m64.</summary>
    public static ulong FstDouble(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Store(cpu, a, FloatFormat.Double, (int)imm);

    /// <summary>FSTP m80.</summary>
    public static ulong FstpExtended(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        Encoded value = X87Stack.DefaultNan;
        bool empty = X87Stack.IsEmpty(state, 0);
        if (!empty)
        {
            (ulong significand, ushort signExponent) = X87Stack.ReadRaw(state, 0);
            value = new Encoded((signExponent & 0x8000) != 0, signExponent & 0x7fff, significand);
        }

        StoreTenBytes(cpu, a, value.Significand, value.SignExponent, empty);
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

        X87Stack.Pop(state, (int)imm);
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

    /// <summary>FIST and FISTP m16.</summary>
    public static ulong FistInt16(CpuHeader* cpu, ulong a, ulong b, ulong imm) => StoreInteger(cpu, a, 2, (int)imm, truncate: false);

    /// <summary>FIST and FISTP m32.</summary>
    public static ulong FistInt32(CpuHeader* cpu, ulong a, ulong b, ulong imm) => StoreInteger(cpu, a, 4, (int)imm, truncate: false);

    /// <summary>FISTP m64.</summary>
    public static ulong FistInt64(CpuHeader* cpu, ulong a, ulong b, ulong imm) => StoreInteger(cpu, a, 8, (int)imm, truncate: false);

    /// <summary>FISTTP m16.</summary>
    public static ulong FisttpInt16(CpuHeader* cpu, ulong a, ulong b, ulong imm) => StoreInteger(cpu, a, 2, 1, truncate: true);

    /// <summary>FISTTP m32.</summary>
    public static ulong FisttpInt32(CpuHeader* cpu, ulong a, ulong b, ulong imm) => StoreInteger(cpu, a, 4, 1, truncate: true);

    /// <summary>FISTTP m64.</summary>
    public static ulong FisttpInt64(CpuHeader* cpu, ulong a, ulong b, ulong imm) => StoreInteger(cpu, a, 8, 1, truncate: true);

    /// <summary>FBSTP.</summary>
    public static ulong Fbstp(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        const ulong limit = 999_999_999_999_999_999;
        X86CpuState* state = X87Stack.StateOf(cpu);
        if (X87Stack.IsEmpty(state, 0))
        {
            StoreTenBytes(cpu, a, 0xc000_0000_0000_0000, 0xffff, stackUnderflow: true);
            return 0;
        }

        Unpacked x = X87Stack.Read(state, 0);
        FloatContext context = X87Stack.ContextOf(state);
        long value = FloatConvert.ToInteger(x, 64, context.Rounding, ref context);
        ulong magnitude = value < 0 ? (ulong)-value : (ulong)value;
        ulong low = 0xc000_0000_0000_0000;
        ushort high = 0xffff;
        if (magnitude > limit || (context.Flags & FloatFlags.Invalid) != 0)
        {
            context.Flags = FloatFlags.Invalid;
            context.RoundedUp = false;
        }
        else
        {
            (low, high) = ToDecimal(magnitude, x.Negative);
        }

        if (X87Stack.MayStore(context))
        {
            WriteTenBytes(cpu, a, low, high);
        }
        else
        {
            X86Cpu.From(cpu).ProbeWrite(a, 10); // the page is looked at even when an unmasked exception keeps the store back
        }

        return Conclude(state, context, pops: 1);
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

    private static ulong Store(CpuHeader* cpu, ulong linear, in FloatFormat format, int pops)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        int size = format.Precision == 24 ? 4 : 8;
        FloatContext context = X87Stack.ContextOf(state);
        bool empty = X87Stack.IsEmpty(state, 0);
        Encoded value = Encoded.DefaultNan(format);
        if (!empty)
        {
            value = FloatConvert.ToFormat(X87Stack.Read(state, 0), format, ref context);

            // A denormal register is merely tiny here (SDM vol. 2, FST lists no #D).
            context.Flags &= ~FloatFlags.Denormal;
        }

        return StoreValue(cpu, linear, size == 4 ? value.ToSingle() : value.ToDouble(), size, pops, empty, context);
    }

    private static ulong StoreInteger(CpuHeader* cpu, ulong linear, int size, int pops, bool truncate)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        FloatContext context = X87Stack.ContextOf(state);
        bool empty = X87Stack.IsEmpty(state, 0);
        long value = empty
            ? long.MinValue >> (64 - (8 * size))
            : FloatConvert.ToInteger(X87Stack.Read(state, 0), 8 * size, truncate ? RoundingMode.Zero : context.Rounding, ref context);
        return StoreValue(cpu, linear, (ulong)value, size, pops, empty, context);
    }

    private static ulong StoreValue(CpuHeader* cpu, ulong linear, ulong value, int size, int pops, bool empty, FloatContext context)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        if (empty)
        {
            context.Raise(FloatFlags.Invalid);
        }

        // The store comes first: it may fault.
        if (X87Stack.MayStore(context))
        {
            X86Cpu.From(cpu).WriteLinear(linear, value, size);
        }
        else
        {
            X86Cpu.From(cpu).ProbeWrite(linear, size); // the page is looked at even when an unmasked exception keeps the store back
        }

        if (empty)
        {
            X87Stack.Begin(state);
            X87Stack.Pop(state, X87Stack.Underflow(state) ? pops : 0);
            return 0;
        }

        return Conclude(state, context, pops);
    }

    private static ulong Conclude(X86CpuState* state, in FloatContext context, int pops)
    {
        X87Stack.Begin(state);
        FloatContext concluded = context;
        bool stored = X87Stack.MayStore(context);
        if (!stored)
        {
            concluded.Flags &= ~FloatFlags.Precision;
            concluded.RoundedUp = false;
        }

        X87Stack.Finish(state, concluded);
        X87Stack.Pop(state, stored ? pops : 0);
        return 0;
    }

    private static void StoreTenBytes(CpuHeader* cpu, ulong linear, ulong low, ushort high, bool stackUnderflow)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        if (!stackUnderflow || (state->X87Control & (ushort)FloatFlags.Invalid) != 0)
        {
            WriteTenBytes(cpu, linear, low, high);
        }
        else
        {
            X86Cpu.From(cpu).ProbeWrite(linear, 10);
        }

        X87Stack.Begin(state);
        if (!stackUnderflow || X87Stack.Underflow(state))
        {
            X87Stack.Pop(state);
        }
    }

    private static void WriteTenBytes(CpuHeader* cpu, ulong linear, ulong low, ushort high)
    {
        X86Cpu owner = X86Cpu.From(cpu);
        owner.ProbeWrite(linear, 10);
        owner.WriteLinear(linear, low, 8);
        owner.WriteLinear(linear + 8, high, 2);
    }

    private static (ulong Low, ushort High) ToDecimal(ulong magnitude, bool negative)
    {
        UInt128 digits = 0;
        for (int i = 0; i < 18; i++)
        {
            digits |= (UInt128)(magnitude % 10) << (4 * i);
            magnitude /= 10;
        }

        return ((ulong)digits, (ushort)((ulong)(digits >> 64) | (negative ? 0x8000u : 0)));
    }

    private static void FillEmpty(X86CpuState* state, int index)
    {
        if (X87Stack.IsEmpty(state, index))
        {
            X87Stack.Write(state, index, X87Stack.DefaultNan);
        }
    }
}
