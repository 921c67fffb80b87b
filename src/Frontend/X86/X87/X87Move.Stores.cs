using Emu.Frontend.Ir;
using Emu.Frontend.X86.SoftFloat;

namespace Emu.Frontend.X86.X87;

/// <content>Stores to memory, which some unmasked exceptions suppress; <see cref="X87Store"/> does them while all are masked.</content>
internal static unsafe partial class X87Move
{
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
}
