using System.Runtime.CompilerServices;
using Emu.Frontend.Ir;
using Emu.Frontend.X86.SoftFloat;

namespace Emu.Frontend.X86.Simd;

/// <summary>MXCSR (SDM vol. 1, 10.2.3): its bits, and how operations take control from it and leave exceptions in it.</summary>
internal static unsafe class Mxcsr
{
    /// <summary>Value after reset.</summary>
    public const uint Default = 0x1f80;

    /// <summary>The bits that may be set (MXCSR_MASK).</summary>
    public const uint Mask = 0xffff;

    /// <summary>All but the exception flags.</summary>
    public const uint Control = Mask & ~(uint)FloatFlags.All;

    /// <summary>DAZ.</summary>
    public const uint DenormalsAreZero = 1 << 6;

    /// <summary>Shift of the six exception masks.</summary>
    public const int MasksShift = 7;

    /// <summary>Mask of the precision exception.</summary>
    public const uint PrecisionMasked = 1 << 12;

    /// <summary>Shift of the rounding mode.</summary>
    public const int RoundingShift = 13;

    /// <summary>Rounding mode field.</summary>
    public const uint Rounding = 3 << RoundingShift;

    /// <summary>FTZ.</summary>
    public const uint FlushToZero = 1 << 15;

    // The word of collected exceptions: that there is one, the step in progress, the flags of each step.
    private const uint Gathering = 1u << 31;
    private const int StepShift = 28;
    private const int BitsPerStep = 8;

    /// <summary>
    /// True when host arithmetic gives the same bits for operands and results that raise nothing but precision: rounding to
    /// nearest, and no need to stop for an inexact result.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AllowsHostArithmetic(CpuHeader* cpu) => (Value(cpu) & (Rounding | PrecisionMasked)) == PrecisionMasked;

    /// <summary>True while the precision flag is clear, so that inexact results must be noticed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool NeedsPrecision(CpuHeader* cpu) => (Value(cpu) & (uint)FloatFlags.Precision) == 0;

    /// <summary>Sets the precision flag; only where the exception is masked.</summary>
    public static void SetPrecision(CpuHeader* cpu)
    {
        X86CpuState* state = (X86CpuState*)cpu;
        if (state->GatheredExceptions != 0)
        {
            Collect(state, FloatFlags.Precision);
        }
        else
        {
            state->Mxcsr |= (uint)FloatFlags.Precision;
        }
    }

    /// <summary>From here on exceptions are collected: the lanes of one instruction are computed in several steps.</summary>
    public static void BeginGather(CpuHeader* cpu) => ((X86CpuState*)cpu)->GatheredExceptions = Gathering;

    /// <summary>While exceptions are collected, those that follow are of step <paramref name="step"/> of the instruction, from 0 to 2.</summary>
    public static void BeginStep(CpuHeader* cpu, int step)
    {
        uint* gathered = &((X86CpuState*)cpu)->GatheredExceptions;
        if (*gathered != 0)
        {
            *gathered = (*gathered & ~(3u << StepShift)) | ((uint)step << StepShift);
        }
    }

    /// <summary>Commits what was collected, step by step: where one stops, nothing is seen of the next.</summary>
    public static void EndGather(CpuHeader* cpu)
    {
        uint gathered = ((X86CpuState*)cpu)->GatheredExceptions;
        ((X86CpuState*)cpu)->GatheredExceptions = 0;
        FloatContext context = Context(cpu);
        for (int step = 0; step < 3; step++)
        {
            context.Flags = (FloatFlags)(gathered >> (BitsPerStep * step)) & FloatFlags.All;
            Commit(cpu, context);
        }
    }

    private static void Collect(X86CpuState* state, FloatFlags flags)
    {
        int step = (int)(state->GatheredExceptions >> StepShift) & 3;
        state->GatheredExceptions |= (uint)flags << (BitsPerStep * step);
    }

    /// <summary>The control of an operation.</summary>
    public static FloatContext Context(CpuHeader* cpu)
    {
        uint value = Value(cpu);
        return new FloatContext
        {
            Rounding = (RoundingMode)((value >> RoundingShift) & 3),
            Masks = (FloatFlags)(value >> MasksShift) & FloatFlags.All,
            DenormalsAreZero = (value & DenormalsAreZero) != 0,
            FlushToZero = (value & FlushToZero) != 0,
        };
    }

    /// <summary>
    /// Leaves the exceptions of all lanes in MXCSR and raises #XM when one is unmasked; the caller has not yet written its
    /// result. An unmasked invalid, zero-divide or denormal exception keeps the lanes from being computed, so that later
    /// exceptions are not seen (SDM vol. 1, 11.5.3 and E.4.3).
    /// </summary>
    public static void Commit(CpuHeader* cpu, in FloatContext context)
    {
        const FloatFlags before = FloatFlags.Invalid | FloatFlags.Denormal | FloatFlags.ZeroDivide;
        X86CpuState* state = (X86CpuState*)cpu;
        if (state->GatheredExceptions != 0)
        {
            Collect(state, context.Flags);
            return;
        }

        FloatFlags flags = context.Masked(context.Flags & before) ? context.Flags : context.Flags & before;
        state->Mxcsr |= (uint)flags;
        if (!context.Masked(flags))
        {
            bool handled = (state->Cr4 & ControlBits.Cr4Osxmmexcpt) != 0;
            X86Cpu.From(cpu).Raise(handled ? X86Vector.SimdFloatingPoint : X86Vector.InvalidOpcode);
        }
    }

    private static uint Value(CpuHeader* cpu) => ((X86CpuState*)cpu)->Mxcsr;
}
