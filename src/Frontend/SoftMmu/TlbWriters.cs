namespace Emu.Frontend.SoftMmu;

/// <summary>
/// Which TLB entries may write to a physical page, hashed: mostly none or two, which saves a search of all tables when the page begins
/// to hold translated code. Entries stay at their addresses for as long as the vCPU lives.
/// </summary>
internal sealed unsafe class TlbWriters
{
    private const int Buckets = 2 * TlbEntry.Count;
    private const int Room = 4;

    // Per bucket, how many entries there are, and where they are if there is room for all. Once there was not, the bucket is only counted
    // until it is empty.
    private readonly int[] _count = new int[Buckets];
    private readonly bool[] _overflown = new bool[Buckets];
    private readonly nint[] _entries = new nint[Buckets * Room];

    /// <summary>The entries that may write to <paramref name="physicalPage"/>, and others. False when only a search of the tables can tell.</summary>
    public bool TryFind(ulong physicalPage, out ReadOnlySpan<nint> entries)
    {
        int bucket = BucketOf(physicalPage);
        bool known = !_overflown[bucket];
        entries = known ? _entries.AsSpan(bucket * Room, _count[bucket]) : default;
        return known;
    }

    /// <summary>The entry was filled.</summary>
    public void Add(TlbEntry* entry)
    {
        if (!entry->IsWriter)
        {
            return;
        }

        int bucket = BucketOf(entry->Physical);
        int count = _count[bucket]++;
        _overflown[bucket] |= count >= Room;
        if (!_overflown[bucket])
        {
            _entries[(bucket * Room) + count] = (nint)entry;
        }
    }

    /// <summary>The entry is about to be emptied or replaced.</summary>
    public void Remove(TlbEntry* entry)
    {
        if (!entry->IsWriter)
        {
            return;
        }

        int bucket = BucketOf(entry->Physical);
        int last = --_count[bucket];
        if (_overflown[bucket])
        {
            _overflown[bucket] = last > 0;
            return;
        }

        Span<nint> entries = _entries.AsSpan(bucket * Room, last + 1);
        entries[entries.IndexOf((nint)entry)] = entries[last];
    }

    private static int BucketOf(ulong physical) => (int)((physical >> 12) ^ (physical >> 25)) & (Buckets - 1);
}
