namespace Emu.Diff.Cases;

/// <summary>
/// Where things lie in the memory that a case sees: 2 MiB at <see cref="Base"/>, the same linear addresses on every engine, so that one
/// encoding of a case serves all. Below 2 GiB, so that 32-bit addressing and absolute displacements reach it.
/// </summary>
internal static class CaseLayout
{
    /// <summary>Linear address of the memory.</summary>
    public const ulong Base = 0x1000_0000;

    /// <summary>Bytes of it: one page table.</summary>
    public const int Size = 0x20_0000;

    public const int PageSize = 4096;

    /// <summary>Pages with a meaning for a case: the first ones.</summary>
    public const int Pages = 16;

    /// <summary>The driver's code.</summary>
    public const int DriverPage = 0;

    /// <summary>What driver, exception stubs and engine share, and the driver's stack.</summary>
    public const int CellsPage = 1;

    /// <summary>First of two pages of code, for users that run one case at a time.</summary>
    public const int CodePage = 2;

    /// <summary>First of two writable data pages; a read-only one and an unmapped one follow.</summary>
    public const int DataPage = 5;

    /// <summary>The read-only page.</summary>
    public const int ReadOnlyPage = 7;

    /// <summary>First of two stack pages.</summary>
    public const int StackPage = 9;

    /// <summary>Cases that run in one go.</summary>
    public const int BatchSize = 512;

    /// <summary>Bytes of code of a case, with the way back.</summary>
    public const int SlotSize = 512;

    /// <summary>Offsets in the memory: system tables, exception stubs, stack of privilege level 0, page tables.</summary>
    public const int IdtOffset = 0x10000;

    public const int GdtOffset = 0x11000;
    public const int TssOffset = 0x12000;
    public const int StubOffset = 0x15000;
    public const int KernelStackTop = 0x17000;
    public const int PageTableOffset = 0x17000;

    /// <summary>Offset of the code of all cases of a batch.</summary>
    public const int SlotsOffset = 0x20000;

    /// <summary>Offset of the records of all cases of a batch.</summary>
    public const int RecordsOffset = 0x61000;

    /// <summary>The slots, and half of one: each eighth slot lies across a page end.</summary>
    public const int SlotsBytes = (BatchSize * SlotSize) + (SlotSize / 2);

    /// <summary>Bytes around the middle of the data pages that are loaded before a case and compared after it.</summary>
    public const int DataWindow = 448;

    /// <summary>Bytes at the end of the data pages, in front of the read-only one.</summary>
    public const int EdgeWindow = 64;

    /// <summary>Bytes around the middle of the stack pages.</summary>
    public const int StackWindow = 512;

    /// <summary>Bytes of all windows.</summary>
    public const int WindowBytes = DataWindow + EdgeWindow + StackWindow;

    /// <summary>Offsets of the windows in the memory.</summary>
    public const int DataWindowOffset = ((DataPage + 1) * PageSize) - (DataWindow / 2);

    public const int EdgeWindowOffset = (ReadOnlyPage * PageSize) - EdgeWindow;
    public const int StackWindowOffset = ((StackPage + 1) * PageSize) - (StackWindow / 2);

    /// <summary>The windows: offset in the memory, offset in a record's memory, bytes.</summary>
    public static readonly (int Offset, int Saved, int Bytes, string Name)[] Windows =
    [
        (DataWindowOffset, 0, DataWindow, "data"),
        (EdgeWindowOffset, DataWindow, EdgeWindow, "edge"),
        (StackWindowOffset, DataWindow + EdgeWindow, StackWindow, "stack"),
    ];

    /// <summary>Offset of the first byte of slot <paramref name="index"/>.</summary>
    public static int SlotOffset(int index) => SlotsOffset + (SlotSize / 2) + (index * SlotSize);

    /// <summary>Slots for cases of <paramref name="bitness"/> bits: 16-bit code reaches 64 KiB.</summary>
    public static int SlotCount(int bitness) => bitness == 16 ? 64 : BatchSize;

    /// <summary>How page <paramref name="page"/> may be used by user code.</summary>
    public static PageAccess AccessOf(int page) => page switch
    {
        CodePage + 2 or ReadOnlyPage + 1 or (> StackPage + 1 and < Pages) => PageAccess.None,
        DriverPage or ReadOnlyPage => PageAccess.Read,
        >= IdtOffset / PageSize and < SlotsOffset / PageSize => PageAccess.System,
        _ => PageAccess.Write,
    };
}

/// <summary>What user code may do with a page.</summary>
internal enum PageAccess
{
    /// <summary>Not mapped.</summary>
    None,

    /// <summary>Read and execute.</summary>
    Read,

    /// <summary>Nothing, but it is mapped where there is a privilege level 0.</summary>
    System,

    /// <summary>Read, write and execute.</summary>
    Write,
}
