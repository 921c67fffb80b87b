namespace Emu.Jit.Regions;

/// <summary>
/// The pages of one region in the making, as the address space in use has them now: the translations of a region must all belong to one
/// view of memory.
/// </summary>
/// <param name="addresses">What is known of code pages.</param>
/// <param name="origin">The linear page that program counters are relative to; null where they are linear addresses.</param>
internal sealed class RegionPages(CodeAddressCache addresses, ulong? origin)
{
    /// <summary>Most pages in a region.</summary>
    public const int Most = 16;

    private const ulong PageMask = ~0xfffUL;

    private readonly Dictionary<ulong, (ulong? Physical, bool IsGlobal)> _seen = [];
    private readonly List<ulong> _used = [];

    /// <summary>Program counters are relative.</summary>
    public bool IsRelative => origin is not null;

    /// <summary>The guards of the pages used, by the bits that <see cref="TryUse"/> gave them.</summary>
    public CodePageGuard[] Guards => [.. _used.Select(GuardOf)];

    /// <summary>The physical address behind a program counter, or null.</summary>
    public ulong? PhysicalOf(ulong pc)
    {
        ulong page = pc & PageMask;
        if (!_seen.TryGetValue(page, out (ulong? Physical, bool IsGlobal) found))
        {
            found = (addresses.PhysicalPage(LinearOf(page), out bool isGlobal), isGlobal);
            _seen.Add(page, found);
        }

        return found.Physical is ulong physical ? physical | (pc & ~PageMask) : null;
    }

    /// <summary>The linear address of a program counter.</summary>
    public ulong LinearOf(ulong pc) => pc + (origin ?? 0);

    /// <summary>
    /// Adds the pages of a block. False when they are not what the block was translated from, or
    /// too many.
    /// </summary>
    /// <param name="block">The block.</param>
    /// <param name="pc">Its program counter.</param>
    /// <param name="bits">The pages' bits.</param>
    public bool TryUse(TranslationBlock block, ulong pc, out uint bits)
    {
        bits = 0;
        ulong page = pc & PageMask;
        return TryUse(page, block.Key.Physical & PageMask, ref bits)
            && (block.SecondPage is not ulong second || TryUse(page + 0x1000, second, ref bits));
    }

    private CodePageGuard GuardOf(ulong page)
    {
        (ulong? physical, bool isGlobal) = _seen[page];
        return origin is null
            ? addresses.GuardFor(page, physical!.Value, isGlobal)
            : addresses.GuardForRelative(LinearOf(page), page, physical!.Value);
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
