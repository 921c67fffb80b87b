using Emu.Core.Memory;

namespace Emu.Devices.Dma;

/// <summary>
/// Guest memory as bus masters reach it by themselves: RAM only. A buffer in device registers or in nothing is the driver's mistake, and
/// following it would let a guest call devices from inside devices.
/// </summary>
public sealed class DmaMemory(AddressSpace space)
{
    // A segment's length is an int; RAM blocks are larger.
    private const ulong LargestSegment = 1 << 30;

    /// <summary>Adds the segments of a buffer to <paramref name="segments"/>, joined where they touch; false when part of it is not RAM.</summary>
    public bool TryResolve(ulong address, ulong length, bool forWrite, List<GuestSegment> segments)
    {
        FlatView view = space.View;
        while (length > 0)
        {
            if (!view.TryFind(address, out FlatRange? range) || !range.IsMemory || (forWrite && range.ReadOnly))
            {
                return false;
            }

            ulong part = Math.Min(Math.Min(length, range.Last - address + 1), LargestSegment);
            Append(segments, new GuestSegment(range.Region.Ram!, range.RamOffset(address), (int)part));
            address += part;
            length -= part;
        }

        return true;
    }

    /// <summary>Resolves what must lie in one piece, such as a ring; false when it does not.</summary>
    public bool TryResolveWhole(ulong address, int length, bool forWrite, out GuestSegment segment)
    {
        segment = default;
        if (!space.View.TryFind(address, out FlatRange? range) || !range.IsMemory || (forWrite && range.ReadOnly)
            || range.Last - address < (ulong)length - 1)
        {
            return false;
        }

        segment = new GuestSegment(range.Region.Ram!, range.RamOffset(address), length);
        return true;
    }

    private static void Append(List<GuestSegment> segments, GuestSegment next)
    {
        if (segments.Count > 0 && segments[^1] is var last && last.Ram == next.Ram && last.Offset + (ulong)last.Length == next.Offset
            && (ulong)last.Length + (ulong)next.Length <= LargestSegment)
        {
            segments[^1] = last with { Length = last.Length + next.Length };
        }
        else
        {
            segments.Add(next);
        }
    }
}
