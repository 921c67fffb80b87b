using System.Runtime.InteropServices;

namespace Emu.Frontend.SoftMmu;

/// <summary>
/// One softmmu TLB entry. An access of n bytes at linear address a hits when the tag for its kind equals
/// <c>(a + n - 1) &amp; ~0xfff</c> in the entry indexed by a's page: a tag with any low bit set never matches, which sends MMIO,
/// watchpoints and pages with translated code to the slow path, and an access across a page end misses by itself.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct TlbEntry
{
    /// <summary>Entries per mode; a power of two.</summary>
    public const int Count = 4096;

    /// <summary>Size in bytes; 2 to the power of <see cref="SizeShift"/>.</summary>
    public const int Size = 32;

    /// <summary>log2 of <see cref="Size"/>.</summary>
    public const int SizeShift = 5;

    /// <summary>The index of an entry is made of the page number, from this bit of the address,</summary>
    public const int PageShift = 12;

    /// <summary>and of the bits that many places higher.</summary>
    public const int FoldShift = 12;

    /// <summary>A tag that matches no access.</summary>
    public const ulong Invalid = 1;

    /// <summary>Page address if reads may go straight to memory.</summary>
    public ulong ReadTag;

    /// <summary>Page address if writes may go straight to memory.</summary>
    public ulong WriteTag;

    /// <summary>Host address of a byte minus its linear address.</summary>
    public nint Addend;

    /// <summary>Guest-physical page address, with the low bits of <see cref="TlbPageFlags"/>.</summary>
    public ulong Physical;

    /// <summary>
    /// The number of the entry for a linear address. Higher bits are folded in, so that streams a power of two apart do not
    /// fight for one entry. Pages that follow each other share one only at multiples of 32 GiB; the second is then never found by a tag compare.
    /// </summary>
    public static int IndexOf(ulong linear) => (int)((linear ^ (linear >> FoldShift)) >> PageShift) & (Count - 1);

    /// <summary>The same in bytes from the start of the table.</summary>
    public static ulong OffsetOf(ulong linear) => ((linear ^ (linear >> FoldShift)) >> (PageShift - SizeShift)) & ((Count - 1) * Size);

    /// <summary>True when the page may be written, directly or noticed.</summary>
    public readonly bool IsWriter => (WriteTag & Invalid) == 0;

    /// <summary>Empties the entry.</summary>
    public void Drop()
    {
        ReadTag = Invalid;
        WriteTag = Invalid;
        Physical = 0;
    }
}

/// <summary>What the page walk found about a page; kept in the low bits of <see cref="TlbEntry.Physical"/>.</summary>
[Flags]
public enum TlbPageFlags
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The page may be read in this mode.</summary>
    Read = 1,

    /// <summary>The page may be written in this mode and its D bit is set.</summary>
    Write = 2,

    /// <summary>Global: survives a CR3 write.</summary>
    Global = 4,

    /// <summary>Part of a page of 2 or 4 MiB: INVLPG of any address in it must drop it.</summary>
    Large = 8,

    /// <summary>Part of a page of 1 GiB, likewise.</summary>
    Huge = 16,
}
