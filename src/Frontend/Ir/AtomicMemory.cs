using System.Numerics;
using System.Runtime.CompilerServices;

namespace Emu.Frontend.Ir;

/// <summary><see cref="IrAtomic"/> on host memory.</summary>
public static unsafe class AtomicMemory
{
    /// <summary>Does the operation and returns the old value, zero-extended.</summary>
    public static ulong Apply<T>(ref T cell, IrAtomic operation, ulong operand, ulong accumulator)
        where T : unmanaged, IBinaryInteger<T>
    {
        if (operation == IrAtomic.Exchange)
        {
            return ulong.CreateTruncating(Interlocked.Exchange(ref cell, T.CreateTruncating(operand)));
        }

        if (operation == IrAtomic.CompareExchange)
        {
            return ulong.CreateTruncating(Interlocked.CompareExchange(ref cell, T.CreateTruncating(operand), T.CreateTruncating(accumulator)));
        }

        T old = cell;
        while (true)
        {
            ulong value = Compute(operation, ulong.CreateTruncating(old), operand, accumulator);
            T seen = Interlocked.CompareExchange(ref cell, T.CreateTruncating(value), old);
            if (seen == old)
            {
                return ulong.CreateTruncating(old);
            }

            old = seen;
        }
    }

    /// <summary>What memory becomes; the operands of a comparison are zero-extended.</summary>
    public static ulong Compute(IrAtomic operation, ulong old, ulong operand, ulong accumulator) => operation switch
    {
        IrAtomic.Exchange => operand,
        IrAtomic.Add => old + operand,
        IrAtomic.Subtract => old - operand,
        IrAtomic.And => old & operand,
        IrAtomic.Or => old | operand,
        IrAtomic.Xor => old ^ operand,
        IrAtomic.Negate => 0 - old,
        _ => old == accumulator ? operand : old,
    };

    /// <summary>Does the operation at an aligned host address and returns the old value, zero-extended.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static long ApplyAt(nint host, long operand, long accumulator, int operation, int width) => (IrWidth)width switch
    {
        IrWidth.W8 => (long)Apply(ref *(byte*)host, (IrAtomic)operation, (ulong)operand, (ulong)accumulator),
        IrWidth.W16 => (long)Apply(ref *(ushort*)host, (IrAtomic)operation, (ulong)operand, (ulong)accumulator),
        IrWidth.W32 => (long)Apply(ref *(uint*)host, (IrAtomic)operation, (ulong)operand, (ulong)accumulator),
        _ => (long)Apply(ref *(ulong*)host, (IrAtomic)operation, (ulong)operand, (ulong)accumulator),
    };
}
