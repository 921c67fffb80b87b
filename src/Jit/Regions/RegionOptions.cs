using Emu.Frontend.Ir;

namespace Emu.Jit.Regions;

/// <summary>How one vCPU's hot code is compiled.</summary>
internal sealed record RegionOptions
{
    /// <summary>Most guest instructions in a region: beyond, the host's compiler no longer optimises.</summary>
    public const int LargestRegion = 300;

    /// <summary>Lifts code again when a region is made of it; reports nothing that was reported when it was translated.</summary>
    public required IGuestFrontend Frontend { get; init; }

    /// <summary>Compiles in the background; null compiles at once, on the vCPU's thread.</summary>
    public RegionQueue? Queue { get; init; }

    /// <summary>Executions after which a block is hot; zero stands for the first.</summary>
    public int Threshold { get; init; } = DefaultThreshold;

    /// <summary>Guest instructions per region, 1 to <see cref="LargestRegion"/>.</summary>
    public int MaxInstructions { get; init; } = DefaultInstructions;

    /// <summary>Blocks with operations of these families stay in tier 0.</summary>
    public OpFamilies Excluded { get; init; }

    /// <summary>Estimated bytes of compiled regions before the oldest are dropped.</summary>
    public long CodeCacheBytes { get; init; } = 512L << 20;

    /// <summary>Called on the compiling thread when <see cref="TranslationEngine.InstallRegions"/> has something to do.</summary>
    public Action? Finished { get; init; }

    /// <summary>Told of regions that the compiler failed on: a defect of emu, which costs only speed.</summary>
    public Action<string>? Failed { get; init; }

    /// <summary>Makes host code of a region; null when it cannot. On any thread.</summary>
    public required Func<Region, CompiledRegion?> Compile { get; init; }

    /// <summary>Guest instructions per region unless said otherwise.</summary>
    public const int DefaultInstructions = 200;

    /// <summary>The threshold unless said otherwise: while all else waits for the compiler, only what is really hot is worth it.</summary>
    public static int DefaultThreshold => Environment.ProcessorCount > 1 ? 2500 : 15000;
}
