namespace Emu.Jit.Regions;

/// <summary>A region on its way from a hot block to installed code. Belongs to its vCPU's thread, but for what says otherwise.</summary>
internal sealed class RegionJob(RegionTiering owner, Region region, TranslationBlock[] blocks)
{
    private const int StepMilliseconds = 32;

    private long _heat;
    private long _lastHot;
    private volatile bool _isDropped;

    /// <summary>The vCPU's tiering that wants it.</summary>
    public RegionTiering Owner { get; } = owner;

    /// <summary>What is to be compiled; null once that is done. Read by the compiling thread.</summary>
    public Region? Region { get; private set; } = region;

    /// <summary>See <see cref="Region.FormedAt"/>.</summary>
    public ulong FormedAt { get; } = region.FormedAt;

    /// <summary>The translations of the region's blocks, the entered one first.</summary>
    public TranslationBlock[] Blocks { get; } = blocks;

    /// <summary>Their program counters, as the region names them (<see cref="Region.IsRelative"/>).</summary>
    public ulong[] Pcs { get; } = [.. region.Blocks.Take(blocks.Length).Select(block => block.Pc)];

    /// <summary>The translations where it is entered, that of the block which was found hot first.</summary>
    public TranslationBlock[] Entries { get; } = [.. region.Entries.Select(number => blocks[number])];

    /// <summary>Where its direct jumps leave it.</summary>
    public HashSet<ulong> Exits { get; } = [.. region.Exits];

    /// <summary>The program counter of a block of it, as the region names it.</summary>
    public ulong PcOf(TranslationBlock block) => Pcs[Array.IndexOf(Blocks, block)];

    /// <summary>The installed region that this one takes the place of, or null.</summary>
    public RegionJob? Replaces { get; set; }

    /// <summary>How many regions this one has replaced, one after the other.</summary>
    public int Version { get; init; }

    /// <summary>Guest instructions.</summary>
    public int InstructionCount { get; } = region.InstructionCount;

    /// <summary>Guest instructions that tier 0 has executed in the region's blocks, roughly: the order of compilation. Any thread.</summary>
    public long Heat
    {
        get => Volatile.Read(ref _heat);
        set
        {
            Volatile.Write(ref _heat, value);
            Volatile.Write(ref _lastHot, Environment.TickCount64 / StepMilliseconds);
        }
    }

    /// <summary>
    /// When a block of it was last seen to be hot, in steps of some milliseconds: what ran a while ago may not run again. Any thread.
    /// </summary>
    public long LastHot => Volatile.Read(ref _lastHot);

    /// <summary>True when the region is not wanted any more. Any thread.</summary>
    public bool IsDropped
    {
        get => _isDropped;
        set => _isDropped = value;
    }

    /// <summary>The code, once compiled; stays null when it cannot be.</summary>
    public CompiledRegion? Code { get; private set; }

    /// <summary>What compiling took.</summary>
    public TimeSpan CompileTime { get; private set; }

    /// <summary>Why the compiler failed, when it did: a defect of emu, told in the log.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>The region runs.</summary>
    public bool IsInstalled { get; set; }

    /// <summary>Its number in the order of installation, from 1.</summary>
    public long Installation { get; set; }

    /// <summary>Compiles. On any thread, once.</summary>
    public void Compile(Func<Region, CompiledRegion?> compiler)
    {
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        try
        {
            Code = compiler(Region!);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            Failure = exception;
        }

        Region = null;
        CompileTime = System.Diagnostics.Stopwatch.GetElapsedTime(start);
    }
}

/// <summary>A region whose entries go to another one.</summary>
/// <param name="Job">The region.</param>
/// <param name="Shift">What its program counters are less than the other region's.</param>
internal readonly record struct ReplacedRegion(RegionJob Job, ulong Shift)
{
    /// <summary>The program counter of a block of <see cref="Job"/>, as the other region names it.</summary>
    public ulong PcOf(TranslationBlock block) => Job.PcOf(block) + Shift;
}
