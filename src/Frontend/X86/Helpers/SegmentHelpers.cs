using System.Runtime.CompilerServices;
using Emu.Frontend.Ir;

namespace Emu.Frontend.X86.Helpers;

/// <summary>IR helpers for segment registers, descriptor tables and selector checks. Selectors are the low 16 bits of an argument.</summary>
public static unsafe class SegmentHelpers
{
    /// <summary>MOV, POP, LDS… to a segment register. a = selector; imm = segment number, plus <see cref="X86Cpu.NoShadow"/> for LSS, which does not inhibit interrupts.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong LoadSegment(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).LoadSegment((int)(imm & 7), (ushort)a, (imm & X86Cpu.NoShadow) == 0);
        return 0;
    }

    /// <summary>In imm of <see cref="SegmentTranslate"/>: where the operand is not aligned to its size, #GP comes before #SS.</summary>
    internal const int AlignmentFirst = 16;

    /// <summary>
    /// Linear address of an access with all segment checks. a = offset; imm = segment number | 8 for a write | <see cref="AlignmentFirst"/> |
    /// bytes &lt;&lt; 8. Returns the linear address.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong SegmentTranslate(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu cpu = X86Cpu.From(header);
        int segment = (int)(imm & 7);
        uint bytes = (uint)(imm >> 8);
        if ((imm & AlignmentFirst) != 0 && ((cpu.State->SegmentBase[segment] + a) & (bytes - 1)) != 0)
        {
            cpu.RaiseGeneralProtection();
        }

        return cpu.SegmentTranslate(segment, a, bytes, (imm & 8) != 0);
    }

    /// <summary>MOV or PUSH of a segment register. imm = segment number. Returns the selector.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong ReadSelector(CpuHeader* header, ulong a, ulong b, ulong imm) => X86Cpu.From(header).State->Segment[(int)(imm & 7)].Selector;

    /// <summary>LLDT. a = selector.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Lldt(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Lldt((ushort)a);
        return 0;
    }

    /// <summary>LTR. a = selector.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Ltr(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Ltr((ushort)a);
        return 0;
    }

    /// <summary>SLDT. Returns the selector.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Sldt(CpuHeader* header, ulong a, ulong b, ulong imm) => X86Cpu.From(header).StoreSystemSelector(X86Segment.Ldtr);

    /// <summary>STR. Returns the selector.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Str(CpuHeader* header, ulong a, ulong b, ulong imm) => X86Cpu.From(header).StoreSystemSelector(X86Segment.Tr);

    /// <summary>LAR. a = selector, b = old destination. Sets ZF; returns the new destination (b if invalid).</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Lar(CpuHeader* header, ulong a, ulong b, ulong imm) => X86Cpu.From(header).Lar((ushort)a, b);

    /// <summary>LSL. a = selector, b = old destination. Sets ZF; returns the new destination (b if invalid).</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Lsl(CpuHeader* header, ulong a, ulong b, ulong imm) => X86Cpu.From(header).Lsl((ushort)a, b);

    /// <summary>VERR. a = selector. Sets ZF.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Verr(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Verify((ushort)a, write: false);
        return 0;
    }

    /// <summary>VERW. a = selector. Sets ZF.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Verw(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Verify((ushort)a, write: true);
        return 0;
    }

    /// <summary>ARPL. a = destination selector, b = source selector. Sets ZF; returns the new destination.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Arpl(CpuHeader* header, ulong a, ulong b, ulong imm) => X86Cpu.From(header).Arpl((ushort)a, (ushort)b);

    /// <summary>LGDT. a = linear address of the operand; imm = operand size in bytes (2, 4 or 8).</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Lgdt(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).LoadDescriptorTable(a, (int)imm, idt: false);
        return 0;
    }

    /// <summary>LIDT. a = linear address of the operand; imm = operand size in bytes (2, 4 or 8).</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Lidt(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).LoadDescriptorTable(a, (int)imm, idt: true);
        return 0;
    }

    /// <summary>SGDT. a = linear address of the operand; imm = operand size in bytes (2, 4 or 8).</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Sgdt(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).StoreDescriptorTable(a, (int)imm, idt: false);
        return 0;
    }

    /// <summary>SIDT. a = linear address of the operand; imm = operand size in bytes (2, 4 or 8).</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Sidt(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).StoreDescriptorTable(a, (int)imm, idt: true);
        return 0;
    }
}
