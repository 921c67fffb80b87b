using Emu.Core.Memory;
using Emu.Frontend.SoftMmu;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <summary>
/// Feeds instruction bytes to the decoder: from the page a block starts in, and from the next page only for the instruction that
/// crosses into it, which ends the block.
/// </summary>
internal sealed unsafe class CodeFetcher(SoftMmu.SoftMmu mmu, AddressSpace memory) : CodeReader
{
    private const int PageSize = 4096;

    private byte* _page;
    private ulong _linearPage;
    private ulong _physicalPage;
    private int _offset;
    private bool _inSecondPage;

    /// <summary>The current instruction needs a byte of a page that cannot be fetched from; the fault is recorded in the CPU.</summary>
    public bool Faulted { get; private set; }

    /// <summary>The bytes read so far reach the end of the first page or beyond.</summary>
    public bool AtPageEnd => _inSecondPage || _offset >= PageSize;

    /// <summary>Starts at a linear address whose physical address is known.</summary>
    public void Start(ulong linear, ulong physical)
    {
        _linearPage = linear & ~(PageSize - 1UL);
        _physicalPage = physical & ~(PageSize - 1UL);
        _offset = (int)(linear & (PageSize - 1));
        _inSecondPage = false;
        Faulted = false;
        LocatePage();
    }

    /// <inheritdoc/>
    public override int ReadByte()
    {
        if (_offset >= PageSize && !TryEnterSecondPage())
        {
            return -1;
        }

        int offset = _offset++;

        // SAFETY: offset < PageSize, and _page, when set, addresses a whole page of guest RAM (checked in LocatePage).
        return _page != null ? _page[offset] : (int)memory.Read(_physicalPage + (uint)offset, 1);
    }

    private bool TryEnterSecondPage()
    {
        if (!mmu.TryTranslateCode(NextPage, out PageTranslation next))
        {
            Faulted = true;
            return false;
        }

        _inSecondPage = true;
        _physicalPage = next.PhysicalPage & ~(PageSize - 1UL);
        _offset = 0;
        LocatePage();
        return true;
    }

    private ulong NextPage => _linearPage + PageSize;

    private void LocatePage()
    {
        if (memory.View.TryFind(_physicalPage, out FlatRange? range) && range.IsMemory && range.Last - _physicalPage >= PageSize - 1)
        {
            _page = (byte*)range.Region.Ram!.HostBase + range.RamOffset(_physicalPage);
        }
        else
        {
            _page = null;
        }
    }
}
