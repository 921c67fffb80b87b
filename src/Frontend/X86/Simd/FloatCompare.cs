using System.Runtime.Intrinsics;
using Emu.Frontend.Ir;
using Emu.Frontend.X86.SoftFloat;

namespace Emu.Frontend.X86.Simd;

/// <summary>SSE minimum, maximum and comparisons (SDM vol. 2).</summary>
/// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
/// <typeparam name="TCount">Packed or scalar.</typeparam>
internal static unsafe class FloatCompare<T, TCount>
    where T : unmanaged
    where TCount : struct, ILaneCount
{
    /// <summary>MINPS, MINPD, MINSS, MINSD: the second operand unless the first is less.</summary>
    public static void Minimum(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Choose(cpu, dst, a, b, FloatOrder.Less);

    /// <summary>MAXPS, MAXPD, MAXSS, MAXSD: the second operand unless the first is greater.</summary>
    public static void Maximum(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm) => Choose(cpu, dst, a, b, FloatOrder.Greater);

    /// <summary>CMPPS, CMPPD, CMPSS, CMPSD with one of the eight SSE predicates (SDM vol. 2, table 3-1).</summary>
    public static void Compare(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        Vector128<T> x = FloatLanes<T, TCount>.Load(a);
        Vector128<T> y = FloatLanes<T, TCount>.Load(b);
        Vector128<T> result = IsOrdinary(x, y) ? HostPredicate(x, y, imm & 3) : SoftPredicate(cpu, x, y, imm & 3);
        FloatLanes<T, TCount>.Store(dst, a, (imm & 4) != 0 ? ~result : result);
    }

    /// <summary>VCMPPS and relatives with one of the 32 predicates of AVX (SDM vol. 2, table 3-1).</summary>
    public static void CompareExtended(CpuHeader* cpu, byte* dst, byte* a, byte* b, int imm)
    {
        Vector128<T> x = FloatLanes<T, TCount>.Load(a);
        Vector128<T> y = FloatLanes<T, TCount>.Load(b);
        int predicate = imm & 15;
        int holdsFor = OrdersOf(predicate);
        const int quietPredicates = 0b1001_1001_1001_1001;
        bool quiet = (((quietPredicates >> predicate) ^ (imm >> 4)) & 1) != 0;
        FloatContext context = Mxcsr.Context(cpu);
        Vector128<T> result = Vector128<T>.Zero;
        for (int i = 0; i < FloatLanes<T, TCount>.Count; i++)
        {
            FloatOrder order = FloatMath.Compare(FloatLanes<T, TCount>.Unpack(x, i, context), FloatLanes<T, TCount>.Unpack(y, i, context), quiet, ref context);
            result = ((holdsFor >> (int)order) & 1) != 0 ? FloatLanes<T, TCount>.Copy(result, i, Vector128<T>.AllBitsSet) : result;
        }

        Mxcsr.Commit(cpu, context);
        FloatLanes<T, TCount>.Store(dst, a, result);
    }

    /// <summary>COMISS, COMISD: ZF, PF, CF; any NaN is invalid.</summary>
    public static ulong Ordered(CpuHeader* cpu, byte* a, byte* b, int imm) => CompareFlags(cpu, a, b, quiet: false);

    /// <summary>UCOMISS, UCOMISD: ZF, PF, CF; only a signaling NaN is invalid.</summary>
    public static ulong Unordered(CpuHeader* cpu, byte* a, byte* b, int imm) => CompareFlags(cpu, a, b, quiet: true);

    /// <summary>The orders in which a predicate holds: a bit for each value of <see cref="FloatOrder"/>.</summary>
    private static int OrdersOf(int predicate)
    {
        const int less = 1 << (int)FloatOrder.Less, equal = 1 << (int)FloatOrder.Equal, greater = 1 << (int)FloatOrder.Greater, unordered = 1 << (int)FloatOrder.Unordered;
        return predicate switch
        {
            0 => equal,
            1 => less,
            2 => less | equal,
            3 => unordered,
            4 => less | greater | unordered,
            5 => equal | greater | unordered,
            6 => greater | unordered,
            7 => less | equal | greater,
            8 => equal | unordered,
            9 => less | unordered,
            10 => less | equal | unordered,
            11 => 0,
            12 => less | greater,
            13 => equal | greater,
            14 => greater,
            _ => less | equal | greater | unordered,
        };
    }

    private static void Choose(CpuHeader* cpu, byte* dst, byte* a, byte* b, FloatOrder order)
    {
        Vector128<T> x = FloatLanes<T, TCount>.Load(a);
        Vector128<T> y = FloatLanes<T, TCount>.Load(b);
        if (IsOrdinary(x, y))
        {
            Vector128<T> first = order == FloatOrder.Less ? Vector128.LessThan(x, y) : Vector128.GreaterThan(x, y);
            FloatLanes<T, TCount>.Store(dst, a, Vector128.ConditionalSelect(first, x, y));
            return;
        }

        FloatContext context = Mxcsr.Context(cpu);
        Vector128<T> result = y;
        for (int i = 0; i < FloatLanes<T, TCount>.Count; i++)
        {
            Unpacked p = FloatLanes<T, TCount>.Unpack(x, i, context);
            Unpacked q = FloatLanes<T, TCount>.Unpack(y, i, context);
            bool first = FloatMath.Compare(p, q, quiet: false, ref context) == order;
            result = FloatLanes<T, TCount>.Copy(result, i, first ? x : y);
            if ((first ? p : q).Kind == FloatKind.Zero)
            {
                // A denormal operand that DAZ made zero is returned as zero.
                result = FloatLanes<T, TCount>.With(result, i, Encoded.Zero((first ? p : q).Negative));
            }
        }

        Mxcsr.Commit(cpu, context);
        FloatLanes<T, TCount>.Store(dst, a, result);
    }

    // No NaN and no denormal number: nothing to raise, and DAZ makes no difference.
    private static bool IsOrdinary(Vector128<T> x, Vector128<T> y) =>
        !FloatLanes<T, TCount>.AnyNan(x) && !FloatLanes<T, TCount>.AnyNan(y) && !FloatLanes<T, TCount>.AnyDenormal(x) && !FloatLanes<T, TCount>.AnyDenormal(y);

    private static Vector128<T> HostPredicate(Vector128<T> x, Vector128<T> y, int predicate) => predicate switch
    {
        0 => Vector128.Equals(x, y),
        1 => Vector128.LessThan(x, y),
        2 => Vector128.LessThanOrEqual(x, y),
        _ => Vector128<T>.Zero,
    };

    private static Vector128<T> SoftPredicate(CpuHeader* cpu, Vector128<T> x, Vector128<T> y, int predicate)
    {
        FloatContext context = Mxcsr.Context(cpu);
        Vector128<T> result = Vector128<T>.Zero;
        for (int i = 0; i < FloatLanes<T, TCount>.Count; i++)
        {
            Unpacked p = FloatLanes<T, TCount>.Unpack(x, i, context);
            Unpacked q = FloatLanes<T, TCount>.Unpack(y, i, context);
            FloatOrder order = FloatMath.Compare(p, q, quiet: predicate is 0 or 3, ref context);
            bool holds = predicate switch
            {
                0 => order == FloatOrder.Equal,
                1 => order == FloatOrder.Less,
                2 => order is FloatOrder.Less or FloatOrder.Equal,
                _ => order == FloatOrder.Unordered,
            };
            result = holds ? FloatLanes<T, TCount>.Copy(result, i, Vector128<T>.AllBitsSet) : result;
        }

        Mxcsr.Commit(cpu, context);
        return result;
    }

    private static ulong CompareFlags(CpuHeader* cpu, byte* a, byte* b, bool quiet)
    {
        Vector128<T> x = FloatLanes<T, TCount>.Load(a);
        Vector128<T> y = FloatLanes<T, TCount>.Load(b);
        if (IsOrdinary(x, y))
        {
            return Vector128.LessThanAll(x, y) ? Rflags.Cf : Vector128.EqualsAll(x, y) ? Rflags.Zf : 0;
        }

        FloatContext context = Mxcsr.Context(cpu);
        FloatOrder order = FloatMath.Compare(FloatLanes<T, TCount>.Unpack(x, 0, context), FloatLanes<T, TCount>.Unpack(y, 0, context), quiet, ref context);
        Mxcsr.Commit(cpu, context);
        return CompareFlags(order);
    }

    /// <summary>The flags of an order (SDM vol. 2, COMISS), which FCOMI shares.</summary>
    internal static ulong CompareFlags(FloatOrder order) => order switch
    {
        FloatOrder.Less => Rflags.Cf,
        FloatOrder.Equal => Rflags.Zf,
        FloatOrder.Greater => 0,
        _ => Rflags.Zf | Rflags.Pf | Rflags.Cf,
    };
}
