namespace Emu.Frontend.X86.SoftFloat;

/// <summary>A binary floating-point format, or a precision within one (SDM vol. 1, 4.2.2 and 8.1.5.2).</summary>
/// <param name="Precision">Significand bits, the integer bit included.</param>
/// <param name="Bias">Exponent bias, which is also the largest exponent of a finite number.</param>
internal readonly record struct FloatFormat(int Precision, int Bias)
{
    /// <summary>Binary16.</summary>
    public static readonly FloatFormat Half = new(11, 15);

    /// <summary>Binary32.</summary>
    public static readonly FloatFormat Single = new(24, 127);

    /// <summary>Binary64.</summary>
    public static readonly FloatFormat Double = new(53, 1023);

    /// <summary>The 80-bit format of x87 registers.</summary>
    public static readonly FloatFormat Extended = new(64, 16383);

    /// <summary>Exponent of the smallest normal number.</summary>
    public int MinExponent => 1 - Bias;

    /// <summary>The biased exponent of infinities and NaNs.</summary>
    public int SpecialExponent => (2 * Bias) + 1;

    /// <summary>What an unmasked x87 overflow or underflow adds to or takes from the exponent (SDM vol. 1, 8.5.4).</summary>
    public int Wrap => (Bias + 1) * 3 / 2;
}

/// <summary>Rounding control, encoded as in MXCSR and the x87 control word (SDM vol. 1, table 4-8).</summary>
internal enum RoundingMode : byte
{
    /// <summary>To nearest, ties to even.</summary>
    Nearest,

    /// <summary>Toward minus infinity.</summary>
    Down,

    /// <summary>Toward plus infinity.</summary>
    Up,

    /// <summary>Toward zero.</summary>
    Zero,
}

/// <summary>Exceptions, at their places in MXCSR and the x87 status word; the masks have the same order.</summary>
[Flags]
internal enum FloatFlags : byte
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>IE.</summary>
    Invalid = 1,

    /// <summary>DE.</summary>
    Denormal = 2,

    /// <summary>ZE.</summary>
    ZeroDivide = 4,

    /// <summary>OE.</summary>
    Overflow = 8,

    /// <summary>UE.</summary>
    Underflow = 16,

    /// <summary>PE.</summary>
    Precision = 32,

    /// <summary>All six.</summary>
    All = 63,
}

/// <summary>Control of one operation and the exceptions that it raises.</summary>
internal struct FloatContext
{
    /// <summary>Rounding mode.</summary>
    public RoundingMode Rounding;

    /// <summary>Masked exceptions.</summary>
    public FloatFlags Masks;

    /// <summary>MXCSR.DAZ: denormal operands count as zeros.</summary>
    public bool DenormalsAreZero;

    /// <summary>MXCSR.FTZ: tiny results become zeros while underflow is masked.</summary>
    public bool FlushToZero;

    /// <summary>x87 rules for the choice of a NaN and for unmasked overflow and underflow.</summary>
    public bool X87;

    /// <summary>Exceptions raised, accumulated.</summary>
    public FloatFlags Flags;

    /// <summary>The last rounding went away from zero (C1 of the x87 status word).</summary>
    public bool RoundedUp;

    /// <summary>Records exceptions.</summary>
    public void Raise(FloatFlags flags) => Flags |= flags;

    /// <summary>True when all of <paramref name="flags"/> are masked.</summary>
    public readonly bool Masked(FloatFlags flags) => (Masks & flags) == flags;
}
