using Emu.Frontend.Ir;
using Emu.Frontend.X86.SoftFloat;

namespace Emu.Frontend.X86.X87;

/// <summary>
/// Stores whose exceptions are all masked, in two halves: what is stored, and after the store, which may fault, what it does to the status
/// and the stack (SDM vol. 2, FST, FIST, FISTTP). The first half hands the second its status by <see cref="CpuHeader.Scratch"/>.
/// </summary>
internal static unsafe class X87Store
{
    private const ulong Underflow = 1 << 16;

    /// <summary>FST m32.</summary>
    public static ulong Single(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Float(cpu, FloatFormat.Single);

    /// <summary>FST m64.</summary>
    public static ulong Double(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        byte* slot = X87Stack.Slot(state, 0);
        ulong significand = *(ulong*)slot;
        uint signExponent = *(ushort*)(slot + 8);
        int exponent = (int)(signExponent & 0x7fff) - FloatFormat.Extended.Bias + FloatFormat.Double.Bias;
        if (X87Stack.IsEmpty(state, 0) || (long)significand >= 0 || exponent is < 1 or > 2045 || (state->X87Control & 0xc00) != 0)
        {
            return Float(cpu, FloatFormat.Double);
        }

        // To nearest even; a carry out of the significand goes into the exponent by itself.
        ulong dropped = significand & 0x7ff;
        ulong up = dropped > 0x400 || (dropped == 0x400 && (significand & 0x800) != 0) ? 1UL : 0;
        cpu->Scratch = (dropped != 0 ? (ulong)FloatFlags.Precision : 0) | (up != 0 ? X87Status.C1 : 0UL);
        return ((ulong)(signExponent & 0x8000) << 48) + (((ulong)exponent << 52) | ((significand >> 11) & 0xf_ffff_ffff_ffff)) + up;
    }

    /// <summary>FSTP m80: the significand.</summary>
    public static ulong Extended(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        bool empty = X87Stack.IsEmpty(state, 0);
        cpu->Scratch = empty ? Underflow : 0;
        return empty ? X87Stack.DefaultNan.Significand : *(ulong*)X87Stack.Slot(state, 0);
    }

    /// <summary>FSTP m80: sign and exponent.</summary>
    public static ulong ExtendedUpper(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        return X87Stack.IsEmpty(state, 0) ? X87Stack.DefaultNan.SignExponent : *(ushort*)(X87Stack.Slot(state, 0) + 8);
    }

    /// <summary>FIST m16.</summary>
    public static ulong Int16(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Integer(cpu, 16, truncate: false);

    /// <summary>FIST m32.</summary>
    public static ulong Int32(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Integer(cpu, 32, truncate: false);

    /// <summary>FISTP m64.</summary>
    public static ulong Int64(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Integer(cpu, 64, truncate: false);

    /// <summary>FISTTP m16.</summary>
    public static ulong Truncated16(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Integer(cpu, 16, truncate: true);

    /// <summary>FISTTP m32.</summary>
    public static ulong Truncated32(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Integer(cpu, 32, truncate: true);

    /// <summary>FISTTP m64.</summary>
    public static ulong Truncated64(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Integer(cpu, 64, truncate: true);

    /// <summary>After the store: a = what the first half left in <see cref="CpuHeader.Scratch"/>, imm = number of pops.</summary>
    public static ulong Finish(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        if (a == Underflow)
        {
            X87Stack.Underflow(state);
        }
        else
        {
            X87Stack.Record(state, (ushort)a);
        }

        if (imm != 0)
        {
            X87Stack.Pop(state);
        }

        return 0;
    }

    private static ulong Float(CpuHeader* cpu, in FloatFormat format)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        bool isSingle = format.Precision == 24;
        Encoded value = Encoded.DefaultNan(format);
        cpu->Scratch = Underflow;
        if (!X87Stack.IsEmpty(state, 0))
        {
            FloatContext context = X87Stack.ContextOf(state);
            value = FloatConvert.ToFormat(X87Stack.Read(state, 0), format, ref context);

            // A denormal register is merely tiny here (SDM vol. 2, FST lists no #D).
            context.Flags &= ~FloatFlags.Denormal;
            cpu->Scratch = StatusOf(context);
        }

        return isSingle ? value.ToSingle() : value.ToDouble();
    }

    private static ulong Integer(CpuHeader* cpu, int bits, bool truncate)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        if (X87Stack.IsEmpty(state, 0))
        {
            cpu->Scratch = Underflow;
            return (ulong)(long.MinValue >> (64 - bits));
        }

        FloatContext context = X87Stack.ContextOf(state);
        long value = FloatConvert.ToInteger(X87Stack.Read(state, 0), bits, truncate ? RoundingMode.Zero : context.Rounding, ref context);
        cpu->Scratch = StatusOf(context);
        return (ulong)value;
    }

    private static ulong StatusOf(in FloatContext context) => (ulong)context.Flags | (context.RoundedUp ? X87Status.C1 : 0UL);
}
