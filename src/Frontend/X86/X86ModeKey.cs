namespace Emu.Frontend.X86;

/// <summary>
/// Bits of <see cref="Ir.CpuHeader.ModeKey"/>: everything about the CPU mode that changes what an instruction translates to.
/// The upper half is the CS base (zero in 64-bit mode), because code outside flat mode is found by base plus offset. Not
/// included: the CS limit (<see cref="X86Cpu.CheckCodeLimit"/>), the interrupt shadow, and what helpers look at themselves
/// (IOPL, CR4.TSD, EFER.SCE and the like).
/// </summary>
public static class X86ModeKey
{
    /// <summary>Field 1:0, code size: 0 for 16 bits.</summary>
    public const ulong CodeSizeMask = 3;

    /// <summary>Code size: 32 bits.</summary>
    public const ulong Code32 = 1;

    /// <summary>Code size: 64 bits (CS.L in long mode).</summary>
    public const ulong Code64 = 2;

    /// <summary>The stack is 32 bits wide (SS.B). Clear in 64-bit mode, where the stack is always 64 bits.</summary>
    public const ulong Stack32 = 1 << 2;

    /// <summary>Shift of the two CPL bits.</summary>
    public const int CplShift = 3;

    /// <summary>CS, DS, ES and SS have base 0, limit 4G, and allow what their register is for. Always set in 64-bit mode.</summary>
    public const ulong Flat = 1 << 5;

    /// <summary>An FS access needs only its base added: writable, expand-up, limit 4G. Always set in 64-bit mode.</summary>
    public const ulong FsSimple = 1 << 6;

    /// <summary>As <see cref="FsSimple"/>, for GS.</summary>
    public const ulong GsSimple = 1 << 7;

    /// <summary>CR0.PE.</summary>
    public const ulong Protected = 1 << 8;

    /// <summary>Virtual-8086 mode.</summary>
    public const ulong Vm86 = 1 << 9;

    /// <summary>EFER.LMA: 64-bit or compatibility mode.</summary>
    public const ulong LongMode = 1 << 10;

    /// <summary>CR0.EM.</summary>
    public const ulong Emulation = 1 << 11;

    /// <summary>CR0.TS.</summary>
    public const ulong TaskSwitched = 1 << 12;

    /// <summary>CR0.MP.</summary>
    public const ulong MonitorCoprocessor = 1 << 13;

    /// <summary>CR4.OSFXSR.</summary>
    public const ulong Osfxsr = 1 << 14;

    /// <summary>CR4.OSXSAVE.</summary>
    public const ulong Osxsave = 1 << 15;

    /// <summary>RFLAGS.TF: a debug trap follows each instruction.</summary>
    public const ulong Trap = 1 << 16;

    /// <summary>CPL 3 with CR0.AM and RFLAGS.AC: misaligned data accesses raise #AC.</summary>
    public const ulong AlignmentCheck = 1 << 17;

    /// <summary>MXCSR's control bits are as after reset: all exceptions masked, rounding to nearest, no DAZ, no FTZ.</summary>
    public const ulong FloatDefault = 1 << 18;

    /// <summary>The x87 control word masks all exceptions: none is ever pending, and no instruction is kept from its result.</summary>
    public const ulong X87Masked = 1 << 19;

    /// <summary>AVX is enabled: CR4.OSXSAVE and the bits of SSE and AVX in XCR0, in protected mode.</summary>
    public const ulong Avx = 1 << 20;

    /// <summary>Shift of the CS base.</summary>
    public const int CodeBaseShift = 32;
}
