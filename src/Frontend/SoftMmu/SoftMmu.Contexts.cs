namespace Emu.Frontend.SoftMmu;

/// <summary>
/// Address spaces. Without PCIDs there is one context, which a CR3 write empties of what is not global. With them each PCID in use has a
/// context of its own, so that a guest that switches back finds its translations (SDM vol. 3, 4.10.4); global pages are then cached per
/// context, and dropped in all.
/// </summary>
public sealed unsafe partial class SoftMmu
{
    /// <summary>Most contexts kept: what a guest kernel cycles through (Linux: six, and one for itself).</summary>
    public const int MaxContexts = 8;

    private readonly TlbContext?[] _contexts = new TlbContext?[MaxContexts];
    private TlbContext _context;
    private int _nextVictim;

    /// <summary>Number of the context in use, below <see cref="MaxContexts"/>.</summary>
    public int ContextIndex { get; private set; }

    /// <summary>Called after the context in use changed.</summary>
    public Action? ContextSwitched { get; set; }

    /// <summary>Called after a context was emptied: its number, and whether global pages went too. Caches of program counters must follow.</summary>
    public Action<int, bool>? Flushed { get; set; }

    /// <summary>A CR3 write: goes on in the address space of <paramref name="pcid"/>, with its old translations if <paramref name="keep"/>.</summary>
    public void SwitchAddressSpace(int pcid, bool keep)
    {
        if (_context.Pcid != pcid)
        {
            Use(FindContext(pcid));
        }

        if (!keep)
        {
            Flush(ContextIndex, includeGlobal: false);
        }
    }

    /// <summary>Drops the translations of every address space, or all but the global ones.</summary>
    public void Flush(bool includeGlobal)
    {
        for (int i = 0; i < MaxContexts; i++)
        {
            Flush(i, includeGlobal);
        }

        if (includeGlobal)
        {
            _largePages.Clear();
            _hugePages.Clear();
        }
    }

    /// <summary>Drops the translations of <paramref name="pcid"/>, all but the global ones (INVPCID).</summary>
    public void FlushAddressSpace(int pcid)
    {
        int index = Array.FindIndex(_contexts, context => context?.Pcid == pcid);
        if (index >= 0)
        {
            Flush(index, includeGlobal: false);
        }
    }

    private void Flush(int index, bool includeGlobal)
    {
        if (_contexts[index] is not TlbContext context)
        {
            return;
        }

        Flushes++;
        if (includeGlobal)
        {
            context.Clear();
        }
        else
        {
            context.ClearLocal();
        }

        Flushed?.Invoke(index, includeGlobal);
    }

    private int FindContext(int pcid)
    {
        int index = Array.FindIndex(_contexts, context => context?.Pcid == pcid);
        if (index >= 0)
        {
            return index;
        }

        index = Array.FindIndex(_contexts, context => context is null);
        if (index < 0)
        {
            // In turn: a guest that needs more has no favourite either.
            _nextVictim = (_nextVictim + 1) % MaxContexts;
            index = _nextVictim == ContextIndex ? _nextVictim = (_nextVictim + 1) % MaxContexts : _nextVictim;
            Flush(index, includeGlobal: true);
        }

        (_contexts[index] ??= new TlbContext(_writers)).Pcid = pcid;
        return index;
    }

    private void Use(int index)
    {
        ContextIndex = index;
        _context = _contexts[index]!;
        _cpu->Tlb = _context.Table(Mode);
        ContextSwitched?.Invoke();
    }
}
