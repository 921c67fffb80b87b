using Iced.Intel;

namespace Emu.Diff.Cases;

/// <summary>An instruction of a case.</summary>
/// <param name="Instruction">The instruction.</param>
/// <param name="Offset">First byte, from the entry.</param>
/// <param name="End">First byte behind it.</param>
internal readonly record struct CaseInstruction(Instruction Instruction, int Offset, int End);

/// <summary>A generated case in a batch: code and instructions; the input is in the batch.</summary>
internal sealed class DiffCase
{
    /// <summary>With the seed, what makes it again.</summary>
    public ulong Number { get; set; }

    /// <summary>Linear address of the first byte.</summary>
    public ulong Entry { get; set; }

    /// <summary>The entry as the instruction pointer has it: in code of 16 bits an offset in the slots' segment.</summary>
    public ulong EntryPointer { get; set; }

    /// <summary><see cref="CaseState.Control"/> of its input.</summary>
    public ulong Control { get; set; }

    /// <summary>Bytes of code, the way back included.</summary>
    public int CodeLength { get; set; }

    /// <summary>Its instructions, without the way back.</summary>
    public List<CaseInstruction> Instructions { get; } = [];

    /// <summary>Flags that mean nothing at the end, whichever way the branches went.</summary>
    public RflagsBits UndefinedFlags { get; set; }

    /// <summary>The form it was made for.</summary>
    public Code MainCode { get; set; }
}
