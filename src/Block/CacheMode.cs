namespace Emu.Block;

/// <summary>When written data is on the host's storage: the <c>cache=</c> of QEMU's drives.</summary>
public enum CacheMode
{
    /// <summary>After a flush; until then in the host's page cache.</summary>
    WriteBack,

    /// <summary>
    /// After a flush, as with <see cref="WriteBack"/>. QEMU goes round the page cache here (O_DIRECT), which .NET has no
    /// portable way to ask for: the durability is the same, the host's memory use is not.
    /// </summary>
    None,

    /// <summary>When the write returns: each is followed by a flush.</summary>
    WriteThrough,

    /// <summary>When the host likes: flushes do nothing. For images that can be made again.</summary>
    Unsafe,
}
