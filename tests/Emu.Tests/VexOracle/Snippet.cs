using Emu.Diff.Cases;
using Iced.Intel;

namespace Emu.Tests.VexOracle;

/// <summary>An instruction of a snippet, with what is undefined after it.</summary>
/// <param name="Instruction">The instruction.</param>
/// <param name="Offset">First byte.</param>
/// <param name="End">First byte behind it.</param>
/// <param name="UndefinedFlags">RFLAGS bits that are undefined after it and everything before.</param>
internal readonly record struct SnippetInstruction(Instruction Instruction, int Offset, int End, RflagsBits UndefinedFlags);

/// <summary>A generated case: code, input registers, and the seed that makes it again.</summary>
internal sealed class Snippet
{
    public required ulong Seed { get; init; }

    /// <summary>Linear address of the first byte.</summary>
    public required ulong Entry { get; init; }

    public required List<SnippetInstruction> Instructions { get; init; }

    public required byte[] Code { get; init; }

    /// <summary>Undefined flags at the end, whichever way the branches went.</summary>
    public required RflagsBits UndefinedFlags { get; init; }

    public OracleState Input;

    /// <summary>The instruction under test: the last one added.</summary>
    public Code MainCode => Instructions[^1].Instruction.Code;
}
