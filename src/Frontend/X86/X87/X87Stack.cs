using System.Runtime.CompilerServices;
using Emu.Frontend.Ir;
using Emu.Frontend.X86.SoftFloat;

namespace Emu.Frontend.X86.X87;

/// <summary>
/// The register stack, and the frame of every x87 operation: <see cref="Begin"/>, compute, <see cref="Finish"/>, then write
/// when that said so (SDM vol. 1, 8.1.2 and 8.4 to 8.6).
/// </summary>
internal static unsafe class X87Stack
{
    private const FloatFlags BeforeComputation = FloatFlags.Invalid | FloatFlags.Denormal | FloatFlags.ZeroDivide;

    /// <summary>The state behind a header.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static X86CpuState* StateOf(CpuHeader* cpu) => (X86CpuState*)cpu;

    /// <summary>Clears C1 and takes rounding and masks from the control word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatContext Begin(X86CpuState* state)
    {
        state->X87Status &= unchecked((ushort)~X87Status.C1);
        return ContextOf(state);
    }

    /// <summary>Takes rounding and masks from the control word and leaves the status word alone.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatContext ContextOf(X86CpuState* state) => new()
    {
        Rounding = (RoundingMode)((state->X87Control >> 10) & 3),
        Masks = (FloatFlags)state->X87Control & FloatFlags.All,
        X87 = true,
    };

    /// <summary>The precision that PC asks of arithmetic; its exponent range stays that of the registers.</summary>
    public static FloatFormat Precision(X86CpuState* state) => ((state->X87Control >> 8) & 3) switch
    {
        0 => FloatFormat.Extended with { Precision = 24 },
        2 => FloatFormat.Extended with { Precision = 53 },
        _ => FloatFormat.Extended,
    };

    /// <summary>
    /// Records the exceptions of an operation. False when one that is detected before computing is unmasked: then nothing
    /// else may change.
    /// </summary>
    public static bool Finish(X86CpuState* state, in FloatContext context)
    {
        bool proceeds = context.Masked(context.Flags & BeforeComputation);
        state->X87Status |= (ushort)(proceeds ? context.Flags : context.Flags & BeforeComputation);
        state->X87Status |= proceeds && context.RoundedUp ? X87Status.C1 : (ushort)0;
        X87Status.UpdateSummary(state);
        return proceeds;
    }

    /// <summary>As <see cref="Finish"/> for a store to memory, which an unmasked overflow or underflow suppresses too.</summary>
    public static bool MayStore(in FloatContext context) =>
        context.Masked(context.Flags & (BeforeComputation | FloatFlags.Overflow | FloatFlags.Underflow));

    /// <summary>True when ST(<paramref name="index"/>) is empty.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsEmpty(X86CpuState* state, int index) => ((state->X87Empty >> Physical(state, index)) & 1) != 0;

    /// <summary>The 80 bits of ST(<paramref name="index"/>) in the state.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Slot(X86CpuState* state, int index) => state->X87 + (16 * Physical(state, index));

    /// <summary>Clears C1 and sets the status bits of an operation whose exceptions are all masked.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Record(X86CpuState* state, int bits) => state->X87Status = (ushort)((state->X87Status & ~X87Status.C1) | bits);

    /// <summary>Records a stack underflow. True when it is masked: the caller then uses the default NaN.</summary>
    public static bool Underflow(X86CpuState* state) => Fault(state, 0);

    /// <summary>Records a stack overflow. True when it is masked: the caller then pushes the default NaN.</summary>
    public static bool Overflow(X86CpuState* state) => Fault(state, X87Status.C1);

    /// <summary>Reads ST(<paramref name="index"/>).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Unpacked Read(X86CpuState* state, int index)
    {
        byte* slot = Slot(state, index);
        return Unpacked.FromExtended(*(ulong*)slot, *(ushort*)(slot + 8));
    }

    /// <summary>Writes ST(<paramref name="index"/>) and tags it valid.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(X86CpuState* state, int index, in Encoded value) => WriteRaw(state, index, value.Significand, value.SignExponent);

    /// <inheritdoc cref="Write"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WriteRaw(X86CpuState* state, int index, ulong significand, ushort signExponent)
    {
        byte* slot = Slot(state, index);
        *(ulong*)slot = significand;
        *(ushort*)(slot + 8) = signExponent;
        state->X87Empty &= (byte)~(1 << Physical(state, index));
    }

    /// <summary>The 80 bits of ST(<paramref name="index"/>).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (ulong Significand, ushort SignExponent) ReadRaw(X86CpuState* state, int index)
    {
        byte* slot = Slot(state, index);
        return (*(ulong*)slot, *(ushort*)(slot + 8));
    }

    /// <summary>Pushes 80 bits when there is room, and clears C1. False has changed nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryPush(X86CpuState* state, ulong significand, ushort signExponent)
    {
        int top = (state->X87Top - 1) & 7;
        uint bit = 1u << top;
        if ((state->X87Empty & bit) == 0)
        {
            return false;
        }

        byte* slot = state->X87 + (16 * top);
        *(ulong*)slot = significand;
        *(ushort*)(slot + 8) = signExponent;
        state->X87Top = (byte)top;
        state->X87Empty = (byte)(state->X87Empty & ~bit);
        Record(state, 0);
        return true;
    }

    /// <summary>Pushes a value, or on overflow the default NaN if that is masked.</summary>
    public static void Push(X86CpuState* state, in Encoded value)
    {
        Encoded pushed = value;
        if (!IsEmpty(state, 7))
        {
            if (!Overflow(state))
            {
                return;
            }

            pushed = DefaultNan;
        }

        PushUnchecked(state, pushed);
    }

    /// <summary>Pushes a value over whatever ST(7) holds.</summary>
    public static void PushUnchecked(X86CpuState* state, in Encoded value)
    {
        state->X87Top = (byte)((state->X87Top - 1) & 7);
        Write(state, 0, value);
    }

    /// <summary>Replaces ST(0), then pushes; room has been checked.</summary>
    public static void ReplaceAndPush(X86CpuState* state, in Encoded replaced, in Encoded pushed)
    {
        Write(state, 0, replaced);
        PushUnchecked(state, pushed);
    }

    /// <summary>Pops ST(0).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Pop(X86CpuState* state)
    {
        state->X87Empty |= (byte)(1 << state->X87Top);
        state->X87Top = (byte)((state->X87Top + 1) & 7);
    }

    /// <summary>Pops <paramref name="count"/> registers.</summary>
    public static void Pop(X86CpuState* state, int count)
    {
        for (int i = 0; i < count; i++)
        {
            Pop(state);
        }
    }

    /// <summary>The default NaN of a register.</summary>
    public static Encoded DefaultNan => Encoded.DefaultNan(FloatFormat.Extended);

    /// <summary>Sets the condition codes that <paramref name="value"/> and <paramref name="mask"/> name.</summary>
    public static void SetConditions(X86CpuState* state, int value, int mask = X87Status.ConditionCodes) =>
        state->X87Status = (ushort)((state->X87Status & ~mask) | value);

    private static bool Fault(X86CpuState* state, ushort c1)
    {
        state->X87Status = (ushort)((state->X87Status & ~X87Status.C1) | (ushort)FloatFlags.Invalid | X87Status.StackFault | c1);
        X87Status.UpdateSummary(state);
        return (state->X87Control & (ushort)FloatFlags.Invalid) != 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Physical(X86CpuState* state, int index) => (state->X87Top + index) & 7;
}
