using Emu.Frontend.SoftMmu;

namespace Emu.Jit;

/// <summary>A small direct-mapped TLB for instruction fetch, by mode.</summary>
internal sealed class CodePageCache(SoftMmu mmu)
{
    private const int Size = 256;
    private const int LargeRegionShift = 30;

    private readonly (ulong Tag, ulong Physical)[] _entries = new (ulong, ulong)[Size];

    // Stretches of 1 GiB with pieces of large pages, any of which INVLPG of one address drops.
    private readonly HashSet<ulong> _large = [];

    /// <summary>The page translated last is global: it survives a CR3 write.</summary>
    public bool LastWasGlobal { get; private set; }

    /// <summary>The physical address of an instruction. False leaves the fault recorded in the CPU.</summary>
    public bool TryTranslate(ulong linear, out ulong physical)
    {
        ref (ulong Tag, ulong Physical) entry = ref _entries[(linear >> 12) & (Size - 1)];
        ulong tag = (linear & ~0xfffUL) | 1 | ((ulong)mmu.Mode << 1);
        if (entry.Tag != tag)
        {
            if (!mmu.TryTranslateCode(linear, out PageTranslation translation))
            {
                physical = 0;
                return false;
            }

            entry = (tag, (translation.PhysicalPage & ~0xfffUL) | (ulong)(translation.Flags & TlbPageFlags.Global));
            if ((translation.Flags & (TlbPageFlags.Large | TlbPageFlags.Huge)) != 0)
            {
                _large.Add(linear >> LargeRegionShift);
            }
        }

        LastWasGlobal = (entry.Physical & (ulong)TlbPageFlags.Global) != 0;
        physical = (entry.Physical & ~0xfffUL) | (linear & 0xfff);
        return true;
    }

    /// <summary>True when a large page with code may hold <paramref name="linear"/>.</summary>
    public bool MayBeLarge(ulong linear) => _large.Contains(linear >> LargeRegionShift);

    /// <summary>Forgets the page of <paramref name="linear"/>.</summary>
    public void Forget(ulong linear)
    {
        if (MayBeLarge(linear))
        {
            Clear(includeGlobal: true);
        }
        else
        {
            _entries[(linear >> 12) & (Size - 1)] = default;
        }
    }

    /// <summary>Forgets all pages, or all but the global ones.</summary>
    public void Clear(bool includeGlobal)
    {
        for (int i = 0; i < Size; i++)
        {
            if (includeGlobal || (_entries[i].Physical & (ulong)TlbPageFlags.Global) == 0)
            {
                _entries[i] = default;
            }
        }

        if (includeGlobal)
        {
            _large.Clear();
        }
    }
}
