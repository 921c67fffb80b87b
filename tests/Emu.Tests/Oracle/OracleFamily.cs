using Emu.Diff.Cases;

namespace Emu.Tests.Oracle;

/// <summary>A set of instruction forms that a test makes cases of.</summary>
/// <param name="Name">Name of the family.</param>
/// <param name="Isa">What <c>--isa</c> would say.</param>
/// <param name="Length">Most instructions of a case.</param>
internal sealed record OracleFamily(string Name, IReadOnlyList<string> Isa, int Length)
{
    public static IReadOnlyList<OracleFamily> All { get; } =
    [
        new("arithmetic", ["arithmetic"], 8),
        new("shift", ["shift"], 8),
        new("move", ["move"], 8),
        new("string", ["string"], 3),
        new("condition", ["condition", "branch"], 8),
        new("mixed", ["arithmetic", "shift", "move", "condition"], 12),
        new("simd", ["mmx", "sse", "sse2", "sse3", "ssse3", "sse4.1", "sse4.2", "aes", "pclmulqdq", "sha"], 6),
        new("avx", ["avx", "avx2", "vaes", "vpclmulqdq"], 6),
        new("fma", ["fma", "f16c"], 3),
        new("bits", ["bmi1", "bmi2", "adx", "lzcnt", "popcnt", "movbe"], 8),
        new("mixed vectors", ["sse2", "avx", "avx2"], 12),
        new("x87", ["x87"], 6),
    ];

    /// <summary>The forms in 64-bit code.</summary>
    public InstructionForm[] Forms => FormTable.Select(Isa, 64);

    public override string ToString() => Name;
}
