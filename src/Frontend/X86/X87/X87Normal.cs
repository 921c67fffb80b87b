using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Emu.Frontend.X86.SoftFloat;

// What may still change of DivRem is its name.
#pragma warning disable SYSLIB5004

namespace Emu.Frontend.X86.X87;

/// <summary>
/// The short way of the arithmetic instructions: normal operands and results, 64 bits of precision, rounding to nearest and
/// every exception masked. Each operation writes its result and returns the status bits it sets, or returns
/// <see cref="NotNormal"/> and has written nothing.
/// </summary>
internal static unsafe class X87Normal
{
    /// <summary>The operation has to go the long way.</summary>
    public const int NotNormal = -1;

    private const int Bias = 16383;
    private const int SpecialExponent = 0x7fff;
    private const uint SignBit = 0x8000;

    /// <summary>True when the control word asks for nearest rounding to 64 bits and masks every exception.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Applies(X86CpuState* state) => (state->X87Control & 0xf3f) == 0x33f;

    /// <summary>True for a normal number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsNormal(ulong significand, uint signExponent) =>
        (long)significand < 0 && (signExponent & 0x7fff) - 1 < SpecialExponent - 1;

    /// <summary>Sum a + b.</summary>
    public static int Add(ulong a, uint aSign, ulong b, uint bSign, byte* result)
    {
        if (!IsNormal(a, aSign) || !IsNormal(b, bSign))
        {
            return NotNormal;
        }

        uint aExponent = aSign & 0x7fff;
        uint bExponent = bSign & 0x7fff;
        if (bExponent > aExponent || (bExponent == aExponent && b > a))
        {
            (a, b, aSign, bSign, aExponent, bExponent) = (b, a, bSign, aSign, bExponent, aExponent);
        }

        int distance = (int)(aExponent - bExponent);
        ulong high = distance < 64 ? b >> distance : 0;
        ulong low = distance == 0 ? 0
            : distance < 64 ? b << (64 - distance)
            : distance == 64 ? b
            : distance < 128 ? (b >> (distance - 64)) | (b << (128 - distance) != 0 ? 1UL : 0) : 1;
        int exponent = (int)aExponent;
        if (((aSign ^ bSign) & SignBit) == 0)
        {
            ulong sum = a + high;
            if (sum < a)
            {
                low = (low >> 1) | (low & 1) | (sum << 63);
                sum = (sum >> 1) | Unpacked.IntegerBit;
                exponent++;
            }

            return Round(aSign & SignBit, exponent, sum, low, result);
        }

        high = a - high - (low != 0 ? 1UL : 0);
        low = 0 - low;
        if (high == 0)
        {
            (high, low) = (low, 0);
            exponent -= 64;
        }

        if (high == 0)
        {
            return NotNormal;
        }

        int shift = System.Numerics.BitOperations.LeadingZeroCount(high);
        high = shift == 0 ? high : (high << shift) | (low >> (64 - shift));
        return Round(aSign & SignBit, exponent - shift, high, low << shift, result);
    }

    /// <summary>Product a × b.</summary>
    public static int Multiply(ulong a, uint aSign, ulong b, uint bSign, byte* result)
    {
        if (!IsNormal(a, aSign) || !IsNormal(b, bSign))
        {
            return NotNormal;
        }

        ulong high = Wide.MultiplyHigh(a, b);
        ulong low = a * b;
        int exponent = (int)((aSign & 0x7fff) + (bSign & 0x7fff)) - Bias + 1;
        if ((long)high >= 0)
        {
            high = (high << 1) | (low >> 63);
            low <<= 1;
            exponent--;
        }

        return Round((aSign ^ bSign) & SignBit, exponent, high, low, result);
    }

    /// <summary>Quotient a ÷ b.</summary>
    public static int Divide(ulong a, uint aSign, ulong b, uint bSign, byte* result)
    {
        if (!IsNormal(a, aSign) || !IsNormal(b, bSign))
        {
            return NotNormal;
        }

        int shorter = a < b ? 1 : 0;
        ulong quotient = Quotient(shorter != 0 ? a : a >> 1, shorter != 0 ? 0 : a << 63, b, out ulong remainder);

        // A quotient is never halfway between two numbers: the divisor would need a bit more than it has.
        ulong tail = remainder == 0 ? 0 : remainder >= b - remainder ? ulong.MaxValue : 1;
        int exponent = (int)(aSign & 0x7fff) - (int)(bSign & 0x7fff) + Bias - shorter;
        return Round((aSign ^ bSign) & SignBit, exponent, quotient, tail, result);
    }

    /// <summary>Square root of a.</summary>
    public static int SquareRoot(ulong a, uint aSign, byte* result)
    {
        if (!IsNormal(a, aSign) || (aSign & SignBit) != 0)
        {
            return NotNormal;
        }

        int exponent = (int)aSign - Bias;
        bool odd = (exponent & 1) != 0;
        (ulong high, ulong low) = (odd ? a : a >> 1, odd ? 0 : a << 63);
        ulong root = Root(high, low);
        ulong square = root * root;
        ulong upperRest = high - Wide.MultiplyHigh(root, root) - (low < square ? 1UL : 0);
        ulong rest = low - square;
        ulong tail = (upperRest | rest) == 0 ? 0 : upperRest != 0 || rest > root ? ulong.MaxValue : 1UL;
        return Round(0, (exponent >> 1) + Bias, root, tail, result);
    }

    // Rounds to nearest even; the low word is what lies below the last place.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Round(uint sign, int exponent, ulong high, ulong low, byte* result)
    {
        ulong up = (low >> 63) & (low << 1 != 0 ? 1 : high & 1);
        int carry = up != 0 && high == ulong.MaxValue ? 1 : 0;
        ulong rounded = carry != 0 ? Unpacked.IntegerBit : high + up;
        if (exponent < 1 || exponent + carry >= SpecialExponent)
        {
            return NotNormal;
        }

        *(ulong*)result = rounded;
        *(ushort*)(result + 8) = (ushort)(sign | (uint)(exponent + carry));
        return (low != 0 ? (int)FloatFlags.Precision : 0) | (up != 0 ? X87Status.C1 : 0);
    }

    // The integer square root of 127 or 128 bits. A double gives its 52 upper bits, made too large for certain; a step of Newton's squares
    // the error, and leaves less than one unit.
    private static ulong Root(ulong high, ulong low)
    {
        if (!X86Base.X64.IsSupported)
        {
            return FloatMath.IntegerSquareRoot(new UInt128(high, low));
        }

        double estimate = (Math.Sqrt((double)(long)(high >> 1) * 2) * 4294967296.0) + 8192;
        ulong root = estimate >= 18446744073709551615.0 ? ulong.MaxValue : (ulong)estimate;
        root -= high < root ? (root - Quotient(high, low, root, out _)) >> 1 : 0;
        ulong upper = Wide.MultiplyHigh(root, root);
        return upper > high || (upper == high && root * root > low) ? root - 1 : root;
    }

    // 128 by 64 bits; the divisor has its top bit set and exceeds the upper half.
    private static ulong Quotient(ulong high, ulong low, ulong divisor, out ulong remainder)
    {
        if (X86Base.X64.IsSupported)
        {
            (ulong quotient, remainder) = X86Base.X64.DivRem(low, high, divisor);
            return quotient;
        }

        // In two steps of 32 (Knuth, algorithm D).
        ulong first = Digit(ref high, low >> 32, divisor);
        ulong second = Digit(ref high, (uint)low, divisor);
        remainder = high;
        return (first << 32) | second;
    }

    private static ulong Digit(ref ulong remainder, ulong next, ulong divisor)
    {
        ulong upper = divisor >> 32;
        ulong digit = remainder / upper;
        ulong rest = remainder - (digit * upper);
        while (digit >> 32 != 0 || digit * (uint)divisor > ((rest << 32) | next))
        {
            digit--;
            rest += upper;
            if (rest >> 32 != 0)
            {
                break;
            }
        }

        remainder = (remainder << 32) + next - (digit * divisor);
        return digit;
    }
}
