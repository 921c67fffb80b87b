using System.Text;
using Emu.Core;

namespace Emu.Machine.Loaders;

/// <summary>
/// Collects the stretches of a <see cref="BootPlan"/>: each must lie in free RAM of the memory map and touch no other.
/// Fixed places come from the image's headers, the rest is allocated first fit from below or from above.
/// </summary>
internal sealed class LoadMap(string imageName, MemoryLayout layout)
{
    // Page 0 stays free: interrupt vectors, BIOS data, and null pointers of the guest.
    private const ulong FirstAllocatable = GuestPhysical.PageSize;

    private readonly List<(ulong Start, ulong End)> _taken = [];
    private readonly List<MemoryWrite> _writes = [];

    public IReadOnlyList<MemoryWrite> Writes => [.. _writes.OrderBy(write => write.Address)];

    /// <summary>Puts bytes and <paramref name="zeroFill"/> zeros at an address that the image asks for.</summary>
    public void Place(ulong address, ReadOnlyMemory<byte> bytes, string what, ulong zeroFill = 0)
    {
        ulong size = checked((ulong)bytes.Length + Math.Min(zeroFill, long.MaxValue));
        Reserve(address, size, what);
        _writes.Add(new MemoryWrite(new GuestPhysical(address), bytes, zeroFill));
    }

    /// <summary>Keeps a range free of later allocations without writing to it.</summary>
    public void Reserve(ulong address, ulong size, string what)
    {
        if (size == 0)
        {
            return;
        }

        if (!FreeRam().Any(ram => address >= ram.Start && address < ram.End && size <= ram.End - address))
        {
            throw new LoaderException($"{imageName}: {what} needs 0x{size:x} bytes at 0x{address:x}, which is not all free RAM "
                + $"(too little memory? the guest has {layout.RamText})");
        }

        if (_taken.Any(range => address < range.End && range.Start < address + size))
        {
            throw new LoaderException($"{imageName}: {what} at 0x{address:x} (0x{size:x} bytes) overlaps another part of the image");
        }

        _taken.Add((address, address + size));
    }

    /// <summary>Puts bytes at the lowest free place of the first 4 GiB and returns it.</summary>
    public ulong PlaceLow(ReadOnlyMemory<byte> bytes, string what, ulong align = 16, ulong from = FirstAllocatable)
    {
        ulong size = (ulong)bytes.Length;
        ulong? best = Candidates(range => AlignUp(Math.Max(range.Start, from), align))
            .Where(start => Fits(start, size))
            .Cast<ulong?>().Min();
        return PlaceAt(best, bytes, what);
    }

    /// <summary>Puts bytes at the highest free place whose last byte is below <paramref name="limit"/> and returns it.</summary>
    public ulong PlaceHigh(ReadOnlyMemory<byte> bytes, ulong limit, ulong from, string what)
    {
        ulong size = (ulong)bytes.Length;
        ulong? best = Candidates(range => Math.Min(range.End, limit))
            .Where(end => end >= size)
            .Select(end => (end - size) & ~(GuestPhysical.PageSize - 1UL))
            .Where(start => start >= from && Fits(start, size))
            .Cast<ulong?>().Max();
        return PlaceAt(best, bytes, what);
    }

    /// <summary>Puts a module page-aligned above 1 MiB and above all that is placed, and returns its address.</summary>
    public ulong PlaceModule(BootModule module)
    {
        // Where boot loaders put modules, and so where small kernels expect them: after the image.
        ulong end = _taken.Where(range => range.End <= layout.LowSize).Select(range => range.End).Append(MemoryLayout.OneMiB).Max();
        return PlaceLow(module.Bytes, $"module {module.Name}", GuestPhysical.PageSize, end);
    }

    /// <summary>Puts a NUL-terminated string at the lowest free place and returns it.</summary>
    public ulong PlaceString(string text, string what) => PlaceLow(ToCString(text, imageName), what, align: 1);

    /// <summary>The bytes of <paramref name="text"/> with its NUL.</summary>
    public static byte[] ToCString(string text, string imageName) => text.Contains('\0', StringComparison.Ordinal)
        ? throw new LoaderException($"{imageName}: the command line contains a NUL character")
        : [.. Encoding.UTF8.GetBytes(text), 0];

    private static ulong AlignUp(ulong value, ulong align) => (value + align - 1) & ~(align - 1);

    private ulong PlaceAt(ulong? address, ReadOnlyMemory<byte> bytes, string what)
    {
        if (address is not ulong found)
        {
            throw new LoaderException($"{imageName}: too little memory: no room for {what} ({bytes.Length} bytes) in {layout.RamText}");
        }

        Place(found, bytes, what);
        return found;
    }

    private IEnumerable<E820Entry> FreeRam() => layout.E820().Where(entry => entry.Type == E820Type.Ram);

    private bool Fits(ulong start, ulong size) =>
        start + size <= MemoryLayout.HighBase
        && FreeRam().Any(ram => start >= ram.Start && start + size <= ram.End)
        && !_taken.Any(range => start < range.End && range.Start < start + size);

    // The edges where a first fit can begin or end: those of RAM and of what is already placed.
    private IEnumerable<ulong> Candidates(Func<(ulong Start, ulong End), ulong> edge) =>
        FreeRam().Select(ram => edge((ram.Start, ram.End)))
            .Concat(_taken.Select(range => edge((range.End, range.Start))));
}
