using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Emu.Frontend.Ir;

namespace Emu.Jit.Regions;

/// <summary>What compiled regions call. Marked so that the JIT does not weigh inlining them at every call.</summary>
internal static unsafe class RegionHelpers
{
    private const MethodImplOptions Called = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    /// <summary>Evaluates a condition on the header's flags: 0 or 1.</summary>
    [MethodImpl(Called)]
    public static int TestCondition(nint cpu, int condition) => LazyFlags.Test((CpuHeader*)cpu, (IrCondition)condition) ? 1 : 0;

    /// <summary>The carry flag of the header's flags: 0 or 1.</summary>
    [MethodImpl(Called)]
    public static long TestCarry(nint cpu) => LazyFlags.CarryOf((CpuHeader*)cpu) ? 1 : 0;

    /// <summary>Replaces the header's flags by those of an INC or DEC, which keep their carry. Flags of another kind are the header's own.</summary>
    [MethodImpl(Called)]
    public static void CommitStep(nint cpu, long flagsOp, long flagsResult)
    {
        if ((FlagsKind)(flagsOp >> 2) is FlagsKind.Inc or FlagsKind.Dec)
        {
            CpuHeader* header = (CpuHeader*)cpu;
            header->FlagsCarry = LazyFlags.CarryOf(header) ? 1UL : 0;
            header->FlagsOp = (ulong)flagsOp;
            header->FlagsResult = (ulong)flagsResult;
        }
    }

    /// <summary>Upper half of an unsigned product.</summary>
    public static long UnsignedHigh(long a, long b) =>
        Bmi2.X64.IsSupported ? (long)Bmi2.X64.MultiplyNoFlags((ulong)a, (ulong)b) : (long)Math.BigMul((ulong)a, (ulong)b, out _);

    /// <summary>Upper half of a signed product.</summary>
    public static long SignedHigh(long a, long b) => UnsignedHigh(a, b) - ((a >> 63) & b) - ((b >> 63) & a);
}
