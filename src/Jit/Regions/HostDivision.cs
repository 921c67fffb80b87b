using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Emu.Frontend.Ir;

// What may still change of DivRem is its name.
#pragma warning disable SYSLIB5004

namespace Emu.Jit.Regions;

/// <summary>Quotients that are known to fit.</summary>
internal static class HostDivision
{
    /// <summary>The unsigned methods take an upper half, as (low, high, divisor).</summary>
    public static bool IsWide => X86Base.X64.IsSupported;

    /// <summary>The method for a quotient.</summary>
    public static MethodInfo Find(bool signed, IrWidth width) =>
        typeof(HostDivision).GetMethod($"{(signed ? "Signed" : IsWide ? "Wide" : "Unsigned")}{8 << (int)width}")!;

    // Not inlined, both: .NET 10 mixes up their operands where it knows them all (constants), and the division faults.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static uint Wide32(uint low, uint high, uint divisor) => X86Base.DivRem(low, high, divisor).Quotient;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Wide64(ulong low, ulong high, ulong divisor) => X86Base.X64.DivRem(low, high, divisor).Quotient;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Unsigned32(uint dividend, uint divisor) => dividend / divisor;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Unsigned64(ulong dividend, ulong divisor) => dividend / divisor;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Signed32(int dividend, int divisor) => dividend / divisor;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Signed64(long dividend, long divisor) => dividend / divisor;
}
