using System.Runtime.CompilerServices;
using Emu.Frontend.Ir;

namespace Emu.Jit.Interpreter;

/// <summary>Operand width as a type argument, so that the JIT specialises each handler.</summary>
internal unsafe interface IWidth
{
    static abstract IrWidth Width { get; }

    static abstract int Bits { get; }

    /// <summary>Reads a zero-extended value.</summary>
    static abstract ulong Load(byte* address);

    /// <summary>Writes a memory cell: only the bytes of the width.</summary>
    static abstract void StoreMemory(byte* address, ulong value);

    /// <summary>Writes a slot: 8 and 16 bits merge, 32 bits clear the upper half.</summary>
    static abstract void StoreSlot(byte* slot, ulong value);

    static abstract ulong Truncate(ulong value);

    static abstract ulong SignExtend(ulong value);
}

internal readonly unsafe struct Width8 : IWidth
{
    public static IrWidth Width => IrWidth.W8;

    public static int Bits => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Load(byte* address) => *address;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreMemory(byte* address, ulong value) => *address = (byte)value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSlot(byte* slot, ulong value) => *slot = (byte)value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Truncate(ulong value) => (byte)value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong SignExtend(ulong value) => (ulong)(sbyte)value;
}

internal readonly unsafe struct Width16 : IWidth
{
    public static IrWidth Width => IrWidth.W16;

    public static int Bits => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Load(byte* address) => *(ushort*)address;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreMemory(byte* address, ulong value) => *(ushort*)address = (ushort)value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSlot(byte* slot, ulong value) => *(ushort*)slot = (ushort)value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Truncate(ulong value) => (ushort)value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong SignExtend(ulong value) => (ulong)(short)value;
}

internal readonly unsafe struct Width32 : IWidth
{
    public static IrWidth Width => IrWidth.W32;

    public static int Bits => 32;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Load(byte* address) => *(uint*)address;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreMemory(byte* address, ulong value) => *(uint*)address = (uint)value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSlot(byte* slot, ulong value) => *(ulong*)slot = (uint)value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Truncate(ulong value) => (uint)value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong SignExtend(ulong value) => (ulong)(int)value;
}

internal readonly unsafe struct Width64 : IWidth
{
    public static IrWidth Width => IrWidth.W64;

    public static int Bits => 64;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Load(byte* address) => *(ulong*)address;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreMemory(byte* address, ulong value) => *(ulong*)address = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSlot(byte* slot, ulong value) => *(ulong*)slot = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Truncate(ulong value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong SignExtend(ulong value) => value;
}

/// <summary>Where the second operand comes from.</summary>
internal unsafe interface IOperand
{
    static abstract ulong Get<TWidth>(Op* op, byte* cpu)
        where TWidth : IWidth;

    /// <summary>The same for ops whose <see cref="Op.Imm"/> also holds a jump target.</summary>
    static abstract ulong GetLow<TWidth>(Op* op, byte* cpu)
        where TWidth : IWidth;
}

internal readonly unsafe struct SlotOperand : IOperand
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Get<TWidth>(Op* op, byte* cpu)
        where TWidth : IWidth => TWidth.Load(cpu + op->B);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong GetLow<TWidth>(Op* op, byte* cpu)
        where TWidth : IWidth => TWidth.Load(cpu + op->B);
}

/// <summary>Full immediates are stored already truncated to the width.</summary>
internal readonly unsafe struct ImmediateOperand : IOperand
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Get<TWidth>(Op* op, byte* cpu)
        where TWidth : IWidth => (ulong)op->Imm;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong GetLow<TWidth>(Op* op, byte* cpu)
        where TWidth : IWidth => TWidth.Truncate((ulong)op->ImmLow);
}

/// <summary>A yes/no type argument.</summary>
internal interface IFlag
{
    static abstract bool Value { get; }
}

internal readonly struct Yes : IFlag
{
    public static bool Value => true;
}

internal readonly struct No : IFlag
{
    public static bool Value => false;
}

/// <summary>How a memory op computes its linear address.</summary>
internal unsafe interface IAddressForm
{
    static abstract ulong Compute(Op* op, byte* cpu);
}

internal readonly unsafe struct AddressBase : IAddressForm
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Compute(Op* op, byte* cpu) => *(ulong*)(cpu + op->A) + (ulong)op->ImmLow;
}

internal readonly unsafe struct AddressBaseIndex : IAddressForm
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Compute(Op* op, byte* cpu) =>
        *(ulong*)(cpu + op->A) + (*(ulong*)(cpu + op->B) << (int)op->Target) + (ulong)op->ImmLow;
}

internal readonly unsafe struct AddressBaseIndexSegment : IAddressForm
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Compute(Op* op, byte* cpu) => AddressBaseIndex.Compute(op, cpu) + *(ulong*)(cpu + op->C);
}

internal readonly unsafe struct AddressWrap32 : IAddressForm
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Compute(Op* op, byte* cpu) => (uint)AddressBaseIndexSegment.Compute(op, cpu);
}
