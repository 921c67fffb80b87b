namespace Emu.Frontend.Ir;

/// <summary>Turns guest code into IR; all that the JIT knows of a guest instruction set.</summary>
public interface IGuestFrontend
{
    /// <summary>
    /// The linear address the next instruction is fetched from. False means that fetching there faults; the fault is recorded in the CPU.
    /// </summary>
    bool TryGetFetchAddress(out ulong linear);

    /// <summary>
    /// Code of the current mode is lifted so that the result does not depend on the page it is executed in (<see cref="IrBlock.IsRelative"/>).
    /// </summary>
    bool IsRelative { get; }

    /// <summary>
    /// Lifts code at program counter <paramref name="pc"/> for the current mode, whose first byte lies at <paramref name="physical"/>,
    /// into <paramref name="block"/>: at most <paramref name="maxInstructions"/>, ending at the page end, with at least one
    /// instruction. False means that the first instruction's fetch faults; the fault is recorded in the CPU.
    /// </summary>
    bool TryLift(IrBlock block, ulong pc, ulong physical, int maxInstructions);
}
