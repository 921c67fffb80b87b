namespace Emu.Diff;

/// <summary>What to compare.</summary>
internal sealed record DiffOptions
{
    /// <summary>The engines: tier0, jit, kvm, native.</summary>
    public required IReadOnlyList<string> Engines { get; init; }

    /// <summary>Cases; 0 for no limit.</summary>
    public ulong Count { get; init; } = 1_000_000;

    /// <summary>Number of the first case.</summary>
    public ulong First { get; init; }

    /// <summary>With a case's number, what makes it again.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Instruction sets, kinds and mnemonics; none for all.</summary>
    public IReadOnlyList<string> Isa { get; init; } = [];

    /// <summary>Bits of the code: 64, 32 or 16.</summary>
    public int Mode { get; init; } = 64;

    /// <summary>Threads, each with engines of its own.</summary>
    public int Jobs { get; init; } = 1;

    /// <summary>Time after which no batch begins; null for no limit.</summary>
    public TimeSpan? Time { get; init; }

    /// <summary>Most instructions of a case.</summary>
    public int Length { get; init; } = 6;

    /// <summary>Every case may fault.</summary>
    public bool Faults { get; init; }

    /// <summary>Mismatches after which it ends.</summary>
    public int MaxMismatches { get; init; } = 20;
}
