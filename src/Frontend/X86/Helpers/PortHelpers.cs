using System.Runtime.CompilerServices;
using Emu.Frontend.Ir;

namespace Emu.Frontend.X86.Helpers;

/// <summary>IR helpers for port I/O.</summary>
public static unsafe class PortHelpers
{
    /// <summary>IN. a = port; imm = bytes. Returns the value, zero-extended.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong In(CpuHeader* header, ulong a, ulong b, ulong imm) => X86Cpu.From(header).In((ushort)a, (int)imm);

    /// <summary>OUT. a = port, b = value; imm = bytes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Out(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Out((ushort)a, b, (int)imm);
        return 0;
    }

    /// <summary>The permission check of INS and OUTS, before they touch memory. a = port; imm = bytes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong CheckPort(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).CheckIoPermission((ushort)a, (int)imm);
        return 0;
    }

    /// <summary>IN after <see cref="CheckPort"/>. a = port; imm = bytes. Returns the value.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong InUnchecked(CpuHeader* header, ulong a, ulong b, ulong imm) => X86Cpu.From(header).ReadPort((ushort)a, (int)imm);

    /// <summary>OUT after <see cref="CheckPort"/>. a = port, b = value; imm = bytes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong OutUnchecked(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).WritePort((ushort)a, b, (int)imm);
        return 0;
    }
}
