using Emu.Frontend.Ir;
using Emu.Frontend.X86.SoftFloat;

namespace Emu.Frontend.X86.X87;

/// <summary>Comparisons and classification (SDM vol. 2, FCOM, FUCOM, FICOM, FCOMI, FTST, FXAM). <c>imm</c> is the number of pops.</summary>
internal static unsafe class X87Compare
{
    private const int NotOrdinary = int.MinValue;

    /// <summary>FCOM, FCOMP, FCOMPP with ST(a).</summary>
    public static ulong Fcom(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Registers(cpu, (int)a, quiet: false, (int)imm);

    /// <summary>FUCOM, FUCOMP, FUCOMPP with ST(a): a quiet NaN raises nothing.</summary>
    public static ulong Fucom(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Registers(cpu, (int)a, quiet: true, (int)imm);

    /// <summary>FCOM and FCOMP m32.</summary>
    public static ulong FcomSingle(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Memory(cpu, Unpacked.FromSingle((uint)a, default), (int)imm);

    /// <summary>FCOM and FCOMP m64.</summary>
    public static ulong FcomDouble(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Memory(cpu, Unpacked.FromDouble(a, default), (int)imm);

    /// <summary>FICOM and FICOMP m16.</summary>
    public static ulong FicomInt16(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Memory(cpu, Unpacked.FromInteger((short)a), (int)imm);

    /// <summary>FICOM and FICOMP m32.</summary>
    public static ulong FicomInt32(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Memory(cpu, Unpacked.FromInteger((int)a), (int)imm);

    /// <summary>FTST: comparison with +0.</summary>
    public static ulong Ftst(CpuHeader* cpu, ulong a, ulong b, ulong imm) => Memory(cpu, Unpacked.FromInteger(0), pops: 0);

    /// <summary>FCOMI and FCOMIP with ST(a): returns the arithmetic flags.</summary>
    public static ulong Fcomi(CpuHeader* cpu, ulong a, ulong b, ulong imm) => ToFlags(cpu, (int)a, quiet: false, (int)imm);

    /// <summary>FUCOMI and FUCOMIP with ST(a): returns the arithmetic flags.</summary>
    public static ulong Fucomi(CpuHeader* cpu, ulong a, ulong b, ulong imm) => ToFlags(cpu, (int)a, quiet: true, (int)imm);

    /// <summary>FXAM: the class of ST(0) in C3, C2 and C0, its sign in C1; an empty register is a class too.</summary>
    public static ulong Fxam(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        Unpacked x = X87Stack.Read(state, 0);
        int kind = X87Stack.IsEmpty(state, 0) ? X87Status.C3 | X87Status.C0 : x.Kind switch
        {
            FloatKind.Unsupported => 0,
            FloatKind.QuietNan or FloatKind.SignalingNan => X87Status.C0,
            FloatKind.Infinity => X87Status.C2 | X87Status.C0,
            FloatKind.Zero => X87Status.C3,
            _ => x.IsDenormal ? X87Status.C3 | X87Status.C2 : X87Status.C2,
        };
        X87Stack.SetConditions(state, kind | (x.Negative ? X87Status.C1 : 0));
        return 0;
    }

    private static ulong Registers(CpuHeader* cpu, int index, bool quiet, int pops)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        bool empty = X87Stack.IsEmpty(state, 0) || X87Stack.IsEmpty(state, index);
        X87Stack.Begin(state);
        if (!empty && OrdinaryOrder(X87Stack.Slot(state, 0), X87Stack.Slot(state, index)) is int sign and not NotOrdinary)
        {
            Conclude(state, sign < 0 ? FloatOrder.Less : sign == 0 ? FloatOrder.Equal : FloatOrder.Greater, pops);
            return 0;
        }

        bool proceeds = Compare(state, X87Stack.Read(state, index), empty, quiet, out FloatOrder order);
        Conclude(state, order, proceeds ? pops : 0);
        return 0;
    }

    /// <summary>How two registers compare, each a normal number or zero: below zero, zero, above; or <see cref="NotOrdinary"/>.</summary>
    private static int OrdinaryOrder(byte* a, byte* b)
    {
        (ulong x, uint xSign) = (*(ulong*)a, *(ushort*)(a + 8));
        (ulong y, uint ySign) = (*(ulong*)b, *(ushort*)(b + 8));
        if (!IsOrdinary(x, xSign) || !IsOrdinary(y, ySign))
        {
            return NotOrdinary;
        }

        int direction = (xSign & 0x8000) != 0 ? -1 : 1;
        if (((xSign ^ ySign) & 0x8000) != 0)
        {
            return (x | y) == 0 ? 0 : direction;
        }

        int magnitude = xSign != ySign ? (xSign > ySign ? 1 : -1) : x.CompareTo(y);
        return direction * magnitude;
    }

    private static bool IsOrdinary(ulong significand, uint signExponent) =>
        X87Normal.IsNormal(significand, signExponent) || (significand == 0 && (signExponent & 0x7fff) == 0);

    private static ulong Memory(CpuHeader* cpu, in Unpacked source, int pops)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        X87Stack.Begin(state);
        bool proceeds = Compare(state, source, X87Stack.IsEmpty(state, 0), quiet: false, out FloatOrder order);
        Conclude(state, order, proceeds ? pops : 0);
        return 0;
    }

    private static ulong ToFlags(CpuHeader* cpu, int index, bool quiet, int pops)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        bool empty = X87Stack.IsEmpty(state, 0) || X87Stack.IsEmpty(state, index);
        if (!empty && OrdinaryOrder(X87Stack.Slot(state, 0), X87Stack.Slot(state, index)) is int sign and not NotOrdinary)
        {
            if (pops != 0)
            {
                X87Stack.Pop(state);
            }

            return sign < 0 ? Rflags.Cf : sign == 0 ? Rflags.Zf : 0;
        }

        bool proceeds = Compare(state, X87Stack.Read(state, index), empty, quiet, out FloatOrder order);
        X87Stack.Pop(state, proceeds ? pops : 0);
        return Simd.FloatCompare<double, Simd.Scalar>.CompareFlags(order);
    }

    // False when an unmasked exception forbids pops; condition codes or flags are set all the same.
    private static bool Compare(X86CpuState* state, in Unpacked source, bool empty, bool quiet, out FloatOrder order)
    {
        order = FloatOrder.Unordered;
        if (empty)
        {
            return X87Stack.Underflow(state);
        }

        FloatContext context = X87Stack.ContextOf(state);
        order = FloatMath.Compare(X87Stack.Read(state, 0), source, quiet, ref context);
        return X87Stack.Finish(state, context);
    }

    private static void Conclude(X86CpuState* state, FloatOrder order, int pops)
    {
        int conditions = order switch
        {
            FloatOrder.Less => X87Status.C0,
            FloatOrder.Equal => X87Status.C3,
            FloatOrder.Greater => 0,
            _ => X87Status.C3 | X87Status.C2 | X87Status.C0,
        };
        X87Stack.SetConditions(state, conditions, X87Status.C3 | X87Status.C2 | X87Status.C0);
        X87Stack.Pop(state, pops);
    }
}
