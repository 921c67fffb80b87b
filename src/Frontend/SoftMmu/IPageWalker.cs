namespace Emu.Frontend.SoftMmu;

/// <summary>What an access wants.</summary>
public enum MmuAccess
{
    /// <summary>Data read.</summary>
    Read,

    /// <summary>Data write.</summary>
    Write,

    /// <summary>Instruction fetch.</summary>
    Execute,
}

/// <summary>The privilege an access is checked with; one TLB each.</summary>
public enum MmuMode
{
    /// <summary>Supervisor access held to SMAP (CPL &lt; 3 with RFLAGS.AC clear, and all implicit accesses to system structures).</summary>
    Supervisor = 0,

    /// <summary>Supervisor access that may touch user pages (SMAP off, or RFLAGS.AC set).</summary>
    SupervisorNoSmap = 1,

    /// <summary>User access (CPL 3).</summary>
    User = 2,
}

/// <summary>Result of a page walk: the physical address of the page and what this mode may do there.</summary>
public readonly record struct PageTranslation(ulong PhysicalPage, TlbPageFlags Flags);

/// <summary>Translates linear addresses; implemented by the frontend's CPU.</summary>
public interface IPageWalker
{
    /// <summary>
    /// Walks the page tables for one access, setting accessed and dirty bits. On failure returns false with the fault
    /// recorded in the CPU, to be delivered when the current instruction is abandoned.
    /// </summary>
    bool TryTranslate(ulong linear, MmuAccess access, MmuMode mode, out PageTranslation translation);

    /// <summary>
    /// An access begins at <paramref name="linear"/>, below 4 GiB, and reaches beyond. On failure returns false with the fault recorded as above.
    /// </summary>
    bool TryPassFourGigabytes(ulong linear) => true;
}
