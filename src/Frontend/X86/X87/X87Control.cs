using System.Buffers.Binary;
using Emu.Frontend.Ir;
using Emu.Frontend.X86.SoftFloat;

namespace Emu.Frontend.X86.X87;

/// <summary>
/// Availability checks, control and status words, the environment images, and the transition to MMX (SDM vol. 1, 8.1.10 and
/// 9.5; vol. 2). CR0.NE = 0 would report errors by IRQ 13 of an external circuit; here an error is always #MF.
/// </summary>
internal static unsafe class X87Control
{
    /// <summary>Set in <c>imm</c> of the environment instructions for the 32-bit image.</summary>
    public const ulong Wide = 1;

    private const ushort ExceptionBits = 0xff | X87Status.Busy;

    /// <summary>Before an instruction that waits: #NM, then #MF when an unmasked exception is pending.</summary>
    public static ulong CheckWaiting(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        if ((state->Cr0 & (ControlBits.Cr0Em | ControlBits.Cr0Ts)) != 0 || (state->X87Status & X87Status.ErrorSummary) != 0)
        {
            RaiseUnavailable(cpu, state, ControlBits.Cr0Em | ControlBits.Cr0Ts);
        }

        return 0;
    }

    /// <summary>Before an instruction that does not wait (FNxxx): #NM only.</summary>
    public static ulong CheckNotWaiting(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        if ((X87Stack.StateOf(cpu)->Cr0 & (ControlBits.Cr0Em | ControlBits.Cr0Ts)) != 0)
        {
            X86Cpu.From(cpu).Raise(X86Vector.DeviceNotAvailable);
        }

        return 0;
    }

    /// <summary>FWAIT: #NM when both CR0.MP and CR0.TS are set, then #MF.</summary>
    public static ulong Fwait(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        const ulong both = ControlBits.Cr0Mp | ControlBits.Cr0Ts;
        X86CpuState* state = X87Stack.StateOf(cpu);
        if ((state->Cr0 & both) == both || (state->X87Status & X87Status.ErrorSummary) != 0)
        {
            RaiseUnavailable(cpu, state, (state->Cr0 & both) == both ? ControlBits.Cr0Ts : 0);
        }

        return 0;
    }

    /// <summary>Before an MMX instruction: #UD when CR0.EM, #NM when CR0.TS, #MF when pending (SDM vol. 3, table 22-8 in 22.25).</summary>
    public static ulong CheckMmx(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        if ((state->Cr0 & ControlBits.Cr0Em) != 0)
        {
            X86Cpu.From(cpu).RaiseInvalidOpcode();
        }

        return CheckWaiting(cpu, a, b, imm);
    }

    /// <summary>
    /// The x87 state after an MMX instruction other than EMMS: TOP is 0 and all registers are valid; those written (the bit mask
    /// <paramref name="a"/>) have sign and exponent of ones. Call it when nothing can fault any more.
    /// </summary>
    public static ulong EnterMmx(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        state->X87Top = 0;
        state->X87Empty = 0;
        for (int i = 0; i < 8; i++)
        {
            if (((a >> i) & 1) != 0)
            {
                *(ushort*)(state->X87 + (16 * i) + 8) = 0xffff;
            }
        }

        return 0;
    }

    /// <summary>EMMS: all registers empty.</summary>
    public static ulong Emms(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X87Stack.StateOf(cpu)->X87Top = 0;
        X87Stack.StateOf(cpu)->X87Empty = 0xff;
        return 0;
    }

    /// <summary>FNINIT.</summary>
    public static ulong Fninit(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X87Status.Initialise(X87Stack.StateOf(cpu));
        return 0;
    }

    /// <summary>FNCLEX.</summary>
    public static ulong Fnclex(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X87Stack.StateOf(cpu)->X87Status &= unchecked((ushort)~ExceptionBits);
        return 0;
    }

    /// <summary>FNOP, and the 8087 and 80287 instructions that became it (FENI, FDISI, FSETPM).</summary>
    public static ulong Fnop(CpuHeader* cpu, ulong a, ulong b, ulong imm) => 0;

    /// <summary>FFREE ST(a); <c>imm</c> pops (FFREEP).</summary>
    public static ulong Ffree(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        X87Stack.Begin(state);
        state->X87Empty |= (byte)(1 << ((state->X87Top + (int)a) & 7));
        X87Stack.Pop(state, (int)imm);
        return 0;
    }

    /// <summary>FINCSTP and FDECSTP: <c>imm</c> is added to TOP.</summary>
    public static ulong MoveTop(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        X87Stack.Begin(state);
        state->X87Top = (byte)((state->X87Top + (int)imm) & 7);
        return 0;
    }

    /// <summary>FLDCW.</summary>
    public static ulong Fldcw(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X87Status.WriteControl(X87Stack.StateOf(cpu), (ushort)a);
        return 0;
    }

    /// <summary>FNSTCW: returns the control word.</summary>
    public static ulong Fnstcw(CpuHeader* cpu, ulong a, ulong b, ulong imm) => X87Stack.StateOf(cpu)->X87Control;

    /// <summary>FNSTSW: returns the status word.</summary>
    public static ulong Fnstsw(CpuHeader* cpu, ulong a, ulong b, ulong imm) => X87Status.Read(X87Stack.StateOf(cpu));

    /// <summary>FNSTENV to linear address <c>a</c>; then all exceptions are masked.</summary>
    public static ulong Fnstenv(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        Span<byte> image = stackalloc byte[X87Environment.WideSize];
        image = image[..X87Environment.Write(state, image, (imm & Wide) != 0)];
        Store(cpu, a, image);
        X87Status.WriteControl(state, (ushort)(state->X87Control | (ushort)FloatFlags.All));
        return 0;
    }

    /// <summary>FLDENV from linear address <c>a</c>.</summary>
    public static ulong Fldenv(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        bool wide = (imm & Wide) != 0;
        Span<byte> image = stackalloc byte[X87Environment.SizeOf(wide)];
        Load(cpu, a, image);
        X87Environment.Read(X87Stack.StateOf(cpu), image, wide);
        return 0;
    }

    /// <summary>FNSAVE to linear address <c>a</c>: environment and ST(0)–ST(7); then FNINIT.</summary>
    public static ulong Fnsave(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        Span<byte> image = stackalloc byte[X87Environment.WideSize + 80];
        int size = X87Environment.Write(state, image, (imm & Wide) != 0);
        for (int i = 0; i < 8; i++)
        {
            (ulong significand, ushort signExponent) = X87Stack.ReadRaw(state, i);
            BinaryPrimitives.WriteUInt64LittleEndian(image[(size + (10 * i))..], significand);
            BinaryPrimitives.WriteUInt16LittleEndian(image[(size + (10 * i) + 8)..], signExponent);
        }

        Store(cpu, a, image[..(size + 80)]);
        X87Status.Initialise(state);
        return 0;
    }

    /// <summary>FRSTOR from linear address <c>a</c>.</summary>
    public static ulong Frstor(CpuHeader* cpu, ulong a, ulong b, ulong imm)
    {
        X86CpuState* state = X87Stack.StateOf(cpu);
        bool wide = (imm & Wide) != 0;
        int size = X87Environment.SizeOf(wide);
        Span<byte> image = stackalloc byte[size + 80];
        Load(cpu, a, image);
        X87Environment.Read(state, image, wide);
        byte empty = state->X87Empty;
        for (int i = 0; i < 8; i++)
        {
            ReadOnlySpan<byte> register = image.Slice(size + (10 * i), 10);
            X87Stack.WriteRaw(state, i, BinaryPrimitives.ReadUInt64LittleEndian(register), BinaryPrimitives.ReadUInt16LittleEndian(register[8..]));
        }

        state->X87Empty = empty;
        return 0;
    }

    private static void RaiseUnavailable(CpuHeader* cpu, X86CpuState* state, ulong unavailable) =>
        X86Cpu.From(cpu).Raise((state->Cr0 & unavailable) != 0 ? X86Vector.DeviceNotAvailable : X86Vector.X87FloatingPoint);

    private static void Store(CpuHeader* cpu, ulong linear, ReadOnlySpan<byte> image)
    {
        X86Cpu owner = X86Cpu.From(cpu);
        owner.ProbeWrite(linear, image.Length);
        for (int i = 0; i < image.Length; i += 2)
        {
            owner.WriteLinear(linear + (uint)i, BinaryPrimitives.ReadUInt16LittleEndian(image[i..]), 2);
        }
    }

    private static void Load(CpuHeader* cpu, ulong linear, Span<byte> image)
    {
        X86Cpu owner = X86Cpu.From(cpu);
        for (int i = 0; i < image.Length; i += 2)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(image[i..], (ushort)owner.ReadLinear(linear + (uint)i, 2));
        }
    }
}
