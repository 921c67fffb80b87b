using Emu.Frontend.X86.SoftFloat;

namespace Emu.Frontend.X86.X87;

/// <summary>The constants of FLD1 to FLDZ, in opcode order.</summary>
internal enum X87Constant
{
    /// <summary>1.</summary>
    One,

    /// <summary>log2 10.</summary>
    LogTwoTen,

    /// <summary>log2 e.</summary>
    LogTwoE,

    /// <summary>π.</summary>
    Pi,

    /// <summary>log10 2.</summary>
    LogTenTwo,

    /// <summary>ln 2.</summary>
    LogETwo,

    /// <summary>0.</summary>
    Zero,
}

/// <summary>Constants to 128 bits; a load rounds them by RC without an exception (SDM vol. 2, FLD1).</summary>
internal static class X87Constants
{
    private static readonly (int Exponent, UInt128 Significand)[] Values =
    [
        (0, UInt128.One << 127),
        (1, new UInt128(0xd49a784bcd1b8afe, 0x492bf6ff4dafdb4c)),
        (0, new UInt128(0xb8aa3b295c17f0bb, 0xbe87fed0691d3e88)),
        (1, new UInt128(0xc90fdaa22168c234, 0xc4c6628b80dc1cd1)),
        (-2, new UInt128(0x9a209a84fbcff798, 0x8f8959ac0b7c9178)),
        (-1, new UInt128(0xb17217f7d1cf79ab, 0xc9e3b39803f2f6af)),
    ];

    /// <summary>The value that a load pushes.</summary>
    public static Encoded Load(X87Constant constant, FloatContext context)
    {
        if (constant == X87Constant.Zero)
        {
            return Encoded.Zero(negative: false);
        }

        (int exponent, UInt128 significand) = Values[(int)constant];
        return FloatRounding.Round(negative: false, exponent, significand, FloatFormat.Extended, ref context);
    }

    /// <summary>A constant for computing with.</summary>
    public static Wide Get(X87Constant constant) => new(negative: false, Values[(int)constant].Exponent, Values[(int)constant].Significand);
}
