using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Emu.Core.Memory;

namespace Emu.Frontend.SoftMmu;

/// <summary>
/// Finds memory by guest-physical address, remembering the stretch of RAM found last: page tables and the pages they name mostly lie in
/// one. Belongs to one thread; follows the map by looking at which view is current.
/// </summary>
internal struct RamWindow(AddressSpace memory)
{
    private FlatView? _view;
    private FlatRange? _range; // of that view

    /// <summary>Finds the stretch that holds <paramref name="physical"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryFind(ulong physical, [NotNullWhen(true)] out FlatRange? range)
    {
        range = _range;
        return (range is not null && ReferenceEquals(_view, memory.View) && physical - range.Start < range.Size) || TryFindSlow(physical, out range);
    }

    private bool TryFindSlow(ulong physical, [NotNullWhen(true)] out FlatRange? range)
    {
        FlatView view = memory.View;
        if (!view.TryFind(physical, out range))
        {
            return false;
        }

        // Registers and holes are looked up each time: they must not push the RAM out.
        if (range.IsMemory && !range.ReadOnly)
        {
            (_view, _range) = (view, range);
        }

        return true;
    }
}
