using System.Runtime.CompilerServices;
using Emu.Frontend.Ir;

namespace Emu.Frontend.X86.Helpers;

/// <summary>IR helpers for flags that depend on privilege.</summary>
public static unsafe class FlagHelpers
{
    /// <summary>PUSHF. imm = operand size in bytes. Returns the image to push.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong ReadFlags(CpuHeader* header, ulong a, ulong b, ulong imm) => X86Cpu.From(header).ReadFlagsImage((int)imm);

    /// <summary>POPF. a = popped image; imm = operand size in bytes. RSP is the lifter's, after this.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong PopFlags(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).PopFlagsImage(a, (int)imm);
        return 0;
    }

    /// <summary>CLI.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Cli(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Cli();
        return 0;
    }

    /// <summary>STI. Opens the interrupt shadow if IF was clear.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Sti(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Sti();
        return 0;
    }

    /// <summary>STI with the next instruction in the same block, which ends behind that.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong StiInBlock(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).StiInBlock();
        return 0;
    }

    /// <summary><see cref="X86Cpu.RequestDispatch"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong RequestDispatch(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).RequestDispatch();
        return 0;
    }

    /// <summary>STAC.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Stac(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).SetAlignmentCheck(true);
        return 0;
    }

    /// <summary>CLAC.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Clac(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).SetAlignmentCheck(false);
        return 0;
    }

    /// <summary>CLD.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Cld(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).SetDirection(false);
        return 0;
    }

    /// <summary>STD.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Std(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).SetDirection(true);
        return 0;
    }

    /// <summary>LAHF. Returns the new AH.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Lahf(CpuHeader* header, ulong a, ulong b, ulong imm) => X86Cpu.From(header).Lahf();

    /// <summary>SAHF. a = AH.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Sahf(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Sahf((byte)a);
        return 0;
    }

    /// <summary>Returns CF, PF, AF, ZF, SF and OF at their places.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong ArithmeticFlags(CpuHeader* header, ulong a, ulong b, ulong imm) => LazyFlags.Evaluate(header);

    /// <summary>Returns all of RFLAGS.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong EvaluateFlags(CpuHeader* header, ulong a, ulong b, ulong imm) => X86Cpu.From(header).GetRflags();
}
