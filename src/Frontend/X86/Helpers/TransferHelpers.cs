using System.Runtime.CompilerServices;
using Emu.Frontend.Ir;

namespace Emu.Frontend.X86.Helpers;

/// <summary>IR helpers for transfers of control beyond near branches. Header.Pc holds the next instruction's RIP on entry and the target on return.</summary>
public static unsafe class TransferHelpers
{
    /// <summary>Far JMP. a = offset, b = selector; imm = operand size in bytes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong FarJump(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).FarJump(a, (ushort)b, (int)imm);
        return 0;
    }

    /// <summary>Far CALL. a = offset, b = selector; imm = operand size in bytes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong FarCall(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).FarCall(a, (ushort)b, (int)imm);
        return 0;
    }

    /// <summary>Far RET. a = bytes to release; imm = operand size in bytes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong FarReturn(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).FarReturn((uint)a, (int)imm);
        return 0;
    }

    /// <summary>IRET. imm = operand size in bytes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Iret(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Iret((int)imm);
        return 0;
    }

    /// <summary>INT n, INT3, INTO (already found true) and INT1. a = vector; imm = a <see cref="SoftwareInterruptKind"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong SoftwareInterrupt(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).SoftwareInterrupt((byte)a, (SoftwareInterruptKind)imm);
        return 0;
    }

    /// <summary>SYSCALL.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Syscall(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Syscall();
        return 0;
    }

    /// <summary>SYSRET. imm = operand size in bytes (8 returns to 64-bit mode).</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Sysret(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Sysret((int)imm);
        return 0;
    }

    /// <summary>SYSENTER.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Sysenter(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Sysenter();
        return 0;
    }

    /// <summary>SYSEXIT. imm = operand size in bytes (8 returns to 64-bit mode).</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Sysexit(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Sysexit((int)imm);
        return 0;
    }

    /// <summary>Raises a fault. a = error code; imm = vector.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong RaiseException(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Raise((X86Vector)imm, (uint)a);
        return 0;
    }

    /// <summary>BOUND. a = index, b = linear address of the bounds; imm = operand size in bytes. #BR when outside.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Bound(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Bound(a, b, (int)imm);
        return 0;
    }

    /// <summary>Checks that code lies inside the CS limit. a = RIP; imm = bytes. #GP(0) when outside.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong CheckCodeLimit(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).CheckCodeLimit(a, (int)imm);
        return 0;
    }
}
