using System.Runtime.CompilerServices;
using Emu.Frontend.Ir;

namespace Emu.Frontend.X86.Helpers;

/// <summary>IR helpers for control, debug and extended control registers, TLB invalidation and privileged odds and ends.</summary>
public static unsafe class ControlHelpers
{
    /// <summary>MOV from CRn. imm = register number. Returns the value.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong ReadControl(CpuHeader* header, ulong a, ulong b, ulong imm) => X86Cpu.From(header).ReadControl((int)imm);

    /// <summary>MOV to CRn. a = value; imm = register number.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong WriteControl(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).WriteControl((int)imm, a);
        return 0;
    }

    /// <summary>MOV from DRn. imm = register number. Returns the value.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong ReadDebug(CpuHeader* header, ulong a, ulong b, ulong imm) => X86Cpu.From(header).ReadDebug((int)imm);

    /// <summary>MOV to DRn. a = value; imm = register number.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong WriteDebug(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).WriteDebug((int)imm, a);
        return 0;
    }

    /// <summary>SMSW. Returns CR0, for the lifter to cut to the operand size.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Smsw(CpuHeader* header, ulong a, ulong b, ulong imm) => X86Cpu.From(header).Smsw();

    /// <summary>LMSW. a = value.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Lmsw(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Lmsw((ushort)a);
        return 0;
    }

    /// <summary>CLTS.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Clts(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Clts();
        return 0;
    }

    /// <summary>INVLPG. a = linear address.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Invlpg(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Invlpg(a);
        return 0;
    }

    /// <summary>INVPCID. a = type, b = linear address of the 16-byte descriptor.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Invpcid(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Invpcid(a, b);
        return 0;
    }

    /// <summary>XGETBV. Result in EDX:EAX.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Xgetbv(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Xgetbv();
        return 0;
    }

    /// <summary>XSETBV.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Xsetbv(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Xsetbv();
        return 0;
    }

    /// <summary>HLT.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Hlt(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Hlt();
        return 0;
    }

    /// <summary>WBINVD and INVD: privilege check only, as there is no cache to model.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Wbinvd(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).CheckPrivileged();
        return 0;
    }

    /// <summary>MONITOR, MWAIT, RSM and everything else that is #UD here.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Undefined(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).RaiseInvalidOpcode();
        return 0;
    }
}
