namespace Emu.Jit;

/// <summary>
/// A vCPU's blocks by name. In front of the dictionary lies a direct-mapped table of what was found last: after a change of address space
/// every block is looked up once.
/// </summary>
internal sealed class BlockTable
{
    private const int RecentCount = 8192;

    private readonly Dictionary<BlockKey, TranslationBlock> _all = [];
    private readonly TranslationBlock?[] _recent = new TranslationBlock?[RecentCount];

    /// <summary>Finds the block called <paramref name="key"/>.</summary>
    public TranslationBlock? Find(in BlockKey key)
    {
        ref TranslationBlock? recent = ref _recent[SlotOf(key)];
        if (recent is not null && recent.Key == key)
        {
            return recent;
        }

        return _all.TryGetValue(key, out TranslationBlock? block) ? recent = block : null;
    }

    /// <summary>Adds a block whose name is free.</summary>
    public void Add(TranslationBlock block) => _all.Add(block.Key, block);

    /// <summary>Removes and returns the block called <paramref name="key"/>, if there is one.</summary>
    public TranslationBlock? Remove(in BlockKey key)
    {
        ref TranslationBlock? recent = ref _recent[SlotOf(key)];
        if (recent is not null && recent.Key == key)
        {
            recent = null;
        }

        return _all.Remove(key, out TranslationBlock? block) ? block : null;
    }

    /// <summary>Forgets all blocks.</summary>
    public void Clear()
    {
        _all.Clear();
        Array.Clear(_recent);
    }

    private static int SlotOf(in BlockKey key) => (int)(key.Physical ^ (key.Physical >> 13) ^ key.Pc >> 20) & (RecentCount - 1);
}
