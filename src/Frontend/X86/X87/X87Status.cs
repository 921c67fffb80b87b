namespace Emu.Frontend.X86.X87;

/// <summary>The x87 status, control and tag words (SDM vol. 1, 8.1.3, 8.1.5 and 8.1.7).</summary>
internal static unsafe class X87Status
{
    /// <summary>Stack fault.</summary>
    public const ushort StackFault = 1 << 6;

    /// <summary>Error summary.</summary>
    public const ushort ErrorSummary = 1 << 7;

    /// <summary>Condition code 0.</summary>
    public const ushort C0 = 1 << 8;

    /// <summary>Condition code 1.</summary>
    public const ushort C1 = 1 << 9;

    /// <summary>Condition code 2.</summary>
    public const ushort C2 = 1 << 10;

    /// <summary>Condition code 3.</summary>
    public const ushort C3 = 1 << 14;

    /// <summary>All condition codes.</summary>
    public const ushort ConditionCodes = C0 | C1 | C2 | C3;

    /// <summary>Busy; follows the error summary.</summary>
    public const ushort Busy = 1 << 15;

    /// <summary>Shift of TOP.</summary>
    public const int TopShift = 11;

    /// <summary>Control word after FNINIT.</summary>
    public const ushort DefaultControl = 0x37f;

    private const ushort TopMask = 7 << TopShift;
    private const ushort Exceptions = 0x3f;

    // Bit 6 reads as one; bits 7 and 13-15 cannot be set.
    private const ushort ControlWritable = 0x1f3f;
    private const ushort ControlFixed = 0x40;

    /// <summary>The status word with TOP.</summary>
    public static ushort Read(X86CpuState* state) => (ushort)((state->X87Status & ~TopMask) | (state->X87Top << TopShift));

    /// <summary>Sets the status word and TOP; the summary bits follow from the exceptions and their masks.</summary>
    public static void Write(X86CpuState* state, ushort value)
    {
        state->X87Top = (byte)((value >> TopShift) & 7);
        state->X87Status = (ushort)(value & ~TopMask);
        UpdateSummary(state);
    }

    /// <summary>Sets the control word, and the mode key with it. Ends the block: translations depend on it.</summary>
    public static void WriteControl(X86CpuState* state, ushort value)
    {
        state->X87Control = (ushort)((value & ControlWritable) | ControlFixed);
        UpdateSummary(state);
        UpdateMode(state);
    }

    /// <summary>What the control word adds to the mode key.</summary>
    public static ulong ModeKey(X86CpuState* state) => (~state->X87Control & Exceptions) == 0 ? X86ModeKey.X87Masked : 0;

    /// <summary>Makes ES and B agree with the exceptions and their masks.</summary>
    public static void UpdateSummary(X86CpuState* state)
    {
        bool pending = (state->X87Status & ~state->X87Control & Exceptions) != 0;
        state->X87Status = (ushort)(pending ? state->X87Status | ErrorSummary | Busy : state->X87Status & ~(ErrorSummary | Busy));
    }

    /// <summary>
    /// The state after FNINIT (SDM vol. 2, FINIT); the registers' contents stay. Ends the block as <see cref="WriteControl"/> does.
    /// </summary>
    public static void Initialise(X86CpuState* state)
    {
        state->X87Control = DefaultControl;
        state->X87Status = 0;
        state->X87Top = 0;
        state->X87Empty = 0xff;
        state->X87Opcode = 0;
        state->X87InstructionPointer = 0;
        state->X87DataPointer = 0;
        UpdateMode(state);
    }

    private static void UpdateMode(X86CpuState* state) =>
        state->Header.ModeKey = (state->Header.ModeKey & ~X86ModeKey.X87Masked) | ModeKey(state);
}
