namespace Emu.Jit.Regions;

/// <summary>Counters of one vCPU's compiled regions.</summary>
public sealed class RegionStatistics
{
    /// <summary>Regions compiled.</summary>
    public ulong Compiled { get; internal set; }

    /// <summary>Guest instructions in them.</summary>
    public ulong Instructions { get; internal set; }

    /// <summary>Installed regions dropped because their code was written or the cache was full.</summary>
    public ulong Dropped { get; internal set; }

    /// <summary>Installed regions replaced by larger ones.</summary>
    public ulong Replaced { get; internal set; }

    /// <summary>Regions that the compiler did not take.</summary>
    public ulong Refused { get; internal set; }

    /// <summary>Host time spent compiling.</summary>
    public TimeSpan CompileTime { get; internal set; }
}
