using Emu.Core.Memory;

namespace Emu.Frontend.SoftMmu;

/// <summary>The slow path: page walks, device registers, tracked pages, accesses across a page end.</summary>
public sealed unsafe partial class SoftMmu
{
    private bool TryReadSlow(ulong linear, int size, MmuMode mode, out ulong value)
    {
        value = 0;
        if (((linear + (uint)size - 1) ^ linear) >> 12 != 0)
        {
            return TryReadAcross(linear, size, mode, out value);
        }

        if (!TryResolve(linear, MmuAccess.Read, mode, out TlbEntry* entry))
        {
            return false;
        }

        if ((entry->ReadTag & TagWatched) != 0)
        {
            Watchpoint?.Invoke(linear, size, false);
        }

        if ((entry->ReadTag & TagIo) != 0)
        {
            IoAccesses++;
            value = _memory.Read((entry->Physical & PageMask) | (linear & 0xfff), size);
        }
        else
        {
            value = LoadHost((byte*)(linear + (ulong)entry->Addend), size);
        }

        return true;
    }

    private bool TryWriteSlow(ulong linear, ulong value, int size, MmuMode mode)
    {
        if (((linear + (uint)size - 1) ^ linear) >> 12 != 0)
        {
            return TryWriteAcross(linear, value, size, mode);
        }

        if (!TryResolve(linear, MmuAccess.Write, mode, out TlbEntry* entry))
        {
            return false;
        }

        if ((entry->WriteTag & TagWatched) != 0)
        {
            Watchpoint?.Invoke(linear, size, true);
        }

        if ((entry->WriteTag & TagTracked) != 0)
        {
            NoteTrackedWrite(entry, linear, size);
        }

        if ((entry->WriteTag & TagIo) != 0)
        {
            IoAccesses++;
            _memory.Write((entry->Physical & PageMask) | (linear & 0xfff), value, size);
        }
        else
        {
            StoreHost((byte*)(linear + (ulong)entry->Addend), value, size);
        }

        return true;
    }

    private bool TryReadAcross(ulong linear, int size, MmuMode mode, out ulong value)
    {
        value = 0;
        if (!TryProbe(linear, size, MmuAccess.Read, mode))
        {
            return false;
        }

        for (int i = 0; i < size; i++)
        {
            if (!TryRead(linear + (uint)i, 1, mode, out ulong part))
            {
                return false;
            }

            value |= part << (i * 8);
        }

        return true;
    }

    private bool TryWriteAcross(ulong linear, ulong value, int size, MmuMode mode)
    {
        if (!TryProbe(linear, size, MmuAccess.Write, mode))
        {
            return false;
        }

        for (int i = 0; i < size; i++)
        {
            if (!TryWrite(linear + (uint)i, value >> (i * 8), 1, mode))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Finds or fills the entry for an access inside one page; its tag for the access then has no <see cref="TlbEntry.Invalid"/> bit.</summary>
    private bool TryResolve(ulong linear, MmuAccess access, MmuMode mode, out TlbEntry* entry)
    {
        entry = EntryFor(linear, mode);
        ulong tag = access == MmuAccess.Write ? entry->WriteTag : entry->ReadTag;
        if ((tag & TlbEntry.Invalid) == 0 && (tag & PageMask) == (linear & PageMask))
        {
            return true;
        }

        Misses++;
        if (!_walker.TryTranslate(linear, access, mode, out PageTranslation translation))
        {
            return false;
        }

        Fill(entry, linear & PageMask, translation);
        return true;
    }

    private void Fill(TlbEntry* entry, ulong page, PageTranslation translation)
    {
        ulong physical = translation.PhysicalPage;
        bool readable = (translation.Flags & TlbPageFlags.Read) != 0;
        bool writable = (translation.Flags & TlbPageFlags.Write) != 0;
        ulong readBits = 0;
        ulong writeBits = 0;
        _writers.Remove(entry);
        if (_ram.TryFind(physical, out FlatRange? range) && range.IsMemory && range.Last - physical >= 0xfff)
        {
            ulong offset = range.RamOffset(physical);
            GuestRam ram = range.Region.Ram!;
            entry->Addend = (nint)((ulong)ram.HostBase + offset - page);
            RamPageFlags flags = ram.GetPageFlags(offset);
            bool track = (flags & RamPageFlags.Code) != 0 || (ram.DirtyLogging && (flags & RamPageFlags.Dirty) == 0);
            writeBits = range.ReadOnly ? TagIo : track ? TagTracked : 0;
        }
        else
        {
            readBits = TagIo;
            writeBits = TagIo;
        }

        if (IsWatchedPage is not null && IsWatchedPage(page))
        {
            readBits |= TagWatched;
            writeBits |= TagWatched;
        }

        ulong shared = TlbEntry.IndexOf(page) == TlbEntry.IndexOf(page - 1) ? TagShared : 0;
        entry->ReadTag = readable ? page | readBits | shared : TlbEntry.Invalid;
        entry->WriteTag = writable ? page | writeBits | shared : TlbEntry.Invalid;
        entry->Physical = physical | (ulong)translation.Flags;
        _writers.Add(entry);
        if ((translation.Flags & TlbPageFlags.Global) == 0)
        {
            _context.NoteLocal(entry);
        }

        if ((translation.Flags & TlbPageFlags.Large) != 0)
        {
            _largePages.Add(page >> LargeShift);
        }
        else if ((translation.Flags & TlbPageFlags.Huge) != 0)
        {
            _hugePages.Add(page >> HugeShift);
        }
    }

    /// <summary>A write is about to hit a tracked page. Returns true when the block in execution was dropped.</summary>
    private bool NoteTrackedWrite(TlbEntry* entry, ulong linear, int size)
    {
        ulong physical = (entry->Physical & PageMask) | (linear & 0xfff);
        if (!_ram.TryFind(physical, out FlatRange? range) || !range.IsMemory)
        {
            return false;
        }

        GuestRam ram = range.Region.Ram!;
        ulong offset = range.RamOffset(physical);
        bool current = false;
        if ((ram.GetPageFlags(offset) & RamPageFlags.Code) != 0 && CodeObserver is not null)
        {
            current = CodeObserver.BeforeCodeWrite(ram, offset, size);
        }

        if (ram.DirtyLogging)
        {
            ram.AddPageFlags(offset, RamPageFlags.Dirty);
        }

        if ((ram.GetPageFlags(offset) & RamPageFlags.Code) == 0)
        {
            entry->WriteTag &= ~TagTracked;
        }

        return current;
    }
}
