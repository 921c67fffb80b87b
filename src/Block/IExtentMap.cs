namespace Emu.Block;

/// <summary>What is known of a range without reading it.</summary>
internal enum ExtentKind
{
    /// <summary>There is data; it may be zeroes.</summary>
    Data,

    /// <summary>It reads as zeroes.</summary>
    Zero,

    /// <summary>Nothing here: the backing image says what it reads as, or it is zero without one.</summary>
    Unallocated,
}

/// <summary>Implemented by images that know what they hold.</summary>
internal interface IExtentMap
{
    /// <summary>
    /// Bytes from <paramref name="offset"/>, at least 1 and at most <paramref name="length"/>, that are of one kind. The range lies inside the
    /// disk. Where the tables cannot be read it is <see cref="ExtentKind.Data"/>, so that reading reports it.
    /// </summary>
    long Extent(long offset, long length, out ExtentKind kind);
}
