using Emu.Diff.Cases;

namespace Emu.Diff.Compare;

/// <summary>Whether two results are the same, but for what is undefined.</summary>
internal static unsafe class StateComparer
{
    /// <summary>RFLAGS bits that are compared: the arithmetic flags, TF, DF, RF and AC.</summary>
    public const ulong ComparedFlags = 0x5_0dd5;

    // FXSAVE: FOP, FIP and FDP (6–23) are kept by some processors only while an exception is pending; MXCSR_MASK (28) is constant; 416 on is not written.
    public const int MxcsrEnd = 28;

    private const int StatusEnd = 5;
    private const int MxcsrStart = 24;
    private const int RegistersStart = 32;
    private const int RegistersEnd = 416;

    /// <summary>True when <paramref name="a"/> equals <paramref name="b"/> where RFLAGS is defined.</summary>
    public static bool Equal(CaseRecord* a, CaseRecord* b, ulong flags)
    {
        CaseState* x = &a->State;
        CaseState* y = &b->State;
        return ((x->Rflags ^ y->Rflags) & flags) == 0
            && Same(a, b, CaseState.GprOffset, CaseState.RflagsOffset)
            && x->Fault == y->Fault && x->Rip == y->Rip && (x->Fault == CaseState.NoFault || FaultsEqual(x, y))
            && Same(a, b, 0, StatusEnd) && Same(a, b, MxcsrStart, MxcsrEnd) && Same(a, b, RegistersStart, RegistersEnd)
            && Same(a, b, CaseState.UpperVectorOffset, CaseState.UpperVectorOffset + CaseState.UpperVectorBytes)
            && Same(a, b, CaseRecord.MemoryOffset, CaseRecord.Size);
    }

    /// <summary>The flags to compare of a case: all that are defined at its end; after an exception, those that are defined everywhere.</summary>
    public static ulong FlagMask(DiffCase subject, long fault)
    {
        Iced.Intel.RflagsBits undefined = subject.UndefinedFlags;
        if (fault != CaseState.NoFault)
        {
            foreach (CaseInstruction instruction in subject.Instructions)
            {
                undefined |= UndefinedFlags.After(instruction.Instruction, Iced.Intel.RflagsBits.None);
            }
        }

        return ComparedFlags & ~UndefinedFlags.Mask(undefined);
    }

    // CR2 belongs to page faults.
    private static bool FaultsEqual(CaseState* x, CaseState* y) =>
        x->FaultError == y->FaultError && (x->Fault != 14 || x->FaultAddress == y->FaultAddress);

    private static bool Same(CaseRecord* a, CaseRecord* b, int start, int end) =>
        new ReadOnlySpan<byte>((byte*)a + start, end - start).SequenceEqual(new ReadOnlySpan<byte>((byte*)b + start, end - start));
}
