using System.Runtime.CompilerServices;
using Emu.Frontend.Ir;

namespace Emu.Frontend.X86.Helpers;

/// <summary>IR helpers that save and restore x87 and SSE state. a = linear address; imm = 1 for the REX.W form.</summary>
internal static unsafe class StateHelpers
{
    /// <summary>FXSAVE.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Fxsave(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Fxsave(a, imm != 0);
        return 0;
    }

    /// <summary>FXRSTOR.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Fxrstor(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Fxrstor(a, imm != 0);
        return 0;
    }

    /// <summary>XSAVE; the components asked for are in EDX:EAX.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Xsave(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Xsave(a, Requested(header), imm != 0);
        return 0;
    }

    /// <summary>XRSTOR; the components asked for are in EDX:EAX.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Xrstor(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu.From(header).Xrstor(a, Requested(header), imm != 0);
        return 0;
    }

    /// <summary>LDMXCSR.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Ldmxcsr(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu cpu = X86Cpu.From(header);
        cpu.Ldmxcsr((uint)cpu.ReadLinear(a, 4));
        return 0;
    }

    /// <summary>STMXCSR.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Stmxcsr(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu cpu = X86Cpu.From(header);
        cpu.WriteLinear(a, cpu.State->Mxcsr, 4);
        return 0;
    }

    /// <summary>The alignment check of a 16-byte SSE operand: #GP when a is not a multiple of 16.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong CheckAligned(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        if ((a & 15) != 0)
        {
            X86Cpu.From(header).RaiseGeneralProtection();
        }

        return 0;
    }

    /// <summary>The last x87 instruction's address a, and with imm its operand's offset b. The opcode is not recorded, as on processors that keep it only for unmasked exceptions.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong SetX87Pointers(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = (X86CpuState*)header;
        state->X87InstructionPointer = a;
        if (imm != 0)
        {
            state->X87DataPointer = b;
        }

        return 0;
    }

    /// <summary>#MF when an unmasked x87 exception is pending: before MMX instructions.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong CheckX87Pending(CpuHeader* header, ulong a, ulong b, ulong imm) => X87.X87Control.CheckWaiting(header, a, b, imm);

    /// <summary>EMMS.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong LeaveMmx(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = (X86CpuState*)header;
        state->X87Top = 0; // like every MMX instruction on the processors at hand, though the manual excepts EMMS
        state->X87Empty = 0xff;
        return 0;
    }

    /// <summary>Entering MMX code: TOP becomes 0 and all registers valid (SDM vol. 1, 9.5.1).</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong EnterMmx(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = (X86CpuState*)header;
        state->X87Top = 0;
        state->X87Empty = 0;
        return 0;
    }

    /// <summary>An MMX register was written: its exponent and sign become all ones. imm = register number.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong MarkMmx(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        *(ushort*)(((X86CpuState*)header)->X87 + ((imm & 7) * 16) + 8) = 0xffff;
        return 0;
    }

    private static ulong Requested(CpuHeader* header)
    {
        ulong* gpr = ((X86CpuState*)header)->Gpr;
        return (gpr[X86Gpr.Rdx] << 32) | (uint)gpr[X86Gpr.Rax];
    }
}
