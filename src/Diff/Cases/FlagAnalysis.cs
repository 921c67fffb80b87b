using Iced.Intel;

namespace Emu.Diff.Cases;

/// <summary>Which flags mean nothing at the end of some code, and whether an instruction of it reads such a flag.</summary>
internal static class FlagAnalysis
{
    /// <summary>Decodes the code of a case, which begins at <paramref name="address"/> as the instruction pointer has it.</summary>
    public static List<Instruction> Decode(ReadOnlySpan<byte> code, ulong address, int bitness)
    {
        var decoder = Decoder.Create(bitness, new ByteArrayCodeReader(code.ToArray()), address);
        var instructions = new List<Instruction>();
        while (decoder.IP < address + (uint)code.Length)
        {
            instructions.Add(decoder.Decode());
        }

        return instructions;
    }

    /// <summary>
    /// Follows undefined flags along every way through <paramref name="instructions"/>. False when one is read: what the code computes is then
    /// anyone's. <paramref name="atEnd"/> are those that are undefined behind the last instruction on some way.
    /// </summary>
    public static bool TryAnalyze(IReadOnlyList<Instruction> instructions, out RflagsBits atEnd)
    {
        var before = new RflagsBits[instructions.Count + 1];
        bool changed = true;
        while (changed)
        {
            changed = false;
            for (int i = 0; i < instructions.Count; i++)
            {
                RflagsBits after = UndefinedFlags.After(instructions[i], before[i]);
                bool falls = instructions[i].FlowControl != FlowControl.UnconditionalBranch;
                changed |= (falls || !instructions[i].IsJmpShortOrNear) && Merge(before, i + 1, after);
                if (instructions[i].FlowControl is FlowControl.ConditionalBranch or FlowControl.UnconditionalBranch or FlowControl.Call)
                {
                    changed |= Merge(before, IndexOf(instructions, instructions[i].NearBranchTarget), after);
                }
            }
        }

        atEnd = before[^1];
        for (int i = 0; i < instructions.Count; i++)
        {
            if ((instructions[i].RflagsRead & before[i]) != 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The instruction at <paramref name="address"/>; the end when there is none.</summary>
    public static int IndexOf(IReadOnlyList<Instruction> instructions, ulong address)
    {
        for (int i = 0; i < instructions.Count; i++)
        {
            if (instructions[i].IP == address)
            {
                return i;
            }
        }

        return instructions.Count;
    }

    private static bool Merge(RflagsBits[] before, int index, RflagsBits bits)
    {
        bool grows = (bits & ~before[index]) != 0;
        before[index] |= bits;
        return grows;
    }
}
