using Iced.Intel;

namespace Emu.Diff.Cases;

/// <summary>Which RFLAGS bits mean nothing after an instruction: Iced's table, and what it cannot know from the encoding alone.</summary>
internal static class UndefinedFlags
{
    private const RflagsBits Arithmetic = RflagsBits.CF | RflagsBits.PF | RflagsBits.AF | RflagsBits.ZF | RflagsBits.SF | RflagsBits.OF;

    /// <summary>The undefined flags after <paramref name="instruction"/>, given those before.</summary>
    public static RflagsBits After(in Instruction instruction, RflagsBits before)
    {
        RflagsBits undefined = instruction.RflagsUndefined | (ShiftsTooFar(instruction) ? Arithmetic : RflagsBits.None)
            | (TakesOverflowFromCarry(instruction) && (before & RflagsBits.CF) != 0 ? RflagsBits.OF : RflagsBits.None);
        return MayKeepFlags(instruction) ? before | undefined : (before & ~instruction.RflagsModified) | undefined;
    }

    // SHLD and SHRD of 16 bits by more than 16 (SDM vol. 2): the result is AMD's, the flags are anyone's.
    private static bool ShiftsTooFar(in Instruction instruction) => instruction.Code switch
    {
        Code.Shld_rm16_r16_CL or Code.Shrd_rm16_r16_CL => true,
        Code.Shld_rm16_r16_imm8 or Code.Shrd_rm16_r16_imm8 => (instruction.Immediate8 & 31) > 16,
        _ => false,
    };

    // Whole turns through the carry change nothing but OF, and that not by Iced's table.
    private static bool TakesOverflowFromCarry(in Instruction instruction) => instruction.Mnemonic is Mnemonic.Rcl or Mnemonic.Rcr;

    /// <summary>As a mask over RFLAGS.</summary>
    public static ulong Mask(RflagsBits bits)
    {
        ReadOnlySpan<(RflagsBits Bit, ulong Mask)> map =
            [(RflagsBits.CF, 1), (RflagsBits.PF, 4), (RflagsBits.AF, 0x10), (RflagsBits.ZF, 0x40), (RflagsBits.SF, 0x80), (RflagsBits.OF, 0x800)];
        ulong mask = 0;
        foreach ((RflagsBits bit, ulong value) in map)
        {
            mask |= (bits & bit) != 0 ? value : 0;
        }

        return mask;
    }

    // A count of zero in CL or RCX changes no flag.
    private static bool MayKeepFlags(in Instruction instruction) =>
        instruction.HasRepePrefix || instruction.HasRepnePrefix
        || (instruction.OpCount > 0 && instruction.GetOpKind(instruction.OpCount - 1) == OpKind.Register && instruction.GetOpRegister(instruction.OpCount - 1) == Register.CL
            && instruction.Mnemonic is Mnemonic.Shl or Mnemonic.Sal or Mnemonic.Shr or Mnemonic.Sar or Mnemonic.Rol or Mnemonic.Ror or Mnemonic.Rcl or Mnemonic.Rcr
                or Mnemonic.Shld or Mnemonic.Shrd);
}
