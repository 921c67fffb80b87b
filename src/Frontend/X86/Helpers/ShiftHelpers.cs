using System.Runtime.CompilerServices;
using Emu.Frontend.Ir;

namespace Emu.Frontend.X86.Helpers;

/// <summary>IR helpers for rotations, double shifts, bit tests and the carry flag. Bits 7:0 of imm are an <see cref="IrWidth"/>.</summary>
internal static unsafe class ShiftHelpers
{
    /// <summary>In imm: to the left.</summary>
    public const long Left = 1 << 4;

    /// <summary>As a shift count: the count is in CL.</summary>
    public const long CountInCl = 0x100;

    /// <summary>CF and OF after ROL or ROR. a = result, b = unmasked count; a masked count of zero changes nothing.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong RotateFlags(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        int bits = 8 << (int)(imm & 7);
        if ((b & (bits == 64 ? 63u : 31u)) == 0)
        {
            return 0;
        }

        ulong top = a >> (bits - 1) & 1;
        ulong carry = (imm & (ulong)Left) != 0 ? a & 1 : top;
        ulong overflow = (imm & (ulong)Left) != 0 ? top ^ carry : top ^ (a >> (bits - 2) & 1);
        SetCarryOverflow(header, carry, overflow);
        return 0;
    }

    /// <summary>RCL and RCR. a = value, b = unmasked count. Returns the result.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong RotateThroughCarry(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        int bits = 8 << (int)(imm & 7);
        ulong mask = ulong.MaxValue >> (64 - bits);
        a &= mask;
        int count = (int)(b & (bits == 64 ? 63u : 31u));
        if (count == 0)
        {
            return a;
        }

        ulong carry = LazyFlags.CarryOf(header) ? 1UL : 0;
        count %= bits + 1;
        bool left = (imm & (ulong)Left) != 0;
        for (int i = 0; i < count; i++)
        {
            if (left)
            {
                (a, carry) = (((a << 1) | carry) & mask, a >> (bits - 1) & 1);
            }
            else
            {
                (a, carry) = ((a >> 1) | (carry << (bits - 1)), a & 1);
            }
        }

        ulong top = a >> (bits - 1) & 1;
        SetCarryOverflow(header, carry, left ? top ^ carry : top ^ (a >> (bits - 2) & 1));
        return a;
    }

    /// <summary>SHLD and SHRD. a = destination, b = source; count in imm bits 16:8 or CL. Returns the result.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong DoubleShift(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        int width = (int)(imm & 7);
        int bits = 8 << width;
        ulong mask = ulong.MaxValue >> (64 - bits);
        (a, b) = (a & mask, b & mask);
        ulong given = imm >> 8;
        int count = (int)((given == CountInCl ? ((X86CpuState*)header)->Gpr[X86Gpr.Rcx] : given) & (bits == 64 ? 63u : 31u));
        if (count == 0)
        {
            return a;
        }

        bool left = (imm & (ulong)Left) != 0;
        ulong result;
        ulong carry;
        if (count > bits)
        {
            // 16-bit operands with a count of 17–31: undefined. AMD processors shift destination:source:source.
            count -= bits;
            a = b;
        }

        if (left)
        {
            result = (count == 64 ? 0 : a << count) | (b >> (bits - count));
            carry = a >> (bits - count) & 1;
        }
        else
        {
            result = (count == bits ? 0 : a >> count) | (b << (bits - count));
            carry = a >> (count - 1) & 1;
        }

        result &= mask;
        ulong overflow = ((result ^ a) >> (bits - 1)) & 1;
        LazyFlags.SetMaterialised(header, LazyFlags.ResultFlags(result, bits) | (carry != 0 ? Rflags.Cf : 0) | (overflow != 0 ? Rflags.Of : 0));
        return result;
    }

    /// <summary>CF after BT and relatives: bit b of a. The other flags stay.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong BitTestFlags(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        LazyFlags.SetMaterialised(header, (LazyFlags.Evaluate(header) & ~Rflags.Cf) | (a >> (int)b & 1));
        return 0;
    }

    /// <summary>CLC (imm 0), STC (1), CMC (2).</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong ChangeCarry(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        ulong flags = LazyFlags.Evaluate(header);
        LazyFlags.SetMaterialised(header, imm switch { 0 => flags & ~Rflags.Cf, 1 => flags | Rflags.Cf, _ => flags ^ Rflags.Cf });
        return 0;
    }

    /// <summary>Whether LOOP (imm 0), LOOPE (1) or LOOPNE (2) is taken with the decremented count a.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong LoopContinues(CpuHeader* header, ulong a, ulong b, ulong imm) =>
        a != 0 && (imm == 0 || ((LazyFlags.Evaluate(header) & Rflags.Zf) != 0) == (imm == 1)) ? 1UL : 0;

    private static void SetCarryOverflow(CpuHeader* header, ulong carry, ulong overflow)
    {
        ulong others = LazyFlags.Evaluate(header) & ~(Rflags.Cf | Rflags.Of);
        LazyFlags.SetMaterialised(header, others | carry | (overflow != 0 ? Rflags.Of : 0));
    }
}
