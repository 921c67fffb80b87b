using System.Numerics;
using System.Runtime.CompilerServices;
using Emu.Frontend.Ir;

namespace Emu.Frontend.X86.Helpers;

/// <summary>IR helpers for division, byte multiplication, decimal adjustment and bit counting. Bits 2:0 of imm are an <see cref="IrWidth"/> unless said.</summary>
internal static unsafe class ArithmeticHelpers
{
    /// <summary>In imm of <see cref="Divide"/>: signed.</summary>
    public const long Signed = 1 << 4;

    /// <summary>Operations of <see cref="DecimalAdjust"/>.</summary>
    public const int Aaa = 0;

    /// <inheritdoc cref="Aaa"/>
    public const int Aas = 1;

    /// <inheritdoc cref="Aaa"/>
    public const int Daa = 2;

    /// <inheritdoc cref="Aaa"/>
    public const int Das = 3;

    /// <inheritdoc cref="Aaa"/>
    public const int Aam = 4;

    /// <inheritdoc cref="Aaa"/>
    public const int Aad = 5;

    /// <summary>MUL and IMUL of bytes. a, b = operands; imm = 1 for signed. Returns AX.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong MultiplyBytes(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        ushort product = imm != 0 ? (ushort)((sbyte)a * (sbyte)b) : (ushort)((byte)a * (byte)b);
        bool overflow = imm != 0 ? (short)product != (sbyte)product : product > 0xff;
        header->FlagsOp = LazyFlags.Encode(FlagsKind.Mul, (int)IrWidth.W8);
        header->FlagsResult = (byte)product;
        header->FlagsSource = overflow ? 1UL : 0;
        return product;
    }

    /// <summary>DIV and IDIV of RDX:RAX (AX for bytes) by b. #DE when the divisor is zero or the quotient does not fit.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Divide(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = (X86CpuState*)header;
        IrWidth width = (IrWidth)(imm & 7);
        bool signed = (imm & (ulong)Signed) != 0;
        ref ulong rax = ref state->Gpr[X86Gpr.Rax];
        ref ulong rdx = ref state->Gpr[X86Gpr.Rdx];
        ulong quotient;
        ulong remainder;
        switch (width)
        {
            case IrWidth.W8:
                (quotient, remainder) = signed
                    ? DivideSigned(header, (short)rax, (sbyte)b, 8)
                    : DivideUnsigned(header, (ushort)rax, (byte)b, 8);
                rax = (rax & ~0xffffUL) | (quotient & 0xff) | ((remainder & 0xff) << 8);
                break;
            case IrWidth.W16:
                (quotient, remainder) = signed
                    ? DivideSigned(header, (int)(((uint)(ushort)rdx << 16) | (ushort)rax), (short)b, 16)
                    : DivideUnsigned(header, ((ulong)(ushort)rdx << 16) | (ushort)rax, (ushort)b, 16);
                rax = (rax & ~0xffffUL) | (quotient & 0xffff);
                rdx = (rdx & ~0xffffUL) | (remainder & 0xffff);
                break;
            case IrWidth.W32:
                (quotient, remainder) = signed
                    ? DivideSigned(header, (long)(((ulong)(uint)rdx << 32) | (uint)rax), (int)b, 32)
                    : DivideUnsigned(header, ((ulong)(uint)rdx << 32) | (uint)rax, (uint)b, 32);
                (rax, rdx) = ((uint)quotient, (uint)remainder);
                break;
            default:
                (rax, rdx) = signed
                    ? DivideSigned128(header, (Int128)new UInt128(rdx, rax), (long)b)
                    : DivideUnsigned128(header, rdx, rax, b);
                break;
        }

        return 0;
    }

    /// <summary>AAA, AAS, DAA, DAS, AAM, AAD: imm = operation, base in bits 15:8 (SDM vol. 2).</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong DecimalAdjust(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = (X86CpuState*)header;
        ref ulong rax = ref state->Gpr[X86Gpr.Rax];
        uint al = (byte)rax;
        uint ah = (byte)(rax >> 8);
        ulong flags = LazyFlags.Evaluate(header);
        bool low = (al & 0xf) > 9 || (flags & Rflags.Af) != 0;
        uint numberBase = (uint)(imm >> 8) & 0xff;
        switch ((int)(imm & 0xff))
        {
            case Aaa or Aas:
                uint ax = (uint)(ushort)rax;
                ax = low ? ((imm & 0xff) == Aaa ? ax + 0x106 : ax - 0x106) : ax;
                flags = (flags & ~(Rflags.Af | Rflags.Cf)) | (low ? Rflags.Af | Rflags.Cf : 0);
                rax = (rax & ~0xffffUL) | (ax & 0xff0f);
                LazyFlags.SetMaterialised(header, flags);
                return 0;
            case Daa or Das:
                bool add = (imm & 0xff) == Daa;
                bool high = al > 0x99 || (flags & Rflags.Cf) != 0;
                uint adjusted = low ? (add ? al + 6 : al - 6) : al;
                bool carry = high || (!add && low && al < 6);
                adjusted = high ? (add ? adjusted + 0x60 : adjusted - 0x60) : adjusted;
                al = adjusted & 0xff;
                flags = LazyFlags.ResultFlags(al, 8) | (carry ? Rflags.Cf : 0) | (low ? Rflags.Af : 0);
                rax = (rax & ~0xffUL) | al;
                LazyFlags.SetMaterialised(header, flags);
                return 0;
            case Aam:
                if (numberBase == 0)
                {
                    X86Cpu.From(header).Raise(X86Vector.DivideError);
                }

                (ah, al) = (al / numberBase, al % numberBase);
                break;
            default:
                (ah, al) = (0, (al + (ah * numberBase)) & 0xff);
                break;
        }

        rax = (rax & ~0xffffUL) | (ah << 8) | al;
        LazyFlags.SetMaterialised(header, LazyFlags.ResultFlags(al, 8));
        return 0;
    }

    /// <summary>TZCNT (imm bits 15:8 = 0), LZCNT (1), POPCNT (2). a = source.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong BitCount(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        int bits = 8 << (int)(imm & 7);
        ulong source = a & (ulong.MaxValue >> (64 - bits));
        if (imm >> 8 == 2)
        {
            LazyFlags.SetMaterialised(header, source == 0 ? Rflags.Zf : 0);
            return (ulong)BitOperations.PopCount(source);
        }

        ulong count = imm >> 8 == 0
            ? Math.Min((ulong)BitOperations.TrailingZeroCount(source), (ulong)bits)
            : (ulong)(BitOperations.LeadingZeroCount(source) - (64 - bits));
        LazyFlags.SetMaterialised(header, (source == 0 ? Rflags.Cf : 0) | (count == 0 ? Rflags.Zf : 0));
        return count;
    }

    private static (ulong Quotient, ulong Remainder) DivideUnsigned(CpuHeader* header, ulong dividend, ulong divisor, int bits)
    {
        if (divisor == 0 || dividend / divisor >> bits != 0)
        {
            X86Cpu.From(header).Raise(X86Vector.DivideError);
        }

        return (dividend / divisor, dividend % divisor);
    }

    private static (ulong Quotient, ulong Remainder) DivideSigned(CpuHeader* header, long dividend, long divisor, int bits)
    {
        // long.MinValue / -1 would trap on the host; its quotient never fits.
        if (divisor == 0 || (divisor == -1 && dividend == long.MinValue))
        {
            X86Cpu.From(header).Raise(X86Vector.DivideError);
        }

        long quotient = dividend / divisor;
        if (quotient != (quotient << (64 - bits)) >> (64 - bits))
        {
            X86Cpu.From(header).Raise(X86Vector.DivideError);
        }

        return ((ulong)quotient, (ulong)(dividend % divisor));
    }

    private static (ulong Quotient, ulong Remainder) DivideUnsigned128(CpuHeader* header, ulong high, ulong low, ulong divisor)
    {
        if (high >= divisor)
        {
            X86Cpu.From(header).Raise(X86Vector.DivideError); // covers a divisor of zero
        }

        if (high == 0)
        {
            return (low / divisor, low % divisor);
        }

        (UInt128 quotient, UInt128 remainder) = UInt128.DivRem(new UInt128(high, low), divisor);
        return ((ulong)quotient, (ulong)remainder);
    }

    private static (ulong Quotient, ulong Remainder) DivideSigned128(CpuHeader* header, Int128 dividend, long divisor)
    {
        if (dividend == (long)dividend && divisor != 0 && !(divisor == -1 && dividend == long.MinValue))
        {
            long small = (long)dividend;
            return ((ulong)(small / divisor), (ulong)(small % divisor));
        }

        if (divisor == 0 || dividend == Int128.MinValue)
        {
            X86Cpu.From(header).Raise(X86Vector.DivideError);
        }

        Int128 quotient = dividend / divisor;
        if (quotient > long.MaxValue || quotient < long.MinValue)
        {
            X86Cpu.From(header).Raise(X86Vector.DivideError);
        }

        return ((ulong)(long)quotient, (ulong)(long)(dividend - (quotient * divisor)));
    }
}
