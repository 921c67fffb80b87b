namespace Emu.Jit;

/// <summary>The program counters at which a block was entered in the jump cache of some address space.</summary>
internal sealed class BlockAddresses
{
    private const int Most = 8;

    private ulong[] _listed = [];

    /// <summary>Those known, unless there were <see cref="TooMany"/>.</summary>
    public ReadOnlySpan<ulong> Listed => _listed;

    /// <summary>There are others than those listed.</summary>
    public bool TooMany { get; private set; }

    /// <summary>Adds one.</summary>
    public void Add(ulong pc)
    {
        if (Array.IndexOf(_listed, pc) >= 0)
        {
            return;
        }

        TooMany |= _listed.Length == Most;
        if (!TooMany)
        {
            _listed = [.. _listed, pc];
        }
    }
}
