namespace Emu.Jit.Regions;

/// <summary>
/// The pages of one region in the making, as the address space in use has them now: the translations of a region must all belong to one
/// view of memory.
/// </summary>
internal sealed class RegionPages(CodeAddressCache addresses)
{
    /// <summary>Most pages in a region.</summary>
    public const int Most = 16;

    private const ulong PageMask = ~0xfffUL;

    private readonly Dictionary<ulong, (ulong? Physical, bool IsGlobal)> _seen = [];
    private readonly List<ulong> _used = [];

    /// <summary>The guards of the pages used, by the bits that <see cref="TryUse"/> gave them.</summary>
    public CodePageGuard[] Guards => [.. _used.Select(page => addresses.GuardFor(page, _seen[page].Physical!.Value, _seen[page].IsGlobal))];

    /// <summary>The physical address behind a linear one, or null.</summary>
    public ulong? PhysicalOf(ulong linear)
    {
        ulong page = linear & PageMask;
        if (!_seen.TryGetValue(page, out (ulong? Physical, bool IsGlobal) found))
        {
            found = (addresses.PhysicalPage(page, out bool isGlobal), isGlobal);
            _seen.Add(page, found);
        }

        return found.Physical is ulong physical ? physical | (linear & ~PageMask) : null;
    }

    /// <summary>
    /// Adds the pages of a block whose linear address is its program counter. False when they are not what the block was translated from, or
    /// too many.
    /// </summary>
    /// <param name="block">The block.</param>
    /// <param name="bits">The pages' bits.</param>
    public bool TryUse(TranslationBlock block, out uint bits)
    {
        bits = 0;
        ulong page = block.Key.Pc & PageMask;
        return TryUse(page, block.Key.Physical & PageMask, ref bits)
            && (block.SecondPage is not ulong second || TryUse(page + 0x1000, second, ref bits));
    }

    private bool TryUse(ulong page, ulong physical, ref uint bits)
    {
        if (PhysicalOf(page) != physical)
        {
            return false;
        }

        int index = _used.IndexOf(page);
        if (index < 0)
        {
            index = _used.Count;
            if (index == Most)
            {
                return false;
            }

            _used.Add(page);
        }

        bits |= 1U << index;
        return true;
    }
}
