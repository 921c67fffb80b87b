using System.Diagnostics.CodeAnalysis;

namespace Emu.Core.Memory;

// Classes, here and in what else is made when a machine starts: collections of them are in the host's ready-made code, those of structs
// are compiled at every start.
/// <summary>One stretch of the flattened map: <see cref="Size"/> bytes from <see cref="Start"/> show <see cref="Region"/> from <see cref="RegionOffset"/>.</summary>
public sealed record FlatRange(ulong Start, ulong Size, MemoryRegion Region, ulong RegionOffset, bool ReadOnly)
{
    /// <summary>Last byte of the stretch.</summary>
    public ulong Last => Start + (Size - 1);

    /// <summary>True when RAM or ROM backs the stretch.</summary>
    public bool IsMemory => Region.Ram is not null;

    /// <summary>Offset of <paramref name="address"/> in the backing <see cref="GuestRam"/>.</summary>
    public ulong RamOffset(ulong address) => Region.BackingOffset + RegionOffset + (address - Start);
}

/// <summary>
/// The immutable result of flattening a region tree: sorted, disjoint stretches. Published by one reference swap, so a
/// reader holds a consistent map for as long as it likes.
/// </summary>
public sealed class FlatView
{
    private readonly FlatRange[] _ranges;

    private FlatView(FlatRange[] ranges) => _ranges = ranges;

    /// <summary>The stretches, ascending.</summary>
    public ReadOnlySpan<FlatRange> Ranges => _ranges;

    /// <summary>The doorbells that can be reached, ascending by address.</summary>
    public IEnumerable<PlacedDoorbell> Doorbells =>
        from range in _ranges
        from doorbell in range.Region.Doorbells
        where doorbell.Offset >= range.RegionOffset && doorbell.Offset - range.RegionOffset < range.Size
        select new PlacedDoorbell(range.Start + (doorbell.Offset - range.RegionOffset), doorbell);

    /// <summary>The view of an empty map.</summary>
    public static FlatView Empty { get; } = new([]);

    /// <summary>Finds the stretch that holds <paramref name="address"/>.</summary>
    public bool TryFind(ulong address, [NotNullWhen(true)] out FlatRange? range)
    {
        int low = 0;
        int high = _ranges.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            FlatRange candidate = _ranges[middle];
            if (address < candidate.Start)
            {
                high = middle - 1;
            }
            else if (address > candidate.Last)
            {
                low = middle + 1;
            }
            else
            {
                range = candidate;
                return true;
            }
        }

        range = null;
        return false;
    }

    internal static FlatView Build(MemoryRegion root)
    {
        var builder = new Builder();
        builder.Render(root, 0, 0, root.Size - 1, readOnly: false);
        return new FlatView(builder.ToArray());
    }

    /// <summary>Paints regions from the highest priority down, each only where nothing lies yet.</summary>
    private sealed class Builder
    {
        private readonly List<FlatRange> _ranges = [];

        public FlatRange[] ToArray()
        {
            var merged = new List<FlatRange>();
            foreach (FlatRange range in _ranges)
            {
                if (merged.Count > 0 && merged[^1] is var last && last.Region == range.Region && last.ReadOnly == range.ReadOnly
                    && last.Start + last.Size == range.Start && last.RegionOffset + last.Size == range.RegionOffset)
                {
                    merged[^1] = last with { Size = last.Size + range.Size };
                }
                else
                {
                    merged.Add(range);
                }
            }

            return [.. merged];
        }

        // [clipFirst, clipLast] is in absolute addresses; regionBase is where the region's offset 0 lies (may be "negative", mod 2^64, for aliases).
        public void Render(MemoryRegion region, ulong regionBase, ulong clipFirst, ulong clipLast, bool readOnly)
        {
            if (!region.Enabled)
            {
                return;
            }

            switch (region.Kind)
            {
                case MemoryRegionKind.Alias:
                    Render(region.AliasTarget!, unchecked(regionBase - region.BackingOffset), clipFirst, clipLast, readOnly);
                    break;
                case MemoryRegionKind.Container:
                    RenderChildren(region, regionBase, clipFirst, clipLast, readOnly);
                    break;
                default:
                    Paint(region, regionBase, clipFirst, clipLast, readOnly || region.Kind == MemoryRegionKind.Rom);
                    break;
            }
        }

        private void RenderChildren(MemoryRegion region, ulong regionBase, ulong clipFirst, ulong clipLast, bool readOnly)
        {
            // Later additions win ties.
            foreach (MemoryRegion.Placement child in region.Children.Reverse().OrderByDescending(placement => placement.Priority))
            {
                // All arithmetic relative to regionBase, so that aliases with a wrapped base clip correctly.
                ulong clipFirstOffset = unchecked(clipFirst - regionBase);
                ulong clipLastOffset = unchecked(clipLast - regionBase);
                ulong childLast = child.Offset + (child.Region.Size - 1);
                ulong first = Math.Max(child.Offset, clipFirstOffset);
                ulong last = Math.Min(childLast < child.Offset ? ulong.MaxValue : childLast, clipLastOffset);
                if (first <= last)
                {
                    Render(child.Region, unchecked(regionBase + child.Offset), unchecked(regionBase + first), unchecked(regionBase + last), readOnly);
                }
            }
        }

        private void Paint(MemoryRegion region, ulong regionBase, ulong first, ulong last, bool readOnly)
        {
            int index = _ranges.FindIndex(range => range.Last >= first);
            index = index < 0 ? _ranges.Count : index;
            ulong cursor = first;
            while (true)
            {
                bool blocked = index < _ranges.Count && _ranges[index].Start <= last;
                ulong freeLast = blocked ? _ranges[index].Start - 1 : last;
                if (!blocked || _ranges[index].Start > cursor)
                {
                    _ranges.Insert(index++, new FlatRange(cursor, freeLast - cursor + 1, region, unchecked(cursor - regionBase), readOnly));
                }

                if (!blocked || _ranges[index].Last >= last)
                {
                    return;
                }

                cursor = _ranges[index].Last + 1;
                index++;
            }
        }
    }
}
