using Emu.Diff.Cases;

namespace Emu.Diff.Engines;

/// <summary>Offsets in the cells page: what the driver shares with exception stubs, signal handlers and engines.</summary>
internal static class DriverCells
{
    private const int Page = CaseLayout.CellsPage * CaseLayout.PageSize;

    /// <summary>The record in work, and the number of those that are left with it.</summary>
    public const int Record = Page;

    public const int Count = Page + 8;

    /// <summary>Where to jump: an offset and, for the far jump of 16- and 32-bit cases, a selector.</summary>
    public const int Entry = Page + 16;

    public const int EntrySelector = Page + 20;
    public const int Rbx = Page + 24;

    /// <summary>The exception: vector, error code, CR2, RIP, RSP, RFLAGS.</summary>
    public const int Vector = Page + 32;

    public const int Error = Page + 40;
    public const int Address = Page + 48;
    public const int Rip = Page + 56;
    public const int Rsp = Page + 64;
    public const int Rflags = Page + 72;

    /// <summary>RSP of the native caller.</summary>
    public const int HostStack = Page + 80;

    /// <summary>Signal handlers that were there before.</summary>
    public const int OldHandlers = Page + 256;

    /// <summary>Top of the driver's stack.</summary>
    public const int Stack = Page + CaseLayout.PageSize - 64;
}
